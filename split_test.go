package hongbao

import (
	"math"
	"slices"
	"strconv"
	"testing"
)

// cutOne cuts a total into count amounts with the stream of that number.
func cutOne(split Split, number byte, count int, total, low, high int64) []int64 {
	amounts := make([]int64, count)
	split.cut(numbered(number), amounts, total, low, high)
	return amounts
}

// wrong says what is wrong with a cut, or nothing.
func wrong(amounts []int64, total, low, high int64) string {
	sum := int64(0)
	for i, amount := range amounts {
		if amount < low || amount > high {
			return "amount " + strconv.Itoa(i) + " is " + strconv.FormatInt(amount, 10)
		}
		sum += amount
	}
	if sum != total {
		return "the sum is " + strconv.FormatInt(sum, 10)
	}
	return ""
}

func TestEverySmallCutIsExactAndWithinBounds(t *testing.T) {
	for _, split := range splits {
		for count := 1; count <= 5; count++ {
			eachSmallRange(count, func(total, low, high int64) {
				for number := range byte(8) {
					amounts := cutOne(split, number, count, total, low, high)
					if fault := wrong(amounts, total, low, high); fault != "" {
						t.Errorf("%s of %d into %d within [%d, %d], stream %d: %s: %v", split, total, count, low, high, number, fault, amounts)
					}
				}
			})
		}
	}
}

func eachSmallRange(count int, visit func(total, low, high int64)) {
	for low := int64(1); low <= 6; low++ {
		for high := low; high <= 6; high++ {
			for total := int64(count) * low; total <= int64(count)*high; total++ {
				visit(total, low, high)
			}
		}
	}
}

// TestEverySmallCutCanComeUp keeps the splits from being exact by never taking a risk: whatever is feasible under
// Uniform happens, and an amount may reach both its bounds under the others where the mean is half-way.
func TestEverySmallCutCanComeUp(t *testing.T) {
	for _, split := range []Split{DoubleMean, Normal, Uniform} {
		seen := map[int64]bool{}
		for number := range byte(255) {
			for _, amount := range cutOne(split, number, 3, 12, 1, 7) {
				seen[amount] = true
			}
		}
		if len(seen) != 7 {
			t.Errorf("%s of 12 into 3 within [1, 7] yields only %v", split, seen)
		}
	}
}

func TestEqualDiffersByAtMostOneFen(t *testing.T) {
	for total := int64(1000); total < 1100; total++ {
		amounts := cutOne(Equal, 0, 97, total, 1, total)
		if slices.Max(amounts)-slices.Min(amounts) > 1 {
			t.Errorf("equal of %d into 97: from %d to %d", total, slices.Min(amounts), slices.Max(amounts))
		}
	}
}

func TestEqualPutsTheOddFenAnywhere(t *testing.T) {
	where := map[int]int{}
	for number := range byte(200) {
		where[slices.Index(cutOne(Equal, number, 10, 11, 1, 2), 2)]++
	}
	if len(where) != 10 {
		t.Errorf("the odd fen is only ever at %v", where)
	}
}

// TestUniformTakesEveryCutAlike counts all ways of cutting, with the mean half-way between the bounds and far from it.
func TestUniformTakesEveryCutAlike(t *testing.T) {
	cases := []struct {
		name             string
		count            int
		total, low, high int64
	}{
		{"two, any", 2, 12, 1, 11},
		{"three, the maximum never reached", 3, 9, 1, 100},
		{"three, the mean half-way", 3, 12, 2, 6},
		{"four, the mean near the minimum", 4, 9, 1, 5},
		{"five, the mean near the maximum", 5, 27, 2, 6},
	}
	for _, c := range cases {
		ways := waysToCut(c.count, c.total, c.low, c.high)
		random, counts := numbered(9), map[[5]int64]int{}
		amounts := make([]int64, c.count)
		draws := 400 * ways
		for range draws {
			Uniform.cut(random, amounts, c.total, c.low, c.high)
			var way [5]int64
			copy(way[:], amounts)
			counts[way]++
		}
		list := make([]int, 0, ways)
		for _, count := range counts {
			list = append(list, count)
		}
		slices.Sort(list)
		if len(list) != ways || chiSquareFar(list, alike(draws, ways)) {
			t.Errorf("%s: %d of %d ways came up, in %d draws this often: %v", c.name, len(list), ways, draws, list)
		}
	}
}

func waysToCut(count int, total, low, high int64) int {
	if count == 1 {
		if low <= total && total <= high {
			return 1
		}
		return 0
	}
	ways := 0
	for first := low; first <= high; first++ {
		ways += waysToCut(count-1, total-first, low, high)
	}
	return ways
}

// histogram cuts a tranche, checks it, and counts its amounts in cells of equal width over [from, to].
func histogram(t *testing.T, split Split, mean, low, high, from, to int64, cells int) []int {
	t.Helper()
	total := mean * TrancheSize
	amounts := cutOne(split, 11, TrancheSize, total, low, high)
	if fault := wrong(amounts, total, low, high); fault != "" {
		t.Fatalf("%s with mean %d within [%d, %d]: %s", split, mean, low, high, fault)
	}
	counts := make([]int, cells)
	for _, amount := range amounts {
		if amount < from || amount > to {
			t.Fatalf("%s with mean %d within [%d, %d] yields %d, outside [%d, %d]", split, mean, low, high, amount, from, to)
		}
		counts[(amount-from)*int64(cells)/(to-from+1)]++
	}
	return counts
}

