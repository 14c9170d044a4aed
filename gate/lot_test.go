package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hongbao"

	"go.uber.org/goleak"
)

// fairStart is the D of these tests, and lotOpens their O: ten seconds after the bubble's clock starts.
const fairStart = time.Second

var lotOpens = hongbao.TimeOf(time.Date(2000, 1, 1, 0, 0, 10, 0, time.UTC))

func engineNow() hongbao.Time { return hongbao.TimeOf(time.Now()) }

// lottery draws any number; it depends on campaign and player alone.
func lottery(seed uint64) draw {
	return func(c *hongbao.Campaign, uid uint64) uint64 { return rand.NewPCG(seed^uint64(c.ID)<<40, uid).Uint64() }
}

func campaignAt(id uint32, opensAt hongbao.Time) *hongbao.Campaign {
	return &hongbao.Campaign{ID: id, Revisions: []hongbao.Revision{{Number: 1, Rules: hongbao.Rules{OpensAt: opensAt}}}}
}

// admission is what came of one snatch.
type admission struct {
	uid     uint64
	arrived time.Duration // from opens_at, as the next
	at      time.Duration
	err     error
}

// stage runs the snatches of a test and records the order in which they come through.
type stage struct {
	*testing.T
	*lots
	campaign *hongbao.Campaign
	seed     uint64
	stalled  bool // nobody who is let in runs on, so that the next is let in a handover later: an order that clocks show
	mu       sync.Mutex
	record   []admission
	group    sync.WaitGroup
}

func onStage(t *testing.T, waitersMax int, play func(*stage)) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		s := &stage{T: t, campaign: campaignAt(1<<21-1, lotOpens), seed: seed}
		s.lots = newLots(engineNow, lottery(seed), waitersMax)
		play(s)
		s.group.Wait()
		s.stop()
		if left := len(*s.open.Load()); left > 0 || s.waiting() > 0 {
			t.Errorf("%d lots and %d waiters are left", left, s.waiting())
		}
	})
}

func since(opens hongbao.Time) time.Duration { return time.Since(opens.Std()) }

// arrive sends a player in at a moment from opens_at.
func (s *stage) arrive(at time.Duration, uid uint64) { s.arriveWith(context.Background(), at, uid) }

func (s *stage) arriveWith(ctx context.Context, at time.Duration, uid uint64) {
	s.group.Go(func() {
		time.Sleep(at - since(lotOpens))
		err := s.come(ctx, uid)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.record = append(s.record, admission{uid, at, since(lotOpens), err})
	})
}

// wait is that of the lots, and checks from when on it admits: at the latest from now on.
func (s *stage) wait(ctx context.Context, c *hongbao.Campaign, fairStart time.Duration, uid uint64) error {
	from, err := s.lots.wait(ctx, c, fairStart, uid)
	if from > engineNow() || err != nil && from != 0 {
		s.Errorf("%d is admitted from %s on, and it is %s: %v", uid, from, engineNow(), err)
	}
	return err
}

func (s *stage) come(ctx context.Context, uid uint64) error {
	if s.stalled {
		return s.comeStalled(uid)
	}
	return s.wait(ctx, s.campaign, fairStart, uid)
}

func (s *stage) comeStalled(uid uint64) error {
	opens := s.campaign.Rules().OpensAt
	arrived := time.Duration(engineNow()-opens) * time.Millisecond
	p := s.place(s.campaign, fairStart, arrived, uid)
	o, err := s.join(lotKey{s.campaign.ID, opens}, p, arrived < 2*fairStart)
	if o != nil {
		<-p.turn
	}
	return err
}

// inOrder tells whether players came through one after the other, in the order that compare has.
func (s *stage) inOrder(compare func(a, b admission) int) bool {
	record := s.admitted()
	slices.SortStableFunc(record, func(a, b admission) int { return cmp.Compare(a.at, b.at) })
	for i, b := range record[1:] {
		if a := record[i]; a.err != nil || b.err != nil || a.at == b.at || compare(a, b) > 0 {
			s.Errorf("%+v came before %+v", a, b)
			return false
		}
	}
	return true
}

// crowd sends n players in at random moments of [from, to), no two at once; uids start at first.
func (s *stage) crowd(random *rand.Rand, n int, first uint64, from, to, step time.Duration) {
	for i, slot := range random.Perm(int((to - from) / step))[:n] {
		s.arrive(from+time.Duration(slot)*step, first+uint64(i))
	}
}

