package systemtest

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"hongbao"
)

const journalTopic = "hongbao.journal"

// kafkaClient reads and writes the topic as somebody does who knows nothing of hongbao.
func (s *stores) kafkaClient(t *testing.T, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(s.address("kafka")), kgo.DefaultProduceTopic(journalTopic),
		kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// journalOf reads the values of a shard's partition, up to its end now.
func (s *stores) journalOf(t *testing.T, shard int) (values [][]byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	client := s.kafkaClient(t, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{journalTopic: {int32(shard): kgo.NewOffset().AtStart()}}))
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, journalTopic)
	if err != nil {
		t.Fatal(err)
	}
	end, _ := ends.Lookup(journalTopic, int32(shard))
	for next := int64(0); next < end.Offset; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(record *kgo.Record) {
			values = append(values, record.Value)
			next = record.Offset + 1
		})
	}
	return values
}

// produce writes values to a shard's partition and returns their offsets.
func produce(t *testing.T, client *kgo.Client, shard int, values ...[]byte) (offsets []int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, value := range values {
		record, err := client.ProduceSync(ctx, &kgo.Record{Partition: int32(shard), Value: value}).First()
		if err != nil {
			t.Fatal(err)
		}
		offsets = append(offsets, record.Offset)
	}
	return offsets
}

// disorderKafka repeats earlier records, in any order, while the worker relays; and then, while there is no worker, puts
// later ones where earlier ones are to come.
func disorderKafka(t *testing.T, r *rush, random *rand.Rand) {
	s := r.fleet.stores
	client := s.kafkaClient(t)
	journals := make([][][]byte, s.shards)
	for shard := range journals {
		journals[shard] = s.journalOf(t, shard)
	}
	for until := time.Now().Add(2 * around()); time.Now().Before(until); {
		shard := random.IntN(s.shards)
		all := journals[shard]
		var values [][]byte
		for range 10 {
			values = append(values, all[random.IntN(len(all))], all[len(all)-1-random.IntN(min(len(all), 50))])
		}
		produce(t, client, shard, values...)
	}
	repeated := s.repeated(t)
	if repeated == 0 {
		t.Error("no record of Kafka is a repetition")
	}

	kill9(r.fleet.worker(0))
	time.Sleep(around()) // outboxes fill
	for shard := range s.shards {
		later := s.laterRecords(t, shard)
		if len(later) < 5 {
			t.Fatalf("the outbox of shard %d has only %d wins that Kafka does not have", shard, len(later))
		}
		random.Shuffle(len(later), func(i, j int) { later[i], later[j] = later[j], later[i] })
		produce(t, client, shard, later[:5]...)
	}
	r.fleet.startWorker(0)
	r.play(around())
	if log := r.fleet.worker(0).log.String(); !strings.Contains(log, "events are missing in Kafka") {
		t.Error("the worker did not notice that events came too early")
	}
}

// repeated counts the records of Kafka that it has had before.
func (s *stores) repeated(t *testing.T) (count int) {
	t.Helper()
	for shard := range s.shards {
		seen := map[string]bool{}
		for _, value := range s.journalOf(t, shard) {
			if seen[string(value)] {
				count++
			}
			seen[string(value)] = true
		}
	}
	return count
}

// laterRecords are the records of wins in a shard's outbox behind what Kafka has and the event after it.
func (s *stores) laterRecords(t *testing.T, shard int) (records [][]byte) {
	t.Helper()
	var last uint64
	for _, value := range s.journalOf(t, shard) {
		if seq, ok := sequenceOf(value); ok {
			last = max(last, seq)
		}
	}
	out := s.mustRedis(s.pairOf(shard).master, "xrange", fmt.Sprintf("{hongbao:%d}outbox", shard), fmt.Sprintf("%d-0", last+2), "+", "count", "200")
	lines := strings.Split(out, "\n") // id, e, event, b, bytes
	for i := 0; i+4 < len(lines); i += 5 {
		seq, _, _ := strings.Cut(lines[i], "-")
		if record := recordOf(t, shard, seq, lines[i+2]); record != nil {
			records = append(records, record)
		}
	}
	return records
}

// recordOf is an entry of an outbox as cluster/topic writes it; nil when it is no win.
func recordOf(t *testing.T, shard int, seq, text string) []byte {
	t.Helper()
	f := strings.SplitN(text, " ", 14) // epoch w at envelope uid amount revision wins max day-wins max day expires key
	if len(f) < 14 || f[1] != "w" {
		return nil
	}
	n := func(i int) uint64 {
		value, err := strconv.ParseUint(f[i], 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return value
	}
	envelope := hongbao.EnvelopeID(n(3))
	event := hongbao.AppendEvent(nil, &hongbao.Event{
		Kind: hongbao.EnvelopeWon, At: hongbao.Time(n(2)), Envelope: envelope, Campaign: envelope.Campaign(), UID: n(4), AmountFen: int64(n(5)),
		Revision: uint32(n(6)), Wins: int(n(7)), WinsMax: int(n(8)), DayWins: int(n(9)), DailyWinsMax: int(n(10)), Day: int32(n(11)),
		ExpiresAt: hongbao.Time(n(12)), Key: f[13],
	})
	sequence, err := strconv.ParseUint(seq, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	b := binary.AppendUvarint(binary.AppendUvarint([]byte{0xB0, 1}, n(0)), sequence)
	b = append(b, event...)
	table := crc32.MakeTable(crc32.Castagnoli)
	return binary.BigEndian.AppendUint32(b, crc32.Update(crc32.Checksum(b, table), table, []byte{0, 0, 0, byte(shard)}))
}

// sequenceOf reads the sequence of a record.
func sequenceOf(value []byte) (seq uint64, ok bool) {
	if len(value) < 8 || value[0] != 0xB0 {
		return 0, false
	}
	_, n := binary.Uvarint(value[2:])
	seq, m := binary.Uvarint(value[2+max(n, 0):])
	return seq, n > 0 && m > 0
}

// poisonKafka puts what is none of the journal's between its records: nothing, noise, half a record, a changed one, and one
// of another shard. It must be passed over, and the audit must tell of it.
func poisonKafka(t *testing.T, r *rush, random *rand.Rand) {
	s := r.fleet.stores
	client := s.kafkaClient(t)
	for shard := range s.shards {
		mine, other := s.journalOf(t, shard), s.journalOf(t, (shard+1)%s.shards)
		noise := make([]byte, 100)
		for i := range noise {
			noise[i] = byte(random.Uint32())
		}
		record := mine[random.IntN(len(mine))]
		changed := slices.Clone(record)
		changed[len(changed)/2] ^= 1
		for _, value := range [][]byte{{}, noise, record[:len(record)/2], changed, other[random.IntN(len(other))]} {
			offset := produce(t, client, shard, value)[0]
			s.poison[fmt.Sprintf("shard %d, offset %d", shard, offset)] = true
			time.Sleep(time.Duration(random.Int64N(int64(100 * time.Millisecond)))) // any moment will do
		}
	}
	r.playsOn(t, around(), 0, 1, 2, 3)
}
