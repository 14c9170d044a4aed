package cluster

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"time"

	"hongbao"
)

// Put creates, revises, cancels or closes a campaign. A change is answered when no node uses older rules any more.
func (e *Engine) Put(ctx context.Context, change hongbao.Change) (*hongbao.Campaign, error) {
	if change.Create != nil {
		return e.create(ctx, change)
	}
	if err := e.catalog.refresh(ctx); err != nil {
		return nil, err
	}
	c := e.catalog.find(change.Campaign)
	if c == nil {
		return nil, fmt.Errorf("%w: there is no campaign %d", hongbao.ErrNotFound, change.Campaign)
	}
	var err error
	if change.Revise != nil {
		err = e.revise(ctx, c, change)
	} else {
		err = e.seal(ctx, c, change)
	}
	if known := e.catalog.find(change.Campaign); known != nil {
		c = known
	}
	return c.Campaign, err
}

func (e *Engine) create(ctx context.Context, change hongbao.Change) (*hongbao.Campaign, error) {
	var nonce hongbao.Nonce
	rand.Read(nonce[:]) // never fails
	for began := time.Now(); ; {
		if err := e.catalog.refresh(ctx); err != nil {
			return nil, err
		}
		id := uint32(len(e.Campaigns()) + 1)
		change.At = e.time(change.At)
		event, err := hongbao.Created(id, nonce, e.secret.Seed(id, nonce), change)
		if err != nil {
			return nil, err
		}
		reply, err := e.askCreate(ctx, &event, change.Create.Name)
		if err != nil {
			return nil, err
		}
		switch reply[0] {
		case "ok":
			e.seen(event.At)
			if err := e.catalog.refresh(ctx); err != nil {
				return (*hongbao.Campaign)(nil).After(&event)
			}
			return e.catalog.find(id).Campaign, nil
		case "taken":
			return nil, fmt.Errorf("%w: there is a campaign named %s", hongbao.ErrNameTaken, change.Create.Name)
		case "time":
			e.seen(parseTime(reply[1]))
		}
		if !again(ctx, began) {
			return nil, fmt.Errorf("%w: other campaigns are being made", hongbao.ErrBusy)
		}
	}
}

func (e *Engine) askCreate(ctx context.Context, event *hongbao.Event, name string) ([]string, error) {
	home, id := e.home(), strconv.FormatUint(uint64(event.Campaign), 10)
	return e.ask(ctx, home, scriptCreate, event.At,
		[]string{home.outbox, home.bank(id), home.names(), home.campaigns(), home.changes()},
		e.limit, id, name, string(hongbao.AppendEvent(nil, event)), e.incarnation)
}

// holdFor is how long leases wait for a revision that is being decided, in milliseconds.
const holdFor = 200

// revise decides a revision on what is leased by now, and makes every shard know it.
func (e *Engine) revise(ctx context.Context, c *campaign, change hongbao.Change) error {
	for began := time.Now(); ; {
		b, err := e.bank(ctx, c, holdFor)
		if err != nil {
			return err
		}
		if b.revision != c.Revision() || b.sealed && c.Seal == nil {
			if err := e.catalog.refresh(ctx); err != nil {
				return err
			}
			c = e.catalog.find(c.ID)
		}
		e.seen(b.at)
		change.At = e.time(change.At)
		event, _, err := c.Change(change, c.life.seed, b.issued())
		if err != nil {
			return err
		}
		reply, err := e.askChange(ctx, c, b, &event, "")
		if err != nil {
			return err
		}
		switch reply[0] {
		case "ok":
			e.seen(event.At)
			return e.spread(ctx, c.ID)
		case "over":
			return fmt.Errorf("%w: it is being sealed", hongbao.ErrCampaignOver)
		case "time":
			e.seen(parseTime(reply[1]))
		}
		if !again(ctx, began) {
			return fmt.Errorf("%w: campaign %d keeps changing", hongbao.ErrBusy, c.ID)
		}
	}
}

func (e *Engine) askChange(ctx context.Context, c *campaign, b *bank, event *hongbao.Event, seal string) ([]string, error) {
	home, id := e.home(), c.texts.id
	return e.ask(ctx, home, scriptChange, event.At,
		[]string{home.outbox, home.bank(id), home.campaigns(), home.changes(), home.stopping()},
		e.limit, id, string(hongbao.AppendEvent(nil, event)), c.texts.revision, strconv.FormatUint(b.cursor, 10),
		strconv.FormatUint(uint64(event.Revision), 10), seal, flag(event.Segment != nil))
}

// spread makes every shard know the revision in force, and waits until no cache is older. What it can't reach learns the
// revision from the first that snatches there.
func (e *Engine) spread(ctx context.Context, id uint32) error {
	caches := time.NewTimer(e.options.CacheAge)
	defer caches.Stop()
	if err := e.catalog.refresh(ctx); err != nil {
		return fmt.Errorf("%w: campaign %d was revised, and can't be read", hongbao.ErrUnknown, id)
	}
	c := e.catalog.find(id)
	err := e.everyShard(func(s *shard) error {
		_, err := e.ask(ctx, s, scriptApply, 0, []string{s.campaign(c.texts.id)}, c.texts.revision)
		return err
	})
	if err != nil {
		e.logger.Warn("a revision has not reached every shard", "campaign", id, "revision", c.Revision(), "error", err)
	}
	select {
	case <-caches.C:
	case <-ctx.Done():
	}
	return nil
}

const (
	sealCancelled = "x"
	sealClosed    = "c"
)

