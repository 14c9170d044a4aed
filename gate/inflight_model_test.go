package gate

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
)

// An engine with group commit does as much behind the limit as without it.
func TestTheLimitDoesNotThrottleGroupCommit(t *testing.T) {
	const each = 5 * time.Microsecond
	for _, callers := range []int{64, 512, 2000} {
		seed := shedSeed(t)
		synctest.Test(t, func(t *testing.T) {
			free := throughput(nil, newGroupEngine(seed, each), callers)
			limit := newInFlight(0)
			limited := throughput(limit, newGroupEngine(seed, each), callers)
			t.Logf("%d callers: %.0f a second without limit, %.3f of it with one, which ends at %d", callers, free, limited/free, limit.state().limit)
			if limited < 0.95*free {
				t.Errorf("%d callers get %.0f calls a second through, without limit %.0f", callers, limited, free)
			}
		})
	}
}

// throughput is how many calls a second the callers get through in the second of two seconds, each calling again at once.
func throughput(limit *inFlight, engine modelEngine, callers int) float64 {
	var calls atomic.Int64
	var running sync.WaitGroup
	began := time.Now()
	for range callers {
		running.Go(func() {
			for time.Since(began) < 2*time.Second {
				admitted, err := limit.enter(context.Background(), playing)
				if err != nil {
					time.Sleep(50 * time.Millisecond)
					continue
				}
				engine.call()
				admitted.leave(true)
				if time.Since(began) > time.Second {
					calls.Add(1)
				}
			}
		})
	}
	running.Wait()
	return float64(calls.Load())
}

// An engine of fixed capacity that is asked for three times as much is kept busy, the limit comes down, and whoever is
// admitted is answered in time; the others are told busy.
func TestOverloadStaysBounded(t *testing.T) {
	const capacity, load, seconds = 16_000, 3, 10
	o := overload{random: rand.New(rand.NewPCG(shedSeed(t), 1)), rate: capacity * load}
	synctest.Test(t, func(t *testing.T) {
		o.limit, o.engine = newInFlight(0), newServerEngine(16, time.Millisecond)
		for second := range seconds {
			took := o.second()
			state := o.limit.state()
			p50, p99 := took[len(took)/2], took[len(took)*99/100]
			t.Logf("second %d: limit %d, answered %d, p50 %v, p99 %v, shed %d", second, state.limit, len(took), p50, p99, state.shed[playing])
			if len(took) < capacity*98/100 {
				t.Errorf("only %d answered: the engine was not kept busy", len(took))
			}
			if bound := time.Second * limitStart / capacity * 11 / 10; p99 > bound {
				t.Errorf("of the admitted one in a hundred takes more than %v, over %v", p99, bound)
			}
		}
		state := o.limit.state()
		if state.limit > limitStart/2 || !state.shedding || state.shed[playing] < capacity*(load-1)*(seconds-1) {
			t.Errorf("after %d seconds of overload: %+v", seconds, state)
		}
		time.Sleep(time.Second) // let the last be answered
		if state := o.limit.state(); state.used != 0 || state.waiting[playing] != 0 {
			t.Errorf("afterwards: %+v", state)
		}
	})
}

// overload is requests that come at random, so many a second, whether the others have their answers or not.
type overload struct {
	random *rand.Rand
	rate   float64
	limit  *inFlight
	engine modelEngine

	lock sync.Mutex
	took []time.Duration // how long those took that were admitted
}

// second lets requests come for a second and returns how long those took that were answered in it, sorted.
func (o *overload) second() []time.Duration {
	for began := time.Now(); time.Since(began) < time.Second; {
		time.Sleep(time.Duration(o.random.ExpFloat64() * float64(time.Second) / o.rate))
		go o.request()
	}
	o.lock.Lock()
	defer o.lock.Unlock()
	took := o.took
	o.took = nil
	slices.Sort(took)
	return took
}

func (o *overload) request() {
	began := time.Now()
	admitted, err := o.limit.enter(context.Background(), playing)
	if err != nil {
		return
	}
	o.engine.call()
	admitted.leave(true)
	o.lock.Lock()
	defer o.lock.Unlock()
	o.took = append(o.took, time.Since(began))
}

// However low the limiter would go, an engine keeps as many as it answers within what nobody notices, at the pace that it
// has; the pace is that of the last window.
func TestTheLimitStaysWhereNobodyNotices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := newInFlight(0)
		var done int64
		for _, row := range []struct {
			after time.Duration
			done  int64
			want  int64
		}{
			{windowMin / 2, 5000, 0},         // not known yet
			{windowMin / 2, 0, 1000},         // 50,000 a second
			{windowMin / 2, 9000, 1000},      // not looked at yet
			{windowMin / 2, 1000, 2000},      // 100,000 a second
			{10 * windowMin, 1000, 20},       // a thousand
			{windowMin, 1_000_000, leastMax}, // more than anybody has
			{windowMin, 0, 0},                // an engine that hangs
		} {
			time.Sleep(row.after)
			done += row.done
			if least := limit.sampler.leastFor(done); least != row.want {
				t.Errorf("%d more after %v: at least %d, want %d", row.done, row.after, least, row.want)
			}
		}
	})
}

// Behind a limiter at its least, group commit loses next to nothing under lasting overload.
func TestTheLeastLimitDoesNotThrottleGroupCommit(t *testing.T) {
	const each, callers = 10 * time.Microsecond, 3000
	seed := shedSeed(t)
	synctest.Test(t, func(t *testing.T) {
		free := throughput(nil, newGroupEngine(seed, each), callers)
		limit := newInFlight(0)
		limit.sampler.limiter = adaptivelimiter.NewBuilder[any]().
			WithLimits(limitMin/sampleShare, limitMin/sampleShare, limitMin/sampleShare).Build()
		limited := throughput(limit, newGroupEngine(seed, each), callers)
		t.Logf("%.0f a second without limit, %.3f of it with one, which ends at %d", free, limited/free, limit.state().limit)
		if limited < 0.9*free {
			t.Errorf("%.0f calls a second get through, without limit %.0f", limited, free)
		}
	})
}

// The limit falls while latency rises, and recovers: what it starts with is there again for the next bell.
func TestTheLimitRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := newInFlight(0)
		play(limit, time.Millisecond, true, time.Second)
		play(limit, 10*time.Millisecond, true, time.Second)
		low := limit.state().limit
		play(limit, time.Millisecond, true, 5*time.Second)
		if high := limit.state().limit; low >= limitStart || high != limitStart {
			t.Errorf("the limit fell from %d to %d and came back to %d", limitStart, low, high)
		}
	})
}

// What is not measured does not move the limit, however long it takes.
func TestTheUnmeasuredDoNotMoveTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := newInFlight(0)
		play(limit, time.Millisecond, true, time.Second)
		play(limit, 10*time.Millisecond, false, time.Second)
		if state := limit.state(); state.limit != limitStart || state.used != 0 {
			t.Errorf("%+v", state)
		}
	})
}

// play has a hundred callers hold slots for so long each, until it is over.
func play(limit *inFlight, takes time.Duration, measured bool, lasts time.Duration) {
	var running sync.WaitGroup
	began := time.Now()
	for range 100 {
		running.Go(func() {
			for time.Since(began) < lasts {
				if admitted, err := limit.enter(context.Background(), playing); err == nil {
					time.Sleep(takes)
					admitted.leave(measured)
				}
			}
		})
	}
	running.Wait()
}
