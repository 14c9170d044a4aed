package bench

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	timeoutMax   = time.Minute    // longest wait for an answer
	latencyMax   = 2 * timeoutMax // longer ones count as that
	intervalsMax = 120            // points of a plot
	figuresPlot  = 2              // significant figures of the latencies plotted
	figuresTotal = 3              // and of those in tables
)

// timeline counts answers and their latencies, as a whole and by interval. Latencies are in microseconds, counted from
// when a request was due.
type timeline struct {
	mu         sync.Mutex
	start      time.Time
	every      time.Duration
	intervals  []*interval
	operations map[Operation]*hdrhistogram.Histogram
	statuses   map[string]uint64
	recent     *hdrhistogram.Histogram // since the last glance
	unsent     uint64
	wins       uint64
	errors     uint64 // answers that are no business outcome, and requests without any
}

// interval is one point of the plots.
type interval struct {
	answered  uint64                  // in it
	unsent    uint64                  // due in it
	wins      uint64                  // in it
	errors    uint64                  // in it
	latencies *hdrhistogram.Histogram // of what was due in it
}

func newTimeline(start time.Time, duration time.Duration) *timeline {
	return &timeline{
		start: start, every: intervalFor(duration),
		operations: map[Operation]*hdrhistogram.Histogram{}, statuses: map[string]uint64{},
		recent: newHistogram(figuresPlot),
	}
}

// intervalFor is the shortest round interval of which a plot takes few enough.
func intervalFor(duration time.Duration) time.Duration {
	for unit := 100 * time.Millisecond; ; unit *= 10 {
		for _, factor := range []time.Duration{1, 2, 5} {
			if duration/(factor*unit) <= intervalsMax {
				return factor * unit
			}
		}
	}
}

func newHistogram(figures int) *hdrhistogram.Histogram {
	return hdrhistogram.New(1, latencyMax.Microseconds(), figures)
}

// answered counts a request that was due, and is over now.
func (t *timeline) answered(operation Operation, result Result, due, now time.Time) {
	latency := min(max(now.Sub(due), time.Microsecond), latencyMax).Microseconds()
	t.mu.Lock()
	defer t.mu.Unlock()
	histogram := t.operations[operation]
	if histogram == nil {
		histogram = newHistogram(figuresTotal)
		t.operations[operation] = histogram
	}
	// A value within the bounds is never refused.
	_, _, _ = histogram.RecordValue(latency), t.recent.RecordValue(latency), t.interval(due).latencies.RecordValue(latency)
	t.statuses[result.Label]++
	in := t.interval(now)
	in.answered++
	if result.Label == "won" {
		in.wins++
		t.wins++
	}
	if result.Outcome != Answered {
		in.errors++
		t.errors++
	}
}

// notSent counts a request that was due and could not be sent.
func (t *timeline) notSent(due time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.interval(due).unsent++
	t.unsent++
}

// interval is the one that a time falls in; the caller holds the mutex.
func (t *timeline) interval(at time.Time) *interval {
	n := int(max(at.Sub(t.start), 0) / t.every)
	for len(t.intervals) <= n {
		t.intervals = append(t.intervals, &interval{latencies: newHistogram(figuresPlot)})
	}
	return t.intervals[n]
}

// glance is what a progress line shows.
type glance struct {
	answered uint64 // since the last glance
	p99      time.Duration
	wins     uint64 // since the start, as all that follows
	errors   uint64
	unsent   uint64
}

// glance looks at what happened since the last time.
func (t *timeline) glance() glance {
	t.mu.Lock()
	defer t.mu.Unlock()
	g := glance{
		answered: uint64(t.recent.TotalCount()), p99: time.Duration(t.recent.ValueAtQuantile(99)) * time.Microsecond,
		wins: t.wins, errors: t.errors, unsent: t.unsent,
	}
	t.recent.Reset()
	return g
}
