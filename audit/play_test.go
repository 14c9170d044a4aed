package audit_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"hongbao"
	"hongbao/audit"
)

const (
	second = hongbao.Time(1000)
	minute = 60 * second
)

// journal is a history in memory, read as an engine's journal is.
type journal struct {
	events  []hongbao.Event
	damaged int // index of the event that can't be read; 0: none
}

func position(index int) hongbao.Position { return hongbao.Position(strconv.Itoa(index) + ".0") }

func (j *journal) Journal(ctx context.Context, _ hongbao.Position) iter.Seq2[hongbao.Entry, error] {
	return func(yield func(hongbao.Entry, error) bool) {
		for i := range j.events {
			err := ctx.Err()
			if i == j.damaged && i > 0 {
				err = fmt.Errorf("%w: block %d is damaged", hongbao.ErrBroken, i)
			}
			event := j.events[i] // the consumer may not change the history
			if !yield(hongbao.Entry{Position: position(i), Event: &event}, err) || err != nil {
				return
			}
		}
	}
}

func (j *journal) Head() string { return strconv.Itoa(len(j.events)) }

func (j *journal) CheckHead(_ context.Context, head string) error {
	n, err := strconv.Atoi(head)
	if err != nil {
		return hongbao.Invalid("head", head, "a number")
	}
	if n > len(j.events) {
		return fmt.Errorf("%w: the journal ends before %d", hongbao.ErrBroken, n)
	}
	return nil
}

// play makes a history by the rules alone, as an engine would: decide, take, record.
type play struct {
	t        testing.TB
	random   *rand.Rand
	secret   hongbao.Secret
	calendar *hongbao.Calendar
	now      hongbao.Time
	journal  journal
	stages   []*stage
	balances map[uint64]int64
	dayWins  map[dayKey]int
	statuses [hongbao.Statuses]int
}

type dayKey struct {
	uid  uint64
	kind hongbao.Kind
	day  int32
}

// stage is one campaign on play.
type stage struct {
	*hongbao.Campaign
	seed      hongbao.Seed
	issued    hongbao.Tally
	envelopes []held
	wins      map[uint64]int
	signedUp  map[uint64]bool
	forgotten bool // nothing is refunded
}

type held struct {
	uid       uint64
	amountFen int64
	expires   hongbao.Time
	closed    bool
}

func newPlay(t testing.TB, seed uint64) *play {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	start, err := hongbao.ParseTime("2027-02-05T15:30:00Z") // half an hour before midnight there
	if err != nil {
		t.Fatal(err)
	}
	p := &play{
		t: t, random: rand.New(rand.NewPCG(seed, 1)), secret: hongbao.Secret{byte(seed), 7}, now: start,
		calendar: hongbao.NewCalendar(zone), balances: map[uint64]int64{}, dayWins: map[dayKey]int{},
	}
	p.record(hongbao.Event{Kind: hongbao.SystemRecorded, Name: "timezone", Data: []byte(zone.String())})
	return p
}

func (p *play) record(e hongbao.Event) {
	e.At = p.now
	p.journal.events = append(p.journal.events, e)
}

func (p *play) create(spec string) *stage {
	parsed, err := hongbao.ParseSpec([]byte(spec))
	if err != nil {
		p.t.Fatal(err)
	}
	rules, err := parsed.Rules(p.now)
	if err != nil {
		p.t.Fatal(err)
	}
	id, nonce := uint32(len(p.stages)+1), hongbao.Nonce{byte(len(p.stages)), 9}
	s := &stage{seed: p.secret.Seed(id, nonce), wins: map[uint64]int{}, signedUp: map[uint64]bool{}}
	event, err := hongbao.Created(id, nonce, s.seed, hongbao.Change{At: p.now, Actor: "anna", Create: &rules})
	p.changed(s, event, err)
	p.stages = append(p.stages, s)
	return s
}

func (p *play) change(s *stage, change hongbao.Change) {
	change.At, change.Actor = p.now, "anna"
	event, _, err := s.Change(change, s.seed, s.issued)
	p.changed(s, event, err)
}

func (p *play) revise(s *stage, patch string) {
	parsed, err := hongbao.ParsePatch([]byte(patch))
	if err != nil {
		p.t.Fatal(err)
	}
	p.change(s, hongbao.Change{Revise: &parsed})
}

