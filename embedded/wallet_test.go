package embedded

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
)

func wallet(t testing.TB, e *Engine, uid uint64, limit int, after hongbao.Cursor) hongbao.Wallet {
	t.Helper()
	w, err := e.Wallet(t.Context(), hongbao.WalletRequest{UID: uid, Limit: limit, After: after})
	if err != nil {
		t.Fatal("wallet:", err)
	}
	return w
}

// TestAWalletIsPagedWhole: pages of any length make up the whole list, newest first, while new envelopes come.
func TestAWalletIsPagedWhole(t *testing.T) {
	e := openData(t, vfs.NewMem(), start)
	c := rain(t, e, "first", 10_000, 0)
	for uid, limits := range [][]int{0: {1, 2, 3, 29, 30, 31}, 1: {50, 199, 200, 1999, 2000, 2001}} {
		winSlowly(t, e, c.ID, uint64(uid), limits[len(limits)-2])
		for _, limit := range limits {
			checkPages(t, e, c.ID, uint64(uid), limit)
		}
	}
	nowhere := hongbao.Cursor{WonAt: start + 1100, Envelope: hongbao.NewEnvelopeID(c.ID, 9999)}
	if w := wallet(t, e, 1, 1, nowhere); hongbao.NewestFirst(w.Envelopes[0], hongbao.Envelope{ID: nowhere.Envelope, WonAt: nowhere.WonAt}) <= 0 {
		t.Errorf("behind a cursor at no envelope stands %+v", w.Envelopes[0])
	}
	if w := wallet(t, e, 2, 10, hongbao.Cursor{}); len(w.Envelopes) != 0 || w.More || w.BalanceFen != 0 {
		t.Errorf("a player who never played has %+v", w)
	}
}

// winSlowly wins several envelopes in each millisecond; the views have some of them, in several batches.
func winSlowly(t *testing.T, e *Engine, campaign uint32, uid uint64, count int) {
	t.Helper()
	for i := range count {
		r := hongbao.SnatchRequest{Campaign: campaign, UID: uid, Key: fmt.Sprint(i), KeyIsNew: true, Now: start + 1000 + hongbao.Time(i/3)}
		if _, _, err := e.snatch(r); err != nil {
			t.Fatal(err)
		}
		if i%(count/3) == 0 {
			if err := e.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func checkPages(t *testing.T, e *Engine, campaign uint32, uid uint64, limit int) {
	t.Helper()
	whole := wallet(t, e, uid, 10_000, hongbao.Cursor{})
	if whole.More || whole.Next() != (hongbao.Cursor{}) || !slices.IsSortedFunc(whole.Envelopes, hongbao.NewestFirst) {
		t.Fatalf("the whole list has %d envelopes, more %v", len(whole.Envelopes), whole.More)
	}
	var pages []hongbao.Envelope
	var next hongbao.Cursor
	for page := 0; page == 0 || next != (hongbao.Cursor{}); page++ {
		w := wallet(t, e, uid, limit, next)
		pages, next = append(pages, w.Envelopes...), w.Next()
		if page == 1 { // what comes in the middle stands before the cursor
			snatch(t, e, campaign, uid, fmt.Sprint("limit ", limit))
		}
	}
	if !slices.Equal(pages, whole.Envelopes) {
		t.Errorf("pages of %d make up %d envelopes, which are not the whole list of %d", limit, len(pages), len(whole.Envelopes))
	}
}

// TestAWalletShowsWhatWasToldAtOnce: at any moment, whether the views have it, are about to, or had it long ago.
func TestAWalletShowsWhatWasToldAtOnce(t *testing.T) {
	rng := random(t)
	e := openData(t, vfs.NewMem(), start)
	c := rain(t, e, "first", 100_000, 0)
	deadline := time.Now().Add(2 * time.Second)
	var crowd sync.WaitGroup
	for i := range 8 {
		own := rand.New(rand.NewPCG(rng.Uint64(), uint64(i)))
		crowd.Go(func() {
			var mine hongbao.Wallet
			for n := 0; n < 300 && time.Now().Before(deadline); n++ {
				playAndLook(t, e, c.ID, uint64(i), fmt.Sprint(n), own, &mine)
			}
		})
	}
	crowd.Wait()
	checkTruth(t, e)
}

// playAndLook wins or opens an envelope and compares the wallet with what the player knows.
func playAndLook(t *testing.T, e *Engine, campaign uint32, uid uint64, key string, rng *rand.Rand, mine *hongbao.Wallet) {
	switch held := rng.IntN(2); {
	case held < len(mine.Envelopes) && mine.Envelopes[held].State == hongbao.StateHeld:
		r := openEnvelope(t, e, uid, mine.Envelopes[held].ID, start+1000)
		mine.BalanceFen += mine.Envelopes[held].AmountFen
		mine.Envelopes[held].State = hongbao.StateOpened
		if r.BalanceFen != mine.BalanceFen || r.AmountFen != mine.Envelopes[held].AmountFen {
			t.Errorf("the opening of player %d tells %+v, the balance must be %d", uid, r, mine.BalanceFen)
		}
	default:
		r := snatch(t, e, campaign, uid, key)
		mine.Envelopes = slices.Insert(mine.Envelopes, 0, hongbao.Envelope{ID: r.Envelope, AmountFen: r.AmountFen, WonAt: r.WonAt, ExpiresAt: r.ExpiresAt, Key: key})
	}
	if rng.IntN(20) == 0 {
		if err := e.Sync(t.Context()); err != nil {
			t.Error(err)
		}
	}
	w := wallet(t, e, uid, 1000, hongbao.Cursor{})
	if w.BalanceFen != mine.BalanceFen || len(w.Envelopes) != len(mine.Envelopes) {
		t.Errorf("player %d sees %d envelopes and %d fen; must see %d and %d", uid, len(w.Envelopes), w.BalanceFen, len(mine.Envelopes), mine.BalanceFen)
		return
	}
	for i := range w.Envelopes {
		w.Envelopes[i].ClosedAt = 0
		if w.Envelopes[i] != mine.Envelopes[i] {
			t.Errorf("player %d sees %+v; must see %+v", uid, w.Envelopes[i], mine.Envelopes[i])
		}
	}
}
