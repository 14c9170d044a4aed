package cluster

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"hongbao"
)

// walk moves a campaign's numbers between bank, shards and players by the scripts, in any order: each step is one script,
// called by somebody who has seen any earlier reply and may be long dead. It knows only what they promise one another:
// a return is forgotten by its shard only after the bank was asked to take it.
type walk struct {
	*store
	*rand.Rand
	c      *campaign
	id     string
	leases []leaseSeen
	gives  []giveSeen
	empty  []string          // by shard: its last lease and last return when it was found empty
	held   map[string]string // envelope, amount
	told   []string          // steps

	mutant *script // in place of the script of that name
}

type leaseSeen struct {
	shard       *shard
	lease, what string
}

type giveSeen struct {
	shard   *shard
	number  string
	entries []string
	taken   bool // the bank was asked to take it
}

const (
	walkShards = 3
	walkCount  = 16
	walkSteps  = 250
)

// ask calls a script, which must not fail.
func (w *walk) ask(s *shard, script *script, keys []string, args ...string) []string {
	w.Helper()
	if w.mutant != nil && w.mutant.name == script.name {
		script = w.mutant
	}
	reply, err := w.engine.ask(context.Background(), s, script, 0, keys, args...)
	if err != nil {
		w.Fatal(err)
	}
	w.told = append(w.told, fmt.Sprintf("shard %d %s %q: %.300q", s.index, script.name, args, reply))
	return reply
}

func (w *walk) any() *shard { return w.engine.shards[w.IntN(walkShards)] }

// step takes one of the steps.
func (w *walk) step() {
	home := w.engine.home()
	bank, free := home.bank(w.id), home.free(w.id)
	switch s := w.any(); w.IntN(20) {
	case 0, 1, 2: // lease, by somebody who knows of any earlier lease or of the last
		fields := hash(w.read(s, s.campaign(w.id))[0])
		received := max(int(parseUint(fields["in"]))-w.IntN(4)/3, 0)
		b := hash(w.read(home, bank)[0])
		cursor, count := parseUint(b["cursor"]), uint64(1+w.IntN(6))
		count = min(count, walkCount-cursor)
		fen := sum(w.c.amounts(cursor, count))
		reply := w.ask(home, scriptLease, []string{bank, free, home.leases(w.id)},
			s.text, strconv.Itoa(received), "1", strconv.Itoa(1+w.IntN(6)), "1", b["cursor"], strconv.FormatUint(count, 10), strconv.FormatInt(fen, 10))
		if reply[0] == "leased" {
			w.leases = append(w.leases, leaseSeen{s, reply[1], reply[2]})
		}
	case 3, 4, 5, 6: // bring one of the last leases, or any, to its shard
		if len(w.leases) > 0 {
			seen := w.leases[w.recent(len(w.leases))]
			w.ask(seen.shard, scriptReceive, []string{seen.shard.campaign(w.id), seen.shard.supply(w.id)},
				append([]string{"1", seen.lease, "1"}, entriesOf(w.c, seen.what)...)...)
		}
	case 7, 8, 16, 17: // give
		reply := w.ask(s, scriptGive, []string{s.campaign(w.id), s.supply(w.id), s.returning(w.id)}, "1")
		if reply[0] == "empty" {
			w.empty[2*s.index], w.empty[2*s.index+1] = reply[1], reply[2]
		} else {
			w.gives = append(w.gives, giveSeen{s, reply[1], reply[2:], false})
		}
	case 9, 10, 11: // take
		if len(w.gives) > 0 {
			seen := &w.gives[w.recent(len(w.gives))]
			seen.taken = true
			w.ask(home, scriptTake, []string{bank, free}, append([]string{"1", seen.shard.text, seen.number}, seen.entries...)...)
		}
	case 12, 13: // forget
		if len(w.gives) > 0 {
			if seen := w.gives[w.recent(len(w.gives))]; seen.taken {
				w.ask(seen.shard, scriptGiven, []string{seen.shard.campaign(w.id), seen.shard.returning(w.id)}, seen.number, "1")
			}
		}
	case 14: // win
		w.win(s)
	case 15, 18, 19: // ask whether it is dry
		if reply := w.ask(home, scriptDry, []string{bank, free}, append([]string{"1", "1", strconv.Itoa(walkCount)}, w.empty...)...); reply[0] == "dry" && len(w.held) < walkCount {
			w.fail("dry with %d of %d won", len(w.held), walkCount)
		}
	}
}

// recent is mostly one of the last of n.
func (w *walk) recent(n int) int {
	if w.IntN(3) == 0 {
		return w.IntN(n)
	}
	return n - 1 - w.IntN(min(n, 3))
}

