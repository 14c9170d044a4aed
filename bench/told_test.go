package bench

import (
	"strings"
	"testing"

	"hongbao"
)

// story is what players are told in a test, in campaign 7 with at most two wins. Each step is one request and answer.
type story struct{ told *Told }

func id(number uint64) hongbao.EnvelopeID { return hongbao.NewEnvelopeID(7, number) }

// win tells a player of a win.
func (s story) win(uid uint64, key string, envelope uint64, wins int) {
	s.answer(uid, key, Snatched{Status: hongbao.Won, Envelope: id(envelope), Wins: wins, Key: key, Receipt: "r" + key})
}

func (s story) refuse(uid uint64, key string, status hongbao.Status, wins int) {
	s.answer(uid, key, Snatched{Status: status, Wins: wins, Key: key})
}

func (s story) answer(uid uint64, key string, answer Snatched) {
	ask := Snatch{UID: uid, Campaign: 7, Key: key}
	b := s.told.beforeSnatch(ask)
	answer.Result, answer.Campaign, answer.WinsMax = Result{Outcome: Answered, Label: answer.Status.String()}, 7, 2
	s.told.heardSnatch(ask, b, &answer)
}

// lose leaves a snatch unanswered.
func (s story) lose(uid uint64, key string) {
	ask := Snatch{UID: uid, Campaign: 7, Key: key}
	b := s.told.beforeSnatch(ask)
	s.told.heardSnatch(ask, b, &Snatched{Key: key, Result: Result{Outcome: Unknown, Label: "timeout"}})
}

// bar lets the gate turn a snatch away.
func (s story) bar(uid uint64, key, code string) {
	ask := Snatch{UID: uid, Campaign: 7, Key: key}
	b := s.told.beforeSnatch(ask)
	s.told.heardSnatch(ask, b, &Snatched{Key: key, Result: Result{Outcome: Barred, Label: code}})
}

func (s story) signUp(uid uint64) {
	s.told.heardSignUp(uid, 7, &SignedUp{Result: Result{Outcome: Answered}, Status: hongbao.SignedUp})
}

func (s story) open(uid, envelope uint64, amountFen, balanceFen int64, first bool) {
	s.openAnswer(uid, envelope, Opened{
		Result: Result{Outcome: Answered, Label: "opened"}, AmountFen: amountFen, BalanceFen: balanceFen, First: first, TellsFirst: true,
	})
}

func (s story) openAnswer(uid, envelope uint64, answer Opened) {
	b := s.told.beforeOpen(uid, id(envelope))
	s.told.heardOpen(uid, id(envelope), b, &answer)
}

func (s story) wallet(uid uint64, balanceFen int64, envelopes ...Envelope) {
	b := s.told.beforeWallet(uid)
	s.told.heardWallet(uid, b, &Wallet{Result: Result{Outcome: Answered}, BalanceFen: balanceFen, Envelopes: envelopes})
}

func heldEnvelope(number uint64) Envelope { return Envelope{ID: id(number), SnatchedAt: 1} }

func openedEnvelope(number uint64, amountFen int64) Envelope {
	return Envelope{ID: id(number), State: hongbao.StateOpened, AmountFen: amountFen, SnatchedAt: 1}
}

var (
	expired  = Opened{Result: Result{Outcome: Answered, Label: "expired"}, Expired: true}
	notFound = Opened{Result: Result{Outcome: Refused, Label: "not_found"}}
)

