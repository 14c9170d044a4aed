package enginetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"hongbao"
)

// history does random things to an engine and to the model, one at a time, and compares every answer.
type history struct {
	*scene
	*rand.Rand
	model  *Model
	now    hongbao.Time
	names  int
	cursor hongbao.Cursor
}

const historySteps = 800

// checkHistories compares random histories with the model, step by step and at the end.
func checkHistories(t testing.TB, open Open) {
	random := newRandom(t)
	for round := range times(4) {
		s := newScene(t, open)
		if s.Slow && round == 2 && !long() {
			break
		}
		h := newHistory(s, random)
		for range historySteps {
			h.step()
			if t.Failed() {
				return
			}
		}
		h.same(h.model)
		h.check()
	}
}

func newHistory(s *scene, random *rand.Rand) *history {
	model := NewModel(s.Secret, s.Calendar)
	model.last = s.Engine.Health().Now // an engine may have journaled that it began
	return &history{scene: s, Rand: random, model: model, now: start}
}

// uids are few, so that players meet their limits, and at both ends of the range.
var uids = []uint64{0, 1, 2, 7, 1 << 52, hongbao.UIDMax}

// step does one random thing, at a time that mostly goes on and sometimes steps back.
func (h *history) step() {
	h.now += pick(h.Rand, []hongbao.Time{0, 0, 1, second, 5 * second, minute})
	if h.chance(120) {
		h.now += pick(h.Rand, []hongbao.Time{10 * minute, hour, 12 * hour, 25 * hour})
	}
	now := h.now - pick(h.Rand, []hongbao.Time{0, 0, 0, 1, 45 * second})
	steps := []struct {
		weight int
		do     func(now hongbao.Time)
	}{
		{60, h.stepSnatch}, {6, h.stepForetell}, {6, h.stepReplay}, {12, h.stepOpen}, {8, h.stepSignUp}, {8, h.stepWallet}, {6, h.stepRevise}, {3, h.stepCreate},
		{3, h.stepRefund}, {3, h.stepClose}, {1, h.stepCancel}, {2, h.stepRecord}, {1, h.stepRestart}, {1, h.stepMisdirect},
	}
	total := 0
	for _, s := range steps {
		total += s.weight
	}
	n := h.IntN(total)
	if len(h.model.Campaigns()) == 0 {
		h.stepCreate(now)
	}
	for _, s := range steps {
		if n -= s.weight; n < 0 {
			s.do(now)
			return
		}
	}
}

func (h *history) chance(oneIn int) bool { return h.IntN(oneIn) == 0 }

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }

// agree fails unless both answers are the same.
func (h *history) agree(what string, got, want any, gotErr, wantErr error) {
	h.Helper()
	if !sameError(gotErr, wantErr) || gotErr == nil && !reflect.DeepEqual(got, want) {
		h.Errorf("at %s %s: the answer is %+v, %v; must be %+v, %v", h.now, what, got, gotErr, want, wantErr)
	}
}

// sameError compares what callers go by: the class of an error, and the least figures in it.
func sameError(got, want error) bool {
	var gotBelow, wantBelow *hongbao.BelowIssuedError
	if errors.As(got, &gotBelow) && errors.As(want, &wantBelow) {
		return *gotBelow == *wantBelow
	}
	for _, class := range []error{
		hongbao.ErrInvalid, hongbao.ErrNotFound, hongbao.ErrNameTaken, hongbao.ErrStale, hongbao.ErrCampaignOver,
		hongbao.ErrBelowIssued, hongbao.ErrBusy, hongbao.ErrUnknown, hongbao.ErrBroken,
	} {
		if errors.Is(got, class) != errors.Is(want, class) {
			return false
		}
	}
	return (got == nil) == (want == nil)
}

