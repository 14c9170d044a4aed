package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"hongbao"
)

// cursor is how far an endpoint has come, as it is journaled.
type cursor struct {
	Name       string           `json:"name"`
	Generation uint64           `json:"generation"` // its place's; another one makes it void
	Kick       uint64           `json:"kick,omitempty"`
	Front      hongbao.Position `json:"front"`           // everything up to here was accepted, but for the lanes
	Lanes      []laneCursor     `json:"lanes,omitempty"` // campaigns that are not that far
	Gone       *fault           `json:"gone,omitempty"`  // it answered 410
	Accepted   hongbao.Time     `json:"accepted,omitzero"`
	Fault      *fault           `json:"fault,omitempty"` // the last failure
}

// laneCursor is how far a campaign has come that the front has passed.
type laneCursor struct {
	Campaign uint32           `json:"campaign_id"`
	Position hongbao.Position `json:"position"`         // everything of the campaign up to here was accepted
	Oldest   hongbao.Time     `json:"oldest,omitzero"`  // when what is next happened, where that is known
	Since    hongbao.Time     `json:"since,omitzero"`   // its first failure after the last success
	Tries    int              `json:"tries,omitempty"`  // failures since
	Next     hongbao.Time     `json:"next,omitzero"`    // when it is tried again
	Reason   string           `json:"reason,omitempty"` // of the last failure
	Parked   hongbao.Time     `json:"parked,omitzero"`
}

// fault is a delivery that failed.
type fault struct {
	At       hongbao.Time `json:"at"`
	Campaign uint32       `json:"campaign_id,omitempty"`
	Reason   string       `json:"reason"`
}

func slotName(slot int) string { return fmt.Sprintf("webhook.%d", slot) }

// readCursor reads what is journaled in a place's slot; found is false where it is nothing of the place's generation. raw
// is the event, for whoever is to follow it.
func (s *Sender) readCursor(ctx context.Context, p place) (c cursor, raw hongbao.Event, found bool, err error) {
	raw, err = s.engine.Recorded(ctx, slotName(p.Slot))
	if errors.Is(err, hongbao.ErrNotFound) {
		return cursor{}, hongbao.Event{}, false, nil
	}
	if err != nil {
		return cursor{}, hongbao.Event{}, false, err
	}
	if err := json.Unmarshal(raw.Data, &c); err != nil {
		return cursor{}, raw, false, fmt.Errorf("%w: the cursor %s in the journal: %w", hongbao.ErrBroken, slotName(p.Slot), err)
	}
	return c, raw, c.Name == p.Name && c.Generation == p.Generation, nil
}

// cursorOf is the cursor that an endpoint goes on from.
func cursorOf(p place, c cursor, found bool) cursor {
	if !found {
		return cursor{Name: p.Name, Generation: p.Generation, Kick: p.Kick, Front: p.Begin}
	}
	if c.Kick < p.Kick {
		c.kick(p.Kick)
	}
	return c
}

// kick makes everything that failed due again.
func (c *cursor) kick(at uint64) {
	c.Kick, c.Gone = at, nil
	for i := range c.Lanes {
		l := &c.Lanes[i]
		l.Since, l.Tries, l.Next, l.Parked = 0, 0, 0, 0
	}
}

// log journals a cursor. Of two processes that both believe to be the one that delivers, the second to write stops: keeper
// knows what it wrote last, and nobody else writes this name.
type log struct {
	sender *Sender
	name   string
	last   hongbao.Event // the zero Event: none
}

// errSuperseded means that another process delivers for the endpoint.
var errSuperseded = errors.New("another process has written the position")

// write journals the cursor, or says that another process did. After any other error the same is to be written again.
func (l *log) write(ctx context.Context, data []byte) error {
	current, err := l.sender.engine.Recorded(ctx, l.name)
	if err != nil && !errors.Is(err, hongbao.ErrNotFound) {
		return err
	}
	if bytes.Equal(current.Data, data) { // an attempt that was thought to have failed
		l.last = current
		return nil
	}
	if !bytes.Equal(current.Data, l.last.Data) {
		return errSuperseded
	}
	event := hongbao.Event{At: l.sender.service.Now(), Actor: actor, Name: l.name, Data: data}
	_, err = l.sender.engine.Record(ctx, event, &current)
	if errors.Is(err, hongbao.ErrStale) {
		return errSuperseded
	}
	if err == nil {
		l.last = event
	}
	return err
}

// actor is who journals cursors.
const actor = "server"

// recordEvery is how long to wait after a cursor of that many bytes was journaled: a second, and more for a long one, so
// that a kilobyte a second is journaled at most.
func recordEvery(size int) time.Duration {
	return max(time.Second, time.Duration(size)*time.Second/1024)
}
