package enginetest

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"hongbao"
)

// checkSeen looks, right after each answer, at everything that must show it: the wallet, the key, the progress, the
// journal.
func checkSeen(t testing.TB, open Open) {
	s := newScene(t, open)
	c := s.rain(10_000)
	var asked atomic.Int64 // later each time, so that whatever its number the last win is the newest
	crowd(8, func(i int) {
		uid, sum := uint64(i), int64(0)
		for n := range times(25) {
			key := fmt.Sprintf("%d-%d", i, n)
			won := s.snatchBy(c, uid, key, start+hongbao.Time(asked.Add(1)))
			s.seen(c, uid, won, hongbao.StateHeld, sum, n+1)
			if again := s.snatchBy(c, uid, key, start); again.Envelope != won.Envelope {
				t.Errorf("asked again, %d becomes %d", won.Envelope, again.Envelope)
			}
			opened, err := s.open(uid, won.Envelope, start)
			if sum += won.AmountFen; err != nil || opened.BalanceFen != sum {
				t.Errorf("opening is answered with %+v, %v; must come to %d", opened, err, sum)
			}
			s.seen(c, uid, won, hongbao.StateOpened, sum, n+1)
		}
	})
	s.sync()
	if lag := s.Engine.Health().Lag; lag != 0 {
		t.Errorf("after Sync the books are %d events behind", lag)
	}
	journaled := 0
	for entry, err := range s.Engine.Journal(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if k := entry.Event.Kind; k == hongbao.EnvelopeWon || k == hongbao.EnvelopeOpened {
			journaled++
		}
	}
	if want := 2 * 8 * times(25); journaled != want {
		t.Errorf("the journal has %d wins and openings; must be %d", journaled, want)
	}
	s.check()
}

// seen looks for an envelope at the top of the wallet.
func (s *scene) seen(c *hongbao.Campaign, uid uint64, won hongbao.SnatchResult, state hongbao.EnvelopeState, balanceFen int64, n int) {
	s.Helper()
	w, err := s.Engine.Wallet(s.Context(), hongbao.WalletRequest{UID: uid, Limit: 1})
	if err != nil || len(w.Envelopes) != 1 {
		s.Errorf("the wallet is %+v, %v", w, err)
		return
	}
	if e := w.Envelopes[0]; e.ID != won.Envelope || e.AmountFen != won.AmountFen || e.State != state || w.BalanceFen != balanceFen || w.More != (n > 1) {
		s.Errorf("the wallet is %+v; must have %+v, %s, and %d fen", w, won, state, balanceFen)
	}
	if taken := s.Engine.Progress(c.ID).Taken.Count; taken < uint64(n) {
		s.Errorf("after %d wins %d are taken", n, taken)
	}
}

// recording is a system event with the position that Record told, in short as journal has it, and when it was called and
// returned.
type recording struct {
	at              hongbao.Position
	event           string
	began, returned int64
}

// checkPositions reads the journal from each of its positions: what follows is the rest, no more and no less, whatever
// is appended meanwhile.
func checkPositions(t testing.TB, open Open) {
	s := newScene(t, open)
	c := s.rain(1000)
	var recorded [64]recording
	var clock atomic.Int64
	crowd(8, func(i int) {
		for n := range 8 {
			s.snatch(c, uint64(i), start)
			name := fmt.Sprintf("event-%d-%d", i, n)
			began := clock.Add(1)
			at, err := s.Engine.Record(t.Context(), hongbao.Event{At: start, Campaign: c.ID, Name: name, Actor: "enginetest", Data: []byte(name)}, nil)
			if err != nil {
				t.Errorf("record: %v", err)
			}
			recorded[8*i+n] = recording{at, name + " recorded 0 0", began, clock.Add(1)}
		}
	})
	s.sync()
	positions, events := s.journal("")
	s.checkRecorded(recorded[:], positions, events)
	for i, at := range positions {
		if slices.Contains(positions[i+1:], at) {
			t.Errorf("position %s comes twice", at)
		}
		if rest, texts := s.journal(at); !slices.Equal(rest, positions[i+1:]) || !slices.Equal(texts, events[i+1:]) {
			t.Errorf("after %s there are %d events; must be %d", at, len(rest), len(positions)-i-1)
		}
	}
	s.Engine = s.Restart(start)
	if after, _ := s.journal(""); !slices.Equal(after[:len(positions)], positions) {
		t.Error("a restart moved positions")
	}
	for _, err := range s.Engine.Journal(t.Context(), "made up") {
		if !errors.Is(err, hongbao.ErrInvalid) {
			t.Errorf("a made-up position is answered with %v", err)
		}
	}
	s.check()
}

