package ledger

import (
	"cmp"
	"container/heap"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"

	"hongbao"
)

// Entry is one event of the journal, verified.
type Entry struct {
	Shard int
	Epoch uint64
	Seq   uint64
	Event *hongbao.Event // valid until the next step
	Chain [32]byte       // head of the shard's hash chain with this event
}

// Entries walks the journal of all shards as one, after a sequence for each shard (nil: from the first): ordered by time, then
// by shard, and so in order within a shard. The events of campaigns, which are the first shard's, come before what was
// decided under them: at the same time they come first, and a seal's time is later than all that was won. It
// verifies the hash chains and ends of all shards. Damage is ErrBroken, names shard and sequence, and ends the walk.
func (s *Snapshot) Entries(ctx context.Context, after []uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		queue, err := s.heads(ctx, after)
		for err == nil && len(queue) > 0 {
			h := queue[0]
			if !yield(Entry{h.mark.Shard, h.epoch, h.seq, &h.event, h.chain}, nil) {
				return
			}
			more := false
			if more, err = h.step(ctx, s.conn); more {
				heap.Fix(&queue, 0)
			} else {
				heap.Pop(&queue)
			}
		}
		if err != nil {
			yield(Entry{}, err)
		}
	}
}

// heads opens every shard that has events after.
func (s *Snapshot) heads(ctx context.Context, after []uint64) (heads, error) {
	if after == nil {
		after = make([]uint64, len(s.marks))
	}
	if len(after) != len(s.marks) {
		return nil, hongbao.Invalid("after", len(after), fmt.Sprintf("a sequence for each of %d shards", len(s.marks)))
	}
	var queue heads
	for i, mark := range s.marks {
		if after[i] > mark.Seq {
			return nil, hongbao.Invalid("after", after[i], fmt.Sprintf("at most %d, which is the end of shard %d", mark.Seq, i))
		}
		h := &head{mark: mark, seq: after[i], rows: max(pageRows/len(s.marks), pageRowsMin)}
		switch more, err := h.begin(ctx, s.conn); {
		case err != nil:
			return nil, err
		case more:
			queue = append(queue, h)
		}
	}
	heap.Init(&queue)
	return queue, nil
}

// Rows of the journal in memory: of all shards together, and of one.
const (
	pageRows    = 64_000
	pageRowsMax = 2_000
	pageRowsMin = 100
)

// head is the place in a shard that the walk has reached.
type head struct {
	mark Mark
	rows int // of a page

	epoch uint64
	seq   uint64
	event hongbao.Event
	chain [32]byte

	page []journalRow
	next int // in page
}

type journalRow struct {
	record   Record
	at       hongbao.Time
	kind     hongbao.EventKind
	campaign uint32
	chain    []byte
}

// begin steps to the first event.
func (h *head) begin(ctx context.Context, q querier) (more bool, err error) {
	h.chain, err = readChain(ctx, q, h.mark.Shard, h.seq)
	if errors.Is(err, hongbao.ErrNotFound) {
		err = h.damaged("is missing")
	}
	if err != nil {
		return false, err
	}
	return h.step(ctx, q)
}

// step moves to the next event and verifies it, or the end.
func (h *head) step(ctx context.Context, q querier) (more bool, err error) {
	if h.seq == h.mark.Seq {
		return false, h.verifyEnd()
	}
	if h.next == len(h.page) {
		if err := h.turn(ctx, q); err != nil {
			return false, err
		}
	}
	r := &h.page[h.next]
	h.next++
	return true, h.verify(r)
}

const selectPage = "SELECT seq, epoch, at, kind, campaign, event, chain FROM journal WHERE shard = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?"

// turn reads the next page, which has at least one row.
func (h *head) turn(ctx context.Context, q querier) error {
	h.page, h.next = h.page[:0], 0
	err := each(ctx, q, func(rows *sql.Rows) error {
		r := journalRow{record: Record{Shard: h.mark.Shard}}
		err := rows.Scan(&r.record.Seq, &r.record.Epoch, &r.at, &r.kind, &r.campaign, &r.record.Event, &r.chain)
		h.page = append(h.page, r)
		return err
	}, selectPage, h.mark.Shard, h.seq, h.mark.Seq, min(h.rows, pageRowsMax))
	if err == nil && len(h.page) == 0 {
		h.seq++
		err = h.damaged("is missing")
	}
	return err
}

// verify checks that a row is the next link, and makes its event the head's.
func (h *head) verify(r *journalRow) error {
	h.seq++
	if r.record.Seq != h.seq {
		return h.damaged("is missing")
	}
	chain := link(h.chain, &r.record)
	if string(r.chain) != string(chain[:]) {
		return h.damaged("does not fit the hash chain")
	}
	if r.record.Epoch < h.epoch {
		return h.damaged("is of an older epoch than the one before it")
	}
	h.epoch, h.chain = r.record.Epoch, chain
	if err := hongbao.DecodeEvent(r.record.Event, &h.event); err != nil {
		return h.damaged(err.Error())
	}
	if e := &h.event; e.At != r.at || e.Kind != r.kind || e.Campaign != r.campaign {
		return h.damaged("has another time, kind or campaign in its columns than in its event")
	}
	return nil
}

func (h *head) verifyEnd() error {
	if h.chain != h.mark.Chain {
		return h.damaged("does not have the hash of the watermark")
	}
	return nil
}

func (h *head) damaged(how string) error {
	return fmt.Errorf("%w: the journal is damaged: shard %d, sequence %d %s", hongbao.ErrBroken, h.mark.Shard, h.seq, how)
}

// heads is a heap of shards, the earliest event first.
type heads []*head

func (q heads) Len() int      { return len(q) }
func (q heads) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *heads) Push(x any)   { *q = append(*q, x.(*head)) }
func (q *heads) Pop() any {
	last := len(*q) - 1
	h := (*q)[last]
	*q = (*q)[:last]
	return h
}

func (q heads) Less(i, j int) bool {
	a, b := q[i], q[j]
	return cmp.Or(cmp.Compare(a.event.At, b.event.At), cmp.Compare(a.mark.Shard, b.mark.Shard)) < 0
}
