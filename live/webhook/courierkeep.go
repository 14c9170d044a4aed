package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// How a courier keeps how far it has come, in the journal, and how it stops.

// snapshot is the cursor as it is to be journaled.
func (c *courier) snapshot() []byte {
	now := c.cursor
	now.Front = c.front
	holding := false
	for _, l := range c.lanes {
		if holding = holding || l.holds; !l.holds {
			now.Lanes = append(now.Lanes, l.cursor())
		}
	}
	if holding {
		now.Front = c.heldFrom // the next one finds the holders there
	}
	data, err := json.Marshal(now)
	if err != nil {
		panic("webhook: a cursor can't be written: " + err.Error())
	}
	return data
}

// write begins to journal the cursor. One that may or may not have been written is written first: only then is known what
// the next one follows.
func (c *courier) write(ctx context.Context) {
	data := c.inDoubt
	if data == nil {
		data = c.snapshot()
		c.dirty, c.urgent, c.passed = false, false, 0
	}
	c.inDoubt, c.writing = data, true
	c.writeAgain = time.Now().Add(recordEvery(len(data)))
	go func() { c.written <- c.log.write(ctx, data) }()
}

func (c *courier) wrote(err error) {
	c.writing = false
	switch {
	case err == nil:
		c.inDoubt = nil
		return
	case errors.Is(err, errSuperseded):
	default:
		c.sender.logger.Warn("a webhook's position can't be journaled; it is tried again", "webhook", c.endpoint.Name, "error", err)
	}
	c.dirty = true
	c.writeAgain = time.Now().Add(pauseAfterError)
}

// stop lets requests under way end for a moment, cuts the others off, and journals how far it came.
func (c *courier) stop(cut context.CancelFunc) error {
	grace := time.AfterFunc(stopTime, cut)
	defer grace.Stop()
	for c.underWay > 0 {
		select {
		case o := <-c.outcomes:
			if o.why != nil && o.why.status == 0 {
				o.lane.busy, c.underWay = false, c.underWay-1 // cut off, most likely: no failure of the receiver's
				continue
			}
			c.settle(o)
		case r := <-c.found:
			c.take(r)
		case err := <-c.written:
			c.wrote(err)
		}
	}
	if err := c.abandon(cut); err != nil {
		return err
	}
	return c.writeLast()
}

// abandon waits until nothing is under way any more.
func (c *courier) abandon(cut context.CancelFunc) error {
	cut()
	for c.underWay > 0 {
		<-c.outcomes
		c.underWay--
	}
	if c.reading {
		<-c.found
	}
	if c.writing {
		c.writing = false
		return <-c.written
	}
	return nil
}

func (c *courier) writeLast() error {
	if !c.dirty && c.inDoubt == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastWriteTime)
	defer cancel()
	if c.inDoubt != nil {
		if err := c.log.write(ctx, c.inDoubt); err != nil {
			return err
		}
	}
	return c.log.write(ctx, c.snapshot())
}
