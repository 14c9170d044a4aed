package enginetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"hongbao"
)

// recorder is a test whose failure is what is wanted: it takes note of it and goes on.
type recorder struct {
	testing.TB
	failed atomic.Bool
}

func (r *recorder) Fail()                 { r.failed.Store(true) }
func (r *recorder) Failed() bool          { return r.failed.Load() }
func (r *recorder) Error(...any)          { r.Fail() }
func (r *recorder) Errorf(string, ...any) { r.Fail() }
func (r *recorder) FailNow()              { r.Fail(); runtime.Goexit() }
func (r *recorder) Fatal(...any)          { r.FailNow() }
func (r *recorder) Fatalf(string, ...any) { r.FailNow() }
func (r *recorder) Logf(string, ...any)   {}

// finds reports whether a property fails on what open opens.
func finds(t testing.TB, name string, open Open) bool {
	t.Helper()
	i := slices.IndexFunc(properties(), func(p property) bool { return p.name == name })
	if i < 0 {
		t.Fatalf("there is no property %s", name)
	}
	r := &recorder{TB: t}
	var run sync.WaitGroup
	run.Go(func() { properties()[i].check(r, open) })
	run.Wait()
	return r.Failed()
}

// lie makes the harness of a model that lies in one way.
type lie struct {
	name     string
	property string // that must find it
	tell     func(h *Harness, m *Model)
}

// bent is a model that decides on other facts than those that are.
func bent(bend func(*hongbao.Facts)) func(*Harness, *Model) {
	return func(_ *Harness, m *Model) { m.bend = bend }
}

// after makes a harness whose restarts leave the model changed.
func afterRestart(forget func(m *Model)) func(*Harness, *Model) {
	return func(h *Harness, m *Model) {
		h.Restart = func(hongbao.Time) hongbao.Engine {
			m.mu.Lock()
			defer m.mu.Unlock()
			forget(m)
			return h.Engine
		}
	}
}

// sharded tells a lie of an engine that leases numbers.
func sharded(tell func(s *shards)) func(*Harness, *Model) {
	return func(h *Harness, _ *Model) { tell(h.Engine.(*shards)) }
}

// hasty tells every other request the same.
func hasty(status hongbao.Status) func(*Harness, *Model) {
	return sharded(func(s *shards) {
		s.hasty = func(*hongbao.Campaign, hongbao.SnatchRequest) (hongbao.Status, bool) { return status, true }
	})
}

// looksAway takes every key for a new one.
func looksAway(s *shards) {
	s.hasty = func(c *hongbao.Campaign, r hongbao.SnatchRequest) (hongbao.Status, bool) {
		r.KeyIsNew = true
		return s.unseen(c, r)
	}
}

