package gate

import (
	"context"
	"log/slog"
	"testing"
)

// Nothing at all, to compare with; run all with -cpu 1,4.
func BenchmarkNothing(b *testing.B) {
	benchmarkPair(b, func() error { return nil })
}

// What a snatch pays for the limit and the breaker where few are in the engine, all of them samples.
func BenchmarkGateAmongFew(b *testing.B) {
	benchmarkGate(b, newInFlight(0), 0)
}

// The same where a hundred others are, as on a busy server: one in sixteen is a sample.
func BenchmarkGateAmongMany(b *testing.B) {
	benchmarkGate(b, newInFlight(0), 100)
}

// The same with a fixed limit, which has no samples.
func BenchmarkGateWithAFixedLimit(b *testing.B) {
	benchmarkGate(b, newInFlight(1000), 0)
}

func benchmarkGate(b *testing.B, limit *inFlight, others int) {
	for range others {
		if _, err := limit.enter(context.Background(), playing); err != nil {
			b.Fatal(err)
		}
	}
	breaker := newBreaker(slog.New(slog.DiscardHandler))
	benchmarkPair(b, func() error {
		admitted, err := limit.enter(context.Background(), playing)
		if err != nil {
			return err
		}
		err = breaker.allow()
		breaker.record(err)
		admitted.leave(true)
		return err
	})
}

func benchmarkPair(b *testing.B, pair func() error) {
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := pair(); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
