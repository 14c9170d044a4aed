package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"hongbao"
)

// smallState is everything that a snatch is decided on, in each of its ways to be small.
type smallState struct {
	phase                 *smallPhase
	paused                bool
	signup, signed        bool
	wins, winsMax         int
	dayWins, dailyWinsMax int
	day                   int // that dayWins were counted on: 0 is today, -1 yesterday
	supply                smallSupply
	lucky                 bool
	key                   smallKey
	keyIsNew              bool
}

// smallPhase is where a campaign stands: its window, in milliseconds from now, and how it was sealed.
type smallPhase struct {
	name          string
	opens, closes hongbao.Time
	seal          string
}

var smallPhases = []*smallPhase{
	{"scheduled", 1, 1000, ""},
	{"opens at this millisecond", 0, 1000, ""},
	{"in its last millisecond", -1000, 1, ""},
	{"closes at this millisecond", -1000, 0, ""},
	{"sealed", -1000, 0, sealClosed},
	{"sealed, by the clock not open yet", 1, 1000, sealClosed},
	{"cancelled", -1000, 1000, sealCancelled},
	{"cancelled before it opened", 1, 1000, sealCancelled},
}

// smallSupply is what is left of a campaign, as far as the player's shard and its caller can know.
type smallSupply string

const (
	inShard smallSupply = "an envelope in the shard"
	nowhere smallSupply = "none in the shard; the caller knows that the bank is dry"
	unknown smallSupply = "none in the shard"
)

// smallKey is what a key was used for.
type smallKey string

const (
	keyUnused    smallKey = "nothing"
	keyWon       smallKey = "a win here"
	keyOfOther   smallKey = "a win of another player"
	keyElsewhere smallKey = "a win in another campaign"
)

func (s smallState) String() string {
	return fmt.Sprintf("%s, paused %t, sign-up %t (signed up %t), wins %d of %d, on day %d %d of %d, %s, lucky %t, key used for %s (is new %t)",
		s.phase.name, s.paused, s.signup, s.signed, s.wins, s.winsMax, s.day, s.dayWins, s.dailyWinsMax, s.supply, s.lucky, s.key, s.keyIsNew)
}

// smallStates are all of them. A key that has won is not one that the server has just made.
func smallStates() (states []smallState) {
	type limit struct{ day, wins, max int }
	limits := []limit{{0, 0, 0}, {0, 2, 0}, {0, 0, 1}, {0, 1, 1}, {0, 2, 1}, {0, 0, 2}, {0, 1, 2}, {0, 2, 2}}
	dayLimits := []limit{{0, 0, 0}, {0, 2, 0}, {0, 0, 1}, {0, 1, 1}, {-1, 1, 1}, {0, 1, 2}, {0, 2, 2}, {-1, 2, 2}}
	type use struct {
		key   smallKey
		isNew bool
	}
	uses := []use{{keyUnused, false}, {keyUnused, true}, {keyWon, false}, {keyOfOther, false}, {keyElsewhere, false}}
	for _, phase := range smallPhases {
		for bits := range 1 << 4 {
			set := func(i int) bool { return bits>>i&1 == 1 }
			s := smallState{phase: phase, paused: set(0), lucky: set(1), signup: set(2), signed: set(3)}
			if s.signed && !s.signup {
				continue
			}
			for _, s.supply = range []smallSupply{inShard, nowhere, unknown} {
				for _, use := range uses {
					s.key, s.keyIsNew = use.key, use.isNew
					for _, wins := range limits {
						s.wins, s.winsMax = wins.wins, wins.max
						for _, day := range dayLimits {
							s.day, s.dayWins, s.dailyWinsMax = day.day, day.wins, day.max
							states = append(states, s)
						}
					}
				}
			}
		}
	}
	return states
}

