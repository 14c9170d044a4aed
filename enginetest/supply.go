package enginetest

import (
	"errors"
	"fmt"

	"hongbao"
)

// supply is where a model's numbers come from, and what of a campaign is known there. The model's lock is held.
type supply interface {
	// number is that of the envelope that the player wins now.
	number(c *hongbao.Campaign, uid uint64) (uint64, error)
	// issued is what a revision finds issued.
	issued(c *hongbao.Campaign) (hongbao.Tally, error)
	// revision is the one that the player's requests are decided under; 0 or one to come is the one in force.
	revision(c *hongbao.Campaign, uid uint64) uint32
}

// inOrder gives out 0, 1, 2 …, each when it is won.
type inOrder struct{ *Model }

func (s inOrder) number(c *hongbao.Campaign, _ uint64) (uint64, error) {
	return s.progress[c.ID].Taken.Count, nil
}
func (s inOrder) issued(c *hongbao.Campaign) (hongbao.Tally, error) {
	return s.progress[c.ID].Taken, nil
}
func (inOrder) revision(c *hongbao.Campaign, _ uint64) uint32 { return c.Revision() }

// adopted is what an engine says that leases numbers to shards ahead of their being won. The model has no say in it, but
// it must be possible.
type adopted struct {
	*Model
	next      uint64        // number of the win
	ahead     hongbao.Tally // issued when the revision took effect
	segment   bool          // the revision cuts a segment
	decidedBy uint32        // revision, of which a shard may be behind; 0: the one in force
}

// number must be of a budget that the deciding revision knew, and not won yet. Keeps G2.
func (s adopted) number(c *hongbao.Campaign, _ uint64) (uint64, error) {
	now := s.campaign(c.ID)
	switch won := s.envelopes[hongbao.NewEnvelopeID(c.ID, s.next)]; {
	case won != nil:
		return 0, fmt.Errorf("number %d is won by %d already", s.next, won.uid)
	case s.next >= now.Rules().Budget.Count:
		return 0, fmt.Errorf("number %d is beyond the budget", s.next)
	case now.SegmentOf(s.next).Revision > c.Revision():
		return 0, fmt.Errorf("number %d is cut by revision %d, after the one it is won under", s.next, now.SegmentOf(s.next).Revision)
	}
	return s.next, nil
}

// issued must not be behind what is taken; and a segment begins where every number before it is issued. Keeps G1.
func (s adopted) issued(c *hongbao.Campaign) (hongbao.Tally, error) {
	switch taken := s.progress[c.ID].Taken; {
	case s.ahead.Count < taken.Count || s.ahead.TotalFen < taken.TotalFen:
		return s.ahead, fmt.Errorf("%+v is issued, behind %+v that is taken", s.ahead, taken)
	case s.ahead.Count > c.Rules().Budget.Count:
		return s.ahead, errors.New("more is issued than the budget had")
	case s.segment && s.ahead != s.below(c, s.ahead.Count):
		return s.ahead, fmt.Errorf("%+v is issued; that many numbers have %+v", s.ahead, s.below(c, s.ahead.Count))
	}
	return s.ahead, nil
}

func (s adopted) revision(*hongbao.Campaign, uint64) uint32 { return s.decidedBy }

// heard is the campaign as the player's requests are decided under it: perhaps without its last revisions, but never
// without its seal. It is nil when there is no such campaign.
func (m *Model) heard(id uint32, uid uint64) *hongbao.Campaign {
	c := m.campaign(id)
	if c == nil {
		return nil
	}
	revision := m.supply.revision(c, uid)
	if revision < 1 || revision >= c.Revision() {
		return c
	}
	earlier := *c
	earlier.Revisions = c.Revisions[:revision]
	return &earlier
}

// taken is how many envelopes are, for a decision under a campaign that was heard of. What was issued by the next
// revision is not in the way of one that was issued before it, like the one that is decided on.
func (m *Model) taken(c *hongbao.Campaign) uint64 {
	taken := m.progress[c.ID].Taken.Count
	if revisions := m.campaign(c.ID).Revisions; int(c.Revision()) < len(revisions) {
		return min(taken, max(revisions[c.Revision()].Issued, 1)-1)
	}
	return taken
}

// decideUnseen is what the facts of the campaign tell whoever asks, at the highest chance that there has been and
// whatever the pace; and, when it is unsold, whatever is left.
func (m *Model) decideUnseen(r hongbao.SnatchRequest, unsold bool) hongbao.Status {
	c := m.campaign(r.Campaign)
	facts, rules := m.facts(c, r, false), *c.Rules()
	for _, revision := range c.Revisions {
		rules.Chance = max(rules.Chance, revision.Rules.Chance)
	}
	facts.Rules, facts.Allowed = &rules, rules.Budget.Count
	facts.SignedUp, facts.Wins, facts.DayWins = true, 0, 0
	if unsold {
		facts.Issued = 0
	}
	return hongbao.Decide(facts)
}

// below is what the first numbers of a campaign come to.
func (m *Model) below(c *hongbao.Campaign, count uint64) (sum hongbao.Tally) {
	for number := range count {
		sum.Add(m.amount(c, number))
	}
	return sum
}
