package audit

import (
	"encoding/binary"
	"hash/maphash"
	"time"

	"hongbao"
)

// won judges a win by the rules in force, and takes the envelope.
func (a *auditor) won(c *campaign, e *hongbao.Event) {
	if c.Seal != nil {
		a.fail(checkOrder, "it was sealed at %s", c.Seal.At)
		return
	}
	revision := a.revisionOf(c, e)
	rules := &revision.Rules
	holder := a.players.index(e.UID)
	a.checkOpen(c, rules, holder)
	a.checkKey(c, e)
	a.checkWins(c, rules, holder)
	a.checkDayWins(rules, holder)
	if expires := rules.ExpiresAt(); e.ExpiresAt != expires {
		a.fail(checkG5, "it expires at %s by the rules, and says %s", expires, e.ExpiresAt)
	}
	if !a.checkNumber(c, e.Envelope.Number()) {
		return
	}
	c.taken.Add(e.AmountFen)
	a.checkBudget(c, rules)
	a.checkAmount(c, e)
	a.checkLuck(c, rules)
	a.checkLot(c, rules)
	*c.envelopes.extend(e.Envelope.Number()) = envelope{
		amountFen: e.AmountFen, holder: holder, revision: revision.Number, won: true,
		imprint: a.imprint(e.Key, e.At, e.ExpiresAt),
	}
}

// checkOpen judges whether anything could be won then.
func (a *auditor) checkOpen(c *campaign, rules *hongbao.Rules, holder uint32) {
	at := a.event.At
	switch {
	case at < rules.OpensAt:
		a.fail(checkOrder, "it opens at %s", rules.OpensAt)
	case at >= rules.ClosesAt:
		a.fail(checkOrder, "it closed at %s", rules.ClosesAt)
	case rules.Paused:
		a.fail(checkOrder, "it was paused")
	case rules.Signup != hongbao.SignupNone:
		if _, ok := c.signedUp[holder]; !ok {
			a.fail(checkOrder, "the player had not signed up")
		}
	}
}

// checkWins counts the player's wins in the campaign. Checks G3.
func (a *auditor) checkWins(c *campaign, rules *hongbao.Rules, holder uint32) {
	e, known := a.event, a.wins(c, holder)
	wins := int(*known) + 1
	switch {
	case e.Wins != wins:
		a.fail(checkG3, "it is the player's win %d in the campaign, and says %d", wins, e.Wins)
	case e.WinsMax != rules.WinsMax:
		a.fail(checkG3, "wins_max is %d by the rules, and it says %d", rules.WinsMax, e.WinsMax)
	case rules.WinsMax > 0 && wins > rules.WinsMax:
		a.fail(checkG3, "it is the player's win %d in the campaign, of at most %d", wins, rules.WinsMax)
	}
	*known = uint32(e.Wins)
}

// checkDayWins counts the player's wins on the day in all campaigns of the kind. Checks G3.
func (a *auditor) checkDayWins(rules *hongbao.Rules, holder uint32) {
	e, known := a.event, a.players.at(holder).dayWins(rules.Kind)
	if day := a.day(known); e.Day != day {
		a.fail(checkG3, "it is day %d of the calendar, and it says %d", day, e.Day)
	}
	if e.Day != known.day {
		*known = dayWins{day: e.Day}
	}
	wins := int(known.wins) + 1
	switch {
	case e.DayWins != wins && !a.alone:
		a.fail(checkG3, "it is the player's win %d on the day, and says %d", wins, e.DayWins)
	case e.DailyWinsMax != rules.DailyWinsMax:
		a.fail(checkG3, "daily_wins_max is %d by the rules, and it says %d", rules.DailyWinsMax, e.DailyWinsMax)
	case rules.DailyWinsMax > 0 && e.DayWins > rules.DailyWinsMax:
		a.fail(checkG3, "it is the player's win %d on the day, of at most %d", e.DayWins, rules.DailyWinsMax)
	}
	known.wins = uint32(e.DayWins)
}

// day is the day of the event at hand: by the calendar, or while no zone is known any that is not before the player's last.
func (a *auditor) day(known *dayWins) int32 {
	if a.calendar != nil {
		return a.calendar.Day(a.event.At)
	}
	return max(a.event.Day, known.day)
}

