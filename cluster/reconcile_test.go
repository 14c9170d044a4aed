package cluster

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hongbao"
	"hongbao/audit"
	"hongbao/cluster/topic"
)

// wipe loses a shard: all of its keys.
func wipe(t *testing.T, e *Engine, s *shard) {
	t.Helper()
	r := &reconciler{Engine: e}
	if err := r.empty(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

// TestReconcile loses one shard, the home shard, and all of them, in the middle of a campaign: what the books have is
// there again, nothing is given twice, and shards that lost nothing keep what they have leased. Keeps G2, G4 and G5.
func TestReconcile(t *testing.T) {
	for _, lost := range [][]int{{2}, {0}, {0, 1, 2, 3}, {}} {
		t.Run(fmt.Sprint(lost), func(t *testing.T) { reconcileAfter(t, lost) })
	}
}

func reconcileAfter(t *testing.T, lost []int) {
	b := newBed(t, 4)
	b.options.LeaseMax = 8
	e := b.open()
	stop := b.work(e)
	c := rain(t, e, 400)
	wins := map[hongbao.EnvelopeID]int64{}
	var taken hongbao.Tally
	play := func(from, n uint64) {
		for uid := from; uid < from+n; uid++ {
			r := hongbao.SnatchRequest{Campaign: c.ID, UID: uid, Key: "a key", Now: now()}
			won, err := e.Snatch(t.Context(), r)
			if err != nil || won.Status != hongbao.Won {
				t.Fatalf("player %d: %+v, %v", uid, won, err)
			}
			if _, twice := wins[won.Envelope]; twice {
				t.Fatalf("envelope %d is given twice", won.Envelope)
			}
			wins[won.Envelope] = won.AmountFen
			taken.Add(won.AmountFen)
			if uid%2 == 0 {
				if opened, err := e.Open(t.Context(), hongbao.OpenRequest{UID: uid, Envelope: won.Envelope, Now: now()}); err != nil || !opened.First {
					t.Fatalf("open: %+v, %v", opened, err)
				}
			}
		}
	}
	play(0, 60)
	record(t, e, "once", "1")
	record(t, e, "often", "1")
	record(t, e, "often", "2")
	known := map[string]hongbao.Event{}
	for _, name := range []string{"once", "often"} {
		known[name], _ = e.Recorded(t.Context(), name)
	}
	if err := e.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop()
	play(500, 20)
	record(t, e, "often", "lost with the first shard")
	past := tail(t, e, lost)
	for _, index := range lost {
		wipe(t, e, e.shards[index])
	}
	report, err := Reconcile(t.Context(), b.options)
	if err != nil {
		t.Fatalf("reconcile: %+v, %v", report, err)
	}
	if len(report.Rebuilt) != len(lost) {
		t.Errorf("%+v was rebuilt; must be %v", report, lost)
	}
	stop = b.work(e)
	// A relay that had read the lost tail and hung meanwhile sends it now. Nobody gets any of it.
	if err := e.topic.Produce(t.Context(), past); err != nil {
		t.Fatal(err)
	}
	for i := range past {
		var event hongbao.Event
		if err := hongbao.DecodeEvent(past[i].Event, &event); err != nil {
			t.Fatal(err)
		}
		if event.Kind == hongbao.EnvelopeWon {
			taken.Count--
			taken.TotalFen -= event.AmountFen
		}
	}
	for uid := range uint64(60) {
		again, err := e.Snatch(t.Context(), hongbao.SnatchRequest{Campaign: c.ID, UID: uid, Key: "a key", Now: now()})
		if err != nil || again.Status != hongbao.Won || wins[again.Envelope] != again.AmountFen || again.Wins != 1 {
			t.Errorf("player %d asks again and is told %+v, %v", uid, again, err)
		}
		opened, err := e.Open(t.Context(), hongbao.OpenRequest{UID: uid, Envelope: again.Envelope, Now: now()})
		if err != nil || opened.First != (uid%2 == 1) || opened.BalanceFen != again.AmountFen {
			t.Errorf("player %d opens and is told %+v, %v", uid, opened, err)
		}
	}
	if got := e.Progress(c.ID).Taken; got != taken {
		t.Errorf("%+v is taken; must be %+v", got, taken)
	}
	often := "lost with the first shard"
	if slices.Contains(lost, 0) {
		often = "2"
	}
	for name, want := range map[string]string{"once": "1", "often": often} {
		if got, err := e.Recorded(t.Context(), name); err != nil || string(got.Data) != want || got.Actor != "test" {
			t.Errorf("the latest %q is %+v, %v; must be %q", name, got, err, want)
		}
		// What is put back is what was there, byte by byte: whoever knew it may go on from it.
		after := known[name]
		_, err := e.Record(t.Context(), hongbao.Event{At: now(), Name: name, Actor: "test"}, &after)
		if stale := errors.Is(err, hongbao.ErrStale); stale != (string(after.Data) != want) || err != nil && !stale {
			t.Errorf("recording after %+v, where %q is the latest, is answered with %v", after, want, err)
		}
	}
	play(1000, 60)
	rain(t, e, 5)
	sellOut(t, e, c, wins, &taken)
	if len(lost) == 0 && taken.TotalFen != c.Rules().Budget.TotalFen {
		t.Errorf("%+v was taken of %+v, although nothing was lost", taken, c.Rules().Budget)
	}
	auditAll(t, e)
}

func record(t testing.TB, e *Engine, name, data string) {
	t.Helper()
	if _, err := e.Record(t.Context(), hongbao.Event{At: now(), Name: name, Actor: "test", Data: []byte(data)}, nil); err != nil {
		t.Fatal(err)
	}
}

// tail is what shards have in their outboxes and the books don't.
func tail(t *testing.T, e *Engine, shards []int) (past []topic.Record) {
	t.Helper()
	marks, err := e.ledger.Marks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, index := range shards {
		page, err := e.readOutbox(t.Context(), e.shards[index], marks[index].Seq)
		if err != nil {
			t.Fatal(err)
		}
		past = append(past, page...)
	}
	return past
}

// sellOut takes what is left.
func sellOut(t *testing.T, e *Engine, c *hongbao.Campaign, wins map[hongbao.EnvelopeID]int64, taken *hongbao.Tally) {
	t.Helper()
	for uid := uint64(2000); ; uid++ {
		won, err := e.Snatch(t.Context(), hongbao.SnatchRequest{Campaign: c.ID, UID: uid, Key: "another", Now: now()})
		if err != nil {
			t.Fatal(err)
		}
		if won.Status == hongbao.SoldOut {
			return
		}
		if _, twice := wins[won.Envelope]; twice || won.Status != hongbao.Won {
			t.Fatalf("player %d is told %+v; given before: %t", uid, won, twice)
		}
		wins[won.Envelope] = won.AmountFen
		taken.Add(won.AmountFen)
	}
}

func now() hongbao.Time { return hongbao.TimeOf(time.Now()) }

// rain makes a campaign that is open.
func rain(t testing.TB, e *Engine, count uint64) *hongbao.Campaign {
	t.Helper()
	none := 0
	spec := hongbao.Spec{
		Name: fmt.Sprintf("rain-%d", len(e.Campaigns())+1), Kind: hongbao.Rain, OpensAt: hongbao.AtTime(now()), Lasts: hongbao.Duration(time.Hour),
		Budget: hongbao.BudgetSpec{TotalFen: 100 * int64(count), Count: count}, WinsMax: &none,
	}
	rules, err := spec.Rules(now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Put(t.Context(), hongbao.Change{At: now(), Actor: "test", Create: &rules})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// auditAll audits the journal in the books, and the wallets there.
func auditAll(t testing.TB, e *Engine) audit.Report {
	t.Helper()
	if err := e.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	secret := e.Secret()
	report, err := audit.Run(t.Context(), e, audit.Options{Secret: &secret, Leased: true})
	if err != nil {
		t.Fatal(err)
	}
	var failed []string
	for _, check := range report.Checks {
		if !check.OK {
			failed = append(failed, check.Name+": "+check.Detail)
		}
	}
	if len(failed) > 0 {
		t.Error(strings.Join(failed, "\n"))
	}
	return report
}
