package enginetest

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strconv"
	"sync"

	"hongbao"
)

// Model is an engine in memory, as plain as can be: one lock, maps, and the pure rules. What it answers is right by
// definition. It never forgets and is never busy. Its numbers are given out in order, unless it is made to follow an
// engine that leases them.
type Model struct {
	secret   hongbao.Secret
	calendar *hongbao.Calendar
	nonce    func() hongbao.Nonce
	supply   supply
	bend     func(*hongbao.Facts) // makes a model that decides wrongly, for the suite's own tests

	mu        sync.Mutex
	last      hongbao.Time // of the last event
	journal   []hongbao.Event
	campaigns []*hongbao.Campaign // by id; a new slice with each change
	progress  map[uint32]hongbao.Progress
	envelopes map[hongbao.EnvelopeID]*holding
	holdings  map[uint64][]*holding // by uid, in the order in which they were won
	keys      map[keyed]*holding
	wins      map[right]int
	dayWins   map[dayRight]int
	signedUp  map[right]bool
	balances  map[uint64]int64
	recorded  map[string]hongbao.Event // the latest of each name
	tranches  map[tranche][]int64
}

// holding is an envelope with its holder.
type holding struct {
	uid uint64
	hongbao.Envelope
}

type right struct {
	uid      uint64
	campaign uint32
}

type keyed struct {
	right
	key string
}

type dayRight struct {
	uid  uint64
	kind hongbao.Kind
	day  int32
}

type tranche struct {
	campaign, revision uint32
	j                  int
}

var _ hongbao.Engine = (*Model)(nil)

// NewModel makes an empty model.
func NewModel(secret hongbao.Secret, calendar *hongbao.Calendar) *Model {
	m := &Model{
		secret: secret, calendar: calendar, nonce: randomNonce,
		progress: map[uint32]hongbao.Progress{}, envelopes: map[hongbao.EnvelopeID]*holding{}, keys: map[keyed]*holding{},
		wins: map[right]int{}, dayWins: map[dayRight]int{}, signedUp: map[right]bool{}, balances: map[uint64]int64{},
		tranches: map[tranche][]int64{}, holdings: map[uint64][]*holding{}, recorded: map[string]hongbao.Event{},
	}
	m.supply = inOrder{m}
	return m
}

func randomNonce() (nonce hongbao.Nonce) {
	rand.Read(nonce[:]) // never fails
	return nonce
}

// Put creates, revises, cancels or closes a campaign.
func (m *Model) Put(_ context.Context, change hongbao.Change) (*hongbao.Campaign, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change.At = m.time(change.At)
	if change.Create != nil {
		return m.create(change)
	}
	c := m.campaign(change.Campaign)
	if c == nil {
		return nil, fmt.Errorf("%w: there is no campaign %d", hongbao.ErrNotFound, change.Campaign)
	}
	var issued hongbao.Tally
	if change.Revise != nil {
		var err error
		if issued, err = m.supply.issued(c); err != nil {
			return c, err
		}
	}
	e, ok, err := c.Change(change, m.seed(c), issued)
	if err != nil || !ok {
		return c, err
	}
	return m.change(c, &e)
}

func (m *Model) create(change hongbao.Change) (*hongbao.Campaign, error) {
	for _, c := range m.campaigns {
		if c.Rules().Name == change.Create.Name {
			return nil, fmt.Errorf("%w: there is a campaign named %s", hongbao.ErrNameTaken, change.Create.Name)
		}
	}
	id, nonce := uint32(len(m.campaigns)+1), m.nonce()
	e, err := hongbao.Created(id, nonce, m.secret.Seed(id, nonce), change)
	if err != nil {
		return nil, err
	}
	return m.change(nil, &e)
}

// change journals an event of a campaign and puts the campaign after it into the list.
func (m *Model) change(c *hongbao.Campaign, e *hongbao.Event) (*hongbao.Campaign, error) {
	next, err := c.After(e)
	if err != nil {
		return nil, err
	}
	m.record(*e)
	m.campaigns = slices.Clone(m.campaigns)
	if c == nil {
		m.campaigns = append(m.campaigns, next)
	} else {
		m.campaigns[next.ID-1] = next
	}
	return next, nil
}

// Campaigns lists all campaigns by id.
func (m *Model) Campaigns() []*hongbao.Campaign {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.campaigns
}

