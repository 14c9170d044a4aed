package gate

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"hongbao"
)

var shedSeedFlag = flag.Uint64("shed-seed", 0, "of the random tests of load shedding; 0 takes a new one")

// shedSeed is the seed of a random test.
func shedSeed(t *testing.T) uint64 {
	seed := *shedSeedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("to repeat: go test ./gate -run '^%s$' -args -shed-seed %d", t.Name(), seed)
	return seed
}

// Whatever comes, goes and gives up: never more than the limit are in the engine, everybody is answered once, and in
// the end nobody is in it or waits.
func TestNeverMoreThanTheLimitInFlight(t *testing.T) {
	defer goleak.VerifyNone(t)
	seed := shedSeed(t)
	synctest.Test(t, func(t *testing.T) {
		const most = 7
		limit := newInFlight(most)
		var inside, admitted, busy, ended atomic.Int64
		var running sync.WaitGroup
		for caller := range 400 {
			running.Go(func() {
				random := rand.New(rand.NewPCG(seed, uint64(caller)))
				for range 50 {
					ctx, cancel := context.WithTimeout(context.Background(), time.Duration(random.IntN(700))*time.Millisecond)
					pass, err := limit.enter(ctx, priority(random.IntN(priorities)))
					switch {
					case err == nil:
						if now := inside.Add(1); now > most {
							t.Errorf("%d in the engine", now)
						}
						admitted.Add(1)
						time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
						inside.Add(-1)
						pass.leave(true)
					case errors.Is(err, context.DeadlineExceeded) && errors.Is(err, hongbao.ErrBusy):
						ended.Add(1)
					case errors.Is(err, hongbao.ErrBusy):
						busy.Add(1)
					default:
						t.Error(err)
					}
					cancel()
				}
			})
		}
		running.Wait()
		state := limit.state()
		t.Logf("admitted %d, shed %v, ended %d", admitted.Load(), state.shed, ended.Load())
		if all := admitted.Load() + busy.Load() + ended.Load(); all != 400*50 || min(admitted.Load(), busy.Load(), ended.Load()) == 0 {
			t.Errorf("%d answers: admitted %d, busy %d, ended %d", all, admitted.Load(), busy.Load(), ended.Load())
		}
		if shed := state.shed[playing] + state.shed[reading] + state.shed[listing]; shed != uint64(busy.Load()) {
			t.Errorf("%d counted as shed, %d told busy", shed, busy.Load())
		}
		if state.used != 0 || state.waiting != [priorities]int{} {
			t.Errorf("in the end %+v", state)
		}
	})
}

// A request that finds no slot just before one is freed gets it all the same, at once.
func TestAFreeSlotIsNotOverlooked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := newInFlight(1)
		held, err := limit.enter(context.Background(), playing)
		if err != nil {
			t.Fatal(err)
		}
		limit.queue.take = func() bool {
			free := limit.take()
			if !free {
				go held.leave(true)
				for range 10_000 { // the other leaves, and looks who waits
					runtime.Gosched()
				}
			}
			return free
		}
		began := time.Now()
		pass, err := limit.enter(context.Background(), playing)
		if err != nil || time.Since(began) > 0 {
			t.Fatalf("%v after %v", err, time.Since(began))
		}
		pass.leave(true)
	})
}

// line is a limit of one with a request in the engine and others behind it, for tests of who comes when.
type line struct {
	limit *inFlight
	first pass
	told  []string // in the order in which they were told: the name, "shed <name>" or "ended <name>"
	lock  sync.Mutex
	inner []pass
}

func newLine(t *testing.T) *line {
	l := &line{limit: newInFlight(1)}
	first, err := l.limit.enter(context.Background(), playing)
	if err != nil {
		t.Fatal(err)
	}
	l.first = first
	return l
}

// join sends a request in and returns once it waits or has its answer.
func (l *line) join(ctx context.Context, p priority, name string) {
	go func() {
		pass, err := l.limit.enter(ctx, p)
		l.lock.Lock()
		defer l.lock.Unlock()
		switch {
		case err == nil:
			l.told = append(l.told, name)
			l.inner = append(l.inner, pass)
		case ctx.Err() != nil:
			l.told = append(l.told, "ended "+name)
		default:
			l.told = append(l.told, "shed "+name)
		}
	}()
	synctest.Wait()
}

