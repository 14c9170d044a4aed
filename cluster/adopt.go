package cluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"hongbao"
)

// adoptAll lifts the fence of shards whose server is another process than their record says: a server that was restarted,
// or a replica that was promoted.
func (e *Engine) adoptAll(ctx context.Context) error {
	return e.everyShard(func(s *shard) error {
		record, run, err := e.plain(ctx, s, "HMGET", s.record, "run", "epoch", "shards", "seq")
		if errors.Is(err, hongbao.ErrBusy) {
			return nil // it can't be reached, or lacks its replicas: there is nothing to adopt yet
		}
		if err != nil {
			return err
		}
		if record[0] == run && record[2] == e.redis.shards {
			s.epoch.Store(&record[1])
			s.fenced.Store(false)
			return nil
		}
		s.fenced.Store(true)
		return e.adopt(ctx, s, record)
	})
}

// adopt checks that the shard is not behind what Kafka and the books hold of it, and raises its epoch. A shard that is
// behind, or has no record, has lost something: only reconcile may mend it.
//
// Keeps G2: an old file that was restored does not give its numbers again.
func (e *Engine) adopt(ctx context.Context, s *shard, record []string) error {
	if record[0] == "" || record[2] != e.redis.shards {
		return fmt.Errorf("shard %d has no record of this cluster: its server lost it; run hongbao reconcile", s.index)
	}
	if record[0] == reconciling {
		return fmt.Errorf("shard %d is being reconciled, or reconcile was cut off: run hongbao reconcile to its end", s.index)
	}
	marks, err := e.ledger.Marks(ctx)
	if err != nil {
		return err
	}
	reached, err := e.reached(ctx, marks)
	if err != nil {
		return err
	}
	if seq := parseUint(record[3]); seq < reached[s.index] {
		return fmt.Errorf("shard %d is at event %d, and the journal has %d: an old file was restored, or replicas were lost; run hongbao reconcile",
			s.index, seq, reached[s.index])
	}
	next, err := e.ledger.NextEpoch(ctx)
	if err != nil {
		return err
	}
	reply, err := e.ask(ctx, s, scriptAdopt, 0, nil, record[1], record[3], strconv.FormatUint(next, 10))
	if errors.Is(err, hongbao.ErrBusy) {
		return nil // its replicas have not joined yet
	}
	if err != nil || reply[0] != "ok" {
		return err
	}
	e.learnEpoch(ctx, s)
	e.logger.Warn("adopted a shard", "shard", s.index, "epoch", next, "seq", record[3])
	return nil
}
