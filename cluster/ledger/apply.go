package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"hongbao"
)

// Record is an event as the outbox and Kafka carry it. Shard, epoch and sequence are its identity.
type Record struct {
	Shard int
	Epoch uint64
	Seq   uint64 // 1, 2, 3 … within the shard, across epochs
	Event []byte // in the form of hongbao.AppendEvent
}

// Delivery is a record at its place in Kafka.
type Delivery struct {
	Record
	Offset int64 // in the shard's partition
}

// Outcome is what [Ledger.Apply] did.
type Outcome struct {
	Applied int // events that are new in the books
	// Superseded are deliveries of an epoch that [Ledger.Fence] has ended, and that the books do not have: passed over.
	Superseded int
	// Next is, for each shard of the batch, the offset of the delivery that must come next: behind the last of the batch
	// when all of the shard's were consumed, otherwise that of the first which was not.
	Next map[int]int64
}

// GapError says that deliveries of a shard are missing before one that came. The shard stands still until they come.
type GapError struct {
	Shard     int
	Want, Got uint64 // sequences
}

func (e *GapError) Error() string {
	return fmt.Sprintf("shard %d has a gap: sequence %d came, and %d is next", e.Shard, e.Got, e.Want)
}

// Unwrap makes it an ErrBroken.
func (e *GapError) Unwrap() error { return hongbao.ErrBroken }

// DivergedError says that a delivery is not the event that the journal has under its sequence.
type DivergedError struct {
	Shard int
	Seq   uint64
	Why   string
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("shard %d has two histories: sequence %d %s", e.Shard, e.Seq, e.Why)
}

// Unwrap makes it an ErrBroken.
func (e *DivergedError) Unwrap() error { return hongbao.ErrBroken }

// Apply takes deliveries into the books, in one transaction: of any shards, each shard's in order of offset; some
// thousands at a time are best. The batch is only read. Keeps G2, G5.
//
//   - The next sequence of its shard is applied.
//   - One that is in the books already is skipped, provided that it is the same; otherwise the error is a
//     [DivergedError], and nothing of the batch is applied.
//   - One of an older epoch than the shard's that is not in the books is passed over: see [Ledger.Fence].
//   - One beyond the next stops its shard. What came before, and other shards, are applied; the error then joins a
//     [GapError] for each such shard, and the outcome is valid.
//   - One of a campaign's revision that the books do not have yet stops its shard without an error: the campaign's own
//     events travel on another shard. It is to be delivered again, from Outcome.Next.
//
// Of an event whose sequence is right but which contradicts the books (a second holder, an opening of what is not
// held), the journal and the list of conflicts tell, and nothing else changes. Campaigns are decided one at a time: an
// event of theirs that does not follow is ErrBroken.
//
// ErrBusy means that nothing was applied: another writer was first, or the connection failed. After ErrUnknown it may
// have been applied. Either way the same batch may be given again.
func (l *Ledger) Apply(ctx context.Context, batch []Delivery) (Outcome, error) {
	parts, err := split(batch)
	if err != nil || len(parts) == 0 {
		return Outcome{}, err
	}
	b, err := l.try(ctx, parts, false)
	if errors.Is(err, errAssumed) {
		b, err = l.try(ctx, parts, true)
	}
	if err != nil {
		return Outcome{}, err
	}
	return b.outcome()
}

// errAssumed means that envelopes are not as a batch assumed.
var errAssumed = fmt.Errorf("%w: the books changed meanwhile", hongbao.ErrBusy)

// try decides a batch in memory from what the books say, and writes what follows. Nearly always envelopes are as events
// tell: new when won, held by the player who opens. The first try assumes this and makes the writing check it; when it
// turns out wrong, the second reads them first.
func (l *Ledger) try(ctx context.Context, parts []*part, look bool) (b *batch, err error) {
	err = l.transact(ctx, false, func(tx *sql.Tx) error {
		if b, err = read(ctx, tx, parts, look); err != nil {
			return err
		}
		if err := b.decide(); err != nil {
			return err
		}
		return b.write(ctx, tx)
	})
	return b, err
}

