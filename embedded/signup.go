package embedded

import (
	"context"
	"errors"
	"fmt"

	"hongbao"
)

// SignUp registers players, one event each. Those who were registered before change nothing.
func (e *Engine) SignUp(_ context.Context, r hongbao.SignUpRequest) (added int, err error) {
	c := e.registry.find(r.Campaign)
	if c == nil {
		return 0, fmt.Errorf("%w: there is no campaign %d", hongbao.ErrNotFound, r.Campaign)
	}
	var last uint64
	for _, uid := range r.UIDs {
		block, isNew, err := e.signUp(c, uid, r)
		if err != nil {
			return added, e.stopped(err, added, last)
		}
		last = max(last, block)
		if isNew {
			added++
		}
	}
	return added, e.durable(last)
}

// stopped is the error of signing up several players of which some are signed up: that nothing happened would be a lie.
func (e *Engine) stopped(err error, added int, last uint64) error {
	if waited := e.durable(last); waited != nil {
		return waited
	}
	if added > 0 && errors.Is(err, hongbao.ErrBusy) {
		return fmt.Errorf("%w: %d players are signed up, then: %v", hongbao.ErrUnknown, added, err)
	}
	return err
}

// signUp registers one player, under the player's lock and the campaign's, which sealing takes too. It returns the
// block that the answer rests on.
func (e *Engine) signUp(c *campaign, uid uint64, r hongbao.SignUpRequest) (block uint64, isNew bool, err error) {
	s, key := e.players.of(uid), rightKey{uid, r.Campaign}
	s.mu.Lock()
	defer s.mu.Unlock()
	right, known := s.rights[key], s.players[uid]
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now.Load()
	group, err := e.begin()
	if err != nil {
		return 0, false, err
	}
	defer e.journal.Unlock()
	at := e.time(r.Now)
	switch {
	case now.Seal != nil || at >= now.Rules().ClosesAt:
		return 0, false, fmt.Errorf("%w: campaign %d takes no more sign-ups", hongbao.ErrCampaignOver, r.Campaign)
	case right.signedUp:
		return known.block, false, nil
	}
	e.join(group, &hongbao.Event{
		Kind: hongbao.PlayerSignedUp, At: at, Campaign: r.Campaign, Revision: now.Revision(), UID: uid, Actor: r.Actor,
	})
	right.signedUp = true
	s.rights[key] = right
	known.block = group.Block
	s.players[uid] = known
	c.signedUp.Add(1)
	c.lastEvent.Store(group.Block)
	return group.Block, true, nil
}
