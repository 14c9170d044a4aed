package enginetest

import (
	"reflect"
	"testing"

	"hongbao"
)

// checkSameKey sends one key from many goroutines: one envelope, told to all. The same text from another player or for
// another campaign is another key. Keeps G7.
func checkSameKey(t testing.TB, open Open) {
	s := newScene(t, open)
	rounds := times(3)
	first, second := s.rain(uint64(3*rounds)), s.rain(uint64(rounds))
	for range rounds {
		key := s.key()
		var results [crowdSize]hongbao.SnatchResult
		crowd(crowdSize, func(i int) { results[i] = s.snatchBy(first, 7, key, start) })
		for _, result := range results {
			if result.Status != hongbao.Won || result.Envelope != results[0].Envelope || result.AmountFen != results[0].AmountFen || result.WonAt != results[0].WonAt {
				t.Errorf("one key is answered with %+v and %+v", results[0], result)
			}
		}
		others := []hongbao.SnatchResult{s.snatchBy(first, 8, key, start), s.snatchBy(second, 7, key, start), s.snatchBy(first, 7, key+" ", start)}
		for _, other := range others {
			if other.Status != hongbao.Won || other.Envelope == results[0].Envelope {
				t.Errorf("another key is answered with %+v", other)
			}
		}
	}
	if taken := s.Engine.Progress(first.ID).Taken.Count; taken != uint64(3*rounds) {
		t.Errorf("%d are taken", taken)
	}
	s.check()
}

// checkKeyKept asks again by a key that won, after everything that can happen to the campaign. Keeps G7.
func checkKeyKept(t testing.TB, open Open) {
	s := newScene(t, open)
	limit := 1
	c := s.campaign(hongbao.Rain, 2, func(spec *hongbao.Spec) { spec.WinsMax = &limit })
	key := s.key()
	want := s.snatchBy(c, 7, key, start)
	expires := want.ExpiresAt + hour
	on, off := true, false
	cases := []struct {
		name string
		do   func()
	}{
		{"nothing", func() {}},
		{"the limit was reached", func() { s.refused(hongbao.LimitReached, c, 7, start) }},
		{"it was sold out", func() { s.win(c, 8, start); s.refused(hongbao.SoldOut, c, 9, start) }},
		{"it was paused", func() { s.put(hongbao.Change{At: start, Campaign: c.ID, Revise: &hongbao.Patch{Paused: &on}}) }},
		{"a restart", func() { s.Engine = s.Restart(start) }},
		{"it went on", func() { s.put(hongbao.Change{At: start, Campaign: c.ID, Revise: &hongbao.Patch{Paused: &off}}) }},
		{"it was opened", func() { s.open(7, want.Envelope, start) }},
		{"it was cancelled", func() { s.put(hongbao.Change{At: start, Campaign: c.ID, Cancel: true}) }},
		{"the rest was refunded", func() { s.refund(expires, 100) }},
		{"a restart after all that", func() { s.Engine = s.Restart(expires) }},
	}
	for _, after := range cases {
		after.do()
		got := s.snatchBy(c, 7, key, start)
		if got.Wins == -1 || got.Wins == 1 {
			got.Wins, got.Rules, want.Rules = want.Wins, nil, nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("after %s the key is answered with %+v; must be %+v", after.name, got, want)
		}
		if again := s.replay(c, 7, key, start); !sameWin(again, want) {
			t.Errorf("after %s a replay is answered with %+v; must be %+v", after.name, again, want)
		}
	}
	s.refused(hongbao.Cancelled, c, 9, start)
	s.check()
}

// checkReplayOnly asks for replays where anybody could win: nothing is taken, whoever asks by whatever key; and the key
// that has won is answered as ever, also while it is winning. Keeps G7.
func checkReplayOnly(t testing.TB, open Open) {
	s := newScene(t, open)
	c, other := s.rain(100), s.rain(100)
	none := func(when string, taken uint64) {
		t.Helper()
		crowd(crowdSize, func(i int) {
			r := hongbao.SnatchRequest{Campaign: c.ID, UID: uint64(i), Key: s.key(), KeyIsNew: i%2 == 0, ReplayOnly: true, Now: start}
			if result, err := s.Engine.Snatch(t.Context(), r); err != nil || result.Status == hongbao.Won {
				t.Errorf("%s a replay of nothing is answered with %+v, %v", when, result, err)
			}
		})
		if got := s.Engine.Progress(c.ID).Taken.Count; got != taken {
			t.Errorf("%s %d are taken; must be %d", when, got, taken)
		}
	}
	none("before anything is won", 0)
	for round := range uint64(times(5)) {
		key := s.key()
		var results [crowdSize]hongbao.SnatchResult
		crowd(crowdSize, func(i int) {
			if i%4 == 0 {
				results[i] = s.snatchBy(c, 7, key, start)
			} else {
				results[i] = s.replay(c, 7, key, start)
			}
		})
		for i, result := range results {
			if missed := result.Status != hongbao.Won && i%4 != 0; !missed && !sameWin(result, results[0]) {
				t.Errorf("one key is answered with %+v, and a replay of it with %+v", results[0], result)
			}
		}
		if again := s.replay(c, 7, key, start); !sameWin(again, results[0]) {
			t.Errorf("a replay is answered with %+v; must be %+v", again, results[0])
		}
		for _, foreign := range []hongbao.SnatchResult{s.replay(c, 8, key, start), s.replay(other, 7, key, start), s.replay(c, 7, key+" ", start)} {
			if foreign.Status == hongbao.Won {
				t.Errorf("a replay of another's key is answered with %+v", foreign)
			}
		}
		none("after a win", round+1)
	}
	if result := s.ask(s.Engine, hongbao.SnatchRequest{Campaign: other.ID + 1, UID: 7, Key: "k", ReplayOnly: true, Now: start}); result.Status != hongbao.NotFound {
		t.Errorf("a replay in no campaign is answered with %+v", result)
	}
	s.check()
}

// replay asks for no more than what a key has won before.
func (s *scene) replay(c *hongbao.Campaign, uid uint64, key string, now hongbao.Time) hongbao.SnatchResult {
	return s.ask(s.Engine, hongbao.SnatchRequest{Campaign: c.ID, UID: uid, Key: key, ReplayOnly: true, Now: now})
}

// sameWin compares all that the receipt and the envelope of a win rest on.
func sameWin(got, want hongbao.SnatchResult) bool {
	return got.Status == hongbao.Won && got.Envelope == want.Envelope && got.AmountFen == want.AmountFen &&
		got.WonAt == want.WonAt && got.ExpiresAt == want.ExpiresAt
}
