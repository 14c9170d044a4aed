package embedded

import (
	"runtime"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
)

// A power cut could take the last win back, and with it that nothing is left.
func TestSoldOutIsForetoldOnlyOnceItIsDurable(t *testing.T) {
	d := newDisk()
	e := openEngine(t, d.files(), "data", start)
	c := rain(t, e, "r", 2, 0)
	foretell := func() (hongbao.SnatchResult, bool) {
		return e.Foretell(hongbao.SnatchRequest{Campaign: c.ID, KeyIsNew: true, Now: start})
	}
	snatch(t, e, c.ID, 7, "first")
	release := d.stall()
	won := make(chan hongbao.SnatchResult)
	go func() {
		r, _ := e.Snatch(t.Context(), hongbao.SnatchRequest{Campaign: c.ID, UID: 8, Key: "last", Now: start})
		won <- r
	}()
	for e.Progress(c.ID).Taken.Count < 2 { // then the win is decided, and waits for the disk
		runtime.Gosched()
	}
	if r, ok := foretell(); ok {
		t.Errorf("before the last win is durable %+v is foretold", r)
	}
	release()
	if r := <-won; r.Status != hongbao.Won {
		t.Fatalf("the last one is told %+v", r)
	}
	if r, ok := foretell(); !ok || r.Status != hongbao.SoldOut || r.Wins != -1 || r.Rules != c.Rules() {
		t.Errorf("once it is sold out %+v is foretold (%t)", r, ok)
	}
}

func TestForetellingDoesNotAllocate(t *testing.T) {
	e := openEngine(t, vfs.NewMem(), "data", start)
	c := rain(t, e, "r", 1, 0)
	snatch(t, e, c.ID, 7, "k")
	for _, now := range []hongbao.Time{start - 1, start + 1000, start + 3_600_000} {
		r := hongbao.SnatchRequest{Campaign: c.ID, KeyIsNew: true, Now: now}
		if n := testing.AllocsPerRun(100, func() { e.Foretell(r) }); n > 0 {
			t.Errorf("at %s foretelling allocates %f times", now, n)
		}
	}
}

func BenchmarkForetell(b *testing.B) {
	e := openEngine(b, vfs.NewMem(), "data", start)
	c := rain(b, e, "r", 1, 0)
	snatch(b, e, c.ID, 7, "k")
	r := hongbao.SnatchRequest{Campaign: c.ID, KeyIsNew: true, Now: start + 1000}
	for b.Loop() {
		if _, ok := e.Foretell(r); !ok {
			b.Fatal("nothing is foretold")
		}
	}
}
