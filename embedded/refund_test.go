package embedded

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
)

// openEnvelope opens, at a time.
func openEnvelope(t testing.TB, e *Engine, uid uint64, id hongbao.EnvelopeID, now hongbao.Time) hongbao.OpenResult {
	t.Helper()
	r, err := e.Open(t.Context(), hongbao.OpenRequest{UID: uid, Envelope: id, Now: now})
	if err != nil {
		t.Fatal("open:", err)
	}
	return r
}

func refund(t testing.TB, e *Engine, now hongbao.Time, limit int) int {
	t.Helper()
	n, err := e.Refund(t.Context(), now, limit)
	if err != nil {
		t.Fatal("refund:", err)
	}
	return n
}

// seal closes a campaign by the clock.
func seal(t testing.TB, e *Engine, campaign uint32, now hongbao.Time) {
	t.Helper()
	if c, err := e.Put(t.Context(), hongbao.Change{At: now, Actor: "clock", Campaign: campaign, Close: true}); err != nil || c.Seal == nil {
		t.Fatalf("seal: %+v, %v", c, err)
	}
}

func TestAnEnvelopeIsRefundedFiveSecondsAfterItExpires(t *testing.T) {
	e := openData(t, vfs.NewMem(), start)
	c := rain(t, e, "first", 10, 0)
	won := snatch(t, e, c.ID, 1, "k")
	snatch(t, e, c.ID, 2, "k")
	expires := won.ExpiresAt
	if want := c.Rules().ExpiresAt(); expires != want {
		t.Fatalf("it expires at %s; must at %s", expires, want)
	}
	seal(t, e, c.ID, c.Rules().ClosesAt)
	if n := refund(t, e, expires+refundAfter-1, 10); n != 0 {
		t.Errorf("%d are refunded too early", n)
	}
	if n := refund(t, e, expires+refundAfter, 1); n != 1 {
		t.Errorf("%d are refunded; must be one", n)
	}
	if n := refund(t, e, expires+refundAfter, 10); n != 1 {
		t.Errorf("%d are refunded; must be the other", n)
	}
	if n := refund(t, e, expires+1<<30, 10); n != 0 {
		t.Errorf("%d are refunded again", n)
	}
	if r := openEnvelope(t, e, 1, won.Envelope, start+2000); !r.Expired {
		t.Errorf("a refunded envelope is opened: %+v", r)
	}
	checkTruth(t, e)
}

// TestAnOpeningEndsWithTheMillisecondBeforeExpiry: engine time counts, not the caller's.
func TestAnOpeningEndsWithTheMillisecondBeforeExpiry(t *testing.T) {
	e := openData(t, vfs.NewMem(), start)
	c := rain(t, e, "first", 10, 0)
	won := []hongbao.SnatchResult{snatch(t, e, c.ID, 1, "k"), snatch(t, e, c.ID, 2, "k"), snatch(t, e, c.ID, 3, "k")}
	expires := won[0].ExpiresAt
	if r := openEnvelope(t, e, 1, won[0].Envelope, expires-1); !r.First {
		t.Errorf("a millisecond before it expires: %+v", r)
	}
	if r := openEnvelope(t, e, 2, won[1].Envelope, expires); !r.Expired {
		t.Errorf("when it expires: %+v", r)
	}
	if _, err := e.Record(t.Context(), hongbao.Event{At: expires, Name: "later"}, nil); err != nil {
		t.Fatal(err)
	}
	if r := openEnvelope(t, e, 3, won[2].Envelope, start); !r.Expired {
		t.Errorf("by a clock that went back: %+v", r)
	}
	if r := openEnvelope(t, e, 1, won[0].Envelope, expires+1000); r.First || r.AmountFen != won[0].AmountFen {
		t.Errorf("one that was opened in time: %+v", r)
	}
	checkTruth(t, e)
}

// TestOpenedOrRefundedNeverBoth keeps G5: the last openings and the first refund meet, again and again. Once one is
// refunded engine time is past the expiry of all.
func TestOpenedOrRefundedNeverBoth(t *testing.T) {
	e := openData(t, vfs.NewMem(), start)
	var opened, refunded int
	for round := range 50 {
		o, r := meet(t, e, fmt.Sprint("round-", round), start+hongbao.Time(round)*30*3600_000)
		opened, refunded = opened+o, refunded+r
	}
	t.Logf("%d are opened, %d refunded", opened, refunded)
	checkTruth(t, reopen(t, e, e.Now()))
}

