package audit

import "hongbao"

// campaign is a campaign as its events have made it, and all that was won in it.
type campaign struct {
	*hongbao.Campaign
	segments []hongbao.Segment // oldest first, each one that can be cut
	seed     *hongbao.Seed     // nil while it is unknown, or does not fit the commitment

	next                    uint64 // number that comes next where none is left out
	envelopes               chunks[envelope]
	taken, opened, refunded hongbao.Tally

	// Until it is sealed, after which nothing is won:
	wins     map[uint32]uint32   // by player, of those who have won in another campaign since
	signedUp map[uint32]struct{} // players
	keys     hashSet
}

// envelope is one envelope of a campaign, by number.
type envelope struct {
	amountFen int64
	holder    uint32 // player
	revision  uint32 // that it was won under
	imprint   uint32 // hash of what else the books say of it
	state     hongbao.EnvelopeState
	won       bool
	inBooks   bool
}

func (a *auditor) created(e *hongbao.Event) {
	switch {
	case e.Rules == nil || e.Campaign == 0 || e.Campaign > hongbao.CampaignMax:
		a.fail(checkOrder, "it has no rules, or no id from 1 to %d", hongbao.CampaignMax)
		return
	case a.campaign(e.Campaign) != nil:
		a.fail(checkOrder, "it exists already")
		return
	case !a.alone && int(e.Campaign) != len(a.campaigns)+1:
		a.fail(checkOrder, "the campaign before it is %d", len(a.campaigns))
	}
	if a.names[e.Rules.Name] {
		a.fail(checkOrder, "there is a campaign named %s", e.Rules.Name)
	}
	a.names[e.Rules.Name] = true
	c := &campaign{wins: map[uint32]uint32{}, signedUp: map[uint32]struct{}{}}
	for len(a.campaigns) < int(e.Campaign) {
		a.campaigns = append(a.campaigns, nil)
	}
	a.campaigns[e.Campaign-1] = c
	a.become(c, e, 1)
	a.checkSegment(c, e, hongbao.Budget{}, hongbao.Tally{})
	a.findSeed(c)
}

// become applies an event of the campaign itself. Whatever revision it says it is, it is taken as the next.
func (a *auditor) become(c *campaign, e *hongbao.Event, revision uint32) {
	if e.Revision != revision {
		a.fail(checkOrder, "it says revision %d, and %d comes now", e.Revision, revision)
	}
	event := *e
	event.Revision = revision
	next, err := c.Campaign.After(&event)
	if err != nil {
		a.fail(checkOrder, "%s", err)
		return
	}
	c.Campaign = next
}

// findSeed takes the seed that is known before the seal, if it is the one committed to. Checks G8 where the secret
// decides it; a seed that a seal reveals is judged with the seal.
func (a *auditor) findSeed(c *campaign) {
	seed := a.seeds[c.ID]
	if a.options.Secret != nil {
		derived := a.options.Secret.Seed(c.ID, c.Nonce)
		seed = &derived
	}
	switch {
	case seed == nil:
	case seed.Commitment(c.firstRules()) == c.Commitment:
		c.seed = seed
	case a.options.Secret != nil:
		a.fail(checkG8, "its commitment %s is not that of the server's seed and these rules", c.Commitment)
	}
}

func (c *campaign) firstRules() []byte { return hongbao.CanonicalRules(c.Revisions[0].Rules) }

// checkSegment judges what an event says is to be cut: the budget less what is issued, when the budget is new. That is
// cut, whatever the event says. Checks G1.
func (a *auditor) checkSegment(c *campaign, e *hongbao.Event, was hongbao.Budget, issued hongbao.Tally) {
	budget := e.Rules.Budget
	if budget == was {
		if e.Segment != nil {
			a.fail(checkG1, "it cuts a budget anew that stays as it is")
		}
		return
	}
	rest := hongbao.Segment{
		Revision: c.Revision(), First: issued.Count, Count: budget.Count - issued.Count, TotalFen: budget.TotalFen - issued.TotalFen,
		MinFen: budget.MinFen, MaxFen: budget.MaxFen, Split: budget.Split,
	}
	if e.Segment == nil || *e.Segment != rest {
		a.fail(checkG1, "what it cuts is not its budget less what is issued")
	}
	if err := rest.Validate(); err != nil {
		a.fail(checkG1, "its budget can't be cut: %s", err)
		return
	}
	c.segments = append(c.segments, rest)
}

