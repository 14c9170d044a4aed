package embedded

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"hongbao"
)

// scanMax is the most envelopes that a wallet's page is sorted from; a player with more is read through the index of
// times.
const scanMax = 512

// Wallet reads a page of a player's wallet: what the views have, with what has happened since on top.
func (e *Engine) Wallet(_ context.Context, r hongbao.WalletRequest) (hongbao.Wallet, error) {
	changes, block := e.changes(r.UID)
	if err := e.durable(block); err != nil {
		return hongbao.Wallet{}, err
	}
	w, err := e.views.wallet(r.UID, 0, hongbao.EnvelopeID(1)<<63, scanMax)
	if err == nil && w.More {
		w, err = e.views.page(r, w.BalanceFen)
	}
	if err != nil {
		return hongbao.Wallet{}, err
	}
	for i := range changes {
		changes[i].apply(&w)
	}
	return cutPage(w, r), nil
}

// changes are a player's that the views may not have, and the block that telling of the player waits for. Whoever reads
// the views after this sees at least what was dropped from them before.
func (e *Engine) changes(uid uint64) ([]change, uint64) {
	s := e.players.of(uid)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.recent.of(uid, nil), s.players[uid].block
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

// newestFirst is the order of the wallet.
func newestFirst(a, b hongbao.Envelope) int {
	return cmp.Or(cmp.Compare(b.WonAt, a.WonAt), cmp.Compare(b.ID, a.ID))
}

// cutPage sorts, skips to the cursor, and cuts after the page's length.
func cutPage(w hongbao.Wallet, r hongbao.WalletRequest) hongbao.Wallet {
	slices.SortFunc(w.Envelopes, newestFirst)
	if r.After != (hongbao.Cursor{}) {
		last := hongbao.Envelope{ID: r.After.Envelope, WonAt: r.After.WonAt}
		from, found := slices.BinarySearchFunc(w.Envelopes, last, newestFirst)
		if found {
			from++
		}
		w.Envelopes = w.Envelopes[from:]
	}
	if w.More = w.More || len(w.Envelopes) > r.Limit; len(w.Envelopes) > r.Limit {
		w.Envelopes = w.Envelopes[:r.Limit]
	}
	return w
}

// page reads one page of a player with many envelopes through the index of times, newest first.
func (v *views) page(r hongbao.WalletRequest, balanceFen int64) (w hongbao.Wallet, err error) {
	w.BalanceFen = balanceFen
	var low, high [25]byte
	from, to := timeKey(low[:0], r.UID, 0, 0), timeKey(high[:0], r.UID, 1<<62, 0)
	if r.After != (hongbao.Cursor{}) {
		to = timeKey(high[:0], r.UID, r.After.WonAt, r.After.Envelope)
	}
	rows, err := v.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return w, fmt.Errorf("%w: read wallet: %w", hongbao.ErrBroken, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for ok := rows.Last(); ok; ok = rows.Prev() {
		if len(w.Envelopes) == r.Limit {
			w.More = true
			break
		}
		id := hongbao.EnvelopeID(binary.BigEndian.Uint64(rows.Key()[17:]))
		envelope, found, err := v.envelope(r.UID, id)
		if err != nil || !found {
			return w, errors.Join(errRow, err)
		}
		w.Envelopes = append(w.Envelopes, envelope)
	}
	return w, rows.Error()
}