// meet has the envelopes of a new campaign opened and refunded at once, and counts both.
func meet(t *testing.T, e *Engine, name string, opens hongbao.Time) (openings, refunds int) {
	t.Helper()
	const count = 40
	rules := rulesOf(name, count)
	rules.OpensAt, rules.ClosesAt = opens, opens+60_000
	c, err := e.Put(t.Context(), hongbao.Change{At: opens, Actor: "test", Create: rules})
	if err != nil {
		t.Fatal(err)
	}
	var won []hongbao.SnatchResult
	for i := range count {
		r, err := e.Snatch(t.Context(), hongbao.SnatchRequest{Campaign: c.ID, UID: uint64(i), Key: "k", Now: opens})
		if err != nil || r.Status != hongbao.Won {
			t.Fatal(r.Status, err)
		}
		won = append(won, r)
	}
	seal(t, e, c.ID, rules.ClosesAt)
	expires := rules.ExpiresAt()
	var opened, refunded atomic.Int64
	var crowd sync.WaitGroup
	for i := range won {
		crowd.Go(func() {
			r, err := e.Open(t.Context(), hongbao.OpenRequest{UID: uint64(i), Envelope: won[i].Envelope, Now: expires - 1})
			if err != nil || r.First == r.Expired {
				t.Errorf("open: %+v, %v", r, err)
			}
			if r.First {
				opened.Add(1)
			}
		})
		if i%10 == 5 {
			crowd.Go(func() {
				n, err := e.Refund(t.Context(), expires+refundAfter, count/3)
				if err != nil {
					t.Error("refund:", err)
				}
				refunded.Add(int64(n))
			})
		}
	}
	crowd.Wait()
	refunded.Add(int64(refund(t, e, expires+refundAfter, count)))
	if opened.Load()+refunded.Load() != count {
		t.Errorf("%d are opened and %d refunded, of %d", opened.Load(), refunded.Load(), count)
	}
	return int(opened.Load()), int(refunded.Load())
}

// TestCancellingGivesTime: envelopes that a cancelling gave more time are not refunded before it is over, even where
// they had expired already and the clock had sealed nothing.
func TestCancellingGivesTime(t *testing.T) {
	e := openData(t, vfs.NewMem(), start)
	c := rain(t, e, "first", 10, 0)
	won := snatch(t, e, c.ID, 1, "k")
	cancelled := won.ExpiresAt + 3600_000
	if _, err := e.Put(t.Context(), hongbao.Change{At: cancelled, Actor: "test", Campaign: c.ID, Cancel: true}); err != nil {
		t.Fatal(err)
	}
	until := cancelled.Add(c.Rules().OpenFor)
	if n := refund(t, e, until+refundAfter-1, 10); n != 0 {
		t.Errorf("%d are refunded too early", n)
	}
	if r := openEnvelope(t, e, 1, won.Envelope, until-1); !r.First {
		t.Errorf("it is not opened: %+v", r)
	}
	checkTruth(t, e)
}

// TestRevisedExpiryIsThatOfTheWin: an envelope keeps the time that it was told.
func TestRevisedExpiryIsThatOfTheWin(t *testing.T) {
	e := openData(t, vfs.NewMem(), start)
	c := rain(t, e, "first", 10, 0)
	early := snatch(t, e, c.ID, 1, "k")
	closes := c.Rules().ClosesAt.Add(hongbao.Duration(time.Hour))
	if _, err := e.Put(t.Context(), hongbao.Change{At: start + 1000, Actor: "test", Campaign: c.ID, Revise: &hongbao.Patch{ClosesAt: &closes}}); err != nil {
		t.Fatal(err)
	}
	late := snatch(t, e, c.ID, 1, "l")
	if late.ExpiresAt-early.ExpiresAt != 3600_000 {
		t.Errorf("they expire at %s and %s", early.ExpiresAt, late.ExpiresAt)
	}
	seal(t, e, c.ID, closes)
	if n := refund(t, e, early.ExpiresAt+refundAfter, 10); n != 1 {
		t.Errorf("%d are refunded; must be the early one", n)
	}
	if r := openEnvelope(t, e, 1, late.Envelope, early.ExpiresAt+refundAfter); !r.First {
		t.Errorf("the late one: %+v", r)
	}
	checkTruth(t, reopen(t, e, late.ExpiresAt))
}

