package enginetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"hongbao"
)

// checkLinearSnatching records who asked and was told what, when, on a campaign of few envelopes, and asks porcupine for
// an order that explains all of it. Supply is shared, so that a campaign is one history: it is kept small.
func checkLinearSnatching(t testing.TB, open Open) {
	random := newRandom(t)
	s := newScene(t, open)
	for range times(6) {
		limit := 2
		c := s.campaign(hongbao.Rain, 5, func(spec *hongbao.Spec) { spec.WinsMax = &limit })
		keys := []string{s.key(), s.key(), s.key(), s.key()}
		history := record(random, 6, 8, func(random *rand.Rand) (input, output any) {
			asked := snatched{uint64(random.IntN(4)), keys[random.IntN(len(keys))]}
			result := s.snatchBy(c, asked.uid, asked.key, start)
			return asked, snatchAnswer{result.Status, result.Envelope, result.Wins}
		})
		linear(t, "snatching", snatchModel(c, s.Leased), history)
	}
	s.check()
}

type snatched struct {
	uid uint64
	key string
}

type snatchAnswer struct {
	status   hongbao.Status
	envelope hongbao.EnvelopeID
	wins     int
}

// supplyState is a campaign as its players see it: who won what by which key.
type supplyState struct {
	wins map[uint64]int
	keys map[snatched]hongbao.EnvelopeID
}

// snatchModel gives the numbers in order, or if they are leased any that is left. Then whoever has not won may also be told
// sold out without wins.
func snatchModel(c *hongbao.Campaign, leased bool) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return supplyState{} },
		Step: func(state, input, output any) (bool, any) {
			before, told := state.(supplyState), output.(snatchAnswer)
			number := uint64(len(before.keys))
			if leased && told.status == hongbao.Won && before.left(c, told.envelope) {
				number = told.envelope.Number()
			}
			next, answer := before.after(c, input.(snatched), number)
			if leased && told.status == hongbao.SoldOut && told.wins == -1 && answer.wins == 0 {
				told.wins = 0
			}
			return answer == told, next
		},
		Equal: func(a, b any) bool { return maps.Equal(a.(supplyState).keys, b.(supplyState).keys) },
	}
}

// left reports whether nobody has won the envelope yet.
func (s supplyState) left(c *hongbao.Campaign, id hongbao.EnvelopeID) bool {
	for _, won := range s.keys {
		if won == id {
			return false
		}
	}
	return id.Campaign() == c.ID && id.Number() < c.Rules().Budget.Count
}

func (s supplyState) after(c *hongbao.Campaign, asked snatched, number uint64) (supplyState, snatchAnswer) {
	known, replayed := s.keys[asked]
	status := hongbao.Decide(hongbao.Facts{
		Rules: c.Rules(), Now: start, Replayed: replayed, Wins: s.wins[asked.uid], Issued: uint64(len(s.keys)), Allowed: c.Rules().Budget.Count,
	})
	if replayed || status != hongbao.Won {
		return s, snatchAnswer{status, known, s.wins[asked.uid]}
	}
	next := supplyState{maps.Clone(s.wins), maps.Clone(s.keys)}
	if next.wins == nil {
		next.wins, next.keys = map[uint64]int{}, map[snatched]hongbao.EnvelopeID{}
	}
	next.wins[asked.uid]++
	next.keys[asked] = hongbao.NewEnvelopeID(c.ID, number)
	return next, snatchAnswer{status, next.keys[asked], next.wins[asked.uid]}
}

// checkLinearOpening does the same of openings and wallets, by player: whatever is told of a balance is in one order.
func checkLinearOpening(t testing.TB, open Open) {
	random := newRandom(t)
	s := newScene(t, open)
	const rounds, envelopes = 6, 9
	c := s.rain(uint64(envelopes * times(rounds)))
	for round := range times(rounds) {
		var wins []told
		for i := range envelopes {
			uid := uint64(10*round + i%3)
			wins = append(wins, told{hongbao.SnatchRequest{UID: uid}, s.win(c, uid, start)})
		}
		history := record(random, 6, 8, func(random *rand.Rand) (input, output any) {
			w := wins[random.IntN(len(wins))]
			if random.IntN(3) == 0 {
				return walletRead(w.request.UID), s.readWallet(w.request.UID)
			}
			result, _ := s.open(w.request.UID, w.result.Envelope, start)
			return w, result
		})
		linear(t, "opening", openModel(), history)
	}
	s.check()
}