// drawn is the moment that a player's draw gives, computed anew: O is 0.
func (s *stage) drawn(uid uint64) time.Duration {
	within, _ := bits.Mul64(lottery(s.seed)(s.campaign, uid), uint64(fairStart))
	return fairStart + time.Duration(within)
}

func (s *stage) admitted() []admission {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.record)
}

// Whoever arrives in the first second is admitted at the moment drawn: not before it, and within the millisecond by
// which the engine's clock may be behind.
func TestWhoArrivesInTheFirstSecondIsAdmittedAtTheMomentDrawn(t *testing.T) {
	onStage(t, 1000, func(s *stage) {
		s.crowd(rand.New(rand.NewPCG(s.seed, 1)), 500, 1<<53-500, 0, fairStart, time.Microsecond)
		s.group.Wait()
		for _, a := range s.admitted() {
			if late := a.at - s.drawn(a.uid); a.err != nil || late < 0 || late > time.Millisecond {
				s.Errorf("%d, drawn at %v, came through at %v: %v", a.uid, s.drawn(a.uid), a.at, a.err)
			}
		}
	})
}

func TestTheOrderIsThatOfTheDrawWhateverTheArrival(t *testing.T) {
	onStage(t, 1000, func(s *stage) {
		s.stalled = true
		s.crowd(rand.New(rand.NewPCG(s.seed, 2)), 300, 1, 0, fairStart, time.Microsecond)
		s.group.Wait()
		draw := lottery(s.seed)
		if !s.inOrder(func(a, b admission) int { return cmp.Compare(draw(s.campaign, a.uid), draw(s.campaign, b.uid)) }) {
			s.Error("the order is another than that of the draw")
		}
	})
}

// Two nodes share nothing but the draw; a player goes to either.
func TestTwoNodesAdmitInOneOrder(t *testing.T) {
	onStage(t, 1000, func(s *stage) {
		other := &stage{T: s.T, campaign: s.campaign, seed: s.seed, lots: newLots(engineNow, lottery(s.seed), 1000)}
		random := rand.New(rand.NewPCG(s.seed, 3))
		s.crowd(random, 300, 1, 0, fairStart, time.Millisecond)
		other.crowd(random, 300, 1001, 0, fairStart, time.Millisecond)
		s.group.Wait()
		other.group.Wait()
		merged := append(s.admitted(), other.admitted()...)
		slices.SortFunc(merged, func(a, b admission) int { return cmp.Compare(a.at, b.at) })
		draw := lottery(s.seed)
		for i, a := range merged[1:] {
			if b := merged[i]; a.at > b.at && draw(s.campaign, a.uid) <= draw(s.campaign, b.uid) {
				s.Errorf("%d came before %d, who drew less", b.uid, a.uid)
			}
		}
		other.stop()
	})
}

func TestEqualDrawsAreAdmittedByUID(t *testing.T) {
	onStage(t, 100, func(s *stage) {
		s.stalled = true
		for _, number := range []uint64{0, 1 << 63, math.MaxUint64} {
			s.lots.draw = func(*hongbao.Campaign, uint64) uint64 { return number }
			s.record, s.campaign = nil, campaignAt(1, engineNow())
			for _, uid := range rand.New(rand.NewPCG(s.seed, 4)).Perm(90) {
				s.arrive(since(lotOpens), uint64(uid))
			}
			s.group.Wait()
			if !s.inOrder(func(a, b admission) int { return cmp.Compare(a.uid, b.uid) }) {
				s.Errorf("with draw %d the order is another than that of uids", number)
			}
		}
	})
}

func TestWhoArrivesInTheSecondAfterIsAdmittedAtItsEnd(t *testing.T) {
	onStage(t, 1000, func(s *stage) {
		s.crowd(rand.New(rand.NewPCG(s.seed, 5)), 500, 1, fairStart, 2*fairStart, time.Microsecond)
		s.group.Wait()
		for _, a := range s.admitted() {
			if late := a.at - 2*fairStart; a.err != nil || late < 0 || late > time.Millisecond {
				s.Errorf("%d, arrived at %v, came through at %v: %v", a.uid, a.arrived, a.at, a.err)
			}
		}
	})
}