// segmentOf is the segment that cuts the envelope of that number, or nil: the last that begins at or before it.
func (c *campaign) segmentOf(number uint64) *hongbao.Segment {
	for i := len(c.segments) - 1; i >= 0; i-- {
		if s := &c.segments[i]; number >= s.First {
			if number-s.First < s.Count {
				return s
			}
			return nil
		}
	}
	return nil
}

func (a *auditor) revised(c *campaign, e *hongbao.Event) {
	was := *c.Rules()
	switch {
	case e.Rules == nil:
		a.fail(checkOrder, "it has no rules")
		return
	case c.Seal != nil:
		a.fail(checkOrder, "it was sealed at %s", c.Seal.At)
		return
	case e.At >= was.ClosesAt:
		a.fail(checkOrder, "it closed at %s", was.ClosesAt)
	case e.Rules.OpensAt != was.OpensAt && e.At >= was.OpensAt:
		a.fail(checkOrder, "it moves opens_at %s, which has passed", was.OpensAt)
	case fixed(e.Rules, &was) != was:
		a.fail(checkOrder, "it changes what no revision may change")
	}
	issued := a.issued(c, e)
	a.become(c, e, c.Revision()+1)
	a.checkSegment(c, e, was.Budget, issued)
}

// fixed is the rules with all that a revision may change as it was.
func fixed(rules, was *hongbao.Rules) hongbao.Rules {
	r := *rules
	r.OpensAt, r.ClosesAt, r.Chance, r.Pace = was.OpensAt, was.ClosesAt, was.Chance, was.Pace
	r.WinsMax, r.DailyWinsMax, r.Paused = was.WinsMax, was.DailyWinsMax, was.Paused
	split := r.Budget.Split
	r.Budget = was.Budget
	r.Budget.Split = split
	return r
}

// issued is what is issued when a revision takes effect: what was won, and where numbers are leased what the event says
// if that is no less. Checks G1.
func (a *auditor) issued(c *campaign, e *hongbao.Event) hongbao.Tally {
	ahead := e.Issued.Count >= c.taken.Count && e.Issued.TotalFen >= c.taken.TotalFen
	if e.Issued == c.taken || ahead && a.options.Leased {
		return e.Issued
	}
	a.fail(checkG1, "it counts %d envelopes of %d fen as issued, and %d of %d fen were won",
		e.Issued.Count, e.Issued.TotalFen, c.taken.Count, c.taken.TotalFen)
	return c.taken
}

// sealed ends the campaign and judges the seed that it reveals. Checks G8.
func (a *auditor) sealed(c *campaign, e *hongbao.Event) {
	switch closes := c.Rules().ClosesAt; {
	case c.Seal != nil:
		a.fail(checkOrder, "it was sealed at %s", c.Seal.At)
		return
	case !e.Cancelled && e.At < closes:
		a.fail(checkOrder, "it closes at %s, and nobody cancelled it", closes)
	}
	a.become(c, e, c.Revision())
	if e.Seed.Commitment(c.firstRules()) != c.Commitment {
		a.fail(checkG8, "its seed and first rules do not make the commitment %s", c.Commitment)
	}
	c.wins, c.signedUp, c.keys = nil, nil, hashSet{}
}

// revisionOf is the revision that decided the event: the one in force, or where numbers are leased one before it.
func (a *auditor) revisionOf(c *campaign, e *hongbao.Event) *hongbao.Revision {
	decided := c.Revision()
	switch {
	case e.Revision == decided:
	case a.options.Leased && e.Revision >= 1 && e.Revision < decided:
		decided = e.Revision
	default:
		a.fail(checkOrder, "it says that revision %d is in force, and %d is", e.Revision, decided)
	}
	return &c.Revisions[decided-1]
}