func TestEachLieIsADifference(t *testing.T) {
	for _, row := range []struct {
		lie  string
		tell func(s story)
		want string // beginning of the difference
	}{
		{"one envelope told to two players", func(s story) { s.win(1, "a", 5, 1); s.win(2, "b", 5, 1) }, "G2 player 2, envelope 30064771077"},
		{"one envelope told for two keys", func(s story) { s.win(1, "a", 5, 1); s.win(1, "b", 5, 2) }, "G7 player 1"},
		{"another envelope for the same key", func(s story) { s.win(1, "a", 5, 1); s.win(1, "a", 6, 2) }, "G7 player 1"},
		{"another receipt for the same key", func(s story) {
			s.win(1, "a", 5, 1)
			s.answer(1, "a", Snatched{Status: hongbao.Won, Envelope: id(5), Wins: 1, Key: "a", Receipt: "forged"})
		}, "G7 player 1"},
		{"a refusal of a key that won", func(s story) { s.win(1, "a", 5, 1); s.refuse(1, "a", hongbao.SoldOut, 1) }, "G7 player 1"},
		{"more wins than allowed", func(s story) { s.win(1, "a", 5, 3) }, "G3 player 1"},
		{"two wins with the same number", func(s story) { s.win(1, "a", 5, 1); s.win(1, "b", 6, 1) }, "G3 player 1"},
		{"wins that fall", func(s story) { s.win(1, "a", 5, 2); s.refuse(1, "", hongbao.Missed, 1) }, "G3 player 1"},
		{"a limit reached too soon", func(s story) { s.refuse(1, "", hongbao.LimitReached, 1) }, "G3 player 1"},
		{"another amount when opened again", func(s story) {
			s.win(1, "a", 5, 1)
			s.open(1, 5, 50, 50, true)
			s.open(1, 5, 60, 60, false)
		}, "G5 player 1"},
		{"first told twice", func(s story) { s.win(1, "a", 5, 1); s.open(1, 5, 50, 50, true); s.open(1, 5, 50, 100, true) }, "G5 player 1"},
		{"first not told", func(s story) { s.win(1, "a", 5, 1); s.open(1, 5, 50, 50, false) }, "G5 player 1"},
		{"expired after it was opened", func(s story) { s.win(1, "a", 5, 1); s.open(1, 5, 50, 50, true); s.openAnswer(1, 5, expired) }, "G5 player 1"},
		{"opened for somebody else", func(s story) { s.win(1, "a", 5, 1); s.open(2, 5, 50, 50, true) }, "G5 player 2"},
		{"a win that is not found", func(s story) { s.win(1, "a", 5, 1); s.openAnswer(1, 5, notFound) }, "G4 player 1"},
		{"a balance that did not grow", func(s story) {
			s.win(1, "a", 5, 1)
			s.win(1, "b", 6, 2)
			s.open(1, 5, 50, 50, true)
			s.open(1, 6, 40, 50, true)
		}, "G6 player 1"},
		{"a win missing from the wallet", func(s story) { s.win(1, "a", 5, 1); s.wallet(1, 0) }, "G4 player 1"},
		{"an opening missing from the wallet", func(s story) {
			s.win(1, "a", 5, 1)
			s.open(1, 5, 50, 50, true)
			s.wallet(1, 50, heldEnvelope(5))
		}, "G4 player 1"},
		{"another amount in the wallet", func(s story) {
			s.win(1, "a", 5, 1)
			s.open(1, 5, 50, 50, true)
			s.wallet(1, 60, openedEnvelope(5, 60))
		}, "G5 player 1"},
		{"opened in the wallet by nobody", func(s story) { s.win(1, "a", 5, 1); s.wallet(1, 50, openedEnvelope(5, 50)) }, "G5 player 1"},
		{"somebody else's envelope in the wallet", func(s story) { s.win(1, "a", 5, 1); s.wallet(2, 0, heldEnvelope(5)) }, "G2 player 2"},
		{"a balance that is not the sum", func(s story) {
			s.win(1, "a", 5, 1)
			s.open(1, 5, 50, 50, true)
			s.wallet(1, 51, openedEnvelope(5, 50))
		}, "G6 player 1"},
		{"a sign-up that is forgotten", func(s story) { s.signUp(1); s.refuse(1, "", hongbao.NotSignedUp, 0) }, "G4 player 1"},
		{"an error for a good request", func(s story) {
			ask := Snatch{UID: 1, Campaign: 7}
			s.told.heardSnatch(ask, s.told.beforeSnatch(ask), &Snatched{Result: wrong("HTTP 500")})
		}, "API player 1"},
	} {
		t.Run(row.lie, func(t *testing.T) {
			s := story{NewTold(0)}
			row.tell(s)
			listed, total := s.told.Differences()
			if total == 0 || !strings.HasPrefix(listed[0].String(), row.want) {
				t.Errorf("the differences are %v, and must begin with %s", listed, row.want)
			}
		})
	}
}

