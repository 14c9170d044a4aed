package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"iter"
	"slices"
)

const (
	sectorBytes = 512
	markBytes   = 4
	headerBytes = 64 // of a block, the mark of its first sector included

	// Every sector of a block starts with one of these, so that none is all zero, nor becomes so when one byte is changed:
	// a sector that is all zero was never written.
	startMark = "HBj{"
	nextMark  = "HBj+"
)

// A Hash is the SHA-256 of a block, which covers the hash of the block before it.
type Hash [sha256.Size]byte

// String is the hash in hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// A Block is what one group commit wrote.
type Block struct {
	Number uint64 // from 1
	AtMS   int64  // Unix milliseconds, never less than in the block before
	Prev   Hash   // of the block before; zero in block 1
	Hash   Hash
	Count  int    // how many events
	Events []byte // the events, each behind its length; see Events
}

// Events splits a block into its events, numbered from 0. They share the block's memory.
func Events(block Block) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		rest := block.Events
		for i := range block.Count {
			event, after, ok := cutEvent(rest)
			if !ok || !yield(i, event) {
				return
			}
			rest = after
		}
	}
}

func cutEvent(events []byte) (event, rest []byte, ok bool) {
	n, width := binary.Uvarint(events)
	if width <= 0 || n > uint64(len(events)-width) {
		return nil, nil, false
	}
	end := width + int(n)
	return events[width:end], events[end:], true
}

// blockBytes is what a block with that many bytes of events takes on disk: whole sectors.
func blockBytes(events int) int {
	const perSector = sectorBytes - markBytes
	content := headerBytes - markBytes + events + sha256.Size
	return (content + perSector - 1) / perSector * sectorBytes
}

// encode lays the block out in buf, which it may replace by a larger one, and sets the block's hash.
func (b *Block) encode(buf []byte) []byte {
	n := blockBytes(len(b.Events))
	raw := slices.Grow(buf[:0], n)[:n]
	clear(raw)
	b.putHeader(raw)

	rest := b.Events[copy(raw[headerBytes:sectorBytes], b.Events):]
	for at := sectorBytes; at < n; at += sectorBytes {
		copy(raw[at:], nextMark)
		rest = rest[copy(raw[at+markBytes:at+sectorBytes], rest):]
	}
	b.Hash = sha256.Sum256(raw[:n-sha256.Size])
	copy(raw[n-sha256.Size:], b.Hash[:])
	return raw
}

func (b *Block) putHeader(raw []byte) {
	copy(raw, startMark)
	binary.LittleEndian.PutUint32(raw[8:], uint32(len(b.Events)))
	binary.LittleEndian.PutUint32(raw[12:], uint32(b.Count))
	binary.LittleEndian.PutUint64(raw[16:], b.Number)
	binary.LittleEndian.PutUint64(raw[24:], uint64(b.AtMS))
	copy(raw[32:headerBytes], b.Prev[:])
	binary.LittleEndian.PutUint32(raw[4:], checksum(raw[8:headerBytes]))
}

// parseHeader reads a block's header, which has a checksum of its own: where the block ends must be certain even when the
// rest of it is not.
func parseHeader(raw []byte) (b Block, events int, err error) {
	if len(raw) < headerBytes || string(raw[:markBytes]) != startMark {
		return Block{}, 0, flaw("it does not start with a block's mark")
	}
	if binary.LittleEndian.Uint32(raw[4:]) != checksum(raw[8:headerBytes]) {
		return Block{}, 0, flaw("the checksum of its header does not match")
	}
	b.Count = int(binary.LittleEndian.Uint32(raw[12:]))
	b.Number = binary.LittleEndian.Uint64(raw[16:])
	b.AtMS = int64(binary.LittleEndian.Uint64(raw[24:]))
	copy(b.Prev[:], raw[32:headerBytes])
	return b, int(binary.LittleEndian.Uint32(raw[8:])), nil
}

// storedHash is the hash at the end of a whole block.
func storedHash(raw []byte) Hash { return Hash(raw[len(raw)-sha256.Size:]) }

// verify checks marks and hash of a whole block.
func verify(raw []byte) error {
	for at := sectorBytes; at < len(raw); at += sectorBytes {
		if string(raw[at:at+markBytes]) != nextMark {
			return flaw("a sector of it does not start with its mark")
		}
	}
	if sha256.Sum256(raw[:len(raw)-sha256.Size]) != storedHash(raw) {
		return flaw("its hash does not match")
	}
	return nil
}

// decode reads the block at the start of raw and verifies it. The events are gathered in buf, which may be replaced by a
// larger one.
func decode(raw, buf []byte) (Block, error) {
	b, events, err := parseHeader(raw)
	if err != nil {
		return Block{}, err
	}
	size := blockBytes(events)
	if size > len(raw) {
		return Block{}, flaw("it does not fit into its segment")
	}
	if err := verify(raw[:size]); err != nil {
		return Block{}, err
	}
	b.Hash = storedHash(raw[:size])
	b.Events = gather(buf, raw, events)
	if !b.splits() {
		return Block{}, flaw("its events are not as many as it says")
	}
	return b, nil
}

// gather copies n bytes of events out of their sectors.
func gather(buf, raw []byte, n int) []byte {
	buf = append(slices.Grow(buf[:0], n), raw[headerBytes:min(headerBytes+n, sectorBytes)]...)
	for at := sectorBytes; len(buf) < n; at += sectorBytes {
		part := raw[at+markBytes : at+sectorBytes]
		buf = append(buf, part[:min(len(part), n-len(buf))]...)
	}
	return buf
}

// splits says whether the block's events are exactly Count.
func (b *Block) splits() bool {
	rest, ok := b.Events, true
	for range b.Count {
		if _, rest, ok = cutEvent(rest); !ok {
			return false
		}
	}
	return len(rest) == 0
}

// holdsBlock says whether a good block starts at any byte of raw.
func holdsBlock(raw []byte) bool {
	for {
		at := bytes.Index(raw, []byte(startMark))
		if at < 0 {
			return false
		}
		raw = raw[at:]
		if _, err := decode(raw, nil); err == nil {
			return true
		}
		raw = raw[1:]
	}
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// isZero compares the slice with itself one byte on, which runs at the speed of memory.
func isZero(b []byte) bool {
	return len(b) == 0 || b[0] == 0 && bytes.Equal(b[1:], b[:len(b)-1])
}