func (p *play) changed(s *stage, event hongbao.Event, err error) {
	if err == nil {
		s.Campaign, err = s.After(&event)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.record(event)
}

func (p *play) signUp(s *stage, uid uint64, actor string) {
	if !s.signedUp[uid] && s.Seal == nil {
		s.signedUp[uid] = true
		p.record(hongbao.Event{Kind: hongbao.PlayerSignedUp, Campaign: s.ID, Revision: s.Revision(), UID: uid, Actor: actor})
	}
}

func (p *play) snatch(s *stage, uid uint64) hongbao.Status {
	key, rules := fmt.Sprintf("key-%x", p.random.Uint64()), s.Rules()
	day := dayKey{uid, rules.Kind, p.calendar.Day(p.now)}
	status := hongbao.Decide(hongbao.Facts{
		Rules: rules, Now: p.now, Cancelled: s.Cancelled(), Sealed: s.Seal != nil, SignedUp: s.signedUp[uid], Wins: s.wins[uid],
		DayWins: p.dayWins[day], Issued: s.issued.Count, Allowed: s.Allowed(p.now), Draw: s.seed.Draw(s.ID, uid, key),
	})
	p.statuses[status]++
	if status == hongbao.Won {
		s.wins[uid]++
		p.dayWins[day]++
		p.take(s, hongbao.Event{
			Kind: hongbao.EnvelopeWon, Campaign: s.ID, Revision: s.Revision(), UID: uid, Key: key,
			Wins: s.wins[uid], WinsMax: rules.WinsMax, DayWins: p.dayWins[day], DailyWinsMax: rules.DailyWinsMax,
			Day: day.day, ExpiresAt: rules.ExpiresAt(),
		})
	}
	return status
}

func (p *play) take(s *stage, e hongbao.Event) {
	number, segment := s.issued.Count, s.Segment()
	within := number - segment.First
	e.Envelope = hongbao.NewEnvelopeID(s.ID, number)
	e.AmountFen = segment.Cut(s.seed, s.ID, int(within/hongbao.TrancheSize))[within%hongbao.TrancheSize]
	s.issued.Add(e.AmountFen)
	s.envelopes = append(s.envelopes, held{uid: e.UID, amountFen: e.AmountFen, expires: e.ExpiresAt})
	p.record(e)
}

func (p *play) open(s *stage, number int) {
	h := &s.envelopes[number]
	if h.closed || p.now >= s.Expiry(h.expires) {
		return
	}
	h.closed = true
	p.balances[h.uid] += h.amountFen
	p.record(hongbao.Event{
		Kind: hongbao.EnvelopeOpened, Campaign: s.ID, Revision: s.Revision(), Envelope: hongbao.NewEnvelopeID(s.ID, uint64(number)),
		UID: h.uid, AmountFen: h.amountFen, BalanceFen: p.balances[h.uid],
	})
}

// tend seals and refunds what is due.
func (p *play) tend() {
	for _, s := range p.stages {
		if s.Seal == nil && p.now >= s.Rules().ClosesAt {
			p.change(s, hongbao.Change{Close: true})
		}
		for number := range s.envelopes {
			h := &s.envelopes[number]
			if h.closed || s.forgotten || p.now < s.Expiry(h.expires)+5*second {
				continue
			}
			h.closed = true
			p.record(hongbao.Event{
				Kind: hongbao.EnvelopeRefunded, Campaign: s.ID, Revision: s.Revision(), UID: h.uid, AmountFen: h.amountFen,
				Envelope: hongbao.NewEnvelopeID(s.ID, uint64(number)),
			})
		}
	}
}

// crowd lets players do what they like with the stages for a while.
func (p *play) crowd(lasts hongbao.Time, stages ...*stage) {
	for until := p.now + lasts; p.now < until; p.now += hongbao.Time(p.random.IntN(1000)) {
		s := stages[p.random.IntN(len(stages))]
		uid := uint64(p.random.IntN(80))
		if uid == 79 {
			uid = hongbao.UIDMax
		}
		switch n := p.random.IntN(10); {
		case n == 0 && s.Rules().Signup == hongbao.SignupOpen:
			p.signUp(s, uid, "")
		case n <= 2 && len(s.envelopes) > 0:
			p.open(s, p.random.IntN(len(s.envelopes)))
		case n == 3:
			p.tend()
		default:
			p.snatch(s, uid)
		}
	}
}

// The campaigns of history, by name, are the ids of their constants.
const (
	spring    = iota + 1 // rain, chance ½, revised four times, the budget twice
	flood                // rain at linear pace, sold out
	bang                 // bomb, at most two a day
	bang2                // the same
	bang3                // the same
	calledOff            // rain for the invited, cancelled
	forgotten            // rain, closed and expired, not refunded yet
	late                 // rain, open at the end, envelopes equal
	brim                 // the same, sold out
	slow                 // the same at linear pace, as far as the pace lets it
)

// history is a valid history of all there is. The first seven campaigns are sealed in it.
func history(t testing.TB, seed uint64) *play {
	p := newPlay(t, seed)
	for _, spec := range []string{
		`{"name":"spring","kind":"rain","opens_at":"+10s","lasts":"40m","open_for":"10m","chance":0.5,"wins_max":3,"budget":{"total_fen":40000,"count":400}}`,
		`{"name":"flood","kind":"rain","opens_at":"+10s","lasts":"20m","open_for":"10m","pace":"linear","wins_max":0,"budget":{"total_fen":2500,"count":25,"split":"uniform"}}`,
		`{"name":"bang","kind":"bomb","opens_at":"+2m","lasts":"10m","open_for":"10m","daily_wins_max":2,"budget":{"total_fen":5000,"count":40}}`,
		`{"name":"bang-2","kind":"bomb","opens_at":"+3m","lasts":"10m","open_for":"10m","daily_wins_max":2,"budget":{"total_fen":5000,"count":40}}`,
		`{"name":"bang-3","kind":"bomb","opens_at":"+4m","lasts":"40m","open_for":"10m","daily_wins_max":2,"budget":{"total_fen":5000,"count":50}}`,
		`{"name":"called-off","kind":"rain","signup":"invited","opens_at":"+1m","lasts":"40m","open_for":"10m","budget":{"total_fen":5000,"count":500}}`,
		`{"name":"forgotten","kind":"rain","opens_at":"+1m","lasts":"30m","open_for":"10m","budget":{"total_fen":50000,"count":500}}`,
	} {
		p.create(spec)
		p.now += second
	}
	early := p.stages
	p.stages[forgotten-1].forgotten = true
	for uid := range uint64(40) {
		p.signUp(p.stages[calledOff-1], uid, "anna")
		p.signUp(p.stages[bang-1], uid, "")
		p.signUp(p.stages[bang2-1], uid, "")
		p.signUp(p.stages[bang3-1], uid, "")
	}
	p.crowd(8*minute, early...)
	p.revise(p.stages[spring-1], `{"budget":{"total_fen":60000,"count":600},"wins_max":4}`)
	p.crowd(2*minute, early...)
	p.revise(p.stages[spring-1], `{"paused":true}`)
	p.crowd(minute, early...)
	p.revise(p.stages[spring-1], `{"paused":false,"chance":0.25}`)
	p.crowd(3*minute, early...)
	p.change(p.stages[calledOff-1], hongbao.Change{Cancel: true})
	p.revise(p.stages[spring-1], `{"budget":{"max_fen":150}}`)
	p.crowd(45*minute, early...) // over midnight
	p.tend()
	for _, spec := range []string{
		`{"name":"late","kind":"rain","opens_at":"+0s","lasts":"2h","budget":{"total_fen":51000,"count":500,"split":"equal"}}`,
		`{"name":"brim","kind":"rain","opens_at":"+0s","lasts":"2h","budget":{"total_fen":1530,"count":15,"split":"equal"}}`,
		`{"name":"slow","kind":"rain","opens_at":"+0s","lasts":"2h","wins_max":0,"pace":"linear","budget":{"total_fen":51000,"count":500,"split":"equal"}}`,
	} {
		p.create(spec)
	}
	p.crowd(5*minute, p.stages[late-1:]...)
	for p.snatch(p.stages[slow-1], 1) == hongbao.Won {
	}
	return p
}

func (p *play) audit(o audit.Options) audit.Report {
	report, err := audit.Run(context.Background(), &p.journal, o)
	if err != nil {
		p.t.Fatal(err)
	}
	return report
}

// failed are the names of the checks that failed.
func failed(checks []audit.Check) (names []string) {
	for _, c := range checks {
		if !c.OK {
			names = append(names, c.Name)
		}
	}
	return names
}

// books fold the history up to an event into wallets, as an engine's views do.
func (p *play) books(upTo int) *books {
	b := &books{position: position(upTo), wallets: map[uint64]*hongbao.Wallet{}}
	for i := range p.journal.events[:upTo+1] {
		b.apply(&p.journal.events[i])
	}
	for uid := range b.wallets {
		b.order = append(b.order, uid)
	}
	slices.Sort(b.order)
	for _, w := range b.wallets {
		slices.SortFunc(w.Envelopes, func(a, b hongbao.Envelope) int { return int(int64(a.ID) - int64(b.ID)) })
	}
	return b
}

type books struct {
	position hongbao.Position
	wallets  map[uint64]*hongbao.Wallet
	order    []uint64
}

func (b *books) Position() hongbao.Position { return b.position }

func (b *books) Wallets(_ context.Context, visit func(uint64, *hongbao.Wallet) error) error {
	for _, uid := range b.order {
		if err := visit(uid, b.wallets[uid]); err != nil {
			return err
		}
	}
	return nil
}

func (b *books) apply(e *hongbao.Event) {
	w := b.wallets[e.UID]
	if w == nil {
		w = &hongbao.Wallet{}
	}
	at := slices.IndexFunc(w.Envelopes, func(row hongbao.Envelope) bool { return row.ID == e.Envelope })
	switch e.Kind {
	case hongbao.EnvelopeWon:
		b.wallets[e.UID] = w
		w.Envelopes = append(w.Envelopes, hongbao.Envelope{
			ID: e.Envelope, AmountFen: e.AmountFen, WonAt: e.At, ExpiresAt: e.ExpiresAt, Key: e.Key,
		})
	case hongbao.EnvelopeOpened:
		w.BalanceFen = e.BalanceFen
		w.Envelopes[at].State, w.Envelopes[at].ClosedAt = hongbao.StateOpened, e.At
	case hongbao.EnvelopeRefunded:
		w.Envelopes[at].State, w.Envelopes[at].ClosedAt = hongbao.StateRefunded, e.At
	}
}