// any is the id of a recent campaign, mostly of one that is not over, or now and then of none.
func (h *history) any() uint32 {
	all := h.model.Campaigns()
	if len(all) == 0 || h.chance(50) {
		return uint32(len(all) + 1)
	}
	c := all[len(all)-1-h.IntN(min(len(all), 4))]
	for try := 0; try < 5 && (c.Seal != nil || h.now >= c.Rules().ClosesAt); try++ {
		c = all[len(all)-1-h.IntN(min(len(all), 4))]
	}
	return c.ID
}

func (h *history) stepSnatch(now hongbao.Time) {
	r := hongbao.SnatchRequest{Campaign: h.any(), UID: pick(h.Rand, uids), Key: h.key(), KeyIsNew: h.chance(2), Now: now}
	if h.chance(4) { // a key that is known, perhaps
		r.Key, r.KeyIsNew = fmt.Sprintf("key-%d", 1+h.IntN(h.keys)), false
	}
	got, gotErr := h.Engine.Snatch(h.Context(), r)
	if h.Ahead {
		h.model.supply = adopted{Model: h.model, next: got.Envelope.Number()}
	}
	want, wantErr := h.model.Snatch(h.Context(), r)
	switch {
	case got.Wins == -1 && h.settled(r.Campaign):
		got.Wins = want.Wins // an engine may have forgotten
	case h.Leased && h.unseen(r, got, want):
		got.Status, got.Wins = want.Status, want.Wins
	}
	h.agree(fmt.Sprintf("snatch %+v", r), got, want, gotErr, wantErr)
}

// stepForetell asks without a player. An engine that leases numbers need not know.
func (h *history) stepForetell(now hongbao.Time) {
	r := hongbao.SnatchRequest{Campaign: h.any(), KeyIsNew: h.chance(2), Now: now}
	got, ok := h.Engine.Foretell(r)
	want, mayTell := h.model.Foretell(r)
	if ok != mayTell && (ok || !h.Leased) || ok && !reflect.DeepEqual(got, want) {
		h.Errorf("at %s of %+v is foretold %+v (%t); must be %+v (%t)", h.now, r, got, ok, want, mayTell)
	}
}

// stepReplay asks for no more than a key has won, which may be nothing: then all that is said is that it is not won.
func (h *history) stepReplay(now hongbao.Time) {
	r := hongbao.SnatchRequest{Campaign: h.any(), UID: pick(h.Rand, uids), Key: fmt.Sprintf("key-%d", 1+h.IntN(h.keys+1)), ReplayOnly: true, Now: now}
	got, gotErr := h.Engine.Snatch(h.Context(), r)
	want, wantErr := h.model.Snatch(h.Context(), r)
	if want.Status != hongbao.Won {
		if gotErr != nil || got.Status == hongbao.Won {
			h.Errorf("at %s a replay of nothing, %+v, is answered with %+v, %v", h.now, r, got, gotErr)
		}
		return
	}
	if got.Wins == -1 && h.settled(r.Campaign) {
		got.Wins = want.Wins
	}
	h.agree(fmt.Sprintf("replay %+v", r), got, want, gotErr, wantErr)
}

// unseen reports whether an engine may answer so without having looked at the player. It may leave out the wins of a
// refusal that is no player's own; and it may tell that instead of one of the player's own, if it is true of whoever asks.
// A draw that loses may be told before it is known that nothing is left. But a player who has won here and brings a key is
// always looked at, for it may be the key that won.
func (h *history) unseen(r hongbao.SnatchRequest, got, want hongbao.SnatchResult) bool {
	if got.Wins != -1 || want.Wins > 0 && !r.KeyIsNew {
		return false
	}
	switch got.Status {
	case hongbao.NotOpen, hongbao.Closed, hongbao.Cancelled, hongbao.SoldOut, hongbao.Missed:
	default:
		return false
	}
	switch want.Status {
	case hongbao.NotSignedUp, hongbao.LimitReached, hongbao.DailyLimitReached:
		return got.Status == h.model.decideUnseen(r, got.Status == hongbao.Missed)
	case hongbao.SoldOut:
		return got.Status == want.Status || got.Status == h.model.decideUnseen(r, true)
	}
	return got.Status == want.Status
}

