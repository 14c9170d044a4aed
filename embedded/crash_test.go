package embedded

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
)

var seedFlag = flag.Uint64("seed", 0, "of the random tests; 0 takes a new one")

// random is a source of choices, and says how to make the same ones again.
func random(t testing.TB) *rand.Rand {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("to repeat: go test ./embedded -run '^%s$' -args -seed %d", t.Name(), seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// long reports whether there is time for more of everything.
func long() bool { return os.Getenv("HONGBAO_LONG") != "" }

// TestToldIsKeptOverCrashes keeps G1 to G7: a crowd plays while campaigns come, change and go; the power is cut at any
// moment, and of what was not synced any part is kept; what is found then is what was told, it adds up, and play goes
// on. Again and again on the same folder.
func TestToldIsKeptOverCrashes(t *testing.T) {
	rng := random(t)
	folders := 1
	if long() {
		folders = 60
	}
	for range folders {
		files := vfs.NewCrashableMem()
		told := newTold()
		var clock atomic.Int64
		clock.Store(int64(start))
		for range 40 {
			files = playUntilCrash(t, files, told, &clock, rng)
		}
		l := recoverTold(t, files, told, &clock)
		t.Logf("%d campaigns, %d envelopes, %d players", len(l.campaigns), len(l.holders), len(l.wallets))
	}
}

// playUntilCrash opens what the last crash has left, checks it, and returns what the next one leaves.
func playUntilCrash(t *testing.T, files *vfs.MemFS, told *told, clock *atomic.Int64, rng *rand.Rand) *vfs.MemFS {
	t.Helper()
	recoverTold(t, files, told, clock)
	e := openData(t, files, hongbao.Time(clock.Load()))
	told.crashAfter(20 + rng.IntN(400))
	var over atomic.Bool
	var crowd sync.WaitGroup
	for i := range 5 {
		p := &crowdPlayer{e: e, told: told, clock: clock, rng: rand.New(rand.NewPCG(rng.Uint64(), uint64(i)))}
		crowd.Go(func() {
			for !over.Load() && !t.Failed() {
				p.step(t)
			}
		})
	}
	select {
	case <-told.due:
	case <-time.After(time.Minute):
		t.Error("nobody was told enough in a minute")
	}
	var after *vfs.MemFS
	told.freeze(func() {
		after = files.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
	})
	over.Store(true)
	crowd.Wait()
	if err := e.Close(); err != nil {
		t.Error("close:", err)
	}
	if t.Failed() {
		t.FailNow()
	}
	return after
}

// recoverTold opens a folder after a crash and checks it. What is found there is on disk and must stay.
func recoverTold(t *testing.T, files *vfs.MemFS, told *told, clock *atomic.Int64) *ledger {
	t.Helper()
	e := openData(t, files, hongbao.Time(clock.Load()))
	l := checkTruth(t, e)
	told.check(t, l)
	if t.Failed() {
		t.FailNow()
	}
	told.adopt(l)
	if err := e.Close(); err != nil {
		t.Fatal("close:", err)
	}
	return l
}

// openData opens the folder "data".
func openData(t testing.TB, files vfs.FS, now hongbao.Time) *Engine {
	t.Helper()
	return openEngine(t, files, "data", now)
}

// told is all that callers were told.
type told struct {
	mu       sync.Mutex
	wins     map[hongbao.EnvelopeID]toldWin
	list     []hongbao.EnvelopeID // of wins, to choose from
	keys     map[toldKey]hongbao.EnvelopeID
	opened   map[hongbao.EnvelopeID]bool
	signedUp map[rightKey]bool
	revision map[uint32]uint32
	sealed   map[uint32]bool
	left     int // answers until the crash
	due      chan struct{}
	frozen   bool
}

type toldWin struct {
	uid       uint64
	amountFen int64
	wonAt     hongbao.Time
	key       string
}

type toldKey struct {
	rightKey
	key string
}

func newTold() *told {
	return &told{
		wins: map[hongbao.EnvelopeID]toldWin{}, keys: map[toldKey]hongbao.EnvelopeID{}, opened: map[hongbao.EnvelopeID]bool{},
		signedUp: map[rightKey]bool{}, revision: map[uint32]uint32{}, sealed: map[uint32]bool{},
	}
}

func (d *told) crashAfter(answers int) {
	d.left, d.due, d.frozen = answers, make(chan struct{}), false
}

// note takes down an answer. After the crash nobody hears any.
func (d *told) note(take func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.frozen {
		return
	}
	take()
	if d.left--; d.left == 0 {
		close(d.due)
	}
}

// freeze runs the crash: what was noted before is in it.
func (d *told) freeze(crash func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	crash()
	d.frozen = true
}

func (d *told) win(campaign uint32, uid uint64, r *hongbao.SnatchResult, key string) {
	if _, again := d.wins[r.Envelope]; !again {
		d.list = append(d.list, r.Envelope)
	}
	d.wins[r.Envelope] = toldWin{uid, r.AmountFen, r.WonAt, key}
	d.keys[toldKey{rightKey{uid, campaign}, key}] = r.Envelope
}

// copy is what was told up to now.
func (d *told) copy() *told {
	d.mu.Lock()
	defer d.mu.Unlock()
	return &told{wins: maps.Clone(d.wins), opened: maps.Clone(d.opened), signedUp: maps.Clone(d.signedUp), revision: maps.Clone(d.revision), sealed: maps.Clone(d.sealed)}
}

// check says what was told and is not in the ledger.
func (d *told) check(t *testing.T, l *ledger) {
	t.Helper()
	for id, want := range d.wins {
		state, found := hongbao.EnvelopeState(0), false
		for _, e := range l.wallet(want.uid).Envelopes {
			if e.ID == id && (toldWin{want.uid, e.AmountFen, e.WonAt, e.Key}) == want {
				state, found = e.State, true
			}
		}
		if !found || d.opened[id] && state != hongbao.StateOpened {
			t.Errorf("envelope %d was told as %+v, opened %v; now it is %s, found %v", id, want, d.opened[id], state, found)
		}
	}
	for key := range d.signedUp {
		if !l.signedUp[key] {
			t.Errorf("the sign-up %+v is gone", key)
		}
	}
	for id, revision := range d.revision {
		if c := l.campaigns[id]; c == nil || c.Revision() < revision || d.sealed[id] && c.Seal == nil {
			t.Errorf("campaign %d was at revision %d, sealed %v; now it is %+v", id, revision, d.sealed[id], c)
		}
	}
}

// adopt takes everything in the ledger for told.
func (d *told) adopt(l *ledger) {
	for uid, w := range l.wallets {
		for _, e := range w.Envelopes {
			d.win(e.ID.Campaign(), uid, &hongbao.SnatchResult{Envelope: e.ID, AmountFen: e.AmountFen, WonAt: e.WonAt}, e.Key)
			d.opened[e.ID] = e.State == hongbao.StateOpened
		}
	}
	for key := range l.signedUp {
		d.signedUp[key] = true
	}
	for id, c := range l.campaigns {
		d.revision[id], d.sealed[id] = c.Revision(), c.Seal != nil
	}
}

// crowdPlayer is one of the crowd: he does anything that anybody can do.
type crowdPlayer struct {
	e     *Engine
	told  *told
	clock *atomic.Int64
	rng   *rand.Rand
}

func (p *crowdPlayer) step(t *testing.T) {
	now := hongbao.Time(p.clock.Add(p.rng.Int64N(30)))
	var err error
	switch n := p.rng.IntN(1000); {
	case n < 600:
		err = p.snatch(t, now)
	case n < 800:
		err = p.open(t, now)
	case n < 900:
		err = p.signUp(now)
	case n < 940:
		_, err = p.e.Wallet(t.Context(), hongbao.WalletRequest{UID: p.uid(), Limit: 200})
	case n < 950:
		_, err = p.e.Refund(t.Context(), now, 1+p.rng.IntN(10))
	case n < 970:
		err = p.change(now)
	case n < 990:
		p.clock.Add(p.rng.Int64N(20_000))
		if p.rng.IntN(100) == 0 {
			p.clock.Add(12 * 60 * 60_000)
		}
	case n < 995:
		err = p.e.views.flush()
	default:
		err = p.e.writeCheckpoint(p.e.feeder.checkpoint())
	}
	if err != nil && !refused(err) {
		t.Error(err)
	}
}

// refused says whether an error says that a change may not be made, or that there is nothing.
func refused(err error) bool {
	for _, fine := range []error{hongbao.ErrNotFound, hongbao.ErrCampaignOver, hongbao.ErrBelowIssued, hongbao.ErrInvalid} {
		if errors.Is(err, fine) {
			return true
		}
	}
	return false
}

func (p *crowdPlayer) uid() uint64 {
	uid := p.rng.Uint64N(30)
	if uid == 29 {
		return hongbao.UIDMax
	}
	return uid
}

// campaign is mostly one of the last, and sometimes one that does not exist.
func (p *crowdPlayer) campaign() uint32 {
	count := uint32(len(p.e.Campaigns()))
	if p.rng.IntN(10) == 0 {
		return p.rng.Uint32N(count + 2)
	}
	return count - min(count, p.rng.Uint32N(5))
}

func (p *crowdPlayer) snatch(t *testing.T, now hongbao.Time) error {
	r := hongbao.SnatchRequest{Campaign: p.campaign(), UID: p.uid(), Key: fmt.Sprint(p.rng.IntN(50)), Now: now}
	if p.rng.IntN(2) == 0 {
		r.Key, r.KeyIsNew = fmt.Sprintf("%x", p.rng.Uint64()), true
	}
	p.told.mu.Lock()
	before, won := p.told.keys[toldKey{rightKey{r.UID, r.Campaign}, r.Key}]
	p.told.mu.Unlock()
	result, err := p.e.Snatch(t.Context(), r)
	if err != nil {
		return err
	}
	if won && (result.Status != hongbao.Won || result.Envelope != before) {
		t.Errorf("%+v had won %d and is told %+v", r, before, result)
	}
	if result.Status == hongbao.Won {
		p.told.note(func() { p.told.win(r.Campaign, r.UID, &result, r.Key) })
	}
	return nil
}

func (p *crowdPlayer) open(t *testing.T, now hongbao.Time) error {
	id, win := p.told.choose(p.rng)
	if id == 0 {
		return nil
	}
	result, err := p.e.Open(t.Context(), hongbao.OpenRequest{UID: win.uid, Envelope: id, Now: now})
	if err != nil || result.Expired {
		return err
	}
	if result.AmountFen != win.amountFen {
		t.Errorf("envelope %d was won with %d fen and is opened with %d", id, win.amountFen, result.AmountFen)
	}
	p.told.note(func() { p.told.opened[id] = true })
	return nil
}

func (d *told) choose(rng *rand.Rand) (id hongbao.EnvelopeID, win toldWin) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.list) > 0 {
		id = d.list[rng.IntN(len(d.list))]
	}
	return id, d.wins[id]
}

