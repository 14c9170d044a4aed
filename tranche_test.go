package hongbao

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// wholeTranche is a segment of one full tranche whose numbers end with the last there is.
func wholeTranche(split Split) Segment {
	return Segment{
		Revision: 3, First: CountMax - TrancheSize, Count: TrancheSize,
		TotalFen: 10_000_019, MinFen: 15, MaxFen: 305, Split: split,
	}
}

func TestCutIsPinned(t *testing.T) {
	cases := []struct {
		split Split
		first []int64
		hash  string
	}{
		{DoubleMean, []int64{225, 41, 165, 184, 90, 74, 133, 269}, "5d06cd0c23d757b845553d24c9afb46db794293276e536b18e0168ffcb21961f"},
		{Normal, []int64{130, 275, 170, 199, 165, 116, 104, 65}, "dfb511d6c2000a323c5841d60187a548476405736bb238330dc8bb8bdc9073c0"},
		{Uniform, []int64{106, 146, 214, 240, 94, 290, 277, 276}, "091d95e7ddc52afbdb1c8dce929c1a6c47fd316d72bcada34e14b388f67091c9"},
		{Equal, []int64{153, 153, 152, 153, 153, 153, 153, 152}, "3ccd2a35a95889d5fc61e4792ae9d43f67fa79b23275cf078c6720a357d54d8a"},
	}
	for _, c := range cases {
		amounts := wholeTranche(c.split).Cut(testSeed(), lastCampaign, 0)
		if !slices.Equal(amounts[:8], c.first) || hashOf(amounts) != c.hash {
			t.Errorf("%s begins with %v and has hash %s, must stay %v and %s", c.split, amounts[:8], hashOf(amounts), c.first, c.hash)
		}
	}
}

// hashOf is SHA-256 of the amounts as int64, big endian.
func hashOf(amounts []int64) string {
	h := sha256.New()
	_ = binary.Write(h, binary.BigEndian, amounts) // a hash never fails
	return fmt.Sprintf("%x", h.Sum(nil))
}

func TestEveryPartOfACutMatters(t *testing.T) {
	base := Segment{Revision: 1, Count: 3 * TrancheSize, TotalFen: 300 * TrancheSize, MinFen: 1, MaxFen: 200, Split: DoubleMean}
	other := base
	other.Revision = 2
	cuts := map[string][]int64{
		"as it is":         base.Cut(testSeed(), 7, 1),
		"another tranche":  base.Cut(testSeed(), 7, 2),
		"another revision": other.Cut(testSeed(), 7, 1),
		"another campaign": base.Cut(testSeed(), 8, 1),
		"another seed":     base.Cut(Seed{}, 7, 1),
	}
	hashes := map[string]string{}
	for name, amounts := range cuts {
		hash := hashOf(amounts)
		if same, taken := hashes[hash]; taken {
			t.Errorf("%s and %s are cut alike", name, same)
		}
		hashes[hash] = name
	}
	if again := base.Cut(testSeed(), 7, 1); hashOf(again) != hashOf(cuts["as it is"]) {
		t.Error("the same tranche cut again is another")
	}
}

// anySegment draws a segment from all that Validate accepts, often at the bounds.
func anySegment(t *rapid.T) Segment {
	count := rapid.OneOf(rapid.Uint64Range(1, 10), rapid.Uint64Range(1, 4*TrancheSize), rapid.Uint64Range(1, CountMax)).Draw(t, "count")
	total := rapid.OneOf(rapid.Int64Range(int64(count), min(TotalFenMax, 10*int64(count))), rapid.Int64Range(int64(count), TotalFenMax)).Draw(t, "total_fen")
	mean := total / int64(count)
	meanUp := (total + int64(count) - 1) / int64(count)
	return Segment{
		Revision: rapid.Uint32().Draw(t, "revision"),
		First:    rapid.Uint64Range(0, CountMax-count).Draw(t, "first"),
		Count:    count,
		TotalFen: total,
		MinFen:   rapid.OneOf(rapid.Int64Range(1, mean), rapid.Just(mean)).Draw(t, "min_fen"),
		MaxFen:   rapid.OneOf(rapid.Int64Range(meanUp, 3*meanUp), rapid.Int64Range(meanUp, math.MaxInt64)).Draw(t, "max_fen"),
		Split:    rapid.SampledFrom(splits).Draw(t, "split"),
	}
}

func TestEveryTrancheCanBeCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySegment(t)
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		checkTranche(t, s, rapid.IntRange(0, s.Tranches()-1).Draw(t, "tranche"))
	})
}

// checkTranche checks that a tranche's share is feasible, by exact arithmetic, and its cut exact and within the bounds.
func checkTranche(t rapid.TB, s Segment, j int) {
	t.Helper()
	first, count, total := s.Tranche(j)
	if first != s.First+uint64(j)*TrancheSize || count < 1 || count > TrancheSize || first+uint64(count) > s.First+s.Count {
		t.Fatalf("tranche %d of %+v has %d envelopes from %d", j, s, count, first)
	}
	n, share := big.NewInt(int64(count)), big.NewInt(total)
	least, most := new(big.Int).Mul(n, big.NewInt(s.MinFen)), new(big.Int).Mul(n, big.NewInt(s.MaxFen))
	if share.Cmp(least) < 0 || share.Cmp(most) > 0 {
		t.Fatalf("tranche %d of %+v gets %d for %d envelopes", j, s, total, count)
	}
	amounts := s.Cut(testSeed(), lastCampaign, j)
	if fault := wrong(amounts, total, s.MinFen, s.MaxFen); fault != "" || len(amounts) != count {
		t.Fatalf("tranche %d of %+v: %d amounts: %s", j, s, len(amounts), fault)
	}
}

// TestTranchesSumToTheSegment keeps G1 at the widest bounds there are.
func TestTranchesSumToTheSegment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySegment(t)
		next, sum := s.First, int64(0)
		for j := range s.Tranches() {
			first, count, total := s.Tranche(j)
			if first != next {
				t.Fatalf("tranche %d begins at %d, the one before ends at %d", j, first, next)
			}
			next, sum = next+uint64(count), sum+total
		}
		if next != s.First+s.Count || sum != s.TotalFen {
			t.Fatalf("tranches end at %d and sum to %d: %+v", next, sum, s)
		}
	})
}

func TestSegmentOfNothingHasNoTranches(t *testing.T) {
	s := Segment{Revision: 2, First: CountMax, MinFen: 1, MaxFen: 1, Split: Equal}
	if err := s.Validate(); err != nil || s.Tranches() != 0 {
		t.Errorf("a segment of nothing: %v, %d tranches", err, s.Tranches())
	}
}

func TestHugeSegmentIsCutAtBothEnds(t *testing.T) {
	for _, split := range splits {
		s := Segment{Count: CountMax, TotalFen: TotalFenMax, MinFen: 1, MaxFen: math.MaxInt64, Split: split}
		checkTranche(t, s, 0)
		checkTranche(t, s, s.Tranches()-1)
		one := Segment{First: CountMax - 1, Count: 1, TotalFen: TotalFenMax, MinFen: 1, MaxFen: math.MaxInt64, Split: split}
		checkTranche(t, one, 0)
		rich := Segment{Count: TrancheSize, TotalFen: TotalFenMax, MinFen: 1, MaxFen: TotalFenMax, Split: split}
		checkTranche(t, rich, 0)
	}
}

