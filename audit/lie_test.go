package audit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"hongbao"
	"hongbao/audit"
)

// A lie changes a valid history in one place. It returns the event at that place, which the audit must name.
type lie struct {
	what   string
	tell   func(p *play, o *audit.Options) *hongbao.Event
	fails  string // the only checks that may fail, and must
	saying string // in the first difference
}

// TestEveryLieIsFound: for each check there are histories that it alone refuses, and it says where.
func TestEveryLieIsFound(t *testing.T) {
	for _, lies := range [][]lie{orderLies, moneyLies, limitLies, openingLies, seedLies, sourceLies, bookLies} {
		for _, l := range lies {
			t.Run(l.what, func(t *testing.T) {
				p := history(t, 1)
				o := audit.Options{Secret: &p.secret}
				place := l.tell(p, &o)
				report := p.audit(o)
				if got := strings.Join(failed(report.Checks), " "); got != l.fails || report.OK {
					t.Fatalf("%s failed, want %s: %+v", got, l.fails, report.Checks)
				}
				for _, c := range report.Checks {
					if !c.OK {
						checkPlace(t, p, c, l, place)
					}
				}
			})
		}
	}
}

func checkPlace(t *testing.T, p *play, c audit.Check, l lie, place *hongbao.Event) {
	t.Helper()
	t.Log(c.Detail)
	if !strings.Contains(c.Detail, l.saying) {
		t.Errorf("it does not say %q", l.saying)
	}
	if place == nil {
		return
	}
	where := []string{fmt.Sprintf("position %s,", position(p.indexOf(place)))}
	if place.Campaign != 0 {
		where = append(where, fmt.Sprintf("campaign %d", place.Campaign))
	}
	if place.Envelope != 0 {
		where = append(where, fmt.Sprintf("envelope %d, uid %d", place.Envelope, place.UID))
	}
	for _, part := range where {
		if !strings.Contains(c.Detail, part) {
			t.Errorf("it does not name %q", part)
		}
	}
}

func (p *play) indexOf(e *hongbao.Event) int {
	for i := range p.journal.events {
		if &p.journal.events[i] == e {
			return i
		}
	}
	panic("not an event of the history: it moved")
}

// last is the last event of a kind in a campaign.
func (p *play) last(campaign uint32, kind hongbao.EventKind) *hongbao.Event {
	for i := len(p.journal.events) - 1; ; i-- {
		if e := &p.journal.events[i]; e.Campaign == campaign && e.Kind == kind {
			return e
		}
	}
}

func (p *play) first(campaign uint32, kind hongbao.EventKind) *hongbao.Event {
	return &p.journal.events[slices.IndexFunc(p.journal.events, func(e hongbao.Event) bool {
		return e.Campaign == campaign && e.Kind == kind
	})]
}

// lastHeld is the last win of a campaign whose envelope is never closed and whose player wins nothing after it.
func (p *play) lastHeld(campaign uint32) *hongbao.Event {
	later := map[uint64]bool{}
	for i := len(p.journal.events) - 1; ; i-- {
		e := &p.journal.events[i]
		if e.Campaign == campaign && e.Kind == hongbao.EnvelopeWon && !later[e.UID] &&
			!p.stages[campaign-1].envelopes[e.Envelope.Number()].closed {
			return e
		}
		later[e.UID] = later[e.UID] || e.Kind == hongbao.EnvelopeWon
	}
}

// append adds an event at the end, as of now.
func (p *play) append(e hongbao.Event) *hongbao.Event {
	p.record(e)
	return &p.journal.events[len(p.journal.events)-1]
}

// remove takes an event out.
func (p *play) remove(e *hongbao.Event) {
	i := p.indexOf(e)
	p.journal.events = slices.Delete(p.journal.events, i, i+1)
}

// nextWin is what a player who never won would win next, whatever the rules say.
func (p *play) nextWin(campaign uint32, uid uint64) hongbao.Event {
	s := p.stages[campaign-1]
	rules := s.Rules()
	return hongbao.Event{
		Kind: hongbao.EnvelopeWon, Campaign: campaign, Revision: s.Revision(), UID: uid, Key: "another",
		Envelope: hongbao.NewEnvelopeID(campaign, s.issued.Count), AmountFen: 102,
		Wins: 1, WinsMax: rules.WinsMax, DayWins: 1, DailyWinsMax: rules.DailyWinsMax, Day: p.calendar.Day(p.now),
		ExpiresAt: rules.ExpiresAt(),
	}
}