// rules of the state at a time.
func (s *smallState) rules(now hongbao.Time) *hongbao.Rules {
	signup := hongbao.SignupNone
	if s.signup {
		signup = hongbao.SignupOpen
	}
	return &hongbao.Rules{
		Kind: hongbao.Rain, Budget: hongbao.Budget{Count: 2}, OpensAt: now + s.phase.opens, ClosesAt: now + s.phase.closes, Chance: 1,
		Paused: s.paused, Signup: signup, WinsMax: s.winsMax, DailyWinsMax: s.dailyWinsMax,
	}
}

// facts are the state as Decide takes it, with so many envelopes given out.
func (s *smallState) facts(now hongbao.Time, issued uint64) hongbao.Facts {
	f := hongbao.Facts{
		Rules: s.rules(now), Now: now, Replayed: s.key == keyWon, Cancelled: s.phase.seal == sealCancelled, Sealed: s.phase.seal != "",
		SignedUp: s.signed, Wins: s.wins, Issued: issued, Allowed: 2,
	}
	if s.day == 0 {
		f.DayWins = s.dayWins
	}
	if !s.lucky {
		f.Draw = math.MaxUint64
	}
	return f
}

// decided is what snatch.lua must say, by Decide.
//
// Where the shard has none and its caller does not know the bank to be dry, "dry" stands for sold_out (when nothing is
// left anywhere), missed and won (when something is): exactly these, and exactly where Decide comes to them.
func (s *smallState) decided(now hongbao.Time) string {
	left, none := hongbao.Decide(s.facts(now, 0)), hongbao.Decide(s.facts(now, 2))
	switch {
	case s.key == keyWon:
		return "replayed"
	case s.supply == inShard:
		return left.String()
	case s.supply == unknown && none == hongbao.SoldOut && (left == hongbao.Missed || left == hongbao.Won):
		return "dry"
	}
	return none.String()
}

// trial is a state in a shard, and what became of it. Campaign, player, number and amount are the largest there can be.
type trial struct {
	smallState
	n        int
	shard    *shard
	id, uid  string
	key      string
	envelope hongbao.EnvelopeID
	amount   int64
	revision string

	player, campaign map[string]string // as they are before
	supplied         []string
	reply            []string
	err              error
	after            []string // player, campaign and supply
}

const (
	trialDay     = 20_000
	trialNow     = hongbao.Time(trialDay)*86_400_000 + 43_200_000
	trialExpires = trialNow + 86_400_000
)

// strangeKeys are keys of 60 bytes that scripts might trip over.
var strangeKeys = []string{
	strings.Repeat("%d+ ", 15), strings.Repeat(`"'\ `, 15), strings.Repeat("~ 1:", 15), strings.Repeat("k:9:", 15), strings.Repeat("(%s)", 15),
}

func newTrial(n int, s smallState, shards []*shard) *trial {
	campaign := uint64(hongbao.CampaignMax - n)
	t := &trial{
		smallState: s, n: n, shard: shards[n%len(shards)],
		id: strconv.FormatUint(campaign, 10), uid: strconv.Itoa(hongbao.UIDMax - n),
		key:      fmt.Sprintf("%s%4x", strangeKeys[n%len(strangeKeys)], n&0xffff),
		envelope: hongbao.NewEnvelopeID(uint32(campaign), hongbao.CountMax-1-uint64(n)),
		amount:   hongbao.TotalFenMax - int64(n), revision: strconv.Itoa(2 + n%10),
	}
	t.player = map[string]string{"b": "9007199254740991", "e:4294967297": "1 2 3 4 5 6", "o:4294967297": "o 7"}
	if s.wins > 0 {
		t.player["w:"+t.id] = strconv.Itoa(s.wins)
	}
	if s.dayWins > 0 {
		t.player["d:rain"] = fmt.Sprintf("%d %d", trialDay+s.day, s.dayWins)
		t.player["d:bomb"] = fmt.Sprintf("%d 9", trialDay)
	}
	if s.signed {
		t.player["s:"+t.id] = "1"
	}
	switch s.key {
	case keyWon:
		t.player["k:"+t.id+":"+t.key], t.player["e:17"] = "17", t.kept("17")
	case keyElsewhere:
		t.player["k:1"+t.id+":"+t.key], t.player["e:17"] = "17", t.kept("17")
	}
	t.campaign = map[string]string{"signed": "7"}
	if s.phase.seal != "" {
		t.campaign["seal"] = s.phase.seal
	}
	switch n % 3 { // what the shard knows of the revision: none, an older one, the same
	case 1:
		t.campaign["rev"] = "1"
	case 2:
		t.campaign["rev"] = t.revision
	}
	if n%2 == 1 {
		t.campaign["in"], t.campaign["inc"], t.campaign["taken"], t.campaign["taken_fen"] = "12", "1", "4294967295", "9000000000000000"
	}
	if s.supply == inShard {
		t.supplied = []string{fmt.Sprintf("%d %d", t.envelope, t.amount), "1 1"}
	}
	return t
}

