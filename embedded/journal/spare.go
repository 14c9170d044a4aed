package journal

import (
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	fillBytes  = 256 << 10            // zeroes written and synced in one step, beside a committer
	beginBytes = 8 << 20              // the same while nothing else goes on
	fillPause  = 2 * time.Millisecond // between steps
	retryPause = time.Second          // after a failure
)

// prepare keeps a spare segment ready. When it cannot, for want of space above all, it tries again every second.
func (j *Journal) prepare() {
	for j.awaitNeed() {
		spare, err := j.makeSpare(fillBytes)
		j.prepared(spare, err)
		if err != nil && !j.sleep(retryPause) {
			return
		}
	}
}

// awaitNeed returns when there should be a spare; false when the journal has ended.
func (j *Journal) awaitNeed() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	for !j.closed && j.broken == nil && !j.wantsSpare() {
		j.change.Wait()
	}
	return !j.closed && j.broken == nil
}

// wantsSpare says whether a quarter of the last segment is used and the next one is not there.
func (j *Journal) wantsSpare() bool {
	return j.spare == nil && j.room < j.opts.SegmentBytes/4*3
}

// prepared takes note of a new spare, or of why there is none.
func (j *Journal) prepared(spare vfs.File, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case err != nil && (j.closed || j.broken != nil):
		return
	case err != nil && j.spareErr == nil:
		j.opts.Logger.Error("journal: the next segment cannot be made; trying again every second", "error", err)
	case err == nil && j.spareErr != nil:
		j.opts.Logger.Info("journal: the next segment could be made")
	}
	j.spare, j.spareErr = spare, nil
	if err != nil {
		j.spareErr = fmt.Errorf("%w: %w", ErrFull, err)
	}
	j.change.Broadcast()
}

// makeSpare makes a segment without a name or blocks: a file of zeroes really written and synced, so that a later fdatasync has
// nothing but the block to write.
func (j *Journal) makeSpare(step int64) (vfs.File, error) {
	if err := removeSpare(j.opts.FS, j.opts.Dir); err != nil {
		return nil, err
	}
	file, err := j.opts.FS.OpenReadWrite(j.path(spareName), vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, err
	}
	if err := j.fill(file, step); err != nil {
		return nil, errors.Join(err, file.Close(), removeSpare(j.opts.FS, j.opts.Dir))
	}
	return file, nil
}

// fill writes the zeroes in paced steps of so many bytes: all at once would hold up the committer's syncs.
func (j *Journal) fill(file vfs.File, step int64) error {
	// Where a file system can reserve, a full disk is known before it has been filled to the brim.
	if err := file.Preallocate(0, j.opts.SegmentBytes); vfs.IsNoSpaceError(err) {
		return err
	}
	zeroes := make([]byte, step)
	for off := int64(0); off < j.opts.SegmentBytes; off += step {
		if !j.pace() {
			return ErrClosed
		}
		if err := writeSynced(file, zeroes[:min(step, j.opts.SegmentBytes-off)], off); err != nil {
			return err
		}
	}
	return file.Sync()
}

// pace pauses while at least half of the last segment is free; false when the journal has ended.
func (j *Journal) pace() bool {
	j.mu.Lock()
	ample, ended := j.room >= j.opts.SegmentBytes/2, j.closed || j.broken != nil
	j.mu.Unlock()
	if ample {
		return j.sleep(fillPause)
	}
	return !ended
}

// sleep says whether the journal is still open afterwards.
func (j *Journal) sleep(d time.Duration) bool {
	select {
	case <-j.stop:
		return false
	case <-time.After(d):
		return true
	}
}
