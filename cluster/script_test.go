package cluster

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hongbao"
)

// scene is a shard in which every script has something to do, with ids and amounts at their bounds.
type scene struct {
	*store
	s                *shard
	id, uid          string
	run, epoch       string
	held, due, other string // envelopes
}

const (
	sceneNow    = hongbao.Time(7_258_118_399_999) // the end of the year 2199
	envelopeMax = 1<<53 - 1                       // of campaign 2^21-1, number 2^32-1
)

func newScene(t testing.TB) *scene {
	st := newStore(t, 1, func(*Options) {})
	s := st.engine.home()
	sc := &scene{
		store: st, s: s, id: strconv.Itoa(hongbao.CampaignMax), uid: strconv.Itoa(hongbao.UIDMax), epoch: *s.epoch.Load(),
		held: strconv.Itoa(envelopeMax - 1), due: strconv.Itoa(envelopeMax - 2), other: strconv.Itoa(envelopeMax),
	}
	var err error
	if _, sc.run, err = st.engine.plain(context.Background(), s, "PING"); err != nil {
		t.Fatal(err)
	}
	return sc
}

// keys are all that scripts touch.
func (sc *scene) keys() []string {
	s, id := sc.s, sc.id
	return []string{
		s.record, s.outbox, s.campaign(id), s.supply(id), s.returning(id), s.player(sc.uid), s.bank(id), s.bank("2"), s.free(id), s.leases(id),
		s.names(), s.campaigns(), s.changes(), s.stopping(), s.recorded(),
	}
}

// arrange makes the scene anew, with changes.
func (sc *scene) arrange(changes ...[]string) {
	sc.Helper()
	s, id, now := sc.s, sc.id, formatTime(sceneNow)
	won := fmt.Sprintf("1000000000000 1 %d 2 3 key", sceneNow+1)
	expired := fmt.Sprintf("1000000000000 1 %d 2 3 key", sceneNow-5000)
	sc.write(s, slices.Concat([][]string{
		append([]string{"DEL"}, sc.keys()...),
		{"HSET", s.record, "run", sc.run, "epoch", sc.epoch, "shards", "1", "at", now, "seq", "99999999999990", "sum", "99999999990000", "trimmed", "99999999980000", "changes", "7"},
		{"XADD", s.outbox, "99999999999990-0", "e", sc.epoch + " b event", "b", "99999999990000"},
		{"HSET", s.campaign(id), "rev", "3", "inc", "1", "in", "4", "out", "1"},
		{"RPUSH", s.supply(id), sc.other + " 1000000000000"},
		{"HSET", s.player(sc.uid), "e:" + sc.held, won, "e:" + sc.due, expired, "b", "9006199254740991"},
		{"HSET", s.bank(id), "cursor", "4294967294", "fen", "1", "mark", "4294967296", "rev", "3", "inc", "1", "last:0", "4", "back:0", "1"},
		{"HSET", s.names(), "name", id}, {"HSET", s.campaigns(), id, "events"}, {"ZADD", s.changes(), "7", id}, {"SADD", s.stopping(), "9"},
	}, changes)...)
}

// example is a call that does what its script is there for.
type example struct {
	script  *script
	keys    []string
	args    []string
	reply   string
	changes bool
	before  [][]string // what is done to the scene first
}

