package bench

import "hongbao"

func (t *Told) beforeWallet(uid uint64) before {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.before(uid)
}

// heardWallet holds the first page of a wallet, read at any time, against what the player had been told.
func (t *Told) heardWallet(uid uint64, b before, wallet *Wallet) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tick++
	switch wallet.Outcome {
	case Refused, Wrong:
		t.outside(uid, "reading the wallet", wallet.Result)
	case Answered:
		t.counts.Wallets++
		if wallet.AsOf != 0 {
			return // it says itself that it is of an earlier time
		}
		t.checkShown(uid, b, wallet)
		p := t.player(uid)
		p.balanceFen = max(p.balanceFen, wallet.BalanceFen)
	}
}

// checkShown checks each envelope shown, that none is missing that was told, and the balance.
func (t *Told) checkShown(uid uint64, b before, wallet *Wallet) {
	shown := make(map[hongbao.EnvelopeID]bool, len(wallet.Envelopes))
	for _, e := range wallet.Envelopes {
		shown[e.ID] = true
		t.checkShownEnvelope(uid, b, e)
	}
	if wallet.Next != "" {
		return // what is not on this page may be on another
	}
	for _, h := range t.player(uid).holdings[:b.holdings] {
		if !shown[h.envelope] {
			t.differences.add("G4", whereEnvelope(uid, h.envelope), "won, and not in the wallet")
		}
	}
	t.checkShownBalance(uid, b, wallet)
}

func (t *Told) checkShownEnvelope(uid uint64, b before, e Envelope) {
	h := t.envelopes[e.ID]
	if h == nil {
		return
	}
	if h.uid != uid {
		t.differences.add("G2", whereEnvelope(uid, e.ID), "in the wallet, and player %d was told to hold it", h.uid)
		return
	}
	t.learnAmount(h, e.AmountFen, "the wallet")
	switch {
	case h.openedAt != 0 && h.openedAt <= b.tick && e.State != hongbao.StateOpened:
		t.differences.add("G4", whereEnvelope(uid, e.ID), "told opened, and %s in the wallet", e.State)
	case e.State == hongbao.StateOpened && h.opens == 0:
		t.differences.add("G5", whereEnvelope(uid, e.ID), "opened in the wallet, although nobody asked")
	}
}

func (t *Told) checkShownBalance(uid uint64, b before, wallet *Wallet) {
	if sum := wallet.openedFen(); wallet.BalanceFen != sum {
		t.differences.add("G6", wherePlayer(uid), "the balance is %d fen, and the opened envelopes sum to %d", wallet.BalanceFen, sum)
	}
	if least := max(b.balanceFen, b.openedFen); wallet.BalanceFen < least {
		t.differences.add("G6", wherePlayer(uid), "the balance is %d fen, and must be at least %d", wallet.BalanceFen, least)
	}
}
