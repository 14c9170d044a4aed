package gate

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"hongbao"
)

const (
	// The breaker opens where at least so many calls were made within the window and so large a share of them failed.
	// The share is high because a dead shard of the cluster must not open it: its players are told busy by the engine
	// itself while others play on. With players spread evenly that means four shards of five dead, or all of three.
	breakerWindow    = 3 * time.Second
	breakerCalls     = 50
	breakerFailShare = 0.8

	// It stays open for so long and then lets some calls try. The second that succeeds closes it; one success of ten is
	// as bad as what opened it.
	breakerOpenFor   = time.Second
	breakerTrials    = 10
	breakerSuccesses = 2
)

// breaker keeps requests away from an engine that is down, so that they are told at once and it can come back in peace.
// Each outcome is recorded as it comes (about 100 ns under failsafe's lock): collecting successes and handing them in later
// would put them into the wrong part of the window, and a good past would hide a dead engine. Asking while it is closed
// takes no lock.
type breaker struct {
	circuit circuitbreaker.CircuitBreaker[any]
	logger  *slog.Logger
	closed  atomic.Bool // follows circuit; read without its lock
	refused atomic.Uint64

	lock   sync.Mutex // taken before the circuit's own, never inside it
	since  time.Time  // zero while closed
	opened uint64
}

func newBreaker(logger *slog.Logger) *breaker {
	b := &breaker{logger: logger}
	b.closed.Store(true)
	b.circuit = circuitbreaker.NewBuilder[any]().
		WithFailureRateThreshold(breakerFailShare, breakerCalls, breakerWindow).
		WithSuccessThresholdRatio(breakerSuccesses, breakerTrials).
		WithDelay(breakerOpenFor).
		OnStateChanged(b.changed).
		Build()
	return b
}

// allow says whether the engine may be called: [hongbao.ErrBusy] while it is down. Every call that was allowed must be
// recorded, however it ended.
func (b *breaker) allow() error {
	if b.closed.Load() || b.circuit.TryAcquirePermit() {
		return nil
	}
	b.refused.Add(1)
	return hongbao.ErrBusy
}

// record tells how a call ended. Busy, unknown and broken are the engine's failures; everything else, refusals of
// the caller too, shows that it works.
func (b *breaker) record(err error) {
	if err == nil || !engineFailed(err) {
		b.circuit.RecordSuccess()
		return
	}
	b.circuit.RecordFailure()
}

func engineFailed(err error) bool {
	return errors.Is(err, hongbao.ErrBusy) || errors.Is(err, hongbao.ErrUnknown) || errors.Is(err, hongbao.ErrBroken)
}

// changed follows the circuit. Events of two changes may come in either order, so it asks for the state instead of
// believing the event.
func (b *breaker) changed(event circuitbreaker.StateChangedEvent) {
	b.lock.Lock()
	defer b.lock.Unlock()
	closed := b.circuit.IsClosed()
	if b.closed.Swap(closed) == closed {
		b.logger.Debug("the breaker tries the engine", "state", event.NewState.String())
		return
	}
	if closed {
		b.logger.Info("the engine answers again, the breaker is closed", "open_for", time.Since(b.since).Round(time.Millisecond))
		b.since = time.Time{}
		return
	}
	b.since = time.Now()
	b.opened++
	b.logger.Warn("the engine fails, the breaker is open",
		"calls", b.circuit.Metrics().Executions(), "failed", b.circuit.Metrics().Failures(), "window", breakerWindow)
}

// breakerState is what the breaker looks like at one instant.
type breakerState struct {
	open    bool      // the engine is not called, or only to try it
	since   time.Time // when it opened; zero while closed
	opened  uint64    // how often it has opened
	refused uint64    // calls refused since the start
}

func (b *breaker) state() breakerState {
	b.lock.Lock()
	defer b.lock.Unlock()
	return breakerState{open: !b.since.IsZero(), since: b.since, opened: b.opened, refused: b.refused.Load()}
}
