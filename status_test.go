package hongbao

import (
	"math"
	"strings"
	"testing"
)

// The order of decision as DESIGN has it, written down apart from Decide: the first that applies is told.
var orderOfDecision = []struct {
	status  Status
	applies func(f Facts) bool
}{
	{NotFound, func(f Facts) bool { return f.Rules == nil }},
	{Won, func(f Facts) bool { return f.Replayed }},
	{Cancelled, func(f Facts) bool { return f.Cancelled }},
	{NotOpen, func(f Facts) bool { return !f.Sealed && f.Now < f.Rules.OpensAt }},
	{Closed, func(f Facts) bool { return f.Sealed || f.Now > f.Rules.ClosesAt-1 }},
	{Paused, func(f Facts) bool { return f.Rules.Paused }},
	{NotSignedUp, func(f Facts) bool { return f.Rules.Signup != SignupNone && !f.SignedUp }},
	{LimitReached, func(f Facts) bool { return f.Rules.WinsMax != 0 && f.Rules.WinsMax-f.Wins <= 0 }},
	{DailyLimitReached, func(f Facts) bool { return f.Rules.DailyWinsMax != 0 && f.Rules.DailyWinsMax-f.DayWins <= 0 }},
	{SoldOut, func(f Facts) bool { return f.Issued == f.Rules.Budget.Count }},
	{Missed, func(f Facts) bool { return f.Draw == math.MaxUint64 && f.Rules.Chance < ChanceCertain }},
	{Missed, func(f Facts) bool { return f.Issued >= f.Allowed }},
	{Won, func(Facts) bool { return true }},
}

func firstThatApplies(f Facts) Status {
	for _, rule := range orderOfDecision {
		if rule.applies(f) {
			return rule.status
		}
	}
	panic("the last rule always applies")
}

func TestFirstStatusThatAppliesIsToldInEveryCombination(t *testing.T) {
	told := map[Status]int{}
	eachRules(func(rules *Rules) {
		eachFacts(rules, func(f Facts) {
			got, want := Decide(f), firstThatApplies(f)
			if got != want {
				t.Fatalf("Decide(%+v) under %+v is %s; must be %s", f, rules, got, want)
			}
			told[got]++
		})
	})
	if got := Decide(Facts{Replayed: true, Cancelled: true}); got != NotFound {
		t.Errorf("without a campaign it is %s", got)
	}
	for status := Cancelled; status <= Won; status++ {
		if told[status] == 0 {
			t.Errorf("no combination was answered with %s", status)
		}
	}
}

func eachRules(visit func(*Rules)) {
	for _, paused := range []bool{false, true} {
		for _, signup := range signups {
			for _, chance := range []Chance{1, ChanceCertain} {
				for winsMax := range 3 {
					for dailyWinsMax := range 3 {
						visit(&Rules{
							OpensAt: 10, ClosesAt: 20, Paused: paused, Signup: signup, Chance: chance,
							WinsMax: winsMax, DailyWinsMax: dailyWinsMax, Budget: Budget{Count: 2},
						})
					}
				}
			}
		}
	}
}

func eachFacts(rules *Rules, visit func(Facts)) {
	const bits, times = 1 << 4, 4
	for b := range bits {
		for _, now := range [times]Time{9, 10, 19, 20} {
			for n := range 3 * 3 * 3 * 3 * 2 {
				visit(Facts{
					Rules: rules, Now: now,
					Replayed: b&1 != 0, Cancelled: b&2 != 0, Sealed: b&4 != 0, SignedUp: b&8 != 0,
					Wins: n % 3, DayWins: n / 3 % 3, Issued: uint64(n / 9 % 3), Allowed: uint64(n / 27 % 3),
					Draw: uint64(n/81) * math.MaxUint64,
				})
			}
		}
	}
}

func TestWindowIncludesOpensAtAndExcludesClosesAt(t *testing.T) {
	rules := someRules()
	cases := []struct {
		name string
		now  Time
		want Status
	}{
		{"a millisecond before opens_at it is not open", rules.OpensAt - 1, NotOpen},
		{"at opens_at it is open", rules.OpensAt, Won},
		{"a millisecond before closes_at it is open", rules.ClosesAt - 1, Won},
		{"at closes_at it is closed", rules.ClosesAt, Closed},
	}
	for _, c := range cases {
		if got := Decide(Facts{Rules: &rules, Now: c.now, Allowed: rules.Budget.Count}); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

func TestSealedBeforeItOpenedIsClosed(t *testing.T) {
	rules := someRules()
	if got := Decide(Facts{Rules: &rules, Now: rules.OpensAt - 1, Sealed: true}); got != Closed {
		t.Errorf("it is %s", got)
	}
}

func TestLimitAboveZeroIsReachedAtThatManyWins(t *testing.T) {
	rules := someRules()
	rules.WinsMax, rules.DailyWinsMax = WinsMaxMax, WinsMaxMax
	facts := Facts{Rules: &rules, Now: rules.OpensAt, Allowed: 1, Wins: WinsMaxMax - 1, DayWins: WinsMaxMax - 1}
	if got := Decide(facts); got != Won {
		t.Errorf("one below both limits it is %s", got)
	}
	facts.DayWins++
	if got := Decide(facts); got != DailyLimitReached {
		t.Errorf("at the daily limit it is %s", got)
	}
	facts.Wins++
	if got := Decide(facts); got != LimitReached {
		t.Errorf("at both limits it is %s", got)
	}
}

func TestStatusNamesAreTheOnesOfTheAPI(t *testing.T) {
	const names = "not_found cancelled not_open closed paused not_signed_up limit_reached daily_limit_reached sold_out missed won"
	var got []string
	for s := range Statuses {
		got = append(got, Status(s).String())
	}
	if strings.Join(got, " ") != names {
		t.Errorf("statuses are %v", got)
	}
	if words := DailyLimitReached.Words(); words != "daily limit reached" {
		t.Errorf("in words it is %q", words)
	}
}

func TestDecidingDoesNotAllocate(t *testing.T) {
	rules := someRules()
	facts := Facts{Rules: &rules, Now: rules.OpensAt, Allowed: 1}
	if n := testing.AllocsPerRun(100, func() { Decide(facts) }); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}

// Whatever is foretold is what Decide tells every player by a key that may be one's own, and what is not foretold depends
// on the player or may be won.
func TestWhatIsForetoldIsDecidedForEveryPlayer(t *testing.T) {
	told := map[Status]int{}
	eachRules(func(rules *Rules) {
		eachFacts(rules, func(f Facts) {
			c := &Campaign{Revisions: []Revision{{Rules: *rules}}}
			if f.Sealed || f.Cancelled {
				c.Seal = &Seal{Cancelled: f.Cancelled}
			}
			f.Sealed = c.Seal != nil
			for _, isNew := range []bool{true, false} {
				status, ok := c.Foretell(f.Now, f.Issued, isNew)
				// Nothing that is the player's own comes before these, but for a replay and a refusal for want of rights.
				f.Replayed, f.SignedUp, f.Wins, f.DayWins = false, true, 0, 0
				want := firstThatApplies(f)
				mayTell := want == NotOpen || isNew && (want == Cancelled || want == Closed || want == SoldOut)
				if ok != mayTell || ok && status != want {
					t.Fatalf("of %+v under %+v, to a new key (%t), %s is foretold (%t); is %s", f, rules, isNew, status, ok, want)
				}
				if ok {
					told[status]++
				}
			}
		})
	})
	for _, status := range []Status{NotOpen, Cancelled, Closed, SoldOut} {
		if told[status] == 0 {
			t.Errorf("%s is never foretold", status)
		}
	}
}
