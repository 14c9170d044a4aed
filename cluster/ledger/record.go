package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"hongbao"
)

const selectRecorded = "SELECT seq, event FROM journal WHERE shard = ? AND seq > ? AND seq <= ? AND kind = ? ORDER BY seq"

// Recorded are the latest system events of each name in a shard's journal up to a sequence. It looks through all of it, for
// whoever makes a shard anew, which costs more in any case: an index would cost every win.
func (l *Ledger) Recorded(ctx context.Context, shard int, until uint64) (map[string]hongbao.Event, error) {
	return l.recorded(ctx, shard, until, window)
}

func (l *Ledger) recorded(ctx context.Context, shard int, until, step uint64) (map[string]hongbao.Event, error) {
	latest := map[string]hongbao.Event{}
	for from := uint64(0); from < until; from += step {
		err := each(ctx, l.db, func(rows *sql.Rows) error {
			var (
				seq uint64
				raw sql.RawBytes
				e   hongbao.Event
			)
			if err := rows.Scan(&seq, &raw); err != nil {
				return err
			}
			if err := hongbao.DecodeEvent(raw, &e); err != nil {
				return fmt.Errorf("shard %d, sequence %d: %w", shard, seq, err)
			}
			latest[e.Name] = e
			return nil
		}, selectRecorded, shard, from, min(from+step, until), hongbao.SystemRecorded)
		if err != nil {
			return nil, err
		}
	}
	return latest, nil
}