// checkRecorded holds what Record told against the journal: the event is there. Where numbers are leased a position told is
// only one to go on from: without the event, with all that were recorded later.
func (s *scene) checkRecorded(recorded []recording, positions []hongbao.Position, events []string) {
	s.Helper()
	for _, r := range recorded {
		if !s.Leased {
			if i := slices.Index(positions, r.at); i < 0 || events[i] != r.event {
				s.Errorf("%s was told to be at %s; the journal has it elsewhere", r.event, r.at)
			}
			continue
		}
		_, rest := s.journal(r.at)
		for _, other := range recorded {
			if shown := slices.Contains(rest, other.event); shown && other == r || !shown && other.began > r.returned {
				s.Errorf("after %s, told for %s, the journal shows %s: %t", r.at, r.event, other.event, shown)
			}
		}
	}
}

// journal reads positions and, in short, events.
func (s *scene) journal(after hongbao.Position) (positions []hongbao.Position, events []string) {
	s.Helper()
	for entry, err := range s.Engine.Journal(s.Context(), after) {
		if err != nil {
			s.Fatalf("journal after %q: %v", after, err)
		}
		e := entry.Event
		positions = append(positions, entry.Position)
		events = append(events, fmt.Sprintf("%s %s %d %d", e.Name, e.Kind, e.UID, e.Envelope))
	}
	return positions, events
}

// checkPaging reads a wallet of many envelopes in pages of several lengths, before and after a restart.
func checkPaging(t testing.TB, open Open) {
	s := newScene(t, open)
	c := s.rain(1000)
	const envelopes = 620
	for n := range hongbao.Time(envelopes) {
		won := s.win(c, 7, start+n/3)
		if n%5 == 0 {
			s.open(7, won.Envelope, start)
		}
	}
	for range 2 {
		model := s.check()
		want := s.wallet(model, 7, hongbao.WalletLimitMax)
		if len(want.Envelopes) != envelopes || !slices.IsSortedFunc(want.Envelopes, newestFirst) {
			t.Fatalf("there are %d envelopes", len(want.Envelopes))
		}
		for limit := hongbao.WalletLimitMax; limit > 0; limit -= step(limit) {
			got := s.wallet(s.Engine, 7, limit)
			if got.BalanceFen != want.BalanceFen || !slices.Equal(got.Envelopes, want.Envelopes) {
				t.Errorf("in pages of %d the wallet is another", limit)
			}
		}
		if w, err := s.Engine.Wallet(t.Context(), hongbao.WalletRequest{UID: 8, Limit: 1}); err != nil || len(w.Envelopes) != 0 || w.More || w.BalanceFen != 0 {
			t.Errorf("the wallet of a player who never won is %+v, %v", w, err)
		}
		s.Engine = s.Restart(start + minute)
	}
}

// step goes through a few lengths of page from the largest to one; in the long form through all.
func step(limit int) int {
	if long() {
		return 1
	}
	return max(1, limit*9/10)
}

// checkBounds plays at the ends of every range.
func checkBounds(t testing.TB, open Open) {
	s := newScene(t, open)
	c := s.campaign(hongbao.Rain, 4, func(spec *hongbao.Spec) {
		highest := int64(hongbao.TotalFenMax)
		spec.Budget.TotalFen, spec.Budget.MaxFen = hongbao.TotalFenMax, &highest
	})
	key := func(fill byte) string { return string(slices.Repeat([]byte{fill}, hongbao.KeyBytesMax)) }
	for _, uid := range []uint64{0, hongbao.UIDMax} {
		for _, fill := range []byte{' ', '~'} {
			won := s.snatchBy(c, uid, key(fill), start)
			if opened, err := s.open(uid, won.Envelope, start); won.Status != hongbao.Won || err != nil || !opened.First {
				t.Errorf("player %d: %+v, opened as %+v, %v", uid, won, opened, err)
			}
		}
	}
	s.refused(hongbao.SoldOut, c, 0, start)
	huge := s.campaign(hongbao.Rain, 1<<32, func(spec *hongbao.Spec) { spec.Budget.TotalFen = hongbao.TotalFenMax })
	s.win(huge, hongbao.UIDMax, start)
	s.Engine = s.Restart(start)
	s.win(huge, 0, start)
	model := s.check()
	for _, uid := range []uint64{0, hongbao.UIDMax} {
		if w := s.wallet(s.Engine, uid, 2); len(w.Envelopes) != 3 {
			t.Errorf("player %d has %d envelopes", uid, len(w.Envelopes))
		}
	}
	if got := model.Progress(c.ID).Opened.TotalFen; got != hongbao.TotalFenMax {
		t.Errorf("%d fen were opened", got)
	}
}
