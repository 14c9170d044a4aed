package hongbao

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// opensAt is when the campaigns of the tests open.
var opensAt = TimeOf(time.Date(2027, 2, 5, 12, 0, 0, 0, time.UTC))

const (
	second = Time(1000)
	minute = 60 * second
	hour   = 60 * minute
)

// someRules are valid rules of a rain of an hour: 100 envelopes of 1 to 200 fen.
func someRules() Rules {
	r := preset(Rain)
	r.Name, r.OpensAt, r.ClosesAt = "some-rain", opensAt, opensAt+hour
	r.Budget.TotalFen, r.Budget.Count, r.Budget.MinFen, r.Budget.MaxFen = 10_000, 100, 1, 200
	return r
}

// refusal is how an error of a field must read.
type refusal struct{ field, value, allowed string }

// check fails unless err is a FieldError that names the field, the value and what is allowed.
func (r refusal) check(t *testing.T, sentence string, err error) {
	t.Helper()
	var field *FieldError
	if !errors.As(err, &field) || !errors.Is(err, ErrInvalid) {
		t.Errorf("%s: the error is %v; must be about %s", sentence, err, r.field)
		return
	}
	if field.Field != r.field || !strings.Contains(field.Value, r.value) || !strings.Contains(field.Allowed, r.allowed) {
		t.Errorf("%s: it says %q; must name %s, %q and %q", sentence, err, r.field, r.value, r.allowed)
	}
}

func TestSomeRulesAreValid(t *testing.T) {
	rules := someRules()
	if err := rules.validate(); err != nil {
		t.Fatal(err)
	}
}

func TestExpiresAtIsClosesAtAndOpenFor(t *testing.T) {
	rules := someRules()
	if got := rules.ExpiresAt(); got != rules.ClosesAt+24*hour {
		t.Errorf("it expires at %s", got)
	}
}