// Progress tells how far a campaign has come.
func (m *Model) Progress(campaign uint32) hongbao.Progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.progress[campaign]
}

// SignUp registers players.
func (m *Model) SignUp(_ context.Context, r hongbao.SignUpRequest) (added int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, at := m.heard(r.Campaign, r.UIDs[0]), m.time(r.Now)
	if c == nil {
		return 0, fmt.Errorf("%w: there is no campaign %d", hongbao.ErrNotFound, r.Campaign)
	}
	if c.Seal != nil || at >= c.Rules().ClosesAt {
		return 0, fmt.Errorf("%w: campaign %d takes no more sign-ups", hongbao.ErrCampaignOver, r.Campaign)
	}
	for _, uid := range r.UIDs {
		if m.signedUp[right{uid, c.ID}] {
			continue
		}
		m.signedUp[right{uid, c.ID}] = true
		m.record(hongbao.Event{Kind: hongbao.PlayerSignedUp, At: at, Campaign: c.ID, Revision: c.Revision(), UID: uid, Actor: r.Actor})
		m.count(c.ID, func(p *hongbao.Progress) { p.SignedUp++ })
		added++
	}
	return added, nil
}

// Foretell answers all that can be decided without the player.
func (m *Model) Foretell(r hongbao.SnatchRequest) (result hongbao.SnatchResult, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.campaign(r.Campaign)
	if c == nil {
		return result, false
	}
	status, ok := c.Foretell(m.time(r.Now), m.progress[c.ID].Taken.Count, r.KeyIsNew)
	if !ok {
		return result, false
	}
	return hongbao.SnatchResult{Status: status, Wins: -1, Rules: c.Rules()}, true
}

// Snatch decides a snatch.
func (m *Model) Snatch(_ context.Context, r hongbao.SnatchRequest) (hongbao.SnatchResult, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, mine := m.heard(r.Campaign, r.UID), right{r.UID, r.Campaign}
	if c == nil {
		return hongbao.SnatchResult{Status: hongbao.NotFound, Wins: -1}, nil
	}
	won := m.keys[keyed{mine, r.Key}]
	if r.ReplayOnly && won == nil {
		return hongbao.SnatchResult{Status: hongbao.Closed, Wins: -1, Rules: c.Rules()}, nil
	}
	facts := m.facts(c, r, won != nil)
	result := hongbao.SnatchResult{Status: hongbao.Decide(facts), Rules: c.Rules()}
	if result.Status == hongbao.Won {
		if !facts.Replayed {
			number, err := m.supply.number(c, r.UID)
			if err != nil {
				return hongbao.SnatchResult{}, err
			}
			won = m.win(c, r, facts, number)
		}
		result.Envelope, result.AmountFen, result.WonAt, result.ExpiresAt = won.ID, won.AmountFen, won.WonAt, won.ExpiresAt
	}
	result.Wins = m.wins[mine]
	return result, nil
}

func (m *Model) facts(c *hongbao.Campaign, r hongbao.SnatchRequest, replayed bool) hongbao.Facts {
	at, mine := m.time(r.Now), right{r.UID, r.Campaign}
	facts := hongbao.Facts{
		Rules: c.Rules(), Now: at, Replayed: replayed, Cancelled: c.Cancelled(), Sealed: c.Seal != nil, SignedUp: m.signedUp[mine],
		Wins: m.wins[mine], DayWins: m.dayWins[m.today(r.UID, c, at)],
		Issued: m.taken(c), Allowed: c.Allowed(at), Draw: m.seed(c).Draw(c.ID, r.UID, r.Key),
	}
	if m.bend != nil {
		m.bend(&facts)
	}
	return facts
}

// win gives the envelope of that number.
func (m *Model) win(c *hongbao.Campaign, r hongbao.SnatchRequest, facts hongbao.Facts, number uint64) *holding {
	mine, today, rules := right{r.UID, r.Campaign}, m.today(r.UID, c, facts.Now), c.Rules()
	won := &holding{r.UID, hongbao.Envelope{
		ID: hongbao.NewEnvelopeID(c.ID, number), AmountFen: m.amount(c, number), WonAt: facts.Now, ExpiresAt: rules.ExpiresAt(), Key: r.Key,
	}}
	m.envelopes[won.ID], m.keys[keyed{mine, r.Key}] = won, won
	m.holdings[r.UID] = append(m.holdings[r.UID], won)
	m.wins[mine]++
	m.dayWins[today]++
	m.count(c.ID, func(p *hongbao.Progress) { p.Taken.Add(won.AmountFen) })
	m.record(hongbao.Event{
		Kind: hongbao.EnvelopeWon, At: facts.Now, Campaign: c.ID, Revision: c.Revision(),
		Envelope: won.ID, UID: r.UID, AmountFen: won.AmountFen, Key: r.Key,
		Wins: m.wins[mine], WinsMax: rules.WinsMax, DayWins: m.dayWins[today], DailyWinsMax: rules.DailyWinsMax, Day: today.day,
		ExpiresAt: won.ExpiresAt,
	})
	return won
}

