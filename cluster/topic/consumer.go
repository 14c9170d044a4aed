package topic

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"hongbao"
)

// What a consumer holds that was not polled yet is one fetch of each broker.
const (
	fetchBytes          = 16 << 20
	fetchPartitionBytes = 2 << 20
	fetchWait           = time.Second
)

// Delivery is one record of a shard's partition.
type Delivery struct {
	Record       // when Bad, only Shard is set
	Offset int64 // in the partition
	Bad    error // not nil: no record of the journal, of this shard and a version known here
}

// RangeError says that a shard's partition doesn't have the offset that a reader must go on from: the topic was made
// again, cut short, or its beginning deleted. It is a [hongbao.ErrBroken].
type RangeError struct {
	Topic       string
	Shard       int
	Offset      int64 // what was to be read next
	First, Next int64 // what the partition has: from First to before Next; both -1 where Kafka didn't say
	Reason      error // what Kafka said, if anything
}

// Error names shard and offsets.
func (e *RangeError) Error() string {
	text := fmt.Sprintf("topic %s shard %d: offset %d is not to be had: the partition has %d to %d", e.Topic, e.Shard, e.Offset, e.First, e.Next)
	if e.First < 0 {
		text = fmt.Sprintf("topic %s shard %d: offset %d is not to be had", e.Topic, e.Shard, e.Offset)
	}
	if e.Reason != nil {
		text += ": " + e.Reason.Error()
	}
	return text
}

// Unwrap makes it a [hongbao.ErrBroken].
func (e *RangeError) Unwrap() error { return hongbao.ErrBroken }

// Consumer reads shards from the offsets it was given. One goroutine at a time may use it.
type Consumer struct {
	topic   *Topic
	client  *kgo.Client // nil: the next Poll makes one
	next    []int64     // by shard: the offset to be delivered next; -1: not read
	pending []error     // to be reported by the next Poll
}

// Consume reads each shard from its offset in from, whose length is the number of shards; -1 leaves the shard out. An
// offset that the partition doesn't have, and isn't its end either, is a [RangeError]; when Kafka doesn't answer, the
// error is [hongbao.ErrBusy].
func (t *Topic) Consume(ctx context.Context, from []int64) (*Consumer, error) {
	spans, err := t.spans(ctx)
	if err != nil {
		return nil, err
	}
	if len(from) != len(spans) {
		return nil, fmt.Errorf("topic %s has %d partitions, for %d shards", t.options.Topic, len(spans), len(from))
	}
	for shard, offset := range from {
		if offset != -1 && (offset < spans[shard].first || offset > spans[shard].next) {
			return nil, &RangeError{Topic: t.options.Topic, Shard: shard, Offset: offset, First: spans[shard].first, Next: spans[shard].next}
		}
	}
	return &Consumer{topic: t, next: append([]int64(nil), from...)}, nil
}

// Poll waits until there is something and returns at most limit deliveries, those of a shard in order of offset and without
// a hole. It waits while Kafka can't be reached. When ctx is done first, it returns ctx's error. The events belong to
// the caller; they share memory with others of the same Poll.
//
// A [RangeError] stops its shard: it is returned once, the other shards go on with the next Poll, and Seek starts the
// shard again.
func (c *Consumer) Poll(ctx context.Context, limit int) ([]Delivery, error) {
	for {
		if len(c.pending) > 0 {
			err := c.pending[0]
			c.pending = c.pending[1:]
			return nil, err
		}
		if err := c.connect(); err != nil {
			return nil, err
		}
		fetches := c.client.PollRecords(ctx, max(limit, 1))
		if fetches.IsClientClosed() {
			return nil, kgo.ErrClientClosed
		}
		if deliveries := c.collect(fetches); len(deliveries) > 0 {
			return deliveries, nil
		}
		if len(c.pending) == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// Seek has the shard read from offset next, again or for the first time. Whether the partition has it shows with Poll.
func (c *Consumer) Seek(shard int, offset int64) {
	// What the client has fetched ahead, for any shard, goes with it. That costs a fetch, and seeking is rare.
	c.Close()
	c.next[shard] = offset
	// The shard's errors were about where it was.
	kept := c.pending[:0]
	for _, err := range c.pending {
		var out *RangeError
		if !errors.As(err, &out) || out.Shard != shard {
			kept = append(kept, err)
		}
	}
	c.pending = kept
}

// Close ends it. It doesn't close the topic.
func (c *Consumer) Close() {
	if c.client != nil {
		c.client.Close()
		c.client = nil
	}
}

func (c *Consumer) connect() error {
	if c.client != nil {
		return nil
	}
	offsets := make(map[int32]kgo.Offset)
	for shard, offset := range c.next {
		if offset != -1 {
			offsets[int32(shard)] = kgo.NewOffset().At(offset)
		}
	}
	var err error
	c.client, err = c.topic.connect(
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{c.topic.options.Topic: offsets}),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.KeepControlRecords(), // so that offsets have no holes: a transaction's marker is a bad record
		kgo.DisableFetchSessions(),
		kgo.FetchMaxWait(fetchWait),
		kgo.FetchMaxBytes(fetchBytes),
		kgo.FetchMaxPartitionBytes(fetchPartitionBytes),
	)
	return err
}

// collect checks that every shard goes on where it was, and keeps errors for later polls.
func (c *Consumer) collect(fetches kgo.Fetches) []Delivery {
	deliveries := make([]Delivery, 0, fetches.NumRecords())
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if p.Topic != c.topic.options.Topic || p.Partition < 0 {
			return // the poll's own: its context is done
		}
		shard := int(p.Partition)
		for _, record := range p.Records {
			if c.next[shard] == -1 {
				return
			}
			if record.Offset != c.next[shard] {
				c.stop(shard, fmt.Errorf("it goes on at %d", record.Offset))
				return
			}
			deliveries = append(deliveries, deliver(record))
			c.next[shard]++
		}
		if p.Err != nil && c.next[shard] != -1 {
			c.fail(shard, p.Err)
		}
	})
	return deliveries
}