// reRule gives an event of a campaign rules of its own to change.
func reRule(e *hongbao.Event) *hongbao.Rules {
	rules := *e.Rules
	e.Rules = &rules
	return &rules
}

var orderLies = []lie{
	{"time goes back", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.last(bang, hongbao.PlayerSignedUp)
		e.At = p.journal.events[0].At
		return e
	}, "order", "its time 2027-02-05T15:30:00Z is before"},
	{"an event of a campaign that does not exist", func(p *play, _ *audit.Options) *hongbao.Event {
		return p.append(hongbao.Event{Kind: hongbao.PlayerSignedUp, Campaign: 99, Revision: 1, UID: 7})
	}, "order", "no such campaign"},
	{"a campaign id is left out", func(p *play, _ *audit.Options) *hongbao.Event {
		p.stages = append(p.stages, nil)
		p.create(`{"name":"far","kind":"bomb","opens_at":"+1m","budget":{"total_fen":10,"count":1}}`)
		return &p.journal.events[len(p.journal.events)-1]
	}, "order", "the campaign before it is 10"},
	{"a campaign comes twice", func(p *play, _ *audit.Options) *hongbao.Event {
		return p.append(*p.first(late, hongbao.CampaignCreated))
	}, "order", "it exists already"},
	{"two campaigns have a name", func(p *play, _ *audit.Options) *hongbao.Event {
		p.create(`{"name":"bang","kind":"bomb","opens_at":"+1m","budget":{"total_fen":10,"count":1}}`)
		return &p.journal.events[len(p.journal.events)-1]
	}, "order", "there is a campaign named bang"},
	{"a number is left out", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.nextWin(late, 90)
		e.Envelope++
		return p.append(e)
	}, "order", "number"},
	{"a win before the campaign opens", func(p *play, _ *audit.Options) *hongbao.Event {
		s := p.create(`{"name":"far","kind":"rain","opens_at":"+1m","lasts":"1m","budget":{"total_fen":1020,"count":10,"split":"equal"}}`)
		return p.append(p.nextWin(s.ID, 90))
	}, "order", "it opens at"},
	{"a win after it closed", func(p *play, _ *audit.Options) *hongbao.Event {
		p.now = p.stages[late-1].Rules().ClosesAt
		return p.append(p.nextWin(late, 90))
	}, "order", "it closed at"},
	{"a win after it was sealed", func(p *play, _ *audit.Options) *hongbao.Event {
		return p.append(p.nextWin(spring, 90))
	}, "order", "it was sealed at"},
	{"a win while it was paused", func(p *play, _ *audit.Options) *hongbao.Event {
		reRule(p.last(spring, hongbao.CampaignRevised)).Paused = true
		return nil
	}, "order", "it was paused"},
	{"a win without sign-up", func(p *play, _ *audit.Options) *hongbao.Event {
		win := p.last(calledOff, hongbao.EnvelopeWon)
		i := slices.IndexFunc(p.journal.events, func(e hongbao.Event) bool {
			return e.Kind == hongbao.PlayerSignedUp && e.UID == win.UID && e.Campaign == calledOff
		})
		p.remove(&p.journal.events[i])
		return nil
	}, "order", "had not signed up"},
	{"a sign-up that only an administrator may do", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.first(calledOff, hongbao.PlayerSignedUp)
		e.Actor = ""
		return e
	}, "order", "only an administrator"},
	{"a sign-up after the seal", func(p *play, _ *audit.Options) *hongbao.Event {
		return p.append(hongbao.Event{Kind: hongbao.PlayerSignedUp, Campaign: bang, Revision: 1, UID: 90})
	}, "order", "it was sealed at"},
	{"a win under a revision not in force", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.last(spring, hongbao.EnvelopeWon)
		e.Revision--
		return e
	}, "order", "revision 4 is in force, and 5 is"},
	{"an opening under a revision to come", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.last(spring, hongbao.EnvelopeOpened)
		e.Revision++
		return e
	}, "order", "revision 6 is in force, and 5 is"},
	{"a revision is left out", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.last(spring, hongbao.CampaignRevised)
		e.Revision++
		return e
	}, "order", "it says revision 6, and 5 comes now"},
	{"a revision after closing", func(p *play, _ *audit.Options) *hongbao.Event {
		p.revise(p.stages[late-1], `{"paused":true}`)
		e := &p.journal.events[len(p.journal.events)-1]
		e.At = p.stages[late-1].Rules().ClosesAt
		return e
	}, "order", "it closed at"},
	{"a revision after the seal", func(p *play, _ *audit.Options) *hongbao.Event {
		e := *p.last(spring, hongbao.CampaignRevised)
		e.Revision++
		return p.append(e)
	}, "order", "it was sealed at"},
	{"a revision moves an opening that has passed", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.last(spring, hongbao.CampaignRevised)
		reRule(e).OpensAt++
		return e
	}, "order", "it moves opens_at"},
	{"a revision changes what none may", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.last(spring, hongbao.CampaignRevised)
		reRule(e).Title.EN = "Autumn"
		return e
	}, "order", "what no revision may change"},
	{"sealed twice", func(p *play, _ *audit.Options) *hongbao.Event {
		return p.append(*p.first(bang, hongbao.CampaignSealed))
	}, "order", "it was sealed at"},
	{"sealed before it closed", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.first(calledOff, hongbao.CampaignSealed)
		e.Cancelled = false
		return e
	}, "order", "nobody cancelled it"},
	{"another zone", func(p *play, _ *audit.Options) *hongbao.Event {
		return p.append(hongbao.Event{Kind: hongbao.SystemRecorded, Name: "timezone", Data: []byte("Europe/Berlin")})
	}, "order", "the zone becomes Europe/Berlin"},
	{"an unknown zone", func(p *play, _ *audit.Options) *hongbao.Event {
		return p.append(hongbao.Event{Kind: hongbao.SystemRecorded, Name: "timezone", Data: []byte("Moon/Base")})
	}, "order", "the zone is unknown"},
}

