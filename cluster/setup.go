package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"hongbao"
	"hongbao/cluster/ledger"
)

// zoneEvent is the system event that records the zone in which days are counted.
const zoneEvent = "timezone"

// setUp makes what the first process of a cluster makes, and learns what it decided. Records of shards are made here only
// while ledger and topic hold nothing; later one that is missing waits for reconcile.
func (e *Engine) setUp(ctx context.Context) error {
	if err := e.ledger.Migrate(ctx); err != nil {
		return err
	}
	setup, found, err := e.ledger.Setup(ctx)
	if err == nil && !(found && setup.Complete) {
		setup, err = e.begin(ctx)
	}
	if err != nil {
		return err
	}
	if setup.Shards != len(e.shards) {
		return hongbao.Invalid("cluster.redis.shards", len(e.shards), fmt.Sprintf("%d, with which this cluster was begun", setup.Shards))
	}
	if zone := e.calendar.Zone(); setup.Timezone != zone {
		return hongbao.Invalid("timezone", zone, setup.Timezone+", with which this cluster was begun")
	}
	e.secret = setup.Secret
	e.incarnation = strconv.FormatUint(setup.Incarnation, 10)
	return e.everyShard(func(s *shard) error {
		e.learnEpoch(ctx, s) // one that can't be reached, or waits for adoption, is busy until then
		return nil
	})
}

// begin makes topic, setup and shard records, one process at a time. It may find them half made.
func (e *Engine) begin(ctx context.Context) (setup ledger.Setup, err error) {
	lock, err := e.ledger.LockWait(ctx, "setup")
	if err != nil {
		return setup, err
	}
	defer lock.Release()
	setup, found, err := e.ledger.Setup(ctx)
	if err != nil || found && setup.Complete {
		return setup, err
	}
	if err := e.topic.Create(ctx, len(e.shards), slices.Contains(e.options.AllowWeak, WeakKafkaReplication)); err != nil {
		return setup, err
	}
	if !found {
		setup = ledger.Setup{Shards: len(e.shards), Timezone: e.calendar.Zone(), Incarnation: 1}
		rand.Read(setup.Secret[:]) // never fails
		if err := e.checkTopicIsEmpty(ctx); err != nil {
			return setup, err
		}
		if err := e.ledger.Begin(ctx, setup); err != nil {
			return setup, err
		}
	}
	if setup.Shards != len(e.shards) {
		return setup, nil // refused by the caller
	}
	if err := e.makeRecords(ctx); err != nil {
		return setup, err
	}
	setup.Complete = true
	return setup, e.ledger.Complete(ctx)
}

// checkTopicIsEmpty refuses to begin a ledger beside a journal that somebody has written.
func (e *Engine) checkTopicIsEmpty(ctx context.Context) error {
	ends, err := e.topic.Ends(ctx)
	if err != nil {
		return err
	}
	for _, end := range ends {
		if end.Offset > 0 {
			return fmt.Errorf("the topic has records of shard %d and the ledger has nothing: this is the topic of another ledger, "+
				"or the ledger was lost; give cluster.mysql.dsn the one that belongs to it, or another cluster.kafka topic", end.Shard)
		}
	}
	return nil
}

// makeRecords makes the records of all shards, and journals the zone as the first event.
func (e *Engine) makeRecords(ctx context.Context) error {
	epoch, err := e.ledger.NextEpoch(ctx)
	if err != nil {
		return err
	}
	for _, s := range e.shards {
		args := []string{strconv.FormatUint(epoch, 10), e.redis.shards, "0", "0"}
		if err := e.insist(ctx, func() error {
			_, err := e.ask(ctx, s, scriptInit, 0, nil, args...)
			return err
		}); err != nil {
			return err
		}
	}
	if !e.learnEpoch(ctx, e.home()) {
		return errors.New("the servers of Redis have records of another cluster, or of one whose books were lost: " +
			"hongbao needs keys of its own; empty them, or give cluster.redis.addrs others")
	}
	seqs, err := e.sequences(ctx)
	if err != nil || seqs[0] > 0 {
		return err // the zone is there, from a process that ended before it had completed the setup
	}
	_, err = e.Record(ctx, hongbao.Event{At: e.options.Now(), Name: zoneEvent, Actor: "server", Data: []byte(e.calendar.Zone())}, nil)
	return err
}

// insist tries again while a store says busy, for as long as a start may take.
func (e *Engine) insist(ctx context.Context, do func() error) error {
	for began := time.Now(); ; {
		err := do()
		if !errors.Is(err, hongbao.ErrBusy) || time.Since(began) > 10*time.Second {
			return err
		}
		select {
		case <-time.After(redialEvery):
		case <-ctx.Done():
			return err
		}
	}
}

// checkClock refuses a clock that would stand still for long: engine time never goes back.
func (e *Engine) checkClock(ctx context.Context) error {
	if _, err := e.sequences(ctx); err != nil {
		e.logger.Warn("not every shard can be served yet", "error", err)
	}
	e.measureOffset(ctx)
	last, now := hongbao.Time(e.last.Load()), e.options.Now()
	if behind := last - now; behind > minute {
		return fmt.Errorf("the clock says %s, which is %s behind the last event (%s): set the clock",
			now, time.Duration(behind)*time.Millisecond, last)
	}
	return nil
}
