package cluster

import (
	"errors"
	"testing"

	"hongbao"
)

// playUntilBusy wins until players are told busy whatever they try, and returns how many have won. One busy proves nothing:
// a lease may be on its way.
func playUntilBusy(t *testing.T, e *Engine, c *hongbao.Campaign) (won uint64) {
	t.Helper()
	busy := 0
	for uid := uint64(0); uid < 2*c.Rules().Budget.Count; uid++ {
		switch result, err := snatchNow(t, e, c, uid); {
		case errors.Is(err, hongbao.ErrBusy):
			if busy++; busy == 50 {
				return won
			}
			continue
		case err != nil || result.Status != hongbao.Won:
			t.Fatalf("player %d is told %+v, %v", uid, result, err)
		}
		won, busy = won+1, 0
	}
	t.Fatal("nobody is ever told busy")
	return 0
}

// TestAFullOutboxIsBusy plays without a worker until the outbox is full: busy means that nothing happened; and as soon as the
// books have it, play goes on. Keeps G4.
func TestAFullOutboxIsBusy(t *testing.T) {
	b := newBed(t, 1)
	b.options.OutboxBytes = 20_000
	e := b.open()
	c := rain(t, e, 1000)
	won := playUntilBusy(t, e, c)
	if taken := e.Progress(c.ID).Taken.Count; taken != won || won < 50 {
		t.Errorf("%d have won before the outbox was full, and %d are taken", won, taken)
	}
	if _, err := e.Open(t.Context(), hongbao.OpenRequest{UID: 0, Envelope: hongbao.NewEnvelopeID(c.ID, 0), Now: now()}); !errors.Is(err, hongbao.ErrBusy) {
		t.Errorf("opening is answered with %v", err)
	}
	b.work(e)
	for uid := range 3 * won { // more than an outbox has room for
		if err := e.insist(t.Context(), func() error { _, err := snatchNow(t, e, c, 10_000+uid); return err }); err != nil {
			t.Fatal(err)
		}
	}
	auditAll(t, e)
}

// TestABankStopsAtItsMark plays while the books can't be written: what the books do not know to be leased is never given.
// When they are back, all of the budget is. Keeps G2.
func TestABankStopsAtItsMark(t *testing.T) {
	b := newBed(t, 1)
	b.options.LeaseMax = 8
	e := b.open()
	c := rain(t, e, 800)
	if _, err := snatchNow(t, e, c, 1<<40); err != nil { // the first lease needs a first mark
		t.Fatal(err)
	}
	marks, err := e.ledger.BankMarks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.ledger.Close(); err != nil {
		t.Fatal(err)
	}
	won := 1 + playUntilBusy(t, e, c)
	if mark := marks[c.ID]; won != mark || mark >= 800 || mark < 50 {
		t.Errorf("%d have won, and the mark is at %d", won, mark)
	}

	other := b.open()
	b.work(other)
	wins := map[hongbao.EnvelopeID]int64{}
	taken := other.Progress(c.ID).Taken
	sellOut(t, other, c, wins, &taken)
	if budget := c.Rules().Budget; taken.Count != budget.Count || taken.TotalFen != budget.TotalFen {
		t.Errorf("%+v is taken of %+v", taken, budget)
	}
	auditAll(t, other)
}
