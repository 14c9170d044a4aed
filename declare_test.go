package hongbao_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"hongbao"
)

func declared(name string, opens hongbao.When) hongbao.Spec {
	return hongbao.Spec{
		Name: name, Kind: hongbao.Rain, OpensAt: opens, Lasts: hongbao.Duration(time.Minute),
		Budget: hongbao.BudgetSpec{TotalFen: 1000, Count: 10},
	}
}

// names are those of all campaigns, in order.
func (w *world) names() string {
	var names []string
	for _, c := range w.Campaigns() {
		names = append(names, c.Rules().Name)
	}
	return strings.Join(names, " ")
}

func (w *world) declare(specs ...hongbao.Spec) {
	w.Helper()
	if err := w.Declare(w.Context(), specs); err != nil {
		w.Error(err)
	}
}

func TestDeclaredCampaignIsCreatedOnceAndThenLeftAlone(t *testing.T) {
	w := newWorld(t)
	first, second := declared("first", hongbao.AtTime(opensAt)), declared("second", hongbao.AtTime(opensAt+hour))
	w.declare(first)
	w.declare(first, second)
	if got := w.names(); got != "first second" {
		t.Errorf("there are %s", got)
	}
	if actor := w.Campaigns()[0].Revisions[0].Actor; actor != "config" {
		t.Errorf("it was created by %s", actor)
	}
	if w.log.Len() > 0 {
		t.Errorf("nothing differs, and yet it says %s", &w.log)
	}
	w.at(opensAt + 24*hour)
	w.declare(first, second)
	if got := w.names(); got != "first second" {
		t.Errorf("after they have ended there are %s", got)
	}
}

func TestDifferenceFromWhatIsStoredIsLoggedAndLeftAlone(t *testing.T) {
	w := newWorld(t)
	spec := declared("first", hongbao.AtTime(opensAt))
	w.declare(spec)
	spec.Budget.TotalFen = 2000
	w.declare(spec)
	if total := w.Campaigns()[0].Rules().Budget.TotalFen; total != 1000 || len(w.Campaigns()) != 1 {
		t.Errorf("there are %s, of %d fen", w.names(), total)
	}
	if text := w.log.String(); !strings.Contains(text, "stored with other rules") || !strings.Contains(text, "first") || !strings.Contains(text, "2000") {
		t.Errorf("it says %q", text)
	}
}

func TestDifferenceInTicketOrFairStartIsLogged(t *testing.T) {
	for text, change := range map[string]func(*hongbao.Spec){
		"ticket":     func(s *hongbao.Spec) { s.Ticket = true },
		"fair_start": func(s *hongbao.Spec) { s.FairStart = hongbao.Duration(time.Second) },
	} {
		w := newWorld(t)
		spec := declared("first", hongbao.AtTime(opensAt))
		w.declare(spec)
		change(&spec)
		w.declare(spec)
		if log := w.log.String(); !strings.Contains(log, "stored with other rules") || !strings.Contains(log, text) {
			t.Errorf("of another %s it says %q", text, log)
		}
	}
}

func TestDeclarationThatIsNoLongerValidIsLogged(t *testing.T) {
	w := newWorld(t)
	spec := declared("first", hongbao.AtTime(opensAt))
	w.declare(spec)
	spec.Budget.Count = 0
	w.declare(spec)
	if text := w.log.String(); !strings.Contains(text, "would not be valid") || !strings.Contains(text, "budget.count") {
		t.Errorf("it says %q", text)
	}
}

func TestRelativeDeclarationIsMadeAnewOnceItHasEnded(t *testing.T) {
	w := newWorld(t)
	spec := declared("trial", hongbao.InFuture(hongbao.Duration(10*time.Second)))
	start := w.Now()
	cases := []struct {
		name string
		at   hongbao.Time
		want string
	}{
		{"at first", start, "trial"},
		{"before it opens", start + 5*second, "trial"},
		{"while it runs", start + 30*second, "trial"},
		{"a millisecond before it closes", start + 70*second - 1, "trial"},
		{"when it has closed, sealed or not", start + 70*second, "trial trial-2"},
		{"while the second runs", start + 100*second, "trial trial-2"},
		{"when that has closed", start + hour, "trial trial-2 trial-3"},
	}
	for _, c := range cases {
		w.at(c.at)
		w.declare(spec)
		if got := w.names(); got != c.want {
			t.Errorf("%s there are %s; must be %s", c.name, got, c.want)
		}
	}
	if w.log.Len() > 0 {
		t.Errorf("nothing differs, and yet it says %s", &w.log)
	}
	if _, err := w.Cancel(t.Context(), 3, "ann"); err != nil {
		t.Fatal(err)
	}
	w.declare(spec)
	if got := w.names(); got != "trial trial-2 trial-3 trial-4" {
		t.Errorf("after cancelling there are %s", got)
	}
}

func TestBadDeclarationNamesItsPlaceAndField(t *testing.T) {
	w := newWorld(t)
	bad := declared("bad", hongbao.AtTime(opensAt))
	bad.Budget.Count = 0
	err := w.Declare(t.Context(), []hongbao.Spec{declared("good", hongbao.AtTime(opensAt)), bad})
	if !errors.Is(err, hongbao.ErrInvalid) || !strings.Contains(err.Error(), "campaigns[1] (bad): budget.count") {
		t.Errorf("the error is %v", err)
	}
	if got := w.names(); got != "good" {
		t.Errorf("there are %s", got)
	}
}
