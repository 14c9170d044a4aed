package journal

import (
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// CopyTo copies the journal up to and including a durable block, synced, into an empty folder of a file system, while it is appended
// to. What is behind the block is zero there, so that Open finds a clean end. The last segment copied is verified on the way. A copy
// that was interrupted may open as a shorter journal: use it only after nil.
func (j *Journal) CopyTo(files vfs.FS, dir string, upTo uint64) error {
	if head := j.Head().Block; upTo > head {
		return fmt.Errorf("copy journal up to block %d: it ends with %d", upTo, head)
	}
	if err := MakeDir(files, dir); err != nil {
		return fmt.Errorf("make folder for the copy: %w", err)
	}
	if there, err := list(files, dir); err != nil || len(there) > 0 {
		return errors.Join(err, fmt.Errorf("copy journal: %s must not hold a journal", dir))
	}
	segments := j.Segments()
	for i, s := range segments {
		if s.First > upTo {
			break
		}
		if i+1 == len(segments) || segments[i+1].First > upTo+1 {
			used, err := j.offsetBehind(upTo)
			if err != nil {
				return err
			}
			s.Used = used
		}
		if err := copySegment(j.opts.FS, j.path(s.Name), files, files.PathJoin(dir, s.Name), s); err != nil {
			return fmt.Errorf("copy segment %s: %w", s.Name, err)
		}
	}
	return syncDir(files, dir)
}

// offsetBehind finds where a durable block ends in its segment, and verifies the segment up to there.
func (j *Journal) offsetBehind(block uint64) (int64, error) {
	c, err := openCursor(j.opts.FS, j.opts.Dir, j.Segments(), block, 0)
	if err != nil {
		return 0, err
	}
	for err == nil && c.last.Number < block {
		_, err = c.next()
	}
	return c.off, errors.Join(err, c.close())
}

// copySegment copies the used part of a segment and fills the rest with zeroes.
func copySegment(from vfs.FS, source string, to vfs.FS, target string, s SegmentInfo) error {
	in, err := from.Open(source)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := to.Create(target, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(out, io.NewSectionReader(in, 0, s.Used), make([]byte, fillBytes))
	zeroes := make([]byte, fillBytes)
	for off := s.Used; err == nil && off < s.Bytes; off += fillBytes {
		_, err = out.Write(zeroes[:min(fillBytes, s.Bytes-off)])
	}
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}