// kept is an envelope that was won with the key, as a player's hash has it.
func (t *trial) kept(amount string) string {
	return fmt.Sprintf("%s 3 4 5 6 %s", amount, t.key)
}

// keys are the player's, the campaign's and the supply's.
func (t *trial) keys() []string {
	return []string{t.shard.player(t.uid), t.shard.campaign(t.id), t.shard.supply(t.id)}
}

// other is a player of the same shard who won with the key.
func (t *trial) other() string { return t.shard.player("1" + t.uid) }

func (t *trial) arrange() (list [][]string) {
	keys := t.keys()
	list = append(list, put(keys[0], t.player), put(keys[1], t.campaign))
	if t.supplied != nil {
		list = append(list, append([]string{"RPUSH", keys[2]}, t.supplied...))
	}
	if t.smallState.key == keyOfOther {
		list = append(list, put(t.other(), map[string]string{"k:" + t.id + ":" + t.key: "17", "e:17": t.kept("17")}))
	}
	return list
}

// snatch asks the script. Every other time the caller's clock is behind the shard's.
func (t *trial) snatch(e *Engine, script *script) {
	rules, keys := t.rules(trialNow), t.keys()
	t.reply, t.err = e.ask(context.Background(), t.shard, script, trialNow-hongbao.Time(t.n%2)*5000,
		[]string{t.shard.outbox, keys[1], keys[2], keys[0]},
		e.limit, t.id, t.uid, t.key, flag(t.keyIsNew), t.revision, formatTime(rules.OpensAt), formatTime(rules.ClosesAt), flag(t.paused),
		flag(t.signup), strconv.Itoa(t.winsMax), strconv.Itoa(t.dailyWinsMax), "rain", strconv.Itoa(trialDay), formatTime(trialNow+1),
		flag(t.lucky), formatTime(trialExpires), flag(t.supply == nowhere))
}

// today is how many wins the player had today.
func (t *trial) today() int {
	if t.day != 0 {
		return 0
	}
	return t.dayWins
}

// check compares the reply with what Decide says, and what is there now with what there must be: a win changes exactly
// what follows from it, everything else nothing.
func (t *trial) check() error {
	if t.err != nil {
		return t.err
	}
	status, wins := t.decided(trialNow), strconv.Itoa(t.wins)
	want := []string{status, wins}
	player, campaign, supply := maps.Clone(t.player), maps.Clone(t.campaign), t.supplied
	received := campaign["in"]
	if received == "" {
		received = "0"
	}
	switch status {
	case "replayed":
		want = []string{status, "17", t.kept("17"), wins}
	case "dry":
		want = []string{status, wins, received}
	case "won":
		id, wins := strconv.FormatUint(uint64(t.envelope), 10), strconv.Itoa(t.wins+1)
		want = []string{status, id, strconv.FormatInt(t.amount, 10), formatTime(trialNow), formatTime(trialExpires), wins, "1", received}
		player["e:"+id] = fmt.Sprintf("%d %d %d %d %s %s", t.amount, trialNow, trialExpires, trialDay, t.revision, t.key)
		player["k:"+t.id+":"+t.key], player["w:"+t.id] = id, wins
		player["d:rain"] = fmt.Sprintf("%d %d", trialDay, t.today()+1)
		campaign["rev"] = t.revision
		campaign["taken"] = strconv.FormatUint(parseUint(campaign["taken"])+1, 10)
		campaign["taken_fen"] = strconv.FormatUint(parseUint(campaign["taken_fen"])+uint64(t.amount), 10)
		supply = supply[1:]
	}
	switch {
	case !slices.Equal(t.reply, want):
		return fmt.Errorf("the script says %q; Decide %q", t.reply, want)
	case !maps.Equal(hash(t.after[0]), player):
		return fmt.Errorf("%s leaves the player %v, not %v", status, hash(t.after[0]), player)
	case !maps.Equal(hash(t.after[1]), campaign):
		return fmt.Errorf("%s leaves the campaign %v, not %v", status, hash(t.after[1]), campaign)
	case !slices.Equal(list(t.after[2]), supply):
		return fmt.Errorf("%s leaves the supply %v, not %v", status, list(t.after[2]), supply)
	}
	return nil
}