func TestWhoArrivesInTheSecondAfterIsAdmittedInOrderOfArrival(t *testing.T) {
	onStage(t, 1000, func(s *stage) {
		s.stalled = true
		s.crowd(rand.New(rand.NewPCG(s.seed, 5)), 90, 1, fairStart, 2*fairStart, time.Microsecond)
		s.group.Wait()
		if !s.inOrder(func(a, b admission) int { return cmp.Compare(a.arrived, b.arrived) }) {
			s.Error("the order is another than that of arrival")
		}
	})
}

// First those of the draw, then those of the second after it, then whoever comes later: on a node where letting them in
// takes a while, many come before it is done.
func TestNobodyOvertakesTheLot(t *testing.T) {
	onStage(t, 1000, func(s *stage) {
		s.stalled = true
		random := rand.New(rand.NewPCG(s.seed, 6))
		s.crowd(random, 100, 1, 0, fairStart, time.Microsecond)
		s.crowd(random, 300, 1001, fairStart, 2*fairStart, time.Microsecond)
		s.crowd(random, 300, 2001, 2*fairStart, 5*fairStart/2, time.Microsecond)
		s.group.Wait()
		if !s.inOrder(func(a, b admission) int {
			if a.arrived < fairStart && b.arrived < fairStart {
				return cmp.Compare(s.drawn(a.uid), s.drawn(b.uid))
			}
			return cmp.Compare(max(a.arrived, fairStart), max(b.arrived, fairStart))
		}) {
			s.Error("somebody overtook")
		}
	})
}

// Also not in the moment between letting the last one in and its running on.
func TestNobodyOvertakesTheLastOfTheLot(t *testing.T) {
	onStage(t, 10, func(s *stage) {
		s.stalled = true
		s.arrive(3*fairStart/2, 7)
		time.Sleep(2*fairStart + handover/2 - since(lotOpens))
		s.check(s.wait(s.Context(), s.campaign, fairStart, 8), nil)
		if took := since(lotOpens) - 2*fairStart; took != handover {
			s.Errorf("came through at %v", took)
		}
	})
}

func TestWhoComesToALotThatIsLateWaitsBehindIt(t *testing.T) {
	onStage(t, 1000, func(s *stage) {
		s.stalled = true
		s.crowd(rand.New(rand.NewPCG(s.seed, 10)), 60, 1, fairStart, 2*fairStart, time.Microsecond)
		time.Sleep(2*fairStart + 10*time.Millisecond - since(lotOpens))
		s.check(s.wait(s.Context(), s.campaign, fairStart, 1001), nil)
		if took := since(lotOpens) - 2*fairStart; took < 59*handover || s.waiting() > 0 {
			s.Errorf("came through at %v with %d waiting", took, s.waiting())
		}
		synctest.Wait()
		arrived := since(lotOpens)
		s.check(s.wait(s.Context(), s.campaign, fairStart, 1002), nil)
		if since(lotOpens) != arrived {
			s.Errorf("the lot was over and yet it took %v", since(lotOpens)-arrived)
		}
	})
}

func TestBeforeOpeningAndAfterTheLotNobodyWaits(t *testing.T) {
	onStage(t, 10, func(s *stage) {
		for i, at := range []time.Duration{-earlyMax - time.Millisecond, -earlyMax - time.Second, 2 * fairStart, time.Hour} {
			s.arrive(at, uint64(i))
		}
		s.group.Wait()
		for _, a := range s.admitted() {
			if a.err != nil || a.at != a.arrived {
				s.Errorf("who arrived at %v came through at %v: %v", a.arrived, a.at, a.err)
			}
		}
	})
}

// Whoever comes early where that can't be told, on a node of a cluster that has lost sight of the rules, may find the campaign
// open when the engine decides.
func TestBeingAMillisecondEarlyBuysNothing(t *testing.T) {
	onStage(t, 10, func(s *stage) {
		s.arrive(-earlyMax, 6)
		s.arrive(-time.Millisecond, 7)
		s.arrive(0, 8)
		s.group.Wait()
		for _, a := range s.admitted() {
			if a.err != nil || a.at != s.drawn(a.uid) {
				s.Errorf("%d came through at %v: %v; drawn is %v", a.uid, a.at, a.err, s.drawn(a.uid))
			}
		}
	})
}

