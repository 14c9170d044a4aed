package embedded

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

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
	if err := e.scanPlayers(list); err != nil {
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

// scanParts is how many ranges of players are read at once.
const scanParts = 4

// scanPlayers reads all envelopes, several ranges of players at once, and compares their sums with what the campaigns
// count.
func (e *Engine) scanPlayers(list []*campaign) error {
	bounds, err := e.playerRanges()
	if err != nil {
		return err
	}
	sums := make([]rowSums, len(list))
	errs := make([]error, len(bounds))
	var parts sync.WaitGroup
	for i, bound := range bounds {
		parts.Go(func() { errs[i] = e.scanRange(bound[0], bound[1], list, sums) })
	}
	parts.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	for i, c := range list {
		if err := sums[i].check(c); err != nil {
			return err
		}
	}
	return nil
}

// playerRanges splits the players that there are into ranges of keys, as evenly as their uids are.
func (e *Engine) playerRanges() (ranges [][2][]byte, err error) {
	from, to := family(playerFamily)
	rows, err := e.views.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	if !rows.Last() {
		return nil, rows.Error()
	}
	step := binary.BigEndian.Uint64(rows.Key()[1:])/scanParts + 1
	for i := range uint64(scanParts) {
		low, high := playerKey(nil, i*step, 0), playerKey(nil, (i+1)*step, 0)
		ranges = append(ranges, [2][]byte{low, high})
	}
	return ranges, nil
}

// rowSums are what the rows of a campaign add up to.
type rowSums struct{ taken, opened, refunded atomic.Uint64 }

func (s *rowSums) check(c *campaign) error {
	if c.settled.Load() {
		return nil
	}
	taken, opened, refunded := s.taken.Load(), s.opened.Load(), s.refunded.Load()
	if taken != c.issued.Load() || opened != c.opened.count.Load() || refunded != c.refunded.count.Load() {
		return fmt.Errorf("%w: %d taken, %d opened, %d refunded envelopes of campaign %d are there, but %d, %d, %d are counted",
			errViews, taken, opened, refunded, c.supply.campaign, c.issued.Load(), c.opened.count.Load(), c.refunded.count.Load())
	}
	return nil
}

// playerSum holds a player's balance against the envelopes behind it. Keeps G6.
type playerSum struct {
	uid        uint64
	balanceFen uint64
	openedFen  uint64
	amountFen  uint64 // of the envelope read last
}

// turn goes on to a player, if it is another one, and checks the last.
func (s *playerSum) turn(uid uint64) error {
	if uid == s.uid {
		return nil
	}
	if s.balanceFen != s.openedFen {
		return fmt.Errorf("%w: player %d has a balance of %d fen, but opened %d", errViews, s.uid, s.balanceFen, s.openedFen)
	}
	*s = playerSum{uid: uid}
	return nil
}

func (e *Engine) scanRange(from, to []byte, list []*campaign, sums []rowSums) error {
	today := e.calendar.Day(e.Now())
	var sum playerSum
	err := scan(e.views.db, from, to, func(key, row []byte) (bool, error) {
		if len(key) < 17 || len(row) == 0 {
			return false, errRow
		}
		uid, id := binary.BigEndian.Uint64(key[1:]), hongbao.EnvelopeID(binary.BigEndian.Uint64(key[9:]))
		if err := sum.turn(uid); err != nil {
			return false, err
		}
		if id == 0 {
			_, err := uvarints(row, &sum.balanceFen)
			return true, err
		}
		place := int(id.Campaign()) - 1
		if place < 0 || place >= len(list) {
			return false, errRow
		}
		r := playerRow{uid: uid, id: id, row: row, campaign: list[place], sums: &sums[place], sum: &sum}
		if len(key) > 17 {
			return true, r.restoreClosed()
		}
		return true, e.restoreWon(r, today)
	})
	if err != nil {
		return err
	}
	return sum.turn(hongbao.UIDMax + 1)
}

// playerRow is one row of a player at the start.
type playerRow struct {
	uid      uint64
	id       hongbao.EnvelopeID
	row      []byte
	campaign *campaign
	sums     *rowSums
	sum      *playerSum
}

// restoreWon puts an envelope into memory, and its win into the counters that limits rest on. Wins of today count
// whatever has become of their campaign.
func (e *Engine) restoreWon(r playerRow, today int32) error {
	var at uint64
	if _, err := uvarints(r.row, &at, &r.sum.amountFen); err != nil {
		return err
	}
	settled, isToday := r.campaign.settled.Load(), e.calendar.Day(hongbao.Time(at)) == today
	if settled && !isToday {
		return nil
	}
	s := e.players.of(r.uid)
	s.mu.Lock()
	defer s.mu.Unlock()
	if isToday {
		known := s.players[r.uid]
		known.countWin(today, r.campaign.now.Load().Rules().Kind)
		s.players[r.uid] = known
	}
	if settled {
		return nil
	}
	tranche := r.campaign.supply.of(r.id.Number())
	if tranche == nil || tranche.amount(r.id.Number()) != int64(r.sum.amountFen) {
		return fmt.Errorf("%w: envelope %d of %d fen is not one that its campaign cut", errViews, r.id, r.sum.amountFen)
	}
	if !tranche.holder(r.id.Number()).CompareAndSwap(0, uint64(newHolder(r.uid, hongbao.StateHeld))) {
		return fmt.Errorf("%w: envelope %d has two holders", errViews, r.id)
	}
	r.sums.taken.Add(1)
	key := rightKey{r.uid, r.id.Campaign()}
	right := s.rights[key]
	right.wins++
	s.rights[key] = right
	return nil
}

// restoreClosed puts the end of an envelope into memory, behind its win.
func (r playerRow) restoreClosed() error {
	state := hongbao.EnvelopeState(r.row[0])
	if state == hongbao.StateOpened {
		r.sum.openedFen += r.sum.amountFen
	}
	if r.campaign.settled.Load() {
		return nil
	}
	tranche := r.campaign.supply.of(r.id.Number())
	if tranche == nil {
		return errRow
	}
	if state == hongbao.StateOpened {
		r.sums.opened.Add(1)
	} else {
		r.sums.refunded.Add(1)
	}
	tranche.holder(r.id.Number()).Store(uint64(newHolder(r.uid, state)))
	return nil
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
