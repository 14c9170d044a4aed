package playerapi

import (
	"sync/atomic"
	"time"
)

// Stats is what the port has answered since the start.
type Stats struct {
	Connections int // open now
	Answers     []RouteAnswers
	Snatch      Latencies // snatches of both APIs, from the request's last byte read to the answer written down
}

// RouteAnswers are the answers of one route by class of HTTP status. Unknown routes are "none".
type RouteAnswers struct {
	Route                        string
	OK, ClientFault, ServerFault uint64 // 2xx and 3xx, 4xx, 5xx
}

// Latencies is a histogram.
type Latencies struct {
	Bounds []time.Duration // upper bounds of the buckets, ascending
	Counts []uint64        // one more than bounds: the last counts what is above them; not cumulative
	Sum    time.Duration
}

// latencyBounds reach from a refusal out of memory to a disk that hangs.
var latencyBounds = [...]time.Duration{
	50 * time.Microsecond, 100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	1 * time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second,
}

const statusClasses = 6 // by the first digit of the HTTP status

type stats struct {
	answers  [routes][statusClasses]atomic.Uint64
	buckets  [len(latencyBounds) + 1]atomic.Uint64
	snatchNS atomic.Int64
}

func (s *stats) count(route route, status int, took time.Duration) {
	s.answers[route][min(status/100, statusClasses-1)].Add(1)
	if route == routeSnatch || route == routeCampSnatch {
		s.buckets[bucketOf(took)].Add(1)
		s.snatchNS.Add(int64(took))
	}
}

func bucketOf(took time.Duration) int {
	for i, bound := range latencyBounds {
		if took <= bound {
			return i
		}
	}
	return len(latencyBounds)
}

// Stats reads the counters.
func (s *Server) Stats() Stats {
	now := Stats{Connections: int(s.http.GetOpenConnectionsCount())}
	for r := range routes {
		by := &s.stats.answers[r]
		now.Answers = append(now.Answers, RouteAnswers{r.String(), by[2].Load() + by[3].Load(), by[4].Load(), by[5].Load()})
	}
	now.Snatch = Latencies{Bounds: latencyBounds[:], Sum: time.Duration(s.stats.snatchNS.Load())}
	for i := range s.stats.buckets {
		now.Snatch.Counts = append(now.Snatch.Counts, s.stats.buckets[i].Load())
	}
	return now
}
