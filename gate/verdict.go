package gate

import (
	"context"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

const (
	// verdictKept is how long a score is remembered.
	verdictKept = time.Minute
	// verdictShards is in how many parts the table is locked.
	verdictShards = 64
	// verdictsMax is how many scores a generation of one part holds: 2^17 in all, 2^18 in both generations.
	verdictsMax = 1 << 17 / verdictShards
)

// riskCaller is whom a score is about. It holds no pointers, so that the collector passes over the table.
type riskCaller struct {
	uid      uint64
	campaign uint32
	address  [16]byte // an IPv4 address in its IPv6 form, without a zone
}

func newRiskCaller(uid uint64, campaign uint32, address netip.Addr) riskCaller {
	return riskCaller{uid, campaign, address.As16()}
}

// verdict is a score and when it came.
type verdict struct {
	score float64
	at    time.Duration
}

// verdicts remembers scores for a minute, and which are being asked for. Its memory is bounded by two generations: a
// full one becomes the old one, and the old one is emptied. Whoever is forgotten early that way is asked about anew.
type verdicts struct {
	seed   maphash.Seed // secret, so that nobody chooses whose part he fills
	shards [verdictShards]verdictShard
}

type verdictShard struct {
	mu         sync.Mutex
	young, old map[riskCaller]verdict
	underWay   map[riskCaller]*inquiry
	cached     uint64 // how many were answered from memory
}

// inquiry is one request to the hook, shared by all who want its score.
type inquiry struct {
	budget context.Context // ends when the time is spent
	cancel context.CancelFunc

	done  chan struct{} // closed once the fields below are set
	score float64
	told  bool // whether a score came
}

func newVerdicts() *verdicts {
	v := &verdicts{seed: maphash.MakeSeed()}
	for i := range v.shards {
		v.shards[i].young = map[riskCaller]verdict{}
		v.shards[i].old = map[riskCaller]verdict{}
		v.shards[i].underWay = map[riskCaller]*inquiry{}
	}
	return v
}

func (v *verdicts) shard(who riskCaller) *verdictShard {
	return &v.shards[maphash.Comparable(v.seed, who)%verdictShards]
}

// look returns the score where it is remembered. Otherwise it returns the inquiry that will tell, and whether it is a new
// one, which the caller then has to make and to settle. A new one has the budget from now on.
func (v *verdicts) look(who riskCaller, now, budget time.Duration) (score float64, pending *inquiry, first bool) {
	s := v.shard(who)
	s.mu.Lock()
	defer s.mu.Unlock()
	if score, known := s.find(who, now); known {
		s.cached++
		return score, nil, false
	}
	if pending = s.underWay[who]; pending != nil {
		return 0, pending, false
	}
	pending = &inquiry{done: make(chan struct{})}
	pending.budget, pending.cancel = context.WithTimeout(context.Background(), budget)
	s.underWay[who] = pending
	return 0, pending, true
}

// find needs the lock. The young generation is asked first: the old one may hold an earlier score of the same caller.
func (s *verdictShard) find(who riskCaller, now time.Duration) (score float64, known bool) {
	v, ok := s.young[who]
	if !ok {
		v, ok = s.old[who]
	}
	return v.score, ok && now-v.at < verdictKept
}

// settle ends an inquiry: all who wait for it are told, and a score is remembered. A failure is not.
func (v *verdicts) settle(who riskCaller, q *inquiry, score float64, told bool, now time.Duration) {
	s := v.shard(who)
	s.mu.Lock()
	delete(s.underWay, who)
	if told {
		s.keep(who, verdict{score, now})
	}
	s.mu.Unlock()
	q.score, q.told = score, told
	close(q.done)
	q.cancel()
}

// keep needs the lock.
func (s *verdictShard) keep(who riskCaller, v verdict) {
	if len(s.young) >= verdictsMax {
		s.young, s.old = s.old, s.young
		clear(s.young)
	}
	s.young[who] = v
}

// wait returns the score, or false where none came in time, or before the caller's own context ended.
func (q *inquiry) wait(ctx context.Context) (score float64, told bool) {
	select {
	case <-q.done:
		return q.score, q.told
	case <-q.budget.Done(): // it ends even if the request does not come back
	case <-ctx.Done():
	}
	select {
	case <-q.done: // both at once: the answer counts
		return q.score, q.told
	default:
		return 0, false
	}
}

// cached is how many were answered from memory.
func (v *verdicts) cached() uint64 {
	var sum uint64
	for i := range v.shards {
		s := &v.shards[i]
		s.mu.Lock()
		sum += s.cached
		s.mu.Unlock()
	}
	return sum
}