// lies may be told of any engine.
func lies() []lie {
	return []lie{
		{"forgets the limit", "WinsNeverExceedTheLimit", bent(func(f *hongbao.Facts) { f.Wins = 0 })},
		{"reaches the limit one too early", "WinsNeverExceedTheLimit", bent(func(f *hongbao.Facts) { f.Wins++ })},
		{"forgets the daily limit", "DayWinsNeverExceedTheLimitOverCampaigns", bent(func(f *hongbao.Facts) { f.DayWins = 0 })},
		{"forgets the day at a restart", "DayCountsOutliveARestartAndEndAtMidnight", afterRestart(func(m *Model) { clear(m.dayWins) })},
		{"never begins a new day", "DayCountsOutliveARestartAndEndAtMidnight", func(_ *Harness, m *Model) {
			m.bend = func(f *hongbao.Facts) { f.DayWins = len(m.holdings[7]) }
		}},
		{"says sold out one too early", "BudgetSellsOutExactly", bent(func(f *hongbao.Facts) { f.Issued++ })},
		{"gives one number to two players", "BudgetSellsOutExactly", func(h *Harness, _ *Model) { h.Engine = &givesTwice{Engine: h.Engine} }},
		{"gives a fen too much", "BudgetSellsOutExactly", func(h *Harness, _ *Model) { h.Engine = &generous{h.Engine} }},
		{"gives one number the amount of another", "BudgetSellsOutExactly", func(h *Harness, m *Model) { h.Engine = &shifts{h.Engine, m} }},
		{"loses the second tranche's place", "TranchesFollowOneAnother", func(_ *Harness, m *Model) {
			m.secret[0] ^= 1 // cuts by another seed than the harness tells
		}},
		{"draws for nobody", "RevisedUnderLoadBudgetHolds", bent(func(f *hongbao.Facts) { f.Draw = 0 })},
		{"ignores a pause", "RevisedUnderLoadBudgetHolds", bent(func(f *hongbao.Facts) {
			rules := *f.Rules
			rules.Paused = false
			f.Rules = &rules
		})},
		{"forgets keys", "SameKeyWinsOnce", bent(func(f *hongbao.Facts) { f.Replayed = false })},
		{"forgets keys once a campaign is over", "KeyIsAnsweredWhateverHasHappenedSince", bent(func(f *hongbao.Facts) { f.Replayed = f.Replayed && !f.Sealed })},
		{"forgets keys at a restart", "KeyIsAnsweredWhateverHasHappenedSince", afterRestart(func(m *Model) { clear(m.keys) })},
		{"knows a key whoever brings it", "SameKeyWinsOnce", func(h *Harness, _ *Model) { h.Engine = &knowsKeys{Engine: h.Engine} }},
		{"wins what is only to be answered again", "ReplayOnlyWinsNothing", func(h *Harness, _ *Model) { h.Engine = &snatchesAnyway{h.Engine} }},
		{"wins what is only to be answered again", "RandomHistoryIsTheModels", func(h *Harness, _ *Model) { h.Engine = &snatchesAnyway{h.Engine} }},
		{"answers nothing again", "ReplayOnlyWinsNothing", func(h *Harness, _ *Model) { h.Engine = &neverReplays{h.Engine} }},
		{"answers nothing again", "KeyIsAnsweredWhateverHasHappenedSince", func(h *Harness, _ *Model) { h.Engine = &neverReplays{h.Engine} }},
		{"foretells closed to a key that has won", "WhatIsForetoldIsTrue", func(h *Harness, _ *Model) { h.Engine = &foretellsAnyKey{h.Engine} }},
		{"foretells closed to a key that has won", "RandomHistoryIsTheModels", func(h *Harness, _ *Model) { h.Engine = &foretellsAnyKey{h.Engine} }},
		{"foretells sold out after the budget was raised", "WhatIsForetoldIsTrue", func(h *Harness, _ *Model) { h.Engine = &foretellsOld{Engine: h.Engine} }},
		{"foretells what was last true of any campaign", "RandomHistoryIsTheModels", func(h *Harness, _ *Model) { h.Engine = &foretellsOld{Engine: h.Engine} }},
		{"reads the rules before what is issued", "NothingIsSoldOutWhileOneIsLeft", func(h *Harness, _ *Model) { h.Engine = &readsRulesFirst{h.Engine} }},
		{"says sold out one too early", "NothingIsSoldOutWhileOneIsLeft", bent(func(f *hongbao.Facts) { f.Issued++ })},
		{"forgets at a restart what was recorded", "LatestRecordedIsTold", afterRestart(func(m *Model) { clear(m.recorded) })},
		{"forgets at a restart what was recorded", "RandomHistoryIsTheModels", afterRestart(func(m *Model) { clear(m.recorded) })},
		{"tells what was recorded before", "LatestRecordedIsTold", func(h *Harness, _ *Model) { h.Engine = &recordsLate{Engine: h.Engine} }},
		{"tells the first that was recorded", "RandomHistoryIsTheModels", func(h *Harness, _ *Model) { h.Engine = &recordsOnce{Engine: h.Engine} }},
		{"forgets at a restart what was recorded", "OfThoseWhoFollowOneEventOneIsHeard", afterRestart(func(m *Model) { clear(m.recorded) })},
		{"hears everybody", "OfThoseWhoFollowOneEventOneIsHeard", func(h *Harness, _ *Model) { h.Engine = &hearsAll{h.Engine} }},
		{"hears everybody", "RandomHistoryIsTheModels", func(h *Harness, _ *Model) { h.Engine = &hearsAll{h.Engine} }},
		{"records what it refuses", "OfThoseWhoFollowOneEventOneIsHeard", func(h *Harness, _ *Model) { h.Engine = &recordsRefused{h.Engine} }},
		{"looks, and records a little later", "OfThoseWhoFollowOneEventOneIsHeard", func(h *Harness, _ *Model) { h.Engine = &looksFirst{h.Engine} }},
		{"compares what an event says", "OfThoseWhoFollowOneEventOneIsHeard", func(h *Harness, _ *Model) { h.Engine = &comparesData{h.Engine} }},
		{"counts ids from where the walk begins", "EventsHaveIDsOfTheirOwn", func(h *Harness, _ *Model) { h.Engine = &countsIDs{Engine: h.Engine} }},
		{"gives two events one id", "EventsHaveIDsOfTheirOwn", func(h *Harness, _ *Model) { h.Engine = &countsIDs{Engine: h.Engine, shared: true} }},
		{"credits twice", "EnvelopeIsCreditedOnce", func(h *Harness, _ *Model) { h.Engine = &creditsAgain{h.Engine} }},
		{"lets anybody open", "EnvelopeIsCreditedOnce", func(h *Harness, m *Model) { h.Engine = &opensForAnybody{h.Engine, m} }},
		{"adds an opening up wrongly", "BalanceIsTheSumOfWhatWasOpened", func(h *Harness, _ *Model) { h.Engine = &miscounts{h.Engine} }},
		{"refunds a millisecond early", "ExpiryIsExact", func(h *Harness, _ *Model) { h.Engine = &refundsEarly{h.Engine, 1} }},
		{"opens a millisecond late", "ExpiryIsExact", func(h *Harness, _ *Model) { h.Engine = &opensLate{h.Engine, 1} }},
		{"opens what is refunded", "OpenedOrRefundedNeverBoth", func(h *Harness, _ *Model) { h.Engine = &opensRefunded{h.Engine} }},
		{"wins after the seal", "NothingIsWonAfterTheSeal", bent(func(f *hongbao.Facts) { f.Sealed, f.Cancelled = false, false })},
		{"steps back with the clock", "TimeNeverGoesBack", func(h *Harness, m *Model) { h.Engine = &stepsBack{h.Engine, m} }},
		{"tells an old limit", "SnatchingIsLinearizable", func(h *Harness, _ *Model) { h.Engine = &answersLate{Engine: h.Engine} }},
		{"shows an old wallet", "OpeningIsLinearizable", func(h *Harness, _ *Model) { h.Engine = &lags{Engine: h.Engine} }},
		{"shows an old wallet", "WhatIsToldIsSeenAtOnce", func(h *Harness, _ *Model) { h.Engine = &lags{Engine: h.Engine} }},
		{"leaves an event out of the journal", "WhatIsToldIsSeenAtOnce", func(h *Harness, _ *Model) { h.Engine = &skips{h.Engine} }},
		{"begins one event late", "PositionsResumeExactly", func(h *Harness, _ *Model) { h.Engine = &skips{h.Engine} }},
		{"ends a wallet after its second page", "WalletIsPagedNewestFirst", func(h *Harness, _ *Model) { h.Engine = &shortens{h.Engine} }},
		{"cuts keys to 63 bytes", "BoundsAreServed", func(h *Harness, _ *Model) { h.Engine = &cutsKeys{h.Engine} }},
		{"loses the last win at a restart", "ToldIsKeptOverRestarts", loses(-1)},
		{"forgets how long an envelope was promised", "ExpiryStaysAsItWasTold", func(h *Harness, m *Model) { h.Engine = &breaksPromises{h.Engine, m} }},
		{"refunds by the clock", "ExpiryStaysAsItWasTold", func(h *Harness, m *Model) { h.Engine = &refundsByClock{h.Engine, m} }},
		{"keeps a hundred wins at a power cut", "RefusalsRestOnWhatIsKept", loses(100)},
		{"keeps a hundred wins at a power cut", "ToldIsKeptOverPowerCuts", loses(100)},
		{"forgets counts at a restart", "ToldIsKeptOverRestarts", afterRestart(func(m *Model) { clear(m.wins) })},
		{"forgets who has signed up at a restart", "RandomHistoryIsTheModels", afterRestart(func(m *Model) { clear(m.signedUp) })},
		{"forgets pace", "RandomHistoryIsTheModels", bent(func(f *hongbao.Facts) { f.Allowed = f.Rules.Budget.Count })},
		{"forgets sign-up", "RandomHistoryIsTheModels", bent(func(f *hongbao.Facts) { f.SignedUp = true })},
		{"steps back with the clock", "RandomHistoryIsTheModels", func(h *Harness, m *Model) { h.Engine = &stepsBack{h.Engine, m} }},
		{"loses the last win at a restart", "RandomHistoryIsTheModels", loses(-1)},
	}
}

