package gate

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"hongbao"
)

// snatch asks as a player for an envelope of the first campaign.
func (b *bed) snatch(uid uint64, key string) (hongbao.SnatchResult, error) {
	return b.gate.Snatch(b.t.Context(), Snatch{Visitor: Visitor{UID: uid}, Campaign: 1, Key: key})
}

// scoring is a risk hook that gives everybody the score that is set.
func scoring(t *testing.T) (url string, score *atomic.Value, asked chan riskQuestion) {
	score, asked = new(atomic.Value), make(chan riskQuestion, 100)
	score.Store(0.0)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var question riskQuestion
		if err := json.NewDecoder(r.Body).Decode(&question); err != nil {
			t.Error(err)
		}
		asked <- question
		json.NewEncoder(w).Encode(map[string]any{"score": score.Load()})
	}))
	t.Cleanup(server.Close)
	return server.URL, score, asked
}

func riskOptions(url string) Options {
	return Options{Risk: RiskOptions{URL: url, Timeout: 5 * time.Second, DenyAbove: 0.9, FailClosed: true}}
}

func TestRiskHookIsAskedOfWhatIsAboutToBeDrawn(t *testing.T) {
	url, score, asked := scoring(t)
	b := newBed(t, riskOptions(url))
	b.create(rain("r", 10))
	won, err := b.snatch(7, "")
	if err != nil || won.Status != hongbao.Won || !won.KeyIsNew {
		t.Fatalf("%+v, %v", won, err)
	}
	question := <-asked
	if question.Key != won.Key {
		t.Errorf("the hook was shown the key %q of a request that is known by %q", question.Key, won.Key)
	}
	score.Store(0.95)
	if _, err := b.snatch(8, ""); !errors.Is(err, hongbao.ErrDenied) {
		t.Errorf("a player with a score above: %v", err)
	}
	b.change(`{"read_only":true}`)
	if _, err := b.snatch(9, ""); !errors.Is(err, hongbao.ErrReadOnly) {
		t.Errorf("read-only: %v", err)
	}
	<-asked
	if len(asked) > 0 {
		t.Error("the hook was asked of a request that went nowhere")
	}
}

// Keeps G7: whoever has won is told so again, whatever the hook says by now.
func TestAKnownKeyGetsItsWinFromADeniedPlayer(t *testing.T) {
	url, score, _ := scoring(t)
	b := newBed(t, riskOptions(url))
	b.create(rain("r", 10))
	won, err := b.snatch(7, "mine")
	if err != nil || won.Status != hongbao.Won {
		t.Fatalf("%+v, %v", won, err)
	}
	score.Store(0.95)
	b.restart(riskOptions(url)) // with no score remembered
	again, err := b.snatch(7, "mine")
	if err != nil || again.Status != hongbao.Won || again.Envelope != won.Envelope {
		t.Errorf("%+v, %v", again, err)
	}
	if result, err := b.snatch(7, "other"); !errors.Is(err, hongbao.ErrDenied) {
		t.Errorf("another key: %+v, %v", result, err)
	}
}

func TestFairStartHoldsOnePlaceAPlayer(t *testing.T) {
	b := newBed(t, Options{})
	spec := rain("r", 10)
	spec.FairStart = hongbao.Duration(30 * time.Second)
	b.create(spec)
	told := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := b.snatch(7, "")
			told <- err
		}()
	}
	if err := <-told; !errors.Is(err, hongbao.ErrTooFast) {
		t.Errorf("the second request: %v", err)
	}
	b.gate.Stop()
	if err := <-told; !errors.Is(err, hongbao.ErrBusy) {
		t.Errorf("the first request, when the server stops: %v", err)
	}
	if got := b.service.Progress(1).Taken.Count; got != 0 {
		t.Errorf("%d envelopes were won", got)
	}
}