func (sc *scene) examples() []example {
	s, id, now := sc.s, sc.id, formatTime(sceneNow)
	later := formatTime(sceneNow + 1)
	bounded := "1000000000000000"
	return []example{
		{scriptSnatch, []string{s.outbox, s.campaign(id), s.supply(id), s.player(sc.uid)},
			[]string{bounded, id, sc.uid, "key", "0", "3", now, later, "0", "0", "0", "0", "rain", "2", later, "1", later, "0"}, "won", true, nil},
		{scriptOpen, []string{s.outbox, s.campaign(id), s.player(sc.uid)}, []string{bounded, sc.uid, sc.held, "3", "0"}, "first", true, nil},
		{scriptRefund, []string{s.outbox, s.campaign(id), s.player(sc.uid)}, []string{bounded, sc.uid, sc.due, "3", "0", ""}, "refunded", true, nil},
		{scriptSignUp, []string{s.outbox, s.campaign(id), s.player(sc.uid)}, []string{bounded, id, sc.uid, "3", later, "an actor"}, "added", true, nil},
		{scriptCreate, []string{s.outbox, s.bank("2"), s.names(), s.campaigns(), s.changes()}, []string{bounded, "2", "other", "event", "1"}, "ok", true, nil},
		{scriptChange, []string{s.outbox, s.bank(id), s.campaigns(), s.changes(), s.stopping()}, []string{bounded, id, "event", "3", "4294967294", "4", "", "1"}, "ok", true, nil},
		{scriptRecord, []string{s.outbox, s.recorded()}, []string{bounded, "event", "a name"}, "ok", true, nil},
		{scriptRecord, []string{s.outbox, s.recorded()}, []string{bounded, "event", "a name", ""}, "ok", true, nil},
		{scriptRecord, []string{s.outbox, s.recorded()}, []string{bounded, "event", "a name", "old"}, "ok", true, [][]string{{"HSET", s.recorded(), "a name", "old"}}},
		{scriptRecorded, []string{s.recorded()}, []string{"a name"}, "ok", false, [][]string{{"HSET", s.recorded(), "a name", "event"}}},
		{scriptWallet, []string{s.player(sc.uid)}, nil, "ok", false, nil},
		{scriptCampaign, []string{s.campaign(id), s.supply(id)}, nil, "ok", false, nil},
		{scriptRegistry, []string{s.campaigns(), s.changes()}, []string{"0"}, "ok", false, nil},
		{scriptApply, []string{s.campaign(id)}, []string{"4"}, "ok", true, nil},
		{scriptSeal, []string{s.bank(id), s.stopping()}, []string{id, "x", "3", "an actor"}, "ok", true, nil},
		{scriptStop, []string{s.campaign(id)}, []string{"x"}, "ok", true, nil},
		{scriptStopping, []string{s.stopping()}, nil, "ok", false, nil},
		{scriptBank, []string{s.bank(id), s.free(id)}, []string{"60000"}, "ok", true, nil},
		{scriptMark, []string{s.bank(id)}, []string{"4294967297"}, "ok", true, nil},
		{scriptLease, []string{s.bank(id), s.free(id), s.leases(id)}, []string{"0", "4", "1", "2", "3", "4294967294", "2", "999999999999"}, "leased", true, nil},
		{scriptReceive, []string{s.campaign(id), s.supply(id)}, []string{"1", "5", "3", sc.held + " 1"}, "ok", true, nil},
		{scriptGive, []string{s.campaign(id), s.supply(id), s.returning(id)}, []string{"1"}, "giving", true, nil},
		{scriptTake, []string{s.bank(id), s.free(id)}, []string{"1", "0", "2", sc.held + " 1"}, "ok", true, nil},
		{scriptGiven, []string{s.campaign(id), s.returning(id)}, []string{"1", "1"}, "ok", true, [][]string{{"RPUSH", s.returning(id), "1 1"}}},
		{scriptDry, []string{s.bank(id), s.free(id)}, []string{"1", "3", "4294967294", "4", "1"}, "dry", true, nil},
		{scriptOutbox, []string{s.outbox}, []string{"0", "10"}, "ok", false, nil},
		{scriptTrim, []string{s.outbox}, []string{"99999999999990"}, "ok", true, nil},
	}
}

// example finds the example of a script.
func (sc *scene) example(of *script) example {
	list := sc.examples()
	return list[slices.IndexFunc(list, func(x example) bool { return x.script == of })]
}

// with is the example with another argument; the first of its own is 5, as in the heads of the files.
func (x example) with(n int, value string) example {
	x.args = slices.Clone(x.args)
	x.args[n-5] = value
	return x
}

// plus is the example with one more argument.
func (x example) plus(value string) example {
	x.args = append(slices.Clone(x.args), value)
	return x
}

