package embedded

import (
	"context"
	"errors"

	"hongbao"
)

// refundAfter is how long after expiry an envelope is refunded at the earliest: an opening that was in time is decided
// by then.
const refundAfter = 5000 // ms

// Refund takes back envelopes that expired, and forgets what settled campaigns no longer need.
func (e *Engine) Refund(_ context.Context, now hongbao.Time, limit int) (refunded int, err error) {
	now = e.time(now)
	var last uint64
	for _, c := range *e.registry.memory.Load() {
		if refunded >= limit {
			break
		}
		n, block, err := e.refundCampaign(c, now, limit-refunded)
		refunded, last = refunded+n, max(last, block)
		if err != nil {
			return refunded, err
		}
		e.settle(c)
	}
	return refunded, e.durable(last)
}

// refundCampaign refunds what is due, revision by revision: expires_at is that of the revision that decided the win.
func (e *Engine) refundCampaign(c *campaign, now hongbao.Time, limit int) (refunded int, block uint64, err error) {
	if c.settled.Load() || c.held() == 0 {
		return 0, 0, nil
	}
	campaign := c.now.Load()
	for i := range campaign.Revisions {
		if now < campaign.Expiry(campaign.Revisions[i].Rules.ExpiresAt())+refundAfter {
			continue
		}
		from, until := c.unswept(campaign, i)
		for ; from < until && refunded < limit; from++ {
			at, err := e.refund(c, campaign, from, now)
			if errors.Is(err, errChanged) {
				return refunded, block, nil
			}
			if err != nil {
				return refunded, block, err
			}
			if at != 0 {
				refunded, block = refunded+1, at
			}
		}
		c.sweep(i, from)
	}
	return refunded, block, nil
}

// unswept is the range of numbers that a revision decided, without those that are known not to be held any more.
func (c *campaign) unswept(campaign *hongbao.Campaign, i int) (from, until uint64) {
	from, until = campaign.Revisions[i].Issued, c.issued.Load()
	if i+1 < len(campaign.Revisions) {
		until = campaign.Revisions[i+1].Issued
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if i < len(c.swept) {
		from = max(from, c.swept[i])
	}
	return from, until
}

// sweep remembers that a revision's envelopes below a number are not held.
func (c *campaign) sweep(i int, below uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.swept) <= i {
		c.swept = append(c.swept, 0)
	}
	c.swept[i] = below
}

// errChanged means that the campaign is not what the caller looked at: cancelling may have given envelopes more time.
var errChanged = errors.New("campaign changed")

// refund is the transition of one envelope from held to refunded, under its holder's lock and the campaign's. It returns
// the event's block, or 0 when the envelope was not held.
//
// Keeps G5.
func (e *Engine) refund(c *campaign, seen *hongbao.Campaign, number uint64, now hongbao.Time) (block uint64, err error) {
	tranche := c.supply.of(number)
	if tranche == nil {
		return 0, nil // it was settled meanwhile
	}
	word := tranche.holder(number)
	uid := holder(word.Load()).uid() // never changes once taken
	s := e.players.of(uid)
	s.mu.Lock()
	defer s.mu.Unlock()
	if held := holder(word.Load()); !held.taken() || held.state() != hongbao.StateHeld {
		return 0, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now.Load() != seen {
		return 0, errChanged
	}
	group, err := e.begin()
	if err != nil {
		return 0, err
	}
	defer e.journal.Unlock()
	id := hongbao.NewEnvelopeID(seen.ID, number)
	event := hongbao.Event{
		Kind: hongbao.EnvelopeRefunded, At: now, Revision: seen.Revision(),
		Envelope: id, UID: uid, AmountFen: tranche.amount(number),
	}
	e.join(group, &event)
	c.lastEvent.Store(group.Block)
	known := s.players[uid]
	known.block = group.Block
	s.players[uid] = known
	c.close(s, id, uid, hongbao.StateRefunded, event.At, known, e.applied.Load())
	c.refunded.add(event.AmountFen)
	return group.Block, nil
}

// settle forgets a campaign's envelopes and rights once none is held, nothing can be won, and the views know it all.
func (e *Engine) settle(c *campaign) {
	if c.settled.Load() || c.now.Load().Seal == nil || c.held() > 0 || e.applied.Load() < c.lastEvent.Load() {
		return
	}
	c.settled.Store(true)
	c.mu.Lock()
	c.supply.forget()
	c.mu.Unlock()
	e.players.forgetCampaign(c.supply.campaign)
}
