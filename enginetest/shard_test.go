package enginetest

import (
	"context"
	"iter"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"hongbao"
)

// shards is the model as a cluster: players are spread over shards, which lease numbers ahead of winning them and take
// what another has left once nothing is free, hear of a revision one after the other until it is answered, and tell what
// they can without looking at the player. The journal shows what was there at the last Sync.
type shards struct {
	*Model
	size   uint64             // of a lease
	cursor map[uint32]uint64  // numbers leased so far, by campaign
	leases map[shard][]uint64 // numbers leased and not won
	known  map[shard]uint32   // revision
	asked  int
	synced int

	// For lies:
	tally    func(*hongbao.Campaign) hongbao.Tally // what is issued; nil: what is
	twice    bool                                  // a number may be won again
	deaf     bool                                  // revisions are heard of only with a lease
	pretends bool                                  // the journal has the revision in force, whatever decided
	forward  bool                                  // Record tells a position behind the next event
	hasty    func(*hongbao.Campaign, hongbao.SnatchRequest) (hongbao.Status, bool)
}

// shard is one of a few, as far as a campaign goes.
type shard struct {
	campaign uint32
	n        uint64
}

const shardCount, leaseSize = 3, 7

// openShards makes harnesses whose engines lease that many numbers at a time.
func openShards(size uint64) Open {
	return func(t testing.TB, now hongbao.Time) *Harness {
		h := openModelHarness(t, now)
		s := &shards{
			Model: h.Engine.(*Model), size: size,
			cursor: map[uint32]uint64{}, leases: map[shard][]uint64{}, known: map[shard]uint32{},
		}
		s.supply, s.hasty = s, s.unseen
		h.Engine, h.Leased, h.Ahead = s, true, size > 1
		return h
	}
}

func shardOf(campaign uint32, uid uint64) shard { return shard{campaign, uid % shardCount} }

func (s *shards) Put(ctx context.Context, change hongbao.Change) (*hongbao.Campaign, error) {
	c, err := s.Model.Put(ctx, change)
	if err != nil {
		return c, err
	}
	for n := range uint64(shardCount) {
		runtime.Gosched() // to requests under the revision before
		s.mu.Lock()
		if !s.deaf {
			s.known[shard{c.ID, n}] = c.Revision()
		}
		s.mu.Unlock()
	}
	return c, nil
}

func (s *shards) Snatch(ctx context.Context, r hongbao.SnatchRequest) (hongbao.SnatchResult, error) {
	if answer, ok := s.answer(r); ok {
		return answer, nil
	}
	result, err := s.Model.Snatch(ctx, r)
	if s.pretends {
		s.rename(r)
	}
	return result, err
}

// answer is what can be told without the player, every other time that there is something.
func (s *shards) answer(r hongbao.SnatchRequest) (hongbao.SnatchResult, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.campaign(r.Campaign)
	if c == nil {
		return hongbao.SnatchResult{}, false
	}
	status, ok := s.hasty(c, r)
	s.asked++
	return hongbao.SnatchResult{Status: status, Wins: -1, Rules: c.Rules()}, ok && s.asked%2 == 0
}

func (s *shards) unseen(c *hongbao.Campaign, r hongbao.SnatchRequest) (hongbao.Status, bool) {
	if !r.KeyIsNew && s.wins[right{r.UID, r.Campaign}] > 0 {
		return 0, false
	}
	status := s.decideUnseen(r, false)
	return status, status != hongbao.Won && status != hongbao.Paused
}

func (s *shards) number(c *hongbao.Campaign, uid uint64) (uint64, error) {
	at := shardOf(c.ID, uid)
	if len(s.leases[at]) == 0 {
		s.lease(c, at)
	}
	number := s.leases[at][0]
	if !s.twice || len(s.journal)%4 > 0 {
		s.leases[at] = s.leases[at][1:]
	}
	return number, nil
}

// lease draws the next numbers, or when there are none the last that another shard has left.
func (s *shards) lease(c *hongbao.Campaign, at shard) {
	for range s.size {
		if number := s.cursor[c.ID]; number < c.Rules().Budget.Count {
			s.leases[at] = append(s.leases[at], number)
			s.cursor[c.ID]++
		}
	}
	for n := range uint64(shardCount) {
		other := shard{c.ID, n}
		if last := len(s.leases[other]) - 1; last >= 0 && len(s.leases[at]) == 0 {
			s.leases[at], s.leases[other] = []uint64{s.leases[other][last]}, s.leases[other][:last]
		}
	}
}

func (s *shards) issued(c *hongbao.Campaign) (hongbao.Tally, error) {
	if s.tally != nil {
		return s.tally(c), nil
	}
	return s.below(c, s.cursor[c.ID]), nil
}

// revision is the one that the shard has heard of. With nothing left, it must ask for a lease, and hears of the last.
func (s *shards) revision(c *hongbao.Campaign, uid uint64) uint32 {
	at := shardOf(c.ID, uid)
	if len(s.leases[at]) == 0 {
		s.known[at] = c.Revision()
	}
	return s.known[at]
}

var _ supply = (*shards)(nil)

// rename has the journal say that the revision in force decided what was won by that key.
func (s *shards) rename(r hongbao.SnatchRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.journal {
		if e := &s.journal[i]; e.Kind == hongbao.EnvelopeWon && e.UID == r.UID && e.Key == r.Key {
			e.Revision = s.campaign(e.Campaign).Revision()
		}
	}
}

func (s *shards) Journal(ctx context.Context, after hongbao.Position) iter.Seq2[hongbao.Entry, error] {
	s.mu.Lock()
	end := s.synced
	s.mu.Unlock()
	return func(yield func(hongbao.Entry, error) bool) {
		for entry, err := range s.Model.Journal(ctx, hongbao.Position(strings.TrimPrefix(string(after), "after "))) {
			if n, _ := strconv.Atoi(string(entry.Position)); n > end || !yield(entry, err) {
				return
			}
		}
	}
}

func (s *shards) Record(ctx context.Context, e hongbao.Event, after *hongbao.Event) (hongbao.Position, error) {
	at, err := s.Model.Record(ctx, e, after)
	if n, _ := strconv.Atoi(string(at)); s.forward {
		at = position(n)
	}
	return "after " + at, err
}

func (s *shards) Sync(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.synced = len(s.journal)
	return nil
}

func (s *shards) Health() hongbao.Health {
	h := s.Model.Health()
	s.mu.Lock()
	defer s.mu.Unlock()
	h.Lag = h.Events - uint64(min(s.synced, int(h.Events)))
	return h
}
