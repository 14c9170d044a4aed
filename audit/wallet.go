package audit

import (
	"context"
	"fmt"

	"hongbao"
)

// balance closes the books: what is held, counted envelope by envelope, makes up each campaign's budget with the rest,
// and what players have makes up what was opened. Checks G6.
func (a *auditor) balance() {
	var openedFen, balancesFen int64
	for _, c := range a.campaigns {
		if c == nil {
			continue
		}
		openedFen += c.opened.TotalFen
		totals := c.totals()
		if counted := c.countHeld(); counted != totals.Held {
			a.note(checkG6, fmt.Sprintf("campaign %d: %+v is held, and budget less not taken, opened and refunded is %+v", c.ID, counted, totals.Held))
		}
	}
	for _, part := range a.players.all.parts {
		for i := range part {
			balancesFen += part[i].balanceFen
		}
	}
	if openedFen != balancesFen {
		a.note(checkG6, fmt.Sprintf("%d fen were opened, and the players' balances sum to %d", openedFen, balancesFen))
	}
}

func (c *campaign) countHeld() (held hongbao.Tally) {
	for _, part := range c.envelopes.parts {
		for i := range part {
			if e := &part[i]; e.won && e.state == hongbao.StateHeld {
				held.Add(e.amountFen)
			}
		}
	}
	return held
}

// compareEmpty returns the position at which the books are to be compared, which is now when they are empty.
func (a *auditor) compareEmpty(ctx context.Context) (hongbao.Position, error) {
	if a.options.Books == nil {
		return "", nil
	}
	at := a.options.Books.Position()
	if at == "" {
		return at, a.compare(ctx)
	}
	return at, nil
}

// compare holds every wallet of the books against the journal so far, and the journal against them.
func (a *auditor) compare(ctx context.Context) error {
	a.compared = true
	var from uint64
	err := a.options.Books.Wallets(ctx, func(uid uint64, w *hongbao.Wallet) error {
		if uid < from {
			a.differ(uid, "comes after a higher uid")
		}
		from = uid + 1
		a.compareWallet(uid, w)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the books: %w", err)
	}
	a.findMissing()
	return nil
}

func (a *auditor) compareWallet(uid uint64, w *hongbao.Wallet) {
	var balanceFen int64
	if p := a.players.known(uid); p != nil {
		balanceFen = p.balanceFen
	}
	if w.BalanceFen != balanceFen {
		a.differ(uid, "has a balance of %d fen, by the journal %d", w.BalanceFen, balanceFen)
	}
	var from hongbao.EnvelopeID
	for i := range w.Envelopes {
		row := &w.Envelopes[i]
		if row.ID < from {
			a.differ(uid, "has envelope %d after a higher one", row.ID)
		}
		from = row.ID + 1
		a.compareRow(uid, row)
	}
}

// compareRow holds one envelope of a wallet against the journal.
func (a *auditor) compareRow(uid uint64, row *hongbao.Envelope) {
	found := a.envelope(row.ID)
	if found == nil || a.players.at(found.holder).uid != uid {
		a.differ(uid, "has envelope %d, which the player did not win", row.ID)
		return
	}
	found.inBooks = true
	imprint := a.imprint(row.Key, row.WonAt, row.ExpiresAt)
	if row.State != hongbao.StateHeld {
		imprint = closedImprint(imprint, row.ClosedAt)
	}
	switch {
	case row.State != found.state:
		a.differ(uid, "has envelope %d as %s, by the journal it is %s", row.ID, row.State, found.state)
	case row.AmountFen != found.amountFen:
		a.differ(uid, "has envelope %d with %d fen, by the journal %d", row.ID, row.AmountFen, found.amountFen)
	case imprint != found.imprint:
		a.differ(uid, "has envelope %d with another key or other times than the journal", row.ID)
	}
}

// envelope is an envelope that was won, or nil.
func (a *auditor) envelope(id hongbao.EnvelopeID) *envelope {
	c := a.campaign(id.Campaign())
	if c == nil {
		return nil
	}
	if found := c.envelopes.at(id.Number()); found != nil && found.won {
		return found
	}
	return nil
}

// findMissing looks for envelopes that no wallet of the books had.
func (a *auditor) findMissing() {
	for _, c := range a.campaigns {
		if c == nil {
			continue
		}
		for number := range c.envelopes.count {
			if e := c.envelopes.at(number); e != nil && e.won && !e.inBooks {
				a.differ(a.players.at(e.holder).uid, "lacks envelope %d", hongbao.NewEnvelopeID(c.ID, number))
			}
		}
	}
}

// differ counts a difference between the books and the journal.
func (a *auditor) differ(uid uint64, format string, args ...any) {
	a.note(checkBooks, fmt.Sprintf("position %s, uid %d: the wallet ", a.position, uid)+fmt.Sprintf(format, args...))
}
