package embedded

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/cockroachdb/pebble/v2"

	"hongbao"
)

// isOwn reports whether the name is that of system events that the engine records for itself.
func isOwn(name string) bool { return name == zoneEvent || name == checkpointEvent }

// Record journals a system event: of another name than the engine's own, and small enough for a group.
func (e *Engine) Record(_ context.Context, event hongbao.Event) (hongbao.Position, error) {
	if err := hongbao.CheckEventName(event.Name); err != nil {
		return "", err
	}
	if isOwn(event.Name) {
		return "", hongbao.Invalid("name", event.Name, "another one: it is the engine's own")
	}
	if size, most := len(event.Name)+len(event.Actor)+len(event.Data), e.recordMax(); size > most {
		return "", hongbao.Invalid("data", size, "with name and actor at most "+strconv.Itoa(most)+" bytes long")
	}
	event.Kind = hongbao.SystemRecorded
	at, err := e.record(&event)
	if err != nil {
		return "", err
	}
	e.told(at.block)
	return hongbao.Position(at.String()), nil
}

// recordMax is how many bytes of texts a system event may have: what may join a group, less the fields around them.
func (e *Engine) recordMax() int { return e.journal.JoinMax() - 64 }

// told notes that a caller is about to be told of a system event in a block.
func (e *Engine) told(block uint64) {
	for last := e.recorded.Load(); last < block && !e.recorded.CompareAndSwap(last, block); last = e.recorded.Load() {
	}
}

// Recorded is the event of that name that was recorded last. It waits until the views have what callers were told of: it is
// asked seldom, and the feeder hurries where somebody waits.
func (e *Engine) Recorded(_ context.Context, name string) (hongbao.Event, error) {
	if err := e.feeder.wait(e.recorded.Load()); err != nil {
		return hongbao.Event{}, err
	}
	return e.views.recorded(name)
}

// recorded reads the latest system event of a name.
func (v *views) recorded(name string) (e hongbao.Event, err error) {
	row, closer, err := v.db.Get(recordedKey(nil, name))
	if errors.Is(err, pebble.ErrNotFound) {
		return e, fmt.Errorf("%w: no event named %s was recorded", hongbao.ErrNotFound, name)
	}
	if err != nil {
		return e, fmt.Errorf("%w: read recorded event: %w", hongbao.ErrBroken, err)
	}
	defer closer.Close()
	if err := hongbao.DecodeEvent(row, &e); err != nil {
		return e, errors.Join(errRow, err)
	}
	return e, nil
}

// writeRecorded keeps a system event as the latest of its name.
func (f *feeder) writeRecorded(batch *pebble.Batch, e *hongbao.Event) {
	if isOwn(e.Name) {
		return
	}
	key := recordedKey(f.scratch[:0], e.Name)
	row := hongbao.AppendEvent(key, e)
	set(batch, key, row[len(key):])
	f.scratch = row
}
