package hongbao

import (
	"math/bits"
	"strconv"
	"strings"
)

// Chance is the chance of a snatch to win, in parts per billion: 1 to [ChanceCertain]. It is an integer so that every
// machine decides a draw alike. In JSON and text it is a decimal above 0 and at most 1, such as 0.2.
type Chance uint32

// ChanceCertain lets every snatch win that the rules let through.
const ChanceCertain Chance = 1_000_000_000

// chancePlaces is how many decimal places a chance may have.
const chancePlaces = 9

// Wins reports whether a draw wins: ⌊draw × 10⁹ / 2⁶⁴⌋ < c. A draw that wins goes on winning when the chance is
// raised, and at [ChanceCertain] every draw wins.
func (c Chance) Wins(draw uint64) bool {
	parts, _ := bits.Mul64(draw, uint64(ChanceCertain))
	return parts < uint64(c)
}

// ParseChance reads a decimal, exactly: "0.2", "1", "1.0", "2e-1". More than nine significant decimal places are an
// error rather than rounded, so that what is published is what was written.
func ParseChance(text string) (Chance, error) {
	parts, ok := partsPerBillion(text)
	if !ok || parts < 1 || parts > uint64(ChanceCertain) {
		return 0, Invalid("chance", text, "a number above 0 and at most 1, with at most 9 decimal places")
	}
	return Chance(parts), nil
}

// partsPerBillion is the decimal times 10⁹ where that is a whole number of at most ten digits.
func partsPerBillion(text string) (uint64, bool) {
	mantissa, power := text, 0
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		exponent, err := strconv.ParseInt(text[at+1:], 10, 32)
		if err != nil {
			return 0, false
		}
		mantissa, power = text[:at], int(exponent)
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	significant := strings.TrimRight(digits, "0")
	power += chancePlaces - len(fraction) + len(digits) - len(significant)
	significant = strings.TrimLeft(significant, "0")
	if significant == "" || power < 0 || len(significant)+power > chancePlaces+1 {
		return 0, false
	}
	parts, err := strconv.ParseUint(significant+strings.Repeat("0", power), 10, 64)
	return parts, err == nil
}

// UnmarshalJSON reads a JSON number, as [ParseChance] does.
func (c *Chance) UnmarshalJSON(b []byte) error {
	parsed, err := ParseChance(string(b))
	if err != nil {
		return err
	}
	*c = parsed
	return nil
}

// MarshalJSON writes the shortest decimal that is exact.
func (c Chance) MarshalJSON() ([]byte, error) { return []byte(c.String()), nil }

func (c Chance) String() string {
	digits := strconv.FormatUint(uint64(c)+uint64(ChanceCertain)*10, 10) // a leading 1 keeps the zeroes
	whole, fraction := digits[1:2], strings.TrimRight(digits[2:], "0")
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}
