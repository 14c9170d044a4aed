package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
)

const start = hongbao.Time(1_800_000_000_000)

// openEngine opens an engine on a file system with the clock at now, and closes it with the test.
func openEngine(t testing.TB, files vfs.FS, dir string, now hongbao.Time) *Engine {
	t.Helper()
	e, err := Open(options(t, files, dir, now))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func options(t testing.TB, files vfs.FS, dir string, now hongbao.Time) Options {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		FS: files, Dir: dir, SegmentBytes: 64 << 10, Calendar: hongbao.NewCalendar(zone), Now: func() hongbao.Time { return now },
		Logger: slog.New(slog.DiscardHandler), Broken: func(err error) { t.Error("the engine broke:", err) },
	}
}

// rain is a campaign of count envelopes that is open at start.
func rain(t testing.TB, e *Engine, name string, count uint64, winsMax int) *hongbao.Campaign {
	t.Helper()
	rules := rulesOf(name, count)
	rules.WinsMax = winsMax
	c, err := e.Put(t.Context(), hongbao.Change{At: start, Actor: "test", Create: rules})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// rulesOf are those of a rain of ten minutes from start, with envelopes of a yuan on average.
func rulesOf(name string, count uint64) *hongbao.Rules {
	rules, err := hongbao.Spec{
		Name: name, Kind: hongbao.Rain, OpensAt: hongbao.AtTime(start), Lasts: hongbao.Duration(10 * time.Minute),
		Budget: hongbao.BudgetSpec{TotalFen: int64(count) * 100, Count: count},
	}.Rules(start)
	if err != nil {
		panic(err)
	}
	return &rules
}

func snatch(t testing.TB, e *Engine, campaign uint32, uid uint64, key string) hongbao.SnatchResult {
	t.Helper()
	r, err := e.Snatch(t.Context(), hongbao.SnatchRequest{Campaign: campaign, UID: uid, Key: key, Now: start + 1000})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPlayAndRestart(t *testing.T) {
	dir := t.TempDir()
	e := openEngine(t, nil, dir, start)
	c := rain(t, e, "first", 10, 3)
	var won []hongbao.SnatchResult
	for i := range 12 {
		r := snatch(t, e, c.ID, uint64(i/3), fmt.Sprint("k", i))
		if i < 10 != (r.Status == hongbao.Won) {
			t.Fatalf("snatch %d: %s", i, r.Status)
		}
		won = append(won, r)
	}
	opened, err := e.Open(t.Context(), hongbao.OpenRequest{UID: 0, Envelope: won[0].Envelope, Now: start + 2000})
	if err != nil || !opened.First || opened.AmountFen != won[0].AmountFen {
		t.Fatal(opened, err)
	}
	if _, err := e.Open(t.Context(), hongbao.OpenRequest{UID: 1, Envelope: won[0].Envelope, Now: start + 2000}); !errors.Is(err, hongbao.ErrNotFound) {
		t.Fatal("another player's envelope:", err)
	}
	for round := range 2 {
		w, err := e.Wallet(t.Context(), hongbao.WalletRequest{UID: 0, Limit: 10})
		if err != nil || len(w.Envelopes) != 3 || w.BalanceFen != opened.AmountFen || w.Envelopes[2].State != hongbao.StateOpened {
			t.Fatalf("round %d: %+v %v", round, w, err)
		}
		if again := snatch(t, e, c.ID, 0, "k1"); again.Envelope != won[1].Envelope || again.WonAt != won[1].WonAt {
			t.Fatalf("round %d: the key k1 won %+v and now %+v", round, won[1], again)
		}
		if p := e.Progress(c.ID); p.Taken != (hongbao.Tally{Count: 10, TotalFen: 1000}) || p.Opened.Count != 1 {
			t.Fatalf("round %d: %+v", round, p)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		e = openEngine(t, nil, dir, start+5000)
	}
}
