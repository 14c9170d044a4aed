package enginetest

import (
	"testing"

	"hongbao"
)

// TestUnseenIsTrueOfWhoeverAsks goes through what an engine may tell without looking at the player, in a campaign of which
// player 7 has won all that the limit allows.
func TestUnseenIsTrueOfWhoeverAsks(t *testing.T) {
	h := newHistory(newScene(t, openShards(1)), newRandom(t))
	h.Engine = h.model
	limit, chance := 1, hongbao.Chance(1)
	change := func(spec *hongbao.Spec) { spec.WinsMax = &limit }
	left, soldOut := h.campaign(hongbao.Rain, 9, change), h.campaign(hongbao.Rain, 1, change)
	unlikely := h.campaign(hongbao.Rain, 9, func(spec *hongbao.Spec) {
		signup := hongbao.SignupOpen
		spec.Chance, spec.Signup = &chance, &signup
	})
	h.win(left, 7, start)
	h.win(soldOut, 7, start)
	h.put(hongbao.Change{At: start, Campaign: left.ID, Revise: &hongbao.Patch{Chance: &chance}}) // but it was certain
	cases := []struct {
		name     string
		campaign *hongbao.Campaign
		uid      uint64
		keyIsNew bool
		told     hongbao.Status
		wins     int
		want     bool
	}{
		{"sold out, in place of the limit", soldOut, 7, true, hongbao.SoldOut, -1, true},
		{"sold out, with wins", soldOut, 7, true, hongbao.SoldOut, 1, false},
		{"sold out, by a key that may have won", soldOut, 7, false, hongbao.SoldOut, -1, false},
		{"sold out, by a key that can't have won", soldOut, 8, false, hongbao.SoldOut, -1, true},
		{"missed, where it is sold out", soldOut, 8, true, hongbao.Missed, -1, false},
		{"sold out, while something is left", left, 7, true, hongbao.SoldOut, -1, false},
		{"closed, while it is open", left, 7, true, hongbao.Closed, -1, false},
		{"cancelled, while it is not", left, 7, true, hongbao.Cancelled, -1, false},
		{"missed, at the chance in force", left, 8, true, hongbao.Missed, -1, true},
		{"missed, in place of the limit, at the chance in force only", left, 7, true, hongbao.Missed, -1, false},
		{"missed, in place of signing up", unlikely, 7, true, hongbao.Missed, -1, true},
		{"the limit, without wins", left, 7, true, hongbao.LimitReached, -1, false},
		{"not signed up, without wins", unlikely, 7, true, hongbao.NotSignedUp, -1, false},
	}
	for _, c := range cases {
		r := hongbao.SnatchRequest{Campaign: c.campaign.ID, UID: c.uid, Key: h.key(), KeyIsNew: c.keyIsNew, Now: start}
		want, err := h.model.Snatch(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if may := h.unseen(r, hongbao.SnatchResult{Status: c.told, Wins: c.wins, Rules: want.Rules}, want); may != c.want {
			t.Errorf("%s: may be told %t; must be %t (the model tells %s)", c.name, may, c.want, want.Status)
		}
	}
}
