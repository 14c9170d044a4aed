package ledger

import (
	"context"
	"database/sql"
	"encoding/hex"
	"strconv"
)

// Bounds of one statement.
const (
	rowsMax      = 1000    // of an INSERT
	unionMax     = 500     // of a UNION ALL, which costs the parser more
	statementMax = 1 << 20 // bytes after which it ends, well below max_allowed_packet
)

// writer executes statements of many rows in a transaction. It writes them as text with every value in it: no value is
// boxed, and bytes are hexadecimal, so that there is nothing to escape.
type writer struct {
	ctx context.Context
	tx  *sql.Tx
}

// insert executes head (…),(…),… tail for n rows and returns how many rows were affected.
func (w writer) insert(head, tail string, n int, write func(r *row, i int)) (int64, error) {
	return w.chunks(head, tail, n, form{"(", ")", ",", rowsMax}, write)
}

// update executes head SELECT … UNION ALL SELECT … tail for n rows and returns how many rows were matched.
func (w writer) update(head, tail string, n int, write func(r *row, i int)) (int64, error) {
	return w.chunks(head, tail, n, form{"SELECT ", "", " UNION ALL ", unionMax}, write)
}

// form is how a statement writes rows.
type form struct {
	open, end, between string
	rows               int
}

func (w writer) chunks(head, tail string, n int, f form, write func(r *row, i int)) (affected int64, err error) {
	var r row
	rows := 0
	for i := range n {
		if rows == 0 {
			r = append(r[:0], head...)
		} else {
			r = append(r, f.between...)
		}
		r = append(r, f.open...)
		write(&r, i)
		r = append(r[:len(r)-1], f.end...) // the last value's comma goes
		if rows++; rows < f.rows && len(r) < statementMax && i < n-1 {
			continue
		}
		result, err := w.tx.ExecContext(w.ctx, string(append(r, tail...)))
		if err != nil {
			return affected, err
		}
		some, err := result.RowsAffected()
		if err != nil {
			return affected, err
		}
		affected, rows = affected+some, 0
	}
	return affected, nil
}

// row is a statement in the making. Each value is followed by a comma.
type row []byte

func (r *row) uint(v uint64) *row {
	*r = append(strconv.AppendUint(*r, v, 10), ',')
	return r
}

func (r *row) int(v int64) *row {
	*r = append(strconv.AppendInt(*r, v, 10), ',')
	return r
}

func (r *row) bytes(v []byte) *row {
	*r = append(*r, "X'"...)
	*r = append(hex.AppendEncode(*r, v), "',"...)
	return r
}
