package hongbao

import (
	"math"
	"slices"
	"testing"
)

// numbered is a stream for tests that need a fixed source; each number is another one.
func numbered(number byte) stream { return newStream([32]byte{0: number, 31: 0xA5}) }

// chiSquareFar reports whether counts are further from the expected than chance brings about in one run of 30,000: the
// statistic, with k-1 degrees of freedom, is above its mean by four standard deviations and a bit.
func chiSquareFar(counts []int, expected func(i int) float64) bool {
	statistic := 0.0
	for i, count := range counts {
		off := float64(count) - expected(i)
		statistic += off * off / expected(i)
	}
	freedom := float64(len(counts) - 1)
	return statistic > freedom+4*math.Sqrt(2*freedom)+6
}

func alike(draws, cells int) func(int) float64 {
	return func(int) float64 { return float64(draws) / float64(cells) }
}

// TestStreamIsPinned holds the stream to the first words of the C2SP specification's example.
func TestStreamIsPinned(t *testing.T) {
	s := newStream([32]byte([]byte("ABCDEFGHIJKLMNOPQRSTUVWXYZ123456")))
	for i, want := range []uint64{0xb773b6063d4616a5, 0x1160af22a66abc3c, 0x8c2599d9418d287c, 0x7ee07e037edc5cd6} {
		if got := s.Uint64(); got != want {
			t.Errorf("word %d of the stream is %#x, must stay %#x", i, got, want)
		}
	}
}

func TestBelowIsUniform(t *testing.T) {
	const draws = 200_000
	for _, n := range []uint64{1, 2, 3, 7, 10, 97, 1000} {
		s, counts := numbered(1), make([]int, n)
		for range draws {
			counts[s.below(n)]++
		}
		if chiSquareFar(counts, alike(draws, len(counts))) {
			t.Errorf("below(%d) is not uniform: %v", n, counts)
		}
	}
}

// TestBelowRejectsTheShortEnd takes a range of three quarters of all words, where a reduction without rejection yields
// each third number twice as often as the others.
func TestBelowRejectsTheShortEnd(t *testing.T) {
	const draws = 30_000
	s, counts := numbered(2), make([]int, 3)
	for range draws {
		counts[s.below(3<<62)%3]++
	}
	if chiSquareFar(counts, alike(draws, 3)) {
		t.Errorf("residues of below(3<<62) by 3 are not uniform: %v", counts)
	}
}

func TestBellBelowIsNormalUpToTwoDeviations(t *testing.T) {
	const draws, cells = 200_000, 40
	s, counts := numbered(3), make([]int, cells)
	for range draws {
		counts[s.bellBelow(cells)]++
	}
	phi := func(x float64) float64 { return math.Erf(x / math.Sqrt2) }
	expected := func(i int) float64 {
		from, to := -2+4*float64(i)/cells, -2+4*float64(i+1)/cells
		return draws * (phi(to) - phi(from)) / (2 * phi(2))
	}
	for i, count := range counts {
		// The sum of twelve is flatter than the normal by a percent or so, on top of what chance does.
		if off := math.Abs(float64(count) - expected(i)); off > 0.02*expected(i)+4*math.Sqrt(expected(i)) {
			t.Errorf("cell %d has %d of %d, a normal distribution %.0f", i, count, draws, expected(i))
		}
	}
}

func TestBellBelowStaysInRange(t *testing.T) {
	s := numbered(4)
	for _, n := range []uint64{1, 2, 3, TotalFenMax, 1 << 63} {
		for range 10_000 {
			if got := s.bellBelow(n); got >= n {
				t.Fatalf("bellBelow(%d) = %d", n, got)
			}
		}
	}
}

func TestShuffleTakesEveryOrderAlike(t *testing.T) {
	const draws = 48_000
	s, counts := numbered(5), map[[4]int64]int{}
	for range draws {
		order := [4]int64{1, 2, 3, 4}
		s.shuffle(order[:])
		counts[order]++
	}
	if len(counts) != 24 {
		t.Fatalf("%d orders of 4 came up, must be 24", len(counts))
	}
	var list []int
	for _, count := range counts {
		list = append(list, count)
	}
	slices.Sort(list)
	if chiSquareFar(list, alike(draws, 24)) {
		t.Errorf("orders are not equally likely: %v", list)
	}
}

func BenchmarkBelow(b *testing.B) {
	s, sum := numbered(6), uint64(0)
	for b.Loop() {
		sum += s.below(1000)
	}
	_ = sum
}
