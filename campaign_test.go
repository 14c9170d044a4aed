package hongbao

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestEnvelopeIDHoldsTheLargestCampaignAndNumber(t *testing.T) {
	id := NewEnvelopeID(CampaignMax, math.MaxUint32)
	if id.Campaign() != CampaignMax || id.Number() != math.MaxUint32 {
		t.Errorf("it is campaign %d, number %d", id.Campaign(), id.Number())
	}
	if want := EnvelopeID(1<<53 - 1); id != want {
		t.Errorf("it is %d; must be %d, which a float64 holds", id, want)
	}
	rapid.Check(t, func(t *rapid.T) {
		campaign := rapid.Uint32Range(1, CampaignMax).Draw(t, "campaign")
		number := rapid.Uint64Range(0, math.MaxUint32).Draw(t, "number")
		if id := NewEnvelopeID(campaign, number); id.Campaign() != campaign || id.Number() != number {
			t.Fatalf("%d is campaign %d, number %d", id, id.Campaign(), id.Number())
		}
	})
}

// revisedAt is a campaign whose budget was revised when that many were issued, to that many.
func revisedAt(steps ...[2]uint64) *Campaign {
	c := &Campaign{ID: 1, Revisions: []Revision{{Number: 1, Segment: &Segment{Revision: 1, Count: 100}}}}
	for i, step := range steps {
		number, issued, count := uint32(i+2), step[0], step[1]
		r := Revision{Number: number, Issued: issued}
		if count > 0 {
			r.Segment = &Segment{Revision: number, First: issued, Count: count - issued}
		}
		c.Revisions = append(c.Revisions, r)
	}
	return c
}

func TestNumberBelongsToTheRevisionThatWasInForceWhenItWasGivenOut(t *testing.T) {
	cases := []struct {
		name      string
		campaign  *Campaign
		number    uint64
		revision  uint32
		segmentOf uint32
	}{
		{"the first number", revisedAt(), 0, 1, 1},
		{"the last number", revisedAt(), 99, 1, 1},
		{"the number before a revision", revisedAt([2]uint64{10, 200}), 9, 1, 1},
		{"the number after a revision", revisedAt([2]uint64{10, 200}), 10, 2, 2},
		{"the last number of a raised budget", revisedAt([2]uint64{10, 200}), 199, 2, 2},
		{"revised before anything was issued", revisedAt([2]uint64{0, 200}), 0, 2, 2},
		{"revised three times at one number", revisedAt([2]uint64{10, 200}, [2]uint64{10, 0}, [2]uint64{10, 50}), 10, 4, 4},
		{"and the number before", revisedAt([2]uint64{10, 200}, [2]uint64{10, 0}, [2]uint64{10, 50}), 9, 1, 1},
		{"revised without a change of budget", revisedAt([2]uint64{10, 200}, [2]uint64{20, 0}), 20, 3, 2},
		{"between two revisions", revisedAt([2]uint64{10, 200}, [2]uint64{20, 0}), 19, 2, 2},
		{"lowered and raised again", revisedAt([2]uint64{10, 20}, [2]uint64{20, 120}), 20, 3, 3},
		{"raised after it was sold out", revisedAt([2]uint64{100, 150}), 100, 2, 2},
		{"the last before", revisedAt([2]uint64{100, 150}), 99, 1, 1},
	}
	for _, c := range cases {
		if got := c.campaign.RevisionOf(c.number).Number; got != c.revision {
			t.Errorf("%s: it is of revision %d; must be %d", c.name, got, c.revision)
		}
		if got := c.campaign.SegmentOf(c.number).Revision; got != c.segmentOf {
			t.Errorf("%s: it is of the segment of revision %d; must be %d", c.name, got, c.segmentOf)
		}
	}
}

func TestNumberBeyondTheBudgetIsOfNoSegment(t *testing.T) {
	if got := revisedAt([2]uint64{10, 200}).SegmentOf(200); got != (Segment{}) {
		t.Errorf("it is of %+v", got)
	}
}

// TestRulesOfBeforeStayTheirCommitmentByteForByte pins the canonical JSON of rules that set nothing that was added since,
// and the commitment, which is the SHA-256 that sha256sum makes of the seed's 32 bytes and that text.
func TestRulesOfBeforeStayTheirCommitmentByteForByte(t *testing.T) {
	const canonical = `{"name":"some-rain","title":{},"rules_text":{},"kind":"rain",` +
		`"budget":{"total_fen":10000,"count":100,"min_fen":1,"max_fen":200,"split":"double_mean"},` +
		`"opens_at":"2027-02-05T12:00:00Z","closes_at":"2027-02-05T13:00:00Z","open_for":"24h0m0s","chance":1,"pace":"none",` +
		`"wins_max":5,"daily_wins_max":0,"signup":"none","reveal":"on_open","paused":false}`
	const commitment = "602ec4ff5c4ce8dcf70154366eeab665615185e0bd26c1f0062272f65fc55418"
	if got := string(CanonicalRules(someRules())); got != canonical {
		t.Errorf("they are\n%s; must stay\n%s", got, canonical)
	}
	if got := created(t, someRules()).Commitment; got != commitment {
		t.Errorf("the commitment is %s; must stay %s", got, commitment)
	}
}

