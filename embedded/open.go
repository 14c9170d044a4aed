package embedded

import (
	"context"
	"fmt"

	"hongbao"
)

// balanceMax is below 2^53, so that JavaScript clients read it exactly.
const balanceMax = 1<<53 - 1

// Open credits a held envelope to its holder.
func (e *Engine) Open(_ context.Context, r hongbao.OpenRequest) (hongbao.OpenResult, error) {
	result, block, err := e.open(r)
	if err != nil {
		return hongbao.OpenResult{}, err
	}
	if err := e.durable(block); err != nil {
		return hongbao.OpenResult{}, err
	}
	return result, nil
}

// open decides in memory and returns the block that the answer must wait for.
func (e *Engine) open(r hongbao.OpenRequest) (result hongbao.OpenResult, block uint64, err error) {
	c := e.registry.find(r.Envelope.Campaign())
	if c == nil {
		return result, 0, notHeld(r)
	}
	s := e.players.of(r.UID)
	s.mu.Lock()
	defer s.mu.Unlock()
	player, err := e.player(s, r.UID)
	if err != nil {
		return result, 0, err
	}
	state, amountFen, err := e.envelope(c, r)
	switch {
	case err != nil:
		return result, 0, err
	case state == hongbao.StateRefunded:
		return hongbao.OpenResult{Expired: true}, player.block, nil
	case state == hongbao.StateOpened:
		return hongbao.OpenResult{AmountFen: amountFen, BalanceFen: player.balanceFen}, player.block, nil
	}
	return e.credit(s, c, r, player, amountFen)
}

func notHeld(r hongbao.OpenRequest) error {
	return fmt.Errorf("%w: player %d has no envelope %d", hongbao.ErrNotFound, r.UID, r.Envelope)
}

// player is what is known of a player, with the balance, which the views have until the player first opens an envelope
// here. The player's lock is held.
func (e *Engine) player(s *shard, uid uint64) (player, error) {
	known := s.players[uid]
	if known.loaded {
		return known, nil
	}
	balanceFen, err := e.views.balance(uid)
	known.balanceFen, known.loaded = balanceFen, true
	return known, err
}

// envelope is state and amount of an envelope that the player holds or held; ErrNotFound otherwise.
func (e *Engine) envelope(c *campaign, r hongbao.OpenRequest) (hongbao.EnvelopeState, int64, error) {
	number := r.Envelope.Number()
	tranche := c.supply.of(number)
	if tranche == nil { // settled, or no such number
		return e.envelopeAtRest(r)
	}
	held := holder(tranche.holder(number).Load())
	if !held.taken() || held.uid() != r.UID {
		return 0, 0, notHeld(r)
	}
	return held.state(), tranche.amount(number), nil
}

// envelopeAtRest is what the views have of an envelope that memory has forgotten, which can't be held any more.
func (e *Engine) envelopeAtRest(r hongbao.OpenRequest) (hongbao.EnvelopeState, int64, error) {
	known, found, err := e.views.envelope(r.UID, r.Envelope)
	switch {
	case err != nil:
		return 0, 0, err
	case !found:
		return 0, 0, notHeld(r)
	case known.State == hongbao.StateHeld:
		return 0, 0, fmt.Errorf("%w: the views show envelope %d as held, whose campaign is settled", hongbao.ErrBroken, r.Envelope)
	}
	return known.State, known.AmountFen, nil
}

// credit is the transition from held to opened. It happens under the holder's lock, as refunding does.
//
// Keeps G5 and G6.
func (e *Engine) credit(s *shard, c *campaign, r hongbao.OpenRequest, known player, amountFen int64) (hongbao.OpenResult, uint64, error) {
	if known.balanceFen > balanceMax-amountFen {
		return hongbao.OpenResult{}, 0, hongbao.Invalid("balance_fen", known.balanceFen, "below 2^53 after opening")
	}
	known.balanceFen += amountFen
	at, err := e.journalOpening(c, r, &known, amountFen)
	if err != nil || at == 0 {
		return hongbao.OpenResult{Expired: true}, 0, err
	}
	s.players[r.UID] = known
	c.close(s, r.Envelope, r.UID, hongbao.StateOpened, at, known, e.applied.Load())
	c.opened.add(amountFen)
	return hongbao.OpenResult{First: true, AmountFen: amountFen, BalanceFen: known.balanceFen}, known.block, nil
}

// journalOpening joins the event, unless the envelope has expired: then the time is 0.
func (e *Engine) journalOpening(c *campaign, r hongbao.OpenRequest, known *player, amountFen int64) (at hongbao.Time, err error) {
	now := c.now.Load()
	expiry := now.Expiry(now.RevisionOf(r.Envelope.Number()).Rules.ExpiresAt())
	group, err := e.begin()
	if err != nil {
		return 0, err
	}
	defer e.journal.Unlock()
	if at = e.time(r.Now); at >= expiry {
		return 0, nil
	}
	known.block = group.Block
	e.join(group, &hongbao.Event{
		Kind: hongbao.EnvelopeOpened, At: at, Revision: now.Revision(),
		Envelope: r.Envelope, UID: r.UID, AmountFen: amountFen, BalanceFen: known.balanceFen,
	})
	c.lastEvent.Store(group.Block)
	return at, nil
}

// close moves an envelope out of held, for all that is decided after it. The holder's lock is held.
func (c *campaign) close(s *shard, id hongbao.EnvelopeID, uid uint64, state hongbao.EnvelopeState, at hongbao.Time, known player, applied uint64) {
	c.supply.of(id.Number()).holder(id.Number()).Store(uint64(newHolder(uid, state)))
	s.recent.add(change{
		block: known.block, uid: uid, balance: known.balanceFen,
		envelope: hongbao.Envelope{ID: id, State: state, ClosedAt: at},
	}, applied)
}