var moneyLies = []lie{
	{"an envelope more than the budget has", func(p *play, _ *audit.Options) *hongbao.Event {
		return p.append(p.nextWin(brim, 90))
	}, "G1", "16 envelopes of 1632 fen are taken, of at most 15 of 1530 fen"},
	{"the last envelope does not make the budget exact", func(p *play, o *audit.Options) *hongbao.Event {
		o.Secret = nil
		p.journal.events = slices.DeleteFunc(p.journal.events, func(e hongbao.Event) bool {
			return e.Kind == hongbao.EnvelopeOpened && e.Campaign >= late
		})
		e := p.last(brim, hongbao.EnvelopeWon)
		e.AmountFen--
		return e
	}, "G1", "all 15 envelopes are taken, and 1529 fen of 1530"},
	{"an amount outside the bounds", func(p *play, o *audit.Options) *hongbao.Event {
		o.Secret = nil
		e := p.lastHeld(late)
		e.AmountFen = 205
		return e
	}, "G1", "its amount is 205 fen, outside 1 to 204"},
	{"a revision that forgets a win", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.last(spring, hongbao.CampaignRevised)
		e.Issued.Count--
		return e
	}, "G1", "as issued"},
	{"a revision that cuts a fen more", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.last(spring, hongbao.CampaignRevised)
		segment := *e.Segment
		segment.TotalFen++
		e.Segment = &segment
		return e
	}, "G1", "not its budget less what is issued"},
	{"a revision that cuts the same budget anew", func(p *play, _ *audit.Options) *hongbao.Event {
		segment := p.stages[late-1].Segment()
		p.revise(p.stages[late-1], `{"chance":0.5}`)
		e := &p.journal.events[len(p.journal.events)-1]
		e.Segment = &segment
		return e
	}, "G1", "stays as it is"},
	{"a campaign whose budget can't be cut", func(p *play, _ *audit.Options) *hongbao.Event {
		s := p.create(`{"name":"far","kind":"bomb","opens_at":"+1m","budget":{"total_fen":10,"count":1}}`)
		e := &p.journal.events[len(p.journal.events)-1]
		rules := reRule(e)
		rules.Budget.MinFen = 11
		segment := *e.Segment
		segment.MinFen = 11
		e.Segment, e.Commitment = &segment, s.seed.Commitment(hongbao.CanonicalRules(*rules))
		return e
	}, "G1", "its budget can't be cut"},
	{"an envelope won twice", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.lastHeld(late)
		e.Envelope = hongbao.NewEnvelopeID(late, 0)
		p.journal.events = slices.Delete(p.journal.events, p.indexOf(e)+1, len(p.journal.events))
		return e
	}, "G2", "won it before"},
}