// TestCommitmentBindsTicketAndFairStart: neither can be denied once it is published.
func TestCommitmentBindsTicketAndFairStart(t *testing.T) {
	rules := someRules()
	rules.Ticket, rules.FairStart = true, Duration(time.Second)
	const written = `"reveal":"on_open","ticket":true,"fair_start":"1s","paused":false}`
	if text := string(CanonicalRules(rules)); !strings.HasSuffix(text, written) {
		t.Errorf("they are %s; must end with %s", text, written)
	}
	var again Rules
	if err := json.Unmarshal(CanonicalRules(rules), &again); err != nil || again != rules {
		t.Errorf("they are read as %+v, %v", again, err)
	}
}

func TestPhaseFollowsTimeAndSeal(t *testing.T) {
	sealed := func(at Time, cancelled bool) *Campaign {
		c := created(t, someRules())
		c.Seal = &Seal{At: at, Cancelled: cancelled}
		return c
	}
	open := created(t, someRules())
	closes := open.Rules().ClosesAt
	cases := []struct {
		name     string
		campaign *Campaign
		now      Time
		held     uint64
		want     Phase
	}{
		{"more than a minute before it opens", open, opensAt - minute - 1, 0, PhaseScheduled},
		{"a minute before it opens", open, opensAt - minute, 0, PhaseCountdown},
		{"a millisecond before it opens", open, opensAt - 1, 0, PhaseCountdown},
		{"when it opens", open, opensAt, 0, PhaseOpen},
		{"a millisecond before it closes", open, closes - 1, 7, PhaseOpen},
		{"when it closes, not yet sealed, nothing held", open, closes, 0, PhaseClosed},
		{"sealed with envelopes held", sealed(closes, false), closes, 1, PhaseClosed},
		{"sealed with none held", sealed(closes, false), closes, 0, PhaseSettled},
		{"cancelled before it opened", sealed(opensAt-hour, true), opensAt - hour, 0, PhaseSettled},
		{"cancelled, and a clock that stepped back", sealed(opensAt, true), opensAt - hour, 1, PhaseClosed},
	}
	for _, c := range cases {
		if got := c.campaign.Phase(c.now, c.held); got != c.want {
			t.Errorf("%s: it is %s; must be %s", c.name, got, c.want)
		}
	}
}

func TestPhaseIsReadByName(t *testing.T) {
	for _, phase := range phases {
		if got, err := ParsePhase(string(phase)); err != nil || got != phase {
			t.Errorf("%s is read as %s, %v", phase, got, err)
		}
	}
	_, err := ParsePhase("Open")
	refusal{"phase", "Open", "one of scheduled countdown open closed settled"}.check(t, "in capitals", err)
}

func TestExpiryNeverMovesEarlier(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &Campaign{Revisions: []Revision{{Number: 1, Rules: someRules()}}}
		told := opensAt + Time(rapid.Int64Range(int64(-hour), int64(100*hour)).Draw(t, "told"))
		if got := c.Expiry(told); got != told {
			t.Fatalf("while it runs, %s became %s", told, got)
		}
		c.Seal = &Seal{At: opensAt + Time(rapid.Int64Range(int64(-hour), int64(hour)).Draw(t, "sealed"))}
		if got := c.Expiry(told); got != told {
			t.Fatalf("once it closed, %s became %s", told, got)
		}
		c.Seal.Cancelled = true
		if got := c.Expiry(told); got < told || got < c.Seal.At+24*hour || got != told && got != c.Seal.At+24*hour {
			t.Fatalf("once it was cancelled at %s, %s became %s", c.Seal.At, told, got)
		}
	})
}

func TestHeldIsWhatIsTakenAndNeitherOpenedNorRefunded(t *testing.T) {
	var p Progress
	for _, amount := range []int64{1, 2, 4, 8, 16} {
		p.Taken.Add(amount)
	}
	p.Opened.Add(1)
	p.Refunded.Add(16)
	if got, want := p.Held(), (Tally{3, 14}); got != want {
		t.Errorf("held are %+v; must be %+v", got, want)
	}
}

func TestNonceInText(t *testing.T) {
	nonce := Nonce{0: 0xAB, 15: 0x01}
	var got Nonce
	if err := got.UnmarshalText([]byte(nonce.String())); err != nil || got != nonce {
		t.Errorf("%s is read as %s, %v", nonce, got, err)
	}
	for _, text := range []string{"", "ab", nonce.String() + "00", "zz" + nonce.String()[2:]} {
		refusal{"nonce", text, "32 hex digits"}.check(t, text, got.UnmarshalText([]byte(text)))
	}
}

func TestLeftIsZeroOnlyWhenAllIsTaken(t *testing.T) {
	for _, row := range []struct{ count, taken, left uint64 }{
		{1, 0, 100}, {1, 1, 0}, {1000, 1, 100}, {1000, 10, 99}, {1000, 999, 1}, {1 << 32, 1<<32 - 1, 1}, {1 << 32, 1 << 32, 0}, {3, 1, 67},
	} {
		if got := (Progress{Taken: Tally{Count: row.taken}}).Left(row.count); got != row.left {
			t.Errorf("of %d with %d taken, %d hundredths are left, not %d", row.count, row.taken, got, row.left)
		}
	}
}
