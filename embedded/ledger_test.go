package embedded

import (
	"cmp"
	"maps"
	"slices"
	"testing"

	"hongbao"
	"hongbao/audit"
)

// ledger is what a journal amounts to, counted anew from its first event.
type ledger struct {
	campaigns map[uint32]*hongbao.Campaign
	progress  map[uint32]hongbao.Progress
	holders   map[hongbao.EnvelopeID]uint64
	wallets   map[uint64]*hongbao.Wallet
	wins      map[rightKey]int
	signedUp  map[rightKey]bool
	dayWins   map[dayWins]int
}

type dayWins struct {
	uid  uint64
	kind hongbao.Kind
	day  int32
}

func readLedger(t testing.TB, e *Engine) *ledger {
	t.Helper()
	l := &ledger{
		campaigns: map[uint32]*hongbao.Campaign{}, progress: map[uint32]hongbao.Progress{}, holders: map[hongbao.EnvelopeID]uint64{},
		wallets: map[uint64]*hongbao.Wallet{}, wins: map[rightKey]int{}, signedUp: map[rightKey]bool{}, dayWins: map[dayWins]int{},
	}
	for entry, err := range e.Journal(t.Context(), "") {
		if err != nil {
			t.Fatal("read the journal:", err)
		}
		if err := l.add(entry.Event); err != nil {
			t.Fatalf("%s: %v", entry.Position, err)
		}
	}
	return l
}

func (l *ledger) add(e *hongbao.Event) (err error) {
	p, key := l.progress[e.Campaign], rightKey{e.UID, e.Campaign}
	switch e.Kind {
	case hongbao.CampaignCreated, hongbao.CampaignRevised, hongbao.CampaignSealed:
		l.campaigns[e.Campaign], err = l.campaigns[e.Campaign].After(e)
	case hongbao.EnvelopeWon:
		p.Taken.Add(e.AmountFen)
		l.wins[key]++
		l.dayWins[dayWins{e.UID, l.campaigns[e.Campaign].Rules().Kind, e.Day}]++
		l.holders[e.Envelope] = e.UID
		w := l.wallet(e.UID)
		w.Envelopes = append(w.Envelopes, hongbao.Envelope{ID: e.Envelope, AmountFen: e.AmountFen, WonAt: e.At, ExpiresAt: e.ExpiresAt, Key: e.Key})
	case hongbao.EnvelopeOpened:
		p.Opened.Add(e.AmountFen)
		l.wallet(e.UID).BalanceFen += e.AmountFen
		l.close(e, hongbao.StateOpened)
	case hongbao.EnvelopeRefunded:
		p.Refunded.Add(e.AmountFen)
		l.close(e, hongbao.StateRefunded)
	case hongbao.PlayerSignedUp:
		p.SignedUp++
		l.signedUp[key] = true
	}
	l.progress[e.Campaign] = p
	return err
}

func (l *ledger) wallet(uid uint64) *hongbao.Wallet {
	if l.wallets[uid] == nil {
		l.wallets[uid] = &hongbao.Wallet{}
	}
	return l.wallets[uid]
}

func (l *ledger) close(e *hongbao.Event, state hongbao.EnvelopeState) {
	list := l.wallet(e.UID).Envelopes
	i := slices.IndexFunc(list, func(held hongbao.Envelope) bool { return held.ID == e.Envelope })
	list[i].State, list[i].ClosedAt = state, e.At
}

// checkTruth holds an engine at rest, its memory and its views against its journal, and the journal against G1-G8.
func checkTruth(t testing.TB, e *Engine) *ledger {
	t.Helper()
	l := readLedger(t, e)
	checkCampaigns(t, e, l)
	checkPlayers(t, e, l)
	checkAudit(t, e)
	return l
}