// drain lets one after the other through.
func (l *line) drain() {
	l.first.leave(true)
	synctest.Wait()
	for len(l.inner) > 0 {
		next := l.inner[0]
		l.inner = l.inner[1:]
		next.leave(true)
		synctest.Wait()
	}
}

func (l *line) expect(t *testing.T, want ...string) {
	t.Helper()
	l.lock.Lock()
	defer l.lock.Unlock()
	if !slices.Equal(l.told, want) {
		t.Errorf("told %q, want %q", l.told, want)
	}
	l.told = nil
}

func TestHigherPrioritiesGoFirstAndOfOnePriorityTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ctx := newLine(t), context.Background()
		l.join(ctx, listing, "list 1")
		l.join(ctx, reading, "wallet 1")
		l.join(ctx, playing, "snatch 1")
		l.join(ctx, playing, "snatch 2")
		l.join(ctx, listing, "list 2")
		l.join(ctx, reading, "wallet 2")
		if state := l.limit.state(); state.waiting != [priorities]int{2, 2, 2} || state.used != 1 || state.limit != 1 || state.shedding {
			t.Errorf("%+v", state)
		}
		l.drain()
		l.expect(t, "snatch 2", "snatch 1", "wallet 2", "wallet 1", "list 2", "list 1")
	})
}

// A slot that is free does not go to a newcomer while somebody of higher priority waits.
func TestNobodyOvertakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ctx := newLine(t), context.Background()
		l.join(ctx, playing, "snatch")
		l.limit.resize(2) // there is a slot now, and nobody has looked yet
		l.join(ctx, listing, "list")
		l.expect(t, "snatch")
		l.drain()
		l.expect(t, "list")
	})
}

func TestAFullQueueShedsTheOldestOfTheLowestPriority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ctx := newLine(t), context.Background()
		l.join(ctx, listing, "list 1")
		l.join(ctx, playing, "snatch 1")
		l.join(ctx, listing, "list 2")
		l.join(ctx, playing, "snatch 2")
		for range waitingMax - 4 {
			go l.limit.enter(ctx, playing)
		}
		synctest.Wait()
		l.expect(t)
		l.join(ctx, reading, "wallet") // displaces a list
		l.expect(t, "shed list 1")
		l.join(ctx, listing, "list 3") // and a list the list before it
		l.expect(t, "shed list 2")
		l.join(ctx, playing, "snatch 3")
		l.expect(t, "shed list 3")
		l.join(ctx, playing, "snatch 4")
		l.expect(t, "shed wallet")
		l.join(ctx, listing, "list 4") // all who wait come before it
		l.expect(t, "shed list 4")
		l.join(ctx, playing, "snatch 5")
		l.expect(t, "shed snatch 1")
		l.join(ctx, playing, "snatch 6")
		l.expect(t, "shed snatch 2")
		state := l.limit.state()
		if state.waiting != [priorities]int{waitingMax, 0, 0} || state.shed != [priorities]uint64{2, 1, 4} || !state.shedding {
			t.Errorf("%+v", state)
		}
		time.Sleep(time.Second)
		l.first.leave(true)
	})
}

// Whoever has waited for waitMax is shed then, not later, whatever its priority, and though nobody passes by.
func TestNobodyWaitsTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ctx := newLine(t), context.Background()
		for _, arrival := range []struct {
			priority priority
			name     string
		}{{playing, "snatch 1"}, {listing, "list"}, {reading, "wallet"}, {playing, "snatch 2"}} {
			l.join(ctx, arrival.priority, arrival.name)
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(waitMax - 400*time.Millisecond - 1)
		synctest.Wait()
		l.expect(t)
		for _, name := range []string{"snatch 1", "list", "wallet", "snatch 2"} {
			time.Sleep(1)
			synctest.Wait()
			l.expect(t, "shed "+name)
			time.Sleep(100*time.Millisecond - 1)
		}
		l.join(ctx, playing, "snatch 3") // the sweeper is there for the next too
		time.Sleep(waitMax)
		synctest.Wait()
		l.expect(t, "shed snatch 3")
		time.Sleep(sheddingFor)
		if state := l.limit.state(); state.shedding || state.shed != [priorities]uint64{3, 1, 1} || state.waiting != [priorities]int{} {
			t.Errorf("%+v", state)
		}
		l.first.leave(true)
	})
}

func TestAnEndedContextLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t)
		ctx, cancel := context.WithCancel(context.Background())
		l.join(context.Background(), playing, "stays")
		l.join(ctx, playing, "goes")
		cancel()
		synctest.Wait()
		l.expect(t, "ended goes")
		if state := l.limit.state(); state.waiting[playing] != 1 || state.shed[playing] != 0 || state.shedding {
			t.Errorf("%+v", state)
		}
		l.drain()
		l.expect(t, "stays")
		if state := l.limit.state(); state.used != 0 {
			t.Errorf("%+v", state)
		}
	})
}

// A context that ends at the moment of its admission neither loses the slot nor gets two answers.
func TestAnAdmissionAtTheEndOfAContextIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := newInFlight(1)
		var running sync.WaitGroup
		for range 5000 {
			held, err := limit.enter(context.Background(), playing)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			running.Go(func() {
				if pass, err := limit.enter(ctx, reading); err == nil {
					pass.leave(true)
				}
			})
			running.Go(cancel)
			running.Go(func() { held.leave(true) })
			running.Wait()
			if state := limit.state(); state.used != 0 || state.waiting != [priorities]int{} {
				t.Fatalf("%+v", state)
			}
		}
	})
}

// A lower limit lets nobody in until enough have left; a higher one lets those in who wait.
func TestAChangedLimitHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := newInFlight(4)
		var inside []pass
		for range 4 {
			pass, err := limit.enter(context.Background(), playing)
			if err != nil {
				t.Fatal(err)
			}
			inside = append(inside, pass)
		}
		admitted := make(chan pass, 3)
		for range 3 {
			go func() {
				if pass, err := limit.enter(context.Background(), playing); err == nil {
					admitted <- pass
				}
			}()
		}
		synctest.Wait()
		limit.resize(2)
		for left, want := range []int{0, 0, 1} {
			inside[left].leave(true)
			synctest.Wait()
			if len(admitted) != want {
				t.Errorf("%d admitted after %d have left, want %d", len(admitted), left+1, want)
			}
		}
		limit.resize(5)
		inside[3].leave(true)
		synctest.Wait()
		if state := limit.state(); len(admitted) != 3 || state.used != 3 || state.limit != 5 {
			t.Errorf("%d admitted, %+v", len(admitted), state)
		}
	})
}

// Whoever finds too few samples becomes one and nobody else does, so that they stand for the requests in flight.
func TestSamplesStandForTheRequestsInFlight(t *testing.T) {
	random := rand.New(rand.NewPCG(shedSeed(t), 1))
	limit := newInFlight(0)
	var inside []pass
	var samples, requests int
	for range 20_000 {
		if random.IntN(1000) >= len(inside) { // about five hundred in flight
			before := limit.sampler.limiter.Inflight()
			pass, err := limit.enter(context.Background(), playing)
			if err != nil {
				t.Fatal(err)
			}
			inside = append(inside, pass)
			after := limit.sampler.limiter.Inflight()
			if lacking := len(inside) > before*sampleShare; len(inside) > sampleShare && lacking != (after > before) {
				t.Fatalf("%d samples, then %d, for %d in flight", before, after, len(inside))
			}
			samples, requests = samples+after, requests+len(inside)
			continue
		}
		i := random.IntN(len(inside))
		inside[i].leave(random.IntN(2) == 0)
		inside = slices.Delete(inside, i, i+1)
	}
	if ratio := float64(samples*sampleShare) / float64(requests); ratio < 0.97 || ratio > 1.05 {
		t.Errorf("the samples stand for %.2f of the requests in flight", ratio)
	}
	for _, pass := range inside {
		pass.leave(false)
	}
	if state, samples := limit.state(), limit.sampler.limiter.Inflight(); state.used != 0 || samples != 0 {
		t.Errorf("%+v, %d samples", state, samples)
	}
}

// Without a limit everybody is let in, and there is nothing to tell.
func TestNoLimit(t *testing.T) {
	limit := newInFlight(-1)
	for range 100_000 {
		if _, err := limit.enter(context.Background(), listing); err != nil {
			t.Fatal(err)
		}
	}
	pass{}.leave(true)
	if state := limit.state(); state != (inFlightState{}) {
		t.Errorf("%+v", state)
	}
}
