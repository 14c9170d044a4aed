package enginetest

import (
	"maps"
	"slices"
	"sync"
	"testing"

	"hongbao"
)

// checkRestart plays, restarts and plays on, several times: nothing that was told is lost and no number comes twice.
// Keeps G4.
func checkRestart(t testing.TB, open Open) {
	s := newScene(t, open)
	limit := 40
	c := s.campaign(hongbao.Rain, 500, func(spec *hongbao.Spec) { spec.WinsMax = &limit })
	for round := range hongbao.Time(4) {
		crowd(8, func(i int) {
			for n := range 10 {
				won := s.snatch(c, uint64(i), start+round*second)
				if n%3 == 0 {
					s.open(uint64(i), won.Envelope, start+round*second)
				}
			}
		})
		s.Engine = s.Restart(start + round*second)
		s.check()
	}
	for uid := range uint64(8) {
		s.refused(hongbao.LimitReached, c, uid, start+minute)
	}
}

// checkCrash cuts the power at moments that the crowd does not know of. What was told before the cut is there after
// it, with the rules and without holes; what was being decided may be there or not. Keeps G4.
func checkCrash(t testing.TB, open Open) {
	s := newScene(t, open)
	if s.Crash == nil {
		t.Log("not checked: the harness can't cut the power; one of the engine's harnesses must")
		return
	}
	c := s.rain(1_000_000)
	for range times(5) {
		s.checkPowerCut(c)
		if t.Failed() {
			return
		}
	}
}

// checkRefusals cuts the power while campaigns sell out and players reach their limits: whoever was told so before the
// cut would be told so after it. Keeps G4.
func checkRefusals(t testing.TB, open Open) {
	s := newScene(t, open)
	if s.Crash == nil {
		t.Log("not checked: the harness can't cut the power; one of the engine's harnesses must")
		return
	}
	for range times(8) {
		s.checkRefusalsKept()
		if t.Failed() {
			return
		}
	}
}

func (s *scene) checkRefusalsKept() {
	s.Helper()
	limit := 3
	var small, limited []*hongbao.Campaign
	for range 6 {
		small = append(small, s.rain(24))
		limited = append(limited, s.campaign(hongbao.Rain, 1000, func(spec *hongbao.Spec) { spec.WinsMax = &limit }))
	}
	before := s.Engine
	refused := make(chan hongbao.SnatchRequest, 1<<16)
	var players sync.WaitGroup
	for i := range 16 {
		players.Go(func() {
			for n := range small {
				for _, c := range []*hongbao.Campaign{small[n], limited[n]} {
					r := hongbao.SnatchRequest{Campaign: c.ID, UID: uint64(i / 2), KeyIsNew: true, Now: start}
					for told := hongbao.Won; told == hongbao.Won; {
						r.Key = s.key()
						told = s.ask(before, r).Status
					}
					refused <- r
				}
			}
		})
	}
	requests := []hongbao.SnatchRequest{<-refused}
	for range 20 {
		requests = append(requests, <-refused)
	}
	s.Engine = s.Crash(start)
	players.Wait()
	for _, r := range requests {
		if told := s.ask(s.Engine, r).Status; told != hongbao.SoldOut && told != hongbao.LimitReached {
			s.Errorf("%+v was refused before the power cut, and is told %s after it", r, told)
		}
	}
	s.wins = nil
}

func (s *scene) checkPowerCut(c *hongbao.Campaign) {
	s.Helper()
	before, stop := s.Engine, make(chan struct{})
	progress := make(chan struct{}, 1<<20)
	var players sync.WaitGroup
	for i := range 16 {
		players.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				won := s.ask(before, hongbao.SnatchRequest{Campaign: c.ID, UID: uint64(i), Key: s.key(), Now: start})
				if n%4 == 0 {
					s.openWith(before, uint64(i), won.Envelope, start)
				}
				progress <- struct{}{}
			}
		})
	}
	for range 300 {
		<-progress
	}
	s.mu.Lock()
	wins, opened := slices.Clone(s.wins), maps.Clone(s.opened)
	s.mu.Unlock()
	s.Engine = s.Crash(start)
	close(stop)
	players.Wait()
	model, err := Replay(s.Context(), s.Harness)
	if err != nil {
		s.Fatalf("after the power cut the journal breaks a rule: %v", err)
	}
	s.same(model)
	s.checkTold(model, wins, opened)
	s.wins, s.opened = wins, opened
	s.win(c, 99, start)
}
