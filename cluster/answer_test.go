package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"hongbao"
)

// mayBeLocal reports whether a status may be told without a look at the player (Wins is -1) where Decide, with a look, says
// decided. It is what DESIGN section 5, "Answered without Redis", allows; all that an engine may tell besides what Decide
// says is listed here:
//
//   - not_open, whatever the key: nothing was ever won in a campaign that has not opened;
//   - for a key that can't have won: closed and cancelled, as decided (they come before all of the player's own refusals);
//   - for such a key: sold_out, when it is true, also in place of not_signed_up, limit_reached and daily_limit_reached;
//   - for such a key: missed, when the draw loses at the highest chance that the campaign ever had, also in place of these
//     three, and in place of a sold_out that is true but was not known here.
//
// Never in place of paused, and never instead of a win.
func mayBeLocal(told, decided hongbao.Status, keyIsNew, soldOut, neverWins bool) bool {
	own := decided == hongbao.NotSignedUp || decided == hongbao.LimitReached || decided == hongbao.DailyLimitReached
	switch told {
	case hongbao.NotOpen:
		return decided == told
	case hongbao.Closed, hongbao.Cancelled:
		return keyIsNew && decided == told
	case hongbao.SoldOut:
		return keyIsNew && soldOut && (own || decided == told)
	case hongbao.Missed:
		return keyIsNew && neverWins && (own || decided == told || decided == hongbao.SoldOut)
	}
	return false
}

// stocked is where the envelopes of a campaign are.
type stocked string

const (
	inShards    stocked = "envelopes in every shard"
	inBank      stocked = "envelopes in the bank only"
	inOther     stocked = "envelopes in another shard only"
	dryKnown    stocked = "sold out, as this node knows"
	dryUnknown  stocked = "sold out, as the bank knows"
	dryUnproved stocked = "sold out, as nobody has found yet"
)

var stockedWays = []stocked{inShards, inBank, inOther, dryKnown, dryUnknown, dryUnproved}

func (s stocked) dry() bool { return s == dryKnown || s == dryUnknown || s == dryUnproved }

// fate is how a campaign ends.
type fate string

const (
	runsOut         fate = "runs to its end"
	cancelled       fate = "is cancelled while it is open"
	cancelledBefore fate = "is cancelled before it opens"
)

// given is a campaign for asking the engine.
type given struct {
	*campaign
	stocked
	fate
	paused, signup        bool
	winsMax, dailyWinsMax int

	won  map[int]int // by shard: envelopes that were asked away
	away bool        // inOther: they are in the other shard
}

// luckClass is what a draw does: everWins means that it would have won at the chance that the campaign had at first.
type luckClass string

const (
	drawWins  luckClass = "wins"
	drawWon   luckClass = "would have won once"
	drawNever luckClass = "never wins"
)

// asked is one request and what is there of its player.
type asked struct {
	given         *given
	uid           uint64
	shard         *shard
	key           string
	use           smallKey
	keyIsNew      bool
	luck          luckClass
	signed        bool
	wins, dayWins int
	day           int
	now           hongbao.Time

	player map[string]string
	result hongbao.SnatchResult
	err    error
}

func (a *asked) String() string {
	g := a.given
	return fmt.Sprintf("campaign %d, %s, %s, paused %t, sign-up %t (signed up %t), wins %d of %d, on day %d %d of %d, draw %s, key used for %s (is new %t), at %s",
		g.ID, g.fate, g.stocked, g.paused, g.signup, a.signed, a.wins, g.winsMax, a.day, a.dayWins, g.dailyWinsMax, a.luck, a.use, a.keyIsNew, a.now)
}

// answers asks an engine about small states of real campaigns.
type answers struct {
	*store
	base, opens, closes hongbao.Time
	day                 int32
	list                []*given
	next                uint64 // players
	local               map[string]int
	count               int
}

const (
	chanceFirst = hongbao.Chance(750_000_000)
	chanceNow   = hongbao.Chance(500_000_000)
	soldAfter   = 3
	otherCount  = 200
)

