package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"hongbao"
)

// prepare chooses or makes the campaign, signs the crowd up where that is needed, and sets the opening of a bomb of
// this run's own.
func (r *run) prepare(ctx context.Context) error {
	id, err := r.choose(ctx)
	if err != nil {
		return err
	}
	if err := r.look(id); err != nil {
		return err
	}
	if r.campaign.Phase == hongbao.PhaseClosed || r.campaign.Phase == hongbao.PhaseSettled {
		return fmt.Errorf("campaign %d (%s) is over", id, r.campaign.Name)
	}
	r.witness = Witness{Client: r.client, Told: NewTold(r.campaign.ServerTime)}
	if err := r.admitted(); err != nil {
		return err
	}
	if r.campaign.Signup == hongbao.SignupOpen {
		if err := r.signUp(ctx); err != nil {
			return err
		}
	}
	if !r.made || r.Scenario != ScenarioBomb {
		return nil
	}
	if err := r.arm(ctx); err != nil {
		return err
	}
	return r.look(id)
}

func (r *run) look(id uint32) error {
	campaign, err := r.client.Campaign(id)
	if err == nil {
		r.campaign = campaign
	}
	return err
}

// admitted asks once as a player, so that a server that lets nobody in says so once.
func (r *run) admitted() error {
	if wallet := r.client.Wallet(r.FirstUID, 1, ""); wallet.Outcome == Refused {
		return fmt.Errorf("the server refuses players that bench names in X-Player-Id (is player.auth trusted?): %w", wallet.Err)
	}
	return nil
}

// choose finds the campaign to play: the one that is named, the rain that the camp API plays, a new one, or the
// current one.
func (r *run) choose(ctx context.Context) (uint32, error) {
	if r.Campaign != "" {
		id, err := strconv.ParseUint(r.Campaign, 10, 32)
		if err != nil || id == 0 || id > hongbao.CampaignMax {
			return 0, hongbao.Invalid("campaign", r.Campaign, "a campaign's id")
		}
		return uint32(id), nil
	}
	current, err := r.current()
	if err != nil {
		return 0, err
	}
	if r.admin != nil && (r.API != Camp || current == nil || current.Phase != hongbao.PhaseOpen) {
		return r.create(ctx)
	}
	if current == nil {
		return 0, fmt.Errorf("there is no %s to play: name a campaign, or give an admin token so that one is made", r.Scenario)
	}
	return current.ID, nil
}

// current is the campaign of the scenario's kind that opened first of those that are open, or else opens next.
func (r *run) current() (current *Campaign, err error) {
	campaigns, err := r.client.Campaigns()
	if err != nil {
		return nil, err
	}
	for i := range campaigns {
		c := &campaigns[i]
		over := c.Phase == hongbao.PhaseClosed || c.Phase == hongbao.PhaseSettled
		if string(c.Kind) == r.Scenario && !over && (current == nil || c.OpensAt < current.OpensAt) {
			current = c
		}
	}
	return current, nil
}

const (
	openingIn = 500 * time.Millisecond // how soon a campaign of this run's own opens
	farAhead  = time.Hour              // when a bomb opens that is still waiting for its crowd
	windowPad = 5 * time.Second        // how much longer than the load it is open
)

// create makes a campaign that shows everything: wins, misses, limits, and, about halfway, sold out to the fen.
func (r *run) create(ctx context.Context) (uint32, error) {
	none := 0
	spec := hongbao.Spec{Name: "bench-" + r.players.nonce, Kind: hongbao.Kind(r.Scenario)}
	if r.Scenario == ScenarioBomb {
		spec.OpensAt, spec.Lasts = hongbao.InFuture(hongbao.Duration(farAhead)), r.window()
		spec.DailyWinsMax = &none // or a crowd could play three times a day
		spec.Budget.Count = max(1, uint64(r.Players)/2)
	} else {
		half := hongbao.ChanceCertain / 2
		spec.OpensAt, spec.Lasts, spec.Chance = hongbao.InFuture(hongbao.Duration(openingIn)), r.window(), &half
		spec.Budget.Count = r.halfwayCount()
	}
	const meanFen = 100
	spec.Budget.TotalFen = meanFen * int64(spec.Budget.Count)
	id, err := r.admin.Create(ctx, spec)
	if err == nil {
		r.made, r.campaign = true, &Campaign{ID: id}
	}
	return id, err
}

func (r *run) window() hongbao.Duration {
	return hongbao.Duration((r.Duration + windowPad).Round(time.Millisecond))
}

// halfwayCount is a budget that is sold out about halfway at a chance of a half, if the crowd is allowed that many wins.
func (r *run) halfwayCount() uint64 {
	const closedRate = 20_000 // a guess at what a closed model reaches
	rate := r.Rate
	if r.Closed > 0 {
		rate = closedRate
	}
	taps := rate * r.Duration.Seconds() * (1 - r.OpenShare - r.WalletShare)
	return max(1, min(uint64(taps)/4, 2*uint64(r.Players)))
}

// signUp signs all players up. A sign-up may be repeated, so that one without an answer is simply sent again.
func (r *run) signUp(ctx context.Context) error {
	uids := r.uids()
	const rounds = 10
	for range rounds {
		uids = r.signUpOnce(ctx, uids)
		if len(uids) == 0 || !sleep(ctx, 100*time.Millisecond) {
			break
		}
	}
	if len(uids) == r.Players {
		return errors.Join(errors.New("no player could be signed up"), ctx.Err())
	}
	return ctx.Err()
}

// signUpOnce returns the players whose sign-up was not answered.
func (r *run) signUpOnce(ctx context.Context, uids []uint64) (left []uint64) {
	var mu sync.Mutex
	each(ctx, uids, func(uid uint64) {
		if r.witness.SignUp(uid, r.campaign.ID).Outcome != Answered {
			mu.Lock()
			left = append(left, uid)
			mu.Unlock()
		}
	})
	return left
}

func (r *run) uids() []uint64 {
	uids := make([]uint64, r.Players)
	for i := range uids {
		uids[i] = r.FirstUID + uint64(i)
	}
	return uids
}

// fetchTickets lets all players do what the page does in the countdown, where the campaign wants it.
func (r *run) fetchTickets(ctx context.Context) {
	if !r.campaign.Ticket {
		return
	}
	const early = 30 * time.Second // within the countdown, and so late that tickets are still good when it opens
	sleep(ctx, time.Until(r.campaign.opening().Add(-early)))
	r.witness.Tickets = NewTickets(r.client, r.campaign.ID)
	r.note(r.witness.Tickets.FetchAll(ctx, r.uids()))
}

// arm sets the opening of a bomb once its crowd has gathered.
func (r *run) arm(ctx context.Context) error {
	now := time.Now().Add(r.campaign.offset)
	opens := hongbao.TimeOf(now.Add(openingIn))
	closes := opens.Add(r.window())
	return r.admin.Revise(ctx, r.campaign.ID, hongbao.Patch{OpensAt: &opens, ClosesAt: &closes})
}
