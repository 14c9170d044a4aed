package cluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"hongbao"
)

// supply gets envelopes for a shard that has none. It returns Won when there are some now; SoldOut or Missed when that is
// the answer; or ErrBusy. A losing draw only needs to know whether the campaign is sold out.
func (e *Engine) supply(c *campaign, s *shard, drawWins bool, now hongbao.Time) (hongbao.Status, error) {
	if !drawWins {
		return together(e, lookKey{c.ID}, func(ctx context.Context) (hongbao.Status, error) { return e.soldOrMissed(ctx, c) })
	}
	c.life.waiting[s.index].Add(1)
	defer c.life.waiting[s.index].Add(-1)
	return together(e, leaseKey{c.ID, s.index}, func(ctx context.Context) (hongbao.Status, error) { return e.lease(ctx, c, s, now) })
}

// together does something for all who want it at the same time, whoever of them goes away.
func together[T any](e *Engine, key any, do func(ctx context.Context) (T, error)) (T, error) {
	return share(&e.flights, key, func() (T, error) {
		ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
		defer cancel()
		return do(ctx)
	})
}

type (
	lookKey   struct{ campaign uint32 }
	recallKey struct{ campaign uint32 }
	leaseKey  struct {
		campaign uint32
		shard    int
	}
	aheadKey leaseKey
)

// supplyAhead leases more for a shard before it runs dry.
func (e *Engine) supplyAhead(c *campaign, s *shard) {
	go func() {
		// What comes of it is seen by the next snatch.
		_, _ = together(e, aheadKey{c.ID, s.index}, func(ctx context.Context) (hongbao.Status, error) {
			return e.leaseOnce(ctx, c, s, e.time(0), true)
		})
	}()
}

// lease goes on until the shard has envelopes, or it is established that there are none to be had.
func (e *Engine) lease(ctx context.Context, c *campaign, s *shard, now hongbao.Time) (hongbao.Status, error) {
	for began := time.Now(); ; {
		status, err := e.leaseOnce(ctx, c, s, now, false)
		if err != nil || status != undecided {
			return status, err
		}
		if !again(ctx, began) {
			return 0, fmt.Errorf("%w: shard %d waits for envelopes of campaign %d", hongbao.ErrBusy, s.index, c.ID)
		}
		if known := e.catalog.find(c.ID); known != nil {
			c = known
		}
	}
}

// undecided says that something moved meanwhile, and that it must be tried again.
const undecided = hongbao.NotFound

// leaseOnce asks the bank for a lease and brings it to the shard. Ahead of need, nothing is recalled for it.
func (e *Engine) leaseOnce(ctx context.Context, c *campaign, s *shard, now hongbao.Time, ahead bool) (hongbao.Status, error) {
	asked := time.Now()
	b, err := e.bankAsKnown(ctx, c)
	if err != nil {
		return 0, err
	}
	if b.revision == c.Revision() && c.needsMark(b) {
		if err := e.raiseMark(ctx, c, b); err != nil && b.cursor >= b.mark {
			return 0, fmt.Errorf("%w: the bank of campaign %d has reached its mark: %w", hongbao.ErrBusy, c.ID, err)
		}
		if b, err = e.bank(ctx, c, 0); err != nil {
			return 0, err
		}
	}
	if b.revision != c.Revision() { // what is leased now has the amounts of another budget
		c.life.bank.Store(nil)
		return undecided, e.catalog.refresh(ctx)
	}
	want, count := e.leaseSize(c, s, b, now)
	amounts := c.amounts(b.cursor, count)
	home := e.home()
	reply, err := e.ask(ctx, home, scriptLease, 0,
		[]string{home.bank(c.texts.id), home.free(c.texts.id), home.leases(c.texts.id)},
		s.text, formatSeq(c.life.received[s.index].Load()), b.incarnation, strconv.FormatUint(want, 10), strconv.FormatUint(uint64(b.revision), 10),
		strconv.FormatUint(b.cursor, 10), strconv.FormatUint(count, 10), strconv.FormatInt(sum(amounts), 10))
	if err != nil {
		return 0, err
	}
	switch reply[0] {
	case "leased":
		c.life.bank.Store(b.after(reply[2], sum(amounts)))
		return e.receive(ctx, c, s, b.incarnation, reply[1], reply[2])
	case "dry":
		c.markSold(asked)
		return hongbao.SoldOut, nil
	case "over": // it is being sealed: the shard says closed soon
		pause(ctx, 5*time.Millisecond)
		return hongbao.Won, nil
	case "none":
		switch {
		case ahead, b.cursor < c.end() && c.Allowed(now) <= b.cursor:
			return hongbao.Missed, nil // not yet: the pace holds it back
		case b.cursor < c.end():
			return undecided, nil // the mark does: it was raised for a bank that had gone on meanwhile
		}
		return e.recall(c)
	}
	c.life.bank.Store(nil)
	if _, err := e.stock(ctx, c, s); err != nil { // held, moved, incarnation
		return 0, err
	}
	return undecided, nil
}

