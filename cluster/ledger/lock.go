package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"time"

	"hongbao"
)

// Lock is a lock by name among all processes that use the database. It lives as long as its connection: when that is
// lost, the server gives the lock to others, and only [Lock.Check] tells.
type Lock struct {
	conn *sql.Conn
	name string
}

const (
	nameBytesMax = 64 // of a lock, in MySQL
	lockSlice    = 1  // seconds that one attempt of LockWait waits in the server
	releaseTime  = 5 * time.Second
)

// Lock takes the lock of that name, on a connection of its own, if nobody has it. Otherwise it is ErrBusy.
func (l *Ledger) Lock(ctx context.Context, name string) (*Lock, error) {
	k, err := l.newLock(ctx, name)
	if err != nil {
		return nil, err
	}
	switch ok, err := k.try(ctx, 0); {
	case err != nil:
		k.Release()
		return nil, err
	case !ok:
		k.Release()
		return nil, fmt.Errorf("%w: another process holds the lock %s", hongbao.ErrBusy, name)
	}
	return k, nil
}

// LockWait takes the lock of that name as soon as nobody has it, or returns ErrBusy when ctx ends.
func (l *Ledger) LockWait(ctx context.Context, name string) (*Lock, error) {
	k, err := l.newLock(ctx, name)
	if err != nil {
		return nil, err
	}
	for {
		switch ok, err := k.try(ctx, lockSlice); {
		case err != nil:
			k.Release()
			return nil, err
		case ok:
			return k, nil
		}
	}
}

// Locked reports whether anybody has the lock of that name.
func (l *Ledger) Locked(ctx context.Context, name string) (held bool, err error) {
	_, err = one(ctx, l.db, []any{&held}, "SELECT IS_USED_LOCK(?) IS NOT NULL", lockName(l.database, name))
	return held, err
}

func (l *Ledger) newLock(ctx context.Context, name string) (*Lock, error) {
	conn, err := l.locks.Conn(ctx)
	if err != nil {
		return nil, trouble(err)
	}
	return &Lock{conn, lockName(l.database, name)}, nil
}

// lockName is the server's name of a lock: names are shared by all databases of a server.
func lockName(database, name string) string {
	full := "hongbao." + database + "." + name
	if len(full) <= nameBytesMax {
		return full
	}
	hash := sha256.Sum256([]byte(full))
	return "hongbao." + hex.EncodeToString(hash[:24])
}

// try asks for the lock for some seconds. The server answers 1, 0 for too late, or NULL for an error.
func (k *Lock) try(ctx context.Context, seconds int) (ok bool, err error) {
	var got sql.NullInt64
	if _, err := one(ctx, k.conn, []any{&got}, "SELECT GET_LOCK(?, ?)", k.name, seconds); err != nil {
		return false, err
	}
	if !got.Valid {
		return false, fmt.Errorf("%w: MySQL: GET_LOCK(%s) failed", hongbao.ErrBusy, k.name)
	}
	return got.Int64 == 1, nil
}

// Check returns nil while the lock is held, and ErrBusy once it is lost: then another process may have it already.
func (k *Lock) Check(ctx context.Context) error {
	var held bool
	if _, err := one(ctx, k.conn, []any{&held}, "SELECT COALESCE(IS_USED_LOCK(?) = CONNECTION_ID(), 0)", k.name); err != nil {
		return fmt.Errorf("the lock %s is lost: %w", k.name, err)
	}
	if !held {
		return fmt.Errorf("%w: the lock %s is lost", hongbao.ErrBusy, k.name)
	}
	return nil
}

// Release gives the lock back and closes its connection. It may be called again.
func (k *Lock) Release() {
	ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
	defer cancel()
	var released sql.NullInt64
	// When this fails, closing the connection releases the lock a moment later.
	_, _ = one(ctx, k.conn, []any{&released}, "SELECT RELEASE_LOCK(?)", k.name)
	_ = k.conn.Close()
}