// checkNumber reports whether the envelope was free. Checks G2.
func (a *auditor) checkNumber(c *campaign, number uint64) bool {
	if before := c.envelopes.at(number); before != nil && before.won {
		a.fail(checkG2, "uid %d won it before", a.players.at(before.holder).uid)
		return false
	}
	if number != c.next && !a.options.Leased {
		a.fail(checkOrder, "number %d comes now, not %d", c.next, number)
	}
	c.next = number + 1
	return true
}

// checkBudget holds what is taken against the budget in force. Where numbers are leased, a win may have been decided under
// an earlier revision while others already took from what a later one added: it counts in that. Checks G1.
func (a *auditor) checkBudget(c *campaign, rules *hongbao.Rules) {
	if a.options.Leased {
		rules = c.Rules()
	}
	budget, taken := &rules.Budget, c.taken
	switch {
	case taken.Count > budget.Count || taken.TotalFen > budget.TotalFen:
		a.fail(checkG1, "with it %d envelopes of %d fen are taken, of at most %d of %d fen",
			taken.Count, taken.TotalFen, budget.Count, budget.TotalFen)
	case taken.Count == budget.Count && taken.TotalFen != budget.TotalFen:
		a.fail(checkG1, "with it all %d envelopes are taken, and %d fen of %d", taken.Count, taken.TotalFen, budget.TotalFen)
	}
}

// checkAmount holds the amount against its segment's bounds and, when the seed is known, recomputes it. Checks G1, G8.
func (a *auditor) checkAmount(c *campaign, e *hongbao.Event) {
	segment := c.segmentOf(e.Envelope.Number())
	switch {
	case segment == nil:
		a.fail(checkG1, "no budget of the campaign has number %d", e.Envelope.Number())
		return
	case e.AmountFen < segment.MinFen || e.AmountFen > segment.MaxFen:
		a.fail(checkG1, "its amount is %d fen, outside %d to %d", e.AmountFen, segment.MinFen, segment.MaxFen)
	}
	if c.seed == nil {
		return
	}
	if amount := a.cuts.amount(c.seed, c.ID, segment, e.Envelope.Number()); e.AmountFen != amount {
		a.fail(checkG8, "its amount is %d fen by the seed, and it says %d", amount, e.AmountFen)
	}
}

// checkLuck judges draw and pace. Checks G8.
func (a *auditor) checkLuck(c *campaign, rules *hongbao.Rules) {
	e := a.event
	if rules.Pace == hongbao.PaceLinear {
		if allowed := c.Allowed(e.At); c.taken.Count > allowed {
			a.fail(checkG8, "the pace allows %d envelopes by then, and with it %d are taken", allowed, c.taken.Count)
		}
	}
	if rules.Chance == hongbao.ChanceCertain || c.seed == nil {
		return
	}
	if !rules.Chance.Wins(c.seed.Draw(c.ID, e.UID, e.Key)) {
		a.fail(checkG8, "its draw with key %q does not win at chance %s", e.Key, rules.Chance)
	}
}

// checkLot judges whether the campaign's fair start had admitted the player: before its end nobody, and as long again after
// it only those whose number in the lottery has come up. Checks G8.
func (a *auditor) checkLot(c *campaign, rules *hongbao.Rules) {
	e, over := a.event, rules.OpensAt.Add(rules.FairStart)
	switch {
	case rules.FairStart == 0 || e.At >= over.Add(rules.FairStart):
	case e.At < over:
		a.fail(checkG8, "its fair start admits nobody before %s", over)
	case c.seed != nil:
		delay := hongbao.LotDelay(c.seed.Lot(c.ID, e.UID), rules.FairStart)
		if admitted := over.Add(hongbao.Duration(delay.Truncate(time.Millisecond))); e.At < admitted {
			a.fail(checkG8, "by the lottery the player is admitted at %s", admitted)
		}
	}
}

// imprint is a hash of what the books say of a win beyond holder, amount and state.
func (a *auditor) imprint(key string, won, expires hongbao.Time) uint32 {
	var times [16]byte
	binary.LittleEndian.PutUint64(times[:], uint64(won))
	binary.LittleEndian.PutUint64(times[8:], uint64(expires))
	return uint32(maphash.Bytes(a.random, times[:]) ^ maphash.String(a.random, key)*3)
}

// closedImprint goes on with when the envelope was opened or refunded.
func closedImprint(imprint uint32, at hongbao.Time) uint32 {
	return uint32(mix(uint64(imprint)<<32 ^ uint64(at)))
}