func TestAThousandRequestsHaveOnePlace(t *testing.T) {
	onStage(t, 1000, func(s *stage) {
		for range 1000 {
			s.arrive(time.Millisecond, 7)
		}
		s.arrive(fairStart-time.Millisecond, 7)
		time.Sleep(fairStart - since(lotOpens))
		if waiting := s.waiting(); waiting != 1 {
			s.Errorf("%d places are taken", waiting)
		}
		s.group.Wait()
		var through, tooFast int
		for _, a := range s.admitted() {
			switch {
			case a.err == nil && a.at == s.drawn(7):
				through++
			case errors.Is(a.err, hongbao.ErrTooFast) && a.at == a.arrived:
				tooFast++
			}
		}
		if through != 1 || tooFast != 1000 {
			s.Errorf("%d came through, %d were too fast", through, tooFast)
		}
	})
}

// check ends a snatch of which nobody keeps a record.
func (s *stage) check(err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("got %v, want %v", err, want)
	}
}

func TestPlacesAreBoundedOverAllCampaigns(t *testing.T) {
	onStage(t, 3, func(s *stage) {
		time.Sleep(-since(lotOpens))
		for uid := range uint64(3) {
			s.group.Go(func() { s.check(s.wait(s.Context(), campaignAt(uint32(1+uid), lotOpens), fairStart, uid), nil) })
		}
		synctest.Wait()
		s.check(s.wait(s.Context(), s.campaign, fairStart, 4), hongbao.ErrBusy)
		s.check(s.wait(s.Context(), campaignAt(1, lotOpens), fairStart, 4), hongbao.ErrBusy)
		s.check(s.wait(s.Context(), campaignAt(1, lotOpens), fairStart, 0), hongbao.ErrTooFast)
		s.group.Wait()
		s.group.Go(func() { s.check(s.wait(s.Context(), s.campaign, fairStart, 4), nil) })
	})
}

func TestCampaignsAndOpeningsHaveLotsOfTheirOwn(t *testing.T) {
	onStage(t, 10, func(s *stage) {
		time.Sleep(-since(lotOpens))
		for _, c := range []*hongbao.Campaign{s.campaign, campaignAt(1, lotOpens), campaignAt(1, lotOpens-1)} {
			s.group.Go(func() { s.check(s.wait(s.Context(), c, fairStart, 7), nil) })
		}
		synctest.Wait()
		if lots, waiting := len(*s.open.Load()), s.waiting(); lots != 3 || waiting != 3 {
			s.Errorf("%d lots with %d waiting", lots, waiting)
		}
	})
}

func TestWhoGivesUpMayComeAgainToTheSamePlace(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		ctx, giveUp := context.WithCancel(s.Context())
		s.arriveWith(ctx, 0, 7)
		s.arrive(0, 8) // keeps the lot open
		time.Sleep(fairStart/2 - since(lotOpens))
		giveUp()
		synctest.Wait()
		if got := s.admitted(); len(got) != 1 || !errors.Is(got[0].err, hongbao.ErrBusy) || got[0].at != fairStart/2 || s.waiting() != 1 {
			s.Errorf("who gave up got %v; %d wait", got, s.waiting())
		}
		s.check(s.wait(s.Context(), s.campaign, fairStart, 7), nil)
		again := since(lotOpens)
		s.group.Wait()
		if again != s.drawn(7) {
			s.Errorf("came through at %v; drawn is %v", again, s.drawn(7))
		}
	})
}

func TestWhoWasAdmittedMayComeAgain(t *testing.T) {
	onStage(t, 3, func(s *stage) {
		s.arrive(0, 7)
		s.arrive(0, 8)
		s.arrive(fairStart, 9) // keeps the lot open
		s.arrive(2*fairStart-time.Millisecond, 7)
		s.arrive(2*fairStart-time.Millisecond, 8)
		s.group.Wait()
		for _, a := range s.admitted() {
			s.check(a.err, nil)
		}
	})
}

// Where it is a player's turn just as its ctx ends, it has come through, and nobody else's place is touched.
func TestWhoIsAdmittedWhileGivingUpIsAdmitted(t *testing.T) {
	onStage(t, 100, func(s *stage) {
		time.Sleep(fairStart - since(lotOpens))
		key, over := lotKey{s.campaign.ID, lotOpens}, canceled(s.Context())
		for uid := range uint64(50) {
			p := &place{uid: uid, due: time.Now(), turn: make(chan struct{})}
			o, err := s.join(key, p, true)
			s.check(err, nil)
			s.group.Go(func() {
				<-p.turn
				s.check(s.await(over, o, p), nil)
			})
		}
		for uid := range uint64(50) {
			s.arrive(fairStart, 100+uid)
		}
	})
}

