package hongbao

import (
	"errors"
	"fmt"
	"strconv"
)

// Change is what an administrator, or the clock, does to a campaign. Exactly one of Create, Revise, Cancel and Close
// is set.
type Change struct {
	At         Time
	Actor      string
	Campaign   uint32 // not for Create
	IfRevision uint32 // refuse with ErrStale unless this revision is in force; 0: any

	Create *Rules // validated rules of a new campaign
	Revise *Patch
	Cancel bool // seal now; repeatable
	Close  bool // seal because closes_at has come; repeatable
}

// Patch is a revision: what is nil stays.
type Patch struct {
	Budget       *BudgetPatch `json:"budget,omitempty"`
	OpensAt      *Time        `json:"opens_at,omitempty"` // only until it has passed
	ClosesAt     *Time        `json:"closes_at,omitempty"`
	Chance       *Chance      `json:"chance,omitempty"`
	Pace         *Pace        `json:"pace,omitempty"`
	WinsMax      *int         `json:"wins_max,omitempty"`
	DailyWinsMax *int         `json:"daily_wins_max,omitempty"`
	Paused       *bool        `json:"paused,omitempty"`
}

// BudgetPatch revises a budget; what is nil stays.
type BudgetPatch struct {
	TotalFen *int64  `json:"total_fen,omitempty"`
	Count    *uint64 `json:"count,omitempty"`
	MinFen   *int64  `json:"min_fen,omitempty"`
	MaxFen   *int64  `json:"max_fen,omitempty"`
}

// ParsePatch reads a patch from JSON, strictly, as [ParseSpec] does.
func ParsePatch(data []byte) (Patch, error) {
	var p Patch
	err := DecodeStrict(data, &p)
	return p, err
}

// Created is the event of a new campaign with that id. The seed is the server's, made from the nonce.
func Created(id uint32, nonce Nonce, seed Seed, change Change) (Event, error) {
	if id > CampaignMax {
		return Event{}, fmt.Errorf("%w: there are %d campaigns, as many as ids", ErrInvalid, CampaignMax)
	}
	rules := *change.Create
	segment := rules.Budget.segment(1, 0)
	return Event{
		Kind: CampaignCreated, At: change.At, Campaign: id, Actor: change.Actor, Revision: 1,
		Nonce: nonce, Commitment: seed.Commitment(CanonicalRules(rules)),
		Rules: &rules, Segment: &segment,
	}, nil
}

// Change decides a change of the campaign, given what is issued so far. It is pure: an engine calls it in the critical
// section that also gives out numbers. A change that has no effect (cancelling what is cancelled, closing before
// closes_at) returns ok false.
func (c *Campaign) Change(change Change, seed Seed, issued Tally) (e Event, ok bool, err error) {
	switch {
	case c.Seal != nil && change.Revise == nil:
		return Event{}, false, c.sealAgain(change)
	case change.Close && change.At < c.Rules().ClosesAt:
		return Event{}, false, nil // it was extended after the caller looked
	case change.Cancel || change.Close:
		return c.sealEvent(change, seed), true, nil
	}
	if change.IfRevision != 0 && change.IfRevision != c.Revision() {
		return Event{}, false, fmt.Errorf("%w: revision %d is in force, not %d", ErrStale, c.Revision(), change.IfRevision)
	}
	// A clock past closes_at ends revising too: who was told closed must not see it open again.
	if c.Seal != nil || change.At >= c.Rules().ClosesAt {
		return Event{}, false, fmt.Errorf("%w: it closed at %s", ErrCampaignOver, c.overSince())
	}
	e, err = c.revise(change, issued)
	return e, err == nil, err
}

// sealAgain is the answer to sealing what is sealed: fine, unless a campaign that ran to its end is to be cancelled.
func (c *Campaign) sealAgain(change Change) error {
	if change.Cancel && !c.Seal.Cancelled {
		return fmt.Errorf("%w: it closed at %s", ErrCampaignOver, c.Seal.At)
	}
	return nil
}

func (c *Campaign) overSince() Time {
	if c.Seal != nil {
		return c.Seal.At
	}
	return c.Rules().ClosesAt
}

func (c *Campaign) sealEvent(change Change, seed Seed) Event {
	return Event{
		Kind: CampaignSealed, At: change.At, Campaign: c.ID, Actor: change.Actor, Revision: c.Revision(),
		Cancelled: change.Cancel, Seed: seed,
	}
}

