package cluster

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"hongbao"
)

// campaign is a campaign as of one change, ready for the scripts.
type campaign struct {
	*hongbao.Campaign
	chanceMax hongbao.Chance // the highest that it ever had
	texts     campaignTexts
	source    string // its events, as the list of campaigns holds them
	life      *life
}

// campaignTexts are the rules as scripts take them.
type campaignTexts struct {
	id, revision, opensAt, closesAt, paused, signup, winsMax, dailyWinsMax, kind, expiresAt string
}

// life is what this process knows of a campaign over all its changes.
type life struct {
	seed    hongbao.Seed
	cuts    cuts
	low     atomic.Int64   // of a shard's supply: when as many are left, more is leased ahead
	waiting []atomic.Int64 // by shard: snatches that wait for envelopes
	bank    atomic.Pointer[bank]

	received []atomic.Uint64 // by shard: number of the last lease that it is known to have
	leftIn   atomic.Int64    // a shard in which some were left when it was looked at
	sold     atomic.Pointer[sold]
	counted  atomic.Pointer[counted]
	done     atomic.Pointer[hongbao.Progress] // settled: it does not change any more
}

// sold says that under a revision the bank was dry at a moment.
type sold struct {
	revision uint32
	at       time.Time
}

// isSold reports whether the campaign was found sold out under the revision in force, at most age ago.
func (c *campaign) isSold(age time.Duration) bool {
	known := c.life.sold.Load()
	return known != nil && known.revision == c.Revision() && time.Since(known.at) < age
}

// markSold notes that the bank was found dry by somebody who asked it at that moment.
func (c *campaign) markSold(asked time.Time) { c.life.sold.Store(&sold{c.Revision(), asked}) }

func newCampaign(c *hongbao.Campaign, life *life) *campaign {
	rules := c.Rules()
	one := &campaign{Campaign: c, life: life}
	for i := range c.Revisions {
		one.chanceMax = max(one.chanceMax, c.Revisions[i].Rules.Chance)
	}
	one.texts = campaignTexts{
		id: strconv.FormatUint(uint64(c.ID), 10), revision: strconv.FormatUint(uint64(c.Revision()), 10),
		opensAt: formatTime(rules.OpensAt), closesAt: formatTime(rules.ClosesAt),
		paused: flag(rules.Paused), signup: flag(rules.Signup != hongbao.SignupNone),
		winsMax: strconv.Itoa(rules.WinsMax), dailyWinsMax: strconv.Itoa(rules.DailyWinsMax),
		kind: string(rules.Kind), expiresAt: formatTime(rules.ExpiresAt()),
	}
	return one
}

// catalog is the list of campaigns as this process knows it.
type catalog struct {
	engine *Engine
	mu     sync.Mutex // refreshing
	since  string     // number of the last change that is known

	campaigns atomic.Pointer[[]*campaign]         // by id
	told      atomic.Pointer[[]*hongbao.Campaign] // the same, for those who ask
	good      atomic.Pointer[time.Time]           // until when answers may rest on it
}

func newCatalog(e *Engine) *catalog {
	c := &catalog{engine: e, since: "0"}
	c.campaigns.Store(&[]*campaign{})
	c.told.Store(&[]*hongbao.Campaign{})
	c.good.Store(&time.Time{})
	return c
}

// fresh reports whether the rules are not older than caches may be.
func (c *catalog) fresh() bool { return time.Now().Before(*c.good.Load()) }

func (c *catalog) find(id uint32) *campaign {
	list := *c.campaigns.Load()
	if id < 1 || int(id) > len(list) {
		return nil
	}
	return list[id-1]
}