func canceled(parent context.Context) context.Context {
	ctx, cancel := context.WithCancel(parent)
	cancel()
	return ctx
}

// Any of a lot may give up at any time, the first of it too, and the others are admitted as before.
func TestWhoGivesUpHoldsNobodyUp(t *testing.T) {
	onStage(t, 1000, func(s *stage) {
		random := rand.New(rand.NewPCG(s.seed, 7))
		for uid := range uint64(500) {
			ctx, giveUp := context.WithCancel(s.Context())
			if uid%2 == 0 {
				time.AfterFunc(time.Second+time.Duration(random.Int64N(int64(2*fairStart))), giveUp)
			}
			s.arriveWith(ctx, time.Duration(random.IntN(1000))*time.Millisecond, uid)
			_ = giveUp
		}
		s.group.Wait()
		for _, a := range s.admitted() {
			if drawn := s.drawn(a.uid); a.err == nil && a.at != drawn || a.err != nil && (a.uid%2 == 1 || a.at > drawn) {
				s.Errorf("%d came through at %v: %v; drawn is %v", a.uid, a.at, a.err, drawn)
			}
		}
	})
}

func TestStopTurnsEverybodyAway(t *testing.T) {
	onStage(t, 1000, func(s *stage) {
		s.crowd(rand.New(rand.NewPCG(s.seed, 8)), 500, 1, 0, 2*fairStart, time.Microsecond)
		time.Sleep(5*fairStart/4 - since(lotOpens))
		s.stop()
		s.stop()
		synctest.Wait()
		for _, a := range s.admitted() {
			left := s.drawn(a.uid) - since(lotOpens)
			if through := a.arrived < fairStart && left < 0; through != (a.err == nil) && (left < -time.Millisecond || left > 0) {
				s.Errorf("%d, arrived at %v, came through at %v: %v", a.uid, a.arrived, a.at, a.err)
			}
		}
		s.check(s.wait(s.Context(), s.campaign, fairStart, 7), hongbao.ErrBusy)
		s.check(s.wait(s.Context(), s.campaign, 0, 7), nil)
		s.check(s.wait(s.Context(), campaignAt(1, lotOpens-10_000), fairStart, 7), nil)
	})
}

// A goroutine that was let in and gets no processor holds the next up for a millisecond.
func TestOneStalledGoroutineHoldsNobodyUp(t *testing.T) {
	onStage(t, 10, func(s *stage) {
		time.Sleep(fairStart - since(lotOpens))
		stalled := &place{uid: 9, late: true, due: time.Now(), turn: make(chan struct{})} // nobody awaits it
		_, err := s.join(lotKey{s.campaign.ID, lotOpens}, stalled, true)
		s.check(err, nil)
		other := &place{uid: 8, late: true, due: time.Now(), turn: make(chan struct{})}
		o, err := s.join(lotKey{s.campaign.ID, lotOpens}, other, false)
		s.check(err, nil)
		s.check(s.await(s.Context(), o, other), nil)
		if took := since(lotOpens) - fairStart; took != handover {
			s.Errorf("it took %v", took)
		}
	})
}

// Where everybody is late to run on, the lot doesn't fall further and further behind.
func TestALotThatIsFarBehindGetsGoing(t *testing.T) {
	onStage(t, 1000, func(s *stage) {
		s.stalled = true
		s.crowd(rand.New(rand.NewPCG(s.seed, 9)), 1000, 1, fairStart, 2*fairStart, time.Microsecond)
		s.group.Wait()
		if took := since(lotOpens) - 2*fairStart; took < behindMax || took > behindMax+2*handover {
			s.Errorf("it took %v", took)
		}
	})
}

