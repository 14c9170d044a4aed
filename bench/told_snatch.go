package bench

import (
	"slices"

	"hongbao"
)

// beforeSnatch notes that the request is about to be sent.
func (t *Told) beforeSnatch(ask Snatch) before {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.before(ask.UID)
	if ask.Campaign != 0 {
		t.campaign(ask.Campaign)
	}
	if ask.Key != "" {
		b.key = t.keyed(ask)
		b.played = b.key.underWay > 0 || b.key.unknown || b.key.holding != nil
		b.key.underWay++
	}
	return b
}

func (t *Told) keyed(ask Snatch) *keyed {
	of := keyOf{ask.Campaign, ask.UID, ask.Key}
	k := t.keys[of]
	if k == nil {
		k = &keyed{}
		t.keys[of] = k
	}
	return k
}

// heardSnatch writes down the answer.
func (t *Told) heardSnatch(ask Snatch, b before, answer *Snatched) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tick++
	switch answer.Outcome {
	case Answered:
		t.answeredSnatch(ask, b, answer)
	case Unknown:
		t.unknownSnatch(ask, b, answer)
	case Barred:
		t.barredSnatch(ask, b, answer)
	case Refused, Wrong:
		t.outside(ask.UID, "a snatch", answer.Result)
	}
	if b.key != nil {
		b.key.underWay--
		if *b.key == (keyed{}) {
			delete(t.keys, keyOf{ask.Campaign, ask.UID, ask.Key})
		}
	}
}

func (t *Told) unknownSnatch(ask Snatch, b before, answer *Snatched) {
	k := b.key
	if k == nil && answer.Key != "" { // the server told the key that it had made
		ask.Key = answer.Key
		k = t.keyed(ask)
	}
	if k != nil && k.unknown {
		return
	}
	if k != nil {
		k.unknown = true
	}
	t.player(ask.UID).unknown++
}

// barredSnatch learns one thing: a request whose ticket does not hold is asked of the engine as a replay, so that had its
// key won, the answer would say so.
func (t *Told) barredSnatch(ask Snatch, b before, answer *Snatched) {
	byTicket := answer.Label == "ticket_required" || answer.Label == "ticket_invalid"
	if k := b.key; byTicket && k != nil && k.unknown {
		k.unknown = false
		t.player(ask.UID).unknown--
	}
}

func (t *Told) answeredSnatch(ask Snatch, b before, answer *Snatched) {
	if k := b.key; k != nil && k.unknown {
		// Keeps G7's word: had the first attempt won, this answer would say so.
		k.unknown = false
		t.player(ask.UID).unknown--
	}
	if answer.Status == hongbao.Won {
		t.won(ask, b, answer)
		return
	}
	if k := b.key; k != nil && k.holding != nil && k.holding.wonAt <= b.tick {
		t.differences.add("G7", whereEnvelope(ask.UID, k.holding.envelope), "the key %q had won it, and was answered %s", ask.Key, answer.Status)
	}
	t.checkRefusal(ask, b, answer)
}

// checkRefusal holds the wins that a refusal tells against those told before: Keeps G3 honest.
func (t *Told) checkRefusal(ask Snatch, b before, answer *Snatched) {
	campaign := answer.Campaign
	if campaign == 0 {
		return // the camp API does not say which campaign refused
	}
	if answer.Wins >= 0 && answer.Wins < b.winsIn(campaign) {
		t.differences.add("G3", wherePlayer(ask.UID), "%s with %d wins in campaign %d, after %d were told", answer.Status, answer.Wins, campaign, b.winsIn(campaign))
	}
	switch {
	case answer.Status == hongbao.LimitReached && answer.Wins >= 0 && answer.Wins < max(answer.WinsMax, 1):
		t.differences.add("G3", wherePlayer(ask.UID), "limit_reached with %d of %d wins in campaign %d", answer.Wins, answer.WinsMax, campaign)
	case answer.Status == hongbao.NotSignedUp && slices.Contains(b.signedUp, campaign):
		t.differences.add("G4", wherePlayer(ask.UID), "told signed up for campaign %d, and now not_signed_up", campaign)
	case answer.Status == hongbao.SoldOut && t.campaign(campaign).soldOutAt == 0:
		t.campaign(campaign).soldOutAt = t.tick
	}
	t.raiseWins(ask.UID, campaign, answer.Wins)
}

