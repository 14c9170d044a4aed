package hongbao

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

// rainSpec is the shortest spec of a rain; bombSpec of a bomb.
const (
	rainSpec = `{"name": "r", "kind": "rain", "opens_at": "2027-02-05T20:00:00+08:00", "lasts": "1h", "budget": {"total_fen": 1000, "count": 10}}`
	bombSpec = `{"name": "b", "kind": "bomb", "opens_at": "2027-02-05T20:00:00+08:00", "budget": {"total_fen": 1000, "count": 10}}`
)

// before is a moment before those campaigns open.
const before = 30 * 24 * hour

// rulesOf parses a spec and completes it, in the evening thirty days before.
func rulesOf(spec string) (Rules, error) {
	parsed, err := ParseSpec([]byte(spec))
	if err != nil {
		return Rules{}, err
	}
	return parsed.Rules(opensAt - before)
}

// with is the JSON object with some members replaced: a member begins with its key, as in `"chance": 1`.
func with(t testing.TB, object string, members string) string {
	t.Helper()
	var base, change map[string]json.RawMessage
	if err := json.Unmarshal([]byte(object), &base); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte("{"+members+"}"), &change); err != nil {
		t.Fatalf("%s: %v", members, err)
	}
	for key, value := range change {
		base[key] = value
	}
	b, err := json.Marshal(base)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWhatASpecLeavesOutTakesThePresetOfItsKind(t *testing.T) {
	cases := []struct {
		name, spec string
		want       Rules
	}{
		{"a rain", rainSpec, Rules{
			Name: "r", Kind: Rain, OpensAt: opensAt, ClosesAt: opensAt + hour, OpenFor: Duration(24 * time.Hour),
			Budget: Budget{1000, 10, 1, 200, DoubleMean}, Chance: ChanceCertain, Pace: PaceNone,
			WinsMax: 5, DailyWinsMax: 0, Signup: SignupNone, Reveal: RevealOnOpen,
		}},
		{"a bomb", bombSpec, Rules{
			Name: "b", Kind: Bomb, OpensAt: opensAt, ClosesAt: opensAt + 15*second, OpenFor: Duration(24 * time.Hour),
			Budget: Budget{1000, 10, 10, 200, Normal}, Chance: ChanceCertain, Pace: PaceNone,
			WinsMax: 1, DailyWinsMax: 3, Signup: SignupOpen, Reveal: RevealOnSnatch,
		}},
		{"a bomb with the longest fair start of its window", with(t, bombSpec, `"fair_start": "3.75s"`), Rules{
			Name: "b", Kind: Bomb, OpensAt: opensAt, ClosesAt: opensAt + 15*second, OpenFor: Duration(24 * time.Hour),
			Budget: Budget{1000, 10, 10, 200, Normal}, Chance: ChanceCertain, Pace: PaceNone,
			WinsMax: 1, DailyWinsMax: 3, Signup: SignupOpen, Reveal: RevealOnSnatch, FairStart: Duration(3750 * time.Millisecond),
		}},
		{"a bomb of less than ten fen each", with(t, bombSpec, `"budget": {"total_fen": 95, "count": 10}`), Rules{
			Name: "b", Kind: Bomb, OpensAt: opensAt, ClosesAt: opensAt + 15*second, OpenFor: Duration(24 * time.Hour),
			Budget: Budget{95, 10, 1, 19, Normal}, Chance: ChanceCertain, Pace: PaceNone,
			WinsMax: 1, DailyWinsMax: 3, Signup: SignupOpen, Reveal: RevealOnSnatch,
		}},
		{"a rain that says everything", with(t, rainSpec, `
			"title": {"zh": "新年", "en": "New year"}, "rules_text": {"zh": "先到先得"}, "open_for": "1h30m",
			"budget": {"total_fen": 1000, "count": 10, "min_fen": 50, "max_fen": 150, "split": "uniform"},
			"chance": 0.2, "pace": "linear", "wins_max": 0, "daily_wins_max": 7, "signup": "invited", "reveal": "on_snatch",
			"ticket": true, "fair_start": "1.5s", "paused": true`), Rules{
			Name: "r", Title: Text{"新年", "New year"}, RulesText: Text{ZH: "先到先得"}, Kind: Rain,
			OpensAt: opensAt, ClosesAt: opensAt + hour, OpenFor: Duration(90 * time.Minute),
			Budget: Budget{1000, 10, 50, 150, Uniform}, Chance: 200_000_000, Pace: PaceLinear,
			WinsMax: 0, DailyWinsMax: 7, Signup: SignupInvited, Reveal: RevealOnSnatch,
			Ticket: true, FairStart: Duration(1500 * time.Millisecond), Paused: true,
		}},
		{"a rain that opens relative to now", with(t, rainSpec, `"opens_at": "+10s"`), Rules{
			Name: "r", Kind: Rain, OpensAt: opensAt - before + 10*second, ClosesAt: opensAt - before + 10*second + hour,
			OpenFor: Duration(24 * time.Hour), Budget: Budget{1000, 10, 1, 200, DoubleMean},
			Chance: ChanceCertain, Pace: PaceNone, WinsMax: 5, Signup: SignupNone, Reveal: RevealOnOpen,
		}},
	}
	for _, c := range cases {
		got, err := rulesOf(c.spec)
		if err != nil || got != c.want {
			t.Errorf("%s: %v\n got %+v\nmust be %+v", c.name, err, got, c.want)
		}
	}
}

