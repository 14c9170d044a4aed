package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"hongbao"
	"hongbao/cluster/ledger"
	"hongbao/cluster/topic"
)

// reconciling is the run id of a shard's record while it is reconciled: no server has it.
const reconciling = "reconcile"

// Reconciled is what reconcile found and did.
type Reconciled struct {
	Shards  int   `json:"shards"`
	Kept    []int `json:"kept"`    // shards that had lost nothing
	Rebuilt []int `json:"rebuilt"` // shards that were made anew from the books
	Drained int   `json:"drained"` // events that were still in outboxes
	Players int   `json:"players"` // that were rebuilt
}

// Reconcile mends shards that have lost something: an empty server, a new one, an old file. It holds every fence, drains
// what outboxes there are, waits until the books have all that Kafka has, makes anew what scripts read of the shards that
// are behind, and lifts the fences. What never left a lost shard's outbox is lost. Numbers that may have been leased and that
// the books do not show as won are not given again, unless a shard that lost nothing still has them.
//
// It may be cut off at any moment and run again. The worker stands by meanwhile. Keeps G2 and G5.
func Reconcile(ctx context.Context, o Options) (report Reconciled, err error) {
	o.setDefaults()
	e := newEngine(o)
	defer func() { err = errors.Join(err, e.release()) }()
	if err := e.connect(ctx); err != nil {
		return report, err
	}
	setup, found, err := e.ledger.Setup(ctx)
	switch {
	case err != nil:
		return report, err
	case !found || !setup.Complete:
		return report, errors.New("there is nothing to reconcile: these books were never begun, start hongbao serve")
	case setup.Shards != len(e.shards):
		return report, hongbao.Invalid("cluster.redis.shards", len(e.shards), fmt.Sprintf("%d, with which this cluster was begun", setup.Shards))
	}
	e.secret = setup.Secret
	only, err := e.ledger.Lock(ctx, reconciling) // which workers see, and stand aside
	if err != nil {
		return report, fmt.Errorf("another reconcile is at work: %w", err)
	}
	defer only.Release()
	lock, err := e.waitForWorker(ctx)
	if err != nil {
		return report, err
	}
	defer lock.Release()
	r := &reconciler{Engine: e, report: Reconciled{Shards: len(e.shards)}, held: make([]heldShard, len(e.shards))}
	err = r.run(ctx)
	return r.report, err
}

// waitForWorker takes the worker's place once it has stood aside, which takes it as long as what it is doing.
func (e *Engine) waitForWorker(ctx context.Context) (*ledger.Lock, error) {
	const asideWithin = 30 * time.Second
	limited, cancel := context.WithTimeout(ctx, asideWithin)
	defer cancel()
	e.logger.Info("waiting for the worker to stand aside")
	lock, err := e.ledger.LockWait(limited, "worker")
	if err != nil {
		return nil, fmt.Errorf("the worker has not stood aside within %s: stop it (%w)", asideWithin, err)
	}
	return lock, nil
}

// reconciler is a reconciliation under way.
type reconciler struct {
	*Engine
	report Reconciled
	epoch  string
	held   []heldShard
	marks  []ledger.Mark

	campaigns []*campaign
	changes   string                         // number of the last change of a list of campaigns that was made anew; empty: it was not
	counts    map[countKey]*hongbao.Progress // of what is rebuilt
}

// heldShard is a shard as it was when its fence was held.
type heldShard struct {
	recorded bool // it has a record
	seq      uint64
	lost     bool
}

type countKey struct {
	shard    int
	campaign uint32
}