func deliver(record *kgo.Record) Delivery {
	d := Delivery{Offset: record.Offset}
	d.Record, d.Bad = decode(int(record.Partition), record.Value)
	if record.Attrs.IsControl() {
		d.Bad = errNotOurs
	}
	d.Shard = int(record.Partition)
	return d
}

// fail sorts errors of a partition into those that mean that what must be read is gone, and others.
func (c *Consumer) fail(shard int, err error) {
	var lost *kgo.ErrDataLoss
	if errors.As(err, &lost) || errors.Is(err, kerr.OffsetOutOfRange) || errors.Is(err, kerr.UnknownTopicID) {
		c.stop(shard, err)
		return
	}
	c.pending = append(c.pending, failure(fmt.Sprintf("read topic %s shard %d at offset %d", c.topic.options.Topic, shard, c.next[shard]), err))
}

// stop has the next Poll say what the shard lacks. What it has is asked for ten seconds at most.
func (c *Consumer) stop(shard int, reason error) {
	out := &RangeError{Topic: c.topic.options.Topic, Shard: shard, Offset: c.next[shard], First: -1, Next: -1, Reason: reason}
	if spans, err := c.topic.spans(context.Background()); err == nil && shard < len(spans) {
		out.First, out.Next = spans[shard].first, spans[shard].next
	}
	c.next[shard] = -1
	c.pending = append(c.pending, out)
}

// ReadAll visits the shard's records from the first offset to what is the end when it is called, in order. It ends with
// the error of visit, if any.
func (t *Topic) ReadAll(ctx context.Context, shard int, visit func(Delivery) error) error {
	spans, err := t.spans(ctx)
	if err != nil {
		return err
	}
	if shard < 0 || shard >= len(spans) {
		return hongbao.Invalid("shard", shard, fmt.Sprintf("from 0 to %d", len(spans)-1))
	}
	wanted := make([]span, len(spans))
	wanted[shard] = spans[shard]
	return t.read(ctx, wanted, visit)
}

// span is a part of a partition: the offsets from first to before next.
type span struct{ first, next int64 }

// spans asks what each partition has.
func (t *Topic) spans(ctx context.Context) ([]span, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if _, err := t.metadata(ctx); err != nil {
		return nil, t.failure("list offsets of", err)
	}
	starts, err := t.admin.ListStartOffsets(ctx, t.options.Topic)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return nil, t.failure("list first offsets of", err)
	}
	ends, err := t.admin.ListEndOffsets(ctx, t.options.Topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, t.failure("list ends of", err)
	}
	spans := make([]span, len(ends[t.options.Topic]))
	for shard := range spans {
		first, hasFirst := starts.Lookup(t.options.Topic, int32(shard))
		next, hasNext := ends.Lookup(t.options.Topic, int32(shard))
		if !hasFirst || !hasNext {
			return nil, t.failure("list offsets of", fmt.Errorf("none for partition %d: %w", shard, kerr.LeaderNotAvailable))
		}
		spans[shard] = span{first.Offset, next.Offset}
	}
	return spans, nil
}

// read visits spans, indexed by shard, each in order; empty ones are left out.
func (t *Topic) read(ctx context.Context, spans []span, visit func(Delivery) error) error {
	c := &Consumer{topic: t, next: make([]int64, len(spans))}
	defer c.Close()
	left := 0
	for shard, s := range spans {
		c.next[shard] = -1
		if s.first < s.next {
			c.next[shard] = s.first
			left++
		}
	}
	for left > 0 {
		deliveries, err := c.Poll(ctx, 10_000)
		if err != nil {
			return err
		}
		for _, d := range deliveries {
			if d.Offset >= spans[d.Shard].next {
				continue
			}
			if err := visit(d); err != nil {
				return err
			}
			if d.Offset == spans[d.Shard].next-1 {
				left--
			}
		}
	}
	return nil
}
