package topic

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"hongbao"
)

// rawBatch is raw for many values.
func rawBatch(t testing.TB, topic *Topic, shard int, values [][]byte) {
	t.Helper()
	client, err := topic.connect(kgo.DefaultProduceTopic(topic.options.Topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	records := make([]*kgo.Record, len(values))
	for i, value := range values {
		records[i] = &kgo.Record{Partition: int32(shard), Value: value}
	}
	if err := client.ProduceSync(timed(t), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func TestProduceWhenNoBrokerIsThere(t *testing.T) {
	topic, l := made(t, 2), new(link)
	relay := opened(t, topic.options.Topic, l)
	relay.options.ProduceTimeout = 300 * time.Millisecond

	l.set(cut)
	if err := relay.Produce(timed(t), run(0, 1, 1, 10)); !errors.Is(err, hongbao.ErrBusy) || errors.Is(err, hongbao.ErrUnknown) {
		t.Fatalf("before anything was sent: %v", err)
	}
	l.set(whole)
	produce(t, relay, run(0, 1, 1, 100))
	l.set(cut)
	if err := relay.Produce(timed(t), slices.Concat(run(0, 1, 101, 200), run(1, 1, 1, 100))); !errors.Is(err, hongbao.ErrUnknown) {
		t.Fatalf("on a connection that was there: %v", err)
	}
	if err := relay.Produce(timed(t), slices.Concat(run(0, 1, 101, 200), run(1, 1, 1, 100))); !errors.Is(err, hongbao.ErrBusy) {
		t.Fatalf("again: %v", err)
	}
	l.set(whole)
	relay.options.ProduceTimeout = 5 * time.Second
	produce(t, relay, slices.Concat(run(0, 1, 101, 300), run(1, 1, 1, 100)))

	readers := make([]reader, 2)
	follow(t, consume(t, topic, 0, 0), readers, func() bool { return readers[0].applied == 300 && readers[1].applied == 100 })
	if got := relay.Stats(); got.ProduceErrors != 3 || got.Restarts != 1 {
		t.Errorf("stats: %+v", got)
	}
}

func TestProduceGoesOnWhenTheBrokerIsBackInTime(t *testing.T) {
	topic, l := made(t, 1), new(link)
	relay := opened(t, topic.options.Topic, l)
	produce(t, relay, run(0, 1, 1, 100))
	l.set(cut)
	heal := time.AfterFunc(500*time.Millisecond, func() { l.set(whole) })
	defer heal.Stop()
	produce(t, relay, run(0, 1, 101, 200))
	readers := make([]reader, 1)
	follow(t, consume(t, topic, 0), readers, func() bool { return readers[0].applied == 200 })
	if readers[0].repetitions != 0 {
		t.Errorf("%+v", readers)
	}
}

func TestAnswersThatAreLostAreUnknown(t *testing.T) {
	topic, l := made(t, 1), new(link)
	relay := opened(t, topic.options.Topic, l)
	produce(t, relay, run(0, 1, 1, 100))
	l.set(mute)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := relay.Produce(ctx, run(0, 1, 101, 200)); !errors.Is(err, hongbao.ErrUnknown) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	readers := make([]reader, 1)
	c := consume(t, topic, 0)
	follow(t, c, readers, func() bool { return readers[0].applied == 200 }) // they are there
	l.set(whole)
	produce(t, relay, run(0, 1, 101, 300))
	follow(t, c, readers, func() bool { return readers[0].applied == 300 })
	if readers[0].repetitions != 100 {
		t.Errorf("%+v", readers)
	}
}

// With more under way, the second batch could be appended where the first is refused.
func TestOneBatchOfAShardIsUnderWay(t *testing.T) {
	for _, size := range []int{0, 100, 300_000} {
		topic, l := made(t, 1), new(link)
		relay := opened(t, topic.options.Topic, l)
		produce(t, relay, []Record{{Seq: 1}})
		records := make([]Record, min(50_000, 3_000_000/(size+1)))
		for i := range records {
			records[i] = Record{Seq: uint64(i) + 2, Event: make([]byte, size)}
		}
		first := roundLen(records, make([]int, 1))
		if first == len(records) {
			t.Fatalf("%d bytes: one round takes all", size)
		}
		c := consume(t, topic, 0)
		l.set(mute)
		ctx, cancel := context.WithCancel(timed(t))
		ended := make(chan error)
		go func() { ended <- relay.Produce(ctx, records) }()
		for seen := 0; seen < 1+first; {
			deliveries, err := c.Poll(timed(t), 10_000)
			if err != nil {
				t.Fatal(size, seen, err)
			}
			seen += len(deliveries)
		}
		cancel()
		if err := <-ended; !errors.Is(err, hongbao.ErrUnknown) {
			t.Error(err)
		}
		if ends, err := topic.Ends(timed(t)); err != nil || ends[0].Offset != int64(1+first) {
			t.Errorf("%d bytes: %+v, %v; the first round ends at %d", size, ends, err, 1+first)
		}
	}
}

// A broker that hung appends, late, what the relay has given up and sent again.
func TestLateRecordsAreRepetitionsNotGaps(t *testing.T) {
	topic, l := made(t, 1), new(link)
	relay := opened(t, topic.options.Topic, l)
	produce(t, relay, run(0, 1, 1, 100))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l.holds = cancel
	l.set(held)
	if err := relay.Produce(ctx, run(0, 1, 101, 40_000)); !errors.Is(err, hongbao.ErrUnknown) || !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	produce(t, topic, run(0, 2, 101, 50_000)) // by the next relay
	readers := make([]reader, 1)
	c := consume(t, topic, 0)
	follow(t, c, readers, func() bool { return readers[0].applied == 50_000 })
	if readers[0].repetitions != 0 {
		t.Fatalf("%+v", readers)
	}
	l.set(whole)
	follow(t, c, readers, func() bool { return readers[0].repetitions > 1000 }) // the batch that was under way

	produce(t, relay, run(0, 1, 101, 50_000))
	produce(t, relay, run(0, 1, 50_001, 50_010))
	follow(t, c, readers, func() bool { return readers[0].applied == 50_010 })
}

func TestProduceRefusesWhatCanNotBe(t *testing.T) {
	topic := made(t, 2)
	largest := Record{Shard: 1, Epoch: 1 << 63, Seq: 1 << 63, Event: make([]byte, EventMax)}
	for i := range largest.Event {
		largest.Event[i] = byte(i * i >> 7) // so that compression has little of it
	}
	produce(t, topic, []Record{largest})
	for name, record := range map[string]Record{
		"shard above":     {Shard: 2, Seq: 1},
		"shard below":     {Shard: -1, Seq: 1},
		"sequence 0":      {},
		"event too large": {Seq: 1, Event: make([]byte, EventMax+1)},
	} {
		if err := topic.Produce(timed(t), []Record{{Seq: 1}, record}); !errors.Is(err, hongbao.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := topic.Produce(timed(t), nil); err != nil {
		t.Error(err)
	}
	if ends, err := topic.Ends(timed(t)); err != nil || ends[0].Offset != 0 || ends[1].Offset != 1 {
		t.Errorf("%+v, %v", ends, err)
	}
}

func TestCloseEndsAProduce(t *testing.T) {
	topic, l := made(t, 1), new(link)
	relay := opened(t, topic.options.Topic, l)
	produce(t, relay, run(0, 1, 1, 1))
	l.set(mute)
	ended := make(chan error)
	go func() { ended <- relay.Produce(context.Background(), run(0, 1, 2, 2)) }()
	readers := make([]reader, 1)
	follow(t, consume(t, topic, 0), readers, func() bool { return readers[0].applied == 2 })
	relay.Close()
	if err := <-ended; !errors.Is(err, hongbao.ErrUnknown) {
		t.Error(err)
	}
	if err := relay.Produce(t.Context(), run(0, 1, 3, 3)); !errors.Is(err, hongbao.ErrBusy) {
		t.Error(err)
	}
}

// Records of a hundred bytes over sixteen shards; records/s is what the relay and the ledger's reader have as a ceiling.
func BenchmarkTopic(b *testing.B) {
	const shards = 16
	for _, size := range []int{1_000, 10_000} {
		b.Run(map[int]string{1_000: "produce-1000", 10_000: "produce-10000"}[size], func(b *testing.B) {
			topic := made(b, shards)
			records := make([]Record, size)
			next := uint64(1)
			for b.Loop() {
				for i := range records {
					records[i] = Record{Shard: i % shards, Epoch: 1, Seq: next + uint64(i/shards), Event: records[i].Event}
					if records[i].Event == nil {
						records[i].Event = event(i, uint64(i))
					}
				}
				next += uint64(size/shards) + 1
				if err := topic.Produce(b.Context(), records); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "records/s")
		})
	}
	b.Run("consume", func(b *testing.B) {
		topic := made(b, shards)
		const each = 10_000
		for shard := range shards {
			produce(b, topic, run(shard, 1, 1, each))
		}
		from := make([]int64, shards)
		for b.Loop() {
			c := consume(b, topic, from...)
			for n := 0; n < shards*each; {
				deliveries, err := c.Poll(b.Context(), 10_000)
				if err != nil {
					b.Fatal(err)
				}
				n += len(deliveries)
			}
			c.Close()
		}
		b.ReportMetric(float64(b.N*shards*each)/b.Elapsed().Seconds(), "records/s")
	})
}
