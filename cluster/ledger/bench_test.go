package ledger

import (
	"math/rand/v2"
	"testing"

	"hongbao"
)

// BenchmarkApply measures events a second on one connection: batches of 4,000 deliveries of 16 shards, players at random
// among a million. Wins only; a win and its opening, which follows in the same batch; openings alone, of wins of
// batches before.
//
//	go test -run '^$' -bench Apply -benchtime 200x ./cluster/ledger
func BenchmarkApply(b *testing.B) {
	b.Run("won", func(b *testing.B) { benchmarkApply(b, true, false) })
	b.Run("won and opened", func(b *testing.B) { benchmarkApply(b, true, true) })
	b.Run("opened later", func(b *testing.B) { benchmarkApply(b, false, true) })
}

func benchmarkApply(b *testing.B, win, open bool) {
	const shards, size = 16, 4000
	l := newLedger(b, shards)
	s := newScript(shards)
	apply(b, l, []Delivery{s.deliver(0, created(1))})
	random := rand.New(rand.NewPCG(1, 2))
	events := 0
	for b.Loop() {
		b.StopTimer()
		var first, second []Delivery
		for i := 0; i < size; {
			shard := i % shards
			w := s.won(1, random.Uint64N(1_000_000/shards)*shards+uint64(shard))
			first = append(first, s.deliver(shard, w))
			i++
			if open {
				d := s.deliver(shard, opened(w))
				if win {
					first = append(first, d)
					i++
				} else {
					second = append(second, d)
				}
			}
		}
		if !win {
			// The wins of a shard come before its openings: number them so.
			first, second = inTwo(s, first, second, shards)
			apply(b, l, first)
			first = second
		}
		events += len(first)
		b.StartTimer()
		apply(b, l, first)
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
	if n, err := l.Conflicts(b.Context()); n != 0 || err != nil {
		b.Fatal(n, "conflicts", err)
	}
}

// inTwo numbers deliveries anew, so that all of first come before second.
func inTwo(s *script, first, second []Delivery, shards int) (a, b []Delivery) {
	for shard := range shards {
		n := int64(0)
		for _, d := range append(first, second...) {
			if d.Shard == shard {
				n++
			}
		}
		s.seqs[shard] -= uint64(n)
		s.offsets[shard] -= n
	}
	var e hongbao.Event
	number := func(all []Delivery) (out []Delivery) {
		for _, d := range all {
			if err := hongbao.DecodeEvent(d.Event, &e); err != nil {
				panic(err)
			}
			out = append(out, s.deliver(d.Shard, e))
		}
		return out
	}
	return number(first), number(second)
}

// apply applies deliveries that must all be new.
func apply(t testing.TB, l *Ledger, batch []Delivery) {
	t.Helper()
	o, err := l.Apply(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	if o.Applied != len(batch) {
		t.Fatalf("%d of %d events were applied", o.Applied, len(batch))
	}
}
