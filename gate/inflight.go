package gate

import (
	"context"
	"sync/atomic"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
)

// inFlight limits how many requests are in the engine at once; the others wait in a queue, and are shed from it where
// there are too many or they have waited too long. nil has no limit.
type inFlight struct {
	used    atomic.Int64
	done    atomic.Int64 // measured requests that have left
	_       [48]byte     // what is above is written by every request, what follows is hardly ever
	limit   atomic.Int64
	sampler *sampler // nil: the limit is fixed
	queue   queue
}

// newInFlight makes a limit of requests in the engine: 0 adapts to latency, above 0 is fixed, below 0 is none.
func newInFlight(limit int) *inFlight {
	if limit < 0 {
		return nil
	}
	f := &inFlight{}
	f.queue.take = f.take
	f.limit.Store(int64(limit))
	if limit == 0 {
		f.sampler = newSampler()
		f.limit.Store(limitStart)
	}
	return f
}

// pass is the right to be in the engine. Whoever has one leaves exactly once.
type pass struct {
	from   *inFlight
	sample adaptivelimiter.Permit // nil: its time is not measured
}

// enter takes a slot, waiting for it if need be. The error is [hongbao.ErrBusy] where the request is shed, and where ctx
// ends while it waits: nothing has happened.
func (f *inFlight) enter(ctx context.Context, p priority) (pass, error) {
	if f == nil {
		return pass{}, nil
	}
	// Nobody overtakes those who wait, unless it comes before them in the queue.
	if f.queue.waiting.Load() > 0 || !f.take() {
		if err := f.queue.wait(ctx, p); err != nil {
			return pass{}, err
		}
	}
	admitted := pass{from: f}
	if f.sampler != nil {
		admitted.sample = f.sampler.begin(f.used.Load())
	}
	return admitted, nil
}

// leave gives the slot back. measured says whether the time it took tells something about the engine: snatches that it
// decided, openings and sign-ups do; reads, failures and what was answered without it don't.
func (p pass) leave(measured bool) {
	f := p.from
	if f == nil {
		return
	}
	if measured {
		f.done.Add(1)
	}
	if p.sample != nil {
		f.resize(f.sampler.end(p.sample, measured, f.done.Load()))
	}
	f.used.Add(-1)
	f.queue.serve()
}

// take takes a slot if one is free. It never takes more than the limit, not even for a moment.
func (f *inFlight) take() bool {
	for {
		used := f.used.Load()
		if used >= f.limit.Load() {
			return false
		}
		if f.used.CompareAndSwap(used, used+1) {
			return true
		}
	}
}

// resize sets the limit. A lower one takes effect as requests leave.
func (f *inFlight) resize(limit int64) {
	if f.limit.Load() != limit {
		f.limit.Store(limit)
	}
}

// inFlightState is what the limit looks like at one instant.
type inFlightState struct {
	limit    int                // 0: none
	used     int                // requests in the engine
	waiting  [priorities]int    // requests that wait for a slot
	shed     [priorities]uint64 // requests shed since the start
	shedding bool               // something was shed within the last seconds
}

func (f *inFlight) state() inFlightState {
	if f == nil {
		return inFlightState{}
	}
	s := inFlightState{limit: int(f.limit.Load()), used: int(f.used.Load())}
	f.queue.describe(&s)
	return s
}
