package embedded

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"hongbao"
)

// rebuild makes memory from the views: campaigns, who holds what, counters, sign-ups, the wins of today. It refuses views whose rows do
// not add up to what they count.
func (e *Engine) rebuild() error {
	list := make([]*campaign, len(e.feeder.campaigns))
	for id, view := range e.feeder.campaigns {
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
		return fmt.Errorf("%w: the views hold %d taken, %d opened, %d refunded envelopes of campaign %d and count %d, %d, %d: remove the views folder to have them made anew",
			hongbao.ErrBroken, taken, opened, refunded, c.supply.campaign, c.issued.Load(), c.opened.count.Load(), c.refunded.count.Load())
	}
	return nil
}

func (e *Engine) scanRange(from, to []byte, list []*campaign, sums []rowSums) error {
	today := e.calendar.Day(e.Now())
	return scan(e.views.db, from, to, func(key, row []byte) (bool, error) {
		uid, id := binary.BigEndian.Uint64(key[1:]), hongbao.EnvelopeID(binary.BigEndian.Uint64(key[9:]))
		if id == 0 {
			return true, nil
		}
		if id.Campaign() > uint32(len(list)) || len(row) < 2 {
			return false, errRow
		}
		r := playerRow{uid: uid, id: id, row: row, campaign: list[id.Campaign()-1], sums: &sums[id.Campaign()-1]}
		if len(key) > 17 {
			return true, r.restoreClosed()
		}
		return true, e.restoreWon(r, today)
	})
}

// playerRow is one row of a player at the start.
type playerRow struct {
	uid      uint64
	id       hongbao.EnvelopeID
	row      []byte
	campaign *campaign
	sums     *rowSums
}

// restoreWon puts an envelope into memory, and its win into the counters that limits rest on. Wins of today count
// whatever has become of their campaign.
func (e *Engine) restoreWon(r playerRow, today int32) error {
	settled := r.campaign.settled.Load()
	at, n := binary.Uvarint(r.row)
	isToday := e.calendar.Day(hongbao.Time(at)) == today
	if n <= 0 || settled && !isToday {
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
	if tranche == nil {
		return errRow
	}
	r.sums.taken.Add(1)
	tranche.holder(r.id.Number()).Store(uint64(newHolder(r.uid, hongbao.StateHeld)))
	key := rightKey{r.uid, r.id.Campaign()}
	right := s.rights[key]
	right.wins++
	s.rights[key] = right
	return nil
}

// restoreClosed puts the end of an envelope into memory, behind its win.
func (r playerRow) restoreClosed() error {
	if r.campaign.settled.Load() {
		return nil
	}
	tranche := r.campaign.supply.of(r.id.Number())
	if tranche == nil {
		return errRow
	}
	state := hongbao.EnvelopeState(r.row[0])
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
	return scan(e.views.db, from, to, func(key, _ []byte) (bool, error) {
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
		return true, nil
	})
}