// leaseLies are told by engines that lease numbers.
func leaseLies() []lie {
	return []lie{
		{"wins a number twice", "BudgetSellsOutExactly", sharded(func(s *shards) { s.twice = true })},
		{"has nothing left while a shard has", "RandomHistoryIsTheModels", sharded(func(s *shards) {
			s.hasty = func(c *hongbao.Campaign, r hongbao.SnatchRequest) (hongbao.Status, bool) {
				return hongbao.SoldOut, s.cursor[c.ID] == c.Rules().Budget.Count && len(s.leases[shardOf(c.ID, r.UID)]) == 0
			}
		})},
		{"counts as issued less than is taken", "RevisedUnderLoadBudgetHolds", sharded(func(s *shards) {
			s.tally = func(c *hongbao.Campaign) hongbao.Tally { return s.below(c, s.progress[c.ID].Taken.Count-1) }
		})},
		{"counts as issued only what is taken", "RevisedUnderLoadBudgetHolds", sharded(func(s *shards) {
			s.tally = func(c *hongbao.Campaign) hongbao.Tally { return s.progress[c.ID].Taken }
		})},
		{"counts what is leased without its amount", "TranchesFollowOneAnother", sharded(func(s *shards) {
			s.tally = func(c *hongbao.Campaign) hongbao.Tally {
				return hongbao.Tally{Count: s.cursor[c.ID], TotalFen: s.progress[c.ID].Taken.TotalFen}
			}
		})},
		{"wins under a revision that another decided", "RevisedUnderLoadBudgetHolds", sharded(func(s *shards) { s.deaf, s.pretends = true, true })},
		{"wins under an old revision after the next is told", "RandomHistoryIsTheModels", sharded(func(s *shards) { s.deaf = true })},
		{"has missed who would win", "RandomHistoryIsTheModels", hasty(hongbao.Missed)},
		{"has sold out to whoever asks", "RandomHistoryIsTheModels", hasty(hongbao.SoldOut)},
		{"does not look who brings a key", "RandomHistoryIsTheModels", sharded(looksAway)},
		{"does not look who brings a key", "SnatchingIsLinearizable", sharded(looksAway)},
		{"goes on before what was recorded", "PositionsResumeExactly", func(h *Harness, _ *Model) { h.Engine = &goesBack{h.Engine} }},
		{"goes on after what was not recorded yet", "PositionsResumeExactly", sharded(func(s *shards) { s.forward = true })},
	}
}