// TestBadSpecNamesFieldValueAndWhatIsAllowed has the wrong types, values and combinations of every field of a spec.
func TestBadSpecNamesFieldValueAndWhatIsAllowed(t *testing.T) {
	const (
		aTime     = "an RFC 3339 time such as"
		aDuration = "a duration such as 15s"
	)
	cases := []struct {
		name, members string
		want          refusal
	}{
		{"a name that is a number", `"name": 7`, refusal{"name", "7", "a string"}},
		{"no name", `"name": ""`, refusal{"name", "", "1 to 64 of the characters"}},
		{"a name that is too long", `"name": "` + strings.Repeat("n", 65) + `"`, refusal{"name", "nnn", "1 to 64 of the characters"}},
		{"a title that is a string", `"title": "hello"`, refusal{"title", `"hello"`, "a JSON object"}},
		{"a title in a third language", `"title": {"fr": "bonjour"}`, refusal{"title.fr", "(unknown key)", "a known key"}},
		{"a title that is a number", `"title": {"zh": 1}`, refusal{"title.zh", "1", "a string"}},
		{"a title that is too long", `"title": {"zh": "` + strings.Repeat("长", 101) + `"}`, refusal{"title.zh", "长", "at most 100 characters"}},
		{"a rules text that is too long", `"rules_text": {"en": "` + strings.Repeat("l", 2001) + `"}`, refusal{"rules_text.en", "lll", "at most 2000 characters"}},
		{"no kind", `"kind": ""`, refusal{"kind", "", "one of rain bomb"}},
		{"another kind", `"kind": "snow"`, refusal{"kind", "snow", "one of rain bomb"}},
		{"a kind that is a list", `"kind": ["rain"]`, refusal{"kind", `["rain"]`, "a string"}},
		{"an opens_at that is a number", `"opens_at": 1800000000`, refusal{"opens_at", "1800000000", aTime}},
		{"an opens_at without a zone", `"opens_at": "2027-02-05T20:00:00"`, refusal{"opens_at", "2027-02-05T20:00:00", aTime}},
		{"an opens_at relative to nothing", `"opens_at": "+"`, refusal{"opens_at", "+", aTime}},
		{"an opens_at before now", `"opens_at": "+-10s"`, refusal{"opens_at", "+-10s", aTime}},
		{"an opens_at of null", `"opens_at": null`, refusal{"opens_at", "", aTime}},
		{"an opens_at more than a year ahead", `"opens_at": "+8785h"`, refusal{"opens_at", "2028-", "at most 366 days ahead"}},
		{"a closes_at that is a number", `"closes_at": 1`, refusal{"closes_at", "1", aTime}},
		{"a closes_at before opens_at", `"closes_at": "2027-02-05T11:00:00Z", "lasts": "0s"`, refusal{"closes_at", "2027-02-05T11:00:00Z", "after opens_at (2027-02-05T12:00:00Z)"}},
		{"a closes_at that has passed", `"opens_at": "2027-01-01T00:00:00Z", "closes_at": "2027-01-02T00:00:00Z", "lasts": "0s"`, refusal{"closes_at", "2027-01-02T00:00:00Z", "in the future (it is 2027-01-06T12:00:00Z)"}},
		{"a closes_at of now", `"opens_at": "2027-01-01T00:00:00Z", "closes_at": "2027-01-06T12:00:00Z", "lasts": "0s"`, refusal{"closes_at", "2027-01-06T12:00:00Z", "in the future (it is 2027-01-06T12:00:00Z)"}},
		{"both closes_at and lasts", `"closes_at": "2027-02-05T13:00:00Z"`, refusal{"lasts", "1h0m0s", "left out when closes_at is given"}},
		{"neither closes_at nor lasts", `"lasts": "0s"`, refusal{"closes_at", "", "given for a rain"}},
		{"a lasts that is a number", `"lasts": 60`, refusal{"lasts", "60", aDuration}},
		{"a lasts without a unit", `"lasts": "60"`, refusal{"lasts", "60", aDuration}},
		{"a negative lasts", `"lasts": "-60s"`, refusal{"lasts", "-60s", aDuration}},
		{"a lasts of half a millisecond", `"lasts": "500us"`, refusal{"lasts", "500us", "whole milliseconds"}},
		{"a lasts of more than 90 days", `"lasts": "2161h"`, refusal{"closes_at", "2027-05-06T13:00:00Z", "at most 90 days after it"}},
		{"an open_for that is a number", `"open_for": 24`, refusal{"open_for", "24", aDuration}},
		{"an open_for of less than a minute", `"open_for": "59s"`, refusal{"open_for", "59s", "from 1m to 2160h"}},
		{"an open_for of more than 90 days", `"open_for": "2161h"`, refusal{"open_for", "2161h", "from 1m to 2160h"}},
		{"a budget that is a number", `"budget": 1000`, refusal{"budget", "1000", "a JSON object"}},
		{"a budget of null", `"budget": null`, refusal{"budget", "null", "a JSON object"}},
		{"a total that is a string", `"budget": {"total_fen": "1000", "count": 10}`, refusal{"budget.total_fen", `"1000"`, "a whole number"}},
		{"a total with a fraction", `"budget": {"total_fen": 10.5, "count": 10}`, refusal{"budget.total_fen", "10.5", "a whole number"}},
		{"a total beyond 64 bits", `"budget": {"total_fen": 9223372036854775808, "count": 10}`, refusal{"budget.total_fen", "9223372036854775808", "a whole number"}},
		{"a total above 10^12", `"budget": {"total_fen": 1000000000001, "count": 10}`, refusal{"budget.total_fen", "1000000000001", "1000000000000"}},
		{"no total", `"budget": {"count": 10}`, refusal{"budget.total_fen", "0", "from count (10)"}},
		{"no count", `"budget": {"total_fen": 1000}`, refusal{"budget.count", "0", "from 1 to 4294967296"}},
		{"a negative count", `"budget": {"total_fen": 1000, "count": -1}`, refusal{"budget.count", "-1", "a whole number that is not negative"}},
		{"a count above 2^32", `"budget": {"total_fen": 1000, "count": 4294967297}`, refusal{"budget.count", "4294967297", "from 1 to 4294967296"}},
		{"a total below the count", `"budget": {"total_fen": 9, "count": 10}`, refusal{"budget.total_fen", "9", "from count (10)"}},
		{"a minimum above the mean", `"budget": {"total_fen": 1000, "count": 10, "min_fen": 101}`, refusal{"budget.min_fen", "101", "at most total_fen / count (100)"}},
		{"a minimum of nothing", `"budget": {"total_fen": 1000, "count": 10, "min_fen": 0}`, refusal{"budget.min_fen", "0", "at least 1"}},
		{"a maximum below the mean", `"budget": {"total_fen": 1000, "count": 10, "max_fen": 99}`, refusal{"budget.max_fen", "99", "at least total_fen / count, rounded up (100)"}},
		{"a maximum that is a boolean", `"budget": {"total_fen": 1000, "count": 10, "max_fen": true}`, refusal{"budget.max_fen", "true", "a whole number"}},
		{"another split", `"budget": {"total_fen": 1000, "count": 10, "split": "random"}`, refusal{"budget.split", "random", "one of double_mean normal uniform equal"}},
		{"a mistyped key of the budget", `"budget": {"totalfen": 1000, "count": 10}`, refusal{"budget.totalfen", "(unknown key)", "did you mean total_fen?"}},
		{"a chance that is a string", `"chance": "0.2"`, refusal{"chance", `"0.2"`, "above 0 and at most 1"}},
		{"a chance of nothing", `"chance": 0`, refusal{"chance", "0", "above 0 and at most 1"}},
		{"a chance above one", `"chance": 1.1`, refusal{"chance", "1.1", "above 0 and at most 1"}},
		{"another pace", `"pace": "fast"`, refusal{"pace", "fast", "one of none linear"}},
		{"a limit that is a string", `"wins_max": "5"`, refusal{"wins_max", `"5"`, "a whole number"}},
		{"a negative limit", `"wins_max": -1`, refusal{"wins_max", "-1", "from 0 (no limit) to 10000"}},
		{"a limit above 10000", `"wins_max": 10001`, refusal{"wins_max", "10001", "from 0 (no limit) to 10000"}},
		{"a daily limit with a fraction", `"daily_wins_max": 1.5`, refusal{"daily_wins_max", "1.5", "a whole number"}},
		{"a daily limit above 10000", `"daily_wins_max": 10001`, refusal{"daily_wins_max", "10001", "from 0 (no limit) to 10000"}},
		{"another sign-up", `"signup": "required"`, refusal{"signup", "required", "one of none open invited"}},
		{"another reveal", `"reveal": "later"`, refusal{"reveal", "later", "one of on_open on_snatch"}},
		{"a paused that is a string", `"paused": "yes"`, refusal{"paused", `"yes"`, "true or false"}},
		{"a ticket that is a string", `"ticket": "yes"`, refusal{"ticket", `"yes"`, "true or false"}},
		{"a fair start of more than 30 s", `"fair_start": "30001ms"`, refusal{"fair_start", "30.001s", "from 0s (off) to 30s, in whole milliseconds"}},
		{"a fair start of half a millisecond", `"fair_start": "500us"`, refusal{"fair_start", "500us", "whole milliseconds"}},
		{"a negative fair start", `"fair_start": "-1s"`, refusal{"fair_start", "-1s", aDuration}},
		{"a fair start of more than a quarter of the window", `"fair_start": "251ms", "lasts": "1003ms"`, refusal{"fair_start", "251ms", "at most 250ms, a quarter of the window: opens_at to closes_at is 1.003s"}},
		{"a fair start that is a number", `"fair_start": 1`, refusal{"fair_start", "1", aDuration}},
		{"a mistyped key", `"chances": 1`, refusal{"chances", "(unknown key)", "did you mean chance?"}},
		{"a key in capitals", `"Chance": 1`, refusal{"Chance", "(unknown key)", "did you mean chance?"}},
		{"a key that is like no other", `"xyzzy_plugh": 1`, refusal{"xyzzy_plugh", "(unknown key)", "a known key: budget, chance, closes_at, "}},
	}
	for _, c := range cases {
		_, err := rulesOf(with(t, rainSpec, c.members))
		c.want.check(t, c.name, err)
	}
}