func (c *Campaign) revise(change Change, issued Tally) (Event, error) {
	rules, patch := *c.Rules(), change.Revise
	if patch.OpensAt != nil && *patch.OpensAt != rules.OpensAt && change.At >= rules.OpensAt {
		return Event{}, Invalid("opens_at", *patch.OpensAt, "left as it is: the campaign opened at "+rules.OpensAt.String())
	}
	if patch.ClosesAt != nil && *patch.ClosesAt <= change.At {
		return Event{}, Invalid("closes_at", *patch.ClosesAt, "in the future (it is "+change.At.String()+"); cancel ends a campaign now")
	}
	setIf(&rules.OpensAt, patch.OpensAt)
	if err := checkAhead(rules.OpensAt, change.At); err != nil {
		return Event{}, err
	}
	setIf(&rules.ClosesAt, patch.ClosesAt)
	setIf(&rules.Chance, patch.Chance)
	setIf(&rules.Pace, patch.Pace)
	setIf(&rules.WinsMax, patch.WinsMax)
	setIf(&rules.DailyWinsMax, patch.DailyWinsMax)
	setIf(&rules.Paused, patch.Paused)
	e := Event{
		Kind: CampaignRevised, At: change.At, Campaign: c.ID, Actor: change.Actor, Revision: c.Revision() + 1,
		Rules: &rules, Issued: issued,
	}
	if err := e.reviseBudget(patch.Budget, issued); err != nil {
		return Event{}, err
	}
	return e, rules.validateTerms()
}

// reviseBudget makes the rest of the new budget a segment of its own, from the next number not yet issued.
// Keeps G1: what is issued counts as taken in the new budget.
func (e *Event) reviseBudget(patch *BudgetPatch, issued Tally) error {
	if patch == nil {
		return nil
	}
	budget := e.Rules.Budget
	setIf(&budget.TotalFen, patch.TotalFen)
	setIf(&budget.Count, patch.Count)
	setIf(&budget.MinFen, patch.MinFen)
	setIf(&budget.MaxFen, patch.MaxFen)
	if budget == e.Rules.Budget {
		return nil
	}
	e.Rules.Budget = budget
	if err := budget.checkIssued(issued); err != nil {
		return err
	}
	rest := budget
	rest.Count -= issued.Count
	rest.TotalFen -= issued.TotalFen
	segment := rest.segment(e.Revision, issued.Count)
	if err := segment.validateAs("budget."); err != nil {
		return fmt.Errorf("%w (of the budget, %d envelopes of %d fen are issued; this is about the rest)", err, issued.Count, issued.TotalFen)
	}
	e.Segment = &segment
	return nil
}

// checkIssued refuses a budget that what is issued has outgrown.
func (b Budget) checkIssued(issued Tally) error {
	if b.TotalFen < 1 || b.TotalFen > TotalFenMax {
		return Invalid("budget.total_fen", b.TotalFen, "from 1 to "+strconv.Itoa(TotalFenMax))
	}
	if b.Count < 1 || b.Count > CountMax {
		return Invalid("budget.count", b.Count, "from 1 to "+strconv.Itoa(CountMax))
	}
	rest := max(b.Count, issued.Count) - issued.Count
	least := issued.TotalFen + int64(rest)*max(b.MinFen, 0)
	if rest > 0 && b.MinFen > TotalFenMax/int64(rest) {
		return nil // the segment's own check says so
	}
	if b.Count < issued.Count || b.TotalFen < least {
		return &BelowIssuedError{LeastTotalFen: least, LeastCount: issued.Count}
	}
	return nil
}

// After is the campaign after one of its events; c is nil before [CampaignCreated].
func (c *Campaign) After(e *Event) (*Campaign, error) {
	switch e.Kind {
	case CampaignCreated:
		return &Campaign{ID: e.Campaign, Nonce: e.Nonce, Commitment: e.Commitment, Revisions: []Revision{e.revision()}}, nil
	case CampaignRevised:
		if e.Revision != c.Revision()+1 {
			return nil, fmt.Errorf("%w: revision %d of campaign %d follows %d", ErrBroken, e.Revision, c.ID, c.Revision())
		}
		next := *c
		next.Revisions = append(c.Revisions[:len(c.Revisions):len(c.Revisions)], e.revision())
		return &next, nil
	case CampaignSealed:
		if c.Seal != nil {
			return nil, fmt.Errorf("%w: campaign %d is sealed twice", ErrBroken, c.ID)
		}
		next := *c
		next.Seal = &Seal{At: e.At, Actor: e.Actor, Cancelled: e.Cancelled, Seed: e.Seed}
		return &next, nil
	}
	return nil, errors.New("hongbao: not a campaign's event: " + e.Kind.String())
}

func (e *Event) revision() Revision {
	return Revision{
		Number: e.Revision, At: e.At, Actor: e.Actor, Rules: *e.Rules,
		Issued: e.Issued.Count, IssuedFen: e.Issued.TotalFen, Segment: e.Segment,
	}
}
