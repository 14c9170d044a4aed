package enginetest

import (
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"hongbao"
)

// checkForetelling takes campaigns through all that they can come to, and holds what is foretold against it: to whoever
// asks that it is not open; to a new key that it is cancelled, closed or sold out, while that is so; and nothing else.
func checkForetelling(t testing.TB, open Open) {
	s := newScene(t, open)
	if result, ok := s.Engine.Foretell(hongbao.SnatchRequest{Campaign: 1, KeyIsNew: true, Now: start}); ok {
		t.Errorf("of no campaign %+v is foretold", result)
	}
	later := s.campaign(hongbao.Bomb, 3, func(spec *hongbao.Spec) { spec.OpensAt = hongbao.AtTime(start + minute) })
	s.foretold(hongbao.NotOpen, later, start+minute-1)
	s.foretold(hongbao.Won, later, start+minute)
	for range times(3) {
		s.checkForetoldInARush()
	}
	c := s.campaign(hongbao.Rain, 3, func(spec *hongbao.Spec) { equal := hongbao.Equal; spec.Budget.Split = &equal })
	won := s.checkForetold(c)
	if again := s.snatchBy(c, 7, won.Key, start); !sameWin(again, won) {
		t.Errorf("the key that won is answered with %+v; must be %+v", again, won)
	}
	cancelled := s.rain(3)
	s.put(hongbao.Change{At: start, Campaign: cancelled.ID, Cancel: true})
	s.foretold(hongbao.Cancelled, cancelled, start)
	s.Engine = s.Restart(start + hour)
	s.foretold(hongbao.Closed, c, start+hour)
	s.foretold(hongbao.Cancelled, cancelled, start+hour)
	s.check()
}

// checkForetold takes a campaign of three envelopes to its end, and returns a win by a key that its player brought.
func (s *scene) checkForetold(c *hongbao.Campaign) hongbao.SnatchResult {
	s.Helper()
	on, off := true, false
	s.foretold(hongbao.Won, c, start)
	key := s.key()
	won := s.snatchBy(c, 7, key, start)
	won.Key = key
	for range 2 {
		s.foretold(hongbao.Won, c, start)
		s.win(c, 8, start)
	}
	s.foretold(hongbao.SoldOut, c, start)
	s.refused(hongbao.SoldOut, c, 9, start)
	s.foretold(hongbao.SoldOut, c, start)
	for range times(3) {
		s.raise(c)
		s.foretold(hongbao.Won, c, start)
		s.win(c, 9, start)
		s.refused(hongbao.SoldOut, c, 9, start)
		s.foretold(hongbao.SoldOut, c, start)
	}
	s.put(hongbao.Change{At: start, Campaign: c.ID, Revise: &hongbao.Patch{Paused: &on}})
	s.foretold(hongbao.Paused, c, start)
	s.put(hongbao.Change{At: start, Campaign: c.ID, Revise: &hongbao.Patch{Paused: &off}})
	s.foretold(hongbao.Closed, c, start+hour)
	s.put(hongbao.Change{At: start + hour, Campaign: c.ID, Close: true})
	s.foretold(hongbao.Closed, c, start+hour)
	return won
}

// raise adds an envelope of a yuan to a campaign.
func (s *scene) raise(c *hongbao.Campaign) {
	s.Helper()
	budget := s.rules(c).Budget
	count, total := budget.Count+1, budget.TotalFen+100
	s.put(hongbao.Change{At: start, Campaign: c.ID, Revise: &hongbao.Patch{Budget: &hongbao.BudgetPatch{TotalFen: &total, Count: &count}}})
}

func (s *scene) rules(c *hongbao.Campaign) *hongbao.Rules {
	return s.Engine.Campaigns()[c.ID-1].Rules()
}

