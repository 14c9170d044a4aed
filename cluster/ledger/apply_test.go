package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"hongbao"
)

// playersOf reads everything about everybody.
func playersOf(t testing.TB, l *Ledger) map[uint64]Player {
	t.Helper()
	s := snapshotOf(t, l)
	players := map[uint64]Player{}
	last := int64(-1)
	must(t, s.Players(t.Context(), func(p *Player) error {
		if int64(p.UID) <= last {
			t.Errorf("player %d comes after %d", p.UID, last)
		}
		last = int64(p.UID)
		players[p.UID] = Player{p.UID, p.BalanceFen, slices.Clone(p.Envelopes), slices.Clone(p.Signups)}
		return nil
	}))
	return players
}

func snapshotOf(t testing.TB, l *Ledger) *Snapshot {
	t.Helper()
	s, err := l.Snapshot(t.Context())
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// verify walks the whole journal and counts its events.
func verify(t testing.TB, l *Ledger) (events int) {
	t.Helper()
	for _, err := range snapshotOf(t, l).Entries(t.Context(), nil) {
		must(t, err)
		events++
	}
	return events
}

func whats(t testing.TB, list []Finding, err error) (all []string) {
	t.Helper()
	must(t, err)
	for _, f := range list {
		all = append(all, fmt.Sprintf("%d/%d %s", f.Shard, f.Seq, f.What))
	}
	return all
}

func conflictsOf(t testing.TB, l *Ledger) []string {
	t.Helper()
	list, err := l.ConflictList(t.Context(), 1000)
	if n, e := l.Conflicts(t.Context()); e != nil || n != uint64(len(list)) {
		t.Errorf("%d conflicts are counted and %d listed; %v", n, len(list), e)
	}
	return whats(t, list, err)
}

func TestEventsBecomeBooks(t *testing.T) {
	l, s := newLedger(t, 2), newScript(2)
	const uid = hongbao.UIDMax
	w1, w2, w3 := s.won(1, uid), s.won(1, uid), s.won(1, uid)
	w1.AmountFen, w1.Day, w1.Wins, w1.WinsMax = 7, -1, 5, 5
	w2.AmountFen, w2.DayWins, w2.DailyWinsMax = 30, 4, 3
	w3.AmountFen, w3.Wins, w3.WinsMax = hongbao.TotalFenMax, 6, 5
	batch := []Delivery{
		s.deliver(0, created(1)), s.deliver(0, revised(1, 2)), s.deliver(0, hongbao.Event{Kind: hongbao.SystemRecorded, Name: "timezone", Data: []byte("UTC")}),
		s.deliver(1, signedUp(1, 5)), s.deliver(1, signedUp(1, uid)),
		s.deliver(1, w1), s.deliver(1, w2), s.deliver(1, w3), s.deliver(1, opened(w1)),
	}
	apply(t, l, batch)
	apply(t, l, []Delivery{s.deliver(1, opened(w3)), s.deliver(1, refunded(w2)), s.deliver(0, sealed(1, 2))})

	players := playersOf(t, l)
	if got, want := players[5], (Player{UID: 5, Signups: []uint32{1}}); !equalPlayers(got, want) {
		t.Errorf("%+v; must be %+v", got, want)
	}
	at := func(i int) hongbao.Time { return start + hongbao.Time(i) }
	envelope := func(w hongbao.Event, wonAt, closedAt int, state hongbao.EnvelopeState) PlayerEnvelope {
		return PlayerEnvelope{hongbao.Envelope{
			ID: w.Envelope, State: state, AmountFen: w.AmountFen, WonAt: at(wonAt), ExpiresAt: w.ExpiresAt, ClosedAt: at(closedAt), Key: w.Key,
		}, 1, w.Day}
	}
	want := Player{uid, 7 + hongbao.TotalFenMax, []PlayerEnvelope{
		envelope(w1, 5, 8, hongbao.StateOpened), envelope(w2, 6, 10, hongbao.StateRefunded), envelope(w3, 7, 9, hongbao.StateOpened),
	}, []uint32{1}}
	if got := players[uid]; !equalPlayers(got, want) {
		t.Errorf("%+v\nmust be %+v", got, want)
	}
	progress, err := l.Progress(t.Context(), 1)
	wantProgress := hongbao.Progress{
		Taken: hongbao.Tally{Count: 3, TotalFen: 37 + hongbao.TotalFenMax}, Opened: hongbao.Tally{Count: 2, TotalFen: 7 + hongbao.TotalFenMax},
		Refunded: hongbao.Tally{Count: 1, TotalFen: 30}, SignedUp: 2,
	}
	if progress != wantProgress || err != nil {
		t.Errorf("%+v, %v; must be %+v", progress, err, wantProgress)
	}
	flags, err := l.FlagList(t.Context(), 10)
	if got := whats(t, flags, err); !slices.Equal(got, []string{"1/4 above_daily_wins_max", "1/5 above_wins_max"}) {
		t.Errorf("flags %v", got)
	}
	if c := conflictsOf(t, l); len(c) > 0 {
		t.Errorf("conflicts %v", c)
	}
	marks, err := l.Marks(t.Context())
	must(t, err)
	if m := marks[1]; m.Seq != 8 || m.Epoch != 1 || m.Offset != 8 || m.At != at(10) {
		t.Errorf("mark %+v", m)
	}
	kinds := ""
	events, err := l.CampaignEvents(t.Context())
	must(t, err)
	for i := range events {
		kinds += events[i].Kind.String() + " "
	}
	if kinds != "created revised sealed " || *events[0].Rules != *rulesOf("rain-1") {
		t.Errorf("%s%+v", kinds, events[0].Rules)
	}
	if n := verify(t, l); n != 12 {
		t.Errorf("%d events", n)
	}
}

func equalPlayers(a, b Player) bool {
	return a.UID == b.UID && a.BalanceFen == b.BalanceFen && slices.Equal(a.Envelopes, b.Envelopes) && slices.Equal(a.Signups, b.Signups)
}

func TestDuplicatesAreSkipped(t *testing.T) {
	l, s := newLedger(t, 1), newScript(1)
	all := s.wins(10)
	// Within one batch, and from before; each time at a place of its own in Kafka.
	o, err := l.Apply(t.Context(), append(slices.Clone(all[:6]), moved(all[2:6], 6)...))
	if err != nil || o.Applied != 6 || o.Next[0] != 10 {
		t.Fatal(o, err)
	}
	o, err = l.Apply(t.Context(), moved(all, 10))
	if err != nil || o.Applied != 5 || o.Next[0] != 21 {
		t.Fatal(o, err)
	}
	o, err = l.Apply(t.Context(), moved(all[3:5], 21))
	marks, _ := l.Marks(t.Context())
	if err != nil || o.Applied != 0 || o.Next[0] != 23 || marks[0].Offset != 23 || marks[0].Seq != 11 {
		t.Fatal(o, err, marks)
	}
	if n := verify(t, l); n != 11 || len(playersOf(t, l)) != 10 {
		t.Errorf("%d events", n)
	}
}

// moved are the same records from another offset on.
func moved(all []Delivery, offset int64) []Delivery {
	all = slices.Clone(all)
	for i := range all {
		all[i].Offset = offset + int64(i)
	}
	return all
}

func TestADivergingDuplicateIsBroken(t *testing.T) {
	l, s := newLedger(t, 2), newScript(2)
	all := s.wins(4)
	apply(t, l, all[:4])
	other := s.won(1, 99)
	other.At = s.now
	otherEvent := hongbao.AppendEvent(nil, &other)
	for name, change := range map[string]func(*Delivery){
		"another event in the books":    func(d *Delivery) { d.Event = otherEvent },
		"another epoch in the books":    func(d *Delivery) { d.Epoch++ },
		"a sequence before the first":   func(d *Delivery) { d.Seq = 0 },
		"another event within a batch":  func(d *Delivery) { d.Seq, d.Event = 5, otherEvent },
		"another epoch within a batch":  func(d *Delivery) { d.Seq, d.Epoch, d.Event = 5, 2, all[4].Event },
		"an event that can't be read":   func(d *Delivery) { d.Event = []byte{99} },
		"a shard that the ledger lacks": func(d *Delivery) { d.Shard = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			bad := all[2]
			change(&bad)
			// The good events around it, of other shards too, are not applied either.
			_, err := l.Apply(t.Context(), []Delivery{newScript(2).deliver(1, signedUp(1, 7)), all[4], bad})
			var diverged *DivergedError
			if !errors.Is(err, hongbao.ErrBroken) {
				t.Fatal(err)
			}
			if errors.As(err, &diverged) && (diverged.Shard != 0 || diverged.Seq != bad.Seq) {
				t.Errorf("%+v", diverged)
			}
			if n := verify(t, l); n != 4 {
				t.Errorf("%d events are in the journal", n)
			}
		})
	}
	apply(t, l, all[4:])
}

