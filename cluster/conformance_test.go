package cluster

import (
	"testing"

	"hongbao"
	"hongbao/enginetest"
)

// TestConformance runs the suite on several shards that are leased one number at a time, so that one thing after another
// is exactly what the model says.
func TestConformance(t *testing.T) { enginetest.Run(t, conform(3, 1)) }

// TestConformanceAhead runs it with leases as they are in use, on one shard and on several.
func TestConformanceAhead(t *testing.T) { enginetest.Run(t, conform(4, 64)) }

func conform(shards, lease int) enginetest.Open {
	return func(t testing.TB, now hongbao.Time) *enginetest.Harness {
		b := newBed(t, shards)
		b.options.LeaseMax = lease
		b.options.Now = func() hongbao.Time { return now }
		e := b.open()
		stop := b.work(e)
		return &enginetest.Harness{
			Engine: e, Secret: e.Secret(), Calendar: b.options.Calendar, Leased: true, Ahead: lease > 1, Slow: true,
			Restart: func(now hongbao.Time) hongbao.Engine {
				stop()
				if err := e.Close(); err != nil {
					t.Error("close:", err)
				}
				b.options.Now = func() hongbao.Time { return now }
				e = b.open()
				stop = b.work(e)
				return e
			},
		}
	}
}