// event is what a win must have journaled.
func (t *trial) event() hongbao.Event {
	uid, _ := strconv.ParseUint(t.uid, 10, 64)
	return hongbao.Event{
		Kind: hongbao.EnvelopeWon, At: trialNow, Campaign: t.envelope.Campaign(), Revision: uint32(parseUint(t.revision)),
		Envelope: t.envelope, UID: uid, AmountFen: t.amount, Key: t.key, Wins: t.wins + 1, WinsMax: t.winsMax,
		DayWins: t.today() + 1, DailyWinsMax: t.dailyWinsMax, Day: trialDay, ExpiresAt: trialExpires,
	}
}

// trials puts states into real shards and lets a script decide them, some thousand at a time.
type trials struct {
	*store
	script *script
	states []smallState
	order  []int
	atOnce int
}

func newTrials(st *store) *trials {
	for _, s := range st.engine.shards {
		st.write(s, []string{"HSET", s.record, "at", formatTime(trialNow)})
	}
	states := smallStates()
	return &trials{st, scriptSnatch, states, rand.New(rand.NewPCG(1, 2)).Perm(len(states)), 6000}
}

// run decides the states from the first on until the n-th, and returns the first difference from Decide.
func (ts *trials) run(n int) error {
	for page := range slices.Chunk(ts.order[:n], ts.atOnce) {
		if err := ts.page(page); err != nil {
			return err
		}
	}
	return nil
}

func (ts *trials) page(order []int) error {
	e, shards := ts.engine, ts.engine.shards
	of, before := make([][]*trial, len(shards)), make([]uint64, len(shards))
	var all []*trial
	for _, n := range order {
		t := newTrial(n, ts.states[n], shards)
		all, of[t.shard.index] = append(all, t), append(of[t.shard.index], t)
	}
	for i, s := range shards {
		var list [][]string
		for _, t := range of[i] {
			list = append(list, t.arrange()...)
		}
		ts.write(s, list...)
		before[i], _ = ts.seq(s)
	}
	each(all, 1536, func(t *trial) { t.snatch(e, ts.script) })
	var errs []error
	for i, s := range shards {
		errs = append(errs, ts.judge(s, of[i], before[i]))
	}
	return cmp.Or(errs...)
}

// judge reads what became of the trials in a shard, and removes them.
func (ts *trials) judge(s *shard, list []*trial, before uint64) error {
	var keys, others []string
	for _, t := range list {
		keys, others = append(keys, t.keys()...), append(others, t.other())
	}
	after := ts.read(s, keys...)
	for i, t := range list {
		t.after = after[3*i : 3*i+3]
	}
	for page := range slices.Chunk(append(keys, others...), 1000) {
		ts.write(s, append([]string{"UNLINK"}, page...))
	}
	events := map[hongbao.EnvelopeID]*hongbao.Event{}
	journaled, err := ts.events(s, before)
	if err != nil {
		return err
	}
	for i := range journaled {
		events[journaled[i].Envelope] = &journaled[i]
	}
	won := 0
	for _, t := range list {
		if err := t.check(); err != nil {
			return fmt.Errorf("state %d (%s): %w", t.n, t, err)
		}
		if t.reply[0] != "won" {
			continue
		}
		won++
		want := t.event()
		if found := events[t.envelope]; found == nil || !sameEvent(found, &want) {
			return fmt.Errorf("state %d (%s) journals %+v, not %+v", t.n, t, found, want)
		}
	}
	if len(journaled) != won {
		return fmt.Errorf("%d events for %d wins in shard %d", len(journaled), won, s.index)
	}
	if _, at := ts.seq(s); at != trialNow {
		return fmt.Errorf("shard %d is at %s, not %s", s.index, at, trialNow)
	}
	return nil
}