func TestWhatIsNotOneJSONObjectIsRefused(t *testing.T) {
	cases := []struct {
		name, body string
		want       refusal
	}{
		{"nothing", ``, refusal{"body", "", "a JSON object"}},
		{"a list", `[]`, refusal{"body", "[]", "a JSON object"}},
		{"null", `null`, refusal{"body", "null", "a JSON object"}},
		{"two objects", rainSpec + rainSpec, refusal{"body", "(more after it)", "one JSON object"}},
		{"an object cut short", `{"name": "a"`, refusal{"body", "EOF", "valid JSON"}},
		{"a value cut short", `{"budget": {"total_fen": 1`, refusal{"budget", "", "valid JSON"}},
		{"a key twice", `{"name": "a", "name": "b"}`, refusal{"name", "(twice)", "given once"}},
		{"a key of the budget twice", `{"budget": {"count": 1, "count": 1}}`, refusal{"budget.count", "(twice)", "given once"}},
		{"a key of no letters", `{"": 1}`, refusal{"body", "(unknown key)", "a known key"}},
		{"a key twice, once escaped", `{"name": "a", "\u006eame": "b"}`, refusal{"name", "(twice)", "given once"}},
		{"bytes that are not UTF-8", "{\"name\": \"\xff\"}", refusal{"body", "", "UTF-8"}},
	}
	for _, c := range cases {
		_, err := ParseSpec([]byte(c.body))
		c.want.check(t, c.name, err)
		_, err = ParsePatch([]byte(c.body))
		if err == nil {
			t.Errorf("%s: accepted as a patch", c.name)
		}
	}
}

