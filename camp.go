package hongbao

import "sync/atomic"

// campChoice remembers which campaign the camp API plays until a campaign changes or a window begins or ends.
type campChoice struct {
	name  string // configured; empty: the current rain
	known atomic.Pointer[campChosen]
}

type campChosen struct {
	campaigns []*Campaign // the list it was chosen from
	from      Time        // and the time: [from, until)
	until     Time
	id        uint32 // 0: none
}

// CampCampaign is the campaign that the camp API plays: the configured one, or else the rain whose window contains now
// (earliest opens_at, then lowest id), or else the last that ended; 0 when there is none.
func (s *Service) CampCampaign() uint32 {
	campaigns, now := s.engine.Campaigns(), s.clock.Now()
	chosen := s.camp.known.Load()
	if chosen == nil || !sameList(chosen.campaigns, campaigns) || now < chosen.from || now >= chosen.until {
		chosen = chooseCamp(campaigns, s.camp.name, now)
		s.camp.known.Store(chosen)
	}
	return chosen.id
}

// sameList compares identity: an engine makes a new list with each change.
func sameList(a, b []*Campaign) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

const forever = Time(1) << 62

func chooseCamp(campaigns []*Campaign, name string, now Time) *campChosen {
	chosen := &campChosen{campaigns: campaigns, from: now, until: forever}
	var current, last *Campaign
	for _, c := range campaigns {
		opens, ends := c.window()
		switch {
		case name != "":
			if c.Rules().Name == name {
				current = c
			}
			continue
		case c.Rules().Kind != Rain:
			continue
		case now < opens:
			chosen.until = min(chosen.until, opens)
		case now < ends:
			chosen.until = min(chosen.until, ends)
			if current == nil || opens < current.Rules().OpensAt {
				current = c
			}
		case last == nil || ends >= last.ended():
			last = c
		}
	}
	if current == nil {
		current = last
	}
	if current != nil {
		chosen.id = current.ID
	}
	return chosen
}

// window is when snatches can be won; sealing ends it.
func (c *Campaign) window() (opens, ends Time) {
	rules := c.Rules()
	if c.Seal != nil {
		return min(rules.OpensAt, c.Seal.At), min(rules.ClosesAt, c.Seal.At)
	}
	return rules.OpensAt, rules.ClosesAt
}

func (c *Campaign) ended() Time {
	_, ends := c.window()
	return ends
}