// win takes an envelope of a shard as snatch.lua does.
func (w *walk) win(s *shard) bool {
	taken := w.do(s, "LPOP", s.supply(w.id))[0]
	if taken == "" {
		return false
	}
	w.told = append(w.told, fmt.Sprintf("shard %d wins %s", s.index, taken))
	id, amount, _ := strings.Cut(taken, " ")
	if _, twice := w.held[id]; twice {
		w.fail("%s is won twice", id)
	}
	w.held[id] = amount
	return true
}

// check counts every number: those before the cursor are each in one place, with their amount.
//
// Keeps G1 and G2.
func (w *walk) check() {
	w.Helper()
	home := w.engine.home()
	found := w.read(home, home.bank(w.id), home.free(w.id), home.leases(w.id))
	bank, places := hash(found[0]), map[string][]string{}
	put := func(place string, entries []string) {
		for _, entry := range entries {
			places[entry] = append(places[entry], place)
		}
	}
	put("free", list(found[1]))
	for _, s := range w.engine.shards {
		here := w.read(s, s.campaign(w.id), s.supply(w.id), s.returning(w.id))
		fields := hash(here[0])
		put("supply "+s.text, list(here[1]))
		if parseUint(fields["out"]) > parseUint(bank["back:"+s.text]) {
			put("returning "+s.text, list(here[2]))
		}
		if lease, what, ok := strings.Cut(hash(found[2])[s.text], " "); ok && parseUint(lease) > parseUint(fields["in"]) {
			put("outstanding "+s.text, entriesOf(w.c, what))
		}
	}
	for id, amount := range w.held {
		put("held", []string{id + " " + amount})
	}
	cursor := parseUint(bank["cursor"])
	for _, entry := range w.c.entries(0, cursor) {
		if len(places[entry]) != 1 {
			w.fail("%s is in %q", entry, places[entry])
		}
		delete(places, entry)
	}
	if len(places) > 0 {
		w.fail("there is also %v", slices.Sorted(maps.Keys(places)))
	}
	if fen := strconv.FormatInt(sum(w.c.amounts(0, cursor)), 10); bank["fen"] != fen {
		w.fail("the bank has leased %s fen, not %s", bank["fen"], fen)
	}
}

func entriesOf(c *campaign, what string) []string {
	l := parseLease(what)
	return c.leased(&l)
}

// broken is what a walk has found.
type broken string

func (w *walk) fail(format string, args ...any) {
	panic(broken(fmt.Sprintf("%s, after\n%s", fmt.Sprintf(format, args...), strings.Join(w.told[max(len(w.told)-60, 0):], "\n"))))
}

// run walks for so many steps, and reports what it has found.
func (w *walk) run(steps int) (found broken) {
	defer func() {
		if is, ok := recover().(broken); ok {
			found = is
		}
	}()
	for range steps {
		w.step()
		w.check()
	}
	if w.mutant == nil {
		w.finish()
	}
	return ""
}

// finish lets the engine win what is left: wherever the walk was left, all of it can be won, and then it is sold out.
func (w *walk) finish() {
	e, ctx := w.engine, context.Background()
	for began, n := time.Now(), 0; ; n++ {
		s := e.shards[n%walkShards]
		for w.win(s) {
		}
		status, err := e.lease(ctx, w.c, s, w.c.Rules().OpensAt)
		w.told = append(w.told, fmt.Sprintf("shard %d leases: %s, %v", s.index, status, err))
		switch {
		case err == nil && status == hongbao.Won: // before another shard wants it
			w.win(s)
		case err != nil || time.Since(began) > 10*time.Second:
			w.fail("with %d of %d won: %v", len(w.held), walkCount, err)
		case status == hongbao.SoldOut:
			w.check()
			if len(w.held) != walkCount {
				w.fail("sold out with %d of %d won", len(w.held), walkCount)
			}
			return
		}
	}
}

func newWalk(t *testing.T, st *store, name string, seed uint64) *walk {
	w := &walk{
		store: &store{t, st.engine}, Rand: rand.New(rand.NewPCG(seed, 0)), c: newWalkCampaign(t, st.engine, name), held: map[string]string{},
		empty: slices.Repeat([]string{"0"}, 2*walkShards),
	}
	w.id = w.c.texts.id
	home := st.engine.home()
	w.write(home, []string{"HSET", home.bank(w.id), "mark", "1000"})
	return w
}