// bankAsKnown is the bank as it was after the last lease of this process, or as it is. Leasing checks it.
func (e *Engine) bankAsKnown(ctx context.Context, c *campaign) (*bank, error) {
	if known := c.life.bank.Swap(nil); known != nil && known.revision == c.Revision() {
		return known, nil
	}
	return e.bank(ctx, c, 0)
}

// after is the bank after a lease, as far as that tells.
func (b bank) after(what string, fen int64) *bank {
	l := parseLease(what)
	if l.count == 0 || l.first != b.cursor { // of what was given back, or an older one that was outstanding
		return nil
	}
	b.cursor, b.fen, b.free = l.first+l.count, b.fen+fen, 0
	return &b
}

// leaseSize is how many numbers a shard should have, and how many of them may come from the cursor. Leases shrink as the
// end nears, so that little has to be given back; those who wait for one are served together where that leaves the other
// shards theirs. The mark and the pace bound them. Where the order of admission is by lot, they are smaller: what lies in a
// shard goes to later lots while an earlier one waits in a dry shard.
func (e *Engine) leaseSize(c *campaign, s *shard, b *bank, now hongbao.Time) (want, count uint64) {
	end, shards := c.end(), uint64(len(e.shards))
	left := end - min(end, b.cursor) + b.free
	parts := uint64(4)
	if c.Rules().FairStart > 0 {
		parts = 64
	}
	want = max(min(left/(parts*shards), uint64(e.options.LeaseMax)), min(left/shards, uint64(c.life.waiting[s.index].Load())), 1)
	c.life.low.Store(int64(want / 4))
	// What is free was allowed before, so that the pace bounds the cursor, whoever takes what is free meanwhile.
	allowed := c.Allowed(now)
	count = min(want, end-min(end, b.cursor), b.mark-min(b.mark, b.cursor), allowed-min(allowed, b.cursor))
	return want, count
}

// receive brings a lease to its shard, with the amounts of the revision that it was made under or of a later one, which are
// the same.
func (e *Engine) receive(ctx context.Context, c *campaign, s *shard, incarnation, lease, what string) (hongbao.Status, error) {
	l := parseLease(what)
	if l.revision > c.Revision() {
		if err := e.catalog.refresh(ctx); err != nil {
			return 0, err
		}
		if c = e.catalog.find(c.ID); l.revision > c.Revision() {
			return 0, fmt.Errorf("%w: campaign %d has a lease of revision %d, and is at %d", hongbao.ErrBroken, c.ID, l.revision, c.Revision())
		}
	}
	args := append([]string{incarnation, lease, strconv.FormatUint(uint64(l.revision), 10)}, c.leased(&l)...)
	reply, err := e.ask(ctx, s, scriptReceive, 0, []string{s.campaign(c.texts.id), s.supply(c.texts.id)}, args...)
	if err != nil {
		return 0, err
	}
	if reply[0] != "ok" && reply[0] != "known" {
		return undecided, nil
	}
	c.life.receives(s, lease)
	return hongbao.Won, nil
}

// receives notes that a shard has a lease of that number.
func (l *life) receives(s *shard, lease string) {
	l.received[s.index].Store(parseUint(lease))
}

// leaseText is a lease as the bank tells it.
type leaseText struct {
	revision     uint32 // in force when it was made
	first, count uint64 // numbers from the cursor, or
	given        string // what was given back: envelope and amount by turns
}

func parseLease(what string) (l leaseText) {
	letter, rest, _ := strings.Cut(what, " ")
	f := fieldReader{rest: rest}
	l.revision = uint32(f.number())
	if letter == "r" {
		l.first, l.count = f.number(), f.number()
	} else {
		l.given = f.rest
	}
	return l
}

// leased are the entries of a lease.
func (c *campaign) leased(l *leaseText) []string {
	if l.count > 0 {
		return c.entries(l.first, l.count)
	}
	fields := strings.Fields(l.given)
	list := make([]string, 0, len(fields)/2)
	for i := 0; i+1 < len(fields); i += 2 {
		list = append(list, fields[i]+" "+fields[i+1])
	}
	return list
}

// stock is where a shard's supply of a campaign stands.
type stock struct {
	progress       hongbao.Progress
	received, gave string // numbers of the last lease and of the last return
	left           uint64 // envelopes
}

func (e *Engine) stock(ctx context.Context, c *campaign, s *shard) (*stock, error) {
	reply, err := e.ask(ctx, s, scriptCampaign, 0, []string{s.campaign(c.texts.id), s.supply(c.texts.id)})
	if err != nil {
		return nil, err
	}
	c.life.receives(s, reply[8])
	tally := func(i int) hongbao.Tally {
		return hongbao.Tally{Count: parseUint(reply[i]), TotalFen: int64(parseUint(reply[i+1]))}
	}
	return &stock{
		progress: hongbao.Progress{Taken: tally(1), Opened: tally(3), Refunded: tally(5), SignedUp: parseUint(reply[7])},
		received: reply[8], gave: reply[9], left: parseUint(reply[10]),
	}, nil
}

