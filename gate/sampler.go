package gate

import (
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
)

const (
	// sampleShare is how many requests in flight one sample stands for. The limiter counts in samples, so that its
	// steps (one or two a window) are of 16 or 32 requests: with every request counted it would take minutes from two
	// thousand to a few hundred, and two locks of each snatch.
	sampleShare = 16

	// quietShare is how many requests of a quiet server one sample stands for.
	quietShare = 8

	// The limits, in requests. An engine with group commit is the faster the more are in flight, up to about a thousand in
	// each of two groups: one that is written and one that gathers. So that is where the limit starts.
	limitMin, limitStart, limitMax = 128, 2048, 16384

	// unnoticed is how long an opening may take before anybody minds. Under lasting overload the limiter walks down for as
	// long as latency falls faster than throughput, and for group commit that is all the way, at a quarter to a half of the
	// throughput. So the limit stays at what makes an answer take so long (but not above leastMax).
	unnoticed = 20 * time.Millisecond
	leastMax  = 2 * limitStart

	// The limiter looks again after a window of so long and so many samples; what it takes for normal latency is the
	// average of about ten windows.
	windowMin, windowMax, windowSamples = 100 * time.Millisecond, time.Second, 50
)

// sampler adapts the in-flight limit to latency: a share of the requests hold a permit of failsafe's adaptive limiter
// (gradient and correlation of latency with requests in flight). Samples are not drawn by lot: whoever enters and finds more
// in flight than the samples stand for becomes one, so a sample that leaves is replaced by the next who comes. That keeps
// the limiter's own count of permits at the requests in flight divided by the share, rounded up: what it takes for in flight,
// for full and for throughput is right but for the unit. Where few are in flight, nothing is near a limit, and one in
// quietShare is a sample.
type sampler struct {
	limiter adaptivelimiter.AdaptiveLimiter[any]
	turn    atomic.Uint64 // counts requests that find few in flight
	samples atomic.Int64
	most    atomic.Int64 // the limiter's limit, in samples

	start time.Time
	pace  atomic.Int64 // when the pace was last looked at, in nanoseconds since the start
	done  atomic.Int64 // how many measured requests had left then
	least atomic.Int64 // below which the limit does not go, by the pace
}

func newSampler() *sampler {
	limiter := adaptivelimiter.NewBuilder[any]().
		WithLimits(limitMin/sampleShare, limitMax/sampleShare, limitStart/sampleShare).
		WithMaxLimitFunc(limitFor).
		WithRecentWindow(windowMin, windowMax, windowSamples).
		Build()
	s := &sampler{limiter: limiter, start: time.Now()}
	s.most.Store(limitStart / sampleShare)
	return s
}

// limitFor is how high the limit may rise where so many are in flight, in samples: what is not used is not known to be
// good. But a quiet server keeps what it started with, since the bell rings out of silence.
func limitFor(inFlight int) float64 {
	return float64(max(limitStart/sampleShare, 2*inFlight))
}

// begin makes the request a sample if there are too few for so many in flight; else it returns nil.
func (s *sampler) begin(inFlight int64) adaptivelimiter.Permit {
	if inFlight <= sampleShare && s.turn.Add(1)%quietShare != 0 {
		return nil
	}
	samples := s.samples.Load()
	if inFlight <= samples*sampleShare || samples >= s.most.Load() || !s.samples.CompareAndSwap(samples, samples+1) {
		return nil
	}
	permit, ok := s.limiter.TryAcquirePermit()
	if !ok {
		s.samples.Add(-1)
		return nil
	}
	return permit
}

// end gives the sample back and returns the limit of requests. done is how many measured requests have left since the
// start.
func (s *sampler) end(permit adaptivelimiter.Permit, measured bool, done int64) int64 {
	if measured {
		permit.Record()
	} else {
		permit.Drop()
	}
	s.samples.Add(-1)
	most := int64(s.limiter.Limit())
	s.most.Store(most)
	return max(most*sampleShare, s.leastFor(done))
}

// leastFor is how many in flight make an answer take as long as nobody notices: by Little's law the pace at which
// requests leave times that long. The pace is looked at once a window.
func (s *sampler) leastFor(done int64) int64 {
	now, last := int64(time.Since(s.start)), s.pace.Load()
	if now-last >= int64(windowMin) && s.pace.CompareAndSwap(last, now) {
		left := done - s.done.Swap(done)
		s.least.Store(min(leastMax, left*int64(unnoticed)/(now-last)))
	}
	return s.least.Load()
}
