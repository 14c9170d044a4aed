package topic

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"hongbao"
)

// A round is what is handed to the client at once: at most one batch of a shard.
const (
	roundRecords = 65_536
	roundBytes   = 32 << 20
	batchBytes   = 1_000_000 // below the default of max.message.bytes
	batchHeader  = 512       // more than a batch has beside its records
)

// producer is the client that records go through, made when needed and given up after its first error.
//
// What keeps the order of a shard is that one batch of it is under way at a time. The client would send up to five, and
// Kafka accepts any first sequence from a producer that it doesn't know or has forgotten, so that the second could be
// appended where the first is refused. Therefore a round has one batch of a shard, nothing is sent before every record
// of it is in the batch (ManualFlushing), and the next round begins when all of it is acknowledged. Idempotence drops
// what the client itself repeats. What a client that was given up may still have on the wire is then exactly the shard's
// first unacknowledged records. When a broker that hung wakes up and appends them late, that is a repetition of what the
// caller sends again, never a gap.
type producer struct {
	turn   chan struct{} // held by the Produce that is under way
	closed chan struct{}
	once   sync.Once

	// Of who has the turn.
	client *kgo.Client // nil: none yet
	placed *placed     // the client's hook
	sizes  []int       // by shard, as of when the client was made: scratch for roundLen
}

// Produce appends the records, those of a shard in the order given, and returns nil when all of them are acknowledged by
// every in-sync replica. Calls take turns: many shards in one call are faster than a call for each.
//
// Errors: [hongbao.ErrInvalid] for a record that can't be, [hongbao.ErrBusy] when nothing was sent, [hongbao.ErrUnknown]
// when any of them may be there, now or later, [hongbao.ErrBroken] when the topic was deleted and made again (nothing was
// sent). After an error the caller sends all of them again, or goes on from the first of each shard that it does not know
// to be there, before any later ones: a gap is never repaired here. The events may be reused after it returns. A call may
// be of any length; it is sent in rounds of at most 65,536 records and, of a shard, a megabyte.
//
// Keeps G4: nil is never said of a record that the loss of one broker could lose (given min.insync.replicas).
func (t *Topic) Produce(ctx context.Context, records []Record) error {
	if len(records) == 0 {
		return nil
	}
	err := t.produce(ctx, records)
	if err != nil {
		t.stats.produceErrors.Add(1)
	}
	return err
}

func (t *Topic) produce(ctx context.Context, records []Record) error {
	p := &t.producer
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-p.closed:
		return t.producing(hongbao.ErrBusy, kgo.ErrClientClosed)
	case <-ctx.Done():
		return t.producing(hongbao.ErrBusy, ctx.Err())
	}
	if err := t.startProducer(ctx); err != nil {
		return err
	}
	for i := range records {
		if err := records[i].valid(len(p.sizes)); err != nil {
			return fmt.Errorf("produce: %w", err)
		}
	}
	sent := false
	for len(records) > 0 {
		n := roundLen(records, p.sizes)
		flushed, err := t.produceRound(ctx, records[:n])
		sent = sent || flushed
		if err != nil {
			p.stop()
			t.stats.restarts.Add(1)
			if sent {
				return t.producing(hongbao.ErrUnknown, err)
			}
			return t.producing(hongbao.ErrBusy, err)
		}
		t.stats.produced.Add(uint64(n))
		records = records[n:]
	}
	return nil
}

// startProducer makes a client if there is none, after learning from a broker that the topic is there.
func (t *Topic) startProducer(ctx context.Context) error {
	p := &t.producer
	select {
	case <-p.closed:
		return t.producing(hongbao.ErrBusy, kgo.ErrClientClosed)
	default:
	}
	if p.client != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, t.options.ProduceTimeout)
	defer cancel()
	detail, err := t.metadata(ctx)
	if err == nil {
		err = leaderless(detail)
	}
	if errors.Is(err, hongbao.ErrBroken) {
		return t.producing(hongbao.ErrBroken, err)
	}
	if err != nil {
		return t.producing(hongbao.ErrBusy, err)
	}
	p.placed = new(placed)
	p.client, err = t.connect(
		kgo.DefaultProduceTopic(t.options.Topic),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProduceRequestTimeout(requestTimeout),
		kgo.ManualFlushing(),
		kgo.MaxBufferedRecords(roundRecords),
		kgo.ProducerBatchMaxBytes(batchBytes),
		kgo.UnknownTopicRetries(-1), // nothing may fail before it is sent while others follow it
		kgo.WithHooks(p.placed),
	)
	p.sizes = make([]int, len(detail.Partitions))
	return err
}

