package embedded

import (
	"context"
	"slices"

	"hongbao"
)

// Wallet reads a page of a player's wallet: what the views have, with what has happened since on top. It reads all of
// the player's envelopes and sorts them, at half a microsecond each: an index in the order of time would cost every win
// more than it would ever save here.
func (e *Engine) Wallet(_ context.Context, r hongbao.WalletRequest) (hongbao.Wallet, error) {
	changes, block := e.changes(r.UID)
	if err := e.durable(block); err != nil {
		return hongbao.Wallet{}, err
	}
	w, err := e.views.wallet(r.UID, 0, hongbao.NewEnvelopeID(hongbao.CampaignMax+1, 0))
	if err != nil {
		return hongbao.Wallet{}, err
	}
	for i := range changes {
		changes[i].apply(&w)
	}
	return w.Page(r), nil
}

// changes are a player's that the views may not have, and the block that telling of the player waits for. Whoever reads
// the views after this sees at least what was dropped from them before.
func (e *Engine) changes(uid uint64) ([]change, uint64) {
	s := e.players.of(uid)
	s.mu.Lock()
	defer s.mu.Unlock()
	block := s.players[uid].block
	if block <= e.applied.Load() {
		return nil, 0
	}
	return s.recent.of(uid), block
}

// apply folds a change into a wallet that may have it, or a later one, already.
func (c *change) apply(w *hongbao.Wallet) {
	w.BalanceFen = max(w.BalanceFen, c.balance)
	i := slices.IndexFunc(w.Envelopes, func(e hongbao.Envelope) bool { return e.ID == c.envelope.ID })
	switch won := c.envelope.WonAt != 0; {
	case i < 0 && won:
		w.Envelopes = append(w.Envelopes, c.envelope)
	case i >= 0 && !won:
		w.Envelopes[i].State, w.Envelopes[i].ClosedAt = c.envelope.State, c.envelope.ClosedAt
	}
}
