package ledger

import (
	"context"
	"database/sql"

	"hongbao"
)

// Finding is an event that contradicts the books (a conflict, never paid) or a limit (a flag, paid all the same).
type Finding struct {
	Shard    int
	Seq      uint64
	Envelope hongbao.EnvelopeID
	UID      uint64
	What     What
	At       hongbao.Time
}

// What says what a finding is about. The texts are stored and never change.
type What string

// What conflicts and flags are about.
const (
	SecondHolder      What = "second_holder" // a win of an envelope that was won before
	NotWon            What = "not_won"       // an opening or refund of an envelope that nobody won
	NotHolder         What = "not_holder"    // … that somebody else holds
	NotHeld           What = "not_held"      // … that was opened or refunded before
	OtherAmount       What = "other_amount"  // … that was won with another amount
	AboveWinsMax      What = "above_wins_max"
	AboveDailyWinsMax What = "above_daily_wins_max"
)

// Conflicts counts the events that contradict the books. Anything but 0 is a violated guarantee.
func (l *Ledger) Conflicts(ctx context.Context) (uint64, error) { return l.count(ctx, "conflict") }

// Flags counts the wins above a limit.
func (l *Ledger) Flags(ctx context.Context) (uint64, error) { return l.count(ctx, "flag") }

func (l *Ledger) count(ctx context.Context, table string) (n uint64, err error) {
	_, err = one(ctx, l.db, []any{&n}, "SELECT COUNT(*) FROM "+table)
	return n, err
}

// ConflictList lists conflicts by time, shard and sequence, at most limit.
func (l *Ledger) ConflictList(ctx context.Context, limit int) ([]Finding, error) {
	return l.findings(ctx, "conflict", limit)
}

// FlagList lists wins above a limit by time, shard and sequence, at most limit.
func (l *Ledger) FlagList(ctx context.Context, limit int) ([]Finding, error) {
	return l.findings(ctx, "flag", limit)
}

func (l *Ledger) findings(ctx context.Context, table string, limit int) (all []Finding, err error) {
	err = each(ctx, l.db, func(rows *sql.Rows) error {
		var f Finding
		err := rows.Scan(&f.Shard, &f.Seq, &f.Envelope, &f.UID, &f.What, &f.At)
		all = append(all, f)
		return err
	}, "SELECT shard, seq, envelope, uid, what, at FROM "+table+" ORDER BY at, shard, seq LIMIT ?", limit)
	return all, err
}
