package audit

import (
	"math/rand/v2"
	"testing"

	"hongbao"
)

// TestPlayersKeepTheirIndex: the table of players is a map from uid to the order of first appearance.
func TestPlayersKeepTheirIndex(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var p players
	if p.known(7) != nil {
		t.Error("a player is known before anybody came")
	}
	model := map[uint64]uint32{}
	for range 200_000 {
		uid := random.Uint64N(100_000) << random.IntN(37)
		want, known := model[uid]
		if known != (p.known(uid) != nil) {
			t.Fatalf("uid %d is known: %t", uid, !known)
		}
		if !known {
			want = uint32(len(model))
			model[uid] = want
		}
		if got := p.index(uid); got != want || p.at(got).uid != uid {
			t.Fatalf("uid %d has the index %d, want %d", uid, got, want)
		}
	}
}

// TestHashSetIsASet: every hash is new once, 0 too.
func TestHashSetIsASet(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var s hashSet
	model := map[uint64]bool{}
	for range 200_000 {
		hash := mix(random.Uint64N(100_000)) // 0 is among them
		if s.add(hash) == model[hash] {
			t.Fatalf("hash %d is new: %t", hash, model[hash])
		}
		model[hash] = true
	}
}

// TestCutsAreBoundedAndRight: in whatever order amounts are asked for, they are those of the segment, and few tranches
// are kept.
func TestCutsAreBoundedAndRight(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 3))
	seed := hongbao.Seed{1}
	segment := func(revision uint32) hongbao.Segment {
		return hongbao.Segment{
			Revision: revision, First: 5, Count: hongbao.TrancheSize + 10, TotalFen: 3 * (hongbao.TrancheSize + 10),
			MinFen: 1, MaxFen: 6, Split: hongbao.Equal,
		}
	}
	s := cuts{known: map[cutKey]*cut{}}
	for range 150 {
		of, campaign := segment(1+random.Uint32N(3)), 1+random.Uint32N(20)
		j := random.IntN(2)
		first, count, _ := of.Tranche(j)
		within := random.Uint64N(uint64(count))
		if got, want := s.amount(&seed, campaign, &of, first+within), of.Cut(seed, campaign, j)[within]; got != want {
			t.Fatalf("campaign %d, %+v, number %d: %d, want %d", campaign, of, first+within, got, want)
		}
		if len(s.known) > cutsMax {
			t.Fatalf("%d tranches are kept", len(s.known))
		}
	}
}

// TestChunksGrowInPlace: what was written stays, and what is between is zero.
func TestChunksGrowInPlace(t *testing.T) {
	var c chunks[int]
	*c.extend(3) = 3
	*c.extend(2*chunkSize + 1) = 7
	for index, want := range map[uint64]int{0: 0, 3: 3, 2 * chunkSize: 0, 2*chunkSize + 1: 7} {
		if got := c.at(index); got == nil || *got != want {
			t.Errorf("at %d is %v, want %d", index, got, want)
		}
	}
	for _, index := range []uint64{4, chunkSize, 2*chunkSize + 2, 9 * chunkSize} {
		if c.at(index) != nil {
			t.Errorf("at %d is something", index)
		}
	}
	if c.count != 2*chunkSize+2 {
		t.Errorf("the count is %d", c.count)
	}
}
