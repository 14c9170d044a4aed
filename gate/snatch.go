package gate

import (
	"context"
	"time"

	"hongbao"
)

// Snatch is a request that [Gate.Admit] has let through.
type Snatch struct {
	Visitor
	Campaign uint32
	Key      string // Idempotency-Key; empty: none was brought
	Ticket   []byte // Hongbao-Ticket; it is not kept
}

// Snatch takes a snatch through the rest of the gate and to the engine. Errors beside the engine's: ErrReadOnly,
// ErrTicketRequired, ErrTicketInvalid, ErrTooFast, ErrDenied, ErrBusy.
//
// Keeps G7: a request with a key that has won before gets its win, even where its ticket has ended or its player is denied
// by the risk hook since.
func (g *Gate) Snatch(ctx context.Context, s Snatch) (hongbao.SnatchResult, error) {
	if err := g.changes(); err != nil {
		return hongbao.SnatchResult{}, err
	}
	request := hongbao.SnatchRequest{Campaign: s.Campaign, UID: s.UID, Key: s.Key}
	c, err := g.service.Campaign(s.Campaign)
	if err != nil { // the engine may learn of it, and nothing is won before its rules are known here
		result, err := g.replay(ctx, request)
		if err != nil || result.Status == hongbao.Won || result.Status == hongbao.NotFound {
			return result, err
		}
		if c, err = g.service.Campaign(s.Campaign); err != nil {
			return result, hongbao.ErrBusy
		}
	}
	refused, replayable := g.hold(ctx, &s, c, &request)
	switch {
	case refused == nil:
		return g.snatch(ctx, request)
	case replayable && s.Key != "":
		if result, err := g.replay(ctx, request); err != nil || result.Status == hongbao.Won {
			return result, err
		}
		if result, ok := g.Foretell(s.Campaign, false); ok { // a key that has not won is as good as none
			return result, nil
		}
	}
	return hongbao.SnatchResult{Key: request.Key, KeyIsNew: request.KeyIsNew}, refused
}

// hold takes a snatch past ticket, fair start, global bucket and risk hook, or tells why it got no further and whether the
// engine may still know its key.
func (g *Gate) hold(ctx context.Context, s *Snatch, c *hongbao.Campaign, request *hongbao.SnatchRequest) (refused error, replayable bool) {
	if refused := g.holdBack(ctx, s, c, request); refused != nil {
		return g.refusedButAsked(s, refused)
	}
	if err := g.still(s, c); err != nil {
		return err, false
	}
	if err := g.takeGlobal(); err != nil {
		return err, false
	}
	if g.risk == nil {
		return nil, false
	}
	if request.Key == "" {
		request.Key, request.KeyIsNew = hongbao.NewKey(), true
	}
	return g.refuse(byRisk, g.risk.check(ctx, s.UID, s.Campaign, s.Address, request.Key)), true
}

// refusedButAsked takes from the bucket of all for a request that goes to the engine nevertheless, for its key: otherwise a
// flood without tickets would reach it past that bucket.
func (g *Gate) refusedButAsked(s *Snatch, refused error) (error, bool) {
	if s.Key == "" {
		return refused, false
	}
	if err := g.takeGlobal(); err != nil {
		return err, false
	}
	return refused, true
}

// still looks again at what an operator may have turned while the snatch waited for its lot, which is up to a minute.
func (g *Gate) still(s *Snatch, c *hongbao.Campaign) error {
	if c.Rules().FairStart == 0 {
		return nil
	}
	if g.force.Load().denied.denies(s.UID, s.Address) {
		return g.refuse(byDenylist, hongbao.ErrDenied)
	}
	return g.changes()
}

// holdBack is what the campaign's own rules ask: a ticket, and to wait for the lot.
func (g *Gate) holdBack(ctx context.Context, s *Snatch, c *hongbao.Campaign, request *hongbao.SnatchRequest) (err error) {
	rules := c.Rules()
	if rules.Ticket {
		if err := g.tickets.check(s.Ticket, s.Campaign, s.UID, g.service.Now()); err != nil {
			return g.refuse(byTicket, err)
		}
	}
	if rules.FairStart == 0 {
		return nil
	}
	request.Now, err = g.lots.wait(ctx, c, time.Duration(rules.FairStart), s.UID)
	return g.refuse(byLot, err)
}

// replay asks the engine whether the key has won, and wins nothing.
func (g *Gate) replay(ctx context.Context, r hongbao.SnatchRequest) (hongbao.SnatchResult, error) {
	r.ReplayOnly = true
	return g.snatch(ctx, r)
}

func (g *Gate) snatch(ctx context.Context, r hongbao.SnatchRequest) (result hongbao.SnatchResult, err error) {
	err = g.engine(ctx, func() (measured bool, err error) {
		result, err = g.service.Snatch(ctx, r)
		return result.Status == hongbao.Won, err // refusals out of memory say nothing about the engine
	})
	return result, err
}

// Ticket gives a player a ticket for a campaign in its countdown or open. Where there is none, its text is empty and the
// status says why: NotFound, NotOpen, Closed or Cancelled.
func (g *Gate) Ticket(campaign uint32, uid uint64) (Ticket, hongbao.Status) {
	c, err := g.service.Campaign(campaign)
	now := g.service.Now()
	switch {
	case err != nil:
		return Ticket{}, hongbao.NotFound
	case c.Cancelled():
		return Ticket{}, hongbao.Cancelled
	}
	const held = 1 // whether it is settled does not matter here
	switch c.Phase(now, held) {
	case hongbao.PhaseScheduled:
		return Ticket{}, hongbao.NotOpen
	case hongbao.PhaseClosed:
		return Ticket{}, hongbao.Closed
	}
	return g.tickets.issue(campaign, uid, now), hongbao.Won
}
