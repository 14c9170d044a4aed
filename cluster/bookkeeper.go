package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hongbao"
	"hongbao/cluster/ledger"
	"hongbao/cluster/topic"
)

const bookBatch = 8000 // events in one transaction

// writeBooks applies the journal in Kafka to the ledger, from where the ledger says that it is.
func (e *Engine) writeBooks(ctx context.Context) {
	e.repeat(ctx, redialEvery, "writing the books", func(ctx context.Context) error {
		marks, err := e.ledger.Marks(ctx)
		if err != nil {
			return err
		}
		offsets := make([]int64, len(marks))
		for i, mark := range marks {
			offsets[i] = mark.Offset
		}
		consumer, err := e.topic.Consume(ctx, offsets)
		if err != nil {
			return err
		}
		defer consumer.Close()
		b := &bookkeeper{engine: e, waiting: make([][]ledger.Delivery, len(e.shards))}
		for ctx.Err() == nil {
			if err := b.round(ctx, consumer); err != nil {
				return err
			}
		}
		return nil
	})
}

// bookkeeper holds what was read from Kafka and is not in the books.
type bookkeeper struct {
	engine  *Engine
	waiting [][]ledger.Delivery // by shard
}

// round reads and applies one batch. After an error the books say where to go on.
func (b *bookkeeper) round(ctx context.Context, consumer *topic.Consumer) error {
	poll, cancel := ctx, context.CancelFunc(func() {})
	if b.waits() {
		poll, cancel = context.WithTimeout(ctx, 5*time.Millisecond)
	}
	deliveries, err := consumer.Poll(poll, bookBatch)
	cancel()
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	for _, d := range deliveries {
		b.take(d)
	}
	var batch []ledger.Delivery
	for _, list := range b.waiting {
		batch = append(batch, list...)
	}
	if len(batch) == 0 {
		return nil
	}
	outcome, err := b.engine.ledger.Apply(ctx, batch)
	var diverged *ledger.DivergedError
	if errors.As(err, &diverged) {
		b.halt(diverged.Shard, err)
		return nil
	}
	if err := b.gaps(err); err != nil {
		return err
	}
	b.engine.work.applied.Add(uint64(outcome.Applied))
	if outcome.Superseded > 0 {
		b.engine.logger.Warn("events came of a shard's past that was given up by reconcile; they are passed over", "events", outcome.Superseded)
	}
	b.consumed(outcome)
	return nil
}

func (b *bookkeeper) waits() bool {
	for _, list := range b.waiting {
		if len(list) > 0 {
			return true
		}
	}
	return false
}

// take adds a delivery. What is none of ours is passed over: if it stood in the place of an event, there is a gap, and the
// relay sends that again.
func (b *bookkeeper) take(d topic.Delivery) {
	if d.Bad != nil {
		b.engine.work.poison.Add(1)
		b.engine.logger.Error("a record in Kafka is none of the journal's; it is passed over", "shard", d.Shard, "offset", d.Offset, "error", d.Bad)
		return
	}
	if _, halted := b.engine.work.halted.Load(d.Shard); halted {
		return
	}
	b.waiting[d.Shard] = append(b.waiting[d.Shard], ledger.Delivery{Record: ledger.Record(d.Record), Offset: d.Offset})
}

// consumed drops what is in the books.
func (b *bookkeeper) consumed(outcome ledger.Outcome) {
	for shard, next := range outcome.Next {
		list := b.waiting[shard]
		for len(list) > 0 && list[0].Offset < next {
			list = list[1:]
		}
		b.waiting[shard] = list
	}
}

// gaps has the relay send again what is missing, from the outbox, which keeps what the books do not have. It returns any
// other error.
func (b *bookkeeper) gaps(err error) error {
	if err == nil {
		return nil
	}
	list := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		list = joined.Unwrap()
	}
	for _, one := range list {
		var gap *ledger.GapError
		if !errors.As(one, &gap) {
			return err
		}
		b.engine.logger.Warn("events are missing in Kafka; they are relayed again", "shard", gap.Shard, "want", gap.Want, "got", gap.Got)
		b.waiting[gap.Shard] = nil
		b.engine.work.rewind[gap.Shard].Store(int64(gap.Want - 1))
	}
	return nil
}

// halt stops applying a shard's events: its journal contradicts itself, and somebody must look.
func (b *bookkeeper) halt(shard int, err error) {
	b.waiting[shard] = nil
	if _, already := b.engine.work.halted.LoadOrStore(shard, err); !already {
		b.engine.logger.Error("the books of a shard are halted", "shard", shard, "error", err)
		b.engine.options.Broken(fmt.Errorf("%w: the books of shard %d are halted: %w", hongbao.ErrBroken, shard, err))
	}
}
