package journal

import (
	"errors"
	"io"
)

// end judges what stands behind the last good block of a folder at rest, where next has failed with cause: io.EOF where that is
// the journal's end, and how many bytes a write that was cut short has left there; otherwise cause.
//
// Only the last segment can end torn: the next one is begun after every block of this one is synced.
func (c *cursor) end(cause error) (torn int, err error) {
	if !errors.Is(cause, ErrDamaged) || !c.atLast() || c.file.file == nil {
		return 0, cause
	}
	zero, err := c.zeroFrom(c.off)
	if err != nil {
		return 0, err
	}
	if zero {
		return 0, io.EOF
	}
	tail, err := c.file.bytes(c.off, int(c.file.limit-c.off))
	if err != nil {
		return 0, err
	}
	torn, ok := tear(tail, c.last)
	if !ok {
		return 0, cause
	}
	return torn, io.EOF
}

// tear measures what a write of the block after prev, cut short by a crash, has left at the start of tail, which runs to the
// end of the segment and is not all zero. It is not ok where anything else could have happened.
//
// Keeps G4: whoever was told of a block was told after each sector of it was on disk, and no sector of a block is all zero. So a
// block with a sector missing was told to nobody, and one that is complete is never taken for torn, whatever byte of it changed.
func tear(tail []byte, prev Block) (torn int, ok bool) {
	torn, missing := written(tail)
	if !isZero(tail[:sectorBytes]) {
		b, events, err := parseHeader(tail)
		size := blockBytes(events)
		if err != nil || b.follows(prev) != nil || size > len(tail) || size < torn {
			return 0, false
		}
		missing = missing || size > torn
	}
	return torn, missing && marked(tail[:torn]) && !holdsBlock(tail[1:])
}

// written finds the end of the last sector that is not all zero, and whether one before it is.
func written(tail []byte) (end int, gaps bool) {
	zeroes := 0
	for at := 0; at < len(tail); at += sectorBytes {
		sector := tail[at : at+sectorBytes]
		if isZero(sector) {
			zeroes++
			continue
		}
		end, gaps = at+len(sector), zeroes > 0
	}
	return end, gaps
}

// marked says whether each sector behind the first is one of the inside of a block, or all zero.
func marked(raw []byte) bool {
	for at := sectorBytes; at < len(raw); at += sectorBytes {
		sector := raw[at : at+sectorBytes]
		if !isZero(sector) && string(sector[:markBytes]) != nextMark {
			return false
		}
	}
	return true
}
