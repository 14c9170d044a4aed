package embedded

import (
	"errors"
	"fmt"

	"hongbao"
	"hongbao/embedded/journal"
)

// time is engine time: the later of the caller's clock and the last time committed.
func (e *Engine) time(now hongbao.Time) hongbao.Time { return max(now, hongbao.Time(e.last.Load())) }

// begin locks the open group. On an error nothing is locked and nothing happened.
func (e *Engine) begin() (*journal.Group, error) {
	g, err := e.journal.Lock()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", hongbao.ErrBusy, err)
	}
	return g, nil
}

// join adds an event to the group that begin locked, at an engine time that never goes back in the journal.
func (e *Engine) join(g *journal.Group, event *hongbao.Event) (index int) {
	event.At = e.time(event.At)
	e.last.Store(int64(event.At))
	g.AtMS = int64(event.At)
	g.Begin()
	g.Events = hongbao.AppendEvent(g.Events, event)
	return g.End()
}

// commit journals one event and waits until it is durable.
func (e *Engine) commit(event *hongbao.Event) error {
	_, err := e.record(event)
	return err
}

func (e *Engine) record(event *hongbao.Event) (position, error) {
	g, err := e.begin()
	if err != nil {
		return position{}, err
	}
	at := position{block: g.Block}
	at.index = e.join(g, event)
	e.journal.Unlock()
	return at, e.durable(at.block)
}

// durable waits until a block is on disk. Keeps G4: every answer that rests on an event comes after this.
func (e *Engine) durable(block uint64) error {
	err := e.journal.Wait(block)
	if err == nil {
		return nil
	}
	if errors.Is(err, journal.ErrUnknown) {
		return fmt.Errorf("%w: %w", hongbao.ErrUnknown, err)
	}
	return fmt.Errorf("%w: %w", hongbao.ErrBroken, err)
}