// TestNoNumberIsLostOrDoubled walks at random. HONGBAO_SEED repeats a walk.
func TestNoNumberIsLostOrDoubled(t *testing.T) {
	st := newStore(t, walkShards, func(o *Options) { o.LeaseMax = 4 })
	var seeds []uint64
	for range 6 {
		seeds = append(seeds, rand.Uint64N(1e6))
	}
	if text := os.Getenv("HONGBAO_SEED"); text != "" {
		seeds = []uint64{parseUint(text)}
	}
	t.Run("walks", func(t *testing.T) { // which end before the engine is closed
		for i, seed := range seeds {
			t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
				t.Parallel()
				t.Logf("to repeat: HONGBAO_SEED=%d go test ./cluster -run TestNoNumberIsLostOrDoubled", seed)
				if found := newWalk(t, st, fmt.Sprint("walk-", i), seed).run(walkSteps); found != "" {
					t.Error(found)
				}
			})
		}
	})
}

// TestWalksFindMutants shows that walks find what would lose a number, double one, or sell out too early.
func TestWalksFindMutants(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	st := newStore(t, walkShards, func(o *Options) { o.LeaseMax = 4 })
	t.Run("mutants", func(t *testing.T) {
		for i, m := range []struct {
			name    string
			script  *script
			in, out string
		}{
			{"leases again to who has not confirmed", scriptLease, "if (bank[6] or '0') ~= ARGV[6] then return {'moved'} end", ""},
			{"forgets what is outstanding", scriptLease, "if tonumber(lease) > tonumber(ARGV[6]) then return {'leased', lease, what} end", ""},
			{"leaves the cursor", scriptLease, "redis.call('HSET', KEYS[2], 'cursor', text(cursor))", ""},
			{"adds a lease again", scriptReceive, "if tonumber(ARGV[6]) <= received then return {'known'} end\n" +
				"if tonumber(ARGV[6]) ~= received + 1 then return {'gap', text(received)} end", ""},
			{"gives over what is on its way", scriptGive, "if redis.call('EXISTS', KEYS[4]) == 0 then", "if true then"},
			{"gives under the same number", scriptGive, "HINCRBY', KEYS[2], 'out', 1", "HINCRBY', KEYS[2], 'out', redis.call('HEXISTS', KEYS[2], 'out') == 1 and 0 or 1"},
			{"gives without keeping it", scriptGive, "local reply = redis.call('LRANGE', KEYS[4], 0, -1)", "local reply = redis.call('LRANGE', KEYS[4], 0, -1) redis.call('DEL', KEYS[4])"},
			{"takes a return again", scriptTake, "if tonumber(ARGV[7]) ~= tonumber(bank[2] or '0') + 1 then return {'known'} end", ""},
			{"forgets any return", scriptGiven, "if campaign[1] == ARGV[5] and (campaign[2] or ARGV[6]) == ARGV[6] then", "if true then"},
			{"dry with a lease that was not seen", scriptDry, "if tonumber(last[1] or '0') > tonumber(ARGV[8 + 2 * shard]) then return {'more'} end", ""},
		} {
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				if !strings.Contains(m.script.body, m.in) {
					t.Fatalf("%s.lua has no %q", m.script.name, m.in)
				}
				mutant := newScript(m.script.name, strings.Replace(m.script.body, m.in, m.out, 1), false)
				for _, s := range st.engine.shards {
					st.do(s, "SCRIPT", "LOAD", mutant.body)
				}
				for seed := range uint64(8) {
					w := newWalk(t, st, fmt.Sprintf("mutant-%d-%d", i, seed), seed)
					w.mutant = mutant
					if found := w.run(walkSteps); found != "" {
						what, _, _ := strings.Cut(string(found), ", after")
						t.Log(what)
						return
					}
				}
				t.Error("it is not found")
			})
		}
	})
}

func newWalkCampaign(t *testing.T, e *Engine, name string) *campaign {
	t.Helper()
	now := e.options.Now()
	rules := hongbao.Rules{
		Name: name, Kind: hongbao.Rain, Budget: hongbao.Budget{TotalFen: walkCount * 100, Count: walkCount, MinFen: 1, MaxFen: 200, Split: hongbao.DoubleMean},
		OpensAt: now, ClosesAt: now + 3_600_000, OpenFor: hongbao.Duration(time.Hour), Chance: hongbao.ChanceCertain, Pace: hongbao.PaceNone,
		Signup: hongbao.SignupNone, Reveal: hongbao.RevealOnOpen,
	}
	made, err := e.Put(context.Background(), hongbao.Change{At: now, Actor: "test", Create: &rules})
	if err != nil {
		t.Fatal(err)
	}
	return e.catalog.find(made.ID)
}
