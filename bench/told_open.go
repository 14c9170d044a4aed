package bench

import "hongbao"

// beforeOpen notes that the request is about to be sent.
func (t *Told) beforeOpen(uid uint64, envelope hongbao.EnvelopeID) before {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h := t.envelopes[envelope]; h != nil && h.uid == uid {
		h.opens++
	}
	return t.before(uid)
}

// heardOpen writes down the answer. Envelopes that were never told, or to somebody else, may be asked for too.
func (t *Told) heardOpen(uid uint64, envelope hongbao.EnvelopeID, b before, answer *Opened) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tick++
	h := t.envelopes[envelope]
	mine := h != nil && h.uid == uid
	switch {
	case answer.Outcome == Unknown && mine:
		h.openUnknown = true
	case answer.Outcome == Refused && answer.Label == "not_found":
		if mine && h.wonAt <= b.tick {
			t.differences.add("G4", whereEnvelope(uid, envelope), "won, and not found when opened")
		}
	case answer.Outcome == Refused, answer.Outcome == Wrong:
		t.outside(uid, "opening", answer.Result)
	case answer.Outcome == Answered && mine:
		h.openUnknown = false
		t.opened(h, b, answer)
	case answer.Outcome == Answered && h != nil:
		t.differences.add("G5", whereEnvelope(uid, envelope), "%s for another player than %d, who won it", answer.Label, h.uid)
	}
}

func (t *Told) opened(h *holding, b before, answer *Opened) {
	again := h.openedAt != 0 && h.openedAt <= b.tick
	if answer.Expired {
		if again {
			t.differences.add("G5", whereEnvelope(h.uid, h.envelope), "told opened before, and now expired")
		}
		return
	}
	t.learnAmount(h, answer.AmountFen, "opening it")
	t.checkFirst(h, answer)
	t.checkBalance(h, b, answer)
	if h.openedAt != 0 {
		t.counts.Reopenings++
		return
	}
	h.openedAt = t.tick
	t.counts.Openings++
	t.player(h.uid).openedFen += answer.AmountFen
}

// checkFirst checks that exactly one opening says that it credited. Keeps G5 honest.
func (t *Told) checkFirst(h *holding, answer *Opened) {
	switch {
	case !answer.TellsFirst:
	case answer.First && h.first:
		t.differences.add("G5", whereEnvelope(h.uid, h.envelope), "credited twice: first was told again")
	case !answer.First && h.opens == 1:
		t.differences.add("G5", whereEnvelope(h.uid, h.envelope), "first=false, although it was never opened before")
	}
	h.first = h.first || answer.First
}

func (t *Told) checkBalance(h *holding, b before, answer *Opened) {
	if answer.BalanceFen < 0 {
		return
	}
	least := max(b.balanceFen, b.openedFen)
	if answer.First {
		least += answer.AmountFen
	}
	if answer.BalanceFen < least {
		t.differences.add("G6", whereEnvelope(h.uid, h.envelope), "the balance after opening is %d fen, and must be at least %d", answer.BalanceFen, least)
	}
	p := t.player(h.uid)
	p.balanceFen = max(p.balanceFen, answer.BalanceFen)
}
