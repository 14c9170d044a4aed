package journal

import (
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// readBytes is how much of a segment is read at a time, unless a block is larger.
const readBytes = 256 << 10

// A cursor walks the blocks of a journal in order, across segments. Each block must continue the chain; from block verifyFrom
// on its contents are verified too, before that only headers are read and the stored hashes believed.
type cursor struct {
	files      vfs.FS
	dir        string
	segments   []SegmentInfo
	verifyFrom uint64

	at   int // index of the open segment
	file window
	off  int64 // where the next block starts

	last     Block // the last block passed, without its events; at first the one before the segment
	lastAt   int   // where that block is: segment, offset and bytes
	lastOff  int64
	lastSize int

	events []byte
}

// openCursor starts at the beginning of the segment that holds, or would hold, the given block.
func openCursor(files vfs.FS, dir string, segments []SegmentInfo, block, verifyFrom uint64) (*cursor, error) {
	c := &cursor{files: files, dir: dir, segments: segments, verifyFrom: verifyFrom}
	start := 0
	for start+1 < len(segments) && segments[start+1].First <= block {
		start++
	}
	prev, err := c.open(start)
	if err != nil {
		return nil, err
	}
	c.last = Block{Number: segments[start].First - 1, Hash: prev}
	if c.last.Number == 0 && prev != (Hash{}) {
		return nil, errors.Join(segmentDamage(segments[start], "there is no block before it, yet it names a hash"), c.close())
	}
	return c, nil
}

func (c *cursor) close() error {
	if c.file.file == nil {
		return nil
	}
	err := c.file.file.Close()
	c.file = window{}
	return err
}

// open goes to the start of a segment and returns the hash of the block before it.
func (c *cursor) open(i int) (prev Hash, err error) {
	if err := c.close(); err != nil {
		return Hash{}, err
	}
	s := c.segments[i]
	file, err := c.files.Open(c.files.PathJoin(c.dir, s.Name))
	if err != nil {
		return Hash{}, fmt.Errorf("open segment: %w", err)
	}
	c.at, c.off = i, segmentHeaderBytes
	c.file = window{file: file, limit: s.Used}
	raw, err := c.file.bytes(0, segmentHeaderBytes)
	if err == nil {
		prev, err = parseSegmentHeader(raw, s)
	}
	if why := flaw(""); errors.As(err, &why) && !errors.Is(err, ErrDamaged) {
		err = segmentDamage(s, string(why))
	}
	if err != nil {
		return Hash{}, errors.Join(err, c.close())
	}
	return prev, nil
}

// next returns the next block, whose events are overwritten by the step after. The caller knows that there is one, or takes
// ErrDamaged for the possible end of the journal and asks end.
func (c *cursor) next() (Block, error) {
	if err := c.turn(); err != nil {
		return Block{}, err
	}
	b, size, err := c.read()
	if err != nil {
		return Block{}, c.blame(err)
	}
	c.last, c.lastAt, c.lastOff, c.lastSize = b, c.at, c.off, size
	c.last.Events = nil
	c.off += int64(size)
	return b, nil
}

// turn goes on to the next segment where the open one is finished.
func (c *cursor) turn() error {
	if c.atLast() || c.segments[c.at+1].First != c.last.Number+1 {
		return nil
	}
	c.file.limit = c.segments[c.at].Bytes
	zero, err := c.zeroFrom(c.off)
	if err != nil {
		return err
	}
	if !zero {
		return c.blame(flaw("something else is in front of the segment that begins with it"))
	}
	prev, err := c.open(c.at + 1)
	if err == nil && prev != c.last.Hash {
		err = segmentDamage(c.segments[c.at], "the hash in its header is not that of the block before it")
		err = errors.Join(err, c.close())
	}
	return err
}

func (c *cursor) atLast() bool { return c.at == len(c.segments)-1 }

// read reads the block at the cursor and checks that it continues the chain.
func (c *cursor) read() (Block, int, error) {
	raw, err := c.file.bytes(c.off, headerBytes)
	if err != nil {
		return Block{}, 0, err
	}
	b, events, err := parseHeader(raw)
	if err != nil {
		return Block{}, 0, err
	}
	if err := b.follows(c.last); err != nil {
		return Block{}, 0, err
	}
	size := blockBytes(events)
	if raw, err = c.file.bytes(c.off, size); err != nil {
		return Block{}, 0, err
	}
	if b.Number < c.verifyFrom {
		b.Hash = storedHash(raw)
		return b, size, nil
	}
	b, err = decode(raw, c.events)
	c.events = b.Events[:0]
	return b, size, err
}

// follows checks that the block is the one after prev.
func (b *Block) follows(prev Block) error {
	if b.Number != prev.Number+1 {
		return flaw(fmt.Sprintf("block %d is in its place", b.Number))
	}
	if b.Prev != prev.Hash {
		return flaw(fmt.Sprintf("the previous hash in it is not that of block %d", prev.Number))
	}
	return nil
}

// blame names the place of what is wrong with the block at the cursor.
func (c *cursor) blame(err error) error {
	var why flaw
	place := fmt.Sprintf("block %d in %s at byte %d", c.last.Number+1, c.segments[c.at].Name, c.off)
	if errors.As(err, &why) {
		return fmt.Errorf("%w: %s: %w", ErrDamaged, place, why)
	}
	return fmt.Errorf("read %s: %w", place, err)
}

// zeroFrom says whether the open segment holds nothing but zeroes from an offset on.
func (c *cursor) zeroFrom(off int64) (bool, error) {
	for off < c.file.limit {
		part, err := c.file.bytes(off, int(min(readBytes, c.file.limit-off)))
		if err != nil || !isZero(part) {
			return false, err
		}
		off += int64(len(part))
	}
	return true, nil
}

// A window is the part of a file that was read last. It never reads at or behind limit, where a committer may be writing.
type window struct {
	file  vfs.File
	limit int64
	off   int64
	buf   []byte
}

// bytes returns n bytes at an offset; they are good until the next call.
func (w *window) bytes(off int64, n int) ([]byte, error) {
	end := off + int64(n)
	if end > w.limit {
		return nil, flaw("the segment ends within it")
	}
	if off < w.off || end > w.off+int64(len(w.buf)) {
		if err := w.fill(off, int(min(max(int64(n), readBytes), w.limit-off))); err != nil {
			return nil, err
		}
	}
	return w.buf[off-w.off:][:n], nil
}

func (w *window) fill(off int64, n int) error {
	if cap(w.buf) < n {
		w.buf = make([]byte, n)
	}
	w.off, w.buf = off, w.buf[:n]
	got, err := w.file.ReadAt(w.buf, off)
	if got == n {
		return nil
	}
	w.buf = w.buf[:0]
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
