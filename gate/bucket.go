package gate

import (
	"hash/maphash"
	"net/netip"
	"sync/atomic"
	"time"
)

// Quota is where a caller stands with a bucket after a request. The zero value is that of no limit.
type Quota struct {
	Policy     string        // of the bucket, as the header RateLimit-Policy has it; empty: no limit
	Remaining  int           // requests that would be let through now
	Reset      time.Duration // until the whole burst is there again
	RetryAfter time.Duration // of a refusal: until one more is let through; otherwise 0
}

// cell is one bucket as GCRA keeps it: the theoretical arrival time of the next request, in nanoseconds of the gate's own
// clock. It is a token bucket that is filled by nobody. See the generic cell rate algorithm, ITU-T I.371.
type cell struct{ arrival atomic.Int64 }

// take asks for one request at the time now. Many may ask at once; each is counted.
func (c *cell) take(l *limit, now int64) Quota {
	for {
		arrival := c.arrival.Load()
		next := max(arrival, now) + l.interval
		if owed := next - now; owed > l.depth {
			return l.quota(owed-l.interval, owed-l.depth)
		}
		if c.arrival.CompareAndSwap(arrival, next) {
			return l.quota(next-now, 0)
		}
	}
}

// full reports whether a request would be refused, and counts nothing.
func (c *cell) full(l *limit, now int64) bool {
	return max(c.arrival.Load(), now)+l.interval-now > l.depth
}

func (l *limit) quota(owed, wait int64) Quota {
	return Quota{
		Policy: l.policy, Remaining: int((l.depth - owed) / l.interval),
		Reset: time.Duration(owed), RetryAfter: time.Duration(wait),
	}
}

// table is a fixed number of cells, shared by all callers there may be. A caller's cell is found by a hash that nobody
// outside knows. Nothing is ever evicted, so that no flood can make room for itself or reset a bucket; the price is that
// two callers in a cell share its rate: with n callers over their rate, one in size/n of all others is slowed with them.
type table struct {
	seed  maphash.Seed
	cells []cell
}

// newTable makes a table of 2^bits cells of 8 bytes. Memory that no caller has touched is not resident.
func newTable(bits int) *table {
	return &table{seed: maphash.MakeSeed(), cells: make([]cell, 1<<bits)}
}

// ofPlayer is the cell of a uid.
func (t *table) ofPlayer(uid uint64) *cell {
	return t.at(maphash.Comparable(t.seed, uid))
}

// ofAddress is the cell of an address: of the whole /64 under IPv6, which is what one customer is given.
func (t *table) ofAddress(a netip.Addr) *cell {
	if a.Is4() {
		return t.at(maphash.Comparable(t.seed, a.As4()))
	}
	bytes := a.As16()
	return t.at(maphash.Comparable(t.seed, [8]byte(bytes[:8])))
}

func (t *table) at(hash uint64) *cell { return &t.cells[hash&uint64(len(t.cells)-1)] }