// call runs a script under a fence, and reports whether the keys hold anything else afterwards.
func (sc *scene) call(x example, run, epoch, shards string, now hongbao.Time) (reply []string, changed bool) {
	sc.Helper()
	before := sc.read(sc.s, sc.keys()...)
	command := append([]string{"EVALSHA", x.script.sha, strconv.Itoa(1 + len(x.keys)), sc.s.record}, x.keys...)
	reply = sc.do(sc.s, append(append(command, run, epoch, shards, formatTime(now)), x.args...)...)
	return reply, !slices.Equal(before, sc.read(sc.s, sc.keys()...))
}

// TestFencedChangesNothing goes through every script that is fenced and every way in which the fence can be down.
func TestFencedChangesNothing(t *testing.T) {
	sc := newScene(t)
	next := strconv.FormatUint(parseUint(sc.epoch)+1, 10)
	ways := []struct {
		name               string
		run, epoch, shards string
		noRecord           bool
	}{
		{"another server", strings.Repeat("0", 40), sc.epoch, "1", false},
		{"no server", "", sc.epoch, "1", false},
		{"a later epoch", sc.run, next, "1", false},
		{"an earlier epoch", sc.run, "0", "1", false},
		{"no epoch", sc.run, "", "1", false},
		{"another number of shards", sc.run, sc.epoch, "2", false},
		{"no record", sc.run, sc.epoch, "1", true},
		{"no record, and nothing known", "", "", "", true},
	}
	examples := sc.examples()
	for _, script := range allScripts {
		if has := slices.ContainsFunc(examples, func(x example) bool { return x.script == script }); has == script.bare {
			t.Errorf("%s.lua: bare %t, has an example %t", script.name, script.bare, has)
		}
	}
	for _, x := range examples {
		for _, way := range ways {
			sc.arrange(x.before...)
			if way.noRecord {
				sc.write(sc.s, []string{"DEL", sc.s.record})
			}
			if reply, changed := sc.call(x, way.run, way.epoch, way.shards, sceneNow); changed || !slices.Equal(reply, []string{"fenced"}) {
				t.Errorf("%s.lua under %s: %q, changed %t", x.script.name, way.name, reply, changed)
			}
		}
		sc.arrange(x.before...)
		if reply, changed := sc.call(x, sc.run, sc.epoch, "1", sceneNow); reply[0] != x.reply || changed != x.changes {
			t.Errorf("%s.lua: %q, changed %t; must be %s, changed %t", x.script.name, reply, changed, x.reply, x.changes)
		}
	}
}

// TestFullOutboxChangesNothing fills the outbox up to the limit and to one byte less.
func TestFullOutboxChangesNothing(t *testing.T) {
	sc := newScene(t)
	for _, script := range []*script{scriptSnatch, scriptOpen, scriptRefund, scriptSignUp, scriptCreate, scriptChange, scriptRecord} {
		x := sc.example(script)
		sc.arrange()
		if reply, changed := sc.call(x.with(5, "10000"), sc.run, sc.epoch, "1", sceneNow); changed || !slices.Equal(reply, []string{"full"}) {
			t.Errorf("%s.lua with a full outbox: %q, changed %t", script.name, reply, changed)
		}
		if reply, _ := sc.call(x.with(5, "10001"), sc.run, sc.epoch, "1", sceneNow); reply[0] != x.reply {
			t.Errorf("%s.lua with a byte left: %q", script.name, reply)
		}
	}
	// What needs no room is answered.
	player := sc.s.player(sc.uid)
	for _, c := range []struct {
		name   string
		x      example
		before []string
		reply  string
	}{
		{"a replay", sc.example(scriptSnatch), []string{"HSET", player, "k:" + sc.id + ":key", sc.held}, "replayed"},
		{"a losing draw", sc.example(scriptSnatch).with(20, "0"), []string{"PING"}, "missed"},
		{"an empty shard", sc.example(scriptSnatch), []string{"DEL", sc.s.supply(sc.id)}, "dry"},
		{"what is sold out", sc.example(scriptSnatch).with(22, "1"), []string{"DEL", sc.s.supply(sc.id)}, "sold_out"},
		{"an opening told again", sc.example(scriptOpen), []string{"HSET", player, "o:" + sc.held, "o 1"}, "opened"},
	} {
		sc.arrange(c.before)
		if reply, changed := sc.call(c.x.with(5, "0"), sc.run, sc.epoch, "1", sceneNow); changed || reply[0] != c.reply {
			t.Errorf("%s with a full outbox: %q, changed %t; must be %s", c.name, reply, changed, c.reply)
		}
	}
}

