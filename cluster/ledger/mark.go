package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"hongbao"
)

// Mark is a shard's watermark: the last event in the books.
type Mark struct {
	Shard  int
	Epoch  uint64 // of the last event, or the one that the shard was fenced with since
	Seq    uint64 // of the last event; 0: none
	Offset int64  // the Kafka offset to read next
	At     hongbao.Time
	Chain  [32]byte // head of the shard's hash chain
}

const selectMarks = "SELECT shard, epoch, seq, next_offset, at, chain FROM shard"

// Marks are the watermarks by shard; empty before [Ledger.Begin].
func (l *Ledger) Marks(ctx context.Context) ([]Mark, error) { return readMarks(ctx, l.db) }

func readMarks(ctx context.Context, q querier) ([]Mark, error) {
	var marks []Mark
	err := each(ctx, q, func(rows *sql.Rows) error {
		var m Mark
		if err := m.scan(rows); err != nil {
			return err
		}
		if m.Shard != len(marks) {
			return fmt.Errorf("%w: the ledger has no watermark of shard %d", hongbao.ErrBroken, len(marks))
		}
		marks = append(marks, m)
		return nil
	}, selectMarks+" ORDER BY shard")
	return marks, err
}

func (m *Mark) scan(rows *sql.Rows) error {
	var chain sql.RawBytes
	err := rows.Scan(&m.Shard, &m.Epoch, &m.Seq, &m.Offset, &m.At, &chain)
	copy(m.Chain[:], chain)
	return err
}

// Fence ends all epochs of a shard below one: whatever of them is not in the books yet never gets there. A shard that is
// made anew from the books goes on from them, so that what somebody may still send of its lost past would contradict it.
func (l *Ledger) Fence(ctx context.Context, shard int, epoch uint64) error {
	_, err := l.run(ctx, "UPDATE shard SET epoch = GREATEST(epoch, ?) WHERE shard = ?", epoch, shard)
	return err
}