// TestEveryLieIsFound is the proof of the suite: each property fails on an engine that breaks what it keeps, whether it
// gives numbers out in order or leases them.
func TestEveryLieIsFound(t *testing.T) {
	engines := []struct {
		name string
		open Open
		lies []lie
	}{
		{"the model", openModelHarness, lies()},
		{"shards", openShards(1), lies()},
		{"shards ahead", openShards(leaseSize), append(slices.DeleteFunc(lies(), aboutPace), leaseLies()...)},
	}
	for _, engine := range engines {
		for _, l := range engine.lies {
			t.Run(fmt.Sprintf("%s finds that %s %s", l.property, engine.name, l.name), func(t *testing.T) {
				open := func(t testing.TB, now hongbao.Time) *Harness {
					h := engine.open(t, now)
					l.tell(h, modelOf(h))
					return h
				}
				if !finds(t, l.property, open) {
					t.Error("it passes")
				}
			})
		}
	}
}

// aboutPace is about what is not tested where numbers are leased ahead.
func aboutPace(l lie) bool { return l.name == "forgets pace" }

func TestEveryPropertyFindsALie(t *testing.T) {
	found := map[string]bool{}
	for _, l := range lies() {
		found[l.property] = true
	}
	for _, p := range properties() {
		if !found[p.name] {
			t.Errorf("no lie is told to %s", p.name)
		}
	}
}