// TestAPastThatWasGivenUpIsPassedOver makes a shard anew behind its fourth event: what its past may still send, before or
// after the events that take its place, changes nothing and stops nothing. Keeps G2.
func TestAPastThatWasGivenUpIsPassedOver(t *testing.T) {
	l, s := newLedger(t, 2), newScript(2)
	all := s.wins(8)
	apply(t, l, all[:4])
	mark := func() Mark {
		marks, err := l.Marks(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return marks[0]
	}
	lost := slices.DeleteFunc(slices.Clone(all[4:]), func(d Delivery) bool { return d.Shard != 0 })
	if err := l.Fence(t.Context(), 0, s.epoch+1); err != nil {
		t.Fatal(err)
	}
	anew := slices.Clone(lost[:2])
	for i := range anew {
		anew[i].Epoch++
		event := signedUp(1, uint64(70+i))
		event.At = s.now
		anew[i].Event = hongbao.AppendEvent(nil, &event)
	}
	before := mark()
	for _, batch := range [][]Delivery{lost, moved(anew, 50), moved(lost, 60)} {
		o, err := l.Apply(t.Context(), batch)
		if err != nil || o.Applied+o.Superseded != len(batch) || o.Applied > 0 && o.Superseded > 0 {
			t.Fatalf("%+v, %v", o, err)
		}
	}
	if after := mark(); after.Seq != before.Seq+2 || after.Epoch != s.epoch+1 {
		t.Errorf("the mark went from %+v to %+v", before, after)
	}
	verify(t, l)
}

func TestAGapStopsOnlyItsShard(t *testing.T) {
	l, s := newLedger(t, 3), newScript(3)
	apply(t, l, []Delivery{s.deliver(0, created(1))})
	var all []Delivery
	for i := range 9 {
		all = append(all, s.deliver(i%3, s.won(1, uint64(i))))
	}
	var gap *GapError
	// Shard 1 loses its second of three.
	batch := slices.Delete(slices.Clone(all), 4, 5)
	o, err := l.Apply(t.Context(), batch)
	if !errors.As(err, &gap) || *gap != (GapError{1, 2, 3}) || !errors.Is(err, hongbao.ErrBroken) {
		t.Fatal(err)
	}
	if o.Applied != 7 || !reflect.DeepEqual(o.Next, map[int]int64{0: 4, 1: 2, 2: 3}) {
		t.Errorf("%+v", o)
	}
	marks, _ := l.Marks(t.Context())
	if marks[0].Seq != 4 || marks[1].Seq != 1 || marks[1].Offset != 1 || marks[2].Seq != 3 {
		t.Errorf("%+v", marks)
	}
	apply(t, l, []Delivery{all[4], all[7]})
	if len(playersOf(t, l)) != 9 {
		t.Error("not everything arrived")
	}
}

func TestAnEventWaitsForItsRevision(t *testing.T) {
	l, s := newLedger(t, 2), newScript(2)
	make1, make2 := s.deliver(0, created(1)), s.deliver(0, revised(1, 2))
	first, second := s.won(1, 1), s.won(1, 2)
	second.Revision = 2
	a, b, c := s.deliver(1, first), s.deliver(1, second), s.deliver(1, opened(first))

	steps := []struct {
		batch   []Delivery
		applied int
		next    map[int]int64
	}{
		{[]Delivery{a, b}, 0, map[int]int64{1: 0}},                  // no campaign
		{[]Delivery{a, b, c, make1}, 2, map[int]int64{0: 1, 1: 1}},  // the campaign comes with it, and not yet its revision
		{[]Delivery{a, b, c}, 0, map[int]int64{1: 1}},               // a is known and skipped
		{[]Delivery{b, c, make2}, 3, map[int]int64{0: 2, 1: 3}},     // both
		{[]Delivery{make1, make2, a}, 0, map[int]int64{0: 2, 1: 1}}, // all known
	}
	for i, step := range steps {
		o, err := l.Apply(t.Context(), step.batch)
		if err != nil || o.Applied != step.applied || !reflect.DeepEqual(o.Next, step.next) {
			t.Fatalf("step %d: %+v, %v; must be %d, %v", i, o, err, step.applied, step.next)
		}
	}
}

// A conflict is never paid, whether it comes with what it contradicts or later.
func TestAConflictIsNeverPaid(t *testing.T) {
	for _, together := range []bool{true, false} {
		t.Run(fmt.Sprint("in one batch: ", together), func(t *testing.T) {
			l, s := newLedger(t, 3), newScript(3)
			first, lone, small := s.won(1, 1), s.won(1, 4), s.won(1, 4)
			thief, nobody, other := first, first, opened(small)
			thief.UID, nobody.Envelope, other.AmountFen = 2, hongbao.NewEnvelopeID(1, 77), small.AmountFen+1
			all := []Delivery{
				s.deliver(0, created(1)), s.deliver(1, first), s.deliver(1, lone), s.deliver(1, small),
				s.deliver(1, first),          // 1/4: won again by its holder
				s.deliver(2, thief),          // 2/1: won by a second one
				s.deliver(2, opened(thief)),  // 2/2: who opens it
				s.deliver(1, opened(first)),  //
				s.deliver(1, opened(first)),  // 1/6: opened again
				s.deliver(1, refunded(lone)), //
				s.deliver(1, opened(lone)),   // 1/8: opened after the refund
				s.deliver(1, opened(nobody)), // 1/9: nobody won it
				s.deliver(1, other),          // 1/10: of another amount
			}
			if together {
				apply(t, l, all)
			}
			for i := range all {
				if !together {
					apply(t, l, all[i:i+1])
				}
			}
			want := []string{
				"1/4 second_holder", "2/1 second_holder", "2/2 not_holder", "1/6 not_held", "1/8 not_held", "1/9 not_won", "1/10 other_amount",
			}
			if got := conflictsOf(t, l); !slices.Equal(got, want) {
				t.Errorf("conflicts %v\nmust be %v", got, want)
			}
			players := playersOf(t, l)
			if len(players) != 2 || players[1].BalanceFen != first.AmountFen || len(players[1].Envelopes) != 1 || players[4].BalanceFen != 0 {
				t.Errorf("%+v", players)
			}
			if n := verify(t, l); n != len(all) {
				t.Errorf("%d of %d events are in the journal", n, len(all))
			}
		})
	}
}

func TestACampaignsEventsMustFollow(t *testing.T) {
	l, s := newLedger(t, 1), newScript(1)
	apply(t, l, []Delivery{s.deliver(0, created(1)), s.deliver(0, created(3)), s.deliver(0, sealed(3, 1))})
	sameName := created(2)
	sameName.Rules = rulesOf("rain-1")
	for name, e := range map[string]hongbao.Event{
		"created again": created(1), "of nowhere": revised(2, 1), "a revision left out": revised(1, 3), "the same revision": revised(1, 1),
		"revised after the seal": revised(3, 2), "sealed again": sealed(3, 1), "sealed at another revision": sealed(1, 2), "the name of another": sameName,
	} {
		again := *s
		again.seqs, again.offsets = slices.Clone(s.seqs), slices.Clone(s.offsets)
		_, err := l.Apply(t.Context(), []Delivery{again.deliver(0, e)})
		if !errors.Is(err, hongbao.ErrBroken) || !strings.Contains(err.Error(), "shard 0, sequence 4: campaign") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTwoWritersApplyEverythingOnce(t *testing.T) {
	const shards, events, writers = 4, 3000, 3
	l, s := newLedger(t, shards), newScript(shards)
	all, want := randomPlay(s, rand.New(rand.NewPCG(1, 1)), events)
	errs := make(chan error)
	var applied, busy [writers]int
	for n := range writers {
		w := openLedger(t, dsnOfLedger(t, l))
		go func() {
			random := rand.New(rand.NewPCG(2, uint64(n)))
			var err error
			for from := 0; from < len(all) && err == nil; {
				to := min(from+1+random.IntN(200), len(all))
				var o Outcome
				o, err = w.Apply(t.Context(), all[from:to])
				applied[n] += o.Applied
				switch {
				case errors.Is(err, hongbao.ErrBusy) && busy[n] < 10*events:
					busy[n]++
					err = nil
				case err == nil:
					from = to
				}
			}
			errs <- err
		}()
	}
	for range writers {
		must(t, <-errs)
	}
	t.Logf("applied %v, busy %v", applied, busy)
	if sum := applied[0] + applied[1] + applied[2]; sum != len(all) {
		t.Errorf("%d of %d events were applied", sum, len(all))
	}
	want.compare(t, l)
}

// A writer whose view is old loses the compare-and-set.
func TestALostCompareAndSetAppliesNothing(t *testing.T) {
	l, s := newLedger(t, 1), newScript(1)
	all := s.wins(5)
	apply(t, l, all[:2])
	parts, err := split(all[2:4])
	must(t, err)
	tx, err := l.db.Begin()
	must(t, err)
	defer tx.Rollback()
	b, err := read(t.Context(), tx, parts, false)
	must(t, err)
	must(t, b.decide())
	apply(t, l, all[2:3])
	if err := b.write(t.Context(), tx); !errors.Is(err, hongbao.ErrBusy) {
		t.Fatal(err)
	}
	must(t, tx.Rollback())
	if n := verify(t, l); n != 3 {
		t.Errorf("%d events are in the journal", n)
	}
	if o, err := l.Apply(t.Context(), all); o.Applied != 3 || err != nil {
		t.Error(o, err)
	}
}

// TestBooksAreThoseOfTheModel delivers a random play in random batches, some of them twice, and compares the books with
// what a simple reading of the events says.
func TestBooksAreThoseOfTheModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	const shards = 5
	l, s := newLedger(t, shards), newScript(shards)
	all, want := randomPlay(s, random, 6000)
	for from := 0; from < len(all); {
		// Some come again, in order within their shard: from an earlier place on.
		begin := max(0, from-random.IntN(300)*random.IntN(2))
		to := min(from+1+random.IntN(1500), len(all))
		o, err := l.Apply(t.Context(), all[begin:to])
		must(t, err)
		if o.Applied != to-from {
			t.Fatalf("%d events were applied of %d", o.Applied, to-from)
		}
		from = to
	}
	want.compare(t, l)
}

// model is the books as a simple reading of events makes them.
type model struct {
	players   map[uint64]*Player
	holders   map[hongbao.EnvelopeID]uint64
	conflicts int
	events    int
}

func (m *model) player(uid uint64) *Player {
	if m.players[uid] == nil {
		m.players[uid] = &Player{UID: uid}
	}
	return m.players[uid]
}

func (m *model) apply(e *hongbao.Event) {
	m.events++
	switch e.Kind {
	case hongbao.PlayerSignedUp:
		if p := m.player(e.UID); !slices.Contains(p.Signups, e.Campaign) {
			p.Signups = append(p.Signups, e.Campaign)
			slices.Sort(p.Signups)
		}
	case hongbao.EnvelopeWon:
		if _, taken := m.holders[e.Envelope]; taken {
			m.conflicts++
			return
		}
		m.holders[e.Envelope] = e.UID
		p := m.player(e.UID)
		p.Envelopes = append(p.Envelopes, PlayerEnvelope{hongbao.Envelope{
			ID: e.Envelope, AmountFen: e.AmountFen, WonAt: e.At, ExpiresAt: e.ExpiresAt, Key: e.Key,
		}, e.Revision, e.Day})
	case hongbao.EnvelopeOpened, hongbao.EnvelopeRefunded:
		m.close(e)
	}
}

func (m *model) close(e *hongbao.Event) {
	if uid, won := m.holders[e.Envelope]; !won || uid != e.UID {
		m.conflicts++
		return
	}
	p := m.player(e.UID)
	i := slices.IndexFunc(p.Envelopes, func(x PlayerEnvelope) bool { return x.ID == e.Envelope })
	if x := &p.Envelopes[i]; x.State != hongbao.StateHeld {
		m.conflicts++
	} else if x.ClosedAt = e.At; e.Kind == hongbao.EnvelopeOpened {
		x.State = hongbao.StateOpened
		p.BalanceFen += x.AmountFen
	} else {
		x.State = hongbao.StateRefunded
	}
}

func (m *model) compare(t *testing.T, l *Ledger) {
	t.Helper()
	got := playersOf(t, l)
	if len(got) != len(m.players) {
		t.Errorf("%d players; must be %d", len(got), len(m.players))
	}
	for uid, want := range m.players {
		slices.SortFunc(want.Envelopes, func(a, b PlayerEnvelope) int { return cmp.Compare(a.ID, b.ID) })
		if !equalPlayers(got[uid], *want) {
			t.Fatalf("player %d is %+v\nmust be %+v", uid, got[uid], *want)
		}
	}
	if n, err := l.Conflicts(t.Context()); n != uint64(m.conflicts) || err != nil {
		t.Errorf("%d conflicts, %v; must be %d", n, err, m.conflicts)
	}
	if n := verify(t, l); n != m.events {
		t.Errorf("%d events in the journal; must be %d", n, m.events)
	}
}

// randomPlay makes events of 40 players in two campaigns, the second created half way, with a few that contradict others
// of the same shard.
func randomPlay(s *script, random *rand.Rand, events int) ([]Delivery, *model) {
	m := &model{players: map[uint64]*Player{}, holders: map[hongbao.EnvelopeID]uint64{}}
	var all []Delivery
	deliver := func(shard int, e hongbao.Event) {
		d := s.deliver(shard, e)
		all = append(all, d)
		var decoded hongbao.Event
		if err := hongbao.DecodeEvent(d.Event, &decoded); err != nil {
			panic(err)
		}
		m.apply(&decoded)
	}
	wins := map[int][]hongbao.Event{}
	deliver(0, created(1))
	for i := 1; i < events; i++ {
		if i == events/2 {
			deliver(0, created(2))
			continue
		}
		campaign := uint32(1)
		if i > events/2 {
			campaign += uint32(random.IntN(2))
		}
		uid := random.Uint64N(40)
		shard := int(uid) % len(s.seqs)
		known := wins[shard]
		switch dice := random.IntN(100); {
		case dice < 45 || len(known) == 0:
			w := s.won(campaign, uid)
			wins[shard] = append(known, w)
			deliver(shard, w)
		case dice < 75:
			deliver(shard, opened(known[random.IntN(len(known))])) // again and again: what is not held is a conflict
		case dice < 85:
			deliver(shard, refunded(known[random.IntN(len(known))]))
		case dice < 95:
			deliver(shard, signedUp(campaign, uid))
		case dice < 97:
			thief := known[random.IntN(len(known))]
			thief.UID = uid
			deliver(shard, thief)
		default:
			thief := opened(known[random.IntN(len(known))])
			thief.UID = uid
			deliver(shard, thief)
		}
	}
	return all, m
}
