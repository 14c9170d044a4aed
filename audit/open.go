package audit

import (
	"time"

	"hongbao"
)

// refundAfter is how long after its expiry an envelope is refunded at the earliest.
const refundAfter = hongbao.Duration(5 * time.Second)

// opened credits an envelope. Checks G5 and, for the player, G6.
func (a *auditor) opened(c *campaign, e *hongbao.Event) {
	held := a.held(c, e)
	if held == nil {
		return
	}
	if expiry := c.expiry(held); e.At >= expiry {
		a.fail(checkG5, "it expired at %s", expiry)
	}
	held.close(hongbao.StateOpened, e.At)
	c.opened.Add(held.amountFen)
	p := a.players.at(held.holder)
	p.balanceFen += held.amountFen
	if e.BalanceFen != p.balanceFen {
		a.fail(checkG6, "the player's balance is %d fen with it, and it says %d", p.balanceFen, e.BalanceFen)
		p.balanceFen = e.BalanceFen
	}
}

// refunded takes an envelope back. Checks G5.
func (a *auditor) refunded(c *campaign, e *hongbao.Event) {
	held := a.held(c, e)
	if held == nil {
		return
	}
	if due := c.expiry(held).Add(refundAfter); e.At < due {
		a.fail(checkG5, "it may be refunded from %s", due)
	}
	held.close(hongbao.StateRefunded, e.At)
	c.refunded.Add(held.amountFen)
}

// held is the envelope that the event closes, or nil when the player does not hold it unopened. Checks G5.
func (a *auditor) held(c *campaign, e *hongbao.Event) *envelope {
	if e.Revision < 1 || e.Revision > c.Revision() {
		a.fail(checkOrder, "it says that revision %d is in force, and %d is", e.Revision, c.Revision())
	}
	found := c.envelopes.at(e.Envelope.Number())
	switch {
	case found == nil || !found.won:
		a.fail(checkG5, "nobody has won it")
		return nil
	case a.players.at(found.holder).uid != e.UID:
		a.fail(checkG5, "uid %d holds it", a.players.at(found.holder).uid)
		return nil
	case found.state != hongbao.StateHeld:
		a.fail(checkG5, "it is %s already", found.state)
		return nil
	case found.amountFen != e.AmountFen:
		a.fail(checkG5, "it was won with %d fen, and %d is said", found.amountFen, e.AmountFen)
	}
	return found
}

// expiry is when the envelope can no longer be opened, as far as the journal goes.
func (c *campaign) expiry(e *envelope) hongbao.Time {
	return c.Expiry(c.Revisions[e.revision-1].Rules.ExpiresAt())
}

func (e *envelope) close(state hongbao.EnvelopeState, at hongbao.Time) {
	e.state, e.imprint = state, closedImprint(e.imprint, at)
}
