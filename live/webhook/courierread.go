package webhook

import (
	"context"
	"errors"
	"time"

	"hongbao"
)

// What a courier reads: the front, which is for all campaigns that keep up, and for each that has fallen behind its own lane.

// read begins the reading that is due, if one is.
func (c *courier) read(ctx context.Context, now time.Time) {
	if a, due := c.nextReading(now); due {
		c.reading = true
		go func() { c.found <- c.sender.read(ctx, &c.endpoint, a) }()
	}
}

// nextReading is what is to be read next: the front and the lanes in turn.
func (c *courier) nextReading(now time.Time) (a ask, due bool) {
	front := c.frontDue && c.holders() == 0
	l := c.hungry(now)
	switch {
	case front && (c.frontTurn || l == nil):
		c.frontTurn, c.frontDue = false, false
		a = ask{after: c.front, passed: map[uint32]bool{}, limit: frontItems}
		for id, l := range c.lanes {
			if l.behind {
				a.passed[id] = true
			}
		}
	case l != nil:
		c.frontTurn = true
		a = ask{after: l.read, campaign: l.campaign, limit: laneItems - len(l.queue)}
	default:
		return ask{}, false
	}
	c.readings++
	a.number = c.readings
	return a, true
}

// hungry is a lane that has to read, or nil.
func (c *courier) hungry(now time.Time) *lane {
	var hungriest *lane
	for _, l := range c.lanes {
		wants := l.behind && len(l.queue) <= laneItems/2 && (!l.idle || c.frontAt > l.since)
		if l.fails.failing() || l.fails.isParked() {
			wants = wants && len(l.queue) == 0 && l.fails.due(now)
		}
		if wants && (hungriest == nil || l.since < hungriest.since) {
			hungriest = l
		}
	}
	return hungriest
}

// take takes in what a reading found. What it found before an error counts.
func (c *courier) take(r reading) {
	c.reading = false
	c.noteTrouble(r.err)
	if r.campaign != 0 {
		c.takeLane(r)
	} else {
		c.takeFront(r)
	}
	for _, l := range c.lanes {
		c.drop(l)
	}
}

func (c *courier) noteTrouble(err error) {
	trouble := ""
	if err != nil {
		c.readAgain = time.Now().Add(pauseAfterError)
		trouble = err.Error()
	}
	switch {
	case trouble == c.readTrouble || errors.Is(err, errUnknownCampaign):
		return
	case err != nil:
		c.sender.logger.Error("the journal can't be read for a webhook; it is tried again", "webhook", c.endpoint.Name, "error", err)
	default:
		c.sender.logger.Info("the journal can be read for a webhook again", "webhook", c.endpoint.Name)
	}
	c.readTrouble = trouble
}

func (c *courier) takeLane(r reading) {
	l := c.lanes[r.campaign]
	if l == nil || !l.behind || l.since >= r.number {
		return // it has changed meanwhile, and reads again
	}
	l.take(r, c.frontAt)
	if r.complete {
		c.frontDue = true // so that the lane can join it, or be done
	}
	c.pass(r)
}

// pass counts what was read. Where nothing of it was for the endpoint, the cursor is written once there is much of that: the
// cursor itself is an entry, too.
func (c *courier) pass(r reading) {
	if c.passed += r.entries; c.passed >= passedMax {
		c.dirty = true
	}
}

// takeFront gives each item to its lane. Where there is no room for one, the front stays in front of the item.
func (c *courier) takeFront(r reading) {
	before := c.front
	for _, i := range r.items {
		if !c.enqueue(i, before) {
			c.front, c.frontDue = before, true
			return
		}
		before = i.after
	}
	c.front = r.end
	if r.complete {
		c.frontAt = r.number
	} else {
		c.frontDue = true
	}
	c.pass(r)
}

// enqueue gives an item of the front to its lane, or reports that there is no room.
func (c *courier) enqueue(i item, before hongbao.Position) bool {
	l := c.lanes[i.campaign]
	switch {
	case l == nil:
		return c.open(i, before)
	case l.behind || l.seen[i.id]: // the lane reads it itself, or has
	case len(l.queue) < laneItems:
		l.queue = append(l.queue, i)
	case l.holds:
		return false
	default:
		l.fallBehind(len(l.queue), c.readings)
	}
	return true
}

// open begins a lane with an item.
func (c *courier) open(i item, before hongbao.Position) bool {
	l := &lane{campaign: i.campaign, accepted: before, queue: []item{i}}
	if holders := c.holders(); len(c.lanes)-holders >= lanesMax {
		switch holders {
		case 0:
			c.heldFrom = before
		case holdersMax:
			return false
		}
		l.holds = true
	}
	c.lanes[i.campaign] = l
	return true
}

// holders are the lanes that the front waits for.
func (c *courier) holders() (n int) {
	for _, l := range c.lanes {
		if l.holds {
			n++
		}
	}
	return n
}

// release makes room that has become free a holder's.
func (c *courier) release() {
	for _, l := range c.lanes {
		if l.holds && len(c.lanes)-c.holders() < lanesMax {
			if l.holds = false; l.fails.failing() {
				l.fallBehind(min(len(l.queue), 1), c.readings)
			}
		}
	}
}