func TestBadSegmentNamesTheField(t *testing.T) {
	good := Segment{Count: 10, TotalFen: 55, MinFen: 2, MaxFen: 9, Split: DoubleMean}
	cases := []struct {
		name  string
		field string
		spoil func(*Segment)
	}{
		{"no split", "split", func(s *Segment) { s.Split = "" }},
		{"an unknown split", "split", func(s *Segment) { s.Split = "fair" }},
		{"a first number beyond the last", "first", func(s *Segment) { s.First = CountMax + 1 }},
		{"more envelopes than numbers left", "count", func(s *Segment) { s.First = CountMax - 9 }},
		{"a count that wraps around", "count", func(s *Segment) { s.Count = math.MaxUint64 }},
		{"money without envelopes", "total_fen", func(s *Segment) { s.Count = 0 }},
		{"less than a fen an envelope", "total_fen", func(s *Segment) { s.TotalFen = 9 }},
		{"a negative total", "total_fen", func(s *Segment) { s.TotalFen = -55 }},
		{"a total above the bound", "total_fen", func(s *Segment) { s.TotalFen = TotalFenMax + 1 }},
		{"a minimum of nought", "min_fen", func(s *Segment) { s.MinFen = 0 }},
		{"a negative minimum", "min_fen", func(s *Segment) { s.MinFen = math.MinInt64 }},
		{"a maximum below the minimum", "max_fen", func(s *Segment) { s.MaxFen = 1 }},
		{"a minimum that the total can't pay", "min_fen", func(s *Segment) { s.MinFen = 6 }},
		{"a minimum whose product overflows", "min_fen", func(s *Segment) { s.MinFen, s.MaxFen = math.MaxInt64, math.MaxInt64 }},
		{"a maximum that can't use up the total", "max_fen", func(s *Segment) { s.MaxFen = 5 }},
	}
	for _, c := range cases {
		s := good
		c.spoil(&s)
		var field *FieldError
		if err := s.Validate(); !errors.As(err, &field) || field.Field != c.field {
			t.Errorf("%s: %v, must be an error on %s", c.name, err, c.field)
		}
	}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
}

// TestValidateAcceptsExactlyWhatCanBeCut compares with the definition, in exact arithmetic.
func TestValidateAcceptsExactlyWhatCanBeCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		small := rapid.Int64Range(-1, 20)
		large := rapid.Int64()
		s := Segment{
			Count:    uint64(rapid.Int64Range(0, 20).Draw(t, "count")),
			TotalFen: rapid.OneOf(small, rapid.Int64Range(0, TotalFenMax)).Draw(t, "total_fen"),
			MinFen:   rapid.OneOf(small, large).Draw(t, "min_fen"),
			MaxFen:   rapid.OneOf(small, large).Draw(t, "max_fen"),
			Split:    Uniform,
		}
		count, total := new(big.Int).SetUint64(s.Count), big.NewInt(s.TotalFen)
		least, most := new(big.Int).Mul(count, big.NewInt(s.MinFen)), new(big.Int).Mul(count, big.NewInt(s.MaxFen))
		can := 1 <= s.MinFen && s.MinFen <= s.MaxFen && least.Cmp(total) <= 0 && total.Cmp(most) <= 0
		if err := s.Validate(); (err == nil) != can {
			t.Errorf("%+v can be cut: %v; Validate: %v", s, can, err)
		}
	})
}

func TestSegmentInJSON(t *testing.T) {
	s := wholeTranche(Normal)
	const want = `{"revision":3,"first":4294901760,"count":65536,"total_fen":10000019,"min_fen":15,"max_fen":305,"split":"normal"}`
	b, err := json.Marshal(s)
	if err != nil || string(b) != want {
		t.Fatalf("a segment in JSON is %s, %v; must be %s", b, err, want)
	}
	var again Segment
	if err := json.Unmarshal(b, &again); err != nil || again != s {
		t.Errorf("read again it is %+v, %v", again, err)
	}
}

// FuzzCut cuts whatever Validate accepts.
func FuzzCut(f *testing.F) {
	for i := range splits {
		f.Add(uint64(CountMax-1), uint64(1), int64(TotalFenMax), int64(1), int64(math.MaxInt64), uint8(i), uint32(0))
		f.Add(uint64(0), uint64(TrancheSize+1), int64(TotalFenMax), int64(1), int64(TotalFenMax), uint8(i), uint32(1))
		f.Add(uint64(5), uint64(3), int64(8), int64(2), int64(3), uint8(i), uint32(0))
	}
	f.Fuzz(func(t *testing.T, first, count uint64, total, low, high int64, split uint8, j uint32) {
		s := Segment{First: first, Count: count, TotalFen: total, MinFen: low, MaxFen: high, Split: splits[int(split)%len(splits)]}
		if s.Validate() != nil || s.Count == 0 {
			return
		}
		checkTranche(t, s, int(j)%s.Tranches())
	})
}

func BenchmarkCut(b *testing.B) {
	for _, split := range splits {
		b.Run(string(split), func(b *testing.B) {
			s, seed := wholeTranche(split), testSeed()
			b.ReportAllocs()
			for b.Loop() {
				s.Cut(seed, lastCampaign, 0)
			}
		})
	}
}
