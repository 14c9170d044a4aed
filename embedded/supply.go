package embedded

import (
	"math"
	"sort"
	"sync/atomic"

	"hongbao"
)

// supply is a campaign's envelopes in memory: amounts of the tranches cut so far, and who holds what. The campaign's
// lock guards cutting and taking; holders are read and changed without it, under their player's lock.
type supply struct {
	campaign uint32
	seed     *hongbao.Seed
	tranches atomic.Pointer[[]*tranche] // by first number; a revised budget's begin behind what was issued
	segment  hongbao.Segment            // that numbers are taken from
	current  *tranche                   // that has the next number, or ends before it; nil after begin
	next     uint64                     // number
	ahead    *cutting                   // the tranche after the last, when it is wanted soon
}

// tranche is up to 65,536 envelopes in memory: 12 bytes each, 16 where an amount may exceed 2^32 fen.
type tranche struct {
	first   uint64
	small   []uint32 // amounts, or
	large   []int64
	holders []atomic.Uint64
}

// cutting is a tranche that is being cut in the background.
type cutting struct {
	segment hongbao.Segment
	j       int
	done    chan struct{}
	tranche *tranche
}

// holder packs who has an envelope and where it stands into a word: uid in the low 53 bits, then the state, then whether
// it is taken.
type holder uint64

const (
	uidBits   = 53
	uidMask   = 1<<uidBits - 1
	takenFlag = 1 << 63
)

func newHolder(uid uint64, state hongbao.EnvelopeState) holder {
	return holder(takenFlag | uint64(state)<<uidBits | uid)
}

func (h holder) taken() bool                  { return h&takenFlag != 0 }
func (h holder) uid() uint64                  { return uint64(h) & uidMask }
func (h holder) state() hongbao.EnvelopeState { return hongbao.EnvelopeState(h >> uidBits & 3) }

func (t *tranche) len() uint64 { return uint64(len(t.holders)) }

func (t *tranche) amount(number uint64) int64 {
	if t.small != nil {
		return int64(t.small[number-t.first])
	}
	return t.large[number-t.first]
}

func (t *tranche) holder(number uint64) *atomic.Uint64 { return &t.holders[number-t.first] }

// cut makes tranche j of a segment.
func (s *supply) cut(segment hongbao.Segment, j int) *tranche {
	amounts := segment.Cut(*s.seed, s.campaign, j)
	first, count, _ := segment.Tranche(j)
	t := &tranche{first: first, holders: make([]atomic.Uint64, count)}
	if segment.MaxFen > math.MaxUint32 {
		t.large = amounts
		return t
	}
	t.small = make([]uint32, count)
	for i, amount := range amounts {
		t.small[i] = uint32(amount)
	}
	return t
}

// begin goes on with a segment: the numbers of the one before that are not issued are never given out.
func (s *supply) begin(segment hongbao.Segment) {
	s.segment, s.current = segment, nil
}

// of finds the tranche of a number: the last that begins at or before it.
func (s *supply) of(number uint64) *tranche {
	list := s.tranches.Load()
	if list == nil {
		return nil
	}
	after := sort.Search(len(*list), func(i int) bool { return (*list)[i].first > number })
	if after == 0 {
		return nil
	}
	if t := (*list)[after-1]; number-t.first < t.len() {
		return t
	}
	return nil
}

// ready returns the tranche of the next number, cutting it when it is not there, or nil when the segment is used up.
func (s *supply) ready() *tranche {
	if s.next >= s.segment.First+s.segment.Count {
		return nil
	}
	j := int((s.next - s.segment.First) / hongbao.TrancheSize)
	if s.current == nil || s.next-s.current.first >= s.current.len() {
		s.extend(j)
	}
	if used := s.next - s.current.first; used >= s.current.len()-s.current.len()/4 && j+1 < s.segment.Tranches() {
		s.cutAhead(j + 1)
	}
	return s.current
}

// extend adds tranche j of the current segment, from the background where it was cut ahead.
func (s *supply) extend(j int) {
	if a := s.ahead; a != nil && a.segment == s.segment && a.j == j {
		<-a.done
		s.current = a.tranche
	} else {
		s.current = s.cut(s.segment, j)
	}
	s.ahead = nil
	s.add(s.current)
}

// add appends to the list, in which readers may be at the same time: only what is behind their length is written.
func (s *supply) add(t *tranche) {
	var list []*tranche
	if old := s.tranches.Load(); old != nil {
		list = *old
	}
	list = append(list, t)
	s.tranches.Store(&list)
}

// cutAhead cuts the next tranche when under a quarter of this one is left (the low watermark of the pool, 红包池).
func (s *supply) cutAhead(j int) {
	if s.ahead != nil && s.ahead.segment == s.segment {
		return
	}
	a := &cutting{segment: s.segment, j: j, done: make(chan struct{})}
	s.ahead = a
	go func() {
		a.tranche = s.cut(a.segment, a.j)
		close(a.done)
	}()
}

// take gives the next number to a player. ready was called before.
func (s *supply) take(t *tranche, uid uint64) (number uint64) {
	number = s.next
	t.holder(number).Store(uint64(newHolder(uid, hongbao.StateHeld)))
	s.next++
	return number
}

// forget lets all envelopes go: of a campaign that is sealed and holds none, nothing is given out any more.
func (s *supply) forget() {
	s.segment, s.current, s.ahead = hongbao.Segment{}, nil, nil
	s.tranches.Store(nil)
}
