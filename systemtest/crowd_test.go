package systemtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hongbao"
	"hongbao/bench"
)

// crowd are players in a rush. It outlives the servers that it plays on: what one of them told is held against the next.
type crowd struct {
	told      *bench.Told
	campaigns uint32 // they have the ids 1 to that
	players   uint64 // uids from 0
	signsUp   bool   // before it snatches

	mu       sync.Mutex
	held     []holding      // told won, in the order of telling
	asked    []bench.Snatch // with a key of ours, whatever the answer was
	signedUp map[right]bool // told so
	soldOut  map[uint32]bool
	busy     int
}

type holding struct {
	uid      uint64
	envelope hongbao.EnvelopeID
	receipt  string
}

type right struct {
	uid      uint64
	campaign uint32
}

func newCrowd(campaigns uint32, players uint64) *crowd {
	return &crowd{
		told: bench.NewTold(0), campaigns: campaigns, players: players,
		signedUp: map[right]bool{}, soldOut: map[uint32]bool{},
	}
}

// atOnce is how many requests are under way in a rush.
const atOnce = 32

// rush plays until heard, which is told the number of each answer, has enough, or the server has gone, and returns how
// many answers there were.
func (c *crowd) rush(s *server, random *rand.Rand, heard func(answer int64) (enough bool)) (answers int64) {
	s.t.Helper()
	w := bench.Witness{Client: s.client(atOnce), Told: c.told}
	var counter atomic.Int64
	var workers sync.WaitGroup
	for range atOnce {
		own := rand.New(rand.NewPCG(random.Uint64(), 0))
		workers.Go(func() {
			for c.answered(c.act(own, w)) && !heard(counter.Add(1)) {
			}
		})
	}
	workers.Wait()
	return counter.Load()
}

// answered tells whether somebody is there.
func (c *crowd) answered(r bench.Result) bool {
	return r.Outcome != bench.Unknown && r.Label != "unreachable"
}

// act is what one player does next: mostly it snatches.
func (c *crowd) act(random *rand.Rand, w bench.Witness) bench.Result {
	switch random.IntN(10) {
	case 0:
		return w.Wallet(random.Uint64N(c.players), hongbao.WalletLimitMax).Result
	case 1:
		return c.again(random, w)
	case 2, 3:
		return c.open(random, w)
	}
	return c.snatch(random, w)
}

// again sends a request a second time, whatever became of the first.
func (c *crowd) again(random *rand.Rand, w bench.Witness) bench.Result {
	ask, some := pick(&c.mu, random, &c.asked)
	if !some {
		return c.snatch(random, w)
	}
	return c.hear(ask, w.Snatch(ask))
}

// open opens an envelope, perhaps not for the first time.
func (c *crowd) open(random *rand.Rand, w bench.Witness) bench.Result {
	h, some := pick(&c.mu, random, &c.held)
	if !some {
		return c.snatch(random, w)
	}
	return w.Open(h.uid, h.envelope).Result
}

func pick[T any](mu *sync.Mutex, random *rand.Rand, from *[]T) (item T, some bool) {
	mu.Lock()
	defer mu.Unlock()
	if len(*from) == 0 {
		return item, false
	}
	return (*from)[random.IntN(len(*from))], true
}

// snatch is a new request, now and then without a key of the player's.
func (c *crowd) snatch(random *rand.Rand, w bench.Witness) bench.Result {
	ask := bench.Snatch{UID: random.Uint64N(c.players), Campaign: 1 + random.Uint32N(c.campaigns)}
	if random.IntN(10) > 0 {
		ask.Key = strconv.FormatUint(random.Uint64(), 36)
	}
	if r := (right{ask.UID, ask.Campaign}); c.signsUp && !c.isSignedUp(r) && random.IntN(10) > 0 {
		return c.signUp(w, r)
	}
	return c.hear(ask, w.Snatch(ask))
}

func (c *crowd) isSignedUp(r right) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.signedUp[r]
}

func (c *crowd) signUp(w bench.Witness, r right) bench.Result {
	answer := w.SignUp(r.uid, r.campaign)
	c.mu.Lock()
	defer c.mu.Unlock()
	if answer.Status == hongbao.SignedUp {
		c.signedUp[r] = true
	}
	return answer.Result
}

// hear takes note of what there is to do later.
func (c *crowd) hear(ask bench.Snatch, answer bench.Snatched) bench.Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ask.Key != "" {
		c.asked = append(c.asked, ask)
	}
	switch {
	case answer.Won():
		c.held = append(c.held, holding{ask.UID, answer.Envelope, answer.Receipt})
	case answer.Outcome == bench.Answered && answer.Status == hongbao.SoldOut:
		c.soldOut[ask.Campaign] = true
	case answer.Outcome == bench.Busy:
		c.busy++
	}
	return answer.Result
}

// settle learns, by asking again with the same keys, what became of the requests that were not answered. It gives up where
// a difference was found: what a server has lost may stay unknown.
func (c *crowd) settle(s *server) {
	s.t.Helper()
	w := bench.Witness{Client: s.client(atOnce), Told: c.told}
	for deadline := time.Now().Add(time.Minute); ; {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		left := w.Settle(ctx)
		cancel()
		if _, differences := c.told.Differences(); left == 0 || differences > 0 {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%d requests are still unknown: %s", left, &s.log)
		}
	}
}

// sellOut plays until every campaign is told to be sold out.
func (c *crowd) sellOut(s *server, random *rand.Rand) {
	s.t.Helper()
	w := bench.Witness{Client: s.client(1), Told: c.told}
	for deadline := time.Now().Add(2 * time.Minute); ; {
		for range 100 {
			if r := c.snatch(random, w); !c.answered(r) {
				s.t.Fatalf("the server has gone: %s: %s", r.Label, &s.log)
			}
		}
		if c.soldOutAll() {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatal("what is left is never sold out")
		}
	}
}

func (c *crowd) busyAnswers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.busy
}

func (c *crowd) soldOutAll() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.soldOut) == int(c.campaigns)
}

// differences holds everything that was told against the wallets and the journal of a server.
func (c *crowd) differences(s *server) (found []string) {
	s.t.Helper()
	if _, err := c.told.Compare(context.Background(), s.client(atOnce), s.admin()); err != nil {
		s.t.Fatal(err)
	}
	listed, total := c.told.Differences()
	for _, d := range listed {
		found = append(found, d.String())
	}
	if more := total - uint64(len(listed)); more > 0 {
		found = append(found, fmt.Sprintf("and %d more", more))
	}
	return found
}

// judge fails the test for every difference.
func (c *crowd) judge(s *server) {
	s.t.Helper()
	for _, difference := range c.differences(s) {
		s.t.Error(difference)
	}
	s.audit()
}

// newRandom is the randomness of a test, from a seed that is told with a failure.
func newRandom(t testing.TB) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("SYSTEMTEST_SEED"); text != "" {
		given, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("SYSTEMTEST_SEED: %v", err)
		}
		seed = given
	}
	t.Logf("repeat with: SYSTEMTEST_SEED=%d go test ./systemtest -run '^%s$'", seed, t.Name())
	return rand.New(rand.NewPCG(seed, 0))
}
