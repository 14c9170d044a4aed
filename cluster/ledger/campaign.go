package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"hongbao"
)

const selectCampaignEvents = "SELECT c.campaign, c.shard, c.seq, j.event FROM campaign_event c " +
	"LEFT JOIN journal j ON j.shard = c.shard AND j.seq = c.seq ORDER BY c.campaign, c.shard, c.seq"

// CampaignEvents are what made all campaigns: created, revised, sealed, by campaign and in order.
func (l *Ledger) CampaignEvents(ctx context.Context) ([]hongbao.Event, error) {
	var all []hongbao.Event
	err := each(ctx, l.db, func(rows *sql.Rows) error {
		var (
			campaign uint32
			shard    int
			seq      uint64
			raw      sql.RawBytes
			e        hongbao.Event
		)
		if err := rows.Scan(&campaign, &shard, &seq, &raw); err != nil {
			return err
		}
		if err := hongbao.DecodeEvent(raw, &e); err != nil || e.Campaign != campaign {
			return fmt.Errorf("%w: shard %d, sequence %d is not an event of campaign %d: %w", hongbao.ErrBroken, shard, seq, campaign, err)
		}
		all = append(all, e)
		return nil
	}, selectCampaignEvents)
	return all, err
}

const selectProgress = "SELECT state, COUNT(*), SUM(amount_fen) FROM envelope WHERE id >= ? AND id <= ? GROUP BY state"

// Progress counts how far a campaign has come in the books, envelope by envelope: a second or so for a million. It is zero
// for one that does not exist.
func (l *Ledger) Progress(ctx context.Context, campaign uint32) (p hongbao.Progress, err error) {
	err = l.transact(ctx, true, func(tx *sql.Tx) error {
		first, last, err := bounds(ctx, tx, campaign, 0)
		for ; err == nil && first <= last; first += window {
			err = each(ctx, tx, func(rows *sql.Rows) error { return scanProgress(rows, &p) },
				selectProgress, first, min(first+window-1, last))
		}
		if err != nil {
			return err
		}
		_, err = one(ctx, tx, []any{&p.SignedUp}, "SELECT COUNT(*) FROM signup WHERE campaign = ?", campaign)
		return err
	})
	return p, err
}

func scanProgress(rows *sql.Rows, p *hongbao.Progress) error {
	var state hongbao.EnvelopeState
	var t hongbao.Tally
	if err := rows.Scan(&state, &t.Count, &t.TotalFen); err != nil {
		return err
	}
	plus(&p.Taken, t)
	switch state {
	case hongbao.StateOpened:
		plus(&p.Opened, t)
	case hongbao.StateRefunded:
		plus(&p.Refunded, t)
	}
	return nil
}

func plus(sum *hongbao.Tally, t hongbao.Tally) {
	sum.Count += t.Count
	sum.TotalFen += t.TotalFen
}

const raiseBankMark = "INSERT INTO bank_mark (campaign, mark) VALUES (?, ?) ON DUPLICATE KEY UPDATE mark = GREATEST(mark, VALUES(mark))"

// RaiseBankMark records that the bank of a campaign may lease numbers below mark. A lower one changes nothing, and it may
// be repeated.
func (l *Ledger) RaiseBankMark(ctx context.Context, campaign uint32, mark uint64) error {
	_, err := l.run(ctx, raiseBankMark, campaign, mark)
	return err
}

// BankMarks are the marks of all campaigns that have one.
func (l *Ledger) BankMarks(ctx context.Context) (map[uint32]uint64, error) {
	marks := map[uint32]uint64{}
	err := each(ctx, l.db, func(rows *sql.Rows) error {
		var campaign uint32
		var mark uint64
		err := rows.Scan(&campaign, &mark)
		marks[campaign] = mark
		return err
	}, "SELECT campaign, mark FROM bank_mark")
	return marks, err
}