// foretold asks without a player, by a new key and by another, what is so. An engine that leases numbers may know of
// nothing at the moment.
func (s *scene) foretold(is hongbao.Status, c *hongbao.Campaign, now hongbao.Time) {
	s.Helper()
	for _, isNew := range []bool{true, false} {
		want := hongbao.SnatchResult{Status: is, Wins: -1, Rules: s.rules(c)}
		mayTell := is == hongbao.NotOpen || isNew && (is == hongbao.Cancelled || is == hongbao.Closed || is == hongbao.SoldOut)
		if !mayTell {
			want = hongbao.SnatchResult{}
		}
		got, ok := s.Engine.Foretell(hongbao.SnatchRequest{Campaign: c.ID, KeyIsNew: isNew, Now: now})
		silent := !ok && mayTell && s.Leased && reflect.DeepEqual(got, hongbao.SnatchResult{})
		if !silent && (ok != mayTell || !reflect.DeepEqual(got, want)) {
			s.Errorf("to a request with a new key (%t), where the campaign is %s, %+v is foretold (%t); must be %+v", isNew, is, got, ok, want)
		}
	}
}

// checkForetoldInARush foretells while a campaign sells out and its budget is raised, again and again: nobody is foretold
// sold out while it was not, from before the question until after the answer.
func (s *scene) checkForetoldInARush() {
	s.Helper()
	c := s.campaign(hongbao.Rain, 1, func(spec *hongbao.Spec) { equal := hongbao.Equal; spec.Budget.Split = &equal })
	var steps atomic.Int64 // odd: the budget was raised, and nothing of it is taken
	stop := make(chan struct{})
	var askers sync.WaitGroup
	defer askers.Wait()
	defer close(stop)
	for range 4 {
		askers.Go(func() {
			for {
				before := steps.Load()
				result, ok := s.Engine.Foretell(hongbao.SnatchRequest{Campaign: c.ID, KeyIsNew: true, Now: start})
				if ok && (result.Status != hongbao.SoldOut || before%2 == 1 && steps.Load() == before) {
					s.Errorf("%s is foretold while one is left", result.Status)
				}
				select {
				case <-stop:
					return
				default:
					runtime.Gosched()
				}
			}
		})
	}
	steps.Add(1)
	for range 10 {
		steps.Add(1)
		s.win(c, 7, start)
		s.refused(hongbao.SoldOut, c, 7, start)
		s.raise(c)
		steps.Add(1)
	}
}

// checkOneLeft raises the budget by one envelope before each one that is won, so that there is always one left: nobody is
// told sold out, whoever asks and however. Keeps G1, and that sold_out is told only when it is true.
func checkOneLeft(t testing.TB, open Open) {
	s := newScene(t, open)
	s.checkOneLeft()
	s.check()
}

func (s *scene) checkOneLeft() {
	s.Helper()
	half := hongbao.ChanceCertain / 2
	c := s.campaign(hongbao.Rain, 1, func(spec *hongbao.Spec) {
		equal := hongbao.Equal
		spec.Budget.Split, spec.Chance = &equal, &half
	})
	rounds := times(300)
	if s.Slow {
		rounds = times(20)
	}
	stop := make(chan struct{})
	var askers sync.WaitGroup
	defer askers.Wait()
	defer close(stop)
	for i := range uint64(8) {
		losing := s.drawn(c, i, false)
		askers.Go(func() {
			for {
				r := hongbao.SnatchRequest{Campaign: c.ID, UID: i, Key: losing, KeyIsNew: i%2 == 0, Now: start}
				for range 10 { // it takes no time, and the moments that it may go wrong in are short
					if result, ok := s.Engine.Foretell(r); ok {
						s.Errorf("with one left %s is foretold", result.Status)
					}
				}
				if result := s.ask(s.Engine, r); result.Status != hongbao.Missed {
					s.Errorf("with one left a losing draw is answered with %s", result.Status)
				}
				select {
				case <-stop:
					return
				default:
					runtime.Gosched()
				}
			}
		})
	}
	for range rounds {
		s.raise(c)
		if won := s.snatchBy(c, 99, s.drawn(c, 99, true), start); won.Status != hongbao.Won {
			s.Errorf("with two left a winning draw is answered with %s", won.Status)
		}
	}
}

// drawn is a new key with which the player's draw wins, or does not.
func (s *scene) drawn(c *hongbao.Campaign, uid uint64, wins bool) string {
	seed := s.Secret.Seed(c.ID, c.Nonce)
	for {
		key := fmt.Sprintf("%d-%s", uid, s.key())
		if c.Rules().Chance.Wins(seed.Draw(c.ID, uid, key)) == wins {
			return key
		}
	}
}
