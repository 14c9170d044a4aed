package enginetest

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"hongbao"
)

// checkCreditedOnce opens one envelope from many goroutines, its holder's and others'. Keeps G5.
func checkCreditedOnce(t testing.TB, open Open) {
	s := newScene(t, open)
	c := s.rain(100)
	for range times(5) {
		won := s.win(c, 7, start)
		var first, again, foreign atomic.Int64
		crowd(crowdSize, func(i int) {
			result, err := s.open(7+uint64(i%4/3), won.Envelope, start)
			switch {
			case i%4 == 3 && errors.Is(err, hongbao.ErrNotFound):
				foreign.Add(1)
			case err != nil || result.AmountFen != won.AmountFen || result.Expired:
				t.Errorf("opening is answered with %+v, %v; won was %+v", result, err, won)
			case result.First:
				first.Add(1)
			default:
				again.Add(1)
			}
		})
		if first.Load() != 1 || again.Load() != crowdSize*3/4-1 || foreign.Load() != crowdSize/4 {
			t.Errorf("%d were first, %d opened it again, %d were strangers", first.Load(), again.Load(), foreign.Load())
		}
	}
	s.check()
}

// checkBalance opens all envelopes of one player at once: each answer has another balance, the last their sum. Keeps G6.
func checkBalance(t testing.TB, open Open) {
	s := newScene(t, open)
	c := s.rain(crowdSize)
	var ids [crowdSize]hongbao.EnvelopeID
	sum := int64(0)
	for i := range ids {
		won := s.win(c, 7, start)
		ids[i] = won.Envelope
		sum += won.AmountFen
	}
	var mu sync.Mutex
	var steps []hongbao.OpenResult
	crowd(crowdSize, func(i int) {
		result, err := s.open(7, ids[i], start)
		if err != nil || !result.First {
			t.Errorf("opening is answered with %+v, %v", result, err)
		}
		mu.Lock()
		defer mu.Unlock()
		steps = append(steps, result)
	})
	slices.SortFunc(steps, func(a, b hongbao.OpenResult) int { return int(a.BalanceFen - b.BalanceFen) })
	balance := int64(0)
	for _, step := range steps {
		if balance += step.AmountFen; step.BalanceFen != balance {
			t.Errorf("after %d more fen the balance is %d; must be %d", step.AmountFen, step.BalanceFen, balance)
		}
	}
	if w := s.wallet(s.Engine, 7, 200); balance != sum || w.BalanceFen != sum {
		t.Errorf("of %d fen won, %d were credited and %d are the balance", sum, balance, w.BalanceFen)
	}
	s.check()
}