// amount cuts the tranche of a number.
func (m *Model) amount(c *hongbao.Campaign, number uint64) int64 {
	segment := c.SegmentOf(number)
	place := number - segment.First
	t := tranche{c.ID, segment.Revision, int(place / hongbao.TrancheSize)}
	if m.tranches[t] == nil {
		m.tranches[t] = segment.Cut(m.seed(c), c.ID, t.j)
	}
	return m.tranches[t][place%hongbao.TrancheSize]
}

// Open credits a held envelope to its holder, once.
func (m *Model) Open(_ context.Context, r hongbao.OpenRequest) (hongbao.OpenResult, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, known := m.time(r.Now), m.envelopes[r.Envelope]
	switch {
	case known == nil || known.uid != r.UID:
		return hongbao.OpenResult{}, fmt.Errorf("%w: player %d has no envelope %d", hongbao.ErrNotFound, r.UID, r.Envelope)
	case known.State == hongbao.StateOpened:
		return hongbao.OpenResult{AmountFen: known.AmountFen, BalanceFen: m.balances[r.UID]}, nil
	case known.State == hongbao.StateRefunded || at >= m.expiry(known):
		return hongbao.OpenResult{Expired: true}, nil
	}
	m.balances[r.UID] += known.AmountFen
	m.close(known, hongbao.StateOpened, hongbao.Event{Kind: hongbao.EnvelopeOpened, At: at, BalanceFen: m.balances[r.UID]})
	m.count(r.Envelope.Campaign(), func(p *hongbao.Progress) { p.Opened.Add(known.AmountFen) })
	return hongbao.OpenResult{First: true, AmountFen: known.AmountFen, BalanceFen: m.balances[r.UID]}, nil
}

// refundAfter is how long after expiry an envelope is refunded at the earliest.
const refundAfter = 5 * second

// Refund takes back up to limit envelopes that expired long enough ago, by id.
func (m *Model) Refund(_ context.Context, now hongbao.Time, limit int) (refunded int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, known := range m.held() {
		if refunded == limit {
			break
		}
		if m.time(now) >= m.expiry(known)+refundAfter {
			m.refund(known, m.time(now))
			refunded++
		}
	}
	return refunded, nil
}

func (m *Model) refund(known *holding, at hongbao.Time) {
	m.close(known, hongbao.StateRefunded, hongbao.Event{Kind: hongbao.EnvelopeRefunded, At: at})
	m.count(known.ID.Campaign(), func(p *hongbao.Progress) { p.Refunded.Add(known.AmountFen) })
}

// close moves an envelope out of held and journals that.
func (m *Model) close(known *holding, state hongbao.EnvelopeState, e hongbao.Event) {
	known.State, known.ClosedAt = state, e.At
	e.Envelope, e.Campaign, e.UID, e.AmountFen = known.ID, known.ID.Campaign(), known.uid, known.AmountFen
	e.Revision = m.campaign(e.Campaign).Revision()
	m.record(e)
}

// Wallet reads a page of a player's wallet.
func (m *Model) Wallet(_ context.Context, r hongbao.WalletRequest) (hongbao.Wallet, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w := hongbao.Wallet{BalanceFen: m.balances[r.UID]}
	for _, known := range m.holdings[r.UID] {
		w.Envelopes = append(w.Envelopes, known.Envelope)
	}
	slices.SortFunc(w.Envelopes, newestFirst)
	if r.After != (hongbao.Cursor{}) {
		after := hongbao.Envelope{WonAt: r.After.WonAt, ID: r.After.Envelope}
		w.Envelopes = slices.DeleteFunc(w.Envelopes, func(e hongbao.Envelope) bool { return newestFirst(e, after) <= 0 })
	}
	if w.More = len(w.Envelopes) > r.Limit; w.More {
		w.Envelopes = w.Envelopes[:r.Limit]
	}
	return w, nil
}

