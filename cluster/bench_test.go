package cluster

import (
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hongbao"
)

// BenchmarkSnatch wins with many callers, on the services that the environment names and with a shard for each of their
// Redis servers. It reports the CPU of a win here and in Redis; scripts/bench-cluster compares one server with two.
func BenchmarkSnatch(b *testing.B) {
	for _, callers := range []int{64, 512} {
		b.Run(strconv.Itoa(callers), func(b *testing.B) { benchmarkSnatch(b, callers) })
	}
}

func benchmarkSnatch(b *testing.B, callers int) {
	place := newBed(b, strings.Count(os.Getenv("HONGBAO_CLUSTER__REDIS__ADDRS"), ",")+1)
	e := place.open()
	c := rain(b, e, 10_000_000)
	var uid atomic.Uint64
	b.SetParallelism(callers)
	b.ReportAllocs()
	groups, here, redis := e.Health().Groups, cpuHere(b), e.cpu(b)
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
	b.StopTimer()
	wins := float64(b.N)
	b.ReportMetric(wins/b.Elapsed().Seconds(), "wins/s")
	b.ReportMetric(wins/float64(e.Health().Groups-groups), "wins/group")
	b.ReportMetric(float64((cpuHere(b)-here).Microseconds())/wins, "node-µs/win")
	b.ReportMetric(float64((e.cpu(b)-redis).Microseconds())/wins, "redis-µs/win")
}

// cpuHere is the CPU that this process has taken.
func cpuHere(t testing.TB) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// cpu is what the servers of Redis have taken together.
func (e *Engine) cpu(t testing.TB) (sum time.Duration) {
	seen := map[*lane]bool{}
	for _, s := range e.shards {
		l := e.redis.lane(s)
		if seen[l] {
			continue
		}
		seen[l] = true
		info, _, err := e.plain(t.Context(), s, "INFO", "cpu")
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range []string{"used_cpu_user", "used_cpu_sys"} {
			seconds, err := strconv.ParseFloat(infoField(info[0], field), 64)
			if err != nil {
				t.Fatal(err)
			}
			sum += time.Duration(seconds * float64(time.Second))
		}
	}
	return sum
}

// TestSellsOutExactly lets a crowd snatch from 16 shards until every one of them says sold_out: each envelope has been won
// once then, and they sum to the budget. It logs how long the end took.
func TestSellsOutExactly(t *testing.T) {
	count := uint64(20_000)
	if os.Getenv("HONGBAO_LONG") != "" {
		count = 1_000_000
	}
	place := newBed(t, 16)
	place.options.CacheAge = time.Second
	e := place.open()
	s := &sale{TB: t, engine: e, campaign: e.catalog.find(rain(t, e, count).ID), won: make([]atomic.Bool, count)}
	s.toldAll.Add(len(e.shards))
	s.told = make([]atomic.Bool, len(e.shards))

	began := time.Now()
	var crowd sync.WaitGroup
	dry := make(chan time.Time, 1)
	crowd.Go(func() { dry <- s.runsDry() })
	for range 256 {
		crowd.Go(s.snatch)
	}
	s.toldAll.Wait()
	ended := time.Now()
	crowd.Wait()

	wins := uint64(0)
	for i := range s.won {
		if s.won[i].Load() {
			wins++
		}
	}
	if budget := s.campaign.Rules().Budget; wins != count || s.fen.Load() != budget.TotalFen {
		t.Errorf("%d of %d envelopes were won, with %d of %d fen", wins, count, s.fen.Load(), budget.TotalFen)
	}
	t.Logf("%d of %d envelopes were won, at %.0f/s; %.0f ms from the first shard that ran dry to sold_out on all; the longest wait of a snatch then %d ms; %d times busy",
		wins, count, float64(wins)/ended.Sub(began).Seconds(), float64(ended.Sub(<-dry).Microseconds())/1000, s.waitedMS.Load(), s.busy.Load())
}