// loses opens, after a restart or a power cut, what the journal amounts to up to the first n wins, or without the last
// if n is negative.
func loses(n int) func(*Harness, *Model) {
	return func(h *Harness, _ *Model) {
		again := func(hongbao.Time) hongbao.Engine {
			h.Engine = upTo(h, n)
			return h.Engine
		}
		h.Restart, h.Crash = again, again
	}
}

func upTo(h *Harness, n int) *Model {
	if err := h.Engine.Sync(context.Background()); err != nil {
		panic(err)
	}
	var events []hongbao.Event
	var wins []int
	for entry := range h.Engine.Journal(context.Background(), "") {
		if entry.Event.Kind == hongbao.EnvelopeWon {
			wins = append(wins, len(events))
		}
		events = append(events, *entry.Event)
	}
	if len(wins) > 0 {
		events = events[:wins[(n+len(wins))%len(wins)]]
	}
	m := NewModel(h.Secret, h.Calendar)
	for i := range events {
		if h.Leased {
			m.adopt(&events[i])
		}
		if err := m.Apply(context.Background(), &events[i]); err != nil {
			panic(err)
		}
	}
	m.supply = firstFree{inOrder{m}}
	return m
}

// firstFree goes on where a journal of any order ended.
type firstFree struct{ inOrder }

func (s firstFree) number(c *hongbao.Campaign, _ uint64) (number uint64, err error) {
	for s.envelopes[hongbao.NewEnvelopeID(c.ID, number)] != nil {
		number++
	}
	return number, nil
}

// givesTwice tells every fourth win of the one before.
type givesTwice struct {
	hongbao.Engine
	n    atomic.Int64
	last atomic.Pointer[hongbao.SnatchResult]
}

func (l *givesTwice) Snatch(ctx context.Context, r hongbao.SnatchRequest) (hongbao.SnatchResult, error) {
	result, err := l.Engine.Snatch(ctx, r)
	before := l.last.Swap(&result)
	if result.Status == hongbao.Won && before != nil && before.Status == hongbao.Won && l.n.Add(1)%4 == 0 {
		return *before, err
	}
	return result, err
}

type generous struct{ hongbao.Engine }

func (l *generous) Snatch(ctx context.Context, r hongbao.SnatchRequest) (hongbao.SnatchResult, error) {
	result, err := l.Engine.Snatch(ctx, r)
	if result.Status == hongbao.Won {
		result.AmountFen++
	}
	return result, err
}

// shifts moves amounts one number on; their sum stays.
type shifts struct {
	hongbao.Engine
	m *Model
}

func (l *shifts) Put(ctx context.Context, change hongbao.Change) (*hongbao.Campaign, error) {
	c, err := l.Engine.Put(ctx, change)
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	l.m.amount(c, 0) // cuts it
	t := tranche{c.ID, 1, 0}
	l.m.tranches[t] = append(l.m.tranches[t][1:], l.m.tranches[t][0])
	return c, err
}

// knowsKeys answers a key with what it won for anybody.
type knowsKeys struct {
	hongbao.Engine
	known sync.Map
}

func (l *knowsKeys) Snatch(ctx context.Context, r hongbao.SnatchRequest) (hongbao.SnatchResult, error) {
	if known, ok := l.known.Load(r.Key); ok {
		return known.(hongbao.SnatchResult), nil
	}
	result, err := l.Engine.Snatch(ctx, r)
	l.known.Store(r.Key, result)
	return result, err
}

type creditsAgain struct{ hongbao.Engine }