func (p *crowdPlayer) signUp(now hongbao.Time) error {
	key := rightKey{p.uid(), p.campaign()}
	if c := p.e.registry.find(key.campaign); c == nil || c.now.Load().Rules().Signup == hongbao.SignupNone {
		return nil // the service refuses it
	}
	_, err := p.e.SignUp(nil, hongbao.SignUpRequest{Campaign: key.campaign, UIDs: []uint64{key.uid}, Now: now})
	if err == nil {
		p.told.note(func() { p.told.signedUp[key] = true })
	}
	return err
}

// change creates a campaign, or revises, cancels or closes one.
func (p *crowdPlayer) change(now hongbao.Time) error {
	change := hongbao.Change{At: now, Actor: "crowd", Campaign: p.campaign()}
	switch n := p.rng.IntN(10); {
	case n < 1 || len(p.e.Campaigns()) < 3:
		rules, err := p.spec().Rules(now)
		if err != nil {
			return err
		}
		change.Campaign, change.Create = 0, &rules
	case n < 8:
		change.Revise = p.patch(now)
	case n < 9 && p.rng.IntN(3) == 0:
		change.Cancel = true
	default:
		change.Close = true
	}
	c, err := p.e.Put(nil, change)
	if err != nil {
		return err
	}
	p.told.note(func() {
		p.told.revision[c.ID] = max(p.told.revision[c.ID], c.Revision())
		p.told.sealed[c.ID] = p.told.sealed[c.ID] || c.Seal != nil
	})
	return nil
}