// sale is a campaign that is being sold out.
type sale struct {
	testing.TB
	engine   *Engine
	campaign *campaign
	won      []atomic.Bool // by number
	fen      atomic.Int64
	told     []atomic.Bool // by shard: it has said sold_out
	toldAll  sync.WaitGroup
	over     atomic.Bool  // a shard ran dry and the bank has nothing for it
	waitedMS atomic.Int64 // the longest that anybody waited since
	busy     atomic.Int64
}

// snatch snatches as one player after another, until a shard that is sold out was met by somebody everywhere.
func (s *sale) snatch() {
	for i := 0; i < len(s.told); {
		if s.told[i].Load() {
			i++
			continue
		}
		r := hongbao.SnatchRequest{Campaign: s.campaign.ID, UID: rand.Uint64N(1 << 40), Key: "sale", KeyIsNew: true, Now: now()}
		asked := time.Now()
		result, err := s.engine.Snatch(s.Context(), r)
		if s.over.Load() {
			for ms, most := time.Since(asked).Milliseconds(), s.waitedMS.Load(); ms > most && !s.waitedMS.CompareAndSwap(most, ms); {
				most = s.waitedMS.Load()
			}
		}
		switch {
		case errors.Is(err, hongbao.ErrBusy):
			s.busy.Add(1)
		case err != nil:
			s.Error(err)
			return
		case result.Status == hongbao.SoldOut:
			if shard := s.engine.of(r.UID).index; !s.told[shard].Swap(true) {
				s.toldAll.Done()
			}
		case result.Status != hongbao.Won:
			s.Errorf("%+v", result)
			return
		case s.won[result.Envelope.Number()].Swap(true):
			s.Errorf("envelope %d was won twice", result.Envelope)
		default:
			s.fen.Add(result.AmountFen)
		}
	}
}

// runsDry waits until the shards are made to give back what they have left, which is when the bank has nothing for one
// that ran dry, and returns since when that one had been waiting.
func (s *sale) runsDry() time.Time {
	since := make([]time.Time, len(s.told)) // each shard without envelopes waits; zero: it has some
	for {
		now, first := time.Now(), time.Time{}
		for i := range since {
			switch waits := s.campaign.life.waiting[i].Load() > 0; {
			case !waits:
				since[i] = time.Time{}
			case since[i].IsZero():
				since[i] = now
			}
			if !since[i].IsZero() && (first.IsZero() || since[i].Before(first)) {
				first = since[i]
			}
		}
		switch {
		case s.recalls():
			s.over.Store(true)
			return first
		case s.told[0].Load(): // it was over between two looks
			return now
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// recalls reports whether shards are giving back just now.
func (s *sale) recalls() bool {
	f := &s.engine.flights
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.underWay[recallKey{s.campaign.ID}] != nil
}

// BenchmarkLooking asks again and again how far open campaigns have come, and whether they have sold out, as the worker does
// for its announcements.
func BenchmarkLooking(b *testing.B) {
	place := newBed(b, 64)
	place.options.CacheAge = time.Second // as in use
	e := place.open()
	open := []*hongbao.Campaign{rain(b, e, 1_000_000), rain(b, e, 1_000_000), rain(b, e, 1_000_000), rain(b, e, 1_000_000)}
	for uid := range uint64(1000) {
		r := hongbao.SnatchRequest{Campaign: open[uid%4].ID, UID: uid, Key: "key", KeyIsNew: true, Now: now()}
		if _, err := e.Snatch(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
	for name, look := range map[string]func(){
		"Progress": func() {
			for _, c := range open {
				e.Progress(c.ID)
			}
		},
		"findSold": func() {
			if err := e.findSold(b.Context()); err != nil {
				b.Error(err)
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			here, redis := cpuHere(b), e.cpu(b)
			for b.Loop() {
				look()
			}
			looks := float64(b.N * len(open))
			b.ReportMetric(float64((cpuHere(b)-here).Microseconds())/looks, "node-µs/campaign")
			b.ReportMetric(float64((e.cpu(b)-redis).Microseconds())/looks, "redis-µs/campaign")
		})
	}
}
