package cluster

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/go-sql-driver/mysql"

	"hongbao"
	"hongbao/cluster/ledger"
	"hongbao/cluster/topic"
)

// Books are the ledger frozen at one moment, for audits and exports, and the other stores to hold it against. They change
// nothing. They must be closed, and are not to be used from two goroutines at once.
//
// Only the ledger is needed to read them: Redis and Kafka are asked when something is to be known of them.
type Books struct {
	engine   *Engine // of a process that plays, or one that only connects
	own      bool    // the engine is the books' own
	snapshot *ledger.Snapshot
}

// OpenBooks opens the books of a cluster for reading, beside any number of processes that play.
func OpenBooks(ctx context.Context, o Options) (*Books, error) {
	o.setDefaults()
	e := newEngine(o)
	b := &Books{engine: e, own: true}
	if err := b.open(ctx); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// Books freezes the books as they are now.
func (e *Engine) Books(ctx context.Context) (*Books, error) {
	b := &Books{engine: e}
	return b, b.freeze(ctx)
}

func (b *Books) open(ctx context.Context) (err error) {
	e := b.engine
	if e.ledger, err = ledger.Open(ctx, e.options.MySQL); err != nil {
		return named("cluster.mysql.dsn", err)
	}
	setup, found, err := e.ledger.Setup(ctx)
	const noTable = 1146
	var answer *mysql.MySQLError
	switch {
	case err == nil && !found, errors.As(err, &answer) && answer.Number == noTable:
		return hongbao.Invalid("cluster.mysql.dsn", "(a database without books)", "the database of a cluster that was begun, by hongbao serve or worker")
	case err != nil:
		return named("cluster.mysql.dsn", err)
	case setup.Shards != len(e.shards):
		return hongbao.Invalid("cluster.redis.shards", len(e.shards), fmt.Sprintf("%d, with which this cluster was begun", setup.Shards))
	}
	e.secret = setup.Secret
	return b.freeze(ctx)
}

// freeze lets the snapshot go, if there is one, and takes another.
func (b *Books) freeze(ctx context.Context) (err error) {
	if b.snapshot != nil {
		_ = b.snapshot.Close() // its connection is given up whatever happens
	}
	b.snapshot, err = b.engine.ledger.Snapshot(ctx)
	return err
}

// Close lets the snapshot go, and the stores if the books opened them.
func (b *Books) Close() error {
	if b.snapshot != nil {
		_ = b.snapshot.Close()
	}
	if !b.own {
		return nil
	}
	return b.engine.release()
}

// Secret is what seeds and receipts derive from.
func (b *Books) Secret() hongbao.Secret { return b.engine.secret }

// Position is that of the last event in the books; empty when they hold none.
func (b *Books) Position() hongbao.Position {
	seqs := make([]uint64, len(b.snapshot.Marks()))
	any := false
	for i, mark := range b.snapshot.Marks() {
		seqs[i], any = mark.Seq, any || mark.Seq > 0
	}
	if !any {
		return ""
	}
	return positionText(seqs)
}

// Head is the head of the journal as it was frozen.
func (b *Books) Head() string { return headText(b.snapshot.Marks()) }

// CheckHead returns nil when a head that was known before is part of the journal.
func (b *Books) CheckHead(ctx context.Context, head string) error {
	return b.engine.history().CheckHead(ctx, head)
}

// Journal walks the events after a position to the end that was frozen, and verifies them.
func (b *Books) Journal(ctx context.Context, after hongbao.Position) iter.Seq2[hongbao.Entry, error] {
	return b.engine.history().entries(ctx, b.snapshot, after)
}

// Wallets visits every player by uid, with all envelopes by id. The wallet is valid during the visit.
func (b *Books) Wallets(ctx context.Context, visit func(uid uint64, w *hongbao.Wallet) error) error {
	return b.snapshot.Wallets(ctx, visit)
}

// Wait waits until everything that is final now has reached the books, and freezes them then. The error says which shard
// has not when ctx ends.
func (b *Books) Wait(ctx context.Context) error {
	if err := b.reachRedis(ctx); err != nil {
		return err
	}
	wanted := make([]uint64, len(b.engine.shards))
	err := b.engine.everyShard(func(s *shard) (err error) {
		wanted[s.index], err = b.sequence(ctx, s)
		return err
	})
	if err != nil {
		return err
	}
	last := -1 // shard that was behind when they were looked at last
	for {
		behind, err := b.engine.behind(ctx, wanted)
		switch ended := ctx.Err() != nil; {
		case err != nil && !(ended && last >= 0):
			return err
		case err == nil && behind < 0:
			return b.freeze(ctx)
		case err == nil:
			last = behind
		}
		if !pause(ctx, 20*time.Millisecond) {
			return fmt.Errorf("%w: the books have not reached event %d of shard %d: is a worker running?", hongbao.ErrBusy, wanted[last], last)
		}
	}
}

// sequence is that of a shard's last event, which is final. While the shard can't be read it is asked again, until ctx ends.
func (b *Books) sequence(ctx context.Context, s *shard) (uint64, error) {
	for {
		reply, err := b.engine.ask(ctx, s, scriptOutbox, 0, []string{s.outbox}, "0", "0")
		if err == nil {
			return parseUint(reply[1]), nil
		}
		if !pause(ctx, redialEvery) {
			return 0, fmt.Errorf("shard %d can't be read: %w", s.index, err)
		}
	}
}

// reachRedis connects to Redis, where the engine has not.
func (b *Books) reachRedis(ctx context.Context) error {
	if !b.own || len(*b.engine.redis.lanes.Load()) > 0 {
		return nil
	}
	if err := b.engine.redis.start(ctx); err != nil {
		return named("cluster.redis.addrs", err)
	}
	return nil
}

// reachKafka connects to Kafka, where the engine has not.
func (b *Books) reachKafka(ctx context.Context) (err error) {
	if b.engine.topic != nil {
		return nil
	}
	if b.engine.topic, err = topic.Open(ctx, b.engine.options.Kafka); err != nil {
		return named("cluster.kafka.brokers", err)
	}
	return nil
}

// named says which setting an error is about, where it does not itself.
func named(setting string, err error) error {
	var field *hongbao.FieldError
	if errors.As(err, &field) {
		return err
	}
	return fmt.Errorf("%s: %w", setting, err)
}
