package bench

import (
	"context"
	"time"

	"hongbao"
)

// Witness plays through a [Client] and writes what it hears into a [Told]. It may be used from any number of
// goroutines, for any players. Those players must be nobody else's.
type Witness struct {
	Client  *Client
	Told    *Told
	Tickets *Tickets // nil: none are sent
}

// Snatch asks for an envelope, with the player's ticket if there is one. With a key of the caller's the outcome can be
// learnt even where the answer is lost.
func (w Witness) Snatch(ask Snatch) Snatched {
	if ask.Ticket == "" {
		ask.Ticket = w.Tickets.Of(ask.UID, ask.Campaign)
	}
	b := w.Told.beforeSnatch(ask)
	answer := w.Client.Snatch(ask)
	w.Told.heardSnatch(ask, b, &answer)
	return answer
}

// Open asks to credit an envelope.
func (w Witness) Open(uid uint64, envelope hongbao.EnvelopeID) Opened {
	b := w.Told.beforeOpen(uid, envelope)
	answer := w.Client.Open(uid, envelope)
	w.Told.heardOpen(uid, envelope, b, &answer)
	return answer
}

// Wallet reads the first page of a wallet, of at most limit envelopes.
func (w Witness) Wallet(uid uint64, limit int) Wallet {
	b := w.Told.beforeWallet(uid)
	wallet := w.Client.Wallet(uid, limit, "")
	w.Told.heardWallet(uid, b, &wallet)
	return wallet
}

// SignUp signs a player up; it may be repeated, so that an unknown outcome needs no remembering.
func (w Witness) SignUp(uid uint64, campaign uint32) SignedUp {
	answer := w.Client.SignUp(uid, campaign)
	w.Told.heardSignUp(uid, campaign, &answer)
	return answer
}

// Settle asks again, with the same keys, all that stayed unknown, until everything is answered or ctx ends, and returns
// how many are left.
func (w Witness) Settle(ctx context.Context) (left int) {
	const pauseMax = time.Second
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, pauseMax) {
		left = w.settleOnce(ctx)
		if left == 0 || !sleep(ctx, pause) {
			return left
		}
	}
}

func (w Witness) settleOnce(ctx context.Context) (left int) {
	w.Told.mu.Lock()
	snatches, opens := w.Told.unknownRequests()
	w.Told.mu.Unlock()
	each(ctx, snatches, func(ask Snatch) { w.Snatch(ask) })
	each(ctx, opens, func(h *holding) { w.Open(h.uid, h.envelope) })
	left, _ = w.Told.Unknown()
	return left
}