func newestFirst(a, b hongbao.Envelope) int {
	return cmp.Or(cmp.Compare(b.WonAt, a.WonAt), cmp.Compare(b.ID, a.ID))
}

// Journal walks the events after a position.
func (m *Model) Journal(_ context.Context, after hongbao.Position) iter.Seq2[hongbao.Entry, error] {
	m.mu.Lock()
	events := m.journal
	m.mu.Unlock()
	return func(yield func(hongbao.Entry, error) bool) {
		from, err := strconv.Atoi("0" + string(after))
		if err != nil || from > len(events) {
			yield(hongbao.Entry{}, hongbao.Invalid("from", after, "a position that the journal told"))
			return
		}
		for i, e := range events[from:] {
			if !yield(hongbao.Entry{Position: position(from + i), ID: string(position(from + i)), Event: &e}, nil) {
				return
			}
		}
	}
}

// position is the place of the event of that index.
func position(index int) hongbao.Position { return hongbao.Position(strconv.Itoa(index + 1)) }

// Record journals a system event.
func (m *Model) Record(_ context.Context, e hongbao.Event, after *hongbao.Event) (hongbao.Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := hongbao.CheckEventName(e.Name); err != nil {
		return "", err
	}
	if after != nil {
		if _, err := hongbao.LatestForm(e.Name, after); err != nil {
			return "", err
		}
		if !reflect.DeepEqual(*after, m.recorded[e.Name]) {
			return "", fmt.Errorf("%w: another event named %s was recorded", hongbao.ErrStale, e.Name)
		}
	}
	e.Kind, e.At = hongbao.SystemRecorded, m.time(e.At)
	m.record(e)
	return position(len(m.journal) - 1), nil
}

// Recorded is the event of that name that was recorded last.
func (m *Model) Recorded(_ context.Context, name string) (hongbao.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, found := m.recorded[name]
	if !found {
		return e, fmt.Errorf("%w: no event named %s was recorded", hongbao.ErrNotFound, name)
	}
	return e, nil
}

// Sync has nothing to wait for.
func (m *Model) Sync(context.Context) error { return nil }

// Health tells how many events there are.
func (m *Model) Health() hongbao.Health {
	m.mu.Lock()
	defer m.mu.Unlock()
	return hongbao.Health{Events: uint64(len(m.journal)), Now: m.last}
}

// Close has nothing to release.
func (m *Model) Close() error { return nil }

func (m *Model) campaign(id uint32) *hongbao.Campaign {
	if id < 1 || int(id) > len(m.campaigns) {
		return nil
	}
	return m.campaigns[id-1]
}

// time is engine time: it never goes back.
func (m *Model) time(now hongbao.Time) hongbao.Time { return max(now, m.last) }

func (m *Model) seed(c *hongbao.Campaign) hongbao.Seed { return m.secret.Seed(c.ID, c.Nonce) }

func (m *Model) today(uid uint64, c *hongbao.Campaign, at hongbao.Time) dayRight {
	return dayRight{uid, c.Rules().Kind, m.calendar.Day(at)}
}

func (m *Model) expiry(known *holding) hongbao.Time {
	return m.campaign(known.ID.Campaign()).Expiry(known.ExpiresAt)
}

// held are the envelopes that are neither opened nor refunded, by id.
func (m *Model) held() (list []*holding) {
	for _, known := range m.envelopes {
		if known.State == hongbao.StateHeld {
			list = append(list, known)
		}
	}
	slices.SortFunc(list, func(a, b *holding) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

func (m *Model) count(campaign uint32, add func(*hongbao.Progress)) {
	p := m.progress[campaign]
	add(&p)
	m.progress[campaign] = p
}

// record journals an event in the form in which a journal gives it back.
func (m *Model) record(e hongbao.Event) {
	var read hongbao.Event
	if err := hongbao.DecodeEvent(hongbao.AppendEvent(nil, &e), &read); err != nil {
		panic("enginetest: an event of the model can't be read: " + err.Error())
	}
	m.last = e.At
	m.journal = append(m.journal, read)
	if e.Kind == hongbao.SystemRecorded {
		m.recorded[e.Name] = read
	}
}