var limitLies = []lie{
	{"a win that is not counted", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.lastHeld(late)
		e.Wins++
		return e
	}, "G3", "in the campaign, and says"},
	{"a win beyond the limit", func(p *play, _ *audit.Options) *hongbao.Event {
		for n := range 6 {
			e := p.nextWin(late, 90)
			e.Envelope += hongbao.EnvelopeID(n)
			e.Wins, e.DayWins, e.Key = n+1, n+1, fmt.Sprint("key ", n)
			p.record(e)
		}
		return &p.journal.events[len(p.journal.events)-1]
	}, "G3", "win 6 in the campaign, of at most 5"},
	{"a limit that is not the revision's", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.lastHeld(late)
		e.WinsMax = 6
		return e
	}, "G3", "wins_max is 5 by the rules, and it says 6"},
	{"a win of the day that is not counted", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.lastHeld(late)
		e.DayWins--
		return e
	}, "G3", "on the day, and says"},
	{"a win beyond the day's limit", func(p *play, _ *audit.Options) *hongbao.Event {
		s := p.create(`{"name":"far","kind":"bomb","opens_at":"+0s","wins_max":0,"budget":{"total_fen":1020,"count":10,"split":"equal"}}`)
		p.signUp(s, 90, "")
		for n := range 4 {
			e := p.nextWin(s.ID, 90)
			e.Envelope += hongbao.EnvelopeID(n)
			e.Wins, e.DayWins, e.Key = n+1, n+1, fmt.Sprint("key ", n)
			p.record(e)
		}
		return &p.journal.events[len(p.journal.events)-1]
	}, "G3", "win 4 on the day, of at most 3"},
	{"a day's limit that is not the revision's", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.lastHeld(late)
		e.DailyWinsMax = 6
		return e
	}, "G3", "daily_wins_max is 0 by the rules, and it says 6"},
	{"a win on another day", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.lastHeld(late)
		e.Day++
		e.DayWins = 1
		return e
	}, "G3", "of the calendar, and it says"},
	{"a day that goes back, in a journal without a zone", func(p *play, _ *audit.Options) *hongbao.Event {
		p.journal.events[0].Name = "nothing"
		e := p.lastHeld(late)
		e.Day--
		e.DayWins = 1
		return e
	}, "G3", "of the calendar, and it says"},
	{"a key that wins twice", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.lastHeld(late)
		i := slices.IndexFunc(p.journal.events, func(o hongbao.Event) bool {
			return o.Kind == hongbao.EnvelopeWon && o.Campaign == late && o.UID == e.UID
		})
		if e.Key = p.journal.events[i].Key; e.Wins < 2 {
			p.t.Fatal("the player won once")
		}
		return e
	}, "G7", "has won before"},
}