func TestDoubleMeanAndUniformAreFlatWhereTheMeanIsHalfWay(t *testing.T) {
	for _, split := range []Split{DoubleMean, Uniform} {
		counts := histogram(t, split, 100, 1, 199, 1, 199, 199)
		if chiSquareFar(counts, alike(TrancheSize, len(counts))) {
			t.Errorf("%s is not flat: %v", split, counts)
		}
	}
}

// TestUniformTiltsAsTheMeanDemands: with no maximum near, amounts of equally likely cuts fall off exponentially.
func TestUniformTiltsAsTheMeanDemands(t *testing.T) {
	const mean, cells, width = 1001, 5, 1000
	counts := make([]float64, cells)
	for _, amount := range cutOne(Uniform, 12, TrancheSize, mean*TrancheSize, 1, TotalFenMax) {
		if cell := int(amount-1) / width; cell < cells {
			counts[cell]++
		}
	}
	for i, count := range counts {
		want := TrancheSize * (math.Exp(-float64(i)) - math.Exp(-float64(i+1)))
		if math.Abs(count-want) > 0.02*want+4*math.Sqrt(want) {
			t.Errorf("%.0f amounts lie between %d and %d means, must be near %.0f", count, i, i+1, want)
		}
	}
}

func TestNormalIsBellShaped(t *testing.T) {
	const cells = 9
	counts := histogram(t, Normal, 500, 50, 1000, 50, 1000, cells)
	for i := range cells / 2 {
		left, right := counts[i], counts[cells-1-i]
		if left >= counts[i+1] || right >= counts[cells-2-i] {
			t.Errorf("normal does not rise towards the mean at cell %d: %v", i, counts)
		}
	}
	middle, outer := counts[cells/2], counts[0]
	if middle < 4*outer {
		t.Errorf("the middle of normal has %d, its end %d: not a bell: %v", middle, outer, counts)
	}
}

func TestWindowIsSymmetricWhereTheMaximumIsNear(t *testing.T) {
	for _, split := range []Split{DoubleMean, Normal} {
		amounts := cutOne(split, 13, TrancheSize, 100*TrancheSize, 1, 120)
		below := 0
		for _, amount := range amounts {
			if amount < 79 { // the mean's drift moves the window a little
				below++
			}
		}
		if below > TrancheSize/1000 {
			t.Errorf("%s with mean 100 within [1, 120]: %d of %d are below 79", split, below, TrancheSize)
		}
	}
}

// TestFractionOfTheMeanIsNotLeftToTheLast looks before the shuffle: with a mean of 1.25, whose double is not whole,
// amounts that were rounded down would leave the fractions to those at the end.
func TestFractionOfTheMeanIsNotLeftToTheLast(t *testing.T) {
	random, amounts := numbered(16), make([]int64, TrancheSize)
	for _, pick := range []func(uint64) uint64{random.below, random.bellBelow} {
		cutByWindow(amounts, TrancheSize*5/4, 1, 4, random.below, pick)
		early := int64(0)
		for _, amount := range amounts[:TrancheSize/4] {
			early += amount
		}
		if got := float64(early) / (TrancheSize / 4); math.Abs(got-1.25) > 0.02 {
			t.Errorf("the first quarter of amounts has a mean of %.3f, must be near 1.25", got)
		}
	}
}

// TestPositionsAreAlike cuts small totals many times: every position has the same mean and spread, so that neither
// early nor late players do better.
func TestPositionsAreAlike(t *testing.T) {
	const count, rounds, mean = 10, 20_000, 50
	for _, split := range []Split{DoubleMean, Normal, Uniform} {
		random, amounts := numbered(14), make([]int64, count)
		var sum, squares [count]float64
		for range rounds {
			split.cut(random, amounts, count*mean, 1, 99)
			for i, amount := range amounts {
				off := float64(amount - mean)
				sum[i] += off
				squares[i] += off * off
			}
		}
		average := 0.0
		for _, s := range squares {
			average += s / rounds / count
		}
		for i := range count {
			if off := math.Abs(sum[i] / rounds); off > 4*math.Sqrt(average/rounds) {
				t.Errorf("%s: position %d is %.2f fen from the mean of %d", split, i, off, mean)
			}
			if ratio := squares[i] / rounds / average; ratio < 0.95 || ratio > 1.05 {
				t.Errorf("%s: position %d has %.2f times the average variance", split, i, ratio)
			}
		}
	}
}

// TestFewEnvelopesAreAsVariedAsMany: two envelopes, of which one decides the other, have the full range and spread.
func TestFewEnvelopesAreAsVariedAsMany(t *testing.T) {
	const mean, low, high = 100, 1, 199
	spread := func(split Split, count, rounds int) float64 {
		random, amounts, squares := numbered(15), make([]int64, count), 0.0
		for range rounds {
			split.cut(random, amounts, int64(count)*mean, low, high)
			for _, amount := range amounts {
				squares += float64((amount - mean) * (amount - mean))
			}
		}
		return math.Sqrt(squares / float64(rounds*count))
	}
	for _, split := range []Split{DoubleMean, Normal, Uniform} {
		many := spread(split, 10_000, 4)
		for count := 2; count <= 5; count++ {
			if few := spread(split, count, 20_000); few < 0.9*many || few > 1.1*many {
				t.Errorf("%s: amounts of %d envelopes spread by %.1f fen, of ten thousand by %.1f", split, count, few, many)
			}
		}
	}
}