// TestSnatchDecidesAsDecide asks the engine, end to end, in the small states of real campaigns, and compares with Decide:
// the same status with the player's wins, or a local answer that mayBeLocal allows. A refusal changes nothing of the
// player, the shard's sequence or the supply; a win exactly what follows from it.
func TestSnatchDecidesAsDecide(t *testing.T) {
	base := hongbao.Time(20_000*86_400_000 + 14_400_000) // noon in Asia/Shanghai
	st := newStore(t, 3, func(o *Options) {
		o.LeaseMax = 1
		o.Now = func() hongbao.Time { return base }
	})
	as := &answers{
		store: st, base: base, opens: base + 600_000, closes: base + 1_200_000, day: st.engine.calendar.Day(base), local: map[string]int{},
	}
	as.create()
	as.seal(cancelledBefore, hongbao.Change{At: base, Cancel: true})
	as.wave(as.opens-1, runsOut, cancelledBefore)
	as.stock()
	as.wave(as.opens, runsOut)
	as.seal(cancelled, hongbao.Change{At: as.opens, Cancel: true})
	as.wave(as.closes-1, runsOut, cancelled, cancelledBefore)
	as.wave(as.closes, runsOut)
	as.seal(runsOut, hongbao.Change{At: as.closes, Close: true})
	as.wave(as.closes, runsOut)

	t.Logf("%d requests; local answers: %v", as.count, as.local)
	for _, status := range []hongbao.Status{hongbao.NotOpen, hongbao.Closed, hongbao.Cancelled, hongbao.SoldOut, hongbao.Missed} {
		if as.local[status.String()+" for "+status.String()] == 0 {
			t.Errorf("nothing was answered %s without a look at the player", status)
		}
	}
}

// create makes the campaigns, each by the script, and revises their chance.
func (as *answers) create() {
	as.Helper()
	e, ctx := as.engine, context.Background()
	for bits := range 4 {
		for _, limits := range [][2]int{{0, 0}, {1, 0}, {0, 1}, {2, 2}} {
			g := &given{paused: bits&1 == 1, signup: bits&2 == 2, winsMax: limits[0], dailyWinsMax: limits[1]}
			for _, where := range stockedWays {
				as.add(g, runsOut, where)
			}
			as.add(g, cancelled, inShards)
			as.add(g, cancelled, dryKnown)
			as.add(g, cancelledBefore, inBank)
		}
	}
	for i, g := range as.list {
		id, nonce := uint32(i+1), hongbao.Nonce{byte(i), byte(i >> 8)}
		rules := as.rules(g, fmt.Sprint("campaign-", id))
		event, err := hongbao.Created(id, nonce, e.secret.Seed(id, nonce), hongbao.Change{At: as.base, Actor: "test", Create: rules})
		if err != nil {
			as.Fatal(err)
		}
		if reply, err := e.askCreate(ctx, &event, rules.Name); err != nil || reply[0] != "ok" {
			as.Fatal(reply, err)
		}
	}
	if err := e.catalog.refresh(ctx); err != nil {
		as.Fatal(err)
	}
	chance := chanceNow
	as.all(func(g *given, id uint32) error {
		_, err := e.Put(ctx, hongbao.Change{At: as.base, Campaign: id, Revise: &hongbao.Patch{Chance: &chance}})
		return err
	})
	as.refresh()
}

// add makes another campaign of those rules.
func (as *answers) add(g *given, f fate, where stocked) {
	as.list = append(as.list, &given{
		fate: f, stocked: where, paused: g.paused, signup: g.signup, winsMax: g.winsMax, dailyWinsMax: g.dailyWinsMax, won: map[int]int{},
	})
}

func (as *answers) rules(g *given, name string) *hongbao.Rules {
	signup := hongbao.SignupNone
	if g.signup {
		signup = hongbao.SignupInvited
	}
	count := uint64(10_000)
	switch {
	case g.dry():
		count = soldAfter
	case g.stocked == inOther:
		count = otherCount
	}
	return &hongbao.Rules{
		Name: name, Kind: hongbao.Rain, Budget: hongbao.Budget{TotalFen: int64(count) * 100, Count: count, MinFen: 1, MaxFen: 200, Split: hongbao.DoubleMean},
		OpensAt: as.opens, ClosesAt: as.closes, OpenFor: hongbao.Duration(3_600_000_000_000), Chance: chanceFirst, Pace: hongbao.PaceNone,
		WinsMax: g.winsMax, DailyWinsMax: g.dailyWinsMax, Signup: signup, Reveal: hongbao.RevealOnOpen, Paused: g.paused,
	}
}

