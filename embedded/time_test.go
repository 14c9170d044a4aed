package embedded

import (
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
)

// TestEngineTimeNeverGoesBack: whatever clocks callers have, times in the journal ascend, over restarts too.
func TestEngineTimeNeverGoesBack(t *testing.T) {
	rng := random(t)
	e := openData(t, vfs.NewMem(), start)
	c := rain(t, e, "first", 10_000, 0)
	var latest hongbao.Time
	for range 3 {
		var crowd sync.WaitGroup
		for i := range 16 {
			clock := start + hongbao.Time(rng.Int64N(300_000))
			crowd.Go(func() {
				for n := range hongbao.Time(40) {
					now := clock - n*n*50 // it goes back, ever faster
					if _, err := e.Snatch(t.Context(), hongbao.SnatchRequest{Campaign: c.ID, UID: uint64(i), Key: "k", KeyIsNew: true, Now: now}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		crowd.Wait()
		last := hongbao.Time(0)
		for entry, err := range e.Journal(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			if entry.Event.At < last {
				t.Fatalf("%s is at %s, behind one at %s", entry.Position, entry.Event.At, last)
			}
			last = entry.Event.At
		}
		if e.Now() != last || e.Health().Now != last || last < latest {
			t.Errorf("engine time is %s, the journal's %s, before it was %s", e.Now(), last, latest)
		}
		latest = last
		e = reopen(t, e, latest)
	}
}

// TestAPlayersWinsAreInTheOrderOfTheirTimes: the order of the wallet rests on it.
func TestAPlayersWinsAreInTheOrderOfTheirTimes(t *testing.T) {
	e := openData(t, vfs.NewMem(), start)
	c := rain(t, e, "first", 10_000, 0)
	var crowd sync.WaitGroup
	for i := range 32 {
		crowd.Go(func() {
			for n := range hongbao.Time(30) {
				r, err := e.Snatch(t.Context(), hongbao.SnatchRequest{Campaign: c.ID, UID: 1, Key: "k", KeyIsNew: true, Now: start + hongbao.Time(i)*7 + n*13})
				if err != nil || r.Status != hongbao.Won {
					t.Error(r.Status, err)
				}
			}
		})
	}
	crowd.Wait()
	w, err := e.Wallet(t.Context(), hongbao.WalletRequest{UID: 1, Limit: 2000})
	if err != nil || len(w.Envelopes) != 32*30 {
		t.Fatalf("%d envelopes, %v", len(w.Envelopes), err)
	}
	for i := range w.Envelopes[1:] {
		if newer, older := w.Envelopes[i], w.Envelopes[i+1]; newer.ID < older.ID || newer.WonAt < older.WonAt {
			t.Fatalf("envelope %d won at %s stands before %d won at %s", newer.ID, newer.WonAt, older.ID, older.WonAt)
		}
	}
}