func TestTheTruthIsNoDifference(t *testing.T) {
	for _, row := range []struct {
		truth string
		tell  func(s story)
	}{
		{"a whole life", func(s story) {
			s.refuse(1, "", hongbao.Missed, 0)
			s.win(1, "a", 5, 1)
			s.wallet(1, 0, heldEnvelope(5))
			s.win(1, "a", 5, 1)
			s.open(1, 5, 50, 50, true)
			s.open(1, 5, 50, 50, false)
			s.win(1, "b", 6, 2)
			s.refuse(1, "", hongbao.LimitReached, 2)
			s.win(1, "a", 5, 2)
			s.wallet(1, 50, heldEnvelope(6), openedEnvelope(5, 50))
		}},
		{"two requests decided in the other order", func(s story) {
			first, second := Snatch{UID: 1, Campaign: 7, Key: "a"}, Snatch{UID: 1, Campaign: 7, Key: "b"}
			b1, b2 := s.told.beforeSnatch(first), s.told.beforeSnatch(second)
			won := Result{Outcome: Answered, Label: "won"}
			s.told.heardSnatch(second, b2, &Snatched{Result: won, Status: hongbao.Won, Campaign: 7, Envelope: id(6), Wins: 2, WinsMax: 2, Key: "b"})
			s.told.heardSnatch(first, b1, &Snatched{Result: won, Status: hongbao.Won, Campaign: 7, Envelope: id(5), Wins: 1, WinsMax: 2, Key: "a"})
		}},
		{"a lost answer, asked for again", func(s story) {
			s.lose(1, "a")
			s.win(1, "b", 6, 2)
			s.win(1, "a", 5, 2)
		}},
		{"a wallet read before a win was told", func(s story) {
			b := s.told.beforeWallet(1)
			s.win(1, "a", 5, 1)
			s.told.heardWallet(1, b, &Wallet{Result: Result{Outcome: Answered}})
		}},
		{"a wallet of the books, which lag", func(s story) {
			s.win(1, "a", 5, 1)
			b := s.told.beforeWallet(1)
			s.told.heardWallet(1, b, &Wallet{Result: Result{Outcome: Answered}, AsOf: 1})
		}},
		{"an opening whose answer was lost", func(s story) {
			s.win(1, "a", 5, 1)
			s.openAnswer(1, 5, Opened{Result: Result{Outcome: Unknown}})
			s.wallet(1, 50, openedEnvelope(5, 50))
			s.open(1, 5, 50, 50, false)
		}},
		{"not signed up, and signed up then", func(s story) {
			s.refuse(1, "", hongbao.NotSignedUp, 0)
			s.signUp(1)
			s.win(1, "a", 5, 1)
		}},
		{"turned away by the gate, and let in then", func(s story) {
			s.bar(1, "a", "ticket_required")
			s.bar(1, "a", "ticket_invalid")
			s.bar(1, "", "denied")
			s.win(1, "a", 5, 1)
		}},
		{"opening what is not there", func(s story) { s.openAnswer(1, 5, notFound) }},
	} {
		t.Run(row.truth, func(t *testing.T) {
			s := story{NewTold(0)}
			row.tell(s)
			if listed, _ := s.told.Differences(); len(listed) > 0 {
				t.Error(listed)
			}
		})
	}
}

func TestUnknownIsCountedUntilItIsAnswered(t *testing.T) {
	s := story{NewTold(0)}
	s.lose(1, "a")
	s.lose(1, "a")
	s.lose(2, "")
	s.win(3, "c", 9, 1)
	s.openAnswer(3, 9, Opened{Result: Result{Outcome: Unknown}})
	if askable, lost := s.told.Unknown(); askable != 2 || lost != 1 {
		t.Errorf("%d can be asked and %d are lost", askable, lost)
	}
	s.refuse(1, "a", hongbao.SoldOut, 0)
	s.open(3, 9, 5, 5, false)
	if askable, lost := s.told.Unknown(); askable != 0 || lost != 1 {
		t.Errorf("after the answers, %d can be asked and %d are lost", askable, lost)
	}
}

// A key that has won is answered so whatever its request's ticket is: to be turned away for the ticket says that it has not.
func TestToBeTurnedAwayForATicketIsAnAnswer(t *testing.T) {
	for code, left := range map[string]int{"ticket_required": 0, "ticket_invalid": 0, "denied": 1} {
		s := story{NewTold(0)}
		s.lose(1, "a")
		s.bar(1, "a", code)
		if askable, lost := s.told.Unknown(); askable != left || lost != 0 {
			t.Errorf("after %s, %d can be asked and %d are lost", code, askable, lost)
		}
	}
}

func TestDifferencesAreCountedBeyondTheList(t *testing.T) {
	s := story{NewTold(0)}
	for range 3 * differencesListed {
		s.refuse(1, "", hongbao.LimitReached, 0)
	}
	if listed, total := s.told.Differences(); len(listed) != differencesListed || total != 3*differencesListed {
		t.Errorf("%d listed of %d", len(listed), total)
	}
}
