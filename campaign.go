package hongbao

import (
	"encoding/hex"
	"encoding/json"
	"slices"
	"sort"
	"time"
)

// Campaign is one give-away as its events have made it. It is immutable: [Campaign.After] makes the next one.
type Campaign struct {
	ID         uint32
	Nonce      Nonce      // public; with the server's secret it makes the seed
	Commitment string     // hex SHA-256 of seed and first rules, published before it opens
	Revisions  []Revision // at least one, oldest first; the last is in force
	Seal       *Seal      // nil until it is sealed
}

// Nonce makes each campaign's seed its own, even where an id comes up twice in a restored data folder.
type Nonce [16]byte

func (n Nonce) String() string { return hex.EncodeToString(n[:]) }

// MarshalText writes lower-case hex.
func (n Nonce) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText reads 32 hex digits.
func (n *Nonce) UnmarshalText(b []byte) error {
	decoded, err := hex.DecodeString(string(b))
	if err != nil || len(decoded) != len(n) {
		return Invalid("nonce", string(b), "32 hex digits")
	}
	copy(n[:], decoded)
	return nil
}

// Revision is one version of a campaign's rules.
type Revision struct {
	Number    uint32   `json:"revision"` // 1, 2, 3 …
	At        Time     `json:"at"`
	Actor     string   `json:"actor"`
	Rules     Rules    `json:"rules"`
	Issued    uint64   `json:"issued"`            // envelopes issued when it took effect: the first number it decides
	IssuedFen int64    `json:"issued_fen"`        // and their sum
	Segment   *Segment `json:"segment,omitempty"` // what it cuts, when it changes the budget
}

// Seal is the one-way end of a campaign, after which nothing can be won.
type Seal struct {
	At        Time   `json:"at"`
	Actor     string `json:"actor"`
	Cancelled bool   `json:"cancelled"`
	Seed      Seed   `json:"seed"` // revealed by sealing
}

// Rules are the rules in force.
func (c *Campaign) Rules() *Rules { return &c.Revisions[len(c.Revisions)-1].Rules }

// Revision is the number of the revision in force.
func (c *Campaign) Revision() uint32 { return uint32(len(c.Revisions)) }

// Cancelled reports whether it was cancelled.
func (c *Campaign) Cancelled() bool { return c.Seal != nil && c.Seal.Cancelled }

// RevisionOf is the revision that decided the envelope of that number, where numbers are given out in order.
func (c *Campaign) RevisionOf(number uint64) *Revision {
	after := sort.Search(len(c.Revisions), func(i int) bool { return c.Revisions[i].Issued > number })
	return &c.Revisions[max(after, 1)-1]
}

// SegmentOf is the segment that cuts the envelope of that number.
func (c *Campaign) SegmentOf(number uint64) Segment {
	for _, revision := range slices.Backward(c.Revisions) {
		if s := revision.Segment; s != nil && s.First <= number && number < s.First+s.Count {
			return *s
		}
	}
	return Segment{}
}

// Segment is the segment that envelopes are given from now.
func (c *Campaign) Segment() Segment {
	for _, revision := range slices.Backward(c.Revisions) {
		if revision.Segment != nil {
			return *revision.Segment
		}
	}
	return Segment{}
}

// Expiry is when an envelope that was told to expire at told can no longer be opened: never earlier than told, and on
// cancelling at least open_for later.
func (c *Campaign) Expiry(told Time) Time {
	if c.Cancelled() {
		return max(told, c.Seal.At.Add(c.Rules().OpenFor))
	}
	return told
}

// Phase is where a campaign stands; it follows from engine time and the seal.
type Phase string

// The phases, in order.
const (
	PhaseScheduled Phase = "scheduled"
	PhaseCountdown Phase = "countdown" // the last 60 s before opens_at
	PhaseOpen      Phase = "open"      // also when sold out: a raised budget goes on
	PhaseClosed    Phase = "closed"
	PhaseSettled   Phase = "settled" // no envelope is held unopened
)

// phases lists them in order.
var phases = []Phase{PhaseScheduled, PhaseCountdown, PhaseOpen, PhaseClosed, PhaseSettled}

const countdown = Duration(60 * time.Second)

// Phase tells where the campaign stands at now, with held envelopes neither opened nor refunded.
func (c *Campaign) Phase(now Time, held uint64) Phase {
	rules := c.Rules()
	switch {
	case c.Seal != nil && held == 0:
		return PhaseSettled
	case c.Seal != nil || now >= rules.ClosesAt:
		return PhaseClosed
	case now >= rules.OpensAt:
		return PhaseOpen
	case now >= rules.OpensAt.Add(-countdown):
		return PhaseCountdown
	}
	return PhaseScheduled
}

// ParsePhase reads the name of a phase.
func ParsePhase(text string) (Phase, error) {
	return Phase(text), checkOneOf("phase", Phase(text), phases)
}

// CanonicalRules is the JSON that the commitment is taken over.
func CanonicalRules(r Rules) []byte {
	data, err := json.Marshal(r)
	if err != nil {
		panic("hongbao: rules that were validated can't be written: " + err.Error())
	}
	return data
}

// EnvelopeID names an envelope: campaign · 2^32 + number.
type EnvelopeID uint64

// NewEnvelopeID is the id of the envelope of that number in a campaign.
func NewEnvelopeID(campaign uint32, number uint64) EnvelopeID {
	return EnvelopeID(uint64(campaign)<<32 | number)
}

// Campaign is the id of the envelope's campaign.
func (id EnvelopeID) Campaign() uint32 { return uint32(id >> 32) }

// Number is the envelope's number in its campaign, from 0.
func (id EnvelopeID) Number() uint64 { return uint64(uint32(id)) }

// Tally counts envelopes and sums their amounts.
type Tally struct {
	Count    uint64 `json:"count"`
	TotalFen int64  `json:"total_fen"`
}

// Add counts one envelope more.
func (t *Tally) Add(amountFen int64) { t.Count++; t.TotalFen += amountFen }

// Progress is how far a campaign has come.
type Progress struct {
	Taken    Tally  `json:"taken"`
	Opened   Tally  `json:"opened"`
	Refunded Tally  `json:"refunded"`
	SignedUp uint64 `json:"signed_up"`
}

// Held is what is taken and neither opened nor refunded.
func (p Progress) Held() Tally {
	return Tally{
		Count:    p.Taken.Count - p.Opened.Count - p.Refunded.Count,
		TotalFen: p.Taken.TotalFen - p.Opened.TotalFen - p.Refunded.TotalFen,
	}
}

// Left is the share of a budget of count envelopes that is not yet taken, in hundredths. It is rounded up, so that it is 0 only
// when all is taken.
func (p Progress) Left(count uint64) uint64 {
	return ((count-min(p.Taken.Count, count))*100 + count - 1) / count
}
