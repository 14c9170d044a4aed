package journal

import (
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// recover leaves a folder whose journal ends with a good, durable block, and the last segment open behind it.
func (j *Journal) recover() error {
	if err := MakeDir(j.opts.FS, j.opts.Dir); err != nil {
		return fmt.Errorf("make journal folder: %w", err)
	}
	if err := removeSpare(j.opts.FS, j.opts.Dir); err != nil {
		return fmt.Errorf("remove unfinished segment: %w", err)
	}
	segments, err := list(j.opts.FS, j.opts.Dir)
	if err != nil {
		return err
	}
	j.segments = segments
	if len(segments) == 0 {
		return j.begin()
	}
	c, err := openCursor(j.opts.FS, j.opts.Dir, segments, max(j.opts.Verify, 2)-1, max(j.opts.Verify, 2)-1)
	if err != nil {
		return err
	}
	torn, err := j.findEnd(c)
	if err := errors.Join(err, c.close()); err != nil {
		return err
	}
	return j.mend(c, torn)
}

// begin makes the first segment.
func (j *Journal) begin() error {
	j.head.Store(&Head{})
	if j.opts.Verify > 1 {
		return j.behind()
	}
	spare, err := j.makeSpare(beginBytes)
	if err != nil {
		return fmt.Errorf("make first segment: %w", err)
	}
	j.spare = spare
	return j.roll()
}

func (j *Journal) behind() error {
	return fmt.Errorf("%w: it ends with block %d, but should have block %d with hash %s",
		ErrBehind, j.Head().Block, j.opts.Verify-1, j.opts.VerifyHash)
}

// findEnd walks to the journal's end and returns how many torn bytes are there.
func (j *Journal) findEnd(c *cursor) (torn int, err error) {
	for {
		b, err := c.next()
		if err != nil {
			torn, err = c.end(err)
			if errors.Is(err, io.EOF) {
				break
			}
			return 0, err
		}
		if b.Number+1 == j.opts.Verify && b.Hash != j.opts.VerifyHash {
			return 0, fmt.Errorf("%w: block %d in %s has hash %s, but should have %s",
				ErrDamaged, b.Number, c.segments[c.at].Name, b.Hash, j.opts.VerifyHash)
		}
	}
	j.head.Store(&Head{Block: c.last.Number, Hash: c.last.Hash, AtMS: c.last.AtMS})
	if j.Head().Block+1 < j.opts.Verify {
		return 0, j.behind()
	}
	return torn, nil
}

// mend zeroes a torn end and syncs it, writes the last block again and syncs it, and syncs the folder. The last block may have
// been read from memory that the disk never got: a sync that failed, or did not come, leaves it there.
//
// Keeps G4: what start-up reads, and the server then tells, is on disk.
func (j *Journal) mend(c *cursor, torn int) (err error) {
	if j.file, err = j.openLast(c.at); err != nil {
		return err
	}
	if torn > 0 {
		j.opts.Logger.Warn("journal: last write was cut short by a crash, nobody was told of it; zeroed",
			"block", c.last.Number+1, "file", c.segments[c.at].Name, "bytes", torn)
		if err := writeSynced(j.file, make([]byte, torn), c.off); err != nil {
			return fmt.Errorf("zero torn end: %w", err)
		}
	}
	if err := j.rewrite(c); err != nil {
		return fmt.Errorf("write last block again: %w", err)
	}
	if err := syncDir(j.opts.FS, j.opts.Dir); err != nil {
		return fmt.Errorf("sync journal folder: %w", err)
	}
	j.segments[c.at].Used = c.off
	j.room = j.segments[c.at].Bytes - c.off
	return nil
}

func (j *Journal) openLast(i int) (vfs.File, error) {
	return j.opts.FS.OpenReadWrite(j.path(j.segments[i].Name), vfs.WriteCategoryUnspecified)
}

func (j *Journal) rewrite(c *cursor) error {
	if c.last.Number == 0 {
		return nil
	}
	file, err := j.openLast(c.lastAt)
	if err != nil {
		return err
	}
	raw := make([]byte, c.lastSize)
	if _, err = file.ReadAt(raw, c.lastOff); err == nil {
		err = writeSynced(file, raw, c.lastOff)
	}
	return errors.Join(err, file.Close())
}

func writeSynced(file vfs.File, b []byte, off int64) error {
	if _, err := file.WriteAt(b, off); err != nil {
		return err
	}
	return file.SyncData()
}