// TestRefusalChangesNothing goes through what each script refuses.
func TestRefusalChangesNothing(t *testing.T) {
	sc := newScene(t)
	s, id, player := sc.s, sc.id, sc.s.player(sc.uid)
	bank, campaign := s.bank(id), s.campaign(id)
	of := sc.example
	next := formatTime(sceneNow + 1)
	for _, c := range []struct {
		name   string
		x      example
		before []string // done to the scene
		reply  string
	}{
		{"a snatch by an older revision", of(scriptSnatch), []string{"HSET", campaign, "rev", "4"}, "stale 4"},
		{"a snatch of another day", of(scriptSnatch).with(19, formatTime(sceneNow)), nil, "time " + formatTime(sceneNow)},

		{"opening what another player has", of(scriptOpen).with(7, sc.other), nil, "none"},
		{"opening again", of(scriptOpen), []string{"HSET", player, "o:" + sc.held, "o 1"}, "opened 1000000000000 9006199254740991"},
		{"opening what is refunded", of(scriptOpen), []string{"HSET", player, "o:" + sc.held, "r 1"}, "expired"},
		{"opening what has expired", of(scriptOpen).with(7, sc.due), nil, "expired"},
		{"opening with a balance too large", of(scriptOpen), []string{"HSET", player, "b", "9006199254740992"}, "rich 9006199254740992"},

		{"refunding what nobody has", of(scriptRefund).with(7, sc.other), nil, "kept"},
		{"refunding what is opened", of(scriptRefund), []string{"HSET", player, "o:" + sc.due, "o 1"}, "kept"},
		{"refunding again", of(scriptRefund), []string{"HSET", player, "o:" + sc.due, "r 1"}, "kept"},
		{"refunding a millisecond early", of(scriptRefund), []string{"HSET", player, "e:" + sc.due, fmt.Sprintf("1 1 %d 2 3 key", sceneNow-4999)}, "kept"},
		{"refunding what cancelling gave more time", of(scriptRefund).with(9, formatTime(sceneNow-4999)), nil, "kept"},
		{"refunding under another seal", of(scriptRefund), []string{"HSET", campaign, "seal", "x"}, "stale"},

		{"signing up by an older revision", of(scriptSignUp), []string{"HSET", campaign, "rev", "4"}, "stale 4"},
		{"signing up for what is sealed", of(scriptSignUp), []string{"HSET", campaign, "seal", "c"}, "over"},
		{"signing up as it closes", of(scriptSignUp).with(9, formatTime(sceneNow)), nil, "over"},
		{"signing up again", of(scriptSignUp), []string{"HSET", player, "s:" + id, "1"}, "known"},

		{"creating with a name that is taken", of(scriptCreate).with(7, "name"), nil, "taken"},
		{"creating with an id that is taken", of(scriptCreate).with(6, "1"), nil, "moved"},
		{"creating with an id that skips one", of(scriptCreate).with(6, "3"), nil, "moved"},
		{"creating in the past", of(scriptCreate), []string{"HSET", s.record, "at", next}, "time " + next},

		{"revising in the past", of(scriptChange), []string{"HSET", s.record, "at", next}, "time " + next},
		{"revising by an older revision", of(scriptChange).with(8, "2"), nil, "moved"},
		{"revising by an older cursor", of(scriptChange).with(9, "4294967293"), nil, "moved"},
		{"revising what is being sealed", of(scriptChange), []string{"HSET", bank, "stopping", "x"}, "over"},
		{"revising what is sealed", of(scriptChange), []string{"HSET", bank, "stopping", "x", "seal", "x"}, "over"},
		{"sealing again", of(scriptChange).with(11, "x"), []string{"HSET", bank, "stopping", "x", "seal", "x"}, "over"},
		{"sealing by an older revision", of(scriptChange).with(11, "x").with(8, "2"), []string{"HSET", bank, "stopping", "x"}, "moved"},

		{"recording in the past", of(scriptRecord), []string{"HSET", s.record, "at", next}, "time " + next},
		{"recording after another than the latest", of(scriptRecord).plus("event"), []string{"HSET", s.recorded(), "a name", "event "}, "stale"},
		{"recording after the latest of another name", of(scriptRecord).plus("event"), []string{"HSET", s.recorded(), "name", "event"}, "stale"},
		{"recording as the first after one", of(scriptRecord).plus(""), []string{"HSET", s.recorded(), "a name", "event"}, "stale"},

		{"beginning to seal what is sealed", of(scriptSeal), []string{"HSET", bank, "seal", "x"}, "sealed"},
		{"beginning to seal by an older revision", of(scriptSeal).with(7, "2"), nil, "moved"},
		{"beginning to seal again, otherwise", of(scriptSeal), []string{"HSET", bank, "stopping", "c", "actor", "who", "since", "17"}, "ok c who 17"},
		{"stopping again, otherwise", of(scriptStop), []string{"HSET", campaign, "seal", "c"}, "ok " + formatTime(sceneNow)},
		{"applying an older revision", of(scriptApply).with(5, "2"), nil, "ok"},
		{"reading no bank", of(scriptBank), []string{"DEL", bank}, "none"},
		{"reading a bank without holding", of(scriptBank).with(5, "0"), nil, "ok 4294967294 1 4294967296 3 1    0 " + formatTime(sceneNow)},
		{"lowering the mark", of(scriptMark).with(5, "4294967295"), nil, "ok"},
		{"marking no bank", of(scriptMark), []string{"DEL", bank}, "ok"},

		{"leasing under another incarnation", of(scriptLease).with(7, "2"), nil, "incarnation"},
		{"leasing what is being sealed", of(scriptLease), []string{"HSET", bank, "stopping", "x"}, "over"},
		{"leasing with one outstanding", of(scriptLease), []string{"HSET", s.leases(id), "0", "5 r 3 4294967290 4"}, "leased 5 r 3 4294967290 4"},
		{"leasing behind the last", of(scriptLease).with(6, "3"), nil, "moved"},
		{"leasing ahead of the last", of(scriptLease).with(6, "5"), nil, "moved"},
		{"leasing from a dry bank", of(scriptLease), []string{"HSET", bank, "dry", "1"}, "dry"},
		{"leasing while it is held", of(scriptLease), []string{"HSET", bank, "hold", "9000000000000"}, "held"},
		{"leasing nothing", of(scriptLease).with(11, "0"), nil, "none"},
		{"leasing by an older revision", of(scriptLease).with(9, "2"), nil, "moved"},
		{"leasing by an older cursor", of(scriptLease).with(10, "4294967293"), nil, "moved"},
		{"leasing beyond the mark", of(scriptLease).with(11, "3"), nil, "moved"},

		{"a lease twice", of(scriptReceive).with(6, "4"), nil, "known"},
		{"an old lease", of(scriptReceive).with(6, "1"), nil, "known"},
		{"a lease after one that is missing", of(scriptReceive).with(6, "6"), nil, "gap 4"},
		{"a lease of another incarnation", of(scriptReceive).with(5, "2"), nil, "incarnation"},

		{"giving under another incarnation", of(scriptGive).with(5, "2"), nil, "incarnation"},
		{"giving nothing", of(scriptGive), []string{"DEL", s.supply(id)}, "empty 4 1"},
		{"giving again", of(scriptGive), []string{"RENAME", s.supply(id), s.returning(id)}, "giving 1 " + sc.other + " 1000000000000"},
		{"giving while something is on its way", of(scriptGive), []string{"RPUSH", s.returning(id), "1 1"}, "giving 1 1 1"},
		{"taking again", of(scriptTake).with(7, "1"), nil, "known"},
		{"taking what comes too early", of(scriptTake).with(7, "3"), nil, "known"},
		{"taking from another incarnation", of(scriptTake).with(5, "2"), nil, "incarnation"},
		{"forgetting another return", of(scriptGiven).with(5, "2"), []string{"RPUSH", s.returning(id), "1 1"}, "ok"},
		{"forgetting a return of another incarnation", of(scriptGiven).with(6, "2"), []string{"RPUSH", s.returning(id), "1 1"}, "ok"},

		{"dry under another incarnation", of(scriptDry).with(5, "2"), nil, "more"},
		{"dry under another revision", of(scriptDry).with(6, "4"), nil, "more"},
		{"dry before the end", of(scriptDry).with(7, "4294967295"), nil, "more"},
		{"dry with something free", of(scriptDry), []string{"RPUSH", s.free(id), "1 1"}, "more"},
		{"dry with a lease that was not seen", of(scriptDry).with(8, "3"), nil, "more"},
		{"dry with a return that has not come", of(scriptDry).with(9, "2"), nil, "more"},
	} {
		before := c.x.before
		if c.before != nil {
			before = [][]string{c.before}
		}
		sc.arrange(before...)
		if reply, changed := sc.call(c.x, sc.run, sc.epoch, "1", sceneNow); changed || strings.Join(reply, " ") != c.reply {
			t.Errorf("%s: %q, changed %t; must be %q", c.name, reply, changed, c.reply)
		}
	}
}

