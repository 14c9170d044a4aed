package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"hongbao"
)

// ShardsMax is the largest number of shards.
const ShardsMax = 4096

// Setup is what the first process decided for good, and the incarnation that reconcile raises.
type Setup struct {
	Shards      int    // 1..ShardsMax
	Timezone    string // IANA name, at most 64 bytes
	Secret      hongbao.Secret
	Complete    bool // the shard records exist in Redis: from now on a missing one waits for reconcile
	Incarnation uint64
}

const selectSetup = "SELECT shards, timezone, secret, complete, incarnation FROM setup WHERE id = 1"

// Setup reads what was decided; found is false before [Ledger.Begin].
func (l *Ledger) Setup(ctx context.Context) (s Setup, found bool, err error) {
	var secret []byte
	found, err = one(ctx, l.db, []any{&s.Shards, &s.Timezone, &secret, &s.Complete, &s.Incarnation}, selectSetup)
	if found && err == nil && copy(s.Secret[:], secret) != len(s.Secret) {
		return s, true, fmt.Errorf("%w: the ledger's secret has %d bytes", hongbao.ErrBroken, len(secret))
	}
	return s, found, err
}

const insertSetup = "INSERT INTO setup (id, shards, timezone, secret, complete, incarnation, epoch) VALUES (1, ?, ?, ?, ?, ?, 0)"

// Begin records the setup and makes the watermarks of all shards: epoch 0, sequence 0, offset 0. Errors: ErrBroken when
// there is a setup or a journal already, ErrBusy when another process begins at the same time.
func (l *Ledger) Begin(ctx context.Context, s Setup) error {
	if s.Shards < 1 || s.Shards > ShardsMax {
		return hongbao.Invalid("shards", s.Shards, fmt.Sprintf("from 1 to %d", ShardsMax))
	}
	return l.transact(ctx, false, func(tx *sql.Tx) error {
		var used int
		const query = "SELECT (SELECT COUNT(*) FROM setup) + (SELECT COUNT(*) FROM shard) + EXISTS (SELECT 1 FROM journal)"
		if _, err := one(ctx, tx, []any{&used}, query); err != nil {
			return err
		}
		if used > 0 {
			return fmt.Errorf("%w: the ledger is in use: it can't begin anew", hongbao.ErrBroken)
		}
		_, err := tx.ExecContext(ctx, insertSetup, s.Shards, s.Timezone, s.Secret[:], s.Complete, s.Incarnation)
		if number(err) == errDuplicate {
			return fmt.Errorf("%w: another process has begun", hongbao.ErrBusy)
		}
		if err != nil {
			return trouble(err)
		}
		return beginShards(ctx, tx, s.Shards)
	})
}

func beginShards(ctx context.Context, tx *sql.Tx, shards int) error {
	w := writer{ctx, tx}
	_, err := w.insert("INSERT INTO shard (shard, epoch, seq, next_offset, at, chain) VALUES ", "", shards, func(r *row, i int) {
		r.int(int64(i)).int(0).int(0).int(0).int(0).bytes(make([]byte, 32))
	})
	return trouble(err)
}

// Complete records that the shard records exist in Redis. It may be repeated.
func (l *Ledger) Complete(ctx context.Context) error {
	result, err := l.run(ctx, "UPDATE setup SET complete = 1 WHERE id = 1")
	return begun(result, err)
}

// NextEpoch raises the counter of epochs and returns it: 1, 2, 3 …, never the same twice, to nobody. After ErrUnknown a
// number may be lost, and that is fine.
func (l *Ledger) NextEpoch(ctx context.Context) (uint64, error) {
	return l.raise(ctx, "UPDATE setup SET epoch = LAST_INSERT_ID(epoch + 1) WHERE id = 1")
}

// NextIncarnation raises the incarnation and returns it.
func (l *Ledger) NextIncarnation(ctx context.Context) (uint64, error) {
	return l.raise(ctx, "UPDATE setup SET incarnation = LAST_INSERT_ID(incarnation + 1) WHERE id = 1")
}

// raise runs an UPDATE that leaves the new number in LAST_INSERT_ID: the reply to the same statement carries it.
func (l *Ledger) raise(ctx context.Context, update string) (uint64, error) {
	result, err := l.run(ctx, update)
	if err := begun(result, err); err != nil {
		return 0, err
	}
	id, err := result.LastInsertId()
	return uint64(id), err
}

// begun is an error when an update of the setup found none.
func begun(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return fmt.Errorf("%w: the ledger has no setup yet", hongbao.ErrBusy)
	}
	return nil
}