// settled reports whether an engine may have forgotten a campaign's players.
func (h *history) settled(campaign uint32) bool {
	c := h.model.campaign(campaign)
	return c != nil && c.Seal != nil && h.model.Progress(campaign).Held().Count == 0
}

func (h *history) stepOpen(now hongbao.Time) {
	campaign := h.any()
	number := h.IntN(int(h.model.Progress(campaign).Taken.Count) + 1)
	r := hongbao.OpenRequest{UID: pick(h.Rand, uids), Envelope: hongbao.NewEnvelopeID(campaign, uint64(number)), Now: now}
	if known := h.model.envelopes[r.Envelope]; known != nil && !h.chance(10) {
		r.UID = known.uid
	}
	got, gotErr := h.Engine.Open(h.Context(), r)
	want, wantErr := h.model.Open(h.Context(), r)
	h.agree(fmt.Sprintf("open %+v", r), got, want, gotErr, wantErr)
}

func (h *history) stepSignUp(now hongbao.Time) {
	r := hongbao.SignUpRequest{Campaign: h.any(), UIDs: []uint64{pick(h.Rand, uids)}, Now: now}
	if h.chance(3) {
		r.UIDs, r.Actor = append(r.UIDs, pick(h.Rand, uids), pick(h.Rand, uids)), "enginetest"
	}
	got, gotErr := h.Engine.SignUp(h.Context(), r)
	want, wantErr := h.model.SignUp(h.Context(), r)
	h.agree(fmt.Sprintf("sign up %+v", r), got, want, gotErr, wantErr)
}

func (h *history) stepWallet(hongbao.Time) {
	r := hongbao.WalletRequest{UID: pick(h.Rand, uids), Limit: 1 + h.IntN(8)}
	if h.chance(2) {
		r.After = h.cursor
	}
	got, gotErr := h.Engine.Wallet(h.Context(), r)
	want, wantErr := h.model.Wallet(h.Context(), r)
	if len(got.Envelopes)+len(want.Envelopes) == 0 {
		got.Envelopes, want.Envelopes = nil, nil
	}
	h.agree(fmt.Sprintf("wallet %+v", r), got, want, gotErr, wantErr)
	h.cursor = want.Next()
}

// stepCreate makes a campaign of any kind and size, about to open or open already; now and then under a name that is
// taken.
func (h *history) stepCreate(now hongbao.Time) {
	count := uint64(1 + h.IntN(20))
	winsMax, dailyWinsMax := h.IntN(5), h.IntN(6)
	openFor := pick(h.Rand, []hongbao.Duration{hongbao.Duration(time.Minute), hongbao.Duration(time.Hour), hongbao.Duration(24 * time.Hour)})
	chance := pick(h.Rand, []hongbao.Chance{hongbao.ChanceCertain, hongbao.ChanceCertain, hongbao.ChanceCertain, hongbao.ChanceCertain / 2})
	signup := pick(h.Rand, []hongbao.Signup{hongbao.SignupNone, hongbao.SignupNone, hongbao.SignupNone, hongbao.SignupOpen, hongbao.SignupInvited})
	pace := pick(h.Rand, []hongbao.Pace{hongbao.PaceNone, hongbao.PaceNone, hongbao.PaceNone, hongbao.PaceLinear})
	split := pick(h.Rand, []hongbao.Split{hongbao.DoubleMean, hongbao.Normal, hongbao.Uniform, hongbao.Equal})
	if h.Ahead {
		pace = hongbao.PaceNone // it bounds what is issued, not what is taken
	}
	spec := hongbao.Spec{
		Name: fmt.Sprintf("campaign-%d", h.names), Kind: pick(h.Rand, []hongbao.Kind{hongbao.Rain, hongbao.Bomb}),
		OpensAt: hongbao.AtTime(now + hongbao.Time(h.IntN(int(minute)))), OpenFor: &openFor,
		Lasts:  pick(h.Rand, []hongbao.Duration{hongbao.Duration(10 * time.Minute), hongbao.Duration(time.Hour), hongbao.Duration(24 * time.Hour)}),
		Budget: hongbao.BudgetSpec{TotalFen: int64(count)*10 + h.Int64N(1000), Count: count, Split: &split},
		Chance: &chance, WinsMax: &winsMax, DailyWinsMax: &dailyWinsMax, Signup: &signup, Pace: &pace, Paused: h.chance(10),
	}
	if !h.chance(10) {
		h.names++
	}
	rules, err := spec.Rules(now)
	if err != nil {
		h.Fatal(err)
	}
	h.stepPut(hongbao.Change{At: now, Actor: "enginetest", Create: &rules})
}

