package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"hongbao"
)

// One row for each envelope of the page, or a single one without an envelope. One statement sees one state of the books.
const selectWallet = "SELECT s.at, COALESCE(w.balance_fen, 0), e.id, e.state, e.amount_fen, e.won_at, e.expires_at, e.closed_at, e.`key` " +
	"FROM shard s LEFT JOIN wallet w ON w.uid = ? LEFT JOIN (" +
	"SELECT id, state, amount_fen, won_at, expires_at, closed_at, `key` FROM envelope " +
	"WHERE uid = ? AND won_at <= ? AND (won_at < ? OR id < ?) ORDER BY won_at DESC, id DESC LIMIT ?" +
	") e ON TRUE WHERE s.shard = ? ORDER BY e.won_at DESC, e.id DESC"

// Wallet reads a page of a player's wallet, newest first; a player that nobody knows has an empty one. asOf is the time
// of the last event of the player's shard in the books, which the wallet includes; 0 when there is none.
func (l *Ledger) Wallet(ctx context.Context, shard int, r hongbao.WalletRequest) (w hongbao.Wallet, asOf hongbao.Time, err error) {
	after := r.After
	if after == (hongbao.Cursor{}) {
		after = hongbao.Cursor{WonAt: math.MaxInt64, Envelope: math.MaxUint64}
	}
	found := false
	err = each(ctx, l.db, func(rows *sql.Rows) error {
		found = true
		return scanWallet(rows, &w, &asOf)
	}, selectWallet, r.UID, r.UID, after.WonAt, after.WonAt, uint64(after.Envelope), r.Limit+1, shard)
	if err == nil && !found {
		err = fmt.Errorf("%w: the ledger has no watermark of shard %d", hongbao.ErrBusy, shard)
	}
	if err != nil {
		return hongbao.Wallet{}, 0, err
	}
	if w.More = len(w.Envelopes) > r.Limit; w.More {
		w.Envelopes = w.Envelopes[:r.Limit]
	}
	return w, asOf, nil
}

func scanWallet(rows *sql.Rows, w *hongbao.Wallet, asOf *hongbao.Time) error {
	var id, state, amountFen, wonAt, expiresAt, closedAt sql.NullInt64
	var key sql.NullString
	err := rows.Scan(asOf, &w.BalanceFen, &id, &state, &amountFen, &wonAt, &expiresAt, &closedAt, &key)
	if err != nil || !id.Valid {
		return err
	}
	w.Envelopes = append(w.Envelopes, hongbao.Envelope{
		ID: hongbao.EnvelopeID(id.Int64), State: hongbao.EnvelopeState(state.Int64), AmountFen: amountFen.Int64,
		WonAt: hongbao.Time(wonAt.Int64), ExpiresAt: hongbao.Time(expiresAt.Int64), ClosedAt: hongbao.Time(closedAt.Int64), Key: key.String,
	})
	return nil
}
