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
	}
	s.refused(hongbao.Cancelled, c, 9, start)
	s.check()
}
