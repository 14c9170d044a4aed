package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"hongbao"
)

// censusParts is how many ranges of players are read at once.
const censusParts = 4

// takeCensus reads all envelopes into memory, several ranges of players at once, and compares what there is with what
// the campaigns count.
func (e *Engine) takeCensus(list []*campaign) error {
	ranges, err := e.playerRanges()
	if err != nil {
		return err
	}
	parts := make([]census, len(ranges))
	errs := make([]error, len(ranges))
	var reading sync.WaitGroup
	for i, r := range ranges {
		parts[i] = census{players: e.players, calendar: e.calendar, today: e.calendar.Day(e.Now()), list: list, found: make([]rowCount, len(list))}
		reading.Go(func() { errs[i] = parts[i].read(e.views.db, r[0], r[1]) })
	}
	reading.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return checkCounts(list, parts)
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
	step := binary.BigEndian.Uint64(rows.Key()[1:])/censusParts + 1
	for i := range uint64(censusParts) {
		low, high := playerKey(nil, i*step, 0), playerKey(nil, (i+1)*step, 0)
		ranges = append(ranges, [2][]byte{low, high})
	}
	return ranges, nil
}

// rowCount is how many rows of a campaign that is not settled there are.
type rowCount struct{ taken, opened, refunded uint64 }

func checkCounts(list []*campaign, parts []census) error {
	for i, c := range list {
		var found rowCount
		for _, part := range parts {
			found.taken += part.found[i].taken
			found.opened += part.found[i].opened
			found.refunded += part.found[i].refunded
		}
		counted := rowCount{c.issued.Load(), c.opened.count.Load(), c.refunded.count.Load()}
		if !c.settled.Load() && found != counted {
			return fmt.Errorf("%w: %d taken, %d opened, %d refunded envelopes of campaign %d are there, but %d, %d, %d are counted",
				errViews, found.taken, found.opened, found.refunded, c.supply.campaign, counted.taken, counted.opened, counted.refunded)
		}
	}
	return nil
}

// census reads a range of players at the start: who holds what, and the counters that limits rest on. Rows come player by
// player and campaign by campaign, so that each counter is written once: maps of millions of players are slow.
type census struct {
	players  *players
	calendar *hongbao.Calendar
	today    int32
	list     []*campaign
	found    []rowCount // by place in list

	uid        uint64 // whose rows are being read
	balanceFen uint64
	openedFen  uint64
	dayWins    [2]uint32 // of today, whatever has become of their campaigns
	place      int       // in list, of the campaign whose rows are being read
	wins       uint32    // in it
	amountFen  uint64    // of the envelope read last
}

func (n *census) read(db pebble.Reader, from, to []byte) error {
	if err := scan(db, from, to, n.row); err != nil {
		return err
	}
	return n.turn(hongbao.UIDMax + 1)
}

func (n *census) row(key, row []byte) (more bool, err error) {
	if len(key) < 17 || len(row) == 0 {
		return false, errRow
	}
	uid, id := binary.BigEndian.Uint64(key[1:]), hongbao.EnvelopeID(binary.BigEndian.Uint64(key[9:]))
	if err := n.turn(uid); err != nil {
		return false, err
	}
	if id == 0 {
		_, err := uvarints(row, &n.balanceFen)
		return true, err
	}
	place := int(id.Campaign()) - 1
	if place < 0 || place >= len(n.list) {
		return false, errRow
	}
	n.enter(place)
	if len(key) > 17 {
		return true, n.closed(id.Number(), hongbao.EnvelopeState(row[0]))
	}
	return true, n.won(id, row)
}

// turn goes on to a player, if it is another one, and is done with the last. Keeps G6: a balance is what was opened.
func (n *census) turn(uid uint64) error {
	if uid == n.uid {
		return nil
	}
	if n.balanceFen != n.openedFen {
		return fmt.Errorf("%w: player %d has a balance of %d fen, but opened %d", errViews, n.uid, n.balanceFen, n.openedFen)
	}
	n.enter(-1)
	if n.dayWins != [2]uint32{} {
		s := n.players.of(n.uid)
		s.mu.Lock()
		s.players[n.uid] = player{day: n.today, dayWins: n.dayWins}
		s.mu.Unlock()
	}
	n.uid, n.balanceFen, n.openedFen, n.dayWins = uid, 0, 0, [2]uint32{}
	return nil
}

// enter goes on to a campaign, if it is another one, and is done with the player's wins in the last.
func (n *census) enter(place int) {
	if place == n.place {
		return
	}
	if n.wins > 0 {
		s := n.players.of(n.uid)
		s.mu.Lock()
		s.rights[rightKey{n.uid, n.list[n.place].supply.campaign}] = right{wins: n.wins}
		s.mu.Unlock()
	}
	n.place, n.wins = place, 0
}

// won puts an envelope into memory, and counts its win.
func (n *census) won(id hongbao.EnvelopeID, row []byte) error {
	var at uint64
	if _, err := uvarints(row, &at, &n.amountFen); err != nil {
		return err
	}
	c := n.list[n.place]
	if n.calendar.Day(hongbao.Time(at)) == n.today {
		n.dayWins[kindIndex(c.now.Load().Rules().Kind)]++
	}
	if c.settled.Load() {
		return nil
	}
	tranche := c.supply.of(id.Number())
	if tranche == nil || tranche.amount(id.Number()) != int64(n.amountFen) {
		return fmt.Errorf("%w: envelope %d of %d fen is not one that its campaign cut", errViews, id, n.amountFen)
	}
	if !tranche.holder(id.Number()).CompareAndSwap(0, uint64(newHolder(n.uid, hongbao.StateHeld))) {
		return fmt.Errorf("%w: envelope %d has two holders", errViews, id)
	}
	n.wins++
	n.found[n.place].taken++
	return nil
}

// closed puts the end of an envelope into memory, behind its win.
func (n *census) closed(number uint64, state hongbao.EnvelopeState) error {
	switch state {
	case hongbao.StateOpened:
		n.openedFen += n.amountFen
		n.found[n.place].opened++
	case hongbao.StateRefunded:
		n.found[n.place].refunded++
	default:
		return errRow
	}
	c := n.list[n.place]
	if c.settled.Load() {
		return nil
	}
	tranche := c.supply.of(number)
	if tranche == nil {
		return errRow
	}
	tranche.holder(number).Store(uint64(newHolder(n.uid, state)))
	return nil
}