// seal ends a campaign. First the bank takes note, and leases and revises nothing more; then every shard refuses snatches;
// then the event is journaled, at a time that is not before any win's. Whoever finds it half done goes on.
func (e *Engine) seal(ctx context.Context, c *campaign, change hongbao.Change) error {
	how := sealClosed
	if change.Cancel {
		how = sealCancelled
	}
	for began := time.Now(); ; {
		change.At = e.time(change.At)
		if _, ok, err := c.Change(change, c.life.seed, hongbao.Tally{}); err != nil || !ok {
			return err
		}
		home := e.home()
		reply, err := e.ask(ctx, home, scriptSeal, change.At, []string{home.bank(c.texts.id), home.stopping()},
			c.texts.id, how, c.texts.revision, change.Actor)
		if err != nil {
			return err
		}
		if reply[0] == "ok" {
			if err := e.finishSeal(ctx, c, reply[1], reply[2], parseTime(reply[3])); err != nil {
				return err
			}
			if reply[1] != how && how == sealCancelled {
				return fmt.Errorf("%w: it closed at %s", hongbao.ErrCampaignOver, parseTime(reply[3]))
			}
			return nil
		}
		if !again(ctx, began) {
			return fmt.Errorf("%w: campaign %d keeps changing", hongbao.ErrBusy, c.ID)
		}
		if err := e.catalog.refresh(ctx); err != nil { // moved, or sealed
			return err
		}
		c = e.catalog.find(c.ID)
	}
}

// finishSeal stops the shards and journals the seal.
func (e *Engine) finishSeal(ctx context.Context, c *campaign, how, actor string, since hongbao.Time) error {
	at, err := e.stopShards(ctx, c, how, since)
	if err != nil {
		return err
	}
	change := hongbao.Change{At: at, Actor: actor, Campaign: c.ID, Cancel: how == sealCancelled, Close: how == sealClosed}
	for began := time.Now(); ; {
		b, err := e.bank(ctx, c, 0)
		if err != nil {
			return err
		}
		if b.sealed {
			return e.catalog.refresh(ctx)
		}
		change.At = max(change.At, b.at)
		event, ok, err := c.Change(change, c.life.seed, b.issued())
		if err != nil || !ok {
			return err
		}
		reply, err := e.askChange(ctx, c, b, &event, how)
		if err != nil {
			return err
		}
		switch reply[0] {
		case "ok", "over":
			e.seen(change.At)
			return e.catalog.refresh(ctx)
		case "time":
			change.At = parseTime(reply[1])
		}
		if !again(ctx, began) {
			return fmt.Errorf("%w: campaign %d keeps changing", hongbao.ErrBusy, c.ID)
		}
	}
}

// stopShards makes every shard refuse, and returns the time of the seal. What ends by the clock was won before closes_at,
// which has passed; cancelling comes a millisecond after whatever happened in any shard, so that in the journal it stands
// behind all that was won and before all that rests on it.
func (e *Engine) stopShards(ctx context.Context, c *campaign, how string, since hongbao.Time) (hongbao.Time, error) {
	times := make([]hongbao.Time, len(e.shards))
	err := e.everyShard(func(s *shard) error {
		reply, err := e.ask(ctx, s, scriptStop, since, []string{s.campaign(c.texts.id)}, how)
		if err == nil {
			times[s.index] = parseTime(reply[1])
		}
		return err
	})
	at := since
	if how == sealCancelled {
		for _, t := range times {
			at = max(at, t+1)
		}
	}
	return at, err
}

// Progress tells how far a campaign has come, as its shards count it.
func (e *Engine) Progress(id uint32) hongbao.Progress {
	c := e.catalog.find(id)
	if c == nil {
		return hongbao.Progress{}
	}
	if settled := c.life.done.Load(); settled != nil {
		return *settled
	}
	return e.progress(c)
}

// counted is what was counted last.
type counted struct {
	progress hongbao.Progress
	at       time.Time
}

func (e *Engine) progress(c *campaign) hongbao.Progress {
	last := c.life.counted.Load()
	if last != nil && time.Since(last.at) < e.options.ProgressAge {
		return last.progress
	}
	count := func() (hongbao.Progress, error) {
		ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
		defer cancel()
		return e.count(ctx, c)
	}
	var now hongbao.Progress
	var err error
	if e.options.ProgressAge < 0 {
		now, err = count() // one that began before would be too old
	} else {
		now, err = share(&e.flights, progressKey{c.ID}, count)
	}
	if err != nil && last != nil {
		return last.progress
	}
	if err != nil { // a shard can't be reached, and never was: the books know what they have
		ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
		defer cancel()
		now, _ = e.ledger.Progress(ctx, c.ID)
	}
	return now
}

type progressKey struct{ campaign uint32 }

// count adds up what the shards have counted.
func (e *Engine) count(ctx context.Context, c *campaign) (total hongbao.Progress, err error) {
	parts := make([]hongbao.Progress, len(e.shards))
	began := time.Now()
	err = e.everyShard(func(s *shard) error {
		stock, err := e.stock(ctx, c, s)
		if err == nil {
			parts[s.index] = stock.progress
		}
		return err
	})
	if err != nil {
		return total, err
	}
	for _, p := range parts {
		addTally(&total.Taken, p.Taken)
		addTally(&total.Opened, p.Opened)
		addTally(&total.Refunded, p.Refunded)
		total.SignedUp += p.SignedUp
	}
	c.life.counted.Store(&counted{total, began})
	if c.Seal != nil && total.Held().Count == 0 {
		c.life.done.Store(&total)
	}
	return total, nil
}

func addTally(to *hongbao.Tally, t hongbao.Tally) {
	to.Count += t.Count
	to.TotalFen += t.TotalFen
}
