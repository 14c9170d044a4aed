package webhook

import (
	"context"
	"errors"
	"time"

	"hongbao"
)

// Bounds of the requests to one endpoint that are under way: of campaigns that fail, so that requests that hang leave room
// for those that don't, and of all.
const (
	requestsMax = 8
	retriesMax  = 4
)

const (
	pauseAfterError = time.Second // of reading, and of writing the cursor
	stopTime        = time.Second // how long requests under way get to end at a stop
	lastWriteTime   = 2 * time.Second
	passedMax       = 100_000 // entries that were passed over until the cursor is written for them alone
)

// courier delivers to one endpoint. Its run is one goroutine that owns all of it; reading the journal, requests and writing
// the cursor are done beside it, and come back over channels.
type courier struct {
	sender   *Sender
	endpoint Endpoint
	place    place
	log      log
	meter    *meter
	news     chan struct{} // the journal has grown

	cursor  cursor // but for front and lanes, which are below
	front   hongbao.Position
	frontAt int // number of the last reading of the front that came to the journal's end
	lanes   map[uint32]*lane

	heldFrom hongbao.Position // where the front began to wait for lanes, while it does

	frontDue    bool // the front may have more to read
	readings    int  // begun so far
	reading     bool // one is under way
	frontTurn   bool // of front and lanes it is the front's turn to read
	readAgain   time.Time
	readTrouble string // why reading fails, as it was logged

	requests int // begun so far
	underWay int
	retries  int // of them, of campaigns that fail

	dirty, urgent bool // the cursor has changed; and is to be written at once
	passed        int  // entries that were passed over since it was written
	writing       bool
	writeAgain    time.Time
	inDoubt       []byte // what was being written when that failed

	outcomes chan outcome
	found    chan reading
	written  chan error
}

// outcome is what became of a request.
type outcome struct {
	lane *lane
	why  *failure
	at   time.Time
}

// run delivers until ctx ends, or another process turns out to deliver.
func (c *courier) run(ctx context.Context) error {
	saved, last, found, err := c.sender.readCursor(ctx, c.place)
	if err != nil {
		return err
	}
	c.restore(cursorOf(c.place, saved, found), last)
	work, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	for {
		now := time.Now()
		c.begin(work, now)
		alarm := time.NewTimer(time.Until(c.wake(now)))
		select {
		case <-ctx.Done():
			return c.stop(cut)
		case <-c.news:
			c.hear()
		case o := <-c.outcomes:
			c.settle(o)
		case r := <-c.found:
			c.take(r)
		case err := <-c.written:
			if c.wrote(err); errors.Is(err, errSuperseded) {
				return errors.Join(err, c.abandon(cut))
			}
		case <-alarm.C:
		}
		alarm.Stop()
		c.meter.gauge(c)
	}
}

func (c *courier) restore(from cursor, last hongbao.Event) {
	c.cursor, c.front, c.log.last = from, from.Front, last
	c.lanes = map[uint32]*lane{}
	for _, saved := range from.Lanes {
		c.lanes[saved.Campaign] = laneOf(saved)
	}
	c.cursor.Lanes = nil
	c.frontDue = true
	// A courier that begins is to be seen, and its beginning to be kept: the next one goes on from here.
	c.dirty, c.urgent = true, len(last.Data) == 0
}

// hear takes note that the journal has grown.
func (c *courier) hear() {
	c.frontDue = true
	for _, l := range c.lanes {
		l.idle = false
	}
}

// begin begins whatever may begin.
func (c *courier) begin(ctx context.Context, now time.Time) {
	if c.cursor.Gone == nil {
		for c.underWay < requestsMax && c.request(ctx, now) {
		}
		if !c.reading && !now.Before(c.readAgain) {
			c.read(ctx, now)
		}
	}
	if due := c.urgent || c.dirty && !now.Before(c.writeAgain); due && !c.writing && (c.inDoubt == nil || !now.Before(c.writeAgain)) {
		c.write(ctx)
	}
}

// request begins the request that is next, if there is one.
func (c *courier) request(ctx context.Context, now time.Time) bool {
	l := c.next(now)
	if l == nil {
		return false
	}
	first := l.queue[0]
	go func() {
		_, why := c.sender.post.send(ctx, &c.endpoint, &first)
		c.outcomes <- outcome{l, why, time.Now()}
	}()
	return true
}

// next is the lane that has waited longest for a request, or nil; its request is counted as under way.
func (c *courier) next(now time.Time) *lane {
	var next *lane
	for _, l := range c.lanes {
		ready := len(l.queue) > 0 && !l.busy && l.fails.due(now) && (!l.fails.failing() || c.retries < retriesMax)
		if ready && (next == nil || l.started < next.started) {
			next = l
		}
	}
	if next == nil {
		return nil
	}
	c.requests++
	c.underWay++
	if next.fails.failing() {
		c.retries++
	}
	next.busy, next.started = true, c.requests
	return next
}

// settle takes note of what became of a request.
func (c *courier) settle(o outcome) {
	l := o.lane
	l.busy = false
	c.underWay--
	if l.fails.failing() {
		c.retries--
	}
	c.dirty = true
	if o.why == nil {
		c.meter.accepted.Add(1)
		c.cursor.Accepted = hongbao.TimeOf(o.at)
		l.accept()
		c.drop(l)
		return
	}
	c.meter.failed.Add(1)
	c.cursor.Fault = &fault{hongbao.TimeOf(o.at), l.campaign, o.why.reason}
	if o.why.gone() {
		c.cursor.Gone, c.urgent = c.cursor.Fault, true
		c.sender.logger.Warn("a webhook is disabled: its receiver says that it is gone", "webhook", c.endpoint.Name)
		return
	}
	c.fail(l, o)
}

func (c *courier) fail(l *lane, o outcome) {
	first := !l.fails.failing()
	l.fails.fail(o.why, o.at)
	logger := c.sender.logger.With("webhook", c.endpoint.Name, "campaign", l.campaign, "error", o.why.reason)
	keep := 1
	if l.holds {
		l.fails.parked = time.Time{} // it can't be: there is no room
	}
	switch {
	case l.fails.isParked():
		logger.Error("a webhook's campaign is parked: it has failed for three days. Replay it when its receiver is well")
		keep, c.urgent = 0, true
		l.oldest = l.queue[0].at
	case first:
		logger.Warn("a webhook fails; it is tried again")
	}
	if !l.holds && (!l.behind || len(l.queue) > keep) {
		l.fallBehind(keep, c.readings)
	}
}

// drop ends a lane that has nothing more.
func (c *courier) drop(l *lane) {
	l.forget(c.frontAt)
	if l.done() {
		delete(c.lanes, l.campaign)
		c.release()
	}
}

// wake is when something is due that nothing else wakes for, of what was not due yet when everything that may begin was begun:
// what has become due since must not be waited for until something else happens.
func (c *courier) wake(now time.Time) time.Time {
	next := now.Add(backoffMax)
	consider := func(at time.Time) {
		if at.After(now) && at.Before(next) {
			next = at
		}
	}
	consider(c.readAgain)
	if c.dirty || c.urgent {
		consider(c.writeAgain)
	}
	for _, l := range c.lanes {
		if l.fails.failing() && !l.fails.isParked() && !l.busy {
			consider(l.fails.next)
		}
	}
	return next
}
