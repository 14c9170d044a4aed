package bench

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

func TestArrivalsAreDueAtTheRateWhateverHappens(t *testing.T) {
	for _, row := range []struct {
		name string
		busy time.Duration // how long each takes, which must not move the others
	}{
		{"when sending costs nothing", 0},
		{"when sending takes longer than the interval", 3 * time.Millisecond},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				a := &arrivals{start: start, rate: 1000, nap: time.Sleep}
				n := 0
				a.send(t.Context(), start.Add(time.Second), 0, func(due time.Time) {
					if want := start.Add(time.Duration(n) * time.Millisecond); due.Sub(want).Abs() > time.Microsecond {
						t.Fatalf("arrival %d is due at %s, not %s", n, due.Sub(start), want.Sub(start))
					}
					if due.After(time.Now()) {
						t.Fatalf("arrival %d is sent %s too soon", n, time.Until(due))
					}
					n++
					time.Sleep(row.busy)
				})
				if n != 1000 {
					t.Errorf("%d arrivals in a second at 1000/s", n)
				}
			})
		})
	}
}

func TestNapsAreShortAndInTime(t *testing.T) {
	nap, done := newNap()
	defer done()
	for range 5 { // a busy machine may be late now and then
		const d = 200 * time.Microsecond
		start := time.Now()
		nap(d)
		if took := time.Since(start); took >= d && took < 100*d {
			return
		}
	}
	t.Error("no nap of 200 µs took between 200 µs and 20 ms")
}

func TestPoissonArrivalsKeepTheRateAndTheSeed(t *testing.T) {
	const n = 100_000
	draw := func(seed uint64) (last time.Duration) {
		start := time.Now()
		a := &arrivals{start: start, rate: 1000, random: rand.New(rand.NewPCG(seed, 0))}
		for range n {
			last = a.next().Sub(start)
		}
		return last
	}
	if took := draw(1).Seconds(); math.Abs(took-n/1000) > 2 {
		t.Errorf("%d arrivals at 1000/s took %.1f s", n, took)
	}
	if draw(1) != draw(1) || draw(1) == draw(2) {
		t.Error("the same seed must give the same times, another one others")
	}
}

func TestArrivalsStopAtTheLimitAndWhenInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, n := time.Now(), 0
		all := &arrivals{start: start, rate: math.Inf(1), nap: time.Sleep}
		all.send(t.Context(), start.Add(time.Second), 77, func(time.Time) { n++ })
		if n != 77 || time.Since(start) != 0 {
			t.Errorf("%d of 77 after %s", n, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		n = 0
		slow := &arrivals{start: start, rate: 1000, nap: time.Sleep}
		slow.send(ctx, start.Add(time.Hour), 0, func(time.Time) { n++ })
		if n > 11 {
			t.Errorf("%d arrivals in 10 ms at 1000/s", n)
		}
	})
}

// stalling is a crowd whose server answers in a millisecond, and not at all for a while.
type stalling struct{ from, to time.Time }

func (s stalling) play(*rand.Rand) (Operation, Result) {
	if now := time.Now(); now.After(s.from) && now.Before(s.to) {
		time.Sleep(time.Until(s.to))
	}
	time.Sleep(time.Millisecond)
	return OpSnatch, Result{Outcome: Answered, Label: "won"}
}

func TestAStallShowsInTheOpenModelAndHidesInTheClosedOne(t *testing.T) {
	play := func(t *testing.T, send func(ctx context.Context, l *load, end time.Time)) *Report {
		report := &Report{TookSeconds: 10}
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			crowd := stalling{start.Add(4 * time.Second), start.Add(6 * time.Second)}
			l := &load{crowd: crowd, timeline: newTimeline(start, 10*time.Second), workers: 4}
			send(t.Context(), l, start.Add(10*time.Second))
			l.timeline.fill(report)
		})
		return report
	}
	open := play(t, func(ctx context.Context, l *load, end time.Time) {
		l.open(ctx, &arrivals{start: l.timeline.start, rate: 100, nap: time.Sleep}, end, 0)
	})
	// A fifth of the requests were due during the stall of two seconds.
	if open.Answered != 1000 || open.Latency.P50 > 2 || open.Latency.P90 < 900 || open.Latency.Max < 1900 {
		t.Errorf("open model: %d answers, latency %+v", open.Answered, open.Latency)
	}
	if at := open.Timeline[40]; at.P50 < 1800 {
		t.Errorf("the requests due when the stall began took %+v", at.Latency)
	}
	closed := play(t, func(ctx context.Context, l *load, end time.Time) { l.closed(ctx, end) })
	if closed.Latency.P99 > 2 {
		t.Errorf("closed model: %+v", closed.Latency)
	}
}

func TestWhatCannotBeSentIsCountedAsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		crowd := stalling{start, start.Add(30 * time.Second)}
		l := &load{crowd: crowd, timeline: newTimeline(start, 2*time.Second), workers: 3}
		l.open(t.Context(), &arrivals{start: start, rate: 1000, nap: time.Sleep}, start.Add(2*time.Second), 0)
		var report Report
		l.timeline.fill(&report)
		if report.Answered+report.NotSent != 2000 || report.Answered > 4 {
			t.Errorf("%d answered and %d not sent, of 2000 due", report.Answered, report.NotSent)
		}
	})
}
