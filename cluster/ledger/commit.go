package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"hongbao"
)

// The statements that a batch is written with, in this order. Each is a head, rows, and a tail.
const (
	// Moves the watermarks of the shards that consumed something, each only from where this batch found it.
	updateMarks = "UPDATE (SELECT 0 AS shard, 0 AS begun, 0 AS epoch, 0 AS seq, 0 AS next_offset, 0 AS at, X'' AS chain FROM DUAL WHERE FALSE UNION ALL "
	whereBegun  = ") d STRAIGHT_JOIN shard s ON s.shard = d.shard AND s.seq = d.begun SET s.epoch = d.epoch, s.seq = d.seq, " +
		"s.next_offset = d.next_offset, s.at = d.at, s.chain = d.chain"

	insertJournal  = "INSERT INTO journal (shard, seq, epoch, at, kind, campaign, event, chain) VALUES "
	insertEnvelope = "INSERT INTO envelope (id, uid, amount_fen, `key`, won_at, expires_at, day, revision, state, closed_at) VALUES "

	// Opens and refunds envelopes, each only while it is held by that player.
	updateEnvelopes = "UPDATE (SELECT 0 AS id, 0 AS uid, 0 AS amount_fen, 0 AS state, 0 AS closed_at FROM DUAL WHERE FALSE UNION ALL "
	whereHeld       = ") d STRAIGHT_JOIN envelope e ON e.id = d.id AND e.uid = d.uid AND e.amount_fen = d.amount_fen AND e.state = 0 " +
		"SET e.state = d.state, e.closed_at = d.closed_at"

	insertWallet = "INSERT INTO wallet (uid, balance_fen) VALUES "
	credit       = " ON DUPLICATE KEY UPDATE balance_fen = balance_fen + VALUES(balance_fen)"

	insertSignup = "INSERT INTO signup (uid, campaign, at) VALUES "
	unlessThere  = " ON DUPLICATE KEY UPDATE at = at" // the first one counts

	insertCampaign      = "INSERT INTO campaign (id, name, revision, sealed_at, cancelled) VALUES (?, ?, 1, 0, 0)"
	insertCampaignEvent = "INSERT INTO campaign_event (campaign, shard, seq) VALUES "
)

// write writes what was decided. Every statement checks what the decision rests on.
func (b *batch) write(ctx context.Context, tx *sql.Tx) error {
	w := writer{ctx, tx}
	steps := []func(writer) error{
		b.writeMarks, b.writeJournal, b.writeWon, b.writeClosed, b.writeCredits, b.writeSignups, b.writeChanges, b.writeFindings,
	}
	for _, step := range steps {
		if err := step(w); err != nil {
			return trouble(err)
		}
	}
	return nil
}

// writeMarks is the compare-and-set that makes this batch the only one to follow the last.
func (b *batch) writeMarks(w writer) error {
	moved := slices.DeleteFunc(slices.Clone(b.parts), func(p *part) bool { return p.next == 0 })
	matched, err := w.update(updateMarks, whereBegun, len(moved), func(r *row, i int) {
		p := moved[i]
		r.int(int64(p.shard)).uint(p.begun.Seq).uint(p.mark.Epoch).uint(p.mark.Seq).int(p.mark.Offset).int(int64(p.mark.At)).bytes(p.mark.Chain[:])
	})
	if err == nil && matched != int64(len(moved)) {
		return fmt.Errorf("%w: another writer was first", hongbao.ErrBusy)
	}
	return err
}

func (b *batch) writeJournal(w writer) error {
	entries := b.entries()
	_, err := w.insert(insertJournal, "", len(entries), func(r *row, i int) {
		d := entries[i]
		r.int(int64(d.Shard)).uint(d.Seq).uint(d.Epoch).int(int64(d.event.At)).uint(uint64(d.event.Kind)).uint(uint64(d.event.Campaign))
		r.bytes(d.Event).bytes(d.chain[:])
	})
	return err // a duplicate is ErrBroken: the journal goes beyond its watermark
}

// entries are all new events, by shard and sequence.
func (b *batch) entries() (all []*delivery) {
	for _, p := range b.parts {
		all = append(all, p.entries...)
	}
	return all
}

