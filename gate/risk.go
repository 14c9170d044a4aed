package gate

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"hongbao"
)

// RiskOptions are where the risk of a request is asked for.
type RiskOptions struct {
	URL        string        // http or https; empty: nobody is asked
	Timeout    time.Duration // of a whole check; 0: 50 ms; from 1 ms to 5 s
	DenyAbove  float64       // scores above it are denied; from 0, which denies all but a score of 0, to 1, which denies none
	FailClosed bool          // where no score comes: refuse instead of admitting
	Keys       [][]byte      // what requests are signed with, as Standard Webhooks has it, a signature each; none: unsigned
}

const (
	// riskInFlight bounds the requests to the hook that are under way, those that wait for a connection too.
	riskInFlight = 256
	// The breaker opens when riskFailures of the last riskRecent requests have failed, and closes after riskTries in
	// sequence that succeed; while it is half open no more than that many are under way.
	riskFailures, riskRecent = 10, 20
	riskTries                = 3
	// riskRest is how long an open breaker asks nobody; at least twice the budget, so that no request of before is still
	// under way and counted as a try.
	riskRest = time.Second
)

// risk asks the company's hook for the score of those who are about to draw. A nil risk asks nobody.
type risk struct {
	hook       *riskHook
	timeout    time.Duration
	denyAbove  float64
	failClosed bool
	logger     *slog.Logger
	now        func() time.Duration // monotonic
	breaker    circuitbreaker.CircuitBreaker[any]
	verdicts   *verdicts

	slots   chan struct{} // one taken by each request under way
	closing sync.Once

	asked, answered, failed, denied, unscored atomic.Uint64
	lastFailure                               atomic.Pointer[error]
}

// riskState is what the hook has done since the start.
type riskState struct {
	asked    uint64 // requests to the hook that have ended
	answered uint64 // those with a score
	failed   uint64 // those without one
	cached   uint64 // checks answered from memory
	denied   uint64 // checks refused for their score
	unscored uint64 // checks for which nobody could tell, because the request failed or was not made
	open     bool   // whether the breaker holds requests back: open or half open
}

// newRisk returns nil where there is no URL.
func newRisk(o RiskOptions, logger *slog.Logger) (*risk, error) {
	if o.URL == "" {
		return nil, nil
	}
	if o.Timeout == 0 {
		o.Timeout = 50 * time.Millisecond
	}
	if err := o.valid(); err != nil {
		return nil, err
	}
	start := time.Now()
	r := &risk{
		hook:       newRiskHook(o),
		timeout:    o.Timeout,
		denyAbove:  o.DenyAbove,
		failClosed: o.FailClosed,
		logger:     logger,
		now:        func() time.Duration { return time.Since(start) },
		verdicts:   newVerdicts(),
		slots:      make(chan struct{}, riskInFlight),
	}
	r.breaker = r.newBreaker()
	return r, nil
}

func (o *RiskOptions) valid() error {
	address, err := url.Parse(o.URL)
	switch {
	case err != nil || address.Scheme != "http" && address.Scheme != "https" || address.Hostname() == "":
		return hongbao.Invalid("gate.risk.url", o.URL, "an http or https address")
	case address.User != nil:
		return hongbao.Invalid("gate.risk.url", address.Redacted(), "an address without user and password: sign with gate.risk.keys")
	case o.Timeout < time.Millisecond || o.Timeout > 5*time.Second:
		return hongbao.Invalid("gate.risk.timeout", o.Timeout, "from 1ms to 5s")
	case math.IsNaN(o.DenyAbove) || o.DenyAbove < 0 || o.DenyAbove > 1:
		return hongbao.Invalid("gate.risk.deny_above", o.DenyAbove, "from 0 to 1")
	case !slices.ContainsFunc(o.Keys, func(key []byte) bool { return !hongbao.IsSigningKey(key) }):
		return nil
	}
	return hongbao.Invalid("gate.risk.keys", "(not shown)", "keys of 24 to 64 bytes")
}

