package cluster

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"hongbao"
	"hongbao/cluster/ledger"
)

// working is what this process does and counts as a worker.
type working struct {
	active  atomic.Bool // it is the one
	relayed atomic.Uint64
	applied atomic.Uint64
	poison  atomic.Uint64 // records in Kafka that are none of ours
	halted  sync.Map      // shard: why its events can't be applied

	rewind []atomic.Int64 // by shard: relay again what is after this sequence; -1: nothing asked
}

func newWorking(shards int) *working {
	w := &working{rewind: make([]atomic.Int64, shards)}
	for i := range w.rewind {
		w.rewind[i].Store(-1)
	}
	return w
}

const (
	electEvery = 500 * time.Millisecond // how often a standby tries to become the one, and the one looks whether it still is
	tendEvery  = 100 * time.Millisecond
	adoptEvery = 200 * time.Millisecond
	trimEvery  = 200 * time.Millisecond
)

// Work does the background work of the cluster until ctx ends: it relays outboxes to Kafka, applies the journal to the
// books, adopts shards, finishes what was left half done, and runs the jobs. One process does it at a time; others stand
// by. A job must return when the context that it is given ends: the process then is not the one any more, and no other can
// become it before all jobs have returned, unless MySQL has given its lock away. Two that both believe they are the one
// waste work and break nothing, and so it must be with jobs.
func (e *Engine) Work(ctx context.Context, jobs ...func(context.Context)) {
	for ctx.Err() == nil {
		if e.isReconciled(ctx) {
			pause(ctx, electEvery)
			continue
		}
		lock, err := e.ledger.Lock(ctx, "worker")
		if err == nil {
			e.logger.Info("working: relay, ledger, clock")
			e.workUnder(ctx, lock, jobs)
			lock.Release()
			e.logger.Info("not working any more")
		} else if !errors.Is(err, hongbao.ErrBusy) {
			e.logger.Error("can't become the worker; it is tried again", "error", err)
		}
		pause(ctx, electEvery)
	}
}

// isReconciled reports whether reconcile is at work, which no worker may disturb.
func (e *Engine) isReconciled(ctx context.Context) bool {
	held, err := e.ledger.Locked(ctx, reconciling)
	return err == nil && held
}

// pause waits, and reports false when ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// workUnder works until the lock is lost or ctx ends.
func (e *Engine) workUnder(ctx context.Context, lock *ledger.Lock, jobs []func(context.Context)) {
	ctx, cancel := context.WithCancel(ctx)
	e.work.active.Store(true)
	defer e.work.active.Store(false)
	var all sync.WaitGroup
	all.Go(func() { e.relay(ctx) })
	all.Go(func() { e.writeBooks(ctx) })
	all.Go(func() { e.repeat(ctx, adoptEvery, "adopting shards", e.adoptAll) })
	all.Go(func() { e.repeat(ctx, tendEvery, "finishing seals", e.finishSeals) })
	all.Go(func() { e.repeat(ctx, trimEvery, "trimming outboxes", e.trimAll) })
	all.Go(func() { e.repeat(ctx, findSoldEvery, "looking for what is sold out", e.findSold) })
	for _, job := range jobs {
		all.Go(func() { job(ctx) })
	}
	for pause(ctx, electEvery) && lock.Check(ctx) == nil && !e.isReconciled(ctx) {
	}
	cancel()
	all.Wait()
}

// repeat does something again and again; what fails is logged when it begins to, and when it is over.
func (e *Engine) repeat(ctx context.Context, every time.Duration, what string, do func(context.Context) error) {
	failing := false
	for ctx.Err() == nil {
		err := do(ctx)
		if ctx.Err() != nil {
			return
		}
		if failed := err != nil; failed != failing {
			failing = failed
			if failed {
				e.logger.Error(what+" failed; it is tried again", "error", err)
			} else {
				e.logger.Info(what + " works again")
			}
		}
		pause(ctx, every)
	}
}

// finishSeals goes on with campaigns whose sealing was left half done.
func (e *Engine) finishSeals(ctx context.Context) error {
	home := e.home()
	reply, err := e.ask(ctx, home, scriptStopping, 0, []string{home.stopping()})
	if err != nil || len(reply) == 1 {
		return err
	}
	if err := e.catalog.refresh(ctx); err != nil {
		return err
	}
	var errs error
	for _, id := range reply[1:] {
		c := e.catalog.find(uint32(parseUint(id)))
		if c == nil {
			continue
		}
		begun, _, err := e.plain(ctx, home, "HMGET", home.bank(id), "stopping", "actor", "since")
		if err == nil && begun[0] != "" {
			err = e.finishSeal(ctx, c, begun[0], begun[1], parseTime(begun[2]))
		}
		errs = errors.Join(errs, err)
	}
	return errs
}

// trimAll lets outboxes forget what the books have.
func (e *Engine) trimAll(ctx context.Context) error {
	marks, err := e.ledger.Marks(ctx)
	if err != nil {
		return err
	}
	return e.everyShard(func(s *shard) error {
		until := marks[s.index].Seq
		if e.options.TrimAtKafka {
			until = max(until, s.acked.Load())
		}
		if until == 0 || s.bytes.Load() == 0 || s.trimmed.Load() == until {
			return nil
		}
		_, err := e.ask(ctx, s, scriptTrim, 0, []string{s.outbox}, formatSeq(until))
		if err == nil {
			s.trimmed.Store(until)
		}
		return err
	})
}