var openingLies = []lie{
	{"an opening of what nobody won", func(p *play, _ *audit.Options) *hongbao.Event {
		return p.append(hongbao.Event{Kind: hongbao.EnvelopeOpened, Campaign: late, Envelope: hongbao.NewEnvelopeID(late, 490), Revision: 1, UID: 7})
	}, "G5", "nobody has won it"},
	{"an opening by somebody else", func(p *play, _ *audit.Options) *hongbao.Event {
		return p.append(p.closing(p.lastHeld(late), hongbao.EnvelopeOpened, func(e *hongbao.Event) { e.UID = 90 }))
	}, "G5", "holds it"},
	{"an opening of another amount", func(p *play, _ *audit.Options) *hongbao.Event {
		return p.append(p.closing(p.lastHeld(late), hongbao.EnvelopeOpened, func(e *hongbao.Event) { e.AmountFen++ }))
	}, "G5", "it was won with 102 fen, and 103 is said"},
	{"an envelope opened twice", func(p *play, _ *audit.Options) *hongbao.Event {
		return p.append(*p.last(late, hongbao.EnvelopeOpened))
	}, "G5", "it is opened already"},
	{"an envelope opened and then refunded", func(p *play, _ *audit.Options) *hongbao.Event {
		e := *p.last(spring, hongbao.EnvelopeOpened)
		e.Kind = hongbao.EnvelopeRefunded
		return p.append(e)
	}, "G5", "it is opened already"},
	{"an envelope refunded and then opened", func(p *play, _ *audit.Options) *hongbao.Event {
		e := *p.last(spring, hongbao.EnvelopeRefunded)
		e.Kind = hongbao.EnvelopeOpened
		return p.append(e)
	}, "G5", "it is refunded already"},
	{"an opening after the envelope expired", func(p *play, _ *audit.Options) *hongbao.Event {
		return p.append(p.closing(p.lastHeld(forgotten), hongbao.EnvelopeOpened, func(*hongbao.Event) {}))
	}, "G5", "it expired at"},
	{"a refund before its time", func(p *play, _ *audit.Options) *hongbao.Event {
		p.now = p.stages[late-1].Rules().ExpiresAt() + 5*second - 1
		return p.append(p.closing(p.lastHeld(late), hongbao.EnvelopeRefunded, func(*hongbao.Event) {}))
	}, "G5", "it may be refunded from"},
	{"an expiry that is not the rules'", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.lastHeld(late)
		e.ExpiresAt--
		return e
	}, "G5", "by the rules, and says"},
	{"a balance that is a fen off", func(p *play, _ *audit.Options) *hongbao.Event {
		return p.append(p.closing(p.lastHeld(late), hongbao.EnvelopeOpened, func(e *hongbao.Event) { e.BalanceFen++ }))
	}, "G6", "and it says"},
}

// closing opens or refunds what was won, but for one change.
func (p *play) closing(win *hongbao.Event, kind hongbao.EventKind, but func(*hongbao.Event)) hongbao.Event {
	e := hongbao.Event{Kind: kind, Campaign: win.Campaign, Envelope: win.Envelope, Revision: win.Revision, UID: win.UID, AmountFen: win.AmountFen}
	if kind == hongbao.EnvelopeOpened {
		e.BalanceFen = p.balances[win.UID] + win.AmountFen
	}
	but(&e)
	return e
}

// loseDraw gives a win a key that does not win.
func (p *play) loseDraw(e *hongbao.Event) *hongbao.Event {
	s := p.stages[e.Campaign-1]
	for n := 0; s.Rules().Chance.Wins(s.seed.Draw(s.ID, e.UID, e.Key)); n++ {
		e.Key = fmt.Sprint("key ", n)
	}
	return e
}

var seedLies = []lie{
	{"an amount that the seed does not make", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.lastHeld(late)
		e.AmountFen++
		return e
	}, "G8", "its amount is 102 fen by the seed, and it says 103"},
	{"an amount that the revealed seed does not make", func(p *play, o *audit.Options) *hongbao.Event {
		o.Secret = nil
		e := p.lastHeld(forgotten)
		e.AmountFen = 1 + e.AmountFen%2
		return e
	}, "G8", "by the seed, and it says"},
	{"a draw that does not win", func(p *play, _ *audit.Options) *hongbao.Event {
		return p.loseDraw(p.last(spring, hongbao.EnvelopeWon))
	}, "G8", "does not win at chance 0.25"},
	{"a win ahead of the pace", func(p *play, _ *audit.Options) *hongbao.Event {
		return p.append(p.nextWin(slow, 90))
	}, "G8", "the pace allows"},
	{"a commitment to another seed", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.first(late, hongbao.CampaignCreated)
		e.Commitment = hongbao.Seed{1}.Commitment(hongbao.CanonicalRules(*e.Rules))
		return e
	}, "G8", "is not that of the server's seed and these rules"},
	{"other rules than were committed to", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.first(late, hongbao.CampaignCreated)
		reRule(e).Title.EN = "Later"
		return e
	}, "G8", "is not that of the server's seed and these rules"},
	{"a seal that reveals another seed", func(p *play, _ *audit.Options) *hongbao.Event {
		e := p.first(spring, hongbao.CampaignSealed)
		e.Seed[0]++
		return e
	}, "G8", "do not make the commitment"},
	{"a seal that reveals another seed, to an audit without the secret", func(p *play, o *audit.Options) *hongbao.Event {
		o.Secret = nil
		e := p.first(spring, hongbao.CampaignSealed)
		e.Seed[0]++
		return e
	}, "G8", "do not make the commitment"},
}

