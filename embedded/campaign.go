package embedded

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"hongbao"
)

// campaign is a campaign in memory.
type campaign struct {
	seed hongbao.Seed
	now  atomic.Pointer[hongbao.Campaign] // as of its last durable revision or seal

	mu        sync.Mutex // guards issuing and changing, and the fields below
	supply    supply
	issuedFen int64
	swept     []uint64 // by revision: its envelopes below this number are not held; see refundCampaign

	issued    atomic.Uint64 // supply.next, for deciding a refusal without the lock
	lastWin   atomic.Uint64 // block
	lastEvent atomic.Uint64 // block; written under the journal's lock, so that it never goes back
	opened    tally
	refunded  tally
	signedUp  atomic.Uint64
	settled   atomic.Bool // nothing is held; supply and rights are forgotten, the views know
}

// tally is a hongbao.Tally that many players count in at once.
type tally struct {
	count    atomic.Uint64
	totalFen atomic.Int64
}

func (t *tally) add(amountFen int64) {
	t.count.Add(1)
	t.totalFen.Add(amountFen)
}

func (t *tally) set(value hongbao.Tally) {
	t.count.Store(value.Count)
	t.totalFen.Store(value.TotalFen)
}

func (t *tally) load() hongbao.Tally {
	return hongbao.Tally{Count: t.count.Load(), TotalFen: t.totalFen.Load()}
}

func newCampaign(c *hongbao.Campaign, seed hongbao.Seed) *campaign {
	m := &campaign{seed: seed}
	m.supply.campaign, m.supply.seed = c.ID, &m.seed
	m.supply.begin(c.Segment())
	m.now.Store(c)
	return m
}

// issuedTally is what is given out; the campaign's lock is held.
func (c *campaign) issuedTally() hongbao.Tally {
	return hongbao.Tally{Count: c.supply.next, TotalFen: c.issuedFen}
}

func (c *campaign) held() uint64 {
	return c.issued.Load() - c.opened.count.Load() - c.refunded.count.Load()
}

// registry is the list of campaigns, read without a lock: each change makes a new one.
type registry struct {
	mu     sync.Mutex // creating, and making a new list
	memory atomic.Pointer[[]*campaign]
	told   atomic.Pointer[[]*hongbao.Campaign]
}

func (r *registry) find(id uint32) *campaign {
	list := *r.memory.Load()
	if id < 1 || int(id) > len(list) {
		return nil
	}
	return list[id-1]
}

// publish makes the list that is told from the campaigns as they are. Their changes are durable by then.
func (r *registry) publish(list []*campaign) {
	told := make([]*hongbao.Campaign, len(list))
	for i, c := range list {
		told[i] = c.now.Load()
	}
	r.memory.Store(&list)
	r.told.Store(&told)
}

func (r *registry) republish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.publish(*r.memory.Load())
}

// Campaigns lists all campaigns by id.
func (e *Engine) Campaigns() []*hongbao.Campaign { return *e.registry.told.Load() }

// Progress tells how far a campaign has come.
func (e *Engine) Progress(id uint32) hongbao.Progress {
	c := e.registry.find(id)
	if c == nil {
		return hongbao.Progress{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return hongbao.Progress{Taken: c.issuedTally(), Opened: c.opened.load(), Refunded: c.refunded.load(), SignedUp: c.signedUp.Load()}
}

// Put creates, revises, cancels or closes a campaign.
func (e *Engine) Put(_ context.Context, change hongbao.Change) (*hongbao.Campaign, error) {
	if change.Create != nil {
		return e.create(change)
	}
	c := e.registry.find(change.Campaign)
	if c == nil {
		return nil, fmt.Errorf("%w: there is no campaign %d", hongbao.ErrNotFound, change.Campaign)
	}
	changed, err := e.change(c, change)
	if err == nil && changed {
		e.registry.republish()
	}
	return c.now.Load(), err
}

func (e *Engine) create(change hongbao.Change) (*hongbao.Campaign, error) {
	e.registry.mu.Lock()
	defer e.registry.mu.Unlock()
	list := *e.registry.memory.Load()
	if name := change.Create.Name; slices.ContainsFunc(list, func(c *campaign) bool { return c.now.Load().Rules().Name == name }) {
		return nil, fmt.Errorf("%w: there is a campaign named %s", hongbao.ErrNameTaken, name)
	}
	id := uint32(len(list) + 1)
	var nonce hongbao.Nonce
	rand.Read(nonce[:]) // never fails
	seed := e.secret.Seed(id, nonce)
	event, err := hongbao.Created(id, nonce, seed, change)
	if err != nil {
		return nil, err
	}
	at, err := e.joinAlone(&event)
	if err != nil {
		return nil, err
	}
	if err := e.must(at.block); err != nil {
		return nil, err
	}
	created, err := (*hongbao.Campaign)(nil).After(&event)
	if err != nil {
		return nil, err
	}
	e.registry.publish(append(slices.Clip(list), newCampaign(created, seed)))
	return created, nil
}

// change decides a change of a campaign and makes it durable, all under the campaign's lock: nothing is won under rules
// that a crash could take back. Reports false when there was nothing to change.
func (e *Engine) change(c *campaign, change hongbao.Change) (changed bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now.Load()
	event, block, err := e.joinChange(c, now, change)
	if err != nil || block == 0 {
		return false, err
	}
	if err := e.must(block); err != nil {
		return false, err
	}
	next, err := now.After(&event)
	if err != nil {
		return false, err
	}
	if event.Segment != nil {
		c.supply.begin(*event.Segment)
	}
	c.now.Store(next)
	return true, nil
}

// joinChange decides a change at the engine time at which it joins the journal. The block is 0 when there was nothing to
// change.
func (e *Engine) joinChange(c *campaign, now *hongbao.Campaign, change hongbao.Change) (event hongbao.Event, block uint64, err error) {
	group, err := e.begin()
	if err != nil {
		return event, 0, err
	}
	defer e.journal.Unlock()
	change.At = e.time(change.At)
	event, ok, err := now.Change(change, c.seed, c.issuedTally())
	if err != nil || !ok {
		return event, 0, err
	}
	e.join(group, &event)
	c.lastEvent.Store(group.Block)
	return event, group.Block, nil
}