// newBreaker makes the breaker. An outage is told twice, when it begins and when it is over, however long it lasts and
// however many tries it takes.
func (r *risk) newBreaker() circuitbreaker.CircuitBreaker[any] {
	return circuitbreaker.NewBuilder[any]().
		WithFailureThresholdRatio(riskFailures, riskRecent).
		WithSuccessThreshold(riskTries).
		WithDelay(max(riskRest, 2*r.timeout)).
		OnStateChanged(r.changed).
		Build()
}

func (r *risk) changed(e circuitbreaker.StateChangedEvent) {
	switch {
	case e.NewState == circuitbreaker.ClosedState:
		r.logger.Info("the risk hook answers again")
	case e.OldState == circuitbreaker.ClosedState:
		r.logger.Warn("the risk hook fails and is not asked for now", "fail_open", !r.failClosed, "error", *r.lastFailure.Load())
	default:
		r.logger.Debug("the risk hook is tried", "breaker", e.NewState.String())
	}
}

// check returns nil where the player may go on, [hongbao.ErrDenied] for a score that is too high, and [hongbao.ErrBusy]
// where nobody could tell and the hook fails closed, or where the caller's context ended first. It takes the timeout at
// most. Whoever asks about the same player, campaign and address at the same time shares one request.
func (r *risk) check(ctx context.Context, uid uint64, campaign uint32, address netip.Addr, key string) error {
	if r == nil {
		return nil
	}
	who := newRiskCaller(uid, campaign, address)
	score, pending, first := r.verdicts.look(who, r.now(), r.timeout)
	if pending == nil {
		return r.judge(score)
	}
	if first {
		r.begin(who, pending, newRiskQuestion(uid, campaign, address, key))
	}
	score, told := pending.wait(ctx)
	if told {
		return r.judge(score)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", hongbao.ErrBusy, context.Cause(ctx))
	}
	return r.unknown()
}

// judge decides by the score.
func (r *risk) judge(score float64) error {
	if score > r.denyAbove {
		r.denied.Add(1)
		return hongbao.ErrDenied
	}
	return nil
}

// unknown decides where there is no score.
func (r *risk) unknown() error {
	r.unscored.Add(1)
	if r.failClosed {
		return hongbao.ErrBusy
	}
	return nil
}

// begin makes an inquiry in a goroutine of its own, so that nobody who leaves takes the answer from the others. Where
// too many are under way, or the breaker is open, the inquiry has failed at once.
func (r *risk) begin(who riskCaller, q *inquiry, question riskQuestion) {
	select {
	case r.slots <- struct{}{}:
	default:
		r.verdicts.settle(who, q, 0, false, 0)
		return
	}
	// The slot comes first: a permit of the breaker can't be given back without a result.
	if !r.breaker.TryAcquirePermit() {
		<-r.slots
		r.verdicts.settle(who, q, 0, false, 0)
		return
	}
	go func() {
		defer func() { <-r.slots }()
		score, err := r.hook.ask(q.budget, question)
		r.record(err)
		r.verdicts.settle(who, q, score, err == nil, r.now())
	}()
}

// record counts a request that has ended.
func (r *risk) record(err error) {
	r.asked.Add(1)
	if err == nil {
		r.answered.Add(1)
		r.breaker.RecordSuccess()
		return
	}
	r.failed.Add(1)
	r.lastFailure.Store(&err)
	r.breaker.RecordFailure()
}

// state is what the hook has done since the start.
func (r *risk) state() riskState {
	if r == nil {
		return riskState{}
	}
	return riskState{
		asked:    r.asked.Load(),
		answered: r.answered.Load(),
		failed:   r.failed.Load(),
		cached:   r.verdicts.cached(),
		denied:   r.denied.Load(),
		unscored: r.unscored.Load(),
		open:     !r.breaker.IsClosed(),
	}
}

// close waits for the requests under way, which end within the timeout, and closes the connections. It takes all the slots:
// a check that comes later all the same asks nobody.
func (r *risk) close() {
	if r == nil {
		return
	}
	r.closing.Do(func() {
		for range riskInFlight {
			r.slots <- struct{}{}
		}
		r.hook.client.CloseIdleConnections()
	})
}