func (b *batch) writeWon(w writer) error {
	rows := b.rows(func(e *envelopeRow) bool { return e.won != nil })
	_, err := w.insert(insertEnvelope, "", len(rows), func(r *row, i int) {
		e := rows[i]
		r.uint(uint64(e.id)).uint(e.uid).int(e.amountFen).bytes([]byte(e.won.Key)).int(int64(e.won.At)).int(int64(e.won.ExpiresAt))
		r.int(int64(e.won.Day)).uint(uint64(e.won.Revision)).uint(uint64(e.state)).int(int64(e.closedAt))
	})
	if number(err) == errDuplicate {
		return errAssumed
	}
	return err
}

func (b *batch) writeClosed(w writer) error {
	rows := b.rows(func(e *envelopeRow) bool { return e.closed && e.won == nil })
	matched, err := w.update(updateEnvelopes, whereHeld, len(rows), func(r *row, i int) {
		e := rows[i]
		r.uint(uint64(e.id)).uint(e.uid).int(e.amountFen).uint(uint64(e.state)).int(int64(e.closedAt))
	})
	if err == nil && matched != int64(len(rows)) {
		return errAssumed
	}
	return err
}

// rows are the envelopes that keep says, by id.
func (b *batch) rows(keep func(*envelopeRow) bool) (rows []*envelopeRow) {
	for i := range b.envelopes {
		if e := &b.envelopes[i]; keep(e) {
			rows = append(rows, e)
		}
	}
	slices.SortFunc(rows, func(x, y *envelopeRow) int { return cmp.Compare(x.id, y.id) })
	return rows
}

func (b *batch) writeCredits(w writer) error {
	uids := slices.Sorted(maps.Keys(b.credits))
	_, err := w.insert(insertWallet, credit, len(uids), func(r *row, i int) {
		r.uint(uids[i]).int(b.credits[uids[i]])
	})
	return err
}

func (b *batch) writeSignups(w writer) error {
	slices.SortFunc(b.signups, func(x, y *delivery) int {
		return cmp.Or(cmp.Compare(x.event.UID, y.event.UID), cmp.Compare(x.event.Campaign, y.event.Campaign))
	})
	_, err := w.insert(insertSignup, unlessThere, len(b.signups), func(r *row, i int) {
		e := &b.signups[i].event
		r.uint(e.UID).uint(uint64(e.Campaign)).int(int64(e.At))
	})
	return err
}

// writeChanges writes campaigns one by one: they are rare.
func (b *batch) writeChanges(w writer) error {
	for _, d := range b.changes {
		if err := d.writeChange(w); err != nil {
			return fmt.Errorf("shard %d, sequence %d: campaign %d is %s: %w", d.Shard, d.Seq, d.event.Campaign, d.event.Kind, trouble(err))
		}
	}
	_, err := w.insert(insertCampaignEvent, "", len(b.changes), func(r *row, i int) {
		d := b.changes[i]
		r.uint(uint64(d.event.Campaign)).int(int64(d.Shard)).uint(d.Seq)
	})
	return err
}

func (d *delivery) writeChange(w writer) error {
	var err error
	switch e := &d.event; e.Kind {
	case hongbao.CampaignCreated:
		_, err = w.tx.ExecContext(w.ctx, insertCampaign, e.Campaign, []byte(e.Rules.Name))
	case hongbao.CampaignRevised:
		_, err = w.tx.ExecContext(w.ctx, "UPDATE campaign SET revision = ? WHERE id = ?", e.Revision, e.Campaign)
	case hongbao.CampaignSealed:
		_, err = w.tx.ExecContext(w.ctx, "UPDATE campaign SET sealed_at = ?, cancelled = ? WHERE id = ?", max(e.At, 1), e.Cancelled, e.Campaign)
	}
	return err
}

func (b *batch) writeFindings(w writer) error {
	if err := writeFindings(w, "conflict", b.conflicts); err != nil {
		return err
	}
	return writeFindings(w, "flag", b.flags)
}

func writeFindings(w writer, table string, all []Finding) error {
	_, err := w.insert("INSERT INTO "+table+" (shard, seq, envelope, uid, what, at) VALUES ", "", len(all), func(r *row, i int) {
		f := &all[i]
		r.int(int64(f.Shard)).uint(f.Seq).uint(uint64(f.Envelope)).uint(f.UID).bytes([]byte(f.What)).int(int64(f.At))
	})
	return err
}
