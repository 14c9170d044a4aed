package gate

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"hongbao"
)

// draw finds the number of a player in a campaign's lot, uniform over all of uint64. It must depend on nothing but the
// two, so that every node draws the same: Keeps G8.
type draw func(c *hongbao.Campaign, uid uint64) uint64

// lots keeps the fair starts of all campaigns. With fair start D and opens_at O, whoever arrives in [O, O+D) is
// admitted u·D after O+D, where u in [0, 1) is the player's draw; whoever arrives in [O+D, O+2D) is admitted at O+2D in
// order of arrival, and so is everybody behind them for as long as some of these wait. It says nothing long before O: the
// engine refuses then.
//
// A place costs no goroutine beyond the caller's own. One goroutine for each campaign that has people waiting admits
// them one by one.
type lots struct {
	now        func() hongbao.Time
	draw       draw
	waitersMax int

	// open is replaced and never changed, so that a snatch long after the start looks into it without a lock.
	open atomic.Pointer[map[lotKey]*lot]

	mu      sync.Mutex // guards what follows, what is in the lots, and replacing open
	waiters int
	stopped bool
	runners sync.WaitGroup
}

// lotKey tells the lots apart. A campaign whose opens_at was moved has another lot.
type lotKey struct {
	campaign uint32
	opensAt  hongbao.Time
}

// newLots makes the lots of a process, in which at most waitersMax players wait at a time. now is engine time.
func newLots(now func() hongbao.Time, draw draw, waitersMax int) *lots {
	l := &lots{now: now, draw: draw, waitersMax: waitersMax}
	l.open.Store(&map[lotKey]*lot{})
	return l
}

// wait holds a snatch up until the campaign's fair start admits it, and tells from when on: the engine's clock may be
// behind that, for it can be set back while one waits (in a cluster by milliseconds whenever it is compared with Redis'), and a
// win must not be dated before its lot. It is 0 for whoever did not wait. Its errors mean that nothing happened:
// [hongbao.ErrTooFast] when this player waits already, [hongbao.ErrBusy] when too many wait, ctx has ended or the server
// stops. A player whose ctx ended may come again, and has the same draw.
func (l *lots) wait(ctx context.Context, c *hongbao.Campaign, fairStart time.Duration, uid uint64) (from hongbao.Time, err error) {
	if fairStart == 0 {
		return 0, nil
	}
	key := lotKey{c.ID, c.Rules().OpensAt}
	since := time.Duration(l.now()-key.opensAt) * time.Millisecond
	if since < -earlyMax || since >= 2*fairStart && l.lot(key) == nil {
		return 0, nil
	}
	p := l.place(c, fairStart, since, uid)
	o, err := l.join(key, p, since < 2*fairStart)
	if o != nil {
		err = l.await(ctx, o, p)
	}
	if o == nil || err != nil {
		return 0, err
	}
	return key.opensAt.Add(hongbao.Duration(p.after.Truncate(time.Millisecond))), nil
}

// earlyMax is how early whoever comes is in the lot already: as long as may pass from here until the engine decides (the risk
// hook 5 s, the queue half a second). Nobody comes here so early unless a node of a cluster could not tell whether the campaign
// is open; the engine may know by then that it is, and would let them overtake everybody.
const earlyMax = 6 * time.Second

// waiting is how many wait at present.
func (l *lots) waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiters
}

// stop turns everybody away who waits, or comes later and would have to.
func (l *lots) stop() {
	l.mu.Lock()
	l.stopped = true
	for _, o := range *l.open.Load() {
		for len(o.queue) > 0 {
			close(l.remove(o, 0).turn)
		}
		o.nudge()
	}
	l.mu.Unlock()
	l.runners.Wait()
}

// place is where a snatch that arrives since after opens_at stands.
//
// Engine time is cut to milliseconds, so since is up to one short and due up to one late; reading the other clock
// second errs to the same side. Nobody is admitted before the engine's clock has reached the moment drawn.
func (l *lots) place(c *hongbao.Campaign, fairStart, since time.Duration, uid uint64) *place {
	clock := time.Now()
	p := &place{uid: uid, late: true, after: 2 * fairStart, turn: make(chan struct{})}
	if since < fairStart {
		p.number = l.draw(c, uid)
		p.after, p.late = fairStart+hongbao.LotDelay(p.number, hongbao.Duration(fairStart)), false
	}
	p.due = clock.Add(max(0, p.after-since))
	return p
}

// errWaits is what a second request of a player in the lot is told.
var errWaits = fmt.Errorf("%w: another request of yours waits for the lottery of the fair start", hongbao.ErrTooFast)

// join queues p in the campaign's lot. Where there is none and it must not begin one, nobody waits whom p could
// overtake: then there is neither a lot nor an error.
func (l *lots) join(key lotKey, p *place, begin bool) (*lot, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.lot(key)
	switch {
	case o == nil && !begin:
		return nil, nil
	case o != nil && o.players[p.uid]:
		return nil, errWaits
	case l.stopped || l.waiters >= l.waitersMax:
		return nil, hongbao.ErrBusy
	case o == nil:
		o = l.begin(key)
	}
	l.waiters++
	o.add(p)
	return o, nil
}