// walletRead asks for a player's wallet; the answer is a balance and how many envelopes are opened.
type walletRead uint64

type walletAnswer struct {
	balanceFen int64
	opened     int
}

func (s *scene) readWallet(uid uint64) (answer walletAnswer) {
	w, err := s.Engine.Wallet(s.Context(), hongbao.WalletRequest{UID: uid, Limit: hongbao.WalletLimitMax})
	if err != nil {
		s.Errorf("wallet: %v", err)
	}
	for _, e := range w.Envelopes {
		if e.State == hongbao.StateOpened {
			answer.opened++
		}
	}
	answer.balanceFen = w.BalanceFen
	return answer
}

func openModel() porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			byPlayer := map[uint64][]porcupine.Operation{}
			for _, o := range history {
				uid := playerOf(o.Input)
				byPlayer[uid] = append(byPlayer[uid], o)
			}
			var parts [][]porcupine.Operation
			for _, part := range byPlayer {
				parts = append(parts, part)
			}
			return parts
		},
		Init: func() any { return map[hongbao.EnvelopeID]int64{} },
		Step: func(state, input, output any) (bool, any) {
			opened := state.(map[hongbao.EnvelopeID]int64)
			w, isOpening := input.(told)
			if !isOpening {
				return output.(walletAnswer) == walletAnswer{balanceOf(opened), len(opened)}, opened
			}
			_, again := opened[w.result.Envelope]
			if !again {
				opened = maps.Clone(opened)
				opened[w.result.Envelope] = w.result.AmountFen
			}
			return output.(hongbao.OpenResult) == hongbao.OpenResult{First: !again, AmountFen: w.result.AmountFen, BalanceFen: balanceOf(opened)}, opened
		},
		Equal: func(a, b any) bool {
			return maps.Equal(a.(map[hongbao.EnvelopeID]int64), b.(map[hongbao.EnvelopeID]int64))
		},
	}
}

func playerOf(input any) uint64 {
	if w, isOpening := input.(told); isOpening {
		return w.request.UID
	}
	return uint64(input.(walletRead))
}

func balanceOf(opened map[hongbao.EnvelopeID]int64) (balanceFen int64) {
	for _, amount := range opened {
		balanceFen += amount
	}
	return balanceFen
}

// record lets clients do n things each, all at once, and notes when each was asked and answered.
func record(random *rand.Rand, clients, n int, do func(random *rand.Rand) (input, output any)) []porcupine.Operation {
	var mu sync.Mutex
	var history []porcupine.Operation
	own := make([]*rand.Rand, clients)
	for i := range own {
		own[i] = rand.New(rand.NewPCG(random.Uint64(), 0))
	}
	began := time.Now()
	crowd(clients, func(i int) {
		for range n {
			called := time.Since(began)
			input, output := do(own[i])
			returned := time.Since(began)
			mu.Lock()
			history = append(history, porcupine.Operation{ClientId: i, Input: input, Output: output, Call: int64(called), Return: int64(returned)})
			mu.Unlock()
		}
	})
	return history
}

// patience is how long porcupine may look for an order; histories this small take milliseconds.
const patience = 20 * time.Second

func linear(t testing.TB, what string, model porcupine.Model, history []porcupine.Operation) {
	t.Helper()
	if result := porcupine.CheckOperationsTimeout(model, history, patience); result != porcupine.Ok {
		text := ""
		for _, o := range history {
			text += fmt.Sprintf("\n%d-%d client %d: %+v → %+v", o.Call, o.Return, o.ClientId, o.Input, o.Output)
		}
		t.Errorf("%s is not linearizable (%s):%s", what, result, text)
	}
}
