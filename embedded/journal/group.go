package journal

import (
	"encoding/binary"
	"fmt"
	"time"
)

// A Group is the events that become one block together. Between Lock and Unlock the caller appends to Events, each event between
// Begin and End, and raises AtMS; afterwards it only waits.
type Group struct {
	Block  uint64 // number of the block that the group becomes
	AtMS   int64  // latest time of an event, Unix milliseconds
	Events []byte // encoded events, each behind its length
	Count  int

	start int           // where the event begun last starts
	since time.Time     // when the first event was joined
	done  chan struct{} // closed when the outcome is known
	told  bool          // done is closed; guarded by Journal.mu
	err   error         // the outcome, once done is closed
}

// Begin starts an event: what is appended to Events from here to End.
func (g *Group) Begin() {
	g.start = len(g.Events)
	g.Events = append(g.Events, 0)
}

// End completes the event and returns its index within the block.
func (g *Group) End() int {
	n := len(g.Events) - g.start - 1
	if n < 0x80 {
		g.Events[g.start] = byte(n)
	} else {
		g.widen(n)
	}
	g.Count++
	return g.Count - 1
}

// widen makes room for a length of more than one byte.
func (g *Group) widen(n int) {
	var length [binary.MaxVarintLen64]byte
	width := binary.PutUvarint(length[:], uint64(n))
	g.Events = append(g.Events, length[1:width]...)
	event := g.Events[g.start:]
	copy(event[width:], event[1:1+n])
	copy(event, length[:width])
}

// Wait returns when the group is durable. ErrUnknown says that it may or may not be.
//
// Keeps G4: nobody is told of an event before this returns nil.
func (g *Group) Wait() error {
	<-g.done
	return g.err
}

// tell wakes everyone who waits for the group. Journal.mu is held, or the group is no longer reachable for others that tell.
func (g *Group) tell(err error) {
	g.told, g.err = true, err
	close(g.done)
}

// late says whether the group has events that have waited since before a time.
func (g *Group) late(before time.Time) bool {
	return g != nil && g.Count > 0 && !g.told && g.since.Before(before)
}

// Lock returns the open group with the journal locked. On an error nothing is locked and nothing happened. It waits while the open
// group has all it can take, and while the next segment is being made and the room in this one would not do.
func (j *Journal) Lock() (*Group, error) {
	j.mu.Lock()
	for {
		ready, err := j.joinable()
		if err != nil {
			j.mu.Unlock()
			return nil, err
		}
		if ready {
			return j.open, nil
		}
		j.change.Wait()
	}
}

// joinable says whether the open group takes another caller's events. It leaves room for whatever they may be, so that a group
// that was joined always fits.
func (j *Journal) joinable() (bool, error) {
	switch {
	case j.broken != nil:
		return false, j.broken
	case j.closed:
		return false, ErrClosed
	case j.open.told, j.syncing != nil && j.syncing.told:
		return false, ErrStalled
	case len(j.open.Events) >= j.groupMax:
		return false, nil
	case j.spare != nil, j.room >= j.syncingBytes+j.blockMax:
		return true, nil
	}
	return false, j.spareErr
}

// Unlock lets the next caller in, after Lock.
func (j *Journal) Unlock() {
	if g := j.open; g.Count > 0 && g.since.IsZero() {
		g.since = time.Now()
		j.groups[g.Block%groupsKept].Store(g)
		j.work.Signal()
	}
	j.mu.Unlock()
}

// Wait is Group.Wait by the number of a block that something was joined to. It takes no lock, for a crowd waits here; only
// who learnt of a block from the first to join it, who has not let go of the lock yet, waits for that.
func (j *Journal) Wait(block uint64) error {
	if block <= j.Head().Block {
		return nil
	}
	g := j.kept(block)
	if g == nil {
		j.mu.Lock()
		g = j.kept(block)
		j.mu.Unlock()
	}
	if g != nil {
		return g.Wait()
	}
	if head := j.Head().Block; block > head {
		return fmt.Errorf("block %d has not been begun, the journal ends with %d", block, head)
	}
	return nil
}

// kept is the group of one of the last blocks; nil when it is another.
func (j *Journal) kept(block uint64) *Group {
	if g := j.groups[block%groupsKept].Load(); g != nil && g.Block == block {
		return g
	}
	return nil
}

// Sync returns when everything that was joined before is durable.
func (j *Journal) Sync() error {
	j.mu.Lock()
	g := j.syncing
	if j.open.Count > 0 {
		g = j.open
	}
	j.mu.Unlock()
	if g == nil {
		return nil
	}
	return g.Wait()
}