func (l *creditsAgain) Open(ctx context.Context, r hongbao.OpenRequest) (hongbao.OpenResult, error) {
	result, err := l.Engine.Open(ctx, r)
	result.First = err == nil && !result.Expired
	return result, err
}

type opensForAnybody struct {
	hongbao.Engine
	m *Model
}

func (l *opensForAnybody) Open(ctx context.Context, r hongbao.OpenRequest) (hongbao.OpenResult, error) {
	l.m.mu.Lock()
	if known := l.m.envelopes[r.Envelope]; known != nil {
		r.UID = known.uid
	}
	l.m.mu.Unlock()
	return l.Engine.Open(ctx, r)
}

type miscounts struct{ hongbao.Engine }

func (l *miscounts) Open(ctx context.Context, r hongbao.OpenRequest) (hongbao.OpenResult, error) {
	result, err := l.Engine.Open(ctx, r)
	result.BalanceFen -= result.BalanceFen % 2
	return result, err
}

type refundsEarly struct {
	hongbao.Engine
	by hongbao.Time
}

func (l *refundsEarly) Refund(ctx context.Context, now hongbao.Time, limit int) (int, error) {
	return l.Engine.Refund(ctx, now+l.by, limit)
}

// breaksPromises lets an envelope expire by the rules in force.
type breaksPromises struct {
	hongbao.Engine
	m *Model
}

func (l *breaksPromises) Open(ctx context.Context, r hongbao.OpenRequest) (hongbao.OpenResult, error) {
	l.m.mu.Lock()
	if known := l.m.envelopes[r.Envelope]; known != nil {
		known.ExpiresAt = l.m.campaign(r.Envelope.Campaign()).Rules().ExpiresAt()
	}
	l.m.mu.Unlock()
	return l.Engine.Open(ctx, r)
}

// refundsByClock does not know that engine time has gone on.
type refundsByClock struct {
	hongbao.Engine
	m *Model
}

func (l *refundsByClock) Refund(ctx context.Context, now hongbao.Time, limit int) (int, error) {
	l.m.mu.Lock()
	last := l.m.last
	l.m.last = 0
	l.m.mu.Unlock()
	n, err := l.Engine.Refund(ctx, now, limit)
	l.m.mu.Lock()
	l.m.last = max(last, l.m.last)
	l.m.mu.Unlock()
	return n, err
}

type opensLate struct {
	hongbao.Engine
	by hongbao.Time
}

func (l *opensLate) Open(ctx context.Context, r hongbao.OpenRequest) (hongbao.OpenResult, error) {
	r.Now -= l.by
	return l.Engine.Open(ctx, r)
}

// opensRefunded tells of an opening where there was none.
type opensRefunded struct{ hongbao.Engine }

func (l *opensRefunded) Open(ctx context.Context, r hongbao.OpenRequest) (hongbao.OpenResult, error) {
	result, err := l.Engine.Open(ctx, r)
	if result.Expired {
		return hongbao.OpenResult{First: true, AmountFen: 100, BalanceFen: 100}, nil
	}
	return result, err
}

// Refund comes first, so that there is something that is refunded.
func (l *opensRefunded) Put(ctx context.Context, change hongbao.Change) (*hongbao.Campaign, error) {
	c, err := l.Engine.Put(ctx, change)
	if change.Close {
		_, _ = l.Engine.Refund(ctx, c.Rules().ExpiresAt()+refundAfter, 10)
	}
	return c, err
}

// stepsBack forgets the time of the last event.
type stepsBack struct {
	hongbao.Engine
	m *Model
}

func (l *stepsBack) Snatch(ctx context.Context, r hongbao.SnatchRequest) (hongbao.SnatchResult, error) {
	l.m.mu.Lock()
	l.m.last = 0
	l.m.mu.Unlock()
	return l.Engine.Snatch(ctx, r)
}

// answersLate tells a player's first refusal again, whatever has become of it.
type answersLate struct {
	hongbao.Engine
	wins sync.Map // by uid
}

func (l *answersLate) Snatch(ctx context.Context, r hongbao.SnatchRequest) (hongbao.SnatchResult, error) {
	result, err := l.Engine.Snatch(ctx, r)
	if first, before := l.wins.LoadOrStore(fmt.Sprint(r.Campaign, r.UID), result.Wins); before {
		result.Wins = first.(int)
	}
	return result, err
}

