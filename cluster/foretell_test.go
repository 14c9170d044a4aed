package cluster

import (
	"testing"
	"time"

	"hongbao"
)

// The suite accepts that a node knows nothing at the moment; here it does know.
func TestANodeForetellsWhatItKnows(t *testing.T) {
	e := newStore(t, 2, func(*Options) {}).engine
	c := rain(t, e, 1)
	rules := *c.Rules()
	rules.Name, rules.OpensAt, rules.ClosesAt = "later", rules.OpensAt+3_600_000, rules.ClosesAt+3_600_000
	later, err := e.Put(t.Context(), hongbao.Change{At: now(), Actor: "test", Create: &rules})
	if err != nil {
		t.Fatal(err)
	}
	foretell := func(c *hongbao.Campaign, isNew bool, at hongbao.Time) (hongbao.SnatchResult, bool) {
		return e.Foretell(hongbao.SnatchRequest{Campaign: c.ID, KeyIsNew: isNew, Now: at})
	}
	silent := func(when string, isNew bool) {
		t.Helper()
		if r, ok := foretell(c, isNew, now()); ok {
			t.Errorf("%s %+v is foretold", when, r)
		}
	}
	refresh := func() {
		if err := e.catalog.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// told asks until the caches, which run out after a second on a busy machine, are filled again.
	told := func(want hongbao.Status, c *hongbao.Campaign, isNew bool, at hongbao.Time, fill func()) {
		t.Helper()
		for {
			fill()
			if r, ok := foretell(c, isNew, at); ok {
				if r.Status != want || r.Wins != -1 || r.Rules != e.Campaigns()[c.ID-1].Rules() {
					t.Errorf("%+v is foretold; must be %s", r, want)
				}
				return
			}
		}
	}
	told(hongbao.NotOpen, later, false, rules.OpensAt-1, refresh)
	told(hongbao.Closed, c, true, c.Rules().ClosesAt, refresh)
	silent("with one left", true)
	snatch(t, e, c, 7)
	told(hongbao.SoldOut, c, true, now(), func() { refresh(); snatch(t, e, c, 9) })
	silent("to a key that may have won", false)
	count, total := uint64(2), int64(200)
	revise(t, e, c, &hongbao.Patch{Budget: &hongbao.BudgetPatch{Count: &count, TotalFen: &total}})
	silent("after the budget was raised", true)
	if _, err := e.Put(t.Context(), hongbao.Change{At: now(), Actor: "test", Campaign: c.ID, Cancel: true}); err != nil {
		t.Fatal(err)
	}
	told(hongbao.Cancelled, c, true, now(), refresh)
	e.catalog.good.Store(new(time.Time))
	silent("by rules that may be old", true)
}

func TestForetellingDoesNotAllocate(t *testing.T) {
	e := newStore(t, 2, func(*Options) {}).engine
	c := rain(t, e, 1)
	r := hongbao.SnatchRequest{Campaign: c.ID, KeyIsNew: true, Now: c.Rules().ClosesAt}
	if n := testing.AllocsPerRun(100_000, func() { e.Foretell(r) }); n > 0 {
		t.Errorf("it allocates %f times", n)
	}
}

func snatch(t testing.TB, e *Engine, c *hongbao.Campaign, uid uint64) hongbao.SnatchResult {
	t.Helper()
	r, err := e.Snatch(t.Context(), hongbao.SnatchRequest{Campaign: c.ID, UID: uid, Key: hongbao.NewKey(), KeyIsNew: true, Now: now()})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func revise(t testing.TB, e *Engine, c *hongbao.Campaign, patch *hongbao.Patch) {
	t.Helper()
	if _, err := e.Put(t.Context(), hongbao.Change{At: now(), Actor: "test", Campaign: c.ID, Revise: patch}); err != nil {
		t.Fatal(err)
	}
}
