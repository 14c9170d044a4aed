package hongbao

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestChanceReadsDecimalsExactly(t *testing.T) {
	cases := []struct {
		text string
		want Chance
	}{
		{"1", ChanceCertain},
		{"1.0", ChanceCertain},
		{"1e0", ChanceCertain},
		{"10e-1", ChanceCertain},
		{"0.2", 200_000_000},
		{"2e-1", 200_000_000},
		{"2E-01", 200_000_000},
		{"0.02e+1", 200_000_000},
		{"0.1", 100_000_000},
		{"0.333333333", 333_333_333},
		{"0.999999999", 999_999_999},
		{"0.000000001", 1},
		{"1e-9", 1},
		{"1e-09", 1},
		{"0.5000000000000", 500_000_000},
		{"00.5", 500_000_000},
	}
	for _, c := range cases {
		if got, err := ParseChance(c.text); err != nil || got != c.want {
			t.Errorf("ParseChance(%q) = %d, %v; must be %d", c.text, uint32(got), err, uint32(c.want))
		}
	}
}

func TestBadChanceIsAnErrorThatSaysWhatIsAllowed(t *testing.T) {
	cases := []struct{ name, text string }{
		{"nothing", ""},
		{"nought", "0"},
		{"nought in full", "0.000000000"},
		{"negative", "-0.2"},
		{"a plus sign", "+0.2"},
		{"above one", "1.000000001"},
		{"a percentage", "20"},
		{"ten places", "0.1234567891"},
		{"below a billionth", "1e-10"},
		{"a small number with a huge exponent", "1e99999999999999999999"},
		{"a huge exponent", "1e2147483647"},
		{"a huge negative exponent", "1e-2147483648"},
		{"no mantissa", "e1"},
		{"no exponent", "1e"},
		{"two points", "0.2.1"},
		{"hexadecimal", "0x1"},
		{"a word", "often"},
		{"a string in JSON", `"0.2"`},
		{"null", "null"},
		{"not a number", "NaN"},
		{"spaces", " 0.2"},
	}
	for _, c := range cases {
		var field *FieldError
		if got, err := ParseChance(c.text); !errors.As(err, &field) || !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: ParseChance(%q) = %d, %v", c.name, c.text, uint32(got), err)
		}
	}
}

func TestChanceInJSON(t *testing.T) {
	var c Chance
	if err := json.Unmarshal([]byte(" 0.25 "), &c); err != nil || c != ChanceCertain/4 {
		t.Errorf("0.25 in JSON is %v, %v", c, err)
	}
	if err := json.Unmarshal([]byte(`"0.25"`), &c); err == nil {
		t.Error("a chance in quotes is no error")
	}
	for chance, want := range map[Chance]string{1: "0.000000001", 200_000_000: "0.2", 999_999_999: "0.999999999", ChanceCertain: "1"} {
		if b, err := json.Marshal(chance); err != nil || string(b) != want {
			t.Errorf("chance %d in JSON is %s, %v; must be %s", uint32(chance), b, err, want)
		}
	}
}

func TestChanceReadsWhatItWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Chance(rapid.Uint32Range(1, uint32(ChanceCertain)).Draw(t, "chance"))
		if got, err := ParseChance(c.String()); err != nil || got != c {
			t.Errorf("ParseChance(%s) = %s, %v", c, got, err)
		}
	})
}

func TestWinsAtItsExactLimit(t *testing.T) {
	for _, c := range []Chance{1, 3, 200_000_000, 333_333_333, 999_999_999} {
		// The first losing draw is ⌈c × 2⁶⁴ / 10⁹⌉.
		limit := new(big.Int).Lsh(big.NewInt(int64(c)), 64)
		limit.Add(limit, big.NewInt(int64(ChanceCertain)-1)).Div(limit, big.NewInt(int64(ChanceCertain)))
		if !c.Wins(0) || !c.Wins(limit.Uint64()-1) || c.Wins(limit.Uint64()) {
			t.Errorf("chance %s does not turn at draw %s", c, limit)
		}
	}
	if !ChanceCertain.Wins(math.MaxUint64) {
		t.Error("a certain chance loses the highest draw")
	}
}

func TestRaisedChanceKeepsItsWins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lower := Chance(rapid.Uint32Range(1, uint32(ChanceCertain)).Draw(t, "lower"))
		higher := Chance(rapid.Uint32Range(uint32(lower), uint32(ChanceCertain)).Draw(t, "higher"))
		draw := rapid.Uint64().Draw(t, "draw")
		if lower.Wins(draw) && !higher.Wins(draw) {
			t.Errorf("draw %d wins at %s and loses at %s", draw, lower, higher)
		}
	})
}

// FuzzParseChance compares with exact rational arithmetic.
func FuzzParseChance(f *testing.F) {
	for _, text := range []string{"0.2", "1", "2e-1", "1e-9", "1.0000000000", "0x1p-2", "1e400", ".5", "5."} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseChance(text)
		if err != nil {
			return
		}
		exact, ok := new(big.Rat).SetString(text)
		if !ok || exact.Cmp(big.NewRat(int64(c), int64(ChanceCertain))) != 0 {
			t.Errorf("ParseChance(%q) = %s", text, c)
		}
	})
}