// all does something with every campaign at once.
func (as *answers) all(do func(g *given, id uint32) error) {
	as.Helper()
	errs := make([]error, len(as.list))
	var every sync.WaitGroup
	for i, g := range as.list {
		every.Go(func() { errs[i] = do(g, uint32(i+1)) })
	}
	every.Wait()
	for _, err := range errs {
		if err != nil {
			as.Fatal(err)
		}
	}
}

func (as *answers) refresh() {
	as.Helper()
	if err := as.engine.catalog.refresh(context.Background()); err != nil {
		as.Fatal(err)
	}
	for i, g := range as.list {
		g.campaign = as.engine.catalog.find(uint32(i + 1))
	}
}

// seal ends the campaigns of a fate.
func (as *answers) seal(f fate, change hongbao.Change) {
	as.Helper()
	as.all(func(g *given, id uint32) error {
		if g.fate != f {
			return nil
		}
		change := change
		change.Campaign = id
		_, err := as.engine.Put(context.Background(), change)
		return err
	})
	as.refresh()
}

// stockEach is how many envelopes each shard has of a campaign that has them there: more than are asked away.
const stockEach = 200

// stock leases to the shards what they are to have, and lets others win all of what is to be sold out.
func (as *answers) stock() {
	as.Helper()
	e, ctx := as.engine, context.Background()
	e.options.LeaseMax = stockEach
	as.all(func(g *given, id uint32) error {
		if g.stocked != inShards {
			return nil
		}
		return e.everyShard(func(s *shard) error {
			status, err := e.lease(ctx, g.campaign, s, as.opens)
			if err == nil && status != hongbao.Won {
				err = fmt.Errorf("leasing says %s", status)
			}
			return err
		})
	})
	e.options.LeaseMax = 1
	as.all(func(g *given, id uint32) error {
		g.life.low.Store(0)
		if !g.dry() || g.fate == cancelledBefore {
			return nil
		}
		for n := range soldAfter {
			if err := as.takeAway(g, e.shards[n%len(e.shards)], n); err != nil {
				return err
			}
		}
		if status, err := e.recallOnce(ctx, g.campaign); err != nil || status != hongbao.SoldOut {
			return fmt.Errorf("recalling says %s, %v", status, err)
		}
		return nil
	})
}

// takeAway lets somebody win an envelope, whatever the rules.
func (as *answers) takeAway(g *given, s *shard, n int) error {
	e, ctx, t := as.engine, context.Background(), &g.texts
	if status, err := e.lease(ctx, g.campaign, s, as.opens); err != nil || status != hongbao.Won {
		return fmt.Errorf("leasing says %s, %v", status, err)
	}
	uid := strconv.Itoa(n)
	reply, err := e.ask(ctx, s, scriptSnatch, as.opens, []string{s.outbox, s.campaign(t.id), s.supply(t.id), s.player("x" + uid)},
		e.limit, t.id, uid, "key", "1", t.revision, t.opensAt, t.closesAt, "0", "0", "0", "0", t.kind, "1", t.closesAt, "1", t.expiresAt, "0")
	if err == nil && reply[0] != "won" {
		err = fmt.Errorf("snatch.lua says %q", reply)
	}
	return err
}

