package adminapi

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"hongbao"
)

// Keeps G6: the report's figures are the journal's, to the fen.
func TestReportBalances(t *testing.T) {
	b := played(t)
	var r campaignReport
	b.get("/admin/v1/campaigns/1/report").must(http.StatusOK).into(&r)
	var taken, opened, refunded hongbao.Tally
	for _, line := range b.lines("?campaign=1") {
		switch line.Kind {
		case hongbao.EnvelopeWon:
			taken.Add(line.AmountFen)
		case hongbao.EnvelopeOpened:
			opened.Add(line.AmountFen)
		case hongbao.EnvelopeRefunded:
			refunded.Add(line.AmountFen)
		}
	}
	if r.Taken != taken || r.Opened != opened || r.Refunded != refunded || r.Budget != (hongbao.Tally{Count: 5, TotalFen: 600}) {
		t.Errorf("%+v", r)
	}
	if taken.Count != 4 || opened.Count != 2 || refunded.Count != 2 || r.Held != (hongbao.Tally{}) || r.Players != 3 {
		t.Errorf("%+v", r)
	}
	if sum := add(r.NotTaken, add(r.Held, add(r.Opened, r.Refunded))); sum != r.Budget {
		t.Errorf("not taken + held + opened + refunded is %+v of %+v", sum, r.Budget)
	}
	if r.FirstWinAt != start || r.LastWinAt != start.Add(hongbao.Duration(2*time.Minute)) {
		t.Errorf("first win %s, last win %s", r.FirstWinAt, r.LastWinAt)
	}
	var byMinute, byAmount hongbao.Tally
	for _, m := range r.Minutes {
		byMinute = add(byMinute, m.Won)
	}
	for _, a := range r.Amounts {
		byAmount = add(byAmount, a.Won)
		if a.Won.TotalFen < int64(a.Won.Count)*a.FromFen || a.Won.TotalFen > int64(a.Won.Count)*a.ToFen {
			t.Errorf("amounts outside of their range: %+v", a)
		}
	}
	if byMinute != taken || byAmount != taken || len(r.Minutes) != 4 || !slices.IsSortedFunc(r.Minutes, func(a, b minuteReport) int { return int(a.At - b.At) }) {
		t.Errorf("minutes add up to %+v, amounts to %+v, want %+v; %d minutes", byMinute, byAmount, taken, len(r.Minutes))
	}

	b.get("/admin/v1/campaigns/2/report").must(http.StatusOK).into(&r)
	if r.Held.Count != 1 || r.Held != r.Taken || r.Players != 1 {
		t.Errorf("%+v", r)
	}
}

func add(a, b hongbao.Tally) hongbao.Tally {
	return hongbao.Tally{Count: a.Count + b.Count, TotalFen: a.TotalFen + b.TotalFen}
}

func TestAmountRangesCoverWhatTheRulesAllow(t *testing.T) {
	for _, row := range []struct{ low, high int64 }{{1, 1}, {1, 2}, {1, 20}, {1, 21}, {1, 22}, {7, 1000}, {1, 1_000_000_000_000}} {
		ranges := amountRanges(&hongbao.Campaign{Revisions: []hongbao.Revision{{Rules: hongbao.Rules{Budget: hongbao.Budget{MinFen: row.low, MaxFen: row.high}}}}})
		if len(ranges) > amountRangesMax || ranges[0].FromFen != row.low || ranges[len(ranges)-1].ToFen != row.high {
			t.Errorf("%+v: %+v", row, ranges)
		}
		for i := range ranges[1:] {
			if ranges[i+1].FromFen != ranges[i].ToFen+1 {
				t.Errorf("%+v: a gap after %+v", row, ranges[i])
			}
		}
	}
}

func TestWinnersSayWhatBecameOfEachEnvelope(t *testing.T) {
	b := played(t)
	records, err := csv.NewReader(bytes.NewReader(b.get("/admin/v1/campaigns/1/winners.csv").must(http.StatusOK).body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, r := range records[1:] {
		told = append(told, fmt.Sprint(r[1], " ", r[2], " ", r[4], " rev", r[5]))
		if opened, refunded := r[4] == "opened", r[4] == "refunded"; (r[8] != "") != opened || (r[9] != "") != refunded {
			t.Errorf("%v", r)
		}
	}
	want := "0 7 opened rev1, 1 7 opened rev1, 2 8 refunded rev2, 3 9007199254740991 refunded rev2"
	if got := strings.Join(told, ", "); got != want || !slices.Equal(records[0], winnerHeader) {
		t.Errorf("%v\n%s", records[0], got)
	}
	if first := records[1]; first[0] != "4294967296" || first[6] != "2027-01-15T08:00:00Z" || first[7] != "2027-01-16T08:10:00Z" || first[8] != "2027-01-15T08:01:00Z" {
		t.Errorf("%v", first)
	}
	var revised int
	fmt.Sscan(records[3][3], &revised)
	if amount := b.lines("?campaign=1")[4].AmountFen; int64(revised) != amount {
		t.Errorf("amount %d, in the journal %d", revised, amount)
	}
	held := b.get("/admin/v1/campaigns/2/winners.csv").must(http.StatusOK).body
	if !bytes.Contains(held, []byte(",held,")) || bytes.Count(held, []byte("\n")) != 2 {
		t.Errorf("%s", held)
	}
}

// A win that comes in while the journal is walked for the second time is not told, for its ending is not known.
func TestWinnersEndWhereTheirEndingsDo(t *testing.T) {
	b := newBed(t)
	b.rain("r", 5)
	b.snatch(1, 1, "a")
	_, last, err := b.server.endings(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	b.snatch(1, 2, "b")
	won := 0
	for range wins(b.engine.Journal(t.Context(), ""), 1, last) {
		won++
	}
	if won != 1 {
		t.Errorf("%d wins, want 1", won)
	}
}