// What an operator turns is in force at once, for those who wait too.
func TestWhoeverWaitsForALotIsHeldByWhatWasTurnedMeanwhile(t *testing.T) {
	for patch, want := range map[string]error{`{"read_only":true}`: hongbao.ErrReadOnly, `{"denylist":["7"]}`: hongbao.ErrDenied} {
		b := newBed(t, Options{})
		spec := rain("r", 10)
		spec.FairStart = hongbao.Duration(200 * time.Millisecond)
		b.create(spec)
		told := make(chan error)
		go func() {
			_, err := b.snatch(7, "")
			told <- err
		}()
		for b.gate.lots.waiting() == 0 {
			runtime.Gosched()
		}
		b.change(patch)
		if err := <-told; !errors.Is(err, want) {
			t.Errorf("after %s: %v", patch, err)
		}
	}
}

// A request with a key goes to the engine although it has no ticket, so it is counted like all that do.
func TestAFloodOfKeysWithoutTicketsIsCountedInTheBucketOfAll(t *testing.T) {
	b := newBed(t, Options{})
	spec := rain("r", 10)
	spec.Ticket = true
	b.create(spec)
	b.change(`{"global":{"rate":0.01,"burst":5}}`)
	for i := range 10 {
		want := hongbao.ErrTicketRequired
		if i >= 5 {
			want = hongbao.ErrTooFast
		}
		if _, err := b.snatch(uint64(i), "key"); !errors.Is(err, want) {
			t.Errorf("request %d: %v", i, err)
		}
	}
	if _, err := b.snatch(11, ""); !errors.Is(err, hongbao.ErrTicketRequired) {
		t.Errorf("without a key: %v", err)
	}
}

func TestFairStartAdmitsByTheLotteryOfTheSeed(t *testing.T) {
	b := newBed(t, Options{})
	spec := rain("r", 100)
	spec.FairStart = hongbao.Duration(100 * time.Millisecond)
	c := b.create(spec)
	began := time.Now()
	result, err := b.snatch(7, "")
	if err != nil || result.Status != hongbao.Won {
		t.Fatalf("%+v, %v", result, err)
	}
	seed := b.engine.Secret().Seed(c.ID, c.Nonce)
	due := 100*time.Millisecond + hongbao.LotDelay(seed.Lot(c.ID, 7), spec.FairStart)
	if took := time.Since(began); took < due {
		t.Errorf("admitted after %s, before its time of %s", took, due)
	}
	// The bed's clock stands still, as one that was set back does: the audit judges by the time of the win.
	if lot := c.Rules().OpensAt.Add(hongbao.Duration(due.Truncate(time.Millisecond))); result.WonAt < lot {
		t.Errorf("won at %s, before its lot of %s", result.WonAt, lot)
	}
}

func TestShedAndBrokenShowWhy(t *testing.T) {
	b := newBed(t, Options{InFlight: 1})
	b.create(rain("r", 10))
	if err := b.gate.Degraded(); err != nil {
		t.Fatal(err)
	}
	b.change(`{"read_only":true}`)
	if err := b.gate.Degraded(); err == nil {
		t.Error("read-only is not told")
	}
	b.change(`{"read_only":false}`)
	for range 200 {
		b.gate.breaker.record(hongbao.ErrBusy)
	}
	if err := b.gate.Degraded(); err == nil {
		t.Error("an engine that fails is not told")
	}
	if _, err := b.snatch(7, ""); !errors.Is(err, hongbao.ErrBusy) {
		t.Errorf("while the breaker is open: %v", err)
	}
	if got := b.gate.refused[byBreaker].Load(); got != 1 {
		t.Errorf("%d refusals of the breaker are counted", got)
	}
}

// Whoever waits holds a connection, of which there may be few.
func TestNoMoreWaitForALotThanMay(t *testing.T) {
	b := newBed(t, Options{Waiters: 2})
	spec := rain("r", 10)
	spec.FairStart = hongbao.Duration(30 * time.Second)
	b.create(spec)
	told := make(chan error, 3)
	for uid := range uint64(3) {
		go func() {
			_, err := b.snatch(uid, "")
			told <- err
		}()
	}
	if err := <-told; !errors.Is(err, hongbao.ErrBusy) || b.gate.lots.waiting() != 2 {
		t.Errorf("%v; %d wait", err, b.gate.lots.waiting())
	}
	b.gate.Stop()
	<-told
	<-told
}
