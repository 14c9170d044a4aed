package cluster

import (
	"context"
	"fmt"
	"strconv"

	"hongbao"
)

// Open credits a held envelope to its holder, once.
func (e *Engine) Open(ctx context.Context, r hongbao.OpenRequest) (hongbao.OpenResult, error) {
	c, err := e.find(r.Envelope.Campaign())
	if err != nil {
		return hongbao.OpenResult{}, err
	}
	if c == nil {
		return hongbao.OpenResult{}, notHeld(r)
	}
	s, uid, id := e.of(r.UID), strconv.FormatUint(r.UID, 10), strconv.FormatUint(uint64(r.Envelope), 10)
	reply, err := e.ask(ctx, s, scriptOpen, e.time(r.Now), []string{s.outbox, s.campaign(c.texts.id), s.player(uid)},
		e.limit, uid, id, c.texts.revision, formatTime(c.Expiry(0)))
	if err != nil {
		return hongbao.OpenResult{}, err
	}
	switch reply[0] {
	case "first":
		e.seen(parseTime(reply[3]))
		return hongbao.OpenResult{First: true, AmountFen: int64(parseUint(reply[1])), BalanceFen: int64(parseUint(reply[2]))}, nil
	case "opened":
		return hongbao.OpenResult{AmountFen: int64(parseUint(reply[1])), BalanceFen: int64(parseUint(reply[2]))}, nil
	case "expired":
		return hongbao.OpenResult{Expired: true}, nil
	case "none":
		return hongbao.OpenResult{}, notHeld(r)
	case "rich":
		return hongbao.OpenResult{}, hongbao.Invalid("balance_fen", reply[1], "below 2^53 after opening")
	}
	return hongbao.OpenResult{}, fmt.Errorf("%w: open.lua answers %q", hongbao.ErrUnknown, reply)
}

func notHeld(r hongbao.OpenRequest) error {
	return fmt.Errorf("%w: player %d has no envelope %d", hongbao.ErrNotFound, r.UID, r.Envelope)
}