func TestSpecReadsWhatItWrites(t *testing.T) {
	for _, text := range []string{rainSpec, bombSpec, with(t, rainSpec, `"opens_at": "+1m30s", "chance": 0.25, "signup": "open", "ticket": true, "fair_start": "250ms"`)} {
		first, err := ParseSpec([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		written, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		second, err := ParseSpec(written)
		if again, _ := json.Marshal(second); err != nil || string(again) != string(written) {
			t.Errorf("%s is read as %s: %v", written, again, err)
		}
	}
}

// FuzzParseSpec keeps: no input makes it panic, a refusal is the caller's fault and names a field, and what is
// accepted as rules is within every bound.
func FuzzParseSpec(f *testing.F) {
	f.Add([]byte(rainSpec))
	f.Add([]byte(bombSpec))
	f.Add([]byte(with(f, rainSpec, `"opens_at": "+10s", "chance": 1e-9, "wins_max": null, "title": {"zh": "红"}`)))
	f.Add([]byte(`{"name":"a","name":"b"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		rules, err := rulesOf(string(body))
		if err != nil {
			checkInvalid(t, err)
			return
		}
		if err := rules.validate(); err != nil {
			t.Errorf("accepted, and yet %v", err)
		}
		if _, err := Created(1, Nonce{}, Seed{}, Change{Create: &rules}); err != nil {
			t.Error(err)
		}
	})
}

// FuzzParsePatch keeps the same of a revision.
func FuzzParsePatch(f *testing.F) {
	f.Add([]byte(`{"budget": {"total_fen": 20000}, "closes_at": "2027-02-05T14:00:00Z", "paused": true}`))
	f.Add([]byte(`{"chance": 0.5, "pace": "linear", "wins_max": 0, "daily_wins_max": 3, "opens_at": null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		patch, err := ParsePatch(body)
		if err != nil {
			checkInvalid(t, err)
			return
		}
		c := created(t, someRules())
		e, ok, err := c.Change(Change{At: opensAt - hour, Revise: &patch}, Seed{}, Tally{})
		if err != nil {
			return
		}
		if err := e.Rules.validate(); err != nil || !ok {
			t.Errorf("accepted, and yet %v", err)
		}
	})
}

func checkInvalid(t *testing.T, err error) {
	t.Helper()
	var field *FieldError
	if !errors.As(err, &field) || field.Field == "" || field.Allowed == "" {
		t.Errorf("the error is %v", err)
	}
}
