package hongbao

import "math/bits"

// Split is how a tranche's total is cut into amounts. Whatever the split, the amounts are within the bounds and sum to
// the total by construction: an amount is only ever chosen among those that leave the rest feasible. Nothing needs
// correcting afterwards, which would distort small tranches most.
type Split string

const (
	// DoubleMean (二倍均值) draws each amount uniformly from the widest window around the mean of what remains: from the
	// minimum to twice the mean less the minimum, or narrower where the maximum is nearer.
	DoubleMean Split = "double_mean"
	// Normal draws from the same window, bell-shaped: its ends are two standard deviations from the mean.
	Normal Split = "normal"
	// Uniform takes every way of cutting the total as equally likely: flat from minimum to maximum when the mean is
	// half-way between them, and otherwise tilted by just as much as the mean demands. Where the maximum is far above
	// the mean, this is the split with many small amounts and a few large ones.
	Uniform Split = "uniform"
	// Equal makes amounts that differ by at most one fen.
	Equal Split = "equal"
)

// splits are the allowed values, in the order in which errors list them.
var splits = []Split{DoubleMean, Normal, Uniform, Equal}

// cut fills amounts with amounts within [low, high] that sum to total, in random order. There is at least one, and
// len(amounts)·low ≤ total ≤ len(amounts)·high.
func (s Split) cut(random stream, amounts []int64, total, low, high int64) {
	high = min(high, total) // no amount can be larger, and products with the bound fit an int64
	switch s {
	case DoubleMean:
		cutByWindow(amounts, total, low, high, random.below, random.below)
	case Normal:
		cutByWindow(amounts, total, low, high, random.below, random.bellBelow)
	case Uniform:
		cutEqually(amounts, total)
		mix(random, amounts, low, high)
	case Equal:
		cutEqually(amounts, total)
	}
	random.shuffle(amounts)
}

// cutEqually spreads the remainder one fen each over the first amounts.
func cutEqually(amounts []int64, total int64) {
	count := int64(len(amounts))
	for i := range amounts {
		amounts[i] = total / count
	}
	for i := range total % count {
		amounts[i]++
	}
}

// cutByWindow draws one amount after another from the window around the mean of what remains; pick gives the shape.
//
// Twice the mean is rarely whole. It is rounded up as often as its fraction says, so that an amount's expectation is
// the mean to the last digit, and early and late amounts have the same.
func cutByWindow(amounts []int64, total, low, high int64, below, pick func(uint64) uint64) {
	for i := range amounts {
		rest := int64(len(amounts) - i - 1)
		twiceMean := (2*total + int64(below(uint64(rest)+1))) / (rest + 1)
		// Each bound: within the range, as far from the mean as the other, and feasible for the rest.
		from := max(low, twiceMean-high, total-rest*high)
		to := min(high, twiceMean-low, total-rest*low)
		amounts[i] = from + int64(pick(uint64(to-from)+1))
		total -= amounts[i]
	}
}

// mixRounds is enough: where no maximum is near, a round brings the variance a third of the way to its limit.
const mixRounds = 16

// mix takes amounts two by two and cuts each pair's sum anew, all feasible ways being equally likely. Its limit is the
// uniform distribution over all ways of cutting (Gibbs sampling). The partner is 1, 2, 4 … places away, round after
// round, so that sixteen rounds join all of a tranche.
func mix(random stream, amounts []int64, low, high int64) {
	strides := max(1, bits.Len(uint(len(amounts)-1)))
	for round := range mixRounds {
		stride := 1 << (round % strides)
		for i := range amounts {
			j := i | stride
			if j == i || j >= len(amounts) {
				continue
			}
			sum := amounts[i] + amounts[j]
			from, to := max(low, sum-high), min(high, sum-low)
			amounts[i] = from + int64(random.below(uint64(to-from)+1))
			amounts[j] = sum - amounts[i]
		}
	}
}
