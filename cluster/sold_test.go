package cluster

import (
	"testing"
	"time"

	"hongbao"
)

// waitForetold waits until a node foretells a status to a new key, and fails when it foretells another meanwhile.
func waitForetold(t *testing.T, e *Engine, c *hongbao.Campaign, want hongbao.Status) {
	t.Helper()
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(5 * time.Millisecond) {
		switch told, ok := e.Foretell(hongbao.SnatchRequest{Campaign: c.ID, KeyIsNew: true, Now: now()}); {
		case ok && told.Status == want:
			return
		case ok:
			t.Fatalf("%s is foretold, not %s", told.Status, want)
		}
	}
	t.Fatalf("%s is never foretold", want)
}

// The worker announces what sells out, and nobody may ask for an envelope any more.
func TestTheWorkerFindsOutWhatIsSoldOutAlthoughNobodyAsks(t *testing.T) {
	b := newBed(t, 3)
	b.options.LeaseMax = 2
	e, worker := b.open(), b.open()
	first, second := rain(t, e, 20), rain(t, e, 20)
	b.work(worker)
	for uid := range uint64(20) {
		if won, err := snatchNow(t, e, first, uid); err != nil || won.Status != hongbao.Won {
			t.Fatalf("player %d is told %+v, %v", uid, won, err)
		}
		if uid == 0 {
			continue
		}
		if won, err := snatchNow(t, e, second, uid); err != nil || won.Status != hongbao.Won {
			t.Fatalf("player %d is told %+v, %v", uid, won, err)
		}
	}
	waitForetold(t, worker, first, hongbao.SoldOut)
	if told, ok := worker.Foretell(hongbao.SnatchRequest{Campaign: second.ID, KeyIsNew: true, Now: now()}); ok {
		t.Errorf("with one left %s is foretold", told.Status)
	}
	more := uint64(21)
	total := int64(2100)
	if _, err := e.Put(t.Context(), hongbao.Change{At: now(), Actor: "test", Campaign: first.ID, Revise: &hongbao.Patch{
		Budget: &hongbao.BudgetPatch{Count: &more, TotalFen: &total},
	}}); err != nil {
		t.Fatal(err)
	}
	if told, ok := worker.Foretell(hongbao.SnatchRequest{Campaign: first.ID, KeyIsNew: true, Now: now()}); ok {
		t.Errorf("after one was added %s is foretold", told.Status)
	}
	if won, err := snatchNow(t, e, first, 100); err != nil || won.Status != hongbao.Won {
		t.Fatalf("the last is told %+v, %v", won, err)
	}
	if won, err := snatchNow(t, e, second, 100); err != nil || won.Status != hongbao.Won {
		t.Fatalf("the last is told %+v, %v", won, err)
	}
	waitForetold(t, worker, first, hongbao.SoldOut)
	waitForetold(t, worker, second, hongbao.SoldOut)
}