func (p *crowdPlayer) spec() hongbao.Spec {
	kind, signup := hongbao.Rain, hongbao.SignupNone
	if p.rng.IntN(3) == 0 {
		kind, signup = hongbao.Bomb, hongbao.SignupOpen
	}
	count, openFor, chance, winsMax, dailyMax := 1+p.rng.Uint64N(200), hongbao.Duration(time.Minute), hongbao.ChanceCertain-hongbao.Chance(p.rng.Uint32N(800_000_000)), p.rng.IntN(12), p.rng.IntN(30)
	return hongbao.Spec{
		Name: fmt.Sprintf("c-%x", p.rng.Uint64()), Kind: kind, Signup: &signup, OpensAt: hongbao.InFuture(0), Lasts: hongbao.Duration(time.Duration(10+p.rng.IntN(110)) * time.Second),
		OpenFor: &openFor, Chance: &chance, WinsMax: &winsMax, DailyWinsMax: &dailyMax,
		Budget: hongbao.BudgetSpec{TotalFen: int64(count) * (1 + p.rng.Int64N(500)), Count: count},
	}
}

func (p *crowdPlayer) patch(now hongbao.Time) *hongbao.Patch {
	var patch hongbao.Patch
	switch p.rng.IntN(5) {
	case 0:
		count, totalFen, minFen, maxFen := 1+p.rng.Uint64N(400), 1+p.rng.Int64N(100_000), int64(1), int64(100_000)
		patch.Budget = &hongbao.BudgetPatch{Count: &count, TotalFen: &totalFen, MinFen: &minFen, MaxFen: &maxFen}
	case 1:
		chance := hongbao.ChanceCertain - hongbao.Chance(p.rng.Uint32N(800_000_000))
		patch.Chance = &chance
	case 2:
		winsMax, dailyMax := p.rng.IntN(12), p.rng.IntN(30)
		patch.WinsMax, patch.DailyWinsMax = &winsMax, &dailyMax
	case 3:
		closes := now.Add(hongbao.Duration(time.Duration(1+p.rng.IntN(120)) * time.Second))
		patch.ClosesAt = &closes
	default:
		paused := p.rng.IntN(3) == 0
		patch.Paused = &paused
	}
	return &patch
}
