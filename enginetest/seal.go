package enginetest

import (
	"sync"
	"sync/atomic"
	"testing"

	"hongbao"
)

// checkSeal seals a campaign under a crowd: whoever asks after it was told sealed is refused, by whatever clock, and the
// journal has no win behind the seal.
func checkSeal(t testing.TB, open Open) {
	s := newScene(t, open)
	for range times(4) {
		s.checkSealing(hongbao.Cancelled, hongbao.Change{At: start, Cancel: true})
	}
	s.checkSealing(hongbao.Closed, hongbao.Change{At: start + hour, Close: true})
	s.check()
}

func (s *scene) checkSealing(want hongbao.Status, change hongbao.Change) {
	s.Helper()
	c := s.rain(100_000)
	change.Campaign = c.ID
	var sealed atomic.Bool
	var players sync.WaitGroup
	won := make(chan struct{}, 100_000)
	for i := range 16 {
		players.Go(func() {
			for {
				before := sealed.Load()
				result := s.snatch(c, uint64(i), start+minute)
				if before && result.Status != want {
					s.Errorf("after the seal a player is told %s", result.Status)
				}
				if before {
					return
				}
				select {
				case won <- struct{}{}:
				default: // refusals are fast
				}
			}
		})
	}
	for range 100 {
		<-won
	}
	if after := s.put(change); after.Seal == nil || after.Seal.Seed == (hongbao.Seed{}) {
		s.Errorf("it is sealed as %+v", after.Seal)
	}
	sealed.Store(true)
	players.Wait()
	s.refused(want, c, 99, start)
	if _, err := s.Engine.SignUp(s.Context(), hongbao.SignUpRequest{Campaign: c.ID, UIDs: []uint64{99}, Now: start}); err == nil {
		s.Error("after the seal a player signs up")
	}
	s.put(change) // again: it changes nothing
}

// checkTime steps the clock back: engine time stays, and with it whatever was told closed.
func checkTime(t testing.TB, open Open) {
	s := newScene(t, open)
	short, lasting := s.rain(10), s.campaign(hongbao.Rain, 10, func(spec *hongbao.Spec) { spec.Lasts *= 2 })
	first := s.win(lasting, 7, start+hour)
	s.refused(hongbao.Closed, short, 7, start)
	second := s.win(lasting, 7, start)
	if second.WonAt < first.WonAt {
		t.Errorf("the second win is of %s, the first of %s", second.WonAt, first.WonAt)
	}
	s.Engine = s.Restart(start + hour - minute)
	if now := s.Engine.Health().Now; now < first.WonAt {
		t.Errorf("after a restart engine time is %s; must be at least %s", now, first.WonAt)
	}
	s.refused(hongbao.Closed, short, 7, start)
	third := s.win(lasting, 7, start)
	if w := s.wallet(s.Engine, 7, 1); len(w.Envelopes) != 3 || !s.Leased && w.Envelopes[0].ID != third.Envelope || third.WonAt < second.WonAt {
		t.Errorf("the newest is not the last that was won: %+v", w.Envelopes)
	}
	s.check()
}
