package cluster

import (
	"context"
	"fmt"
	"strconv"

	"hongbao"
)

// bank is where a campaign's numbers are leased from, as its record says.
type bank struct {
	cursor      uint64 // the next number that was never leased
	fen         int64  // what the numbers before it sum to
	mark        uint64 // the books know that numbers below it may have been leased
	revision    uint32
	incarnation string
	dry         bool
	stopping    bool // it is being sealed, or is
	sealed      bool
	free        uint64 // numbers that were given back
	at          hongbao.Time
}

// issued is what counts as taken when a budget is revised: all that was ever leased.
func (b *bank) issued() hongbao.Tally { return hongbao.Tally{Count: b.cursor, TotalFen: b.fen} }

// bank reads a campaign's bank. With hold, nothing is leased from it for a moment.
func (e *Engine) bank(ctx context.Context, c *campaign, hold int) (*bank, error) {
	home := e.home()
	reply, err := e.ask(ctx, home, scriptBank, 0, []string{home.bank(c.texts.id), home.free(c.texts.id)}, strconv.Itoa(hold))
	if err != nil {
		return nil, err
	}
	if reply[0] == "none" {
		return nil, fmt.Errorf("%w: campaign %d has no bank", hongbao.ErrBroken, c.ID)
	}
	return &bank{
		cursor: parseUint(reply[1]), fen: int64(parseUint(reply[2])), mark: parseUint(reply[3]), revision: uint32(parseUint(reply[4])),
		incarnation: reply[5], dry: reply[6] != "", stopping: reply[7] != "" || reply[8] != "", sealed: reply[8] != "",
		free: parseUint(reply[9]), at: parseTime(reply[10]),
	}, nil
}

// end is the number behind the last of the budget in force.
func (c *campaign) end() uint64 {
	segment := c.Segment()
	return segment.First + segment.Count
}

// raiseMark lets a bank lease further: first the books record how far, at least a sixteenth of the budget ahead, and then
// the bank does. What lies below the mark is never given twice, even when all of Redis is lost.
//
// Keeps G2.
func (e *Engine) raiseMark(ctx context.Context, c *campaign, b *bank) error {
	mark := max(b.mark, min(c.end(), b.cursor+c.Rules().Budget.Count/8+16))
	if mark == b.mark {
		return nil
	}
	if err := e.ledger.RaiseBankMark(ctx, c.ID, mark); err != nil {
		return err
	}
	home := e.home()
	_, err := e.ask(ctx, home, scriptMark, 0, []string{home.bank(c.texts.id)}, strconv.FormatUint(mark, 10))
	return err
}

// needsMark reports whether the mark should be raised soon.
func (c *campaign) needsMark(b *bank) bool {
	return b.mark < c.end() && b.mark-min(b.mark, b.cursor) <= c.Rules().Budget.Count/16+8
}
