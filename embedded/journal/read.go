package journal

import (
	"errors"
	"io"
	"iter"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Blocks yields the durable blocks from a number on, verified, up to the last one that is durable when it gets there. It may run
// while the journal is appended to. A block's events are overwritten by the next step. An error is yielded once, as the last thing.
func (j *Journal) Blocks(from uint64) iter.Seq2[Block, error] {
	return func(yield func(Block, error) bool) {
		if from > j.Head().Block {
			return
		}
		c, err := openCursor(j.opts.FS, j.opts.Dir, j.Segments(), from, from)
		if err != nil {
			yield(Block{}, err)
			return
		}
		defer c.close()
		for head := j.Head().Block; c.last.Number < head; head = j.Head().Block {
			c.extend(j.Segments())
			if !c.yieldTo(head, from, yield) {
				return
			}
		}
	}
}

// extend lets the cursor see what has become durable since.
func (c *cursor) extend(segments []SegmentInfo) {
	c.segments = segments
	c.file.limit = segments[c.at].Used
}

// yieldTo yields the blocks up to head, without those before from, and says whether to go on.
func (c *cursor) yieldTo(head, from uint64, yield func(Block, error) bool) bool {
	for c.last.Number < head {
		b, err := c.next()
		if err != nil {
			yield(Block{}, err)
			return false
		}
		if b.Number >= from && !yield(b, nil) {
			return false
		}
	}
	return true
}

// Read is Blocks for a folder that no process has open. It modifies nothing: a torn end is left out, not mended.
func Read(files vfs.FS, dir string, from uint64) iter.Seq2[Block, error] {
	return func(yield func(Block, error) bool) {
		segments, err := list(files, dir)
		if err != nil {
			yield(Block{}, err)
			return
		}
		if len(segments) == 0 {
			return
		}
		c, err := openCursor(files, dir, segments, from, from)
		if err != nil {
			yield(Block{}, err)
			return
		}
		defer c.close()
		c.yieldAll(from, yield)
	}
}

// yieldAll yields the blocks up to the end of a folder at rest.
func (c *cursor) yieldAll(from uint64, yield func(Block, error) bool) {
	for {
		b, err := c.next()
		if err != nil {
			if _, err = c.end(err); !errors.Is(err, io.EOF) {
				yield(Block{}, err)
			}
			return
		}
		if b.Number >= from && !yield(b, nil) {
			return
		}
	}
}
