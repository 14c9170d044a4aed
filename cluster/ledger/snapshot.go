package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"

	"hongbao"
)

// Snapshot is the books as they were at one moment, read page by page on one connection. It must be closed, and is not
// to be used from two goroutines at once. Writers go on meanwhile; the server keeps what they overwrite, so hours are too
// long.
type Snapshot struct {
	conn  *sql.Conn
	marks []Mark
}

// Snapshot freezes the books as they are now.
func (l *Ledger) Snapshot(ctx context.Context) (*Snapshot, error) {
	conn, err := l.db.Conn(ctx)
	if err != nil {
		return nil, trouble(err)
	}
	s := &Snapshot{conn: conn}
	if err := s.begin(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Snapshot) begin(ctx context.Context) (err error) {
	for _, statement := range []string{
		"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
		"START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
	} {
		if _, err := s.conn.ExecContext(ctx, statement); err != nil {
			return trouble(err)
		}
	}
	s.marks, err = readMarks(ctx, s.conn)
	return err
}

// Marks are the watermarks by shard at that moment. The slice must not be changed.
func (s *Snapshot) Marks() []Mark { return s.marks }

// Close ends the snapshot and closes its connection.
func (s *Snapshot) Close() error {
	// Giving the connection back would need the transaction to end first, which may fail.
	_ = s.conn.Raw(func(any) error { return driver.ErrBadConn })
	return nil
}

const selectChain = "SELECT chain FROM journal WHERE shard = ? AND seq = ?"

// Hash is the head of a shard's hash chain when seq was its last event, as [Mark.Chain] told it then; zeros for 0.
// ErrNotFound when the journal has no such event.
func (l *Ledger) Hash(ctx context.Context, shard int, seq uint64) (chain [32]byte, err error) {
	return readChain(ctx, l.db, shard, seq)
}

func readChain(ctx context.Context, q querier, shard int, seq uint64) (chain [32]byte, err error) {
	if seq == 0 {
		return chain, nil
	}
	var b []byte
	found, err := one(ctx, q, []any{&b}, selectChain, shard, seq)
	if err == nil && !found {
		err = fmt.Errorf("%w: shard %d has no sequence %d in the journal", hongbao.ErrNotFound, shard, seq)
	}
	copy(chain[:], b)
	return chain, err
}