var sourceLies = []lie{
	{"a block is damaged", func(p *play, _ *audit.Options) *hongbao.Event {
		p.journal.damaged = 100
		return nil
	}, "chain", "block 100 is damaged"},
	{"a folder restored from yesterday", func(p *play, o *audit.Options) *hongbao.Event {
		o.Head = "1000000"
		return nil
	}, "head", "the journal ends before 1000000"},
}

// bookLie compares books that one change was made to.
func bookLie(what, saying string, change func(b *books, w *hongbao.Wallet)) lie {
	return lie{what, func(p *play, o *audit.Options) *hongbao.Event {
		b := p.books(len(p.journal.events) - 1)
		o.Books = b
		change(b, b.wallets[b.order[3]])
		return nil
	}, "books", saying}
}

var bookLies = []lie{
	bookLie("an envelope is missing", "uid 3: the wallet lacks envelope", func(_ *books, w *hongbao.Wallet) {
		w.Envelopes = w.Envelopes[1:]
	}),
	bookLie("a player is missing", "uid 3: the wallet lacks envelope", func(b *books, _ *hongbao.Wallet) {
		b.order = slices.Delete(b.order, 3, 4)
	}),
	bookLie("an envelope of somebody else", "which the player did not win", func(b *books, w *hongbao.Wallet) {
		other := b.wallets[b.order[4]]
		w.Envelopes = append(w.Envelopes, other.Envelopes[len(other.Envelopes)-1])
	}),
	bookLie("an envelope that nobody won", "which the player did not win", func(_ *books, w *hongbao.Wallet) {
		w.Envelopes = append(w.Envelopes, hongbao.Envelope{ID: hongbao.NewEnvelopeID(slow, 499)})
	}),
	bookLie("an envelope of no campaign", "which the player did not win", func(_ *books, w *hongbao.Wallet) {
		w.Envelopes = append(w.Envelopes, hongbao.Envelope{ID: hongbao.NewEnvelopeID(99, 0)})
	}),
	bookLie("a player who never played", "uid 95: the wallet has a balance of 5 fen, by the journal 0", func(b *books, _ *hongbao.Wallet) {
		b.order = append(b.order[:len(b.order)-1], 95, b.order[len(b.order)-1])
		b.wallets[95] = &hongbao.Wallet{BalanceFen: 5}
	}),
	bookLie("another state", "by the journal it is", func(_ *books, w *hongbao.Wallet) {
		w.Envelopes[0].State = (w.Envelopes[0].State + 1) % 3
	}),
	bookLie("another amount", "by the journal", func(_ *books, w *hongbao.Wallet) { w.Envelopes[0].AmountFen++ }),
	bookLie("another key", "another key or other times", func(_ *books, w *hongbao.Wallet) { w.Envelopes[0].Key += "x" }),
	bookLie("another time of the win", "another key or other times", func(_ *books, w *hongbao.Wallet) { w.Envelopes[0].WonAt++ }),
	bookLie("another time of the end", "another key or other times", func(_ *books, w *hongbao.Wallet) { w.Envelopes[0].ClosedAt++ }),
	bookLie("another expiry", "another key or other times", func(_ *books, w *hongbao.Wallet) { w.Envelopes[0].ExpiresAt++ }),
	bookLie("another balance", "has a balance of", func(_ *books, w *hongbao.Wallet) { w.BalanceFen-- }),
	bookLie("envelopes out of order", "after a higher one", func(_ *books, w *hongbao.Wallet) { slices.Reverse(w.Envelopes) }),
	bookLie("players out of order", "comes after a higher uid", func(b *books, _ *hongbao.Wallet) {
		b.order[3], b.order[4] = b.order[4], b.order[3]
	}),
	bookLie("a position that the journal does not have", "which the journal does not have", func(b *books, _ *hongbao.Wallet) {
		b.position = "17.5"
	}),
}