// TestEachRuleIsCheckedAgainstItsBounds goes to either side of every bound.
func TestEachRuleIsCheckedAgainstItsBounds(t *testing.T) {
	const day = 24 * hour
	cases := []struct {
		name   string
		change func(r *Rules)
		field  string // empty: accepted
	}{
		{"a name of 64", func(r *Rules) { r.Name = strings.Repeat("a", 64) }, ""},
		{"a name of 65", func(r *Rules) { r.Name = strings.Repeat("a", 65) }, "name"},
		{"no name", func(r *Rules) { r.Name = "" }, "name"},
		{"a name of every kind of character", func(r *Rules) { r.Name = "aZ09-_." }, ""},
		{"a name with a space", func(r *Rules) { r.Name = "new year" }, "name"},
		{"a name with a slash", func(r *Rules) { r.Name = "a/b" }, "name"},
		{"a name in Chinese", func(r *Rules) { r.Name = "红包雨" }, "name"},
		{"a title of 100 characters", func(r *Rules) { r.Title.ZH = strings.Repeat("包", 100) }, ""},
		{"a title of 101 characters", func(r *Rules) { r.Title.ZH = strings.Repeat("包", 101) }, "title.zh"},
		{"a title with a control character", func(r *Rules) { r.Title.EN = "a\x00" }, "title.en"},
		{"a title that is not UTF-8", func(r *Rules) { r.Title.EN = "\xff" }, "title.en"},
		{"a rules text of 2000 characters and lines", func(r *Rules) { r.RulesText.ZH = strings.Repeat("包\n", 1000) }, ""},
		{"a rules text of 2001 characters", func(r *Rules) { r.RulesText.EN = strings.Repeat("a", 2001) }, "rules_text.en"},
		{"another kind", func(r *Rules) { r.Kind = "snow" }, "kind"},
		{"a window of a millisecond", func(r *Rules) { r.ClosesAt = r.OpensAt + 1 }, ""},
		{"a window of nothing", func(r *Rules) { r.ClosesAt = r.OpensAt }, "closes_at"},
		{"a window of 90 days", func(r *Rules) { r.ClosesAt = r.OpensAt + 90*day }, ""},
		{"a window of 90 days and a millisecond", func(r *Rules) { r.ClosesAt = r.OpensAt + 90*day + 1 }, "closes_at"},
		{"no opens_at", func(r *Rules) { r.OpensAt = 0 }, "opens_at"},
		{"a minute to open", func(r *Rules) { r.OpenFor = Duration(time.Minute) }, ""},
		{"less than a minute to open", func(r *Rules) { r.OpenFor = Duration(time.Minute - time.Millisecond) }, "open_for"},
		{"90 days to open", func(r *Rules) { r.OpenFor = Duration(90 * 24 * time.Hour) }, ""},
		{"more than 90 days to open", func(r *Rules) { r.OpenFor = Duration(90*24*time.Hour + time.Millisecond) }, "open_for"},
		{"the smallest chance", func(r *Rules) { r.Chance = 1 }, ""},
		{"no chance", func(r *Rules) { r.Chance = 0 }, "chance"},
		{"more than certain", func(r *Rules) { r.Chance = ChanceCertain + 1 }, "chance"},
		{"another pace", func(r *Rules) { r.Pace = "fast" }, "pace"},
		{"10000 wins", func(r *Rules) { r.WinsMax = 10_000 }, ""},
		{"10001 wins", func(r *Rules) { r.WinsMax = 10_001 }, "wins_max"},
		{"fewer than no wins", func(r *Rules) { r.WinsMax = -1 }, "wins_max"},
		{"10000 wins a day", func(r *Rules) { r.DailyWinsMax = 10_000 }, ""},
		{"10001 wins a day", func(r *Rules) { r.DailyWinsMax = 10_001 }, "daily_wins_max"},
		{"fewer than no wins a day", func(r *Rules) { r.DailyWinsMax = -1 }, "daily_wins_max"},
		{"another sign-up", func(r *Rules) { r.Signup = "closed" }, "signup"},
		{"another reveal", func(r *Rules) { r.Reveal = "never" }, "reveal"},
		{"a ticket", func(r *Rules) { r.Ticket = true }, ""},
		{"a fair start of a millisecond", func(r *Rules) { r.FairStart = Duration(time.Millisecond) }, ""},
		{"a fair start of 30 s", func(r *Rules) { r.FairStart = Duration(30 * time.Second) }, ""},
		{"a fair start of more than 30 s", func(r *Rules) { r.FairStart = Duration(30*time.Second + time.Millisecond) }, "fair_start"},
		{"a fair start before opens_at", func(r *Rules) { r.FairStart = Duration(-time.Millisecond) }, "fair_start"},
		{"a fair start of half a millisecond", func(r *Rules) { r.FairStart = Duration(time.Millisecond / 2) }, "fair_start"},
		{"a fair start of a quarter of the window", func(r *Rules) { r.FairStart, r.ClosesAt = Duration(time.Second), r.OpensAt+4*second }, ""},
		{"a fair start of more than a quarter", func(r *Rules) { r.FairStart, r.ClosesAt = Duration(time.Second), r.OpensAt+4*second-1 }, "fair_start"},
		{"a fair start in a window of nothing", func(r *Rules) { r.FairStart, r.ClosesAt = Duration(time.Second), r.OpensAt }, "closes_at"},
		{"no envelopes", func(r *Rules) { r.Budget.Count = 0 }, "budget.count"},
		{"2^32 envelopes", func(r *Rules) { r.Budget = Budget{1 << 32, 1 << 32, 1, 1, Equal} }, ""},
		{"2^32 and one envelopes", func(r *Rules) { r.Budget = Budget{1<<32 + 1, 1<<32 + 1, 1, 1, Equal} }, "budget.count"},
		{"10^12 fen", func(r *Rules) { r.Budget = Budget{1e12, 1, 1, 1e12, Uniform} }, ""},
		{"10^12 and one fen", func(r *Rules) { r.Budget = Budget{1e12 + 1, 1, 1, 1e12 + 1, Uniform} }, "budget.total_fen"},
		{"no fen", func(r *Rules) { r.Budget.TotalFen = 0 }, "budget.total_fen"},
		{"the least total", func(r *Rules) { r.Budget = Budget{200, 100, 2, 5, Normal} }, ""},
		{"less than the least total", func(r *Rules) { r.Budget = Budget{199, 100, 2, 5, Normal} }, "budget.min_fen"},
		{"the largest total", func(r *Rules) { r.Budget = Budget{500, 100, 2, 5, Normal} }, ""},
		{"more than the largest total", func(r *Rules) { r.Budget = Budget{501, 100, 2, 5, Normal} }, "budget.max_fen"},
		{"a minimum of nothing", func(r *Rules) { r.Budget.MinFen = 0 }, "budget.min_fen"},
		{"a maximum below the minimum", func(r *Rules) { r.Budget = Budget{500, 100, 5, 4, Normal} }, "budget.max_fen"},
		{"another split", func(r *Rules) { r.Budget.Split = "random" }, "budget.split"},
	}
	for _, c := range cases {
		rules := someRules()
		c.change(&rules)
		if err := rules.validate(); c.field != "" {
			refusal{field: c.field}.check(t, c.name, err)
		} else if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
