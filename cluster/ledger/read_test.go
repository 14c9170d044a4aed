package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"hongbao"
)

func TestAWalletPagesAsTheReferenceDoes(t *testing.T) {
	l, s := newLedger(t, 2), newScript(2)
	random := rand.New(rand.NewPCG(3, 4))
	batch := []Delivery{s.deliver(0, created(1)), s.deliver(0, created(2))}
	var mine []hongbao.Envelope
	var balance int64
	for i := range 60 {
		w := s.won(1+uint32(random.IntN(2)), 7+uint64(i%2)) // another's between them
		w.At = s.now + hongbao.Time(random.IntN(2))         // many in the same millisecond
		s.now = w.At
		batch = append(batch, s.deliver(1, w))
		e := hongbao.Envelope{ID: w.Envelope, AmountFen: w.AmountFen, WonAt: w.At, ExpiresAt: w.ExpiresAt, Key: w.Key}
		if random.IntN(2) == 0 {
			batch = append(batch, s.deliver(1, opened(w)))
			e.State, e.ClosedAt = hongbao.StateOpened, s.now
			if w.UID == 7 {
				balance += w.AmountFen
			}
		}
		if w.UID == 7 {
			mine = append(mine, e)
		}
	}
	apply(t, l, batch)
	slices.SortFunc(mine, func(a, b hongbao.Envelope) int { return cmp.Or(cmp.Compare(b.WonAt, a.WonAt), cmp.Compare(b.ID, a.ID)) })

	cursors := []hongbao.Cursor{{}, {WonAt: 1}, {WonAt: start + 1<<40}, {WonAt: mine[5].WonAt}, {WonAt: mine[5].WonAt, Envelope: 1 << 60}}
	for _, e := range mine {
		cursors = append(cursors, hongbao.Cursor{WonAt: e.WonAt, Envelope: e.ID})
	}
	for _, after := range cursors {
		for _, limit := range []int{1, 3, len(mine) - 1, len(mine), hongbao.WalletLimitMax} {
			rest := slices.DeleteFunc(slices.Clone(mine), func(e hongbao.Envelope) bool {
				return after != (hongbao.Cursor{}) && (e.WonAt > after.WonAt || e.WonAt == after.WonAt && e.ID >= after.Envelope)
			})
			more := len(rest) > limit
			rest = rest[:min(limit, len(rest))]
			w, asOf, err := l.Wallet(t.Context(), 1, hongbao.WalletRequest{UID: 7, Limit: limit, After: after})
			if err != nil || w.BalanceFen != balance || w.More != more || !slices.Equal(w.Envelopes, rest) || asOf != s.now {
				t.Fatalf("after %+v, %d: %+v as of %s, %v\nmust be %d, %+v, more %v", after, limit, w, asOf, err, balance, rest, more)
			}
		}
	}
	w, asOf, err := l.Wallet(t.Context(), 0, hongbao.WalletRequest{UID: 12345, Limit: 10})
	if err != nil || w.BalanceFen != 0 || w.Envelopes != nil || w.More || asOf != start {
		t.Errorf("a player that nobody knows: %+v, %s, %v", w, asOf, err)
	}
}

func TestExpiredListsWhatIsHeldAndOverdue(t *testing.T) {
	l, s := newLedger(t, 1), newScript(1)
	batch := []Delivery{s.deliver(0, created(1)), s.deliver(0, created(2))}
	var want []Held
	for i := range 40 {
		if i%10 == 9 {
			s.numbers[1] += window * 3 / 2 // numbers may be far apart
		}
		w := s.won(1, uint64(i))
		w.ExpiresAt = start + hongbao.Time(i%3)
		batch = append(batch, s.deliver(0, w), s.deliver(0, s.won(2, 1)))
		switch {
		case i%5 == 0:
			batch = append(batch, s.deliver(0, opened(w)))
		case i%3 < 2:
			want = append(want, Held{w.Envelope, w.UID, w.AmountFen})
		}
	}
	apply(t, l, batch)
	for _, limit := range []int{1, 7, len(want), 1000} {
		var got []Held
		for after := hongbao.EnvelopeID(0); ; {
			page, err := l.Expired(t.Context(), 1, after, start+1, limit)
			must(t, err)
			got = append(got, page...)
			if len(page) < limit {
				break
			}
			after = page[len(page)-1].ID
		}
		if !slices.Equal(got, want) {
			t.Errorf("by %d: %v\nmust be %v", limit, got, want)
		}
	}
	if got, err := l.Expired(t.Context(), 3, 0, start*2, 10); len(got) > 0 || err != nil {
		t.Error(got, err)
	}
}