// lags shows each wallet as it was when it was last asked for.
type lags struct {
	hongbao.Engine
	wallets sync.Map
}

func (l *lags) Wallet(ctx context.Context, r hongbao.WalletRequest) (hongbao.Wallet, error) {
	w, err := l.Engine.Wallet(ctx, r)
	if before, ok := l.wallets.Swap(r, w); ok {
		return before.(hongbao.Wallet), err
	}
	return w, err
}

// skips leaves out the first event that is read.
type skips struct{ hongbao.Engine }

func (l *skips) Journal(ctx context.Context, after hongbao.Position) iter.Seq2[hongbao.Entry, error] {
	return func(yield func(hongbao.Entry, error) bool) {
		first := after != ""
		for entry, err := range l.Engine.Journal(ctx, after) {
			if skip := first || after == "" && entry.Event != nil && entry.Event.Kind == hongbao.EnvelopeOpened; skip {
				first, after = false, "-"
				continue
			}
			if !yield(entry, err) {
				return
			}
		}
	}
}

type shortens struct{ hongbao.Engine }

func (l *shortens) Wallet(ctx context.Context, r hongbao.WalletRequest) (hongbao.Wallet, error) {
	w, err := l.Engine.Wallet(ctx, r)
	w.More = w.More && r.After == (hongbao.Cursor{})
	return w, err
}

type cutsKeys struct{ hongbao.Engine }

func (l *cutsKeys) Snatch(ctx context.Context, r hongbao.SnatchRequest) (hongbao.SnatchResult, error) {
	r.Key = r.Key[:min(len(r.Key), hongbao.KeyBytesMax-1)]
	return l.Engine.Snatch(ctx, r)
}

// goesBack tells of a system event the position before it.
type goesBack struct{ hongbao.Engine }

func (l *goesBack) Record(ctx context.Context, e hongbao.Event, after *hongbao.Event) (hongbao.Position, error) {
	at, err := l.Engine.Record(ctx, e, after)
	n, _ := strconv.Atoi(strings.TrimPrefix(string(at), "after "))
	return position(n - 2), err
}

// snatchesAnyway does not hear that nothing may be won.
type snatchesAnyway struct{ hongbao.Engine }

func (l *snatchesAnyway) Snatch(ctx context.Context, r hongbao.SnatchRequest) (hongbao.SnatchResult, error) {
	r.ReplayOnly = false
	return l.Engine.Snatch(ctx, r)
}

// neverReplays refuses whoever asks for no more than a replay.
type neverReplays struct{ hongbao.Engine }

func (l *neverReplays) Snatch(ctx context.Context, r hongbao.SnatchRequest) (hongbao.SnatchResult, error) {
	if r.ReplayOnly {
		r.Key += "?"
	}
	return l.Engine.Snatch(ctx, r)
}

// foretellsAnyKey takes every key for a new one.
type foretellsAnyKey struct{ hongbao.Engine }

func (l *foretellsAnyKey) Foretell(r hongbao.SnatchRequest) (hongbao.SnatchResult, bool) {
	r.KeyIsNew = true
	return l.Engine.Foretell(r)
}

// foretellsOld tells again what was true once.
type foretellsOld struct {
	hongbao.Engine
	known sync.Map // by campaign
}

func (l *foretellsOld) Foretell(r hongbao.SnatchRequest) (hongbao.SnatchResult, bool) {
	if known, ok := l.known.Load(r.Campaign); ok {
		return known.(hongbao.SnatchResult), true
	}
	result, ok := l.Engine.Foretell(r)
	if ok && result.Status != hongbao.NotOpen {
		l.known.Store(r.Campaign, result)
	}
	return result, ok
}

// readsRulesFirst reads the rules, and what is issued a little later.
type readsRulesFirst struct{ hongbao.Engine }

