package cluster

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"hongbao"
)

// Foretell answers what no player can change, by rules that are not older than the caches may be.
func (e *Engine) Foretell(r hongbao.SnatchRequest) (result hongbao.SnatchResult, ok bool) {
	c := e.catalog.find(r.Campaign)
	if c == nil || !e.catalog.fresh() {
		return result, false
	}
	status, ok := e.foretell(c, &r)
	if !ok {
		return result, false
	}
	return hongbao.SnatchResult{Status: status, Wins: -1, Rules: c.Rules()}, true
}

// foretell asks the campaign's rules. The bank's being dry is known under a revision, so that the order of loads does not
// matter here as it does where what is issued is counted.
func (e *Engine) foretell(c *campaign, r *hongbao.SnatchRequest) (hongbao.Status, bool) {
	issued := uint64(0)
	if c.isSold(e.options.CacheAge) {
		issued = c.Rules().Budget.Count
	}
	return c.Foretell(e.time(r.Now), issued, r.KeyIsNew)
}

// Snatch decides a snatch: without Redis where nothing that the player has can matter, otherwise in the player's shard.
func (e *Engine) Snatch(ctx context.Context, r hongbao.SnatchRequest) (hongbao.SnatchResult, error) {
	c, err := e.find(r.Campaign)
	if err != nil {
		return hongbao.SnatchResult{}, err
	}
	if c == nil {
		return hongbao.SnatchResult{Status: hongbao.NotFound, Wins: -1}, nil
	}
	if e.catalog.fresh() {
		if status, ok := e.decideHere(c, &r); ok {
			return hongbao.SnatchResult{Status: status, Wins: -1, Rules: c.Rules()}, nil
		}
	}
	return e.snatch(ctx, c, &r)
}

// luck is a lucky draw, and whether it wins by the rules in force and by the highest chance that the campaign ever had.
type luck struct{ wins, everWins bool }

func (c *campaign) draw(r *hongbao.SnatchRequest) luck {
	chance := c.Rules().Chance
	if chance == hongbao.ChanceCertain {
		return luck{true, true}
	}
	draw := c.life.seed.Draw(c.ID, r.UID, r.Key)
	return luck{chance.Wins(draw), c.chanceMax.Wins(draw)}
}

// decideHere answers what needs no look at what the player has: what can be foretold, and a new key's draw that loses. The
// draw, which costs most, comes last.
func (e *Engine) decideHere(c *campaign, r *hongbao.SnatchRequest) (hongbao.Status, bool) {
	status, ok := e.foretell(c, r)
	if status == hongbao.Won {
		return hongbao.Missed, r.KeyIsNew && !c.draw(r).everWins
	}
	return status, ok
}

// snatch asks the player's shard, and gets it envelopes when it has none left.
func (e *Engine) snatch(ctx context.Context, c *campaign, r *hongbao.SnatchRequest) (hongbao.SnatchResult, error) {
	s := e.of(r.UID)
	draw, sold := c.draw(r), c.isSold(e.options.CacheAge)
	for began := time.Now(); ; {
		reply, err := e.askSnatch(ctx, s, c, r, draw, sold)
		if err != nil {
			return hongbao.SnatchResult{}, err
		}
		switch reply[0] {
		case "won":
			return e.won(c, s, reply)
		case "replayed":
			return replayed(c, reply)
		case "stale":
			if err := e.catalog.refresh(ctx); err != nil {
				return hongbao.SnatchResult{}, err
			}
			c = e.catalog.find(c.ID)
			draw, sold = c.draw(r), c.isSold(e.options.CacheAge)
		case "time":
			e.seen(parseTime(reply[1]))
		case "dry":
			c.life.receives(s, reply[2])
			status, err := e.supply(c, s, draw.wins, e.time(r.Now))
			if err != nil || status == hongbao.Missed {
				return refusal(c, status, reply[1]), err
			}
			sold = status == hongbao.SoldOut // the shard is asked again: the player may have won meanwhile
		default:
			return told(c, reply)
		}
		if time.Since(began) > patience || ctx.Err() != nil {
			return hongbao.SnatchResult{}, fmt.Errorf("%w: campaign %d keeps changing", hongbao.ErrBusy, c.ID)
		}
	}
}

func (e *Engine) askSnatch(ctx context.Context, s *shard, c *campaign, r *hongbao.SnatchRequest, draw luck, sold bool) ([]string, error) {
	now := e.time(r.Now)
	today, uid, t := e.days.of(now), strconv.FormatUint(r.UID, 10), &c.texts
	closesAt := t.closesAt
	if r.ReplayOnly {
		// The script finds a key that has won before it looks at anything else; and whatever it comes to after that, a
		// window that ended in 1970 stands before all that could win or ask for supply. The order of its refusals, which says
		// nothing here, is the only other thing that depends on it.
		closesAt = "0"
	}
	return e.ask(ctx, s, scriptSnatch, now,
		[]string{s.outbox, s.campaign(t.id), s.supply(t.id), s.player(uid)},
		e.limit, t.id, uid, r.Key, flag(r.KeyIsNew), t.revision, t.opensAt, closesAt, t.paused, t.signup, t.winsMax, t.dailyWinsMax,
		t.kind, today.text, today.untilText, flag(draw.wins), t.expiresAt, flag(sold))
}

func flag(set bool) string {
	if set {
		return "1"
	}
	return "0"
}

// won reads the reply to a win, and sees to it that the shard does not run dry.
func (e *Engine) won(c *campaign, s *shard, reply []string) (hongbao.SnatchResult, error) {
	result := hongbao.SnatchResult{
		Status: hongbao.Won, Envelope: hongbao.EnvelopeID(parseUint(reply[1])), AmountFen: int64(parseUint(reply[2])),
		WonAt: parseTime(reply[3]), ExpiresAt: parseTime(reply[4]), Wins: int(parseUint(reply[5])), Rules: c.Rules(),
	}
	e.seen(result.WonAt)
	c.life.receives(s, reply[7])
	if left := parseUint(reply[6]); left > 0 && left == uint64(c.life.low.Load()) {
		e.supplyAhead(c, s)
	}
	return result, nil
}

func replayed(c *campaign, reply []string) (hongbao.SnatchResult, error) {
	known, err := parseEnvelope(reply[1], reply[2], "")
	return hongbao.SnatchResult{
		Status: hongbao.Won, Envelope: known.ID, AmountFen: known.AmountFen, WonAt: known.WonAt, ExpiresAt: known.ExpiresAt,
		Wins: int(parseUint(reply[3])), Rules: c.Rules(),
	}, err
}

func refusal(c *campaign, status hongbao.Status, wins string) hongbao.SnatchResult {
	return hongbao.SnatchResult{Status: status, Wins: int(parseUint(wins)), Rules: c.Rules()}
}

// told reads a refusal by the name of its status.
func told(c *campaign, reply []string) (hongbao.SnatchResult, error) {
	status, ok := statusByName[reply[0]]
	if !ok {
		return hongbao.SnatchResult{}, fmt.Errorf("%w: snatch.lua answers %q", hongbao.ErrUnknown, reply)
	}
	return refusal(c, status, reply[1]), nil
}

var statusByName = func() map[string]hongbao.Status {
	names := map[string]hongbao.Status{}
	for status := range hongbao.Status(hongbao.Statuses) {
		names[status.String()] = status
	}
	return names
}()

// parseUint reads a number that a script of ours has written.
func parseUint(text string) uint64 {
	n, _ := strconv.ParseUint(text, 10, 64)
	return n
}

func parseTime(text string) hongbao.Time { return hongbao.Time(parseUint(text)) }
