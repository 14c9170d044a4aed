package bench

import (
	"slices"

	"hongbao"
)

// heardSignUp writes down the answer to a sign-up.
func (t *Told) heardSignUp(uid uint64, campaign uint32, answer *SignedUp) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tick++
	switch {
	case answer.Outcome == Refused, answer.Outcome == Wrong:
		t.outside(uid, "a sign-up", answer.Result)
	case answer.Outcome == Answered && answer.Status == hongbao.SignedUp:
		p := t.player(uid)
		if !slices.Contains(p.signedUp, campaign) {
			p.signedUp = append(p.signedUp, campaign)
			t.counts.SignUps++
		}
	}
}
