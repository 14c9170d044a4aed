package journal

import (
	"fmt"
	"runtime"
	"time"
)

// smallGroup is how many events make a group that is not held back for the callers about to join.
const smallGroup = 256

// yieldsMax bounds how often the committer lets others go first.
const yieldsMax = 16

// commit is the committer: one block, one write and one sync a group. What is joined while it syncs is the next group.
func (j *Journal) commit() {
	for g := j.take(); g != nil; g = j.take() {
		block, synced, err := j.write(g)
		if err != nil {
			j.fail(fmt.Errorf("%w: write block %d: %w", ErrBroken, g.Block, err))
			return
		}
		j.finish(g, block, synced)
	}
}

// take waits for events and opens the next group; nil when the journal is closed and nothing is left.
func (j *Journal) take() *Group {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.open.Count == 0 && !j.closed {
		j.work.Wait()
	}
	if j.open.Count < smallGroup {
		j.yield()
	}
	g := j.open
	if g.Count == 0 {
		return nil
	}
	j.syncing, j.syncingBytes = g, int64(blockBytes(len(g.Events)))
	j.open = j.newGroup(g.Block + 1)
	if len(g.Events) >= j.groupMax {
		j.change.Broadcast()
	}
	return g
}

// yield lets callers that are about to join do so, until a round brings nobody new. Two rounds at least, as the committer itself is
// often woken by the first of them. Without it 64 callers make groups of 32 instead of 64, and 40 % fewer events a second.
func (j *Journal) yield() {
	for round, joined := 0, -1; round < yieldsMax && j.open.Count < smallGroup && (round < 2 || j.open.Count > joined); round++ {
		joined = j.open.Count
		j.mu.Unlock()
		runtime.Gosched()
		j.mu.Lock()
	}
}

// write makes the group's block durable, in the next segment if it does not fit into this one.
func (j *Journal) write(g *Group) (Block, time.Duration, error) {
	head := j.Head()
	b := Block{Number: g.Block, AtMS: max(head.AtMS, g.AtMS), Prev: head.Hash, Count: g.Count, Events: g.Events}
	j.raw = b.encode(j.raw)
	if err := j.makeRoom(len(j.raw)); err != nil {
		return Block{}, 0, err
	}
	last := j.segments[len(j.segments)-1]
	if _, err := j.file.WriteAt(j.raw, last.Bytes-j.room); err != nil {
		return Block{}, 0, err
	}
	start := time.Now()
	err := j.file.SyncData()
	return b, time.Since(start), err
}

// finish publishes a durable block and wakes who waits for it.
func (j *Journal) finish(g *Group, b Block, synced time.Duration) {
	if j.opts.Durable != nil {
		j.opts.Durable(b)
	} else {
		j.Recycle(b.Events)
	}

	j.mu.Lock()
	j.head.Store(&Head{Block: b.Number, Hash: b.Hash, AtMS: b.AtMS})
	last := &j.segments[len(j.segments)-1]
	j.room -= j.syncingBytes
	last.Used = last.Bytes - j.room
	j.stats.Groups++
	j.stats.Events += uint64(b.Count)
	j.stats.Bytes += uint64(j.syncingBytes)
	j.stats.SyncTotal += synced
	j.stats.SyncLast = synced
	j.syncing, j.syncingBytes = nil, 0
	if j.wantsSpare() {
		j.change.Broadcast()
	}
	told := g.told
	j.mu.Unlock()

	if !told {
		g.tell(nil)
	}
}

// fail breaks the journal for ever: memory may be ahead of the disk.
//
// Keeps G4: who waits is told unknown, never failed, and nothing is accepted that would build on it.
func (j *Journal) fail(err error) {
	j.mu.Lock()
	j.broken = err
	for _, g := range []*Group{j.syncing, j.open} {
		if !g.told {
			g.tell(fmt.Errorf("%w: %w", ErrUnknown, err))
		}
	}
	j.change.Broadcast()
	j.mu.Unlock()
	if j.opts.Broken != nil {
		j.opts.Broken(err)
	}
}

// makeRoom goes on to the next segment where a block does not fit into this one.
func (j *Journal) makeRoom(bytes int) error {
	j.mu.Lock()
	fits, hopeless := int64(bytes) <= j.room, j.spare == nil || bytes > j.opts.capacity()
	j.mu.Unlock()
	switch {
	case fits:
		return nil
	case hopeless:
		return fmt.Errorf("no room for a block of %d bytes: more than %d were joined at once", bytes, j.JoinMax())
	}
	return j.roll()
}

// roll makes the spare the last segment. Header, file name and folder are durable before its first block is written.
func (j *Journal) roll() error {
	head := j.Head()
	s := SegmentInfo{
		Name: segmentName(head.Block + 1), First: head.Block + 1,
		Bytes: j.opts.SegmentBytes, Used: segmentHeaderBytes,
	}
	if err := writeSynced(j.spare, encodeSegmentHeader(s, head.Hash), 0); err != nil {
		return err
	}
	if err := j.opts.FS.Rename(j.path(spareName), j.path(s.Name)); err != nil {
		return err
	}
	if err := syncDir(j.opts.FS, j.opts.Dir); err != nil {
		return err
	}
	return j.adopt(s)
}

// adopt goes on in the segment that the spare has become.
func (j *Journal) adopt(s SegmentInfo) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	old := j.file
	j.file, j.spare = j.spare, nil
	if n := len(j.segments); n > 0 {
		j.segments[n-1].Used = j.segments[n-1].Bytes
	}
	j.segments = append(j.segments, s)
	j.room = s.Bytes - s.Used
	if old == nil {
		return nil
	}
	return old.Close()
}

// watch tells who has waited too long for the disk.
func (j *Journal) watch() {
	tick := time.NewTicker(j.opts.StallTimeout / 8)
	defer tick.Stop()
	for {
		select {
		case <-j.stop:
			return
		case now := <-tick.C:
			j.tellLate(now.Add(-j.opts.StallTimeout))
		}
	}
}

// tellLate tells unknown to the groups that have waited since before a time. They may yet become durable.
func (j *Journal) tellLate(before time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, g := range []*Group{j.syncing, j.open} {
		if g.late(before) {
			j.opts.Logger.Error("journal: the disk has stalled", "block", g.Block, "events", g.Count, "since", g.since)
			g.tell(fmt.Errorf("%w: block %d is not durable after %s", ErrUnknown, g.Block, j.opts.StallTimeout))
			j.change.Broadcast()
		}
	}
}
