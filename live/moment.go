package live

import (
	"encoding/json"
	"time"

	"hongbao"
)

// The events that are journaled, each with an id.
const (
	Created   = "created"
	Revised   = "revised" // anything but paused
	Paused    = "paused"
	Resumed   = "resumed"
	Countdown = "countdown" // a minute before it opens
	Open      = "open"
	SoldOut   = "sold_out"
	Closed    = "closed"
	Cancelled = "cancelled"
)

// Events are their names.
func Events() []string {
	return []string{Created, Revised, Countdown, Open, SoldOut, Closed, Cancelled, Paused, Resumed}
}

// The frames that are not: what a connection is told first, and how open campaigns get on.
const (
	Campaign = "campaign"
	Progress = "progress"
)

// track is what has been told of a campaign.
type track struct {
	campaign uint32
	revision uint32 // the last that was told; 0: not even that there is one
	told     told
}

// told has a bit for each event that comes once under the rules in force. The bits are stored in journals.
type told uint8

const (
	toldCountdown told = 1 << iota
	toldOpen
	toldSoldOut
	toldRevised // of the next revision, which also pauses or resumes: only that is still to be told
)

// moment is an event that is due.
type moment struct {
	event    string
	campaign *hongbao.Campaign // as of the event
	after    track             // what has been told then
	over     bool              // nothing more will be told of the campaign
}

// situation is what events are decided from.
type situation struct {
	campaign *hongbao.Campaign
	soldOut  func() bool // nothing is left; asked only where it matters
	now      hongbao.Time
	steady   bool // the clock can be trusted
}

// countdownFor is how long before opens_at a countdown is told.
const countdownFor = hongbao.Duration(time.Minute)

// next is the first event that is due, if any; when it has been told, its track tells the one after it. Of a campaign
// changes are told in the order in which they were made, and the end comes last.
//
// A campaign is told to be closed when it is sealed, never because a clock has passed closes_at: another node's clock may be a
// little behind and accept a revision that extends it, and whoever was told closed must not see it open again. The seal
// cannot be taken back, and comes within a tenth of a second wherever the engine can write. Events of the clock wait like
// sealing does ([hongbao.Service.Tend]) while the clock cannot be trusted; what people have done is told meanwhile.
func (t track) next(s situation) (m moment, ok bool) {
	c := s.campaign
	if c.Revision() < t.revision {
		return m, false // this process has yet to hear what another one has told
	}
	if t.revision == 0 {
		return moment{event: Created, campaign: asOf(c, 1), after: track{campaign: c.ID, revision: 1}}, true
	}
	for t.revision < c.Revision() {
		event, after := t.revise(c)
		if event != "" {
			return moment{event: event, campaign: asOf(c, t.revision+1), after: after}, true
		}
		t = after // nothing that anybody could see
	}
	if c.Seal != nil {
		event := Closed
		if c.Cancelled() {
			event = Cancelled
		}
		return moment{event: event, campaign: c, after: t, over: true}, true
	}
	if !s.steady {
		return m, false
	}
	if event, bit := t.clock(s); event != "" {
		t.told |= bit
		return moment{event: event, campaign: c, after: t}, true
	}
	return m, false
}

// revise is what to tell first of the next revision, and what has been told then.
func (t track) revise(c *hongbao.Campaign) (event string, after track) {
	before, now := c.Revisions[t.revision-1].Rules, c.Revisions[t.revision].Rules
	toggled := before.Paused != now.Paused
	before.Paused = now.Paused
	after = t
	after.told &^= toldRevised
	if before != now && t.told&toldRevised == 0 {
		event = Revised
		after.renew(&before, &now)
		if toggled {
			after.told |= toldRevised
			return event, after
		}
	} else if toggled {
		event = Resumed
		if now.Paused {
			event = Paused
		}
	}
	after.revision++
	return event, after
}

// renew forgets what a revision makes worth telling again: the countdown to a later opening, and being sold out where there
// is another number of envelopes.
func (t *track) renew(before, now *hongbao.Rules) {
	if now.OpensAt > before.OpensAt {
		t.told &^= toldCountdown
	}
	if now.Budget.Count != before.Budget.Count {
		t.told &^= toldSoldOut
	}
}

// clock is the event that time, or the last envelope, has brought about.
func (t track) clock(s situation) (event string, bit told) {
	rules := s.campaign.Rules()
	open := rules.OpensAt <= s.now && s.now < rules.ClosesAt
	switch {
	case t.told&toldCountdown == 0 && rules.OpensAt.Add(-countdownFor) <= s.now && s.now < rules.OpensAt:
		return Countdown, toldCountdown
	case t.told&toldOpen == 0 && open:
		return Open, toldOpen
	case t.told&toldSoldOut == 0 && open && s.soldOut():
		return SoldOut, toldSoldOut
	}
	return "", 0
}

// asOf is the campaign as a revision left it. The latest is the campaign as it is, but for its end.
func asOf(c *hongbao.Campaign, revision uint32) *hongbao.Campaign {
	then := *c
	then.Revisions, then.Seal = c.Revisions[:revision], nil
	return &then
}

// notice is the data of an event.
type notice struct {
	Campaign   uint32        `json:"campaign_id,string"`
	ServerTime hongbao.Time  `json:"server_time"` // when it was decided
	Name       string        `json:"name"`
	Kind       hongbao.Kind  `json:"kind"`
	Phase      hongbao.Phase `json:"phase"`
	OpensAt    hongbao.Time  `json:"opens_at"`
	ClosesAt   hongbao.Time  `json:"closes_at"`
	Left       uint64        `json:"left"` // share not yet taken, in hundredths
	Revision   uint32        `json:"revision"`
	Paused     bool          `json:"paused,omitempty"`
	Cancelled  bool          `json:"cancelled,omitempty"`
}

func newNotice(c *hongbao.Campaign, progress hongbao.Progress, now hongbao.Time) notice {
	rules := c.Rules()
	return notice{
		Campaign: c.ID, ServerTime: now, Name: rules.Name, Kind: rules.Kind, Phase: c.Phase(now, progress.Held().Count),
		OpensAt: rules.OpensAt, ClosesAt: rules.ClosesAt, Left: progress.Left(rules.Budget.Count),
		Revision: c.Revision(), Paused: rules.Paused, Cancelled: c.Cancelled(),
	}
}

// encode writes JSON; values of the domain can always be written.
func encode(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic("live: a value of the domain can't be written: " + err.Error())
	}
	return data
}
