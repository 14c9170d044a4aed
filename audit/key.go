package audit

import (
	"hash/maphash"

	"hongbao"
)

// hashSet is a set of 64-bit hashes: open-addressed, 8 bytes a slot, at most two slots of three in use.
type hashSet struct {
	slots []uint64
	count int
}

// add puts a hash into the set and reports whether it was new.
func (s *hashSet) add(hash uint64) bool {
	if 3*s.count >= 2*len(s.slots) {
		s.grow()
	}
	slot := s.find(max(hash, 1)) // 0 is an empty slot
	if *slot != 0 {
		return false
	}
	*slot = max(hash, 1)
	s.count++
	return true
}

func (s *hashSet) find(hash uint64) *uint64 {
	mask := uint64(len(s.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		if slot := &s.slots[i]; *slot == 0 || *slot == hash {
			return slot
		}
	}
}

func (s *hashSet) grow() {
	old := s.slots
	s.slots = make([]uint64, max(64, 2*len(old)))
	for _, hash := range old {
		if hash != 0 {
			*s.find(hash) = hash
		}
	}
}

// checkKey keeps the key of a win for as long as there can be more in the campaign. Checks G7.
func (a *auditor) checkKey(c *campaign, e *hongbao.Event) {
	if !c.keys.add(mix(maphash.String(a.random, e.Key) + mix(e.UID))) {
		a.fail(checkG7, "its key %q has won before", e.Key)
	}
}
