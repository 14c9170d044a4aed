package cluster

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"hongbao"
)

// soldOrMissed tells a losing draw on a shard without supply what it must know: whether nothing is left anywhere. It only
// looks. While an envelope is on its way between bank and shards, something is left.
func (e *Engine) soldOrMissed(ctx context.Context, c *campaign) (hongbao.Status, error) {
	asked := time.Now()
	b, err := e.bank(ctx, c, 0)
	if err != nil {
		return 0, err
	}
	if b.revision != c.Revision() || b.stopping || !b.dry && (b.cursor < c.end() || b.free > 0) {
		return hongbao.Missed, nil
	}
	found, left := make([]string, 2*len(e.shards)), make([]uint64, len(e.shards))
	if !b.dry {
		err := e.everyShard(func(s *shard) error {
			stock, err := e.stock(ctx, c, s)
			if err == nil {
				found[2*s.index], found[2*s.index+1], left[s.index] = stock.received, stock.gave, stock.left
			}
			return err
		})
		if most := slices.Max(left); err != nil || most > 0 {
			c.life.leftIn.Store(int64(slices.Index(left, most)))
			return hongbao.Missed, err
		}
		if dry, err := e.establishDry(ctx, c, b, found); err != nil || !dry {
			return hongbao.Missed, err
		}
	}
	c.markSold(asked)
	return hongbao.SoldOut, nil
}

// stillSold looks again at the banks of campaigns that were found sold out, so that the answer stays at hand.
func (e *Engine) stillSold(ctx context.Context) {
	for _, c := range *e.catalog.campaigns.Load() {
		if c.Seal != nil || !c.isSold(e.options.CacheAge) {
			continue
		}
		asked := time.Now()
		if b, err := e.bank(ctx, c, 0); err == nil && b.dry && b.revision == c.Revision() {
			c.markSold(asked)
		}
	}
}

const (
	findSoldEvery  = 200 * time.Millisecond
	findSoldAtOnce = 64 // campaigns that are looked at together, in the same groups
)

// findSold looks whether campaigns have sold out, so that [Engine.Foretell] tells it here soon after: not only to who asks for
// an envelope. While one is left where the last was seen, that is all that is looked at.
func (e *Engine) findSold(ctx context.Context) error {
	now := max(e.time(0), hongbao.TimeOf(time.Now().Add(e.Offset())))
	var open []*campaign
	for _, c := range *e.catalog.campaigns.Load() {
		if c.Seal == nil && now >= c.Rules().OpensAt && !c.isSold(e.options.CacheAge) {
			open = append(open, c)
		}
	}
	var errs error
	for some := range slices.Chunk(open, findSoldAtOnce) {
		failed := make([]error, len(some))
		var all sync.WaitGroup
		for i, c := range some {
			all.Go(func() { failed[i] = e.lookAgain(ctx, c) })
		}
		all.Wait()
		errs = errors.Join(errs, errors.Join(failed...))
	}
	return errs
}

func (e *Engine) lookAgain(ctx context.Context, c *campaign) error {
	seen, err := e.stock(ctx, c, e.shards[c.life.leftIn.Load()])
	if err != nil || seen.left > 0 {
		return err
	}
	_, err = together(e, lookKey{c.ID}, func(ctx context.Context) (hongbao.Status, error) { return e.soldOrMissed(ctx, c) })
	return err
}
