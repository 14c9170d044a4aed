package audit

import "hongbao"

// cutsMax is how many tranches are kept: 32 MiB at most.
const cutsMax = 64

// cuts are tranches cut when a win in them is judged. Numbers of a campaign are given out nearly in order, so that each is cut
// once, as long as not more than cutsMax large campaigns play at once.
type cuts struct {
	known map[cutKey]*cut
	last  *cut
	turn  uint64
}

type cutKey struct {
	campaign, revision uint32
	tranche            int
}

// cut is one tranche.
type cut struct {
	key     cutKey
	first   uint64
	amounts []int64
	used    uint64 // turn
}

// amount recomputes what the envelope of that number in the segment holds.
func (s *cuts) amount(seed *hongbao.Seed, campaign uint32, segment *hongbao.Segment, number uint64) int64 {
	key := cutKey{campaign, segment.Revision, int((number - segment.First) / hongbao.TrancheSize)}
	if s.last == nil || s.last.key != key {
		s.last = s.of(seed, segment, key)
	}
	return s.last.amounts[number-s.last.first]
}

func (s *cuts) of(seed *hongbao.Seed, segment *hongbao.Segment, key cutKey) *cut {
	s.turn++
	found := s.known[key]
	if found == nil {
		if len(s.known) == cutsMax {
			s.forget()
		}
		first, _, _ := segment.Tranche(key.tranche)
		found = &cut{key: key, first: first, amounts: segment.Cut(*seed, key.campaign, key.tranche)}
		s.known[key] = found
	}
	found.used = s.turn
	return found
}

// forget drops the tranche that was not used for longest.
func (s *cuts) forget() {
	var oldest *cut
	for _, c := range s.known {
		if oldest == nil || c.used < oldest.used {
			oldest = c
		}
	}
	delete(s.known, oldest.key)
}
