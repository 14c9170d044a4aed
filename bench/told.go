package bench

import (
	"fmt"
	"sync"

	"hongbao"
)

// Told is what players were told: wins, openings, wallets, sign-ups. Whatever can't be true beside what was told before becomes
// a [Difference] at once; the rest waits for [Told.Compare]. It is filled by a [Witness] and may be used from any
// number of goroutines.
//
// "Before" is meant strictly: an answer is only held against what had been told when its request was sent, for two
// requests under way at the same time may be decided in either order.
type Told struct {
	since hongbao.Time

	mu          sync.Mutex
	tick        uint64 // a logical clock: each answer is one tick
	players     map[uint64]*player
	envelopes   map[hongbao.EnvelopeID]*holding
	keys        map[keyOf]*keyed
	campaigns   map[uint32]*campaignTold
	counts      Counts
	differences differences
}

// Counts say how much was told.
type Counts struct {
	Wins       uint64 `json:"wins"`       // envelopes
	Openings   uint64 `json:"openings"`   // envelopes told opened
	Replays    uint64 `json:"replays"`    // wins told again to the same key
	Reopenings uint64 `json:"reopenings"` // openings told again
	Wallets    uint64 `json:"wallets"`    // pages of wallets
	SignUps    uint64 `json:"signups"`    // players signed up for a campaign
}

// player is what one player was told.
type player struct {
	holdings   []*holding
	wins       []campaignWins // the highest told; replaced as a whole, so that a copy of the slice stays as it was
	balanceFen int64          // the highest told
	openedFen  int64          // the sum of what was told opened
	signedUp   []uint32       // campaigns; only appended to
	unknown    int            // snatches whose outcome stays unknown: each may have won
}

type campaignWins struct {
	campaign uint32
	wins     int
}

// holding is an envelope that a player was told to have won.
type holding struct {
	uid         uint64
	envelope    hongbao.EnvelopeID
	amountFen   int64 // 0: not told yet
	wins        int   // told with the win; 0 when the answer may have been a replay
	key         string
	receipt     string
	wonAt       uint64 // tick
	openedAt    uint64 // tick; 0: not told opened
	first       bool   // told to have been credited now
	opens       int    // how often it was asked to be opened
	openUnknown bool   // an opening of it has not been answered
}

// keyOf is what a request with a key of ours is known by.
type keyOf struct {
	campaign uint32
	uid      uint64
	key      string
}

// keyed is a key that is under way, unknown, or has won.
type keyed struct {
	underWay int
	unknown  bool
	holding  *holding
}

// campaignTold is what was told of a campaign as a whole.
type campaignTold struct {
	soldOutAt uint64 // tick of the first sold_out
	lateWin   string // a new win that was asked for after it
}

// NewTold begins with nothing told. Envelopes snatched before since, in the server's time, are none of its business: 0
// says that all are.
func NewTold(since hongbao.Time) *Told {
	return &Told{
		since: since, players: map[uint64]*player{}, envelopes: map[hongbao.EnvelopeID]*holding{},
		keys: map[keyOf]*keyed{}, campaigns: map[uint32]*campaignTold{},
	}
}

// Counts tells how much was told.
func (t *Told) Counts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts
}

// Differences lists what was found so far, at most a hundred of them, and counts all.
func (t *Told) Differences() (listed []Difference, total uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Difference(nil), t.differences.listed...), t.differences.total
}

// Unknown counts the requests whose outcome nobody knows: those that can be asked again with their key or envelope, and
// those that can't.
func (t *Told) Unknown() (askable, lost int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	snatches, opens := t.unknownRequests()
	for _, p := range t.players {
		lost += p.unknown
	}
	askable = len(snatches) + len(opens)
	return askable, lost - len(snatches)
}

// unknownRequests lists what can be asked again.
func (t *Told) unknownRequests() (snatches []Snatch, opens []*holding) {
	for of, k := range t.keys {
		if k.unknown {
			snatches = append(snatches, Snatch{UID: of.uid, Campaign: of.campaign, Key: of.key})
		}
	}
	for _, h := range t.envelopes {
		if h.openUnknown {
			opens = append(opens, h)
		}
	}
	return snatches, opens
}

// before is what a player had been told when a request was sent.
type before struct {
	tick       uint64
	wins       []campaignWins
	balanceFen int64
	openedFen  int64
	holdings   int
	signedUp   []uint32
	key        *keyed // nil for requests without a key of ours
	played     bool   // the key was sent before: the answer may be a replay
}

func (b *before) winsIn(campaign uint32) int { return winsIn(b.wins, campaign) }

func winsIn(wins []campaignWins, campaign uint32) int {
	for _, w := range wins {
		if w.campaign == campaign {
			return w.wins
		}
	}
	return 0
}

func (t *Told) player(uid uint64) *player {
	p := t.players[uid]
	if p == nil {
		p = &player{}
		t.players[uid] = p
	}
	return p
}

func (t *Told) campaign(id uint32) *campaignTold {
	c := t.campaigns[id]
	if c == nil {
		c = &campaignTold{}
		t.campaigns[id] = c
	}
	return c
}

// before takes down what the player was told; the caller holds the mutex.
func (t *Told) before(uid uint64) before {
	p := t.player(uid)
	return before{
		tick: t.tick, wins: p.wins, balanceFen: p.balanceFen, openedFen: p.openedFen, holdings: len(p.holdings), signedUp: p.signedUp,
	}
}

// wherePlayer, whereEnvelope and whereCampaign say what a difference is about.
func wherePlayer(uid uint64) string { return fmt.Sprintf("player %d", uid) }

func whereCampaign(id uint32) string { return fmt.Sprintf("campaign %d", id) }

func whereEnvelope(uid uint64, envelope hongbao.EnvelopeID) string {
	return fmt.Sprintf("player %d, envelope %d", uid, envelope)
}

// outside notes an answer that a good request must not get.
func (t *Told) outside(uid uint64, asked string, r Result) {
	t.differences.add("API", wherePlayer(uid), "%s was answered %s: %v", asked, r.Label, r.Err)
}
