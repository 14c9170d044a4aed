package ledger

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"hongbao"
)

// batch is what [Ledger.Apply] decides about deliveries, in memory: from what was read of the books to what is to be
// written. It asks nobody.
type batch struct {
	parts []*part // ascending by shard
	look  bool    // envelopes were read; otherwise they are assumed to be as their events tell

	campaigns map[uint32]campaignRow // revision 0: not in the books
	envelopes []envelopeRow
	places    map[hongbao.EnvelopeID]int // in envelopes

	credits   map[uint64]int64 // by uid
	signups   []*delivery
	changes   []*delivery // of campaigns
	conflicts []Finding
	flags     []Finding
}

// part is a shard's deliveries.
type part struct {
	shard      int
	deliveries []delivery
	begun      Mark                // as the books have it
	known      map[uint64]identity // what the journal has of the deliveries' sequences

	mark    Mark // with what is applied
	next    int  // deliveries consumed
	entries []*delivery
	old     int // superseded
	gap     *GapError
}

type delivery struct {
	*Delivery
	event hongbao.Event
	chain [32]byte // once applied
}

// identity is what makes two records of a sequence the same.
type identity struct {
	epoch uint64
	event []byte
}

type campaignRow struct {
	revision uint32
	sealedAt hongbao.Time
}

type envelopeRow struct {
	id        hongbao.EnvelopeID
	uid       uint64
	amountFen int64
	state     hongbao.EnvelopeState
	closedAt  hongbao.Time
	won       *hongbao.Event // in this batch, or nil
	closed    bool           // in this batch
}

// split decodes deliveries and sorts them by shard.
func split(all []Delivery) ([]*part, error) {
	counts := map[int]int{}
	for i := range all {
		counts[all[i].Shard]++
	}
	byShard := make(map[int]*part, len(counts))
	var parts []*part
	for i := range all {
		d := &all[i]
		p := byShard[d.Shard]
		if p == nil {
			p = &part{shard: d.Shard, deliveries: make([]delivery, 0, counts[d.Shard])}
			byShard[d.Shard] = p
			parts = append(parts, p)
		}
		p.deliveries = append(p.deliveries, delivery{Delivery: d})
		if err := hongbao.DecodeEvent(d.Event, &p.deliveries[len(p.deliveries)-1].event); err != nil {
			return nil, fmt.Errorf("shard %d, sequence %d, offset %d: %w", d.Shard, d.Seq, d.Offset, err)
		}
	}
	slices.SortFunc(parts, func(a, b *part) int { return cmp.Compare(a.shard, b.shard) })
	return parts, nil
}

func newBatch(parts []*part, look bool) *batch {
	return &batch{
		parts: parts, look: look, campaigns: map[uint32]campaignRow{},
		places: map[hongbao.EnvelopeID]int{}, credits: map[uint64]int64{},
	}
}

// begin forgets what an earlier try decided.
func (p *part) begin(m Mark) {
	p.begun, p.mark, p.next, p.entries, p.old, p.gap, p.known = m, m, 0, nil, 0, nil, nil
}

// decide goes through all shards until none can move: one may wait for a campaign that another brings.
func (b *batch) decide() error {
	for moved := true; moved; {
		moved = false
		for _, p := range b.parts {
			from := p.next
			if err := b.advance(p); err != nil {
				return err
			}
			moved = moved || p.next > from
		}
	}
	return nil
}

// advance consumes a shard's deliveries up to the first that can't be.
func (b *batch) advance(p *part) error {
	for ; p.next < len(p.deliveries); p.next++ {
		d := &p.deliveries[p.next]
		switch {
		case p.superseded(d):
			p.old++
		case d.Seq <= p.mark.Seq:
			if err := p.same(d); err != nil {
				return err
			}
		case d.Seq > p.mark.Seq+1:
			p.gap = &GapError{p.shard, p.mark.Seq + 1, d.Seq}
			return nil
		case b.early(&d.event):
			return nil
		default:
			if err := b.take(p, d); err != nil {
				return err
			}
		}
		p.mark.Offset = d.Offset + 1
	}
	return nil
}

// superseded reports whether a delivery is of an epoch that the shard has left behind, and nothing that the journal has: it
// was sent late by somebody who did not know that the shard was made anew since.
func (p *part) superseded(d *delivery) bool {
	if d.Epoch >= p.mark.Epoch {
		return false
	}
	known := p.identity(d.Seq)
	return d.Seq > p.mark.Seq || known.epoch > d.Epoch
}

// identity is what the journal, or the batch so far, has under a sequence.
func (p *part) identity(seq uint64) identity {
	if seq > p.begun.Seq && seq <= p.mark.Seq {
		earlier := p.entries[seq-p.begun.Seq-1]
		return identity{earlier.Epoch, earlier.Event}
	}
	return p.known[seq]
}

// same checks that a delivery is what the journal, or the batch so far, has under its sequence.
func (p *part) same(d *delivery) error {
	known := p.identity(d.Seq)
	switch {
	case known.event == nil:
		return &DivergedError{p.shard, d.Seq, "is not in the journal, which goes beyond it"}
	case known.epoch != d.Epoch:
		return &DivergedError{p.shard, d.Seq, fmt.Sprintf("is of epoch %d in the journal, and came with %d", known.epoch, d.Epoch)}
	case !bytes.Equal(known.event, d.Event):
		return &DivergedError{p.shard, d.Seq, "is another event in the journal than the one that came"}
	}
	return nil
}