// requests are those that are made in a campaign at a time.
func (as *answers) requests(g *given, now hongbao.Time) (list []*asked) {
	limits := [][3]int{{0, 0, 0}} // wins, wins of the day, the day
	if g.winsMax == 0 && g.dailyWinsMax == 0 {
		limits = append(limits, [3]int{2, 2, 0})
	}
	for wins := 1; wins <= g.winsMax; wins++ {
		limits = append(limits, [3]int{wins, 0, 0})
	}
	for day := 1; day <= g.dailyWinsMax; day++ {
		limits = append(limits, [3]int{g.winsMax, day, 0}, [3]int{0, day, 0}, [3]int{0, day, -1})
	}
	for _, limit := range limits {
		for _, luck := range []luckClass{drawWins, drawWon, drawNever} {
			for _, use := range []smallKey{keyUnused, keyWon, keyOfOther, keyElsewhere} {
				for bits := range 4 {
					isNew, signed := bits&1 == 1, bits&2 == 2
					switch {
					case use == keyWon && (isNew || now < as.opens), signed && !g.signup:
						continue // can't be: a key that has won is not new, and nothing is won before it opens
					case use != keyUnused && (isNew || luck == drawWon):
						continue // makes no difference
					}
					a := &asked{
						given: g, uid: hongbao.UIDMax - as.next, use: use, keyIsNew: isNew, luck: luck, signed: signed,
						wins: limit[0], dayWins: limit[1], day: limit[2], now: now,
					}
					as.next++
					for g.stocked == inOther && as.engine.of(a.uid) != as.engine.home() { // so that the other shard is always the same
						a.uid, as.next = hongbao.UIDMax-as.next, as.next+1
					}
					as.prepare(a)
					list = append(list, a)
				}
			}
		}
	}
	return list
}

// prepare finds a key with the luck that is wanted, and says what is there of the player.
func (as *answers) prepare(a *asked) {
	g := a.given
	a.shard = as.engine.of(a.uid)
	for n := 0; ; n++ {
		a.key = fmt.Sprintf(`"%% ~%d %d`, as.next, n)
		draw := g.life.seed.Draw(g.ID, a.uid, a.key)
		now, ever := chanceNow.Wins(draw), chanceFirst.Wins(draw)
		if (a.luck == drawWins) == now && (a.luck == drawNever) == !ever {
			break
		}
	}
	id := g.texts.id
	a.player = map[string]string{"b": "5"}
	if a.wins > 0 {
		a.player["w:"+id] = strconv.Itoa(a.wins)
	}
	if a.dayWins > 0 {
		a.player["d:rain"] = fmt.Sprintf("%d %d", int(as.day)+a.day, a.dayWins)
	}
	if a.signed {
		a.player["s:"+id] = "1"
	}
	switch a.use {
	case keyWon:
		a.player["k:"+id+":"+a.key], a.player["e:17"] = "17", "18 19 20 21 22 "+a.key
	case keyElsewhere:
		a.player["k:1"+id+":"+a.key], a.player["e:17"] = "17", "18 19 20 21 22 "+a.key
	}
}

// other is a player of another uid that has won with the key here, who may be of the same shard.
func (a *asked) other(e *Engine) (*shard, string) {
	uid := a.uid / 2
	s := e.of(uid)
	return s, s.player(strconv.FormatUint(uid, 10))
}

func (a *asked) playerKey() string { return a.shard.player(strconv.FormatUint(a.uid, 10)) }

// wave asks all requests of the campaigns of some fates at a time: in a campaign one after another, so that where its
// envelopes are is as it says.
func (as *answers) wave(now hongbao.Time, fates ...fate) {
	as.Helper()
	e := as.engine
	var all []*asked
	var of [][]*asked
	for _, g := range as.list {
		if open := g.Seal == nil && now >= as.opens && now < as.closes; !open && g.stocked != inShards && g.stocked != dryKnown && g.fate != cancelledBefore {
			continue // where it is makes no difference
		}
		if slices.Contains(fates, g.fate) {
			list := as.requests(g, now)
			all, of = append(all, list...), append(of, list)
		}
	}
	writes := make([][][]string, len(e.shards))
	for _, a := range all {
		writes[a.shard.index] = append(writes[a.shard.index], put(a.playerKey(), a.player))
		if a.use == keyOfOther {
			s, key := a.other(e)
			writes[s.index] = append(writes[s.index], put(key, map[string]string{"k:" + a.given.texts.id + ":" + a.key: "17", "e:17": "18 19 20 21 22 " + a.key}))
		}
	}
	before := make([]uint64, len(e.shards))
	for i, s := range e.shards {
		as.write(s, writes[i]...)
		before[i], _ = as.seq(s)
	}
	each(of, len(of), func(list []*asked) {
		for _, a := range list {
			as.ask(a)
		}
	})
	as.judge(all, before)
	as.checkStocks()
}