// TestRecordIsMadeOnceAndAdoptedAsLookedAt is about the scripts that are not fenced.
func TestRecordIsMadeOnceAndAdoptedAsLookedAt(t *testing.T) {
	sc := newScene(t)
	for _, c := range []struct {
		script  *script
		args    []string
		reply   string
		changes bool
	}{
		{scriptInit, []string{"run", "9", "1", "0", "0"}, "known", false},
		{scriptAdopt, []string{"run", sc.epoch, "99999999999989", "9"}, "moved", false},
		{scriptAdopt, []string{"run", "9", "99999999999990", "10"}, "moved", false},
		{scriptAdopt, []string{"run", sc.epoch, "99999999999990", "9"}, "ok", true},
	} {
		sc.arrange()
		before := sc.read(sc.s, sc.keys()...)
		reply := sc.do(sc.s, append([]string{"EVALSHA", c.script.sha, "1", sc.s.record}, c.args...)...)
		if changed := !slices.Equal(before, sc.read(sc.s, sc.keys()...)); changed != c.changes || reply[0] != c.reply {
			t.Errorf("%s.lua %q: %q, changed %t; must be %s, changed %t", c.script.name, c.args, reply, changed, c.reply, c.changes)
		}
	}
}

var exponent = regexp.MustCompile(`[0-9]e\+[0-9]`)

