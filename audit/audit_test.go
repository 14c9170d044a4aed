package audit_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"hongbao"
	"hongbao/audit"
)

// TestValidHistoriesPass: whatever the rules allow, the audit finds nothing in; with the books, with and without the
// secret, and twice the same.
func TestValidHistoriesPass(t *testing.T) {
	for range 5 {
		seed := rand.Uint64()
		t.Logf("history(t, %d)", seed)
		p := history(t, seed)
		last := len(p.journal.events) - 1
		for _, o := range []audit.Options{
			{},
			{Secret: &p.secret},
			{Secret: &p.secret, Leased: true},
			{Secret: &p.secret, Head: "17", Books: p.books(last)},
			{Secret: &p.secret, Books: p.books(last / 2)},
		} {
			report := p.audit(o)
			if !report.OK || len(failed(report.Checks)) > 0 {
				t.Fatalf("with %+v: %+v", o, report.Checks)
			}
			if again := p.audit(o); !reflect.DeepEqual(report, again) {
				t.Fatalf("two audits differ:\n%+v\n%+v", report, again)
			}
		}
	}
}

// TestHistoryHasAll: the histories that the other tests stand on have every status, kind of event and turn of a campaign.
func TestHistoryHasAll(t *testing.T) {
	p := history(t, 1)
	for status, n := range p.statuses {
		if n == 0 && hongbao.Status(status) != hongbao.NotFound {
			t.Errorf("no snatch was %s", hongbao.Status(status))
		}
	}
	var kinds [hongbao.SystemRecorded + 1]int
	for i := range p.journal.events {
		kinds[p.journal.events[i].Kind]++
	}
	for kind, n := range kinds[1:] {
		if n == 0 {
			t.Errorf("no event is %s", hongbao.EventKind(kind+1))
		}
	}
	if s := p.stages[spring-1]; len(s.Revisions) != 5 {
		t.Errorf("spring has %d revisions", len(s.Revisions))
	}
}

// TestTotals: the report has each campaign's books.
func TestTotals(t *testing.T) {
	p := history(t, 1)
	report := p.audit(audit.Options{Secret: &p.secret})
	if int(report.Events) != len(p.journal.events) || report.Head != p.journal.Head() || len(report.Campaigns) != len(p.stages) {
		t.Fatalf("%d events, head %s, %d campaigns", report.Events, report.Head, len(report.Campaigns))
	}
	for i, c := range report.Campaigns {
		taken := hongbao.Tally{
			Count:    c.Held.Count + c.Opened.Count + c.Refunded.Count,
			TotalFen: c.Held.TotalFen + c.Opened.TotalFen + c.Refunded.TotalFen,
		}
		if taken != p.stages[i].issued || c.NotTaken.TotalFen != c.Budget.TotalFen-taken.TotalFen || c.Name != p.stages[i].Rules().Name {
			t.Errorf("%+v, and %+v was issued", c, p.stages[i].issued)
		}
	}
}

// TestEmptyJournalPasses: a server that has not begun is in order.
func TestEmptyJournalPasses(t *testing.T) {
	p := &play{t: t}
	if report := p.audit(audit.Options{Books: &books{}}); !report.OK || report.Checks[len(report.Checks)-1].Name != "books" {
		t.Error(report)
	}
}

// TestErrors: what is not a difference is an error.
func TestErrors(t *testing.T) {
	p := history(t, 1)
	ended, end := context.WithCancel(context.Background())
	end()
	if _, err := audit.Run(ended, &p.journal, audit.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("under an ended context: %v", err)
	}
	if _, err := audit.Run(context.Background(), &p.journal, audit.Options{Head: "head"}); !errors.Is(err, hongbao.ErrInvalid) {
		t.Errorf("with a head that is none: %v", err)
	}
	unreadable := errors.New("unreadable")
	o := audit.Options{Books: &failingBooks{p.books(9), unreadable}}
	if _, err := audit.Run(context.Background(), &p.journal, o); !errors.Is(err, unreadable) {
		t.Errorf("with books that can't be read: %v", err)
	}
}

type failingBooks struct {
	*books
	err error
}

func (b *failingBooks) Wallets(context.Context, func(uint64, *hongbao.Wallet) error) error {
	return b.err
}

// TestDifferencesAreCountedAndSomeDescribed: a journal that is wrong everywhere makes a short report.
func TestDifferencesAreCountedAndSomeDescribed(t *testing.T) {
	p := history(t, 1)
	wins := 0
	for i := range p.journal.events {
		if e := &p.journal.events[i]; e.Kind == hongbao.EnvelopeWon {
			e.WinsMax += 100
			wins++
		}
	}
	report := p.audit(audit.Options{DifferencesMax: 3})
	g3 := report.Checks[slices.IndexFunc(report.Checks, func(c audit.Check) bool { return c.Name == "G3" })]
	if report.OK || g3.OK || g3.Failures != uint64(wins) || len(g3.Differences) != 3 || g3.Detail != g3.Differences[0] {
		t.Errorf("%d wins are wrong: %+v", wins, g3)
	}
}
