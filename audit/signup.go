package audit

import "hongbao"

func (a *auditor) signedUp(c *campaign, e *hongbao.Event) {
	rules := &a.revisionOf(c, e).Rules
	switch {
	case c.Seal != nil:
		a.fail(checkOrder, "it was sealed at %s", c.Seal.At)
		return
	case rules.Signup == hongbao.SignupNone:
		a.fail(checkOrder, "the campaign has no sign-up")
	case rules.Signup == hongbao.SignupInvited && e.Actor == "":
		a.fail(checkOrder, "only an administrator signs players up for this campaign")
	}
	c.signedUp[a.players.index(e.UID)] = struct{}{}
}