func (l *readsRulesFirst) Foretell(r hongbao.SnatchRequest) (result hongbao.SnatchResult, ok bool) {
	c := l.Engine.Campaigns()[r.Campaign-1]
	for range 100 {
		runtime.Gosched()
	}
	status, ok := c.Foretell(r.Now, l.Engine.Progress(c.ID).Taken.Count, r.KeyIsNew)
	if !ok {
		return result, false
	}
	return hongbao.SnatchResult{Status: status, Wins: -1, Rules: c.Rules()}, true
}

// recordsLate tells of each name what was recorded before the last.
type recordsLate struct {
	hongbao.Engine
	before sync.Map
}

func (l *recordsLate) Record(ctx context.Context, e hongbao.Event, after *hongbao.Event) (hongbao.Position, error) {
	if before, err := l.Engine.Recorded(ctx, e.Name); err == nil {
		l.before.Store(e.Name, before)
	}
	return l.Engine.Record(ctx, e, after)
}

func (l *recordsLate) Recorded(ctx context.Context, name string) (hongbao.Event, error) {
	if before, ok := l.before.Load(name); ok {
		return before.(hongbao.Event), nil
	}
	return l.Engine.Recorded(ctx, name)
}

// recordsOnce tells of each name what was recorded first.
type recordsOnce struct {
	hongbao.Engine
	first sync.Map
}

func (l *recordsOnce) Recorded(ctx context.Context, name string) (hongbao.Event, error) {
	e, err := l.Engine.Recorded(ctx, name)
	if err != nil {
		return e, err
	}
	first, _ := l.first.LoadOrStore(name, e)
	return first.(hongbao.Event), nil
}

// hearsAll does not look at what an event is to follow.
type hearsAll struct{ hongbao.Engine }

func (l *hearsAll) Record(ctx context.Context, e hongbao.Event, _ *hongbao.Event) (hongbao.Position, error) {
	return l.Engine.Record(ctx, e, nil)
}

// recordsRefused leaves in the journal what it refuses.
type recordsRefused struct{ hongbao.Engine }

func (l *recordsRefused) Record(ctx context.Context, e hongbao.Event, after *hongbao.Event) (hongbao.Position, error) {
	at, err := l.Engine.Record(ctx, e, after)
	if errors.Is(err, hongbao.ErrStale) {
		latest, _ := l.Engine.Recorded(ctx, e.Name)
		_, _ = l.Engine.Record(ctx, e, nil)
		_, _ = l.Engine.Record(ctx, latest, nil)
	}
	return at, err
}

// looksFirst compares, and records later.
type looksFirst struct{ hongbao.Engine }

func (l *looksFirst) Record(ctx context.Context, e hongbao.Event, after *hongbao.Event) (hongbao.Position, error) {
	if after != nil {
		if _, err := hongbao.LatestForm(e.Name, after); err != nil {
			return "", err
		}
		if latest, _ := l.Engine.Recorded(ctx, e.Name); !reflect.DeepEqual(latest, *after) {
			return "", hongbao.ErrStale
		}
		for range 100 {
			runtime.Gosched()
		}
	}
	return l.Engine.Record(ctx, e, nil)
}

// comparesData takes an event for the latest that says the same.
type comparesData struct{ hongbao.Engine }

func (l *comparesData) Record(ctx context.Context, e hongbao.Event, after *hongbao.Event) (hongbao.Position, error) {
	latest, _ := l.Engine.Recorded(ctx, e.Name)
	if after != nil && after.Name == latest.Name && string(after.Data) == string(latest.Data) {
		after = &latest
	}
	return l.Engine.Record(ctx, e, after)
}

// countsIDs gives events the numbers 1, 2, 3 …
type countsIDs struct {
	hongbao.Engine
	shared bool // by two
}

func (l *countsIDs) Journal(ctx context.Context, after hongbao.Position) iter.Seq2[hongbao.Entry, error] {
	return func(yield func(hongbao.Entry, error) bool) {
		n := 0
		for entry, err := range l.Engine.Journal(ctx, after) {
			if n++; !l.shared {
				entry.ID = strconv.Itoa(n)
			} else if n%2 == 0 {
				entry.ID = "0"
			}
			if !yield(entry, err) {
				return
			}
		}
	}
}
