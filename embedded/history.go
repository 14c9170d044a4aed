package embedded

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"hongbao"
	"hongbao/embedded/journal"
)

// position is a place in the journal: block and index of an event in it.
type position struct {
	block uint64
	index int
}

func (p position) String() string {
	return strconv.FormatUint(p.block, 10) + "." + strconv.Itoa(p.index)
}

// parsePosition reads a position's text; the empty one is before the first event.
func parsePosition(text hongbao.Position) (p position, err error) {
	if text == "" {
		return position{block: 1, index: -1}, nil
	}
	block, index, _ := strings.Cut(string(text), ".")
	p.block, err = strconv.ParseUint(block, 10, 64)
	if err == nil {
		p.index, err = strconv.Atoi(index)
	}
	if err != nil || p.block < 1 || p.index < 0 {
		return p, hongbao.Invalid("from", text, "a position that the journal told, such as 17.0")
	}
	return p, nil
}

// headText is a head as it is logged and given to --head.
func headText(h journal.Head) string {
	if h.Block == 0 {
		return ""
	}
	return strconv.FormatUint(h.Block, 10) + "-" + h.Hash.String()
}

// blocks walks blocks from a number on, verified.
type blocks func(from uint64) iter.Seq2[journal.Block, error]

// history reads a journal, open or at rest.
type history struct{ blocks blocks }

// entries walks the events after a position. The event is overwritten by the next step.
func (h history) entries(ctx context.Context, after hongbao.Position) iter.Seq2[hongbao.Entry, error] {
	return func(yield func(hongbao.Entry, error) bool) {
		from, err := parsePosition(after)
		if err != nil {
			yield(hongbao.Entry{}, err)
			return
		}
		for block, err := range h.blocks(from.block) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(hongbao.Entry{}, err)
				return
			}
			if !yieldBlock(block, from, yield) {
				return
			}
		}
	}
}

func yieldBlock(block journal.Block, from position, yield func(hongbao.Entry, error) bool) (more bool) {
	var event hongbao.Event
	for i, raw := range journal.Events(block) {
		if block.Number == from.block && i <= from.index {
			continue
		}
		at := position{block.Number, i}
		if err := hongbao.DecodeEvent(raw, &event); err != nil {
			yield(hongbao.Entry{}, fmt.Errorf("%s: %w", at, err))
			return false
		}
		text := at.String()
		if !yield(hongbao.Entry{Position: hongbao.Position(text), ID: text, Event: &event}, nil) {
			return false
		}
	}
	return true
}

// checkHead returns nil when a head that was known before is part of the journal: a folder restored from an older copy
// does not have it.
func (h history) checkHead(head string) error {
	number, hash, _ := strings.Cut(head, "-")
	block, err := strconv.ParseUint(number, 10, 64)
	if err != nil || block < 1 || len(hash) != 64 {
		return hongbao.Invalid("head", head, "a head that the server logged, such as 17-0123…cdef")
	}
	for found, err := range h.blocks(block) {
		if err != nil {
			return err
		}
		if found.Hash.String() != hash {
			return fmt.Errorf("%w: block %d has the hash %s, not %s: this is another journal", hongbao.ErrBroken, block, found.Hash, hash)
		}
		return nil
	}
	return fmt.Errorf("%w: the journal ends before block %d: this folder is older than the head", hongbao.ErrBroken, block)
}

func (e *Engine) history() history { return history{e.journal.Blocks} }

// Journal walks the events after a position to the end that is durable now.
func (e *Engine) Journal(ctx context.Context, after hongbao.Position) iter.Seq2[hongbao.Entry, error] {
	return e.history().entries(ctx, after)
}

// CheckHead returns nil when a head that was known before is part of the journal.
func (e *Engine) CheckHead(_ context.Context, head string) error { return e.history().checkHead(head) }

// Head is the hash-chained head of the journal.
func (e *Engine) Head() string { return headText(e.journal.Head()) }