// TestASettledCampaignIsForgottenAndAnswered: memory lets go of it, the views answer for it.
func TestASettledCampaignIsForgottenAndAnswered(t *testing.T) {
	e := openData(t, vfs.NewMem(), start)
	rules := rulesOf("first", 10)
	rules.DailyWinsMax, rules.WinsMax = 4, 3
	c, err := e.Put(t.Context(), hongbao.Change{At: start, Actor: "test", Create: rules})
	if err != nil {
		t.Fatal(err)
	}
	opened, refunded := snatch(t, e, c.ID, 1, "k"), snatch(t, e, c.ID, 1, "l")
	first := openEnvelope(t, e, 1, opened.Envelope, start+2000)
	if _, err := e.Put(t.Context(), hongbao.Change{At: start + 3000, Actor: "test", Campaign: c.ID, Cancel: true}); err != nil {
		t.Fatal(err)
	}
	if n := refund(t, e, refunded.ExpiresAt+refundAfter, 10); n != 1 {
		t.Fatalf("%d are refunded", n)
	}
	if err := e.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	refund(t, e, refunded.ExpiresAt+refundAfter, 10) // the next look finds that the views know it all
	m := e.registry.find(c.ID)
	if !m.settled.Load() || m.supply.tranches.Load() != nil || m.supply.current != nil || m.supply.ahead != nil || len(e.players.of(1).rights) > 0 {
		t.Errorf("it is not forgotten: %+v", m)
	}
	for _, life := range []string{"before a restart", "after it"} {
		for key, want := range map[string]hongbao.SnatchResult{"k": opened, "l": refunded} {
			if r := snatch(t, e, c.ID, 1, key); r.Status != hongbao.Won || r.Envelope != want.Envelope || r.AmountFen != want.AmountFen || r.WonAt != want.WonAt || r.ExpiresAt != want.ExpiresAt {
				t.Errorf("%s the key %s is told %+v; must be %+v", life, key, r, want)
			}
		}
		if r := snatch(t, e, c.ID, 1, "m"); r.Status != hongbao.Cancelled {
			t.Errorf("%s another key is told %s", life, r.Status)
		}
		if r := openEnvelope(t, e, 1, opened.Envelope, start); r.First || r.AmountFen != first.AmountFen || r.BalanceFen != first.BalanceFen {
			t.Errorf("%s opening again: %+v", life, r)
		}
		if r := openEnvelope(t, e, 1, refunded.Envelope, start); !r.Expired {
			t.Errorf("%s opening a refunded one: %+v", life, r)
		}
		if _, err := e.Open(t.Context(), hongbao.OpenRequest{UID: 2, Envelope: opened.Envelope, Now: start}); !errors.Is(err, hongbao.ErrNotFound) {
			t.Errorf("%s another player opens: %v", life, err)
		}
		if _, err := e.SignUp(t.Context(), hongbao.SignUpRequest{Campaign: c.ID, UIDs: []uint64{1}, Now: start}); !errors.Is(err, hongbao.ErrCampaignOver) {
			t.Errorf("%s a sign-up: %v", life, err)
		}
		checkTruth(t, e)
		e = reopen(t, e, refunded.ExpiresAt+refundAfter)
	}
}

// TestDayWinsOfASettledCampaignCount: the limit of a day is over all campaigns of the kind, whatever became of them.
func TestDayWinsOfASettledCampaignCount(t *testing.T) {
	e := openData(t, vfs.NewMem(), start)
	first, second := rulesOf("first", 10), rulesOf("second", 10)
	second.DailyWinsMax = 3
	var ids []uint32
	for _, rules := range []*hongbao.Rules{first, second} {
		c, err := e.Put(t.Context(), hongbao.Change{At: start, Actor: "test", Create: rules})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, c.ID)
	}
	for _, key := range []string{"k", "l"} {
		openEnvelope(t, e, 1, snatch(t, e, ids[0], 1, key).Envelope, start+1000)
	}
	if _, err := e.Put(t.Context(), hongbao.Change{At: start + 1000, Actor: "test", Campaign: ids[0], Cancel: true}); err != nil {
		t.Fatal(err)
	}
	e = reopen(t, e, start+1000)
	if !e.registry.find(ids[0]).settled.Load() {
		t.Fatal("the first campaign is not settled")
	}
	if r := snatch(t, e, ids[1], 1, "k"); r.Status != hongbao.Won {
		t.Errorf("the third win of the day is told %s", r.Status)
	}
	if r := snatch(t, e, ids[1], 1, "l"); r.Status != hongbao.DailyLimitReached {
		t.Errorf("the fourth win of the day is told %s", r.Status)
	}
	checkTruth(t, e)
}

// TestRefundsTakeLinearTime: twice as many take about twice as long, not four times.
func TestRefundsTakeLinearTime(t *testing.T) {
	count := 20_000
	if long() {
		count = 1_000_000
	}
	e := openEngine(t, vfs.NewMem(), "data", start)
	c := rain(t, e, "many", uint64(count), 0)
	winMany(t, e, c.ID, count)
	seal(t, e, c.ID, c.Rules().ClosesAt)
	due := c.Rules().ExpiresAt() + refundAfter
	var halves [2]time.Duration
	for i := range halves {
		began := time.Now()
		for refunded := 0; refunded < count/2; {
			n := refund(t, e, due, 1000)
			if n == 0 {
				t.Fatal("nothing is refunded")
			}
			refunded += n
		}
		halves[i] = time.Since(began)
	}
	if refund(t, e, due, 1000) != 0 || e.Progress(c.ID).Refunded.Count != uint64(count) {
		t.Errorf("refunded: %+v", e.Progress(c.ID).Refunded)
	}
	t.Logf("the halves of %d took %s", count, halves)
	if halves[1] > 3*halves[0]+time.Second {
		t.Errorf("the second half took %s, the first %s", halves[1], halves[0])
	}
}
