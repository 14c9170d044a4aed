package gate

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hongbao"
)

// quietBreaker is a breaker that logs nowhere.
func quietBreaker() *breaker { return newBreaker(slog.New(slog.DiscardHandler)) }

// call makes a call through the breaker if it may; false says that it may not.
func call(b *breaker, outcome error) bool {
	if b.allow() != nil {
		return false
	}
	b.record(outcome)
	return true
}

// calls makes so many of which so many fail, spread evenly, and says how many were allowed.
func calls(b *breaker, n, failed int) (allowed int) {
	for i := range n {
		var outcome error
		if (i+1)*failed/n > i*failed/n {
			outcome = hongbao.ErrUnknown
		}
		if call(b, outcome) {
			allowed++
		}
	}
	return allowed
}

// What fails for the player is no failure of the engine.
func TestTheEnginesFailuresAreItsOwn(t *testing.T) {
	for _, row := range []struct {
		outcome error
		opens   bool
	}{
		{nil, false},
		{hongbao.ErrNotFound, false},
		{hongbao.Invalid("key", "", "text"), false},
		{hongbao.ErrReadOnly, false},
		{errors.New("something else"), false},
		{hongbao.ErrBusy, true},
		{fmt.Errorf("shard 3: %w", hongbao.ErrBusy), true},
		{fmt.Errorf("timeout: %w", hongbao.ErrUnknown), true},
		{hongbao.ErrBroken, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := quietBreaker()
			for range breakerCalls {
				call(b, row.outcome)
			}
			if open := b.allow() != nil; open != row.opens || b.state().open != row.opens {
				t.Errorf("after calls that end with %v it is open: %v", row.outcome, open)
			}
		})
	}
}

// It opens at the share of failures that it says, not below, and not for a few calls.
func TestTheBreakerOpensWhereNearlyAllFail(t *testing.T) {
	for _, row := range []struct {
		name          string
		calls, failed int
		opens         bool
	}{
		{"too few calls to tell", breakerCalls - 1, breakerCalls - 1, false},
		{"enough calls", breakerCalls, breakerCalls, true},
		{"one shard of three is dead", 3000, 1000, false},
		{"two shards of three are dead", 3000, 2000, false},
		{"three shards of four are dead", 4000, 3000, false},
		{"four shards of five are dead", 5000, 4000, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := quietBreaker()
				calls(b, row.calls, row.failed)
				if open := b.state().open; open != row.opens {
					t.Errorf("open: %v", open)
				}
			})
		})
	}
}

// An open breaker lets nobody through to the engine, then as many as it takes to tell, and closes when it answers.
func TestAnOpenBreakerTriesTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := quietBreaker()
		opened := time.Now()
		if allowed := calls(b, 1000, 1000); allowed != breakerCalls {
			t.Errorf("%d calls allowed of an engine that is dead", allowed)
		}
		time.Sleep(breakerOpenFor - 1)
		if err := b.allow(); !errors.Is(err, hongbao.ErrBusy) {
			t.Errorf("while open: %v", err)
		}
		time.Sleep(1)
		if allowed := calls(b, 1000, 1000); allowed != breakerTrials-breakerSuccesses+1 {
			t.Errorf("%d trials that failed before it opened again", allowed)
		}
		time.Sleep(breakerOpenFor)
		for trial := range breakerTrials {
			if err := b.allow(); err != nil {
				t.Errorf("trial %d: %v", trial, err)
			}
		}
		if err := b.allow(); !errors.Is(err, hongbao.ErrBusy) {
			t.Errorf("one trial more: %v", err)
		}
		if state := b.state(); !state.open || !state.since.Equal(opened) || state.opened != 1 || state.refused != 950+1+991+1 {
			t.Errorf("while it tries: %+v", state)
		}
		for range breakerSuccesses {
			b.record(nil)
		}
		if state := b.state(); state.open || !state.since.IsZero() || b.allow() != nil {
			t.Errorf("after two successes: %+v", state)
		}
	})
}

// A busy past does not hide that the engine is dead now: by the end of the window the breaker is open, however few calls
// a dead engine gets.
func TestTheBreakerForgetsGoodTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := quietBreaker()
		for range 100 {
			calls(b, 1000, 0)
			time.Sleep(breakerWindow / 100)
		}
		died := time.Now()
		for b.allow() == nil {
			b.record(hongbao.ErrUnknown)
			time.Sleep(breakerWindow / 100)
		}
		if took := time.Since(died); took > breakerWindow*11/10 {
			t.Errorf("it took %v", took)
		}
	})
}

// An outage is two lines in the log, however long it lasts and however often the engine is tried.
func TestEachChangeIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		b := newBreaker(slog.New(slog.NewTextHandler(&log, nil)))
		for range 60 {
			calls(b, 1000, 1000)
			time.Sleep(breakerOpenFor)
		}
		calls(b, 1000, 0)
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "the breaker is open\" calls=50 failed=50") || !strings.Contains(lines[1], "is closed\" open_for=1m0s") {
			t.Errorf("%q", lines)
		}
		if state := b.state(); state.opened != 1 || state.open {
			t.Errorf("%+v", state)
		}
	})
}

// With many callers at once and an engine that comes and goes, the breaker follows it, and what it shows is what it does.
func TestTheBreakerFollowsTheEngine(t *testing.T) {
	seed := shedSeed(t)
	synctest.Test(t, func(t *testing.T) {
		b := quietBreaker()
		var dead, over atomic.Bool
		var running sync.WaitGroup
		for caller := range 50 {
			running.Go(func() {
				random := rand.New(rand.NewPCG(seed, uint64(caller)))
				for !over.Load() {
					if b.allow() == nil {
						isDead := dead.Load()
						time.Sleep(time.Duration(random.IntN(3000)) * time.Microsecond)
						if isDead {
							b.record(hongbao.ErrBusy)
						} else {
							b.record(nil)
						}
					}
					time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
				}
			})
		}
		for outage := range 10 {
			time.Sleep(2 * breakerWindow)
			if state := b.state(); state.open || state.opened != uint64(outage) || !b.closed.Load() || !b.circuit.IsClosed() {
				t.Fatalf("outage %d, alive: %+v", outage, state)
			}
			dead.Store(true)
			time.Sleep(2 * breakerWindow)
			if state := b.state(); !state.open || state.opened != uint64(outage+1) || b.closed.Load() || b.circuit.IsClosed() {
				t.Fatalf("outage %d, dead: %+v", outage, state)
			}
			dead.Store(false)
		}
		over.Store(true)
		running.Wait()
	})
}
