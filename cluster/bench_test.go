package cluster

import (
	"strconv"
	"sync/atomic"
	"testing"

	"hongbao"
)

// BenchmarkSnatch wins with many callers, on the services that the environment names. With HONGBAO_CLUSTER__REDIS__REPLICAS_ACK=0
// and one server it is what scripts/bench-cluster holds against redis-benchmark.
func BenchmarkSnatch(b *testing.B) {
	for _, callers := range []int{64, 512} {
		b.Run(strconv.Itoa(callers), func(b *testing.B) {
			place := newBed(b, 4)
			e := place.open()
			c := rain(b, e, 10_000_000)
			var uid atomic.Uint64
			b.SetParallelism(callers)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					n := uid.Add(1)
					r := hongbao.SnatchRequest{Campaign: c.ID, UID: n * 7919, Key: "bench-" + strconv.FormatUint(n, 10), KeyIsNew: true, Now: now()}
					won, err := e.Snatch(b.Context(), r)
					if err != nil || won.Status != hongbao.Won {
						b.Errorf("%+v, %v", won, err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "wins/s")
			h := e.Health()
			b.ReportMetric(float64(b.N)/float64(h.Groups), "wins/group")
		})
	}
}