// ask makes sure of what the node knows, and asks.
func (as *answers) ask(a *asked) {
	g, home := a.given, as.engine.home()
	switch g.stocked {
	case dryKnown:
		g.markSold(time.Now())
	case inOther:
		if a.err = as.moveAway(g, a.shard); a.err != nil {
			return
		}
		defer func() {
			g.away = a.result.Wins == -1 || a.result.Status != hongbao.Won && a.result.Status != hongbao.Missed
		}()
	case dryUnknown:
		g.life.sold.Store(nil)
	case dryUnproved:
		g.life.sold.Store(nil)
		if _, _, a.err = as.engine.plain(context.Background(), home, "HDEL", home.bank(g.texts.id), "dry"); a.err != nil {
			return
		}
	}
	a.result, a.err = as.engine.Snatch(context.Background(), hongbao.SnatchRequest{
		Campaign: g.ID, UID: a.uid, Key: a.key, KeyIsNew: a.keyIsNew, Now: a.now,
	})
}

// moveAway brings all that is left of a campaign to another shard, unless it is there still.
func (as *answers) moveAway(g *given, s *shard) error {
	if g.away {
		return nil
	}
	e, ctx, home := as.engine, context.Background(), as.engine.home()
	other := e.shards[(s.index+1)%len(e.shards)]
	for _, from := range e.shards {
		if from == other {
			continue
		}
		if _, _, _, err := e.giveBack(ctx, g.campaign, from, e.incarnation); err != nil {
			return err
		}
	}
	for {
		if _, err := e.stock(ctx, g.campaign, other); err != nil { // what it has received
			return err
		}
		b, err := e.bank(ctx, g.campaign, 0)
		if err != nil {
			return err
		}
		if b.cursor == b.mark && b.mark < g.end() {
			if err := e.raiseMark(ctx, g.campaign, b); err != nil {
				return err
			}
			continue
		}
		rest := min(g.end(), b.mark) - b.cursor
		reply, err := e.ask(ctx, home, scriptLease, 0, []string{home.bank(g.texts.id), home.free(g.texts.id), home.leases(g.texts.id)},
			other.text, formatSeq(g.life.received[other.index].Load()), b.incarnation, strconv.Itoa(otherCount), g.texts.revision,
			strconv.FormatUint(b.cursor, 10), strconv.FormatUint(rest, 10), strconv.FormatInt(sum(g.amounts(b.cursor, rest)), 10))
		if err != nil || reply[0] == "none" {
			return err
		}
		if reply[0] != "leased" {
			return fmt.Errorf("leasing says %q", reply)
		}
		if _, err := e.receive(ctx, g.campaign, other, b.incarnation, reply[1], reply[2]); err != nil {
			return err
		}
	}
}

func (a *asked) facts(as *answers) hongbao.Facts {
	g := a.given
	f := hongbao.Facts{
		Rules: g.Rules(), Now: a.now, Replayed: a.use == keyWon, Cancelled: g.Cancelled(), Sealed: g.Seal != nil, SignedUp: a.signed,
		Wins: a.wins, Allowed: g.Rules().Budget.Count, Draw: g.life.seed.Draw(g.ID, a.uid, a.key),
	}
	if g.dry() {
		f.Issued = soldAfter
	}
	if a.day == 0 {
		f.DayWins = a.dayWins
	}
	return f
}

// judge compares the answers with Decide, and what is there afterwards with what there must be.
func (as *answers) judge(all []*asked, before []uint64) {
	as.Helper()
	e := as.engine
	of := make([][]*asked, len(e.shards))
	for _, a := range all {
		of[a.shard.index] = append(of[a.shard.index], a)
	}
	for i, s := range e.shards {
		keys := make([]string, len(of[i]))
		for j, a := range of[i] {
			keys[j] = a.playerKey()
		}
		events, err := as.events(s, before[i])
		if err != nil {
			as.Fatal(err)
		}
		byPlayer := map[uint64]*hongbao.Event{}
		for j := range events {
			byPlayer[events[j].UID] = &events[j]
		}
		won, after := 0, as.read(s, keys...)
		for j, a := range of[i] {
			is, err := as.check(a, hash(after[j]), byPlayer[a.uid])
			if err != nil {
				as.Fatalf("%s: %v", a, err)
			}
			if is {
				won++
				a.given.won[i]++
			}
		}
		if len(events) != won {
			as.Fatalf("%d events for %d wins in shard %d", len(events), won, i)
		}
	}
	as.count += len(all)
}