// each does something with all of a list, so many at a time.
func each[T any](list []T, atOnce int, do func(T)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(atOnce, len(list)) {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(list) {
					return
				}
				do(list[i])
			}
		})
	}
	all.Wait()
}

// TestScriptDecidesAsDecide is the proof that the order of decision in Lua is that in Go: every small state, put into a
// shard and decided there, comes to what Decide says, journals what it must, and leaves behind exactly what follows.
func TestScriptDecidesAsDecide(t *testing.T) {
	ts := newTrials(newStore(t, 3, func(o *Options) {}))
	n := len(ts.states)
	if testing.Short() {
		n = ts.atOnce
	}
	if err := ts.run(n); err != nil {
		t.Fatal(err)
	}
	said := map[string]int{}
	for _, i := range ts.order[:n] {
		said[ts.states[i].decided(trialNow)]++
	}
	t.Logf("%d states: %v", n, said)
	for status := hongbao.Cancelled; status <= hongbao.Won; status++ {
		if said[status.String()] == 0 {
			t.Errorf("no state comes to %s", status)
		}
	}
}

// mutant is snatch.lua with one mistake.
type mutant struct{ name, in, out string }

// swapped is the mistake of two lines in the wrong order.
func swapped(name, first, second string) mutant {
	return mutant{name, first + "\n" + second, second + "\n" + first}
}

const (
	lineNotOpen   = `if tonumber(now) < tonumber(ARGV[11]) and not campaign[2] then return {'not_open', won} end`
	lineCancelled = `if campaign[2] == 'x' then return {'cancelled', won} end`
	lineClosed    = `if campaign[2] or tonumber(now) >= tonumber(ARGV[12]) then return {'closed', won} end`
	linePaused    = `if ARGV[13] == '1' then return {'paused', won} end`
	lineSignup    = `if ARGV[14] == '1' and not player[3] then return {'not_signed_up', won} end`
	lineLimit     = `if ARGV[15] ~= '0' and tonumber(won) >= tonumber(ARGV[15]) then return {'limit_reached', won} end`
	lineDay       = `local today = player[2] and string.match(player[2], '^' .. ARGV[18] .. ' (%d+)$') or '0'`
	lineDayLimit  = `if ARGV[16] ~= '0' and tonumber(today) >= tonumber(ARGV[16]) then return {'daily_limit_reached', won} end`
)