// TestBoundsStayExact takes the largest campaign, player, number, amounts and balance through everything that happens to
// them: no digit is lost anywhere.
func TestBoundsStayExact(t *testing.T) {
	sc := newScene(t)
	s, id := sc.s, sc.id
	const half = "500000000000"
	const first, last = "9007199254740990", "9007199254740991"
	sc.arrange([]string{"DEL", s.supply(id), s.player(sc.uid)},
		[]string{"HSET", s.campaign(id), "taken", "4294967294", "taken_fen", "8999999999999999", "opened_fen", "8999999999999999", "refunded_fen", "8999999999999999"})
	seq, _ := sc.seq(s)
	step := func(x example, want ...string) {
		t.Helper()
		reply, _ := sc.call(x, sc.run, sc.epoch, "1", sceneNow)
		if !slices.Equal(reply, want) {
			t.Fatalf("%s.lua: %q, not %q", x.script.name, reply, want)
		}
		for i, text := range sc.read(s, sc.keys()...) {
			if exponent.MatchString(text) {
				t.Fatalf("%s.lua leaves a number with an exponent in %s: %q", x.script.name, sc.keys()[i], text)
			}
		}
	}
	receive := sc.example(scriptReceive)
	snatch := sc.example(scriptSnatch)
	now, later := formatTime(sceneNow), formatTime(sceneNow+1)
	key := strings.Repeat(`~"%' `, 12) + "1e+1" // 64 bytes
	key = strings.Replace(key, "1e+1", "%d+1", 1)
	step(sc.example(scriptLease).with(12, "1000000000000"), "leased", "5", "r 3 4294967294 2")
	step(sc.example(scriptLease), "leased", "5", "r 3 4294967294 2") // the caller had died
	receive.args = []string{"1", "5", "3", first + " " + half, last + " " + half}
	step(receive, "ok")
	step(receive, "known")
	step(snatch.with(8, key), "won", first, half, now, later, "1", "1", "5")
	step(sc.example(scriptGive), "giving", "2", last+" "+half)
	take := sc.example(scriptTake)
	take.args = []string{"1", "0", "2", last + " " + half}
	step(take, "ok")
	step(take, "known")
	step(sc.example(scriptGiven).with(5, "2"), "ok")
	step(sc.example(scriptLease).with(6, "5"), "leased", "6", "f 3 "+last+" "+half)
	receive.args = []string{"1", "6", "3", last + " " + half}
	step(receive, "ok")
	step(snatch.with(8, "key"), "won", last, half, now, later, "2", "0", "6")
	step(snatch.with(8, key), "replayed", first, fmt.Sprintf("%s %s %s 2 3 %s", half, now, later, key), "2")
	sc.write(s, []string{"HSET", s.player(sc.uid), "b", "9006699254740991"})
	step(sc.example(scriptOpen).with(7, first), "first", half, "9007199254740991", now)
	step(sc.example(scriptOpen).with(7, first), "opened", half, "9007199254740991")
	step(sc.example(scriptOpen).with(7, last), "rich", "9007199254740991")
	sc.write(s, []string{"HSET", s.player(sc.uid), "b", "9006699254740992"})
	step(sc.example(scriptOpen).with(7, last), "rich", "9006699254740992")
	step(sc.example(scriptSignUp), "added")
	refund := sc.example(scriptRefund).with(7, last)
	sc.write(s, []string{"HSET", s.player(sc.uid), "e:" + last, fmt.Sprintf("%s 1 %d 2 3 key", half, sceneNow-5000)})
	step(refund, "refunded")
	step(sc.example(scriptCampaign), "ok", "4294967296", "9000999999999999", "1", "9000499999999999", "1", "9000499999999999", "1", "6", "2", "0", now)
	step(sc.example(scriptDry).with(7, "4294967296").with(8, "6").with(9, "2"), "dry")

	events, err := sc.events(s, seq)
	if err != nil {
		t.Fatal(err)
	}
	win := func(envelope hongbao.EnvelopeID, wins int, key string) hongbao.Event {
		return hongbao.Event{
			Kind: hongbao.EnvelopeWon, At: sceneNow, Campaign: hongbao.CampaignMax, Revision: 3, Envelope: envelope, UID: hongbao.UIDMax,
			AmountFen: 500_000_000_000, Key: key, Wins: wins, DayWins: wins, Day: 2, ExpiresAt: sceneNow + 1,
		}
	}
	closed := func(kind hongbao.EventKind, envelope hongbao.EnvelopeID, balance int64) hongbao.Event {
		return hongbao.Event{
			Kind: kind, At: sceneNow, Campaign: hongbao.CampaignMax, Revision: 3, Envelope: envelope, UID: hongbao.UIDMax,
			AmountFen: 500_000_000_000, BalanceFen: balance,
		}
	}
	want := []hongbao.Event{
		win(envelopeMax-1, 1, key), win(envelopeMax, 2, "key"), closed(hongbao.EnvelopeOpened, envelopeMax-1, 9007199254740991),
		{Kind: hongbao.PlayerSignedUp, At: sceneNow, Campaign: hongbao.CampaignMax, Revision: 3, UID: hongbao.UIDMax, Actor: "an actor"},
		closed(hongbao.EnvelopeRefunded, envelopeMax, 0),
	}
	if len(events) != len(want) {
		t.Fatalf("%d events, not %d", len(events), len(want))
	}
	for i := range want {
		if !sameEvent(&events[i], &want[i]) {
			t.Errorf("journals %+v, not %+v", events[i], want[i])
		}
	}
}
