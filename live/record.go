package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"hongbao"
)

const (
	ringLength = 256 // how many events are kept, and can be replayed
	namePrefix = "live."
	actor      = "live"
	readersMax = 16 // of the ring at once, where each read asks a store
)

// nameOf is what the event of that id is recorded as. The engine keeps the latest of each name, so that 256 names are a ring.
func nameOf(id uint64) string { return namePrefix + strconv.FormatUint(id%ringLength, 10) }

// Record is an event as it is journaled, in the data of a system event.
type Record struct {
	ID    uint64          `json:"id"`
	Event string          `json:"event"` // such as [Open]
	Data  json.RawMessage `json:"data"`  // as it is sent

	Seen  uint32      `json:"seen"`  // the highest campaign of which anything was told
	State [][3]uint32 `json:"state"` // what has been told of each campaign that is not over: id, revision, bits
}

// IsRecord reports whether a system event of that name is one that a hub sends.
func IsRecord(name string) bool {
	slot, ok := strings.CutPrefix(name, namePrefix)
	n, err := strconv.ParseUint(slot, 10, 64)
	return ok && err == nil && n < ringLength && nameOf(n) == name
}

// ParseRecord reads a system event for which [IsRecord] holds.
func ParseRecord(e *hongbao.Event) (r Record, err error) {
	if err := json.Unmarshal(e.Data, &r); err != nil {
		return r, fmt.Errorf("the recorded event %s: %w", e.Name, err)
	}
	if nameOf(r.ID) != e.Name || r.ID == 0 {
		return r, fmt.Errorf("the recorded event %s has the id %d, which is another one's", e.Name, r.ID)
	}
	return r, nil
}

// entry is a place of the ring.
type entry struct {
	Record
	at    hongbao.Time
	event hongbao.Event // as it was recorded
}

// readEntry reads the latest event at the place of an id; its id is 0 when there is none yet.
func readEntry(ctx context.Context, engine hongbao.Engine, id uint64) (e entry, err error) {
	event, err := engine.Recorded(ctx, nameOf(id))
	if errors.Is(err, hongbao.ErrNotFound) {
		return e, nil
	}
	if err != nil {
		return e, fmt.Errorf("read the event %s: %w", nameOf(id), err)
	}
	record, err := ParseRecord(&event)
	return entry{record, event.At, event}, err
}

// readRing reads the latest events, oldest first. Others may be recorded meanwhile; there is no gap in what it returns.
func readRing(ctx context.Context, engine hongbao.Engine) ([]entry, error) {
	var slots [ringLength]entry
	unread := make([]uint64, ringLength)
	for i := range unread {
		unread[i] = uint64(i)
	}
	const tries = 10
	for range tries {
		if err := readSlots(ctx, engine, &slots, unread); err != nil {
			return nil, err
		}
		var last uint64
		for i := range slots {
			last = max(last, slots[i].ID)
		}
		entries, missing := lineUp(&slots, last)
		if len(missing) == 0 {
			return entries, nil
		}
		unread = missing // they were read before they were recorded
	}
	return nil, fmt.Errorf("%w: the ring of events keeps changing, or has a gap at %s", hongbao.ErrBusy, nameOf(unread[0]))
}

// lineUp are the events up to the last, oldest first, and the ids of those that are not there.
func lineUp(slots *[ringLength]entry, last uint64) (entries []entry, missing []uint64) {
	for id := last - min(last, ringLength) + 1; id <= last; id++ {
		e := slots[id%ringLength]
		if e.ID != id {
			missing = append(missing, id)
		}
		entries = append(entries, e)
	}
	return entries, missing
}

// readSlots reads places of the ring, a few at once.
func readSlots(ctx context.Context, engine hongbao.Engine, slots *[ringLength]entry, ids []uint64) error {
	failed := make(chan error, readersMax)
	todo := make(chan uint64)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for range readersMax {
		go func() {
			var first error
			for id := range todo {
				e, err := readEntry(ctx, engine, id)
				if err == nil {
					slots[id%ringLength] = e
				} else if first == nil {
					first = err
					cancel() // the others need not be read
				}
			}
			failed <- first
		}()
	}
	for _, id := range ids {
		todo <- id
	}
	close(todo)
	var errs error
	for range readersMax {
		errs = errors.Join(errs, <-failed)
	}
	return errs
}
