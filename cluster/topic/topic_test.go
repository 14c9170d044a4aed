package topic

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"hongbao"
)

// brokers names the Kafka that tests use.
func brokers(t testing.TB) []string {
	t.Helper()
	named := os.Getenv("HONGBAO_CLUSTER__KAFKA__BROKERS")
	if named == "" {
		const missing = `needs Kafka: eval "$(scripts/services env)"`
		if os.Getenv("HONGBAO_REQUIRE_SERVICES") == "1" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	return strings.Split(named, ",")
}

// timed is a context that ends before the test binary is killed.
func timed(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// opened opens a topic through the link, or directly.
func opened(t testing.TB, name string, l *link) *Topic {
	t.Helper()
	options := Options{Brokers: brokers(t), Topic: name, ProduceTimeout: 5 * time.Second}
	if l != nil {
		options.dial = l.dial
		t.Cleanup(l.close)
	}
	topic, err := Open(timed(t), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(topic.Close)
	return topic
}

// made makes a topic of the test's own, which is deleted with it.
func made(t testing.TB, shards int) *Topic {
	t.Helper()
	topic := opened(t, "test."+rand.Text(), nil)
	if err := topic.Create(timed(t), shards, true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { deleteTopic(t, topic) })
	return topic
}

func deleteTopic(t testing.TB, topic *Topic) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := topic.admin.DeleteTopic(ctx, topic.options.Topic); err != nil {
		t.Error(err)
	}
}

// run is the records of a shard with the sequences from first to last.
func run(shard int, epoch, first, last uint64) []Record {
	var records []Record
	for seq := first; seq <= last; seq++ {
		records = append(records, Record{Shard: shard, Epoch: epoch, Seq: seq, Event: event(shard, seq)})
	}
	return records
}

// event is a hundred bytes that depend on the identity.
func event(shard int, seq uint64) []byte {
	b := make([]byte, 100)
	binary.BigEndian.PutUint32(b, uint32(shard))
	binary.BigEndian.PutUint64(b[4:], seq)
	for i := range b[12:] {
		b[12+i] = byte(uint64(i) * (seq + 7) >> 3)
	}
	return b
}

func produce(t testing.TB, topic *Topic, records []Record) {
	t.Helper()
	if err := topic.Produce(timed(t), records); err != nil {
		t.Fatal(err)
	}
}

// raw produces values that this package didn't write.
func raw(t testing.TB, topic *Topic, shard int, values ...[]byte) {
	t.Helper()
	client, err := topic.connect(kgo.DefaultProduceTopic(topic.options.Topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, value := range values {
		if err := client.ProduceSync(timed(t), &kgo.Record{Partition: int32(shard), Value: value}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// consume starts reading, each shard at its offset.
func consume(t testing.TB, topic *Topic, from ...int64) *Consumer {
	t.Helper()
	c, err := topic.Consume(timed(t), from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// reader follows a shard as the ledger does: the next sequence is applied, one below is a repetition, one above a gap.
type reader struct {
	applied     uint64
	repetitions int
	bad         int
	offset      int64
}

func (r *reader) read(t testing.TB, d Delivery) {
	t.Helper()
	if d.Offset != r.offset {
		t.Fatalf("shard %d: offset %d after %d", d.Shard, d.Offset, r.offset-1)
	}
	r.offset++
	switch {
	case d.Bad != nil:
		r.bad++
	case d.Seq <= r.applied:
		r.repetitions++
	case d.Seq > r.applied+1:
		t.Fatalf("shard %d: a gap: sequence %d at offset %d after %d", d.Shard, d.Seq, d.Offset, r.applied)
	default:
		r.applied = d.Seq
	}
	if d.Bad == nil && !slices.Equal(d.Event, event(d.Shard, d.Seq)) {
		t.Fatalf("shard %d: sequence %d has another event", d.Shard, d.Seq)
	}
}

// follow polls until done.
func follow(t testing.TB, c *Consumer, readers []reader, done func() bool) {
	t.Helper()
	for ctx := timed(t); !done(); {
		deliveries, err := c.Poll(ctx, 10_000)
		if err != nil {
			t.Fatalf("%v; read: %+v", err, readers)
		}
		for _, d := range deliveries {
			readers[d.Shard].read(t, d)
		}
	}
}

func TestShardsKeepTheirOrder(t *testing.T) {
	topic := made(t, 3)
	const calls, each = 5, 20_000
	for call := range uint64(calls) {
		var records []Record
		for i := range uint64(each) {
			for shard := range 3 {
				seq := call*each + i + 1
				records = append(records, Record{Shard: shard, Epoch: 1, Seq: seq, Event: event(shard, seq)})
			}
		}
		produce(t, topic, records) // more than one round
	}
	readers := make([]reader, 3)
	follow(t, consume(t, topic, 0, 0, 0), readers, func() bool {
		return readers[0].applied+readers[1].applied+readers[2].applied == 3*calls*each
	})
	for shard, r := range readers {
		if r.repetitions != 0 || r.bad != 0 {
			t.Errorf("shard %d: %+v", shard, r)
		}
	}
	if got := topic.Stats(); got != (Stats{Produced: 3 * calls * each}) {
		t.Errorf("stats: %+v", got)
	}
	if err := topic.ReadAll(timed(t), 1, func(d Delivery) error {
		if d.Shard != 1 || d.Seq != uint64(d.Offset)+1 {
			return fmt.Errorf("sequence %d of shard %d at offset %d", d.Seq, d.Shard, d.Offset)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

func TestTwoRelaysLeaveNoGap(t *testing.T) {
	topic := made(t, 2)
	const last = 10_000
	var relays sync.WaitGroup
	for epoch := range uint64(2) {
		relay := opened(t, topic.options.Topic, nil)
		relays.Go(func() {
			for first := uint64(1); first < last; first += 500 {
				if err := relay.Produce(t.Context(), append(run(0, epoch, first, first+499), run(1, epoch, first, first+499)...)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	readers, own := make([]reader, 2), [2][2]uint64{}
	c := consume(t, topic, 0, 0)
	for ctx := timed(t); readers[0].offset+readers[1].offset < 4*last; {
		deliveries, err := c.Poll(ctx, 1_000)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range deliveries {
			readers[d.Shard].read(t, d)
			if before := &own[d.Epoch][d.Shard]; d.Seq != *before+1 {
				t.Fatalf("relay %d shard %d: sequence %d after %d", d.Epoch, d.Shard, d.Seq, *before)
			} else {
				*before = d.Seq
			}
		}
	}
	relays.Wait()
	if readers[0].applied != last || readers[0].repetitions != last {
		t.Errorf("%+v", readers[0])
	}
}

func TestPoisonIsDeliveredAsBad(t *testing.T) {
	topic := made(t, 2)
	good := run(0, 1, 1, 3)
	produce(t, topic, good[:2])
	whole := good[1].appendTo(nil)
	raw(t, topic, 0, []byte("garbage"), nil, whole[:len(whole)-5], run(1, 1, 3, 3)[0].appendTo(nil))
	transact(t, topic, 0)
	produce(t, topic, good[2:])

	readers := make([]reader, 2)
	follow(t, consume(t, topic, 0, -1), readers, func() bool { return readers[0].offset == 9 }) // the marker may come after the last
	if want := (reader{applied: 3, bad: 6, offset: 9}); readers[0] != want {
		t.Errorf("%+v, want %+v", readers[0], want)
	}
}

// transact leaves a transaction in the shard: a record that is not ours, and a marker that no reader sees.
func transact(t testing.TB, topic *Topic, shard int) {
	t.Helper()
	client, err := topic.connect(kgo.DefaultProduceTopic(topic.options.Topic), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.TransactionalID(rand.Text()))
	if err == nil {
		defer client.Close()
		err = client.BeginTransaction()
	}
	if err == nil {
		err = client.ProduceSync(timed(t), &kgo.Record{Partition: int32(shard), Value: []byte("garbage")}).FirstErr()
	}
	if err == nil {
		err = client.EndTransaction(timed(t), kgo.TryCommit)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestConsumerGoesBackAndLeavesShardsOut(t *testing.T) {
	topic := made(t, 3)
	produce(t, topic, slices.Concat(run(0, 1, 1, 100), run(1, 1, 1, 100), run(2, 1, 1, 100)))
	c := consume(t, topic, 0, 40, -1)
	ctx := timed(t)
	read := func(limit int) (seqs [3][]uint64) {
		deliveries, err := c.Poll(ctx, limit)
		if err != nil || len(deliveries) > limit {
			t.Fatal(len(deliveries), err)
		}
		for _, d := range deliveries {
			seqs[d.Shard] = append(seqs[d.Shard], d.Seq)
		}
		return seqs
	}
	var all [3][]uint64
	add := func(limit int) {
		for shard, seqs := range read(limit) {
			all[shard] = append(all[shard], seqs...)
		}
	}
	for len(all[0])+len(all[1]) < 160 {
		add(7)
	}
	c.Seek(0, 90)
	c.Seek(2, 99)
	for len(all[0])+len(all[1])+len(all[2]) < 171 {
		add(1000)
	}
	want := [3][]uint64{append(sequences(1, 100), sequences(91, 100)...), sequences(41, 100), sequences(100, 100)}
	for shard := range want {
		if !slices.Equal(all[shard], want[shard]) {
			t.Errorf("shard %d: %v", shard, all[shard])
		}
	}

	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	if deliveries, err := c.Poll(short, 1); len(deliveries) > 0 || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("at the end: %v, %v", deliveries, err)
	}
}

func sequences(first, last uint64) (seqs []uint64) {
	for seq := first; seq <= last; seq++ {
		seqs = append(seqs, seq)
	}
	return seqs
}

func TestMissingOffsetsAreNamed(t *testing.T) {
	topic := made(t, 2)
	ctx := timed(t)
	produce(t, topic, slices.Concat(run(0, 1, 1, 100), run(1, 1, 1, 50)))
	c := consume(t, topic, 0, 0)
	if _, err := topic.admin.DeleteRecords(ctx, offsets(topic, 0, 30)); err != nil {
		t.Fatal(err)
	}

	want := func(err error, offset, first int64) {
		t.Helper()
		var out *RangeError
		if !errors.As(err, &out) || !errors.Is(err, hongbao.ErrBroken) {
			t.Fatalf("%v is not a range error", err)
		}
		out.Reason = nil
		if got := (RangeError{Topic: topic.options.Topic, Offset: offset, First: first, Next: 100}); *out != got {
			t.Errorf("%+v, want %+v", *out, got)
		}
	}
	_, err := topic.Consume(ctx, []int64{29, 0})
	want(err, 29, 30)
	_, err = topic.Consume(ctx, []int64{101, 0})
	want(err, 101, 30)
	_, err = topic.EndsFrom(ctx, []int64{0, 0}, []uint64{0, 0})
	want(err, 0, 30)
	consume(t, topic, 100, 50) // both ends
	if _, err = topic.Consume(ctx, []int64{0}); err == nil {
		t.Error("one shard of two was accepted")
	}

	// Once consuming, it stops that shard, once, and the other goes on.
	broken := func(offset int64) (seqs []uint64) {
		t.Helper()
		var failed error
		for failed == nil || len(seqs) < 50 {
			deliveries, err := c.Poll(ctx, 1000)
			if err != nil && failed != nil {
				t.Fatalf("again: %v", err)
			} else if err != nil {
				failed = err
				want(err, offset, 30)
			}
			for _, d := range deliveries {
				if d.Shard != 1 {
					t.Fatalf("shard %d at %d", d.Shard, d.Offset)
				}
				seqs = append(seqs, d.Seq)
			}
		}
		return seqs
	}
	for _, offset := range []int64{0, 500} {
		c.Seek(0, offset)
		c.Seek(1, 0)
		if got := broken(offset); !slices.Equal(got, sequences(1, 50)) {
			t.Errorf("the other shard: %v", got)
		}
	}
	c.Seek(0, 30)
	deliveries, err := c.Poll(ctx, 1)
	if err != nil || deliveries[0].Seq != 31 {
		t.Errorf("after going to what is there: %v, %v", deliveries, err)
	}
}

func offsets(topic *Topic, shard int32, at int64) kadm.Offsets {
	return kadm.Offsets{topic.options.Topic: {shard: {Topic: topic.options.Topic, Partition: shard, At: at}}}
}

func TestATopicMadeAgainIsNotTakenForTheOld(t *testing.T) {
	topic := made(t, 1)
	ctx := timed(t)
	produce(t, topic, run(0, 1, 1, 100))
	reader := []reader{{}}
	c := consume(t, topic, 0)
	follow(t, c, reader, func() bool { return reader[0].applied == 100 })

	other := opened(t, topic.options.Topic, nil)
	deleteTopic(t, other)
	for { // deleting takes its time, during which the topic may still seem to be there
		d, err := other.Describe(ctx)
		if err == nil && !d.Exists {
			break
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
	for {
		if err := other.Create(ctx, 1, true); err == nil {
			break
		} else if ctx.Err() != nil {
			t.Fatal(err)
		}
		other.id.Store(nil)
	}
	other.id.Store(nil)
	produce(t, other, run(0, 1, 1, 200)) // so that offset 100 exists again

	var out *RangeError
	if deliveries, err := c.Poll(ctx, 10); !errors.As(err, &out) {
		t.Fatalf("the consumer goes on: %v, %v", deliveries, err)
	}
	if out.Shard != 0 || out.Offset != 100 {
		t.Error(out)
	}
	if err := topic.Produce(ctx, run(0, 1, 101, 110)); err == nil {
		t.Error("the producer goes on")
	}
	if err := topic.Produce(ctx, run(0, 1, 101, 110)); !errors.Is(err, hongbao.ErrBroken) {
		t.Errorf("a new producer: %v", err)
	}
}

func TestDescriptionIsWhatCreateMade(t *testing.T) {
	topic := opened(t, "test."+rand.Text(), nil)
	ctx := timed(t)
	if d, err := topic.Describe(ctx); err != nil || d != (Description{}) {
		t.Errorf("before: %+v, %v", d, err)
	}
	list, err := topic.admin.ListBrokers(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := Description{Exists: true, Partitions: 4, Replication: min(3, len(list)), MinInSync: 1, Retention: -1, RetentionBytes: -1,
		CleanupPolicy: "delete", MessageBytesMax: 2 << 20}
	if want.Replication == 3 {
		want.MinInSync = 2
	} else if err := topic.Create(ctx, 4, false); err == nil {
		t.Error("weak replication was not refused")
	}
	if err := topic.Produce(ctx, run(0, 1, 1, 1)); !errors.Is(err, hongbao.ErrBusy) {
		t.Errorf("produce without a topic: %v", err)
	}
	for range 2 { // the second finds it
		if err := topic.Create(ctx, 4, true); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { deleteTopic(t, topic) })
	if err := topic.Create(ctx, 5, true); err == nil {
		t.Error("another number of shards was accepted")
	}
	got, err := topic.Describe(ctx)
	want.ID = got.ID
	if err != nil || got != want || got.ID == "" {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	for _, row := range []struct {
		name    string
		options Options
		want    error
	}{
		{"no broker", Options{}, hongbao.ErrInvalid},
		{"an unknown mechanism", Options{Brokers: []string{"127.0.0.1:1"}, SASL: SASL{Mechanism: "gssapi", User: "a"}}, hongbao.ErrInvalid},
		{"no user", Options{Brokers: []string{"127.0.0.1:1"}, SASL: SASL{Mechanism: "plain"}}, hongbao.ErrInvalid},
		{"nobody there", Options{Brokers: []string{"127.0.0.1:1"}, SASL: SASL{Mechanism: "scram-sha-512", User: "a"}, TLS: true}, hongbao.ErrBusy},
	} {
		if topic, err := Open(ctx, row.options); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, %v", row.name, topic, err)
		}
	}
}
