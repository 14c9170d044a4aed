package cluster

import (
	"context"
	"fmt"
	"time"

	"hongbao"
)

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
			if reply[1] == sealCancelled { // which gives envelopes more time: no node may say expired any more
				pause(ctx, e.options.CacheAge)
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
