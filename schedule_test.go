package hongbao_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hongbao"
	"hongbao/enginetest"
)

func (w *world) tend() {
	w.Helper()
	if err := w.Tend(w.Context()); err != nil {
		w.Error(err)
	}
}

func (w *world) sealed(c *hongbao.Campaign) *hongbao.Seal {
	w.Helper()
	found, err := w.Campaign(c.ID)
	if err != nil {
		w.Fatal(err)
	}
	return found.Seal
}

func TestCampaignIsSealedAtClosesAtAndSettledAfterExpiry(t *testing.T) {
	w := newWorld(t)
	c := w.create(hongbao.Rain, nil)
	w.at(opensAt)
	won := w.win(c, 7)
	cases := []struct {
		name     string
		at       hongbao.Time
		sealed   bool
		refunded uint64
	}{
		{"a millisecond before closes_at", opensAt + hour - 1, false, 0},
		{"at closes_at", opensAt + hour, true, 0},
		{"when the envelope expires", won.ExpiresAt, true, 0},
		{"a millisecond before it may be refunded", won.ExpiresAt + 5*second - 1, true, 0},
		{"five seconds after it expired", won.ExpiresAt + 5*second, true, 1},
		{"again", won.ExpiresAt + hour, true, 1},
	}
	for _, step := range cases {
		w.at(step.at)
		w.tend()
		if seal := w.sealed(c); (seal != nil) != step.sealed || seal != nil && (seal.Cancelled || seal.Actor != "clock" || seal.At != opensAt+hour) {
			t.Errorf("%s: its seal is %+v", step.name, seal)
		}
		if refunded := w.Progress(c.ID).Refunded.Count; refunded != step.refunded {
			t.Errorf("%s: %d are refunded; must be %d", step.name, refunded, step.refunded)
		}
	}
}

func TestMoreRefundsThanABatchAreDoneInOneRound(t *testing.T) {
	w := newWorld(t)
	const envelopes = 2500
	none := 0
	c := w.create(hongbao.Rain, func(spec *hongbao.Spec) {
		spec.Budget, spec.WinsMax = hongbao.BudgetSpec{TotalFen: 100 * envelopes, Count: envelopes}, &none
	})
	w.at(opensAt)
	for uid := range uint64(envelopes) {
		w.win(c, uid)
	}
	w.at(opensAt + 26*hour)
	w.tend()
	if held := w.Progress(c.ID).Held(); held != (hongbao.Tally{}) {
		t.Errorf("still held are %+v", held)
	}
}

// TestSealingWaitsWhileTheClockIsAway: sealing is one-way, and a clock that jumped may jump back.
func TestSealingWaitsWhileTheClockIsAway(t *testing.T) {
	w := newWorld(t)
	c := w.create(hongbao.Rain, nil)
	w.at(opensAt)
	for range 2 {
		w.jump(2 * time.Hour)
		w.tend()
		if seal := w.sealed(c); seal != nil {
			t.Fatalf("by a clock that jumped it is sealed as %+v", seal)
		}
		if err := w.Health().Trouble(); err == nil || !strings.Contains(err.Error(), "jumped by 2h0m0s") {
			t.Errorf("health says %v", err)
		}
		w.jump(-2 * time.Hour)
	}
	w.tend()
	if err := w.Health().Trouble(); err != nil {
		t.Errorf("after they agree again health says %v", err)
	}
	if alarms := strings.Count(w.log.String(), "wall clock against monotonic clock"); alarms != 2 {
		t.Errorf("there are %d alarms; must be one when it jumps and one when it is over:\n%s", alarms, &w.log)
	}
	w.at(opensAt + hour)
	w.tend()
	if w.sealed(c) == nil {
		t.Error("at closes_at it is not sealed")
	}
}

func TestExtendedCampaignIsSealedAtItsNewEnd(t *testing.T) {
	w := newWorld(t)
	c := w.create(hongbao.Rain, nil)
	w.at(opensAt)
	closes := opensAt + 2*hour
	if _, err := w.Revise(t.Context(), c.ID, 0, hongbao.Patch{ClosesAt: &closes}, "ann"); err != nil {
		t.Fatal(err)
	}
	w.at(closes - 1)
	w.tend()
	if seal := w.sealed(c); seal != nil {
		t.Errorf("it is sealed early, as %+v", seal)
	}
	w.at(closes)
	w.tend()
	if seal := w.sealed(c); seal == nil || seal.At != closes {
		t.Errorf("it is sealed as %+v", seal)
	}
}

// TestRunSealsUntilItIsTold runs the clock in a bubble, on the model: the embedded engine's stores have clocks of their
// own.
// refuses is an engine whose sealing fails while it is told to.
type refuses struct {
	hongbao.Engine
	err atomic.Pointer[error]
}

func (r *refuses) Put(ctx context.Context, change hongbao.Change) (*hongbao.Campaign, error) {
	if err := r.err.Load(); err != nil && change.Close {
		return nil, *err
	}
	return r.Engine.Put(ctx, change)
}

func TestRunLogsWhenItBeginsToFailAndWhenItWorksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		secret := hongbao.Secret{1}
		engine := &refuses{Engine: enginetest.NewModel(secret, hongbao.NewCalendar(time.UTC))}
		engine.err.Store(new(error(hongbao.ErrBusy)))
		s := hongbao.NewService(hongbao.Options{
			Engine: engine, Secret: secret, Clock: hongbao.SystemClock(), Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		_, err := s.Create(t.Context(), hongbao.Spec{
			Name: "soon", Kind: hongbao.Rain, OpensAt: hongbao.InFuture(hongbao.Duration(time.Second)), Lasts: hongbao.Duration(time.Second),
			Budget: hongbao.BudgetSpec{TotalFen: 100, Count: 10},
		}, "ann")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go s.Run(ctx)
		time.Sleep(5 * time.Second)
		engine.err.Store(nil)
		time.Sleep(5 * time.Second)
		cancel()
		synctest.Wait()
		for _, line := range []string{"sealing and settling failed", "sealing and settling works again"} {
			if n := strings.Count(log.String(), line); n != 1 {
				t.Errorf("%q is logged %d times:\n%s", line, n, log.String())
			}
		}
	})
}

func TestRunSealsUntilItIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		secret := hongbao.Secret{1}
		s := hongbao.NewService(hongbao.Options{
			Engine: enginetest.NewModel(secret, hongbao.NewCalendar(time.UTC)), Secret: secret,
			Clock: hongbao.SystemClock(), Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		c, err := s.Create(t.Context(), hongbao.Spec{
			Name: "soon", Kind: hongbao.Rain, OpensAt: hongbao.InFuture(hongbao.Duration(time.Second)), Lasts: hongbao.Duration(time.Second),
			Budget: hongbao.BudgetSpec{TotalFen: 100, Count: 10},
		}, "ann")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go s.Run(ctx)
		time.Sleep(1900 * time.Millisecond)
		synctest.Wait()
		if s.Campaigns()[0].Seal != nil {
			t.Error("it is sealed early")
		}
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		if seal := s.Campaigns()[0].Seal; seal == nil || seal.At > c.Rules().ClosesAt+100 {
			t.Errorf("it is sealed as %+v", seal)
		}
		cancel()
		synctest.Wait() // the bubble fails unless Run has returned
	})
}