// Real goroutines and a real clock: everybody who arrives comes through once or is told why not, and nothing is left.
func TestLotsUnderRealConcurrency(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	const players, short = 2000, 50 * time.Millisecond
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	l := newLots(engineNow, lottery(seed), players/2)
	campaigns := []*hongbao.Campaign{campaignAt(1, engineNow()), campaignAt(2, engineNow()+20)}
	var through, refused, early atomic.Int64
	var group sync.WaitGroup
	for uid := range uint64(players) {
		group.Go(func() {
			random := rand.New(rand.NewPCG(seed, uid))
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(random.Int64N(int64(4*short))))
			defer cancel()
			c := campaigns[uid%2]
			arrived := engineNow()
			switch _, err := l.wait(ctx, c, short, uid%(players/2)); {
			case err == nil:
				through.Add(1)
				opens := c.Rules().OpensAt
				if arrived >= opens && arrived < opens.Add(hongbao.Duration(short)) && engineNow() < opens.Add(hongbao.Duration(short)) {
					early.Add(1)
				}
			case errors.Is(err, hongbao.ErrBusy), errors.Is(err, hongbao.ErrTooFast):
				refused.Add(1)
			}
		})
	}
	group.Wait()
	if through.Load()+refused.Load() != players || early.Load() != 0 || l.waiting() != 0 {
		t.Errorf("%d came through, %d of them early; %d were refused; %d wait", through.Load(), early.Load(), refused.Load(), l.waiting())
	}
	l.stop()
}

func TestNoFairStartCostsNothing(t *testing.T) {
	l := newLots(engineNow, nil, 1) // a draw would crash
	plain, long := campaignAt(1, engineNow()), campaignAt(2, engineNow()-10_000)
	if allocations := testing.AllocsPerRun(100, func() {
		_, err := l.wait(context.Background(), plain, 0, 7)
		_, later := l.wait(context.Background(), long, fairStart, 7)
		if err != nil || later != nil {
			t.Error("it was refused")
		}
	}); allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
}

// BenchmarkLotOver is what a snatch pays once its campaign's lot is over.
func BenchmarkLotOver(b *testing.B) {
	l := newLots(engineNow, nil, 1)
	c := campaignAt(1, engineNow()-10_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.wait(b.Context(), c, fairStart, 7); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLot lets 10,000 players arrive within the fair start and come through within 50 ms or a second. It reports
// how many pairs reach the engine out of order and how late the latest is.
func BenchmarkLot(b *testing.B) {
	for _, within := range []time.Duration{50 * time.Millisecond, time.Second} {
		b.Run(fmt.Sprint("within_", within), func(b *testing.B) {
			for b.Loop() {
				benchmarkLot(b, 10_000, within)
			}
		})
	}
}

func benchmarkLot(b *testing.B, players int, within time.Duration) {
	numbers := make([]uint64, players)
	for i := range numbers {
		numbers[i] = rand.Uint64() / uint64(time.Second/time.Millisecond) * uint64(within/time.Millisecond)
	}
	l := newLots(engineNow, func(_ *hongbao.Campaign, uid uint64) uint64 { return numbers[uid] }, players)
	c := campaignAt(1, engineNow()+10)
	opens := c.Rules().OpensAt.Std()
	time.Sleep(time.Until(opens))
	var engine sync.Mutex
	var order []uint64
	var latest time.Duration
	var group sync.WaitGroup
	for uid := range uint64(players) {
		group.Go(func() {
			if _, err := l.wait(b.Context(), c, fairStart, uid); err != nil {
				b.Error(err)
			}
			engine.Lock()
			defer engine.Unlock()
			order = append(order, numbers[uid])
			offset, _ := bits.Mul64(numbers[uid], uint64(fairStart))
			latest = max(latest, time.Since(opens)-fairStart-time.Duration(offset))
		})
	}
	group.Wait()
	b.ReportMetric(float64(inversions(order)), "inversions")
	b.ReportMetric(float64(latest.Milliseconds()), "ms_latest")
}

// inversions counts the pairs that are out of order.
func inversions(order []uint64) (n int) {
	if len(order) < 2 {
		return 0
	}
	left, right := slices.Clone(order[:len(order)/2]), slices.Clone(order[len(order)/2:])
	n = inversions(left) + inversions(right)
	slices.Sort(left)
	for _, later := range right {
		at, _ := slices.BinarySearch(left, later)
		n += len(left) - at
	}
	return n
}

// BenchmarkPlace makes places and reports what one keeps, its share of the queue and of the set of players included.
func BenchmarkPlace(b *testing.B) {
	l := newLots(engineNow, lottery(1), 1<<40)
	c := campaignAt(1, engineNow())
	o := &lot{players: make(map[uint64]bool), wake: make(chan struct{}, 1)}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n := 0
	for b.Loop() {
		o.add(l.place(c, fairStart, 0, uint64(n)))
		n++
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(len(o.queue)), "bytes/place")
}