var mutants = []mutant{
	{"closed before cancelled", lineCancelled, lineClosed + "\n" + lineCancelled},
	swapped("paused before closed", lineClosed, linePaused),
	swapped("not signed up before paused", linePaused, lineSignup),
	swapped("the limit before signing up", lineSignup, lineLimit),
	{"the day's limit before the campaign's", lineLimit + "\n" + lineDay + "\n" + lineDayLimit, lineDay + "\n" + lineDayLimit + "\n" + lineLimit},
	{"not open before cancelled", lineCancelled, strings.Replace(lineNotOpen, " and not campaign[2]", "", 1) + "\n" + lineCancelled},
	{"a seal waits for opens_at", "and not campaign[2] then", "then"},
	{"missed before sold out", `if redis.call('EXISTS', KEYS[4]) == 0 then`, `if ARGV[20] == '1' and redis.call('EXISTS', KEYS[4]) == 0 then`},
	{"opens a millisecond late", "tonumber(now) < tonumber(ARGV[11])", "tonumber(now) <= tonumber(ARGV[11])"},
	{"closes a millisecond late", "tonumber(now) >= tonumber(ARGV[12])", "tonumber(now) > tonumber(ARGV[12])"},
	{"one win too many", "tonumber(won) >= tonumber(ARGV[15])", "tonumber(won) > tonumber(ARGV[15])"},
	{"one win a day too many", "tonumber(today) >= tonumber(ARGV[16])", "tonumber(today) > tonumber(ARGV[16])"},
	{"yesterday's wins count today", `'^' .. ARGV[18] .. ' (%d+)$'`, `'^%d+ (%d+)$'`},
	{"forgets to count a win", "held, envelope, wins, won, day,", "held, envelope, day,"},
	{"forgets the day's win", `, day, ARGV[18] .. ' ' .. today)`, ")"},
	{"forgets the key", "held, envelope, wins,", "wins,"},
	{"forgets what was taken", `redis.call('HINCRBY', KEYS[3], 'taken_fen', amount)`, ""},
	{"leaves the number in the supply", `redis.call('LPOP', KEYS[4])`, `redis.call('LINDEX', KEYS[4], 0)`},
	{"takes the last number", `redis.call('LPOP', KEYS[4])`, `redis.call('RPOP', KEYS[4])`},
	{"a losing draw takes one", `if ARGV[20] ~= '1' then return {'missed', won} end`, `if ARGV[20] ~= '1' then redis.call('LPOP', KEYS[4]) return {'missed', won} end`},
	{"forgets keys", "if player[4] and ARGV[9] ~= '1' then", "if false then"},
	{"answers a key only while it is open", "if player[4] and ARGV[9] ~= '1' then", "if player[4] and tonumber(now) < tonumber(ARGV[12]) then"},
	{"a key is known in every campaign", `'k:' .. ARGV[6] .. ':' .. ARGV[8]`, `'k:1' .. ARGV[6] .. ':' .. ARGV[8]`},
	{"sold out where only the shard has none", "if ARGV[22] == '1' then", "if true then"},
	{"goes by the caller's clock", "if tonumber(record[4]) > tonumber(now) then now = record[4] end", ""},
	{"makes ids of numbers", `'w ' .. now .. ' ' .. envelope`, `'w ' .. now .. ' ' .. tonumber(envelope)`},
	{"makes amounts of numbers", `HSET', KEYS[5], 'e:' .. envelope, amount`, `HSET', KEYS[5], 'e:' .. envelope, tonumber(ARGV[7])`},
	{"journals the limits the wrong way round", `won .. ' ' .. ARGV[15]`, `won .. ' ' .. ARGV[16]`},
	{"journals a refusal", linePaused, `if ARGV[13] == '1' then journal(KEYS[2], 'w 1 2 3 4 5 6 7 8 9 10 11 12') return {'paused', won} end`},
	{"does not note the revision", `if campaign[1] ~= ARGV[10] then redis.call('HSET', KEYS[3], 'rev', ARGV[10]) end`, ""},
}

// TestEveryMutantIsFound shows that the comparison would find a mistake in the script: it finds each of these.
func TestEveryMutantIsFound(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	ts := newTrials(newStore(t, 3, func(o *Options) {}))
	ts.atOnce = 600
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			if !strings.Contains(scriptSnatch.body, m.in) {
				t.Fatalf("snatch.lua has no %q", m.in)
			}
			ts.script = newScript("mutant", strings.ReplaceAll(scriptSnatch.body, m.in, m.out), true)
			for _, s := range ts.engine.shards {
				ts.do(s, "SCRIPT", "LOAD", ts.script.body)
			}
			err := ts.run(30_000)
			if err == nil || errors.Is(err, hongbao.ErrUnknown) || errors.Is(err, hongbao.ErrBusy) {
				t.Errorf("it is not found: %v", err)
			}
			t.Log(err)
		})
	}
}
