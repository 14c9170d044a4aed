package enginetest

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"hongbao"
)

// Harness is an engine under test, with what the suite needs besides.
type Harness struct {
	Engine   hongbao.Engine
	Secret   hongbao.Secret    // that the engine's seeds derive from
	Calendar *hongbao.Calendar // that it counts days by
	// Leased: numbers are leased to shards ahead of being won: they need not be given out in order, a revision counts what
	// is leased as issued, and the engine may answer from what it knows without looking at the player (see unseen).
	Leased bool
	// Ahead, besides Leased: more than one number is leased at a time, so that even when one thing happens after another
	// what is issued may be ahead of what is taken.
	Ahead bool
	// Slow: each step takes servers. Of what takes very many steps there is less, unless HONGBAO_LONG is set.
	Slow bool
	// Restart closes the engine and opens it again on the same store, with the wall clock at now.
	Restart func(now hongbao.Time) hongbao.Engine
	// Crash opens an engine on what a power cut at this moment would leave of the store. The engine before it goes on
	// with a store of its own until the test ends, so that others may be in the middle of calling it. Nil: can't, and the
	// properties about power cuts are left to another harness of the engine.
	Crash func(now hongbao.Time) hongbao.Engine
}

// Open makes a harness with an empty engine, with the wall clock at now. It fails t when it can't, and cleans up with it.
type Open func(t testing.TB, now hongbao.Time) *Harness

// Run puts an engine through the suite.
func Run(t *testing.T, open Open) {
	for _, p := range properties() {
		t.Run(p.name, func(t *testing.T) { p.check(t, open) })
	}
}

// RunCrashes puts an engine through what restarts it and cuts its power, for further ways of losing what was not synced.
func RunCrashes(t *testing.T, open Open) {
	for _, p := range properties() {
		if p.crashes {
			t.Run(p.name, func(t *testing.T) { p.check(t, open) })
		}
	}
}

// property is something that holds of every engine.
type property struct {
	name    string
	check   func(t testing.TB, open Open)
	crashes bool // it restarts or crashes again and again
}

func properties() []property {
	return []property{
		{"RandomHistoryIsTheModels", checkHistories, true},
		{"WinsNeverExceedTheLimit", checkLimit, false},
		{"DayWinsNeverExceedTheLimitOverCampaigns", checkDailyLimit, false},
		{"DayCountsOutliveARestartAndEndAtMidnight", checkMidnight, false},
		{"WhatIsForetoldIsTrue", checkForetelling, false},
		{"NothingIsSoldOutWhileOneIsLeft", checkOneLeft, false},
		{"BudgetSellsOutExactly", checkSoldOut, false},
		{"TranchesFollowOneAnother", checkTranches, false},
		{"RevisedUnderLoadBudgetHolds", checkRevising, false},
		{"SameKeyWinsOnce", checkSameKey, false},
		{"KeyIsAnsweredWhateverHasHappenedSince", checkKeyKept, false},
		{"ReplayOnlyWinsNothing", checkReplayOnly, false},
		{"EnvelopeIsCreditedOnce", checkCreditedOnce, false},
		{"BalanceIsTheSumOfWhatWasOpened", checkBalance, false},
		{"ExpiryIsExact", checkExpiry, false},
		{"ExpiryStaysAsItWasTold", checkExpiryKept, false},
		{"OpenedOrRefundedNeverBoth", checkOpenOrRefund, false},
		{"NothingIsWonAfterTheSeal", checkSeal, false},
		{"TimeNeverGoesBack", checkTime, false},
		{"SnatchingIsLinearizable", checkLinearSnatching, false},
		{"OpeningIsLinearizable", checkLinearOpening, false},
		{"WhatIsToldIsSeenAtOnce", checkSeen, false},
		{"PositionsResumeExactly", checkPositions, false},
		{"LatestRecordedIsTold", checkLatest, true},
		{"OfThoseWhoFollowOneEventOneIsHeard", checkFollowing, true},
		{"EventsHaveIDsOfTheirOwn", checkIDs, false},
		{"WalletIsPagedNewestFirst", checkPaging, false},
		{"BoundsAreServed", checkBounds, false},
		{"ToldIsKeptOverRestarts", checkRestart, true},
		{"ToldIsKeptOverPowerCuts", checkCrash, true},
		{"RefusalsRestOnWhatIsKept", checkRefusals, true},
	}
}

// start is when the suite's campaigns open: 14:00 in Shanghai.
const start = hongbao.Time(1_800_000_000_000 - 1_800_000_000_000%86_400_000 + 6*3_600_000)

const (
	second = hongbao.Time(1000)
	minute = 60 * second
	hour   = 60 * minute
)

// long reports whether there is time for more of everything.
func long() bool { return os.Getenv("HONGBAO_LONG") != "" }

// times is how often to repeat something: n, or much more in the long form.
func times(n int) int {
	if long() {
		return 20 * n
	}
	return n
}

// newRandom is the randomness of a test, from a seed that is printed with a failure.
func newRandom(t testing.TB) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("ENGINETEST_SEED"); text != "" {
		given, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("ENGINETEST_SEED: %v", err)
		}
		seed = given
	}
	t.Logf("repeat with: ENGINETEST_SEED=%d go test -run '%s'", seed, t.Name())
	return rand.New(rand.NewPCG(seed, 0))
}