func TestEntriesMergeShardsByTime(t *testing.T) {
	l, s := newLedger(t, 3), newScript(3)
	at := func(ms int, e hongbao.Event) hongbao.Event {
		e.At = start + hongbao.Time(ms)
		return e
	}
	apply(t, l, []Delivery{
		s.deliver(0, at(1, created(1))), s.deliver(0, at(5, revised(1, 2))), s.deliver(0, at(9, sealed(1, 2))),
		s.deliver(0, at(9, created(2))),
		s.deliver(1, at(5, s.won(1, 1))), s.deliver(1, at(9, s.won(1, 1))), s.deliver(1, at(9, s.won(1, 1))), s.deliver(1, at(11, s.won(1, 1))),
		s.deliver(2, at(4, s.won(1, 2))), s.deliver(2, at(5, s.won(1, 2))), s.deliver(2, at(9, s.won(1, 2))),
	})
	const want = "0/1 2/1 0/2 1/1 2/2 0/3 0/4 1/2 1/3 2/3 1/4"
	snapshot := snapshotOf(t, l)
	walk := func(after []uint64) string {
		var all []string
		for e, err := range snapshot.Entries(t.Context(), after) {
			must(t, err)
			all = append(all, fmt.Sprintf("%d/%d", e.Shard, e.Seq))
			if chain, err := l.Hash(t.Context(), e.Shard, e.Seq); chain != e.Chain || err != nil {
				t.Errorf("%d/%d has chain %x, and Hash tells %x, %v", e.Shard, e.Seq, e.Chain, chain, err)
			}
		}
		return strings.Join(all, " ")
	}
	if got := walk(nil); got != want {
		t.Errorf("%s\nmust be\n%s", got, want)
	}
	if got := walk([]uint64{2, 0, 3}); got != "1/1 0/3 0/4 1/2 1/3 1/4" {
		t.Error(got)
	}
	if got := walk([]uint64{4, 4, 3}); got != "" {
		t.Error(got)
	}
	for _, after := range [][]uint64{{0}, {5, 0, 0}} {
		for _, err := range snapshot.Entries(t.Context(), after) {
			if !errors.Is(err, hongbao.ErrInvalid) {
				t.Errorf("after %v: %v", after, err)
			}
		}
	}
	if _, err := l.Hash(t.Context(), 0, 9); !errors.Is(err, hongbao.ErrNotFound) {
		t.Error(err)
	}
	for range snapshot.Entries(t.Context(), nil) {
		break // and the snapshot goes on
	}
	if got := walk(nil); got != want {
		t.Error(got)
	}
}

// Every row in turn that is changed in the journal is found, across pages.
func TestDamageIsFound(t *testing.T) {
	l, s := newLedger(t, 2), newScript(2)
	const n = pageRowsMax + 500
	apply(t, l, s.wins(n))
	apply(t, l, []Delivery{s.deliver(1, s.won(1, 1))})
	for _, damage := range []struct{ how, statement, undo, names string }{
		{"an event", "UPDATE journal SET event = INSERT(event, 3, 1, X'01') WHERE shard = 0 AND seq = 2300", "", "shard 0, sequence 2300 "},
		{"an epoch", "UPDATE journal SET epoch = 2 WHERE shard = 0 AND seq = 17", "UPDATE journal SET epoch = 1 WHERE shard = 0 AND seq = 17", "shard 0, sequence 17 "},
		{"a time", "UPDATE journal SET at = at + 1 WHERE shard = 1 AND seq = 1", "UPDATE journal SET at = at - 1 WHERE shard = 1 AND seq = 1", "shard 1, sequence 1 "},
		{"a kind", "UPDATE journal SET kind = 2 WHERE shard = 1 AND seq = 1", "UPDATE journal SET kind = 1 WHERE shard = 1 AND seq = 1", "shard 1, sequence 1 "},
		{
			"a hash", "UPDATE journal SET chain = INSERT(chain, 1, 2, X'0000') WHERE shard = 0 AND seq = 2001",
			"", "shard 0, sequence 2001 ",
		},
		{"a row", "UPDATE journal SET seq = 999999 WHERE shard = 0 AND seq = 2002", "UPDATE journal SET seq = 2002 WHERE shard = 0 AND seq = 999999", "shard 0, sequence 2002 "},
		{"the last row", "UPDATE journal SET seq = 999999 WHERE shard = 0 AND seq = 2501", "UPDATE journal SET seq = 2501 WHERE shard = 0 AND seq = 999999", "shard 0, sequence 2501 "},
		{"a watermark", "UPDATE shard SET chain = X'01' WHERE shard = 1", "", "shard 1, sequence 1 "},
	} {
		t.Run(damage.how, func(t *testing.T) {
			restore := keep(t, l, damage.undo)
			l.tamper(t, damage.statement)
			if err := walkError(t, l, nil); !errors.Is(err, hongbao.ErrBroken) || !strings.Contains(err.Error(), damage.names) {
				t.Errorf("found %v; must name %s", err, damage.names)
			}
			restore()
			must(t, walkError(t, l, nil))
		})
	}
	t.Run("after a place whose row is gone", func(t *testing.T) {
		l.tamper(t, "DELETE FROM journal WHERE shard = 0 AND seq = 100")
		if err := walkError(t, l, []uint64{100, 0}); !errors.Is(err, hongbao.ErrBroken) || !strings.Contains(err.Error(), "shard 0, sequence 100 ") {
			t.Error(err)
		}
		must(t, walkError(t, l, []uint64{101, 0}))
	})
}

