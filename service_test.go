package hongbao_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
	"hongbao/embedded"
)

const (
	second = hongbao.Time(1000)
	minute = 60 * second
	hour   = 60 * minute
)

// opensAt is when the campaigns of these tests open.
var opensAt = hongbao.TimeOf(time.Date(2027, 2, 5, 12, 0, 0, 0, time.UTC))

// world is a service on an embedded engine in memory, with a clock that is moved by hand.
type world struct {
	*hongbao.Service
	testing.TB
	log       bytes.Buffer
	wall      time.Time
	monotonic time.Duration
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, wall: (opensAt - hour).Std()}
	clock := hongbao.NewClock(func() time.Time { return w.wall }, func() time.Duration { return w.monotonic })
	logger := slog.New(slog.NewTextHandler(&w.log, nil))
	engine, err := embedded.Open(embedded.Options{
		FS: vfs.NewMem(), Dir: "data", Calendar: hongbao.NewCalendar(time.UTC), Now: clock.Now,
		Logger: logger, Broken: func(err error) { t.Error("the engine broke:", err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	w.Service = hongbao.NewService(hongbao.Options{Engine: engine, Secret: engine.Secret(), Clock: clock, Logger: logger})
	return w
}

// at moves both clocks to a time; jump moves the wall clock alone.
func (w *world) at(now hongbao.Time) {
	w.monotonic += now.Std().Sub(w.wall)
	w.wall = now.Std()
}

func (w *world) jump(d time.Duration) { w.wall = w.wall.Add(d) }

// create makes a campaign of an hour from opensAt, of a hundred envelopes of a yuan on average.
func (w *world) create(kind hongbao.Kind, change func(*hongbao.Spec)) *hongbao.Campaign {
	w.Helper()
	spec := hongbao.Spec{
		Name: string(kind), Kind: kind, OpensAt: hongbao.AtTime(opensAt), Lasts: hongbao.Duration(time.Hour),
		Budget: hongbao.BudgetSpec{TotalFen: 10_000, Count: 100},
	}
	if change != nil {
		change(&spec)
	}
	c, err := w.Create(w.Context(), spec, "ann")
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// ask snatches for a player.
func (w *world) ask(campaign uint32, uid uint64, key string) (hongbao.SnatchResult, error) {
	return w.Snatch(w.Context(), hongbao.SnatchRequest{Campaign: campaign, UID: uid, Key: key})
}

func (w *world) win(c *hongbao.Campaign, uid uint64) hongbao.SnatchResult {
	w.Helper()
	result, err := w.ask(c.ID, uid, "")
	if err != nil || result.Status != hongbao.Won {
		w.Fatalf("player %d is told %s, %v; must win", uid, result.Status, err)
	}
	return result
}

func TestRequestsOutOfBoundsAreInvalid(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	none := func(_ any, err error) error { return err }
	cases := []struct {
		name  string
		err   error
		field string
	}{
		{"a snatch by uid 2^53", none(w.ask(1, hongbao.UIDMax+1, "k")), "uid"},
		{"a key of 65 characters", none(w.ask(1, 1, strings.Repeat("k", 65))), "Idempotency-Key"},
		{"a key with a line break", none(w.ask(1, 1, "a\nb")), "Idempotency-Key"},
		{"a key in Chinese", none(w.ask(1, 1, "钥匙")), "Idempotency-Key"},
		{"an opening by uid 2^53", none(w.Open(ctx, hongbao.UIDMax+1, 1)), "uid"},
		{"a sign-up by uid 2^53", none(w.SignUp(ctx, 1, hongbao.UIDMax+1)), "uid"},
		{"a wallet of uid 2^53", none(w.Wallet(ctx, hongbao.WalletRequest{UID: hongbao.UIDMax + 1, Limit: 1})), "uid"},
		{"a page of none", none(w.Wallet(ctx, hongbao.WalletRequest{UID: 1})), "limit"},
		{"a page of 201", none(w.Wallet(ctx, hongbao.WalletRequest{UID: 1, Limit: 201})), "limit"},
		{"inviting nobody", none(w.Invite(ctx, 1, nil, "ann")), "uids"},
		{"inviting too many", none(w.Invite(ctx, 1, make([]uint64, hongbao.InvitesMax+1), "ann")), "uids"},
		{"inviting uid 2^53", none(w.Invite(ctx, 1, []uint64{1, hongbao.UIDMax + 1}, "ann")), "uid"},
		{"inviting to a rain", none(w.Invite(ctx, w.create(hongbao.Rain, nil).ID, []uint64{1}, "ann")), "signup"},
	}
	for _, c := range cases {
		var field *hongbao.FieldError
		if !errors.As(c.err, &field) || field.Field != c.field || !errors.Is(c.err, hongbao.ErrInvalid) {
			t.Errorf("%s: the error is %v; must be about %s", c.name, c.err, c.field)
		}
	}
}

func TestRequestsAtTheirBoundsAreServed(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	none := func(_ any, err error) error { return err }
	for i, err := range []error{
		none(w.ask(1, 0, "k")),
		none(w.ask(1, hongbao.UIDMax, strings.Repeat("~", 64))),
		none(w.ask(1, 1, " ")),
		none(w.Wallet(ctx, hongbao.WalletRequest{UID: hongbao.UIDMax, Limit: hongbao.WalletLimitMax})),
		none(w.Wallet(ctx, hongbao.WalletRequest{UID: 0, Limit: 1})),
	} {
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
}

func TestWhatDoesNotExistIsNotFound(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	if r, err := w.ask(7, 1, "k"); err != nil || r.Status != hongbao.NotFound || r.Wins != -1 || r.Rules != nil {
		t.Errorf("a snatch is answered with %+v, %v", r, err)
	}
	_, openErr := w.Open(ctx, 1, hongbao.NewEnvelopeID(7, 0))
	_, signUpErr := w.SignUp(ctx, 7, 1)
	_, inviteErr := w.Invite(ctx, 7, []uint64{1}, "ann")
	_, campaignErr := w.Campaign(7)
	_, reviseErr := w.Revise(ctx, 7, 0, hongbao.Patch{}, "ann")
	_, cancelErr := w.Cancel(ctx, 7, "ann")
	for i, err := range []error{openErr, signUpErr, inviteErr, campaignErr, reviseErr, cancelErr} {
		if !errors.Is(err, hongbao.ErrNotFound) {
			t.Errorf("%d: the error is %v", i, err)
		}
	}
}

func TestKeyThatTheServerChoseIsToldAndHolds(t *testing.T) {
	w := newWorld(t)
	c := w.create(hongbao.Rain, nil)
	w.at(opensAt)
	first, second := w.win(c, 7), w.win(c, 7)
	if !first.KeyIsNew || first.Key == second.Key || len(first.Key) != 22 || hongbao.CheckKey(first.Key) != nil {
		t.Errorf("the keys are %q and %q", first.Key, second.Key)
	}
	again, err := w.ask(c.ID, 7, first.Key)
	if err != nil || again.Envelope != first.Envelope || again.KeyIsNew {
		t.Errorf("asked again it is %+v, %v; must be %+v", again, err, first)
	}
	receipt := w.AppendReceipt(nil, 7, &first)
	if !bytes.Equal(receipt, w.AppendReceipt(nil, 7, &again)) || bytes.Equal(receipt, w.AppendReceipt(nil, 8, &first)) {
		t.Error("the receipt is not that of the win")
	}
}

func TestKeyThatTheServerMadeBeforehandIsTold(t *testing.T) {
	w := newWorld(t)
	c := w.create(hongbao.Rain, nil)
	w.at(opensAt)
	key := hongbao.NewKey()
	for _, isNew := range []bool{true, false} {
		r, err := w.Snatch(t.Context(), hongbao.SnatchRequest{Campaign: c.ID, UID: 7, Key: key, KeyIsNew: isNew, Now: 1})
		if err != nil || r.Status != hongbao.Won || r.Key != key || r.KeyIsNew != isNew || r.WonAt != opensAt {
			t.Errorf("it is %+v, %v", r, err)
		}
	}
	if taken := w.Progress(c.ID).Taken.Count; taken != 1 {
		t.Errorf("%d are taken", taken)
	}
}

func TestPlayersOwnSignUpInEveryState(t *testing.T) {
	w := newWorld(t)
	need := func(name string, signup hongbao.Signup) *hongbao.Campaign {
		return w.create(hongbao.Bomb, func(spec *hongbao.Spec) { spec.Name, spec.Signup = name, &signup })
	}
	open, invited, none := need("open", hongbao.SignupOpen), need("invited", hongbao.SignupInvited), need("none", hongbao.SignupNone)
	cancelled := need("cancelled", hongbao.SignupOpen)
	if _, err := w.Cancel(t.Context(), cancelled.ID, "ann"); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name     string
		at       hongbao.Time
		campaign *hongbao.Campaign
		want     hongbao.SignUpStatus
	}{
		{"before it opens", opensAt - hour, open, hongbao.SignedUp},
		{"again", opensAt - hour, open, hongbao.SignedUp},
		{"to a cancelled one", opensAt - hour, cancelled, hongbao.SignUpCancelled},
		{"to one that needs none", opensAt - hour, none, hongbao.SignUpNotRequired},
		{"to one by invitation", opensAt - hour, invited, hongbao.SignUpInvitedOnly},
		{"a millisecond before it closes", opensAt + hour - 1, open, hongbao.SignedUp},
		{"when it closes", opensAt + hour, open, hongbao.SignUpClosed},
		{"to one by invitation when it closes", opensAt + hour, invited, hongbao.SignUpClosed},
	}
	for _, c := range cases {
		w.at(c.at)
		if got, err := w.SignUp(t.Context(), c.campaign.ID, 7); got != c.want || err != nil {
			t.Errorf("%s: it is %s, %v; must be %s", c.name, got, err, c.want)
		}
	}
	if _, err := w.Invite(t.Context(), invited.ID, []uint64{1}, "ann"); !errors.Is(err, hongbao.ErrCampaignOver) {
		t.Errorf("an invitation to what is closed: %v", err)
	}
}

func TestOnlyTheInvitedWinWhereInvitationIsNeeded(t *testing.T) {
	w := newWorld(t)
	signup := hongbao.SignupInvited
	c := w.create(hongbao.Bomb, func(spec *hongbao.Spec) { spec.Signup = &signup })
	for _, round := range []struct {
		uids []uint64
		want int
	}{{[]uint64{1, 7, 7}, 2}, {[]uint64{7, 8}, 1}, {[]uint64{7}, 0}} {
		if added, err := w.Invite(t.Context(), c.ID, round.uids, "ann"); err != nil || added != round.want {
			t.Errorf("of %v %d are added, %v; must be %d", round.uids, added, err, round.want)
		}
	}
	w.at(opensAt)
	w.win(c, 7)
	if r, err := w.ask(c.ID, 99, ""); r.Status != hongbao.NotSignedUp || err != nil {
		t.Errorf("a stranger is told %s, %v", r.Status, err)
	}
}

func TestAmountIsRevealedOnceOpenedOrFromTheStart(t *testing.T) {
	w := newWorld(t)
	none := hongbao.SignupNone
	rain, bomb := w.create(hongbao.Rain, nil), w.create(hongbao.Bomb, func(spec *hongbao.Spec) { spec.Signup = &none })
	cases := []struct {
		name string
		e    hongbao.Envelope
		want bool
	}{
		{"of a rain, held", hongbao.Envelope{ID: hongbao.NewEnvelopeID(rain.ID, 0)}, false},
		{"of a rain, refunded", hongbao.Envelope{ID: hongbao.NewEnvelopeID(rain.ID, 0), State: hongbao.StateRefunded}, false},
		{"of a rain, opened", hongbao.Envelope{ID: hongbao.NewEnvelopeID(rain.ID, 0), State: hongbao.StateOpened}, true},
		{"of a bomb, held", hongbao.Envelope{ID: hongbao.NewEnvelopeID(bomb.ID, 0)}, true},
	}
	for _, c := range cases {
		if got := w.Revealed(&c.e); got != c.want {
			t.Errorf("%s: it is shown: %t", c.name, got)
		}
	}
}

func TestCountsAreWhatWasTold(t *testing.T) {
	w := newWorld(t)
	c := w.create(hongbao.Rain, nil)
	w.ask(c.ID, 7, "")
	w.at(opensAt)
	won := w.win(c, 7)
	for range 3 {
		if _, err := w.Open(t.Context(), 7, won.Envelope); err != nil {
			t.Error(err)
		}
	}
	for _, key := range []string{won.Key, "another"} { // of which the second is told nothing
		w.Snatch(t.Context(), hongbao.SnatchRequest{Campaign: c.ID, UID: 7, Key: key, ReplayOnly: true})
	}
	w.at(opensAt + hour)
	w.Foretell(c.ID, false)
	w.Foretell(c.ID, true)
	want := hongbao.Counts{Openings: 1}
	want.Statuses[hongbao.NotOpen], want.Statuses[hongbao.Won], want.Statuses[hongbao.Closed] = 1, 2, 1
	if got := w.Counts(); got != want {
		t.Errorf("counted are %+v; must be %+v", got, want)
	}
}

func TestPagesOfAWalletFollowTheirCursors(t *testing.T) {
	w := newWorld(t)
	c := w.create(hongbao.Rain, nil)
	w.at(opensAt)
	var want []hongbao.EnvelopeID
	for range 5 {
		want = append([]hongbao.EnvelopeID{w.win(c, 7).Envelope}, want...)
	}
	var got []hongbao.EnvelopeID
	for text := ""; len(got) < 10; {
		after, err := hongbao.ParseCursor(text)
		if err != nil {
			t.Fatal(err)
		}
		page, err := w.Wallet(t.Context(), hongbao.WalletRequest{UID: 7, Limit: 2, After: after})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Envelopes {
			got = append(got, e.ID)
		}
		if text = page.Next().String(); text == "" {
			break
		}
	}
	if len(got) != len(want) || got[0] != want[0] || got[4] != want[4] {
		t.Errorf("the pages have %v; must have %v", got, want)
	}
}

func TestBadCursorIsInvalid(t *testing.T) {
	cursor := hongbao.Cursor{WonAt: opensAt, Envelope: 7}
	if got, err := hongbao.ParseCursor(cursor.String()); err != nil || got != cursor {
		t.Errorf("%+v is read as %+v, %v", cursor, got, err)
	}
	for _, text := range []string{"x", "AAAA", cursor.String() + "A", "=" + cursor.String(), strings.Repeat("_", 22)} {
		if _, err := hongbao.ParseCursor(text); !errors.Is(err, hongbao.ErrInvalid) {
			t.Errorf("%q: the error is %v", text, err)
		}
	}
}

func TestEngineTimeStaysWhereTheClockStepsBack(t *testing.T) {
	w := newWorld(t)
	c := w.create(hongbao.Rain, nil)
	w.at(opensAt)
	w.win(c, 7)
	w.jump(-30 * time.Second)
	if now := w.Now(); now != opensAt {
		t.Errorf("it is %s; must be %s", now, opensAt)
	}
	w.win(c, 7)
}

func TestRevisingAndCancellingThroughTheService(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	c := w.create(hongbao.Rain, nil)
	paused := true
	revised, err := w.Revise(ctx, c.ID, 1, hongbao.Patch{Paused: &paused}, "bob")
	if err != nil || revised.Revision() != 2 || revised.Revisions[1].Actor != "bob" {
		t.Fatalf("it is %+v, %v", revised, err)
	}
	if _, err := w.Revise(ctx, c.ID, 1, hongbao.Patch{Paused: &paused}, "bob"); !errors.Is(err, hongbao.ErrStale) {
		t.Errorf("the error is %v", err)
	}
	for range 2 {
		if cancelled, err := w.Cancel(ctx, c.ID, "bob"); err != nil || !cancelled.Cancelled() {
			t.Errorf("it is %+v, %v", cancelled, err)
		}
	}
	if found, err := w.Campaign(c.ID); err != nil || !found.Cancelled() {
		t.Errorf("it is found as %+v, %v", found, err)
	}
	if _, err := w.Create(ctx, hongbao.Spec{Name: "rain", Kind: hongbao.Rain, OpensAt: hongbao.AtTime(opensAt), Lasts: 1e12, Budget: hongbao.BudgetSpec{TotalFen: 1, Count: 1}}, "ann"); !errors.Is(err, hongbao.ErrNameTaken) {
		t.Errorf("the error is %v", err)
	}
}
