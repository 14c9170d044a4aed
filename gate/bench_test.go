package gate

import (
	"math/rand/v2"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"hongbao"
)

// everything is a gate with all that is on the way of a snatch of a campaign without ticket and fair start.
var everything = Options{
	Global: Rate{Rate: 10_000_000}, Player: Rate{Rate: 10_000_000}, Address: Rate{Rate: 10_000_000},
}

// missing is a bed with a rain in which every snatch is decided by the engine and misses, so that no disk is waited for.
func missing(b *testing.B, o Options) *bed {
	bed := newBed(b, o)
	spec, never, unlimited := rain("missing", 10), hongbao.Chance(1), 0
	spec.Chance, spec.WinsMax = &never, &unlimited
	bed.create(spec)
	return bed
}

// BenchmarkSnatch is a snatch by the service alone, and the same through the gate: the difference is what the gate costs.
func BenchmarkSnatch(b *testing.B) {
	address := netip.MustParseAddr("203.0.113.9")
	for _, row := range []struct {
		name   string
		snatch func(bed *bed, uid uint64) error
	}{
		{"without the gate", func(bed *bed, uid uint64) error {
			_, err := bed.service.Snatch(b.Context(), hongbao.SnatchRequest{Campaign: 1, UID: uid})
			return err
		}},
		{"through the gate", func(bed *bed, uid uint64) error {
			at := time.Now() // fasthttp takes it for each request, gate or not
			bed.gate.Foretell(1, false)
			v := Visitor{UID: uid, Address: address}
			if _, err := bed.gate.Arrive(address, at); err != nil {
				return err
			}
			if _, err := bed.gate.Admit(v, at); err != nil {
				return err
			}
			_, err := bed.gate.Snatch(b.Context(), Snatch{Visitor: v, Campaign: 1})
			return err
		}},
	} {
		for _, crowd := range []struct {
			name string
			size int
		}{{"one at a time", 0}, {"a crowd", 16}} {
			b.Run(row.name+", "+crowd.name, func(b *testing.B) {
				bed := missing(b, everything)
				b.ReportAllocs()
				if crowd.size == 0 {
					for b.Loop() {
						if err := row.snatch(bed, rand.Uint64N(1_000_000)); err != nil {
							b.Fatal(err)
						}
					}
					return
				}
				b.SetParallelism(crowd.size)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := row.snatch(bed, rand.Uint64N(1_000_000)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			})
		}
	}
}

// BenchmarkMillionPlayers is a request of one of a million players, whose cells are all over the table.
func BenchmarkMillionPlayers(b *testing.B) {
	bed := newBed(b, Options{Player: Rate{Rate: 20}})
	var refused atomic.Int64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := bed.gate.Admit(Visitor{UID: rand.Uint64N(1_000_000)}, time.Now()); err != nil {
				refused.Add(1)
			}
		}
	})
	b.ReportMetric(float64(refused.Load())/float64(b.N), "refused/op")
}
