package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hongbao"
	"hongbao/cluster/ledger"
)

// state is what was observed last of the stores.
type state struct {
	lag      uint64        // events that are in an outbox and not in the books
	behind   time.Duration // how old the oldest of them may be
	head     string
	degraded error
	err      error
	marks    []ledger.Mark
	events   uint64

	conflicts uint64 // events that contradict the books
	reach     reach
}

// reach is what the books are to reach: sequences, and when they were seen.
type reach struct {
	seqs []uint64
	seen time.Time
}

const observeEvery = 250 * time.Millisecond

// observe looks at the stores now and then, for health and metrics.
func (e *Engine) observe() {
	ticker := time.NewTicker(observeEvery)
	defer ticker.Stop()
	for {
		e.look()
		select {
		case <-ticker.C:
		case <-e.stop:
			return
		}
	}
}

const watchEvery = 2 * time.Second

// watchKafka looks whether Kafka answers: a process that does not work would not notice.
func (e *Engine) watchKafka() {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-e.stop:
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
		if _, err := e.topic.Describe(ctx); err != nil {
			e.kafka.Store(&err)
		} else {
			e.kafka.Store(nil)
		}
		cancel()
	}
}

// look observes every store once, but for Kafka. A store that hangs takes nothing from the time of another.
func (e *Engine) look() {
	before := e.state.Load()
	next := state{head: before.head, marks: before.marks, conflicts: before.conflicts, reach: before.reach}
	ofRedis, cancel := context.WithTimeout(context.Background(), groupTimeout)
	seqs, redisErr := e.sequences(ofRedis)
	e.measureOffset(ofRedis)
	cancel()
	booksErr := e.lookAtBooks(&next)
	for i, mark := range next.marks {
		next.lag += seqs[i] - min(seqs[i], mark.Seq)
		next.events += seqs[i]
	}
	next.measureLag(seqs)
	next.degraded = errors.Join(e.describe(redisErr), booksErr)
	if kafkaErr := e.kafka.Load(); kafkaErr != nil {
		next.degraded = errors.Join(next.degraded, *kafkaErr)
	}
	if all := len(e.shards); e.unreachable() == all {
		next.err = fmt.Errorf("%w: none of the %d shards can be reached", hongbao.ErrBusy, all)
	}
	e.state.Store(&next)
}

func (e *Engine) lookAtBooks(next *state) error {
	ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
	defer cancel()
	marks, err := e.ledger.Marks(ctx)
	if err != nil {
		return err
	}
	next.marks, next.head = marks, headText(marks)
	next.conflicts, err = e.ledger.Conflicts(ctx)
	return err
}

// measureLag says for how long the books have not reached what was seen; once they have, there is something new to reach.
func (s *state) measureLag(seqs []uint64) {
	reached := s.reach.seqs != nil
	for i, mark := range s.marks {
		reached = reached && mark.Seq >= s.reach.seqs[i]
	}
	if reached || s.reach.seqs == nil {
		s.reach = reach{seqs, time.Now()}
		return
	}
	s.behind = time.Since(s.reach.seen)
}

// describe sums up what is wrong with shards, which is mostly the same with many.
func (e *Engine) describe(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) == 1 {
		return err
	}
	list := joined.Unwrap()
	return fmt.Errorf("%d of %d shards can't be served, of which one: %w", len(list), len(e.shards), list[0])
}

// sequences are the last sequences of the shards, and what is wrong with those that can't tell.
func (e *Engine) sequences(ctx context.Context) ([]uint64, error) {
	seqs := make([]uint64, len(e.shards))
	err := e.everyShard(func(s *shard) error {
		reply, err := e.ask(ctx, s, scriptOutbox, 0, []string{s.outbox}, "0", "0")
		s.answers.Store(err == nil)
		if err != nil {
			seqs[s.index] = s.seq.Load()
			return err
		}
		seqs[s.index] = parseUint(reply[1])
		s.seq.Store(seqs[s.index])
		s.bytes.Store(int64(parseUint(reply[3])))
		e.seen(parseTime(reply[2]))
		return nil
	})
	return seqs, err
}

func (e *Engine) unreachable() (count int) {
	for _, s := range e.shards {
		if !e.usable(s) {
			count++
		}
	}
	return count
}

// measureOffset compares clocks with the server of the first shard: half way between asking and being told.
func (e *Engine) measureOffset(ctx context.Context) {
	asked := time.Now()
	reply, _, err := e.plain(ctx, e.home(), "TIME")
	told := time.Now()
	if err != nil || len(reply) != 2 {
		return
	}
	theirs := time.Unix(int64(parseUint(reply[0])), int64(parseUint(reply[1]))*1000)
	e.offset.Store(int64(theirs.Sub(asked.Add(told.Sub(asked) / 2))))
}

// Health tells how the engine fared when it was looked at last.
func (e *Engine) Health() hongbao.Health {
	state := e.state.Load()
	health := hongbao.Health{
		Err: state.err, Degraded: state.degraded, Head: state.head, Lag: state.lag, Events: state.events, Now: hongbao.Time(e.last.Load()),
	}
	for _, l := range e.redis.all() {
		health.Groups += l.groups.Load()
		health.SyncedNS += l.waitedNS.Load()
	}
	return health
}

// Sync waits until everything that was final when it was called has reached the books.
func (e *Engine) Sync(ctx context.Context) error {
	seqs, err := e.sequences(ctx)
	if err != nil {
		return err
	}
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		behind, err := e.behind(ctx, seqs)
		if err != nil {
			return err
		}
		if behind < 0 {
			e.look()
			return nil
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return fmt.Errorf("%w: the books have not reached event %d of shard %d: %w", hongbao.ErrBusy, seqs[behind], behind, ctx.Err())
		}
	}
}

// behind is a shard of which the books don't have that sequence, or -1.
func (e *Engine) behind(ctx context.Context, seqs []uint64) (int, error) {
	marks, err := e.ledger.Marks(ctx)
	if err != nil {
		return 0, err
	}
	for _, mark := range marks {
		if mark.Seq < seqs[mark.Shard] {
			return mark.Shard, nil
		}
	}
	return -1, nil
}
