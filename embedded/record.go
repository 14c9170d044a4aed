package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"hongbao"
)

// isOwn reports whether the name is that of system events that the engine records for itself.
func isOwn(name string) bool { return name == zoneEvent || name == checkpointEvent }

// latest is what was recorded last under each name of which the views may lack it: they have all the others. It has what
// joined the journal in the order in which it did, durable or not. Its lock is taken before the journal's.
type latest struct {
	mu     sync.Mutex
	joined map[string]joined
}

// joined is a system event in its binary form, and the block that it became part of.
type joined struct {
	block uint64
	form  []byte
}

// latestKept is how many names are kept before those that the views have are forgotten.
const latestKept = 512

// note keeps an event as the latest of its name; the lock is held.
func (l *latest) note(event *hongbao.Event, block, applied uint64) {
	if l.joined == nil {
		l.joined = map[string]joined{}
	}
	if len(l.joined) >= latestKept {
		maps.DeleteFunc(l.joined, func(_ string, j joined) bool { return j.block <= applied })
	}
	l.joined[event.Name] = joined{block, hongbao.AppendEvent(nil, event)}
}

// Record journals a system event: of another name than the engine's own, and small enough for a group. That it is stale is told
// only once what came between is durable; and then Recorded shows that.
func (e *Engine) Record(_ context.Context, event hongbao.Event, after *hongbao.Event) (hongbao.Position, error) {
	if err := e.checkRecord(&event); err != nil {
		return "", err
	}
	event.Kind = hongbao.SystemRecorded
	at, stale, err := e.joinRecord(&event, after)
	if err != nil {
		return "", err
	}
	if err := e.durable(at.block); err != nil {
		if stale {
			err = fmt.Errorf("%w: nothing was recorded: %v", hongbao.ErrBusy, err)
		}
		return "", err
	}
	e.told(at.block)
	if stale {
		return "", fmt.Errorf("%w: another event named %s was recorded", hongbao.ErrStale, event.Name)
	}
	return hongbao.Position(at.String()), nil
}

func (e *Engine) checkRecord(event *hongbao.Event) error {
	if err := hongbao.CheckEventName(event.Name); err != nil {
		return err
	}
	if isOwn(event.Name) {
		return hongbao.Invalid("name", event.Name, "another one: it is the engine's own")
	}
	if size, most := len(event.Name)+len(event.Actor)+len(event.Data), e.recordMax(); size > most {
		return hongbao.Invalid("data", size, "with name and actor at most "+strconv.Itoa(most)+" bytes long")
	}
	return nil
}

// joinRecord joins a system event unless the latest of its name is another than the one that it is to follow; then the block is
// that of the latest, or 0. Comparing with what has joined, and not with what is durable, is safe: nobody can bring an event
// that is not, and if it never becomes so nothing behind it does.
func (e *Engine) joinRecord(event, after *hongbao.Event) (at position, stale bool, err error) {
	e.latest.mu.Lock()
	defer e.latest.mu.Unlock()
	if after != nil {
		want, err := hongbao.LatestForm(event.Name, after)
		if err != nil {
			return at, false, err
		}
		last, err := e.latestOf(event.Name)
		if err != nil || !bytes.Equal(last.form, want) {
			return position{block: last.block}, true, err
		}
	}
	if at, err = e.joinAlone(event); err == nil {
		e.latest.note(event, at.block, e.applied.Load())
	}
	return at, false, err
}

// latestOf is the latest event of a name, with its block where the views may lack it; the lock of latest is held.
func (e *Engine) latestOf(name string) (last joined, err error) {
	last, found := e.latest.joined[name]
	if !found {
		last.form, err = e.views.recordedForm(name)
	}
	return last, err
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
	form, err := v.recordedForm(name)
	if err != nil {
		return e, err
	}
	if form == nil {
		return e, fmt.Errorf("%w: no event named %s was recorded", hongbao.ErrNotFound, name)
	}
	if err := hongbao.DecodeEvent(form, &e); err != nil {
		return e, errors.Join(errRow, err)
	}
	return e, nil
}

// recordedForm reads the binary form of the latest system event of a name; nil where there is none.
func (v *views) recordedForm(name string) ([]byte, error) {
	row, closer, err := v.db.Get(recordedKey(nil, name))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: read recorded event: %w", hongbao.ErrBroken, err)
	}
	defer closer.Close()
	return bytes.Clone(row), nil
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