func (p *producer) stop() {
	if p.client != nil {
		p.client.Close()
		p.client = nil
	}
}

// close ends the Produce that is under way and refuses later ones.
func (p *producer) close() {
	p.once.Do(func() { close(p.closed) })
	p.turn <- struct{}{}
	p.stop()
	<-p.turn
}

// roundLen is how many of the records the next round takes; sizes is scratch.
func roundLen(records []Record, sizes []int) int {
	clear(sizes)
	total := 0
	for i, record := range records {
		size := len(record.Event) + overheadMax
		total += size
		sizes[record.Shard] += size
		if i == roundRecords || i > 0 && (total > roundBytes || sizes[record.Shard] > batchBytes-batchHeader) {
			return i
		}
	}
	return len(records)
}

// round counts what becomes of its records.
type round struct {
	unplaced, unfinished     atomic.Int64
	placed, finished, failed chan struct{} // closed when all are placed, all are finished, the first has failed
	once                     sync.Once
	first                    error // the first error, once failed is closed
}

func newRound(records int) *round {
	r := &round{placed: make(chan struct{}), finished: make(chan struct{}), failed: make(chan struct{})}
	r.unplaced.Store(int64(records))
	r.unfinished.Store(int64(records))
	return r
}

func (r *round) finish(_ *kgo.Record, err error) {
	if err != nil {
		r.once.Do(func() {
			r.first = err
			close(r.failed)
		})
	}
	if r.unfinished.Add(-1) == 0 {
		close(r.finished)
	}
}

func (r *round) err() error {
	select {
	case <-r.failed:
		return r.first
	default:
		return nil
	}
}

// placed is told by its client of each record that has reached its partition's queue.
type placed struct{ round atomic.Pointer[round] }

// OnProduceRecordPartitioned implements [kgo.HookProduceRecordPartitioned].
func (p *placed) OnProduceRecordPartitioned(*kgo.Record, int32) {
	r := p.round.Load()
	if r.unplaced.Add(-1) == 0 {
		close(r.placed)
	}
}

// produceRound says, beside the error, whether anything may have been sent.
func (t *Topic) produceRound(ctx context.Context, records []Record) (sent bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, t.options.ProduceTimeout,
		fmt.Errorf("not acknowledged within %v: %w", t.options.ProduceTimeout, context.DeadlineExceeded))
	defer cancel()
	p := &t.producer
	r := newRound(len(records))
	p.placed.round.Store(r)
	for _, record := range kgoRecords(records) {
		p.client.Produce(context.Background(), record, r.finish)
	}
	select {
	case <-r.placed:
	case <-r.failed:
	case <-ctx.Done():
		return false, context.Cause(ctx)
	case <-p.closed:
		return false, kgo.ErrClientClosed
	}
	if err := r.err(); err != nil {
		return false, err
	}
	flushed := make(chan error, 1)
	go func() { flushed <- p.client.Flush(ctx) }()
	select {
	case err = <-flushed:
	case <-p.closed:
		cancel()
		<-flushed
		err = kgo.ErrClientClosed
	}
	if failed := r.err(); failed != nil {
		return true, failed
	}
	if err != nil {
		return true, context.Cause(ctx)
	}
	<-r.finished
	return true, r.err()
}

// kgoRecords writes all values into one buffer.
func kgoRecords(records []Record) []*kgo.Record {
	size := 0
	for i := range records {
		size += len(records[i].Event) + overheadMax
	}
	buffer := make([]byte, 0, size)
	values := make([]kgo.Record, len(records))
	pointers := make([]*kgo.Record, len(records))
	now := time.Now()
	for i, record := range records {
		start := len(buffer)
		buffer = record.appendTo(buffer)
		values[i] = kgo.Record{Partition: int32(record.Shard), Value: buffer[start:len(buffer):len(buffer)], Timestamp: now}
		pointers[i] = &values[i]
	}
	return pointers
}

func (t *Topic) producing(kind, err error) error {
	if errors.Is(err, kind) {
		return fmt.Errorf("produce to topic %s: %w", t.options.Topic, err)
	}
	return fmt.Errorf("produce to topic %s: %w: %w", t.options.Topic, kind, err)
}
