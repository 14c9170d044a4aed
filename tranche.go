package hongbao

import (
	"fmt"
	"math/bits"
	"strconv"
)

// TrancheSize is the most envelopes that are cut at one time. A campaign of any size starts by cutting one.
const TrancheSize = 65536

// Segment is what one revision of a budget cuts: count envelopes, numbered from First, that sum to TotalFen.
// Together with the campaign's seed it determines every amount: Keeps G8.
type Segment struct {
	Revision uint32 `json:"revision"`
	First    uint64 `json:"first"` // number of its first envelope
	Count    uint64 `json:"count"` // 0 is a segment of nothing, whose total is 0
	TotalFen int64  `json:"total_fen"`
	MinFen   int64  `json:"min_fen"`
	MaxFen   int64  `json:"max_fen"`
	Split    Split  `json:"split"`
}

// Validate checks that the segment can be cut: 1 ≤ min ≤ max, count·min ≤ total ≤ count·max, and
// numbers below 2³². Errors are [FieldError] values.
func (s Segment) Validate() error { return s.validateAs("") }

// validateAs is Validate with a path before the names of fields.
func (s Segment) validateAs(path string) error {
	if err := checkOneOf(path+"split", s.Split, splits); err != nil {
		return err
	}
	if s.First > CountMax {
		return Invalid(path+"first", s.First, "from 0 to "+strconv.FormatUint(CountMax, 10))
	}
	if left := CountMax - s.First; s.Count > left {
		return Invalid(path+"count", s.Count, "at most "+strconv.FormatUint(left, 10)+", the numbers that are left")
	}
	if s.Count == 0 && s.TotalFen != 0 {
		return Invalid(path+"total_fen", s.TotalFen, "0 when count is 0")
	}
	if least := int64(s.Count); s.TotalFen < least || s.TotalFen > TotalFenMax {
		return Invalid(path+"total_fen", s.TotalFen, fmt.Sprintf("from count (%d) to %d", least, int64(TotalFenMax)))
	}
	return s.checkRange(path)
}

// checkRange compares without multiplying, for count times a bound can overflow: in integers, count·min ≤ total is
// min ≤ ⌊total/count⌋, and total ≤ count·max is ⌈total/count⌉ ≤ max.
func (s Segment) checkRange(path string) error {
	if s.MinFen < 1 {
		return Invalid(path+"min_fen", s.MinFen, "at least 1")
	}
	if s.MaxFen < s.MinFen {
		return Invalid(path+"max_fen", s.MaxFen, fmt.Sprintf("at least min_fen (%d)", s.MinFen))
	}
	if s.Count == 0 {
		return nil
	}
	count := int64(s.Count)
	if mean := s.TotalFen / count; s.MinFen > mean {
		return Invalid(path+"min_fen", s.MinFen, fmt.Sprintf("at most total_fen / count (%d)", mean))
	}
	if mean := (s.TotalFen + count - 1) / count; s.MaxFen < mean {
		return Invalid(path+"max_fen", s.MaxFen, fmt.Sprintf("at least total_fen / count, rounded up (%d)", mean))
	}
	return nil
}

// Tranches is how many tranches the segment is cut in; all but the last have [TrancheSize] envelopes.
func (s Segment) Tranches() int { return int((s.Count + TrancheSize - 1) / TrancheSize) }

// Tranche is the share of tranche j, for 0 ≤ j < [Segment.Tranches]: the number of its first envelope, how many it
// has, and what they sum to. The total is what the envelopes up to its last are due, T·k/N rounded down, less what
// those before it are due. It is a proportion of what the segment began with: it doesn't matter who took what, or when.
//
// The shares telescope to the segment's total: Keeps G1. And each can be cut, n·min ≤ share ≤ n·max for its n
// envelopes. Write T = N·min + X, where X ≥ 0 by Validate. Then ⌊T·k/N⌋ = k·min + ⌊X·k/N⌋, so that a share is n·min
// plus the growth of ⌊X·k/N⌋ while k grows by n, which is never negative. Likewise T = N·max − Y with Y ≥ 0, and a
// share is n·max less the growth of ⌈Y·k/N⌉.
func (s Segment) Tranche(j int) (first uint64, count int, totalFen int64) {
	before := uint64(j) * TrancheSize
	after := min(before+TrancheSize, s.Count)
	return s.First + before, int(after - before), s.due(after) - s.due(before)
}

// due is ⌊T·k/N⌋, what the first k of N envelopes are due. T·k needs 72 bits; the quotient is at most T.
func (s Segment) due(k uint64) int64 {
	high, low := bits.Mul64(uint64(s.TotalFen), k)
	quotient, _ := bits.Div64(high, low, s.Count)
	return int64(quotient)
}

// Cut returns the amounts of tranche j in the order of their envelopes, each within the bounds, their sum the
// tranche's share. It is a pure function of the seed, the campaign's id, the segment and j: Keeps G8.
func (s Segment) Cut(seed Seed, campaign uint32, j int) []int64 {
	_, count, totalFen := s.Tranche(j)
	amounts := make([]int64, count)
	random := newStream(seed.cutKey(campaign, s.Revision, uint32(j)))
	s.Split.cut(random, amounts, totalFen, s.MinFen, s.MaxFen)
	return amounts
}
