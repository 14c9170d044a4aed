package embedded

import (
	"encoding/binary"
	"fmt"

	"hongbao"
)

// rebuild makes memory from the views: campaigns, who holds what, counters, sign-ups, the wins of today. It refuses
// views whose rows do not add up to what they count.
func (e *Engine) rebuild() error {
	list := make([]*campaign, len(e.feeder.campaigns))
	for id, view := range e.feeder.campaigns {
		if int(id) > len(list) {
			return fmt.Errorf("%w: there are %d campaigns, and one is number %d", errViews, len(list), id)
		}
		c, err := e.restore(view)
		if err != nil {
			return err
		}
		list[id-1] = c
	}
	e.registry.publish(list)
	if err := e.takeCensus(list); err != nil {
		return err
	}
	return e.scanSignUps()
}

// restore makes a campaign with all that its revisions and its progress tell; who holds what follows from the players.
func (e *Engine) restore(view *campaignView) (*campaign, error) {
	seed := e.secret.Seed(view.Campaign.ID, view.Campaign.Nonce)
	if seed.Commitment(hongbao.CanonicalRules(view.Campaign.Revisions[0].Rules)) != view.Campaign.Commitment {
		return nil, fmt.Errorf("%w: %s/%s is not the secret that campaign %d was made with: restore it from the backup",
			hongbao.ErrBroken, e.dir, secretName, view.Campaign.ID)
	}
	c := newCampaign(view.Campaign, seed)
	c.supply.next, c.issuedFen = view.Progress.Taken.Count, view.Progress.Taken.TotalFen
	c.issued.Store(view.Progress.Taken.Count)
	c.opened.set(view.Progress.Opened)
	c.refunded.set(view.Progress.Refunded)
	c.signedUp.Store(view.Progress.SignedUp)
	if view.settled() {
		c.settled.Store(true)
		return c, nil
	}
	c.supply.restore(view.Campaign)
	return c, nil
}

// restore cuts again what was issued.
func (s *supply) restore(c *hongbao.Campaign) {
	for i := range c.Revisions {
		segment := c.Revisions[i].Segment
		if segment == nil {
			continue
		}
		s.begin(*segment)
		end := segmentEnd(c, i, s.next)
		for j := 0; segment.First+uint64(j)*hongbao.TrancheSize < end; j++ {
			s.extend(j)
			if j+1 < segment.Tranches() {
				s.cutAhead(j + 1)
			}
		}
	}
}

// segmentEnd is the number behind the last that was issued of the segment of revision i.
func segmentEnd(c *hongbao.Campaign, i int, issued uint64) uint64 {
	end := min(issued, c.Revisions[i].Segment.First+c.Revisions[i].Segment.Count)
	for _, later := range c.Revisions[i+1:] {
		if later.Segment != nil {
			return min(end, later.Segment.First)
		}
	}
	return end
}

func (e *Engine) scanSignUps() error {
	from, to := family(signUpFamily)
	counts := map[uint32]uint64{}
	err := scan(e.views.db, from, to, func(key, _ []byte) (bool, error) {
		if len(key) != 13 {
			return false, errRow
		}
		campaign, uid := binary.BigEndian.Uint32(key[1:]), binary.BigEndian.Uint64(key[5:])
		if c := e.registry.find(campaign); c == nil || c.settled.Load() {
			return true, nil
		}
		s, right := e.players.of(uid), rightKey{uid, campaign}
		known := s.rights[right]
		known.signedUp = true
		s.rights[right] = known
		counts[campaign]++
		return true, nil
	})
	for _, c := range *e.registry.memory.Load() {
		if n := counts[c.supply.campaign]; err == nil && !c.settled.Load() && n != c.signedUp.Load() {
			err = fmt.Errorf("%w: %d sign-ups for campaign %d are there, but %d are counted", errViews, n, c.supply.campaign, c.signedUp.Load())
		}
	}
	return err
}
