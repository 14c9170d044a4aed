package hongbao

import (
	"context"
	"errors"
)

// InvitesMax is how many players one request may sign up.
const InvitesMax = 100_000

// SignUpRequest registers players for a campaign.
type SignUpRequest struct {
	Campaign uint32
	UIDs     []uint64
	Actor    string // administrator who invites; empty for a player's own
	Now      Time
}

// SignUpStatus is the outcome of a player's own sign-up.
type SignUpStatus string

// The outcomes.
const (
	SignedUp          SignUpStatus = "signed_up"
	SignUpClosed      SignUpStatus = "closed"
	SignUpCancelled   SignUpStatus = "cancelled"
	SignUpNotRequired SignUpStatus = "not_required"
	SignUpInvitedOnly SignUpStatus = "invited_only"
)

// SignUp registers a player for a campaign that is open to sign-ups, until closes_at; it may be repeated.
func (s *Service) SignUp(ctx context.Context, campaign uint32, uid uint64) (SignUpStatus, error) {
	if err := checkUID(uid); err != nil {
		return "", err
	}
	c, err := s.Campaign(campaign)
	if err != nil {
		return "", err
	}
	now := s.Now()
	switch rules := c.Rules(); {
	case c.Cancelled():
		return SignUpCancelled, nil
	case c.Seal != nil || now >= rules.ClosesAt:
		return SignUpClosed, nil
	case rules.Signup == SignupNone:
		return SignUpNotRequired, nil
	case rules.Signup == SignupInvited:
		return SignUpInvitedOnly, nil
	}
	_, err = s.engine.SignUp(ctx, SignUpRequest{Campaign: campaign, UIDs: []uint64{uid}, Now: now})
	if errors.Is(err, ErrCampaignOver) {
		return SignUpClosed, nil
	}
	return SignedUp, err
}

// Invite registers players on behalf of an administrator and counts those that were not registered before.
func (s *Service) Invite(ctx context.Context, campaign uint32, uids []uint64, actor string) (added int, err error) {
	if len(uids) == 0 || len(uids) > InvitesMax {
		return 0, Invalid("uids", len(uids), "a list of 1 to 100000 uids")
	}
	for _, uid := range uids {
		if err := checkUID(uid); err != nil {
			return 0, err
		}
	}
	c, err := s.Campaign(campaign)
	if err != nil {
		return 0, err
	}
	if c.Rules().Signup == SignupNone {
		return 0, Invalid("signup", SignupNone, "open or invited for players to be signed up")
	}
	return s.engine.SignUp(ctx, SignUpRequest{Campaign: campaign, UIDs: uids, Actor: actor, Now: s.Now()})
}
