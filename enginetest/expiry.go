package enginetest

import (
	"sync/atomic"
	"testing"

	"hongbao"
)

// checkExpiry goes to both sides of expires_at and of the refund.
func checkExpiry(t testing.TB, open Open) {
	s := newScene(t, open)
	c := s.rain(10)
	first, other, third := s.win(c, 7, start), s.win(c, 7, start), s.win(c, 7, start)
	expires := first.ExpiresAt
	if want := c.Rules().ExpiresAt(); expires != want {
		t.Errorf("it expires at %s; must be %s", expires, want)
	}
	s.opens(true, first.Envelope, expires-1)
	s.refunds(0, expires-1)
	s.opens(false, other.Envelope, expires)
	s.refunds(0, expires+refundAfter-1)
	s.opens(true, first.Envelope, expires+refundAfter-1)
	s.refunds(2, expires+refundAfter)
	s.refunds(0, expires+hour)
	s.opens(false, third.Envelope, expires+hour)
	s.opens(true, first.Envelope, expires+hour)
	s.check()
}

// checkExpiryKept revises and cancels: what was told is never moved earlier, and engine time decides, not the clock.
func checkExpiryKept(t testing.TB, open Open) {
	s := newScene(t, open)
	c, cancelled := s.rain(10), s.rain(10)
	early := s.win(c, 7, start)
	closes := start + 3*hour
	s.put(hongbao.Change{At: start, Campaign: c.ID, Revise: &hongbao.Patch{ClosesAt: &closes}})
	late := s.win(c, 7, start)
	if late.ExpiresAt != early.ExpiresAt+2*hour {
		t.Errorf("won under a later closes_at it expires at %s, the one before at %s", late.ExpiresAt, early.ExpiresAt)
	}
	kept, opened := s.win(cancelled, 7, start), s.win(cancelled, 7, start)
	s.put(hongbao.Change{At: start + 30*minute, Campaign: cancelled.ID, Cancel: true})

	s.opens(true, opened.Envelope, kept.ExpiresAt-1) // not half an hour before, though it was cancelled then
	s.opens(false, early.Envelope, early.ExpiresAt)
	s.opens(false, kept.Envelope, kept.ExpiresAt)
	s.opens(true, late.Envelope, early.ExpiresAt)
	s.Engine = s.Restart(early.ExpiresAt)
	s.opens(false, early.Envelope, early.ExpiresAt)
	if _, err := s.Engine.Record(t.Context(), hongbao.Event{At: early.ExpiresAt + refundAfter, Name: "later", Actor: "enginetest"}, nil); err != nil {
		t.Error("record:", err)
	}
	s.refunds(2, early.ExpiresAt) // by a clock that is behind
	s.check()
}

// opens opens an envelope of player 7 and fails unless the outcome is as expected.
func (s *scene) opens(want bool, id hongbao.EnvelopeID, now hongbao.Time) {
	s.Helper()
	if result, err := s.open(7, id, now); err != nil || result.Expired == want || (result.AmountFen > 0) != want {
		s.Errorf("opening %d at %s is answered with %+v, %v", id, now, result, err)
	}
}

func (s *scene) refunds(want int, now hongbao.Time) {
	s.Helper()
	if got := s.refund(now, 2); got != want {
		s.Errorf("at %s %d are refunded; must be %d", now, got, want)
	}
}

// checkOpenOrRefund lets players open at the last moment, by clocks that are a little behind, while refunding has
// begun: every envelope is one or the other. Keeps G5.
func checkOpenOrRefund(t testing.TB, open Open) {
	for range times(3) {
		s := newScene(t, open)
		c := s.rain(64)
		var ids []hongbao.EnvelopeID
		for uid := range uint64(64) {
			ids = append(ids, s.win(c, uid, start).Envelope)
		}
		expires := c.Rules().ExpiresAt()
		s.put(hongbao.Change{At: start + hour, Campaign: c.ID, Close: true}) // so that the last one settles it
		var first, expired, refunded atomic.Int64
		crowd(4+len(ids), func(i int) {
			if i < 4 {
				n, err := s.Engine.Refund(t.Context(), expires+5*second, 7*(i+1))
				if err != nil {
					t.Errorf("refund: %v", err)
				}
				refunded.Add(int64(n))
				return
			}
			uid := uint64(i - 4)
			result, err := s.open(uid, ids[uid], expires-1)
			switch {
			case err != nil:
				t.Errorf("open: %v", err)
			case result.First:
				first.Add(1)
			case result.Expired:
				expired.Add(1)
			default:
				t.Errorf("opening for the first time is answered with %+v", result)
			}
		})
		refunded.Add(int64(s.refund(expires+5*second, 5)))
		if first.Load()+expired.Load() != 64 || first.Load()+refunded.Load() != 64 {
			t.Errorf("of 64, %d were opened, %d had expired, %d were refunded", first.Load(), expired.Load(), refunded.Load())
		}
		s.check()
	}
}