// recall lets every shard give back what it has left, once the bank has nothing more. Won means that something came back
// and can be leased.
func (e *Engine) recall(c *campaign) (hongbao.Status, error) {
	status, err := e.recallTogether(c)
	if err == nil && status == hongbao.Won {
		return undecided, nil
	}
	return status, err
}

func (e *Engine) recallTogether(c *campaign) (hongbao.Status, error) {
	return together(e, recallKey{c.ID}, func(ctx context.Context) (hongbao.Status, error) { return e.recallOnce(ctx, c) })
}

// recallOnce empties every shard and finishes what was left half done. When all were found empty, after the last lease
// that each was given, and the bank agrees, the campaign is sold out.
//
// Keeps G1: sold_out is told only when it is true.
func (e *Engine) recallOnce(ctx context.Context, c *campaign) (hongbao.Status, error) {
	asked := time.Now()
	b, err := e.bank(ctx, c, 0)
	if err != nil {
		return 0, err
	}
	if b.revision != c.Revision() {
		return undecided, e.catalog.refresh(ctx)
	}
	if b.stopping {
		return undecided, nil
	}
	var mu sync.Mutex
	came := false
	found := make([]string, 2*len(e.shards))
	err = e.everyShard(func(s *shard) error {
		got, received, gave, err := e.giveBack(ctx, c, s, b.incarnation)
		mu.Lock()
		defer mu.Unlock()
		came = came || got
		found[2*s.index], found[2*s.index+1] = received, gave
		return err
	})
	if came {
		return hongbao.Won, nil
	}
	if err != nil {
		return 0, err
	}
	if dry, err := e.establishDry(ctx, c, b, found); err != nil || !dry {
		return undecided, errors.Join(err, e.finishLeases(ctx, c, b.incarnation))
	}
	c.markSold(asked)
	return hongbao.SoldOut, nil
}

// establishDry asks the bank whether it has nothing more, all shards having been found empty after the leases and returns of
// those numbers.
func (e *Engine) establishDry(ctx context.Context, c *campaign, b *bank, found []string) (bool, error) {
	home := e.home()
	args := append([]string{b.incarnation, c.texts.revision, strconv.FormatUint(c.end(), 10)}, found...)
	reply, err := e.ask(ctx, home, scriptDry, 0, []string{home.bank(c.texts.id), home.free(c.texts.id)}, args...)
	return err == nil && reply[0] == "dry", err
}

// giveBack moves what a shard has left to the bank. For a shard that has nothing it returns the numbers of its last lease
// and return.
func (e *Engine) giveBack(ctx context.Context, c *campaign, s *shard, incarnation string) (got bool, received, gave string, err error) {
	id, home := c.texts.id, e.home()
	reply, err := e.ask(ctx, s, scriptGive, 0, []string{s.campaign(id), s.supply(id), s.returning(id)}, incarnation)
	if err != nil {
		return false, "", "", err
	}
	switch reply[0] {
	case "empty":
		return false, reply[1], reply[2], nil
	case "giving":
	default:
		return false, "", "", fmt.Errorf("%w: shard %d has another incarnation of campaign %d", hongbao.ErrBusy, s.index, c.ID)
	}
	args := append([]string{incarnation, s.text, reply[1]}, reply[2:]...)
	took, err := e.ask(ctx, home, scriptTake, 0, []string{home.bank(id), home.free(id)}, args...)
	if err != nil {
		return false, "", "", err
	}
	if took[0] != "ok" && took[0] != "known" {
		return false, "", "", fmt.Errorf("%w: the bank of campaign %d has another incarnation", hongbao.ErrBusy, c.ID)
	}
	_, err = e.ask(ctx, s, scriptGiven, 0, []string{s.campaign(id), s.returning(id)}, reply[1], incarnation)
	return true, "", "", err
}

// finishLeases brings leases that are outstanding to their shards: whoever asked for them may be gone.
func (e *Engine) finishLeases(ctx context.Context, c *campaign, incarnation string) error {
	home := e.home()
	reply, _, err := e.plain(ctx, home, "HGETALL", home.leases(c.texts.id))
	if err != nil {
		return err
	}
	for i := 0; i+1 < len(reply); i += 2 {
		index, err := strconv.Atoi(reply[i])
		if err != nil || index >= len(e.shards) {
			return fmt.Errorf("%w: a lease for a shard %q", hongbao.ErrBroken, reply[i])
		}
		lease, what, _ := strings.Cut(reply[i+1], " ")
		if _, err := e.receive(ctx, c, e.shards[index], incarnation, lease, what); err != nil {
			return err
		}
	}
	return nil
}
