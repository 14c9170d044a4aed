package gate

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func mustLimit(t testing.TB, rate float64, burst int) *limit {
	r, err := Rate{Rate: rate, Burst: burst}.Complete("gate.test")
	if err != nil {
		t.Fatal(err)
	}
	return newLimit("test", r)
}

func TestRateIsCompletedAndBounded(t *testing.T) {
	for _, row := range []struct {
		given Rate
		want  Rate
		field string
	}{
		{given: Rate{}, want: Rate{}},
		{given: Rate{20, 0}, want: Rate{20, 40}},
		{given: Rate{0.5, 0}, want: Rate{0.5, 1}},
		{given: Rate{20, 3}, want: Rate{20, 3}},
		{given: Rate{10_000_000, 0}, want: Rate{10_000_000, 10_000_000}},
		{given: Rate{-1, 0}, field: "gate.test.rate"},
		{given: Rate{0.001, 0}, field: "gate.test.rate"},
		{given: Rate{1e8, 1}, field: "gate.test.rate"},
		{given: Rate{1, -1}, field: "gate.test.burst"},
		{given: Rate{1, 20_000_000}, field: "gate.test.burst"},
	} {
		got, err := row.given.Complete("gate.test")
		if field := fieldOf(err); field != row.field {
			t.Errorf("%+v: the error is about %q, not %q: %v", row.given, field, row.field, err)
		} else if err == nil && got != row.want {
			t.Errorf("%+v becomes %+v, not %+v", row.given, got, row.want)
		}
	}
}

// A model with a real bucket: tokens that drip in.
func TestCellLetsThroughWhatATokenBucketDoes(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		rate, burst := 1+random.IntN(1000), 1+random.IntN(50)
		l := mustLimit(t, float64(rate), burst)
		var c cell
		tokens, last, now := int64(burst)*l.interval, int64(0), int64(0)
		for range 500 {
			now += random.Int64N(4 * l.interval)
			tokens = min(tokens+now-last, l.depth)
			last = now
			refused := c.full(l, now)
			q := c.take(l, now)
			if want := tokens >= l.interval; (q.RetryAfter == 0) != want || refused == want {
				t.Fatalf("rate %d burst %d at %d: let through: %v (full: %v), of a bucket of %d ns", rate, burst, now, !want, refused, tokens)
			}
			if q.RetryAfter == 0 {
				tokens -= l.interval
			} else if wait := l.interval - tokens; int64(q.RetryAfter) != wait {
				t.Fatalf("told to wait for %s, not %d ns", q.RetryAfter, wait)
			}
			if want := int(tokens / l.interval); q.Remaining != want {
				t.Fatalf("told that %d remain, not %d", q.Remaining, want)
			}
		}
	}
}

func TestCellCountsEveryoneWhoAsksAtOnce(t *testing.T) {
	l := mustLimit(t, 1, 1000)
	var c cell
	var through atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				if c.take(l, 5).RetryAfter == 0 {
					through.Add(1)
				}
			}
		})
	}
	all.Wait()
	if through.Load() != 1000 {
		t.Errorf("%d of 8000 requests at once got through a bucket of 1000", through.Load())
	}
}

// Whoever is over the rate stays over it, however many others come meanwhile.
func TestMadeUpPlayersResetNobodysBucket(t *testing.T) {
	l, players := mustLimit(t, 1, 5), newTable(playerBits)
	const uid, now = 7, int64(time.Second)
	for range 5 {
		players.ofPlayer(uid).take(l, now)
	}
	for other := range uint64(1_000_000) {
		players.ofPlayer(1_000+other).take(l, now)
	}
	if players.ofPlayer(uid).take(l, now).RetryAfter == 0 {
		t.Error("a million made-up players gave a player its bucket back")
	}
}

// And whoever keeps to it is not slowed by a flood of made-up ones: these spread over all cells.
func TestMadeUpPlayersSlowNobody(t *testing.T) {
	l, players := mustLimit(t, 20, 40), newTable(playerBits)
	now := int64(0)
	for uid := range uint64(1_000_000) { // in a minute
		now = int64(uid) * int64(time.Minute) / 1_000_000
		players.ofPlayer(1_000_000+uid).take(l, now)
	}
	for uid := range uint64(10_000) {
		if players.ofPlayer(uid).take(l, now).RetryAfter != 0 {
			t.Fatalf("player %d is told to wait for others", uid)
		}
	}
}

func TestAddressesOfOneCustomerShareABucket(t *testing.T) {
	addresses := newTable(addressBits)
	for _, row := range []struct {
		a, b string
		same bool
	}{
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"203.0.113.1", "203.0.113.1", true},
		{"203.0.113.1", "203.0.113.2", false},
	} {
		a, b := addresses.ofAddress(netip.MustParseAddr(row.a)), addresses.ofAddress(netip.MustParseAddr(row.b))
		if (a == b) != row.same {
			t.Errorf("%s and %s share a bucket: %v", row.a, row.b, a == b)
		}
	}
}

func TestBucketsAllocateNothing(t *testing.T) {
	l, players, addresses := mustLimit(t, 1, 5), newTable(10), newTable(10)
	address := netip.MustParseAddr("2001:db8::1")
	uid := uint64(0)
	if got := testing.AllocsPerRun(1000, func() {
		uid++
		players.ofPlayer(uid).take(l, int64(uid))
		addresses.ofAddress(address).take(l, int64(uid))
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

func BenchmarkBucket(b *testing.B) {
	l, players := mustLimit(b, 20, 40), newTable(playerBits)
	start := time.Now()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		uid := rand.Uint64()
		for pb.Next() {
			uid = uid*6364136223846793005 + 1442695040888963407
			players.ofPlayer(uid%1_000_000).take(l, int64(time.Since(start)))
		}
	})
}
