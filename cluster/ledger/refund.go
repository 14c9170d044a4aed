package ledger

import (
	"context"
	"database/sql"

	"hongbao"
)

// Held is an envelope that is neither opened nor refunded.
type Held struct {
	ID        hongbao.EnvelopeID
	UID       uint64
	AmountFen int64
}

// window is how many numbers of a campaign one statement looks at, so that each ends soon however many there are.
const window = 200_000

const selectExpired = "SELECT id, uid, amount_fen FROM envelope WHERE id > ? AND id <= ? AND state = 0 AND expires_at <= ? ORDER BY id LIMIT ?"

// Expired lists held envelopes of a campaign with expires_at up to expiresUntil, by ascending id from above after (0: from the
// first), at most limit. Fewer than limit means that there are no more.
func (l *Ledger) Expired(ctx context.Context, campaign uint32, after hongbao.EnvelopeID, expiresUntil hongbao.Time, limit int) ([]Held, error) {
	var all []Held
	first, last, err := bounds(ctx, l.db, campaign, after)
	for ; err == nil && first <= last && len(all) < limit; first += window {
		err = each(ctx, l.db, func(rows *sql.Rows) error {
			var h Held
			err := rows.Scan(&h.ID, &h.UID, &h.AmountFen)
			all = append(all, h)
			return err
		}, selectExpired, first-1, min(first+window-1, last), expiresUntil, limit-len(all))
	}
	return all, err
}

const selectBounds = "SELECT COALESCE(MIN(id), 1), COALESCE(MAX(id), 0) FROM envelope WHERE id > ? AND id <= ?"

// bounds are the first and the last envelope of a campaign above after; first > last when there is none.
func bounds(ctx context.Context, q querier, campaign uint32, after hongbao.EnvelopeID) (first, last uint64, err error) {
	above := max(uint64(after), uint64(hongbao.NewEnvelopeID(campaign, 0))-1)
	_, err = one(ctx, q, []any{&first, &last}, selectBounds, above, uint64(hongbao.NewEnvelopeID(campaign+1, 0))-1)
	return first, last, err
}