// await blocks until it is p's turn.
func (l *lots) await(ctx context.Context, o *lot, p *place) error {
	select {
	case <-p.turn:
	case <-ctx.Done():
		l.leave(o, p)
	}
	p.gone.Store(true)
	o.nudge()
	if !p.admitted {
		return hongbao.ErrBusy
	}
	return nil
}

// leave gives up p's place, unless it was p's turn just now.
func (l *lots) leave(o *lot, p *place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.index >= 0 {
		l.remove(o, p.index)
	}
}

// lot is that of the campaign, or nil while nobody waits there.
func (l *lots) lot(key lotKey) *lot { return (*l.open.Load())[key] }

// begin opens a campaign's lot; it lives as long as its runner.
func (l *lots) begin(key lotKey) *lot {
	o := &lot{players: make(map[uint64]bool), wake: make(chan struct{}, 1)}
	open := maps.Clone(*l.open.Load())
	open[key] = o
	l.open.Store(&open)
	l.runners.Go(func() { l.run(key, o) })
	return o
}

// end drops a lot in which nobody waits.
func (l *lots) end(key lotKey) {
	open := maps.Clone(*l.open.Load())
	delete(open, key)
	l.open.Store(&open)
}

func (l *lots) remove(o *lot, index int) *place {
	p := heap.Remove(&o.queue, index).(*place)
	delete(o.players, p.uid)
	l.waiters--
	return p
}

// run admits the players of a lot until nobody waits.
func (l *lots) run(key lotKey, o *lot) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		pause, more := l.admit(key, o)
		if !more {
			return
		}
		if pause > 0 {
			timer.Reset(pause)
			o.rest(timer)
		}
	}
}

// To close a channel only makes a goroutine runnable, and the scheduler runs those in an order of its own: where 10,000
// were due within 50 ms on two processors, one pair in fifty came to the engine the wrong way round. So the next is let
// in once the last one runs. That leaves a twentieth to a thousandth of it, and costs no throughput on a machine that
// keeps up; on one that doesn't, each of them waits its turn for a processor. BenchmarkLot has the figures.
const (
	// handover is how long the next waits for the last one to run on: no stalled goroutine holds up a lot.
	handover = time.Millisecond
	// behindMax is how late the next may be and still wait for the last one: a lot that is further behind must get going,
	// for all who come later queue behind it. They are still let in in order, but the scheduler may mix them.
	behindMax = 500 * time.Millisecond
)

// admit lets in the first of the queue, or tells how long to pause before that; more is false when the lot has ended.
func (l *lots) admit(key lotKey, o *lot) (pause time.Duration, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	pause = o.handingOver()
	if len(o.queue) == 0 {
		if pause == 0 {
			l.end(key)
		}
		return pause, pause > 0
	}
	behind := time.Since(o.queue[0].due)
	if behind < 0 {
		return -behind, true
	}
	if pause > 0 && behind < behindMax {
		return pause, true
	}
	o.last, o.lastUntil = l.remove(o, 0), time.Now().Add(handover)
	o.last.admitted = true
	close(o.last.turn)
	return 0, true
}

// lot is the people of one campaign who wait.
type lot struct {
	queue     places
	players   map[uint64]bool
	arrivals  uint64 // of the late
	last      *place // let in last; it may not run yet
	lastUntil time.Time
	wake      chan struct{} // holds one: there is news for the runner
}

func (o *lot) add(p *place) {
	if p.late {
		p.number = o.arrivals
		o.arrivals++
	}
	o.players[p.uid] = true
	heap.Push(&o.queue, p)
	if p.index == 0 {
		o.nudge()
	}
}

// handingOver is how long to wait yet for the last who was let in to run on.
func (o *lot) handingOver() time.Duration {
	if o.last == nil || o.last.gone.Load() {
		return 0
	}
	return max(0, time.Until(o.lastUntil))
}

// rest blocks the runner until the timer fires or there is news.
func (o *lot) rest(timer *time.Timer) {
	select {
	case <-timer.C:
	case <-o.wake:
	}
}

// nudge tells the runner to look again.
func (o *lot) nudge() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// place is one player's in a lot.
type place struct {
	uid      uint64
	late     bool          // for the draw
	after    time.Duration // from opens_at to being admitted
	number   uint64        // the draw; of the late, the order of arrival
	due      time.Time
	index    int // in the queue; -1 outside
	turn     chan struct{}
	admitted bool        // set before turn is closed
	gone     atomic.Bool // it runs on
}

// places is a heap of places in the order in which they are admitted.
type places []*place

func (q places) Len() int { return len(q) }

func (q places) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].after, q[j].after), cmp.Compare(q[i].number, q[j].number), cmp.Compare(q[i].uid, q[j].uid)) < 0
}

func (q places) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push is for [heap.Push].
func (q *places) Push(p any) {
	p.(*place).index = len(*q)
	*q = append(*q, p.(*place))
}

// Pop is for [heap.Remove].
func (q *places) Pop() any {
	end := len(*q) - 1
	p := (*q)[end]
	p.index = -1
	*q = slices.Delete(*q, end, end+1)
	return p
}