// keep returns what undoes a damage: the statement, or everything copied before.
func keep(t *testing.T, l *Ledger, undo string) (restore func()) {
	if undo != "" {
		return func() { l.tamper(t, undo) }
	}
	exec := func(statements ...string) {
		for _, statement := range statements {
			_, err := l.db.Exec(statement)
			must(t, err)
		}
	}
	exec("CREATE TABLE journal_kept AS SELECT * FROM journal", "CREATE TABLE shard_kept AS SELECT * FROM shard")
	return func() {
		exec("REPLACE INTO journal SELECT * FROM journal_kept", "REPLACE INTO shard SELECT * FROM shard_kept", "DROP TABLE journal_kept, shard_kept")
	}
}

func walkError(t *testing.T, l *Ledger, after []uint64) error {
	for _, err := range snapshotOf(t, l).Entries(t.Context(), after) {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestASnapshotStandsStill(t *testing.T) {
	l, s := newLedger(t, 1), newScript(1)
	all := s.wins(20)
	apply(t, l, all[:11])
	frozen := snapshotOf(t, l)
	apply(t, l, all[11:])
	w := s.won(1, 3)
	apply(t, l, []Delivery{s.deliver(0, w), s.deliver(0, opened(w)), s.deliver(0, signedUp(1, 100))})

	if m := frozen.Marks()[0]; m.Seq != 11 {
		t.Errorf("mark %+v", m)
	}
	events := 0
	for _, err := range frozen.Entries(t.Context(), nil) {
		must(t, err)
		events++
	}
	players := 0
	must(t, frozen.Players(t.Context(), func(p *Player) error {
		players++
		if p.BalanceFen != 0 || len(p.Envelopes) != 1 || len(p.Signups) != 0 {
			t.Errorf("%+v", p)
		}
		return nil
	}))
	if events != 11 || players != 10 {
		t.Errorf("%d events, %d players", events, players)
	}
}

func TestWalletsAreWholeAndInOrder(t *testing.T) {
	l, s := newLedger(t, 1), newScript(1)
	apply(t, l, []Delivery{s.deliver(0, created(1)), s.deliver(0, signedUp(1, 2))})
	const players, each = 3, pageRowsMax // pages end within a player
	var batch []Delivery
	for i := range players * each {
		batch = append(batch, s.deliver(0, s.won(1, uint64(i%players)*5)))
	}
	apply(t, l, batch)
	_, err := l.run(t.Context(), "INSERT INTO wallet (uid, balance_fen) VALUES (4, 11)") // as no event would
	must(t, err)
	var uids []uint64
	must(t, snapshotOf(t, l).Wallets(t.Context(), func(uid uint64, w *hongbao.Wallet) error {
		uids = append(uids, uid)
		ascending := slices.IsSortedFunc(w.Envelopes, func(a, b hongbao.Envelope) int { return cmp.Compare(a.ID, b.ID) })
		if uid == 4 && (w.BalanceFen != 11 || len(w.Envelopes) != 0) || uid != 4 && len(w.Envelopes) != each || !ascending {
			t.Errorf("player %d: %d fen, %d envelopes, ascending %v", uid, w.BalanceFen, len(w.Envelopes), ascending)
		}
		return nil
	}))
	if !slices.Equal(uids, []uint64{0, 4, 5, 10}) {
		t.Errorf("uids %v", uids)
	}
	stop := errors.New("stop")
	if err := snapshotOf(t, l).Wallets(t.Context(), func(uint64, *hongbao.Wallet) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	visits := 0
	err = snapshotOf(t, l).Wallets(ctx, func(uint64, *hongbao.Wallet) error { cancel(); visits++; return nil })
	if !errors.Is(err, hongbao.ErrBusy) || visits != 1 {
		t.Errorf("after the context ended: %v, %d visits", err, visits)
	}
}

func TestLatestOfEachNameIsFoundHoweverMuchIsReadAtOnce(t *testing.T) {
	l, s := newLedger(t, 2), newScript(2)
	batch := []Delivery{s.deliver(0, created(1))}
	record := func(shard int, name, data string) {
		batch = append(batch, s.deliver(shard, hongbao.Event{Kind: hongbao.SystemRecorded, At: start, Name: name, Data: []byte(data)}))
	}
	record(0, "a", "1")
	record(0, "b", "1")
	batch = append(batch, s.deliver(0, s.won(1, 7)))
	record(0, "a", "2")
	record(1, "a", "of another shard")
	record(0, "b", "2")
	if _, err := l.Apply(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	for step := uint64(1); step < 10; step++ {
		for until, want := range []string{"", "", "1", "11", "11", "21", "22"} { // the first is that the campaign was created
			latest, err := l.recorded(t.Context(), 0, uint64(until), step)
			if got := string(latest["a"].Data) + string(latest["b"].Data); err != nil || got != want {
				t.Errorf("%d at once, up to %d, are %q, %v; must be %q", step, until, got, err, want)
			}
		}
	}
}