func checkCampaigns(t testing.TB, e *Engine, l *ledger) {
	t.Helper()
	if len(e.Campaigns()) != len(l.campaigns) {
		t.Errorf("there are %d campaigns, the journal has %d", len(e.Campaigns()), len(l.campaigns))
	}
	for id, want := range l.campaigns {
		c, is := e.registry.find(id), e.Campaigns()[id-1]
		if is.Revision() != want.Revision() || (is.Seal == nil) != (want.Seal == nil) || *is.Rules() != *want.Rules() {
			t.Errorf("campaign %d is at revision %d (seal %v), the journal's at %d (seal %v)", id, is.Revision(), is.Seal, want.Revision(), want.Seal)
		}
		if p := e.Progress(id); p != l.progress[id] {
			t.Errorf("campaign %d has come to %+v, the journal to %+v", id, p, l.progress[id])
		}
		if c.settled.Load() {
			continue
		}
		if c.supply.next != l.progress[id].Taken.Count || c.issued.Load() != c.supply.next {
			t.Errorf("campaign %d goes on with number %d (%d), the journal has %d", id, c.supply.next, c.issued.Load(), l.progress[id].Taken.Count)
		}
	}
}

func checkPlayers(t testing.TB, e *Engine, l *ledger) {
	t.Helper()
	for uid, want := range l.wallets {
		checkWallet(t, e, uid, *want)
		for _, envelope := range want.Envelopes {
			checkHolder(t, e, uid, envelope)
		}
	}
	today := e.calendar.Day(e.Now())
	for day, want := range l.dayWins {
		if known := e.players.of(day.uid).players[day.uid]; day.day == today && known.winsOn(today, day.kind) != want {
			t.Errorf("player %d has %d %s wins today, the journal has %d", day.uid, known.winsOn(today, day.kind), day.kind, want)
		}
	}
	checkRights(t, e, l)
}

// checkRights compares the counters of campaigns that are not settled, both ways.
func checkRights(t testing.TB, e *Engine, l *ledger) {
	t.Helper()
	want := map[rightKey]right{}
	for key, wins := range l.wins {
		want[key] = right{wins: uint32(wins)}
	}
	for key := range l.signedUp {
		want[key] = right{wins: want[key].wins, signedUp: true}
	}
	maps.DeleteFunc(want, func(key rightKey, _ right) bool { return e.registry.find(key.campaign).settled.Load() })
	is := map[rightKey]right{}
	for i := range e.players {
		maps.Copy(is, e.players[i].rights)
	}
	maps.DeleteFunc(is, func(_ rightKey, r right) bool { return r == right{} })
	if !maps.Equal(is, want) {
		t.Errorf("players' rights are %v, the journal's %v", is, want)
	}
}

func checkHolder(t testing.TB, e *Engine, uid uint64, envelope hongbao.Envelope) {
	number := envelope.ID.Number()
	tranche := e.registry.find(envelope.ID.Campaign()).supply.of(number)
	if tranche == nil {
		return
	}
	held := holder(tranche.holder(number).Load())
	if held != newHolder(uid, envelope.State) || tranche.amount(number) != envelope.AmountFen {
		t.Errorf("envelope %d of %d fen is player %d's and %s, the journal has %d fen, player %d, %s",
			envelope.ID, tranche.amount(number), held.uid(), held.state(), envelope.AmountFen, uid, envelope.State)
	}
}

func checkWallet(t testing.TB, e *Engine, uid uint64, want hongbao.Wallet) {
	t.Helper()
	is, err := e.Wallet(t.Context(), hongbao.WalletRequest{UID: uid, Limit: len(want.Envelopes) + 1})
	if err != nil {
		t.Fatal(err)
	}
	order := func(a, b hongbao.Envelope) int { return cmp.Or(cmp.Compare(b.WonAt, a.WonAt), cmp.Compare(b.ID, a.ID)) }
	sorted := slices.SortedFunc(slices.Values(want.Envelopes), order)
	if is.BalanceFen != want.BalanceFen || is.More || !slices.Equal(is.Envelopes, sorted) {
		t.Errorf("the wallet of player %d is\n%+v, the journal's\n%+v", uid, is, want)
	}
}

// checkAudit puts journal and books through the audit, and follows from the engine's secret what it drew and cut.
func checkAudit(t testing.TB, e *Engine) {
	t.Helper()
	if err := e.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	books, err := e.Books(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer books.Close()
	secret := e.Secret()
	report, err := audit.Run(t.Context(), e, audit.Options{Books: books, Secret: &secret})
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range report.Checks {
		if !check.OK {
			t.Errorf("audit of %s: %v", check.Name, check.Differences)
		}
	}
}