// stepPut changes a campaign in both. The model takes a new campaign's nonce from the engine.
func (h *history) stepPut(change hongbao.Change) {
	got, gotErr := h.Engine.Put(h.Context(), change)
	if gotErr == nil {
		h.model.nonce = func() hongbao.Nonce { return got.Nonce }
	}
	if h.Ahead && change.Revise != nil {
		h.model.supply = h.foundIssued(change, got, gotErr)
	}
	if h.Leased && change.Cancel && gotErr == nil && got.Seal.At == h.model.time(change.At)+1 {
		change.At = got.Seal.At // behind what was won in any shard
	}
	want, wantErr := h.model.Put(h.Context(), change)
	h.agree(fmt.Sprintf("put %+v", change), got, want, gotErr, wantErr)
}

// foundIssued is what the engine found issued, of which some is leased and not taken: what the revision says, or if it was
// refused any of what may be issued that makes the rules refuse it the same way, down to the least figures.
func (h *history) foundIssued(change hongbao.Change, got *hongbao.Campaign, gotErr error) supply {
	found := adopted{Model: h.model}
	if gotErr == nil {
		revision := got.Revisions[len(got.Revisions)-1]
		found.ahead, found.segment = hongbao.Tally{Count: revision.Issued, TotalFen: revision.IssuedFen}, revision.Segment != nil
		return found
	}
	c := h.model.campaign(change.Campaign)
	if c == nil {
		return inOrder{h.model}
	}
	change.At = h.model.time(change.At)
	taken := h.model.Progress(c.ID).Taken
	for count := taken.Count; count <= c.Rules().Budget.Count; count++ {
		found.ahead = h.model.below(c, count)
		_, _, err := c.Change(change, h.model.seed(c), found.ahead)
		if found.ahead.TotalFen >= taken.TotalFen && sameError(gotErr, err) {
			return found
		}
	}
	return inOrder{h.model}
}

func (h *history) stepRevise(now hongbao.Time) {
	patch := hongbao.Patch{}
	switch h.IntN(8) {
	case 0, 1, 2:
		patch.Budget = h.budgetPatch()
	case 3:
		paused := h.chance(3)
		patch.Paused = &paused
	case 4:
		chance := pick(h.Rand, []hongbao.Chance{hongbao.ChanceCertain, hongbao.ChanceCertain / 3})
		pace := pick(h.Rand, []hongbao.Pace{hongbao.PaceNone, hongbao.PaceLinear})
		patch.Chance = &chance
		if !h.Ahead {
			patch.Pace = &pace
		}
	case 5:
		winsMax, dailyWinsMax := h.IntN(6), h.IntN(5)
		patch.WinsMax, patch.DailyWinsMax = &winsMax, &dailyWinsMax
	case 6:
		closes := now + hongbao.Time(h.IntN(int(2*hour)))
		patch.ClosesAt = &closes
	case 7:
		opens := now + hongbao.Time(h.IntN(int(5*minute)))
		patch.OpensAt = &opens
	}
	change := hongbao.Change{At: now, Actor: "enginetest", Campaign: h.any(), Revise: &patch}
	if h.chance(2) {
		change.IfRevision = uint32(1 + h.IntN(4))
	}
	h.stepPut(change)
}

