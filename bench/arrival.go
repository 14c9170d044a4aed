package bench

import (
	"context"
	"math/rand/v2"
	"time"
)

// arrivals are the times at which requests are due in the open model. They depend on nothing that the server does.
type arrivals struct {
	start  time.Time
	rate   float64    // a second; infinite: all at start
	random *rand.Rand // nil: equal intervals; otherwise exponential ones (a Poisson process)
	nap    func(time.Duration)
	n      float64 // intervals passed
}

// next is when the next request is due.
func (a *arrivals) next() time.Time {
	due := a.start.Add(time.Duration(a.n / a.rate * float64(time.Second)))
	if a.random != nil {
		a.n += a.random.ExpFloat64()
	} else {
		a.n++
	}
	return due
}

// send calls due with the time of each of at most limit requests (0: no limit) that are due before end, at that time or
// as soon after it as the machine lets it, until ctx ends.
func (a *arrivals) send(ctx context.Context, end time.Time, limit int, due func(time.Time)) {
	for n := 0; limit == 0 || n < limit; n++ {
		at := a.next()
		if !at.Before(end) {
			return
		}
		if !a.wait(ctx, at) {
			return
		}
		due(at)
	}
}

// wait waits until at, and reports whether ctx is still there.
func (a *arrivals) wait(ctx context.Context, at time.Time) bool {
	const nap = 2 * time.Millisecond // the last piece of a longer wait
	for ctx.Err() == nil {
		switch left := time.Until(at); {
		case left <= 0:
			return true
		case left <= nap:
			a.nap(left)
		default:
			sleep(ctx, left-nap/2)
		}
	}
	return false
}
