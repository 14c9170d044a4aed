package hongbao

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

// A stream is the randomness of one tranche: ChaCha8 as in C2SP's chacha8rand, which other languages have too. The
// reduction to a range and the shuffle are our own, for those of math/rand/v2 may change between versions of Go, and
// published amounts may not: Keeps G8. Integers only: floats differ between processors.
type stream struct{ *rand.ChaCha8 }

func newStream(key [32]byte) stream { return stream{rand.NewChaCha8(key)} }

// below is uniform on [0, n), without bias, for n of at least 1 (Lemire, "Fast Random Integer Generation in an
// Interval", 2019).
func (s stream) below(n uint64) uint64 {
	high, low := bits.Mul64(s.Uint64(), n)
	if low < n {
		for short := -n % n; low < short; {
			high, low = bits.Mul64(s.Uint64(), n)
		}
	}
	return high
}

// bellBelow is on [0, n), for n of at least 1, as a normal distribution around the middle that is cut off at two
// standard deviations. It is the sum of twelve uniform variables of 32 bits (Irwin-Hall), whose standard deviation is
// 2³²; one sum in twenty lies further out and is drawn again.
func (s stream) bellBelow(n uint64) uint64 {
	const lowest = 12*math.MaxUint32/2 - 1<<33
	for {
		var sum uint64
		for range 6 {
			word := s.Uint64()
			sum += word>>32 + word&math.MaxUint32
		}
		if within := sum - lowest; within < 1<<34 { // below lowest it wraps and is far above
			high, _ := bits.Mul64(within<<30, n)
			return high
		}
	}
}

// shuffle puts the amounts in an order that is uniform over all orders (Fisher-Yates).
func (s stream) shuffle(amounts []int64) {
	for i := len(amounts) - 1; i > 0; i-- {
		j := s.below(uint64(i) + 1)
		amounts[i], amounts[j] = amounts[j], amounts[i]
	}
}
