package cluster

import (
	"context"
	"time"

	"hongbao"
)

// Progress tells how far a campaign has come, as its shards count it.
func (e *Engine) Progress(id uint32) hongbao.Progress {
	c := e.catalog.find(id)
	if c == nil {
		return hongbao.Progress{}
	}
	if settled := c.life.done.Load(); settled != nil {
		return *settled
	}
	return e.progress(c)
}

// counted is what was counted last.
type counted struct {
	progress hongbao.Progress
	at       time.Time
}

func (e *Engine) progress(c *campaign) hongbao.Progress {
	last := c.life.counted.Load()
	if last != nil && time.Since(last.at) < e.options.ProgressAge {
		return last.progress
	}
	count := func() (hongbao.Progress, error) {
		ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
		defer cancel()
		return e.count(ctx, c)
	}
	var now hongbao.Progress
	var err error
	if e.options.ProgressAge < 0 {
		now, err = count() // one that began before would be too old
	} else {
		now, err = share(&e.flights, progressKey{c.ID}, count)
	}
	if err != nil && last != nil {
		return last.progress
	}
	if err != nil { // a shard can't be reached, and never was: the books know what they have
		ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
		defer cancel()
		now, _ = e.ledger.Progress(ctx, c.ID)
	}
	return now
}

type progressKey struct{ campaign uint32 }

// count adds up what the shards have counted.
func (e *Engine) count(ctx context.Context, c *campaign) (total hongbao.Progress, err error) {
	parts := make([]hongbao.Progress, len(e.shards))
	began := time.Now()
	err = e.everyShard(func(s *shard) error {
		stock, err := e.stock(ctx, c, s)
		if err == nil {
			parts[s.index] = stock.progress
		}
		return err
	})
	if err != nil {
		return total, err
	}
	for _, p := range parts {
		addTally(&total.Taken, p.Taken)
		addTally(&total.Opened, p.Opened)
		addTally(&total.Refunded, p.Refunded)
		total.SignedUp += p.SignedUp
	}
	c.life.counted.Store(&counted{total, began})
	if c.Seal != nil && total.Held().Count == 0 {
		c.life.done.Store(&total)
	}
	return total, nil
}

func addTally(to *hongbao.Tally, t hongbao.Tally) {
	to.Count += t.Count
	to.TotalFen += t.TotalFen
}