// read makes the batch's view of the books.
func read(ctx context.Context, tx *sql.Tx, parts []*part, look bool) (*batch, error) {
	b := newBatch(parts, look)
	if err := b.readMarks(ctx, tx); err != nil {
		return nil, err
	}
	if err := b.readCampaigns(ctx, tx); err != nil {
		return nil, err
	}
	for _, p := range parts {
		if err := p.readKnown(ctx, tx); err != nil {
			return nil, err
		}
	}
	if look {
		return b, b.readEnvelopes(ctx, tx)
	}
	return b, nil
}

func (b *batch) readMarks(ctx context.Context, tx *sql.Tx) error {
	shards := list(len(b.parts), func(i int) uint64 { return uint64(b.parts[i].shard) })
	byShard := map[int]Mark{}
	err := each(ctx, tx, func(rows *sql.Rows) error {
		var m Mark
		err := m.scan(rows)
		byShard[m.Shard] = m
		return err
	}, selectMarks+" WHERE shard IN "+shards)
	if err != nil {
		return err
	}
	for _, p := range b.parts {
		m, ok := byShard[p.shard]
		if !ok {
			return fmt.Errorf("%w: the ledger has no watermark of shard %d", hongbao.ErrBroken, p.shard)
		}
		p.begin(m)
	}
	return nil
}

func (b *batch) readCampaigns(ctx context.Context, tx *sql.Tx) error {
	var ids []uint64
	for _, p := range b.parts {
		for i := range p.deliveries {
			id := p.deliveries[i].event.Campaign
			if _, asked := b.campaigns[id]; !asked {
				b.campaigns[id] = campaignRow{}
				ids = append(ids, uint64(id))
			}
		}
	}
	return each(ctx, tx, func(rows *sql.Rows) error {
		var id uint32
		var c campaignRow
		err := rows.Scan(&id, &c.revision, &c.sealedAt)
		b.campaigns[id] = c
		return err
	}, "SELECT id, revision, sealed_at FROM campaign WHERE id IN "+list(len(ids), func(i int) uint64 { return ids[i] }))
}

// readKnown reads what the journal has of the part's sequences.
func (p *part) readKnown(ctx context.Context, tx *sql.Tx) error {
	low := p.begun.Seq + 1
	for i := range p.deliveries {
		low = min(low, p.deliveries[i].Seq)
	}
	if low > p.begun.Seq {
		return nil
	}
	p.known = map[uint64]identity{}
	for i := range p.deliveries {
		if seq := p.deliveries[i].Seq; seq <= p.begun.Seq {
			p.known[seq] = identity{}
		}
	}
	seqs := make([]uint64, 0, len(p.known))
	for seq := range p.known {
		seqs = append(seqs, seq)
	}
	for len(seqs) > 0 {
		n := min(len(seqs), rowsMax)
		query := fmt.Sprintf("SELECT seq, epoch, event FROM journal WHERE shard = %d AND seq IN ", p.shard)
		err := each(ctx, tx, func(rows *sql.Rows) error {
			var seq uint64
			var known identity
			err := rows.Scan(&seq, &known.epoch, &known.event)
			p.known[seq] = known
			return err
		}, query+list(n, func(i int) uint64 { return seqs[i] }))
		if err != nil {
			return err
		}
		seqs = seqs[n:]
	}
	return nil
}

func (b *batch) readEnvelopes(ctx context.Context, tx *sql.Tx) error {
	asked := map[hongbao.EnvelopeID]struct{}{}
	var ids []uint64
	for _, p := range b.parts {
		for i := range p.deliveries {
			id := p.deliveries[i].event.Envelope
			if _, again := asked[id]; !again && id != 0 {
				asked[id] = struct{}{}
				ids = append(ids, uint64(id))
			}
		}
	}
	for len(ids) > 0 {
		n := min(len(ids), rowsMax)
		err := each(ctx, tx, func(rows *sql.Rows) error {
			var e envelopeRow
			err := rows.Scan(&e.id, &e.uid, &e.amountFen, &e.state, &e.closedAt)
			b.add(e)
			return err
		}, "SELECT id, uid, amount_fen, state, closed_at FROM envelope WHERE id IN "+list(n, func(i int) uint64 { return ids[i] }))
		if err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// list writes n numbers for IN.
func list(n int, number func(i int) uint64) string {
	var s strings.Builder
	for i := range n {
		s.WriteByte("(,"[min(i, 1)])
		fmt.Fprint(&s, number(i))
	}
	s.WriteByte(')')
	return s.String()
}