// budgetPatch is near what campaigns have, above and below.
func (h *history) budgetPatch() *hongbao.BudgetPatch {
	count := uint64(1 + h.IntN(50))
	total := int64(count)*5 + h.Int64N(1500)
	lowest, highest := 1+h.Int64N(5), 100+h.Int64N(2000)
	patch := &hongbao.BudgetPatch{TotalFen: &total}
	if h.chance(2) {
		patch.Count = &count
	}
	if h.chance(2) {
		patch.MinFen, patch.MaxFen = &lowest, &highest
	}
	return patch
}

func (h *history) stepRefund(now hongbao.Time) {
	batch := 1 + h.IntN(5)
	got := h.refund(now, batch)
	want, err := h.model.Refund(h.Context(), now, 1<<30)
	h.agree(fmt.Sprintf("refund in batches of %d", batch), got, want, nil, err)
}

// stepClose closes what is due, and now and then what is not.
func (h *history) stepClose(now hongbao.Time) {
	h.stepPut(hongbao.Change{At: now, Actor: "clock", Campaign: h.any(), Close: true})
}

func (h *history) stepCancel(now hongbao.Time) {
	h.stepPut(hongbao.Change{At: now, Actor: "enginetest", Campaign: h.any(), Cancel: true})
}

func (h *history) stepRecord(now hongbao.Time) {
	e := hongbao.Event{At: now, Campaign: h.any(), Name: pick(h.Rand, eventNames), Actor: "enginetest", Data: []byte{byte(h.IntN(256)), 0}}
	after := h.after(e.Name)
	position, gotErr := h.Engine.Record(h.Context(), e, after)
	_, wantErr := h.model.Record(h.Context(), e, after)
	h.agree(fmt.Sprintf("record %+v after %+v", e, after), position != "", wantErr == nil, gotErr, wantErr)
	h.compareRecorded()
}

// after is what the next event of a name is to follow: anything, the latest, almost the latest, or none.
func (h *history) after(name string) *hongbao.Event {
	latest, err := h.model.Recorded(h.Context(), name) // zero where there is none
	switch h.IntN(6) {
	case 0:
		return &hongbao.Event{}
	case 1:
		if err == nil {
			latest.At--
		}
		return &latest
	case 2, 3:
		return &latest
	}
	return nil
}

// eventNames are what random histories record, and one that they never do.
var eventNames = []string{"countdown", "count", "opened", "closed"}

func (h *history) compareRecorded() {
	for _, name := range append(eventNames, "never") {
		got, gotErr := h.Engine.Recorded(h.Context(), name)
		want, wantErr := h.model.Recorded(h.Context(), name)
		h.agree("the latest "+name, got, want, gotErr, wantErr)
	}
}

// stepRestart restarts, or cuts the power, with a wall clock that may have stepped back a little.
func (h *history) stepRestart(hongbao.Time) {
	at := h.now - hongbao.Time(h.IntN(int(10*second)))
	if h.Crash != nil && h.chance(2) {
		h.Engine = h.Crash(at)
	} else {
		h.Engine = h.Restart(at)
	}
	h.same(h.model)
	h.compareRecorded()
}

// stepMisdirect opens what the engine never had.
func (h *history) stepMisdirect(now hongbao.Time) {
	ids := []hongbao.EnvelopeID{0, 1, hongbao.NewEnvelopeID(0, 7), hongbao.NewEnvelopeID(hongbao.CampaignMax, 1<<32-1), 1<<63 - 1, 1<<64 - 1}
	r := hongbao.OpenRequest{UID: pick(h.Rand, uids), Envelope: pick(h.Rand, ids), Now: now}
	got, gotErr := h.Engine.Open(h.Context(), r)
	want, wantErr := h.model.Open(h.Context(), r)
	h.agree(fmt.Sprintf("open %+v", r), got, want, gotErr, wantErr)
	if got, want := h.Engine.Progress(hongbao.CampaignMax), (hongbao.Progress{}); got != want {
		h.Errorf("a campaign that does not exist has come to %+v", got)
	}
}
