package hongbao

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// created is a campaign of these rules.
func created(t testing.TB, rules Rules) *Campaign {
	t.Helper()
	e, err := Created(1, Nonce{1}, testSeed(), Change{At: opensAt - hour, Actor: "ann", Create: &rules})
	if err != nil {
		t.Fatal(err)
	}
	c, err := (*Campaign)(nil).After(&e)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// changed applies a change to the campaign.
func changed(t testing.TB, c *Campaign, change Change, issued Tally) *Campaign {
	t.Helper()
	e, ok, err := c.Change(change, testSeed(), issued)
	if err != nil || !ok {
		t.Fatalf("it has no effect: %v", err)
	}
	next, err := c.After(&e)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// patch reads a revision from its JSON.
func patch(t testing.TB, text string) *Patch {
	t.Helper()
	p, err := ParsePatch([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return &p
}

func TestCreatedCampaignCommitsToSeedAndRules(t *testing.T) {
	rules := someRules()
	c := created(t, rules)
	if want := testSeed().Commitment(CanonicalRules(rules)); c.Commitment != want {
		t.Errorf("its commitment is %s; must be %s", c.Commitment, want)
	}
	want := Segment{Revision: 1, Count: 100, TotalFen: 10_000, MinFen: 1, MaxFen: 200, Split: DoubleMean}
	if c.Segment() != want {
		t.Errorf("it cuts %+v; must be %+v", c.Segment(), want)
	}
	if c.Revision() != 1 || *c.Rules() != rules || c.Revisions[0].Actor != "ann" {
		t.Errorf("it began as %+v", c.Revisions)
	}
}

func TestThereAreNoCampaignsBeyondTheLargestID(t *testing.T) {
	rules := someRules()
	if _, err := Created(CampaignMax, Nonce{}, Seed{}, Change{Create: &rules}); err != nil {
		t.Error(err)
	}
	if _, err := Created(CampaignMax+1, Nonce{}, Seed{}, Change{Create: &rules}); !errors.Is(err, ErrInvalid) {
		t.Errorf("the error is %v", err)
	}
}

// TestEachRevisionRule revises the same campaign of 100 envelopes of 1 to 200 fen, 10,000 in all, of which 40 of
// 3,000 fen are issued unless a row says otherwise.
func TestEachRevisionRule(t *testing.T) {
	issued := Tally{Count: 40, TotalFen: 3000}
	cases := []struct {
		name, patch string
		at          Time
		check       func(r Rules) bool // of the rules after it
	}{
		{"the chance", `{"chance": 0.5}`, opensAt, func(r Rules) bool { return r.Chance == 500_000_000 }},
		{"the pace", `{"pace": "linear"}`, opensAt, func(r Rules) bool { return r.Pace == PaceLinear }},
		{"the limits", `{"wins_max": 0, "daily_wins_max": 9}`, opensAt, func(r Rules) bool { return r.WinsMax == 0 && r.DailyWinsMax == 9 }},
		{"pausing", `{"paused": true}`, opensAt, func(r Rules) bool { return r.Paused }},
		{"opening later, before it opened", `{"opens_at": "2027-02-05T12:30:00Z"}`, opensAt - 1, func(r Rules) bool { return r.OpensAt == opensAt+30*minute }},
		{"opening at once, before it opened", `{"opens_at": "2027-02-05T11:00:00Z"}`, opensAt - 1, func(r Rules) bool { return r.OpensAt == opensAt-hour }},
		{"opening when it did, after it opened", `{"opens_at": "2027-02-05T12:00:00Z"}`, opensAt, func(r Rules) bool { return r.OpensAt == opensAt }},
		{"closing later", `{"closes_at": "2027-02-05T14:00:00Z"}`, opensAt, func(r Rules) bool { return r.ClosesAt == opensAt+2*hour }},
		{"closing earlier", `{"closes_at": "2027-02-05T12:00:01Z"}`, opensAt, func(r Rules) bool { return r.ClosesAt == opensAt+second }},
		{"a larger total", `{"budget": {"total_fen": 12000}}`, opensAt, func(r Rules) bool { return r.Budget.TotalFen == 12_000 && r.Budget.Count == 100 }},
		{"a smaller total", `{"budget": {"total_fen": 3060}}`, opensAt, func(r Rules) bool { return r.Budget.TotalFen == 3060 }},
		{"exactly what is issued", `{"budget": {"total_fen": 3000, "count": 40}}`, opensAt, func(r Rules) bool { return r.Budget.Count == 40 }},
		{"a range that what is issued was cut without", `{"budget": {"min_fen": 110, "max_fen": 120}}`, opensAt, func(r Rules) bool { return r.Budget.MinFen == 110 && r.Budget.MaxFen == 120 }},
		{"nothing at all", `{}`, opensAt, func(r Rules) bool { return r == someRules() }},
	}
	for _, c := range cases {
		before := created(t, someRules())
		change := Change{At: c.at, Actor: "bob", Campaign: 1, IfRevision: 1, Revise: patch(t, c.patch)}
		e, ok, err := before.Change(change, testSeed(), issued)
		if err != nil || !ok {
			t.Errorf("%s: refused: %v", c.name, err)
			continue
		}
		if e.Kind != CampaignRevised || e.Revision != 2 || e.Actor != "bob" || e.At != c.at || e.Issued != issued || !c.check(*e.Rules) {
			t.Errorf("%s: the event is %+v with the rules %+v", c.name, e, *e.Rules)
		}
		if (e.Segment != nil) != (e.Rules.Budget != someRules().Budget) {
			t.Errorf("%s: its segment is %+v", c.name, e.Segment)
		}
		if !reflect.DeepEqual(before, created(t, someRules())) {
			t.Errorf("%s: the campaign before it has changed", c.name)
		}
	}
}

func TestBadRevisionNamesTheField(t *testing.T) {
	cases := []struct {
		name, patch string
		at          Time
		want        refusal
	}{
		{"opening later, after it opened", `{"opens_at": "2027-02-05T12:30:00Z"}`, opensAt, refusal{"opens_at", "2027-02-05T12:30:00Z", "left as it is: the campaign opened at 2027-02-05T12:00:00Z"}},
		{"opening after it closes", `{"opens_at": "2027-02-05T13:00:00Z"}`, opensAt - 1, refusal{"closes_at", "2027-02-05T13:00:00Z", "after opens_at"}},
		{"opening more than a year ahead", `{"opens_at": "2028-03-01T00:00:00Z", "closes_at": "2028-03-02T00:00:00Z"}`, opensAt - 1, refusal{"opens_at", "2028-03-01", "at most 366 days ahead"}},
		{"closing now", `{"closes_at": "2027-02-05T12:30:00Z"}`, opensAt + 30*minute, refusal{"closes_at", "2027-02-05T12:30:00Z", "cancel ends a campaign now"}},
		{"closing before it opens", `{"closes_at": "2027-02-05T11:30:00Z"}`, opensAt - hour, refusal{"closes_at", "2027-02-05T11:30:00Z", "after opens_at"}},
		{"a window of more than 90 days", `{"closes_at": "2027-05-07T12:00:00Z"}`, opensAt, refusal{"closes_at", "2027-05-07", "at most 90 days"}},
		{"a limit out of bounds", `{"wins_max": 10001}`, opensAt, refusal{"wins_max", "10001", "from 0 (no limit) to 10000"}},
		{"another pace", `{"pace": "fast"}`, opensAt, refusal{"pace", "fast", "one of none linear"}},
		{"a total of nothing", `{"budget": {"total_fen": 0}}`, opensAt, refusal{"budget.total_fen", "0", "from 1 to 1000000000000"}},
		{"a total out of bounds", `{"budget": {"total_fen": 1000000000001}}`, opensAt, refusal{"budget.total_fen", "1000000000001", "from 1 to 1000000000000"}},
		{"a count of nothing", `{"budget": {"count": 0}}`, opensAt, refusal{"budget.count", "0", "from 1 to 4294967296"}},
		{"a total that is too large for what remains", `{"budget": {"total_fen": 15001}}`, opensAt, refusal{"budget.max_fen", "200", "rounded up (201)"}},
		{"a total with nothing left to give it to", `{"budget": {"total_fen": 3001, "count": 40}}`, opensAt, refusal{"budget.total_fen", "1", "0 when count is 0"}},
		{"a minimum of nothing", `{"budget": {"min_fen": 0}}`, opensAt, refusal{"budget.min_fen", "0", "at least 1"}},
	}
	for _, c := range cases {
		_, ok, err := created(t, someRules()).Change(Change{At: c.at, Revise: patch(t, c.patch)}, testSeed(), Tally{40, 3000})
		c.want.check(t, c.name, err)
		if ok {
			t.Errorf("%s: it has an effect", c.name)
		}
	}
}

// TestRevisionKnowsNoOtherFields keeps what decides envelopes that are won already, or is a promise, from being revised.
func TestRevisionKnowsNoOtherFields(t *testing.T) {
	for _, field := range []string{"name", "kind", "open_for", "signup", "reveal", "title", "lasts"} {
		_, err := ParsePatch([]byte(`{"` + field + `": 1}`))
		refusal{field, "(unknown key)", "a known key"}.check(t, field, err)
	}
	const all = "a known key: budget, chance, closes_at, daily_wins_max, opens_at, pace, paused, wins_max"
	for field, value := range map[string]string{"ticket": "true", "fair_start": `"1s"`} {
		_, err := ParsePatch([]byte(`{"` + field + `": ` + value + `}`))
		refusal{field, "(unknown key)", all}.check(t, field, err)
	}
	_, err := ParsePatch([]byte(`{"budget": {"split": "equal"}}`))
	refusal{"budget.split", "(unknown key)", "a known key"}.check(t, "split", err)
}

// TestNoRevisionLeavesTheLotTooLittleOfTheWindow: players have prepared for the fair start, so the window gives way.
func TestNoRevisionLeavesTheLotTooLittleOfTheWindow(t *testing.T) {
	rules := someRules()
	rules.Ticket, rules.FairStart = true, Duration(10*time.Second)
	const tooShort = "at most 9.999s, a quarter of the window: opens_at to closes_at is 39.999s"
	cases := []struct {
		name, patch, allowed string
	}{
		{"closing after four fair starts", `{"closes_at": "2027-02-05T12:00:40Z"}`, ""},
		{"closing earlier", `{"closes_at": "2027-02-05T12:00:39.999Z"}`, tooShort},
		{"opening four fair starts before it closes", `{"opens_at": "2027-02-05T12:59:20Z"}`, ""},
		{"opening later", `{"opens_at": "2027-02-05T12:59:20.001Z"}`, tooShort},
	}
	for _, c := range cases {
		e, ok, err := created(t, rules).Change(Change{At: opensAt - minute, Revise: patch(t, c.patch)}, testSeed(), Tally{})
		if c.allowed != "" {
			refusal{"fair_start", "10s", c.allowed}.check(t, c.name, err)
		} else if err != nil || !ok || !e.Rules.Ticket || e.Rules.FairStart != rules.FairStart {
			t.Errorf("%s: %v, with the rules %+v", c.name, err, e.Rules)
		}
	}
}

// TestRevisedBudgetCutsExactlyWhatRemains is the arithmetic of segments: what is issued and the new segment are the new
// budget, to the envelope and the fen, and the segment goes on at the next number.
func TestRevisedBudgetCutsExactlyWhatRemains(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, issued := anyIssued(t)
		budget := anyBudgetPatch(t, issued)
		e, _, err := c.Change(Change{At: opensAt, Revise: &Patch{Budget: budget}}, testSeed(), issued)
		if err != nil || e.Segment == nil {
			return
		}
		s, revised := *e.Segment, e.Rules.Budget
		if err := s.Validate(); err != nil {
			t.Fatalf("it can't be cut: %v", err)
		}
		if issued.Count+s.Count != revised.Count || issued.TotalFen+s.TotalFen != revised.TotalFen {
			t.Fatalf("%+v issued and %+v are not %+v", issued, s, revised)
		}
		if s.First != issued.Count || s.Revision != 2 || s.MinFen != revised.MinFen || s.MaxFen != revised.MaxFen {
			t.Fatalf("it cuts %+v of %+v", s, revised)
		}
	})
}

// TestLeastFiguresOfTheErrorAreAcceptedAndNoneBelow takes a refusal at its word.
func TestLeastFiguresOfTheErrorAreAcceptedAndNoneBelow(t *testing.T) {
	refused := 0
	rapid.Check(t, func(t *rapid.T) {
		c, issued := anyIssued(t)
		budget := anyBudgetPatch(t, issued)
		revise := func(totalFen int64, count uint64) error {
			budget.TotalFen, budget.Count = &totalFen, &count
			_, _, err := c.Change(Change{At: opensAt, Revise: &Patch{Budget: budget}}, testSeed(), issued)
			return err
		}
		count := *budget.Count
		var below *BelowIssuedError
		if err := revise(*budget.TotalFen, count); !errors.As(err, &below) {
			return
		}
		refused++
		if !errors.Is(below, ErrBelowIssued) || below.LeastCount != issued.Count {
			t.Fatalf("it says %v", below)
		}
		count = max(count, below.LeastCount)
		if err := revise(below.LeastTotalFen, count); err != nil {
			t.Fatalf("%v, and yet these are refused: %v", below, err)
		}
		if err := revise(below.LeastTotalFen-1, count); !errors.Is(err, ErrBelowIssued) && below.LeastTotalFen > 1 {
			t.Fatalf("%v, and yet a fen less is answered with %v", below, err)
		}
		if err := revise(below.LeastTotalFen, issued.Count-1); !errors.Is(err, ErrBelowIssued) && issued.Count > 1 {
			t.Fatalf("%v, and yet an envelope less is answered with %v", below, err)
		}
	})
	if refused == 0 {
		t.Error("no budget was below what is issued")
	}
}

// anyIssued is a campaign and what could be issued of it.
func anyIssued(t *rapid.T) (*Campaign, Tally) {
	rules := someRules()
	count := rapid.Uint64Range(1, 1000).Draw(t, "count")
	lowest := rapid.Int64Range(1, 100).Draw(t, "min")
	highest := lowest + rapid.Int64Range(0, 100).Draw(t, "max above min")
	total := rapid.Int64Range(int64(count)*lowest, int64(count)*highest).Draw(t, "total")
	rules.Budget = Budget{total, count, lowest, highest, Uniform}
	if err := rules.validate(); err != nil {
		t.Fatal(err)
	}
	issued := Tally{Count: rapid.Uint64Range(1, count).Draw(t, "issued")}
	amounts := rules.Budget.segment(1, 0).Cut(testSeed(), 1, 0)
	for _, amount := range amounts[:issued.Count] {
		issued.TotalFen += amount
	}
	issued.Count = min(issued.Count, count)
	segment := rules.Budget.segment(1, 0)
	return &Campaign{ID: 1, Revisions: []Revision{{Number: 1, Rules: rules, Segment: &segment}}}, issued
}

// anyBudgetPatch is near what is issued, on either side.
func anyBudgetPatch(t *rapid.T, issued Tally) *BudgetPatch {
	count := rapid.Uint64Range(1, issued.Count*2).Draw(t, "new count")
	total := rapid.Int64Range(1, issued.TotalFen*2).Draw(t, "new total")
	lowest := rapid.Int64Range(1, 300).Draw(t, "new min")
	highest := lowest + rapid.Int64Range(0, 300).Draw(t, "new max above min")
	return &BudgetPatch{TotalFen: &total, Count: &count, MinFen: &lowest, MaxFen: &highest}
}

func TestBudgetBelowIssuedSaysWhatWouldDo(t *testing.T) {
	cases := []struct {
		name, patch string
		want        BelowIssuedError
	}{
		{"a count below what is issued", `{"budget": {"count": 39}}`, BelowIssuedError{3000, 40}},
		{"a total below what is issued", `{"budget": {"total_fen": 2999}}`, BelowIssuedError{3060, 40}},
		{"a total that leaves less than the minimum", `{"budget": {"total_fen": 3059}}`, BelowIssuedError{3060, 40}},
		{"a minimum that is too much for the rest", `{"budget": {"min_fen": 117, "max_fen": 300}}`, BelowIssuedError{10_020, 40}},
	}
	for _, c := range cases {
		_, _, err := created(t, someRules()).Change(Change{At: opensAt, Revise: patch(t, c.patch)}, testSeed(), Tally{40, 3000})
		var below *BelowIssuedError
		if !errors.As(err, &below) || *below != c.want {
			t.Errorf("%s: %v; must be %v", c.name, err, &c.want)
		}
	}
}

// TestRangeRevisedMidwayDoesNotStandInTheWayOfLaterRevisions: what was issued under another range is no fault of the
// rules in force.
func TestRangeRevisedMidwayDoesNotStandInTheWayOfLaterRevisions(t *testing.T) {
	issued := Tally{40, 400}
	c := changed(t, created(t, someRules()), Change{At: opensAt, Revise: patch(t, `{"budget": {"total_fen": 6400, "min_fen": 100, "max_fen": 100}}`)}, issued)
	c = changed(t, c, Change{At: opensAt + 1, Revise: patch(t, `{"paused": true}`)}, issued)
	if !c.Rules().Paused || c.Segment() != (Segment{2, 40, 60, 6000, 100, 100, DoubleMean}) {
		t.Errorf("it came to %+v, cutting %+v", c.Rules(), c.Segment())
	}
}

func TestRevisionOfAnotherIsStale(t *testing.T) {
	c := changed(t, created(t, someRules()), Change{At: opensAt, IfRevision: 1, Revise: patch(t, `{"paused": true}`)}, Tally{})
	for _, revision := range []uint32{1, 3} {
		change := Change{At: opensAt, IfRevision: revision, Revise: patch(t, `{"paused": false}`)}
		if _, ok, err := c.Change(change, testSeed(), Tally{}); ok || !errors.Is(err, ErrStale) {
			t.Errorf("revision %d: the error is %v", revision, err)
		}
	}
	for _, revision := range []uint32{0, 2} {
		changed(t, c, Change{At: opensAt, IfRevision: revision, Revise: patch(t, `{"paused": false}`)}, Tally{})
	}
}

func TestSealingInEveryState(t *testing.T) {
	running := created(t, someRules())
	closes := running.Rules().ClosesAt
	closed := changed(t, running, Change{At: closes, Actor: "clock", Close: true}, Tally{})
	cancelled := changed(t, running, Change{At: opensAt, Actor: "ann", Cancel: true}, Tally{})
	cases := []struct {
		name     string
		campaign *Campaign
		change   Change
		ok       bool
		err      error
	}{
		{"cancelling what runs", running, Change{At: opensAt, Cancel: true}, true, nil},
		{"cancelling what has not opened", running, Change{At: opensAt - hour, Cancel: true}, true, nil},
		{"cancelling again", cancelled, Change{At: closes, Cancel: true}, false, nil},
		{"cancelling what has closed", closed, Change{At: closes, Cancel: true}, false, ErrCampaignOver},
		{"closing when it is time", running, Change{At: closes, Close: true}, true, nil},
		{"closing before it is time", running, Change{At: closes - 1, Close: true}, false, nil},
		{"closing again", closed, Change{At: closes, Close: true}, false, nil},
		{"closing what was cancelled", cancelled, Change{At: closes, Close: true}, false, nil},
		{"revising what has closed", closed, Change{At: closes, Revise: &Patch{}}, false, ErrCampaignOver},
		{"revising what was cancelled", cancelled, Change{At: opensAt, Revise: &Patch{}}, false, ErrCampaignOver},
		{"revising what was cancelled, by a clock that stepped back", cancelled, Change{At: opensAt - hour, Revise: &Patch{}}, false, ErrCampaignOver},
		{"revising at closes_at, not yet sealed", running, Change{At: closes, Revise: &Patch{}}, false, ErrCampaignOver},
		{"revising a millisecond before closes_at", running, Change{At: closes - 1, Revise: &Patch{}}, true, nil},
	}
	for _, c := range cases {
		e, ok, err := c.campaign.Change(c.change, testSeed(), Tally{})
		if ok != c.ok || !errors.Is(err, c.err) {
			t.Errorf("%s: %t, %v; must be %t, %v", c.name, ok, err, c.ok, c.err)
		}
		if ok && c.change.Revise == nil && (e.Kind != CampaignSealed || e.Cancelled != c.change.Cancel || e.Seed != testSeed() || e.At != c.change.At) {
			t.Errorf("%s: the event is %+v", c.name, e)
		}
	}
}

func TestSealRevealsTheSeed(t *testing.T) {
	c := created(t, someRules())
	if c.Cancelled() || c.Seal != nil {
		t.Error("it begins sealed")
	}
	c = changed(t, c, Change{At: opensAt, Actor: "ann", Cancel: true}, Tally{})
	if want := (Seal{At: opensAt, Actor: "ann", Cancelled: true, Seed: testSeed()}); *c.Seal != want || !c.Cancelled() {
		t.Errorf("its seal is %+v; must be %+v", *c.Seal, want)
	}
}

func TestEventsOutOfOrderAreBroken(t *testing.T) {
	rules := someRules()
	running := created(t, rules)
	sealed := changed(t, running, Change{At: opensAt, Cancel: true}, Tally{})
	cases := []struct {
		name     string
		campaign *Campaign
		event    Event
	}{
		{"a revision left out", running, Event{Kind: CampaignRevised, Revision: 3, Rules: &rules}},
		{"a revision twice", running, Event{Kind: CampaignRevised, Revision: 1, Rules: &rules}},
		{"a second seal", sealed, Event{Kind: CampaignSealed}},
	}
	for _, c := range cases {
		if _, err := c.campaign.After(&c.event); !errors.Is(err, ErrBroken) {
			t.Errorf("%s: the error is %v", c.name, err)
		}
	}
	if _, err := running.After(&Event{Kind: EnvelopeWon}); err == nil {
		t.Error("a win changed a campaign")
	}
}

// TestCampaignsOfTwoChangesShareNothing keeps a campaign immutable where two are made of one.
func TestCampaignsOfTwoChangesShareNothing(t *testing.T) {
	base := created(t, someRules())
	for n := range uint32(6) { // wherever there is room behind the list of revisions
		left := changed(t, base, Change{At: opensAt, Revise: patch(t, `{"wins_max": 1}`)}, Tally{})
		right := changed(t, base, Change{At: opensAt, Revise: patch(t, `{"wins_max": 2}`)}, Tally{})
		if left.Rules().WinsMax != 1 || right.Rules().WinsMax != 2 || base.Revision() != 1+n {
			t.Errorf("they came to %d and %d wins, and the first to revision %d", left.Rules().WinsMax, right.Rules().WinsMax, base.Revision())
		}
		base = right
	}
}

func ExampleBelowIssuedError() {
	fmt.Println(&BelowIssuedError{LeastTotalFen: 3060, LeastCount: 40})
	// Output: budget below what is issued: total_fen must be at least 3060 and count at least 40
}