func (as *answers) check(a *asked, after map[string]string, event *hongbao.Event) (won bool, err error) {
	decided, r, g := hongbao.Decide(a.facts(as)), &a.result, a.given
	switch {
	case a.err != nil:
		return false, a.err
	case r.Rules != g.Rules():
		return false, fmt.Errorf("the rules are not those in force")
	case r.Wins == -1:
		as.local[r.Status.String()+" for "+decided.String()]++
		if !mayBeLocal(r.Status, decided, a.keyIsNew, g.dry(), a.luck == drawNever) {
			return false, fmt.Errorf("%s without a look at the player, where Decide says %s", r.Status, decided)
		}
	case r.Status != decided:
		return false, fmt.Errorf("%s, where Decide says %s", r.Status, decided)
	}
	want := maps.Clone(a.player)
	wants := hongbao.SnatchResult{Status: r.Status, Wins: a.wins, Rules: g.Rules()}
	switch {
	case r.Wins == -1:
		wants.Wins = -1
	case a.use == keyWon:
		wants.Envelope, wants.AmountFen, wants.WonAt, wants.ExpiresAt = 17, 18, 19, 20
	case decided == hongbao.Won:
		won = true
		today := 1
		if a.day == 0 {
			today += a.dayWins
		}
		number := r.Envelope.Number()
		wants.Envelope, wants.AmountFen = hongbao.NewEnvelopeID(g.ID, number), g.amounts(number, 1)[0]
		wants.WonAt, wants.ExpiresAt, wants.Wins = a.now, g.Rules().ExpiresAt(), a.wins+1
		id := strconv.FormatUint(uint64(r.Envelope), 10)
		want["e:"+id] = fmt.Sprintf("%d %d %d %d 2 %s", r.AmountFen, a.now, wants.ExpiresAt, as.day, a.key)
		want["k:"+g.texts.id+":"+a.key], want["w:"+g.texts.id] = id, strconv.Itoa(a.wins+1)
		want["d:rain"] = fmt.Sprintf("%d %d", as.day, today)
		wanted := hongbao.Event{
			Kind: hongbao.EnvelopeWon, At: a.now, Campaign: g.ID, Revision: 2, Envelope: wants.Envelope, UID: a.uid, AmountFen: wants.AmountFen,
			Key: a.key, Wins: a.wins + 1, WinsMax: g.winsMax, DayWins: today, DailyWinsMax: g.dailyWinsMax, Day: as.day, ExpiresAt: wants.ExpiresAt,
		}
		if event == nil || !sameEvent(event, &wanted) {
			return won, fmt.Errorf("journals %+v, not %+v", event, wanted)
		}
	}
	if *r != wants {
		return won, fmt.Errorf("tells %+v, not %+v", *r, wants)
	}
	if !maps.Equal(after, want) {
		return won, fmt.Errorf("%s leaves the player %v, not %v", r.Status, after, want)
	}
	return won, nil
}

// checkStocks holds every campaign's supply against what was won of it.
func (as *answers) checkStocks() {
	as.Helper()
	as.all(func(g *given, id uint32) error {
		return as.engine.everyShard(func(s *shard) error {
			found, err := as.engine.stock(context.Background(), g.campaign, s)
			if err != nil {
				return err
			}
			taken, left := uint64(g.won[s.index]), uint64(0)
			if g.dry() && found.progress.Taken.Count > 0 {
				taken = soldAfter / uint64(len(as.engine.shards))
			}
			if g.stocked == inShards && found.progress.Taken.Count+found.left > 0 {
				left = stockEach - taken
			}
			if g.stocked == inOther {
				left = found.left // wherever it was brought
			}
			if found.progress.Taken.Count != taken || found.left != left {
				return fmt.Errorf("campaign %d has %d taken and %d left in shard %d, not %d and %d", id, found.progress.Taken.Count, found.left, s.index, taken, left)
			}
			return nil
		})
	})
}
