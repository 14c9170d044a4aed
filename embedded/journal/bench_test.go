package journal

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkGroupCommit: callers that each join an event of 64 bytes and wait, on a real disk.
func BenchmarkGroupCommit(b *testing.B) {
	for _, c := range []struct {
		name    string
		callers int
	}{{"1", 1}, {"64", 64}, {"512", 512}} {
		b.Run(c.name, func(b *testing.B) { benchmarkGroupCommit(b, c.callers) })
	}
}

func benchmarkGroupCommit(b *testing.B, callers int) {
	j, err := Open(Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	b.ReportAllocs()
	b.ResetTimer()
	var left atomic.Int64
	left.Store(int64(b.N))
	var tasks sync.WaitGroup
	for range callers {
		tasks.Go(func() {
			event := make([]byte, 64)
			for left.Add(-1) >= 0 {
				if err := join(b, j, event).Wait(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	tasks.Wait()
	b.StopTimer()
	s := j.Stats()
	b.ReportMetric(float64(s.Events)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(s.Events)/float64(s.Groups), "events/sync")
	b.ReportMetric(float64(s.SyncTotal/time.Microsecond)/float64(s.Groups), "µs/sync")
}