// keep refreshes the catalog until the engine is closed.
func (c *catalog) keep() {
	ticker := time.NewTicker(max(c.engine.options.CacheAge/4, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-c.engine.stop:
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
		if err := c.refresh(ctx); err == nil {
			c.engine.stillSold(ctx)
		}
		cancel()
	}
}

// refresh reads what has changed. What is known afterwards is as of the moment at which it was called, or later.
func (c *catalog) refresh(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := time.Now()
	home := c.engine.home()
	for more := true; more; {
		reply, err := c.engine.ask(ctx, home, scriptRegistry, 0, []string{home.campaigns(), home.changes()}, c.since)
		if err != nil {
			return err
		}
		c.engine.seen(parseTime(reply[2]))
		if len(reply) > 4 {
			if err := c.learn(reply[4:]); err != nil {
				return err
			}
		}
		c.since, more = reply[1], reply[3] == "1"
	}
	good := asked.Add(c.engine.options.CacheAge)
	c.good.Store(&good)
	return nil
}

// refreshFromBooks makes the list of what the books have, while the first shard can't be asked. Nothing is answered from
// it alone.
func (c *catalog) refreshFromBooks(ctx context.Context) error {
	events, err := c.engine.ledger.CampaignEvents(ctx)
	if err != nil {
		return err
	}
	texts := map[uint32]string{}
	for i := range events {
		texts[events[i].Campaign] += string(withLength(hongbao.AppendEvent(nil, &events[i])))
	}
	var changed []string
	for id := uint32(1); int(id) <= len(texts); id++ {
		changed = append(changed, strconv.FormatUint(uint64(id), 10), texts[id])
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.learn(changed)
}

func withLength(event []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(event))), event...)
}

// learn takes changed campaigns over, given as id and events by turns.
func (c *catalog) learn(changed []string) error {
	list := append([]*campaign(nil), *c.campaigns.Load()...)
	for i := 0; i+1 < len(changed); i += 2 {
		known, err := parseEvents(changed[i+1])
		if err != nil {
			return err
		}
		for int(known.ID) > len(list) {
			list = append(list, nil)
		}
		of := &life{
			seed: c.engine.secret.Seed(known.ID, known.Nonce), waiting: make([]atomic.Int64, len(c.engine.shards)),
			received: make([]atomic.Uint64, len(c.engine.shards)),
		}
		of.cuts.campaign, of.cuts.seed = known.ID, of.seed
		if before := list[known.ID-1]; before != nil && before.Nonce == known.Nonce {
			of = before.life
		}
		list[known.ID-1] = newCampaign(known, of)
		list[known.ID-1].source = changed[i+1]
	}
	c.campaigns.Store(&list)
	told := make([]*hongbao.Campaign, 0, len(list))
	for _, one := range list {
		if one == nil { // it has changed since, and comes with a later page
			break
		}
		told = append(told, one.Campaign)
	}
	c.told.Store(&told)
	return nil
}

// parseEvents makes a campaign of its events, each with its length in front.
func parseEvents(text string) (c *hongbao.Campaign, err error) {
	for rest := []byte(text); len(rest) > 0; {
		if len(rest) < 4 || uint64(len(rest)-4) < uint64(binary.BigEndian.Uint32(rest)) {
			return nil, fmt.Errorf("%w: the events of a campaign end in the middle", hongbao.ErrBroken)
		}
		size := binary.BigEndian.Uint32(rest)
		var event hongbao.Event
		if err := hongbao.DecodeEvent(rest[4:4+size], &event); err != nil {
			return nil, err
		}
		if c, err = c.After(&event); err != nil {
			return nil, err
		}
		rest = rest[4+size:]
	}
	if c == nil {
		return nil, fmt.Errorf("%w: a campaign without events", hongbao.ErrBroken)
	}
	return c, nil
}

// unknownEvery is how often a campaign that is not known leads to a look whether it is new: ids can be made up.
const unknownEvery = 20 * time.Millisecond

// find is a campaign, or nil when there is none.
func (e *Engine) find(id uint32) (*campaign, error) {
	if c := e.catalog.find(id); c != nil {
		return c, nil
	}
	asked := e.catalog.good.Load().Add(-e.options.CacheAge)
	if id == 0 || id > hongbao.CampaignMax || time.Since(asked) < unknownEvery {
		return nil, nil
	}
	_, err := together(e, e.catalog, func(ctx context.Context) (struct{}, error) { return struct{}{}, e.catalog.refresh(ctx) })
	return e.catalog.find(id), err
}

// Campaigns lists all campaigns by id.
func (e *Engine) Campaigns() []*hongbao.Campaign { return *e.catalog.told.Load() }
