package embedded

import (
	"errors"
	"fmt"

	"hongbao"
	"hongbao/embedded/journal"
)

// time is engine time: the later of the caller's clock and the last time committed.
func (e *Engine) time(now hongbao.Time) hongbao.Time { return max(now, hongbao.Time(e.last.Load())) }

// begin locks the open group. On an error nothing is locked and nothing happened. A broken engine takes nothing more.
func (e *Engine) begin() (*journal.Group, error) {
	if why := e.broken.Load(); why != nil {
		return nil, fmt.Errorf("%w: %v", hongbao.ErrBusy, *why)
	}
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

// must waits for an event that memory follows only once it is durable. Where that can't be known the engine is broken:
// it would go on deciding by rules that the journal may not have, or not by those that it has.
func (e *Engine) must(block uint64) error {
	err := e.durable(block)
	if err != nil {
		e.breakDown(fmt.Errorf("%w: whether a campaign was changed is not known: %v", hongbao.ErrBroken, err))
	}
	return err
}

func (e *Engine) record(event *hongbao.Event) (position, error) {
	at, err := e.joinAlone(event)
	if err != nil {
		return at, err
	}
	return at, e.durable(at.block)
}

// joinAlone joins an event that nothing has to be decided for under the journal's lock.
func (e *Engine) joinAlone(event *hongbao.Event) (at position, err error) {
	g, err := e.begin()
	if err != nil {
		return at, err
	}
	defer e.journal.Unlock()
	return position{block: g.Block, index: e.join(g, event)}, nil
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
