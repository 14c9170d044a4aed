package cluster

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"hongbao"
)

// signupsAtOnce is how many of the players of one request are under way at a time.
const signupsAtOnce = 256

// SignUp registers players for a campaign. Of an invitation of many that fails in the middle some are registered; it may
// be repeated.
func (e *Engine) SignUp(ctx context.Context, r hongbao.SignUpRequest) (added int, err error) {
	c, err := e.find(r.Campaign)
	if err != nil {
		return 0, err
	}
	if c == nil {
		return 0, fmt.Errorf("%w: there is no campaign %d", hongbao.ErrNotFound, r.Campaign)
	}
	var count atomic.Int64
	var first error
	var once sync.Once
	var all sync.WaitGroup
	places := make(chan struct{}, signupsAtOnce)
	failed := make(chan struct{})
	for _, uid := range r.UIDs {
		select {
		case <-failed:
		case places <- struct{}{}:
			all.Go(func() {
				defer func() { <-places }()
				is, err := e.signUp(ctx, c, uid, &r)
				if err != nil {
					once.Do(func() { first = err; close(failed) })
				} else if is {
					count.Add(1)
				}
			})
			continue
		}
		break
	}
	all.Wait()
	return int(count.Load()), first
}

// signUp registers one player.
func (e *Engine) signUp(ctx context.Context, c *campaign, player uint64, r *hongbao.SignUpRequest) (added bool, err error) {
	s, uid := e.of(player), strconv.FormatUint(player, 10)
	for range 3 {
		reply, err := e.ask(ctx, s, scriptSignUp, e.time(r.Now), []string{s.outbox, s.campaign(c.texts.id), s.player(uid)},
			e.limit, c.texts.id, uid, c.texts.revision, c.texts.closesAt, r.Actor)
		if err != nil {
			return false, err
		}
		switch reply[0] {
		case "added":
			e.seen(e.time(r.Now))
			return true, nil
		case "known":
			return false, nil
		case "over":
			return false, fmt.Errorf("%w: campaign %d takes no more sign-ups", hongbao.ErrCampaignOver, c.ID)
		}
		if err := e.catalog.refresh(ctx); err != nil { // stale
			return false, err
		}
		c = e.catalog.find(c.ID)
	}
	return false, fmt.Errorf("%w: campaign %d keeps changing", hongbao.ErrBusy, c.ID)
}