// won notes a win, new or told again.
func (t *Told) won(ask Snatch, b before, answer *Snatched) {
	h := t.envelopes[answer.Envelope]
	switch {
	case h == nil:
		h = t.take(ask, b, answer)
	case h.uid != ask.UID:
		t.differences.add("G2", whereEnvelope(ask.UID, h.envelope), "player %d was told to hold it", h.uid)
		return
	case h.key != answer.Key:
		t.differences.add("G7", whereEnvelope(ask.UID, h.envelope), "won by the key %q and again by %q", h.key, answer.Key)
		return
	default:
		t.replayed(h, answer)
	}
	ask.Key = answer.Key // also one that the server made can be retried
	k := t.keyed(ask)
	if k.holding != nil && k.holding != h {
		t.differences.add("G7", whereEnvelope(ask.UID, h.envelope), "the key %q had won envelope %d before", ask.Key, k.holding.envelope)
	}
	k.holding = h
}

// take notes an envelope that was not told before.
func (t *Told) take(ask Snatch, b before, answer *Snatched) *holding {
	h := &holding{
		uid: ask.UID, envelope: answer.Envelope, amountFen: answer.AmountFen, key: answer.Key, receipt: answer.Receipt,
		wonAt: t.tick,
	}
	t.envelopes[h.envelope] = h
	p := t.player(ask.UID)
	p.holdings = append(p.holdings, h)
	t.counts.Wins++
	campaign := h.envelope.Campaign()
	if !b.played {
		h.wins = answer.Wins
		t.checkNewWin(h, b, answer)
	}
	t.raiseWins(ask.UID, campaign, answer.Wins)
	return h
}

// checkNewWin checks a win that can't be a replay: it counts itself, keeps the limit, and comes before sold_out.
func (t *Told) checkNewWin(h *holding, b before, answer *Snatched) {
	campaign := h.envelope.Campaign()
	if told := b.winsIn(campaign); answer.Wins <= told {
		t.differences.add("G3", whereEnvelope(h.uid, h.envelope), "a new win that says it is number %d, after %d were told", answer.Wins, told)
	}
	if answer.WinsMax > 0 && answer.Wins > answer.WinsMax {
		t.differences.add("G3", whereEnvelope(h.uid, h.envelope), "win number %d of at most %d", answer.Wins, answer.WinsMax)
	}
	if c := t.campaign(campaign); c.soldOutAt != 0 && c.soldOutAt <= b.tick && c.lateWin == "" {
		c.lateWin = whereEnvelope(h.uid, h.envelope)
	}
}

// replayed checks that a win told again is told alike.
func (t *Told) replayed(h *holding, answer *Snatched) {
	t.counts.Replays++
	if answer.Receipt != h.receipt {
		t.differences.add("G7", whereEnvelope(h.uid, h.envelope), "the receipt was %s and is %s", h.receipt, answer.Receipt)
	}
	t.learnAmount(h, answer.AmountFen, "the win told again")
}

// learnAmount notes an amount, which must never change. 0 is not told.
func (t *Told) learnAmount(h *holding, amountFen int64, from string) {
	switch {
	case amountFen == 0 || amountFen == h.amountFen:
	case h.amountFen == 0:
		h.amountFen = amountFen
	default:
		t.differences.add("G5", whereEnvelope(h.uid, h.envelope), "%d fen were told, and %s says %d", h.amountFen, from, amountFen)
	}
}

func (t *Told) raiseWins(uid uint64, campaign uint32, wins int) {
	p := t.player(uid)
	if wins <= winsIn(p.wins, campaign) {
		return
	}
	raised := make([]campaignWins, 0, len(p.wins)+1)
	for _, w := range p.wins {
		if w.campaign != campaign {
			raised = append(raised, w)
		}
	}
	p.wins = append(raised, campaignWins{campaign, wins})
}