// early reports whether an event was decided under a revision that the books do not have yet.
func (b *batch) early(e *hongbao.Event) bool {
	switch e.Kind {
	case hongbao.EnvelopeWon, hongbao.EnvelopeOpened, hongbao.EnvelopeRefunded, hongbao.PlayerSignedUp:
		c := b.campaigns[e.Campaign]
		return c.revision == 0 || c.revision < e.Revision
	}
	return false
}

// take applies the next event of a shard.
func (b *batch) take(p *part, d *delivery) error {
	d.chain = link(p.mark.Chain, &d.Record)
	p.mark = Mark{p.shard, d.Epoch, d.Seq, d.Offset + 1, d.event.At, d.chain}
	p.entries = append(p.entries, d)
	switch d.event.Kind {
	case hongbao.EnvelopeWon:
		b.won(d)
	case hongbao.EnvelopeOpened:
		b.closed(d, hongbao.StateOpened)
	case hongbao.EnvelopeRefunded:
		b.closed(d, hongbao.StateRefunded)
	case hongbao.PlayerSignedUp:
		b.signups = append(b.signups, d)
	case hongbao.CampaignCreated, hongbao.CampaignRevised, hongbao.CampaignSealed:
		return b.changed(d)
	}
	return nil
}

// link is the chain behind a record: SHA-256 of the chain before it, shard, epoch, sequence (big endian, 4, 8 and 8
// bytes) and the event.
func link(previous [32]byte, r *Record) [32]byte {
	var buffer [256]byte
	b := append(buffer[:0], previous[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(r.Shard))
	b = binary.BigEndian.AppendUint64(b, r.Epoch)
	b = binary.BigEndian.AppendUint64(b, r.Seq)
	return sha256.Sum256(append(b, r.Event...))
}

// won gives an envelope to its first holder. Keeps G2: a second one gets nothing.
func (b *batch) won(d *delivery) {
	e := &d.event
	if _, taken := b.places[e.Envelope]; taken {
		b.conflicts = append(b.conflicts, d.finding(SecondHolder))
		return
	}
	b.add(envelopeRow{id: e.Envelope, uid: e.UID, amountFen: e.AmountFen, won: e})
	switch {
	case e.WinsMax > 0 && e.Wins > e.WinsMax:
		b.flags = append(b.flags, d.finding(AboveWinsMax))
	case e.DailyWinsMax > 0 && e.DayWins > e.DailyWinsMax:
		b.flags = append(b.flags, d.finding(AboveDailyWinsMax))
	}
}

func (b *batch) add(e envelopeRow) *envelopeRow {
	b.places[e.id] = len(b.envelopes)
	b.envelopes = append(b.envelopes, e)
	return &b.envelopes[len(b.envelopes)-1]
}

// closed opens or refunds an envelope. Keeps G5: once, and for its holder only.
func (b *batch) closed(d *delivery, state hongbao.EnvelopeState) {
	e := &d.event
	row := b.envelope(e)
	if what := row.refuses(e); what != "" {
		b.conflicts = append(b.conflicts, d.finding(what))
		return
	}
	row.state, row.closedAt, row.closed = state, e.At, true
	if state == hongbao.StateOpened {
		b.credits[e.UID] += row.amountFen
	}
}

// envelope is the row that an opening or a refund is about, or nil.
func (b *batch) envelope(e *hongbao.Event) *envelopeRow {
	if i, ok := b.places[e.Envelope]; ok {
		return &b.envelopes[i]
	}
	if b.look {
		return nil
	}
	return b.add(envelopeRow{id: e.Envelope, uid: e.UID, amountFen: e.AmountFen})
}

// refuses says what an opening or a refund contradicts.
func (r *envelopeRow) refuses(e *hongbao.Event) What {
	switch {
	case r == nil:
		return NotWon
	case r.uid != e.UID:
		return NotHolder
	case r.state != hongbao.StateHeld:
		return NotHeld
	case r.amountFen != e.AmountFen:
		return OtherAmount
	}
	return ""
}

// changed applies a campaign's own event, which must follow the one before it.
func (b *batch) changed(d *delivery) error {
	e := &d.event
	c := b.campaigns[e.Campaign]
	follows := c.revision > 0 && c.sealedAt == 0
	switch e.Kind {
	case hongbao.CampaignCreated:
		follows = c.revision == 0 && e.Revision == 1
	case hongbao.CampaignRevised:
		follows = follows && e.Revision == c.revision+1
	case hongbao.CampaignSealed:
		follows = follows && e.Revision == c.revision
		c.sealedAt = max(e.At, 1)
	}
	if !follows {
		return fmt.Errorf("%w: shard %d, sequence %d: campaign %d is %s at revision %d, and the books have it at revision %d, sealed at %s",
			hongbao.ErrBroken, d.Shard, d.Seq, e.Campaign, e.Kind, e.Revision, c.revision, c.sealedAt)
	}
	c.revision = e.Revision
	b.campaigns[e.Campaign] = c
	b.changes = append(b.changes, d)
	return nil
}

func (d *delivery) finding(what What) Finding {
	return Finding{Shard: d.Shard, Seq: d.Seq, Envelope: d.event.Envelope, UID: d.event.UID, What: what, At: d.event.At}
}

// outcome is what the caller learns once it is committed.
func (b *batch) outcome() (Outcome, error) {
	o := Outcome{Next: make(map[int]int64, len(b.parts))}
	var gaps []error
	for _, p := range b.parts {
		o.Applied += len(p.entries)
		o.Superseded += p.old
		o.Next[p.shard] = p.deliveries[len(p.deliveries)-1].Offset + 1
		if p.next < len(p.deliveries) {
			o.Next[p.shard] = p.deliveries[p.next].Offset
		}
		if p.gap != nil {
			gaps = append(gaps, p.gap)
		}
	}
	return o, errors.Join(gaps...)
}