func (r *reconciler) run(ctx context.Context) error {
	epoch, err := r.ledger.NextEpoch(ctx)
	if err != nil {
		return err
	}
	r.epoch = strconv.FormatUint(epoch, 10)
	for _, step := range []func(context.Context) error{r.hold, r.drain, r.awaitBooks, r.readCampaigns, r.rebuild, r.lift} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// hold holds the fence of every shard, so that from here on nothing changes.
func (r *reconciler) hold(ctx context.Context) error {
	return r.everyShard(func(s *shard) error {
		return r.insist(ctx, func() error {
			reply, err := r.ask(ctx, s, scriptHold, 0, nil, r.epoch)
			if err == nil && reply[0] == "ok" {
				r.held[s.index] = heldShard{recorded: true, seq: parseUint(reply[1])}
			}
			return err
		})
	})
}

// drain relays what is in outboxes and not in Kafka, and finds out which shards are behind.
func (r *reconciler) drain(ctx context.Context) error {
	marks, err := r.ledger.Marks(ctx)
	if err != nil {
		return err
	}
	reached, err := r.reached(ctx, marks)
	if err != nil {
		return err
	}
	for _, s := range r.shards {
		held := &r.held[s.index]
		if held.lost = !held.recorded || held.seq < reached[s.index]; held.lost {
			continue
		}
		if err := r.drainShard(ctx, s, reached[s.index], held); err != nil {
			return err
		}
	}
	return nil
}

// drainShard relays a shard's outbox from behind a sequence on. One that has a hole there has lost something too.
func (r *reconciler) drainShard(ctx context.Context, s *shard, after uint64, held *heldShard) error {
	for after < held.seq {
		entries, err := r.outboxEntries(ctx, s, after)
		if err != nil {
			return err
		}
		if len(entries) == 0 || entries[0].Seq != after+1 {
			held.lost = true
			return nil
		}
		if err := r.topic.Produce(ctx, entries); err != nil {
			return err
		}
		r.report.Drained += len(entries)
		after = entries[len(entries)-1].Seq
	}
	return nil
}

func (r *reconciler) outboxEntries(ctx context.Context, s *shard, after uint64) (page []topic.Record, err error) {
	reply, err := r.xrange(ctx, s, after)
	for i := 0; i+1 < len(reply) && err == nil; i += 2 {
		var record ledger.Record
		record, err = parseOutbox(s.index, reply[i], reply[i+1])
		page = append(page, topic.Record(record))
	}
	return page, err
}

// awaitBooks applies the journal to the books up to Kafka's end.
func (r *reconciler) awaitBooks(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var writing sync.WaitGroup
	writing.Go(func() { r.writeBooks(ctx) })
	defer writing.Wait()
	defer cancel()
	for {
		marks, err := r.ledger.Marks(ctx)
		if err != nil {
			return err
		}
		reached, err := r.reached(ctx, marks)
		if err != nil {
			return err
		}
		if r.marks = marks; slices.IndexFunc(marks, func(m ledger.Mark) bool { return m.Seq < reached[m.Shard] }) < 0 {
			return nil
		}
		var halted error
		r.work.halted.Range(func(_, why any) bool { halted = why.(error); return false })
		if halted != nil {
			return halted
		}
		if !pause(ctx, 20*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// readCampaigns makes the campaigns that the books have.
func (r *reconciler) readCampaigns(ctx context.Context) error {
	err := r.catalog.refreshFromBooks(ctx)
	r.campaigns = *r.catalog.campaigns.Load()
	return err
}

// rebuild makes the lost shards anew, without their records.
func (r *reconciler) rebuild(ctx context.Context) error {
	for _, s := range r.shards {
		if !r.held[s.index].lost {
			r.report.Kept = append(r.report.Kept, s.index)
			continue
		}
		r.report.Rebuilt = append(r.report.Rebuilt, s.index)
		if err := r.empty(ctx, s); err != nil {
			return err
		}
	}
	if len(r.report.Rebuilt) == 0 {
		return nil
	}
	if err := r.rebuildPlayers(ctx); err != nil {
		return err
	}
	if err := r.rebuildCounters(ctx); err != nil {
		return err
	}
	if r.held[0].lost {
		if err := r.rebuildRecorded(ctx); err != nil {
			return err
		}
		return r.rebuildHome(ctx)
	}
	return r.matchLeases(ctx)
}

// lift makes the records of rebuilt shards and frees the others: the last thing that is done, so that a reconciliation
// that was cut off leaves every fence up.
func (r *reconciler) lift(ctx context.Context) error {
	var at hongbao.Time
	for _, mark := range r.marks {
		at = max(at, mark.At)
	}
	return r.everyShard(func(s *shard) error {
		return r.insist(ctx, func() error {
			if !r.held[s.index].lost {
				_, err := r.ask(ctx, s, scriptFree, 0, nil, r.epoch)
				return err
			}
			mark := r.marks[s.index]
			if err := r.ledger.Fence(ctx, s.index, parseUint(r.epoch)); err != nil {
				return err
			}
			_, err := r.ask(ctx, s, scriptInit, 0, nil, r.epoch, r.redis.shards, formatTime(at), formatSeq(mark.Seq))
			if err == nil && s == r.home() && r.changes != "" {
				_, err = r.command(ctx, s, "HSET", s.record, "changes", r.changes)
			}
			return err
		})
	})
}
