// Package journal keeps an append-only, hash-chained record of opaque events in preallocated segment files, and makes them durable in
// groups: one write and one fdatasync for all the callers that came while the last group was syncing. It knows nothing of what the
// events mean.
//
// # Use
//
// A caller joins the open group and, having let go of its own locks, waits:
//
//	g, err := j.Lock() // on an error nothing happened
//	g.Begin()
//	g.Events = append(g.Events, event...)
//	index := g.End() // the event is at (g.Block, index)
//	g.AtMS = max(g.AtMS, nowMS)
//	j.Unlock()
//	err = g.Wait() // nil: durable; ErrUnknown: perhaps
//
// The journal's lock is the innermost: Lock may be called with other locks held, and nothing may be locked before Unlock. Between the
// two a caller appends at most JoinMax bytes. A Group's fields belong to the journal again after Unlock.
//
// # Promises
//
//   - G4: what Wait said nil for is found by every later Open, whatever happens to process or power.
//   - Blocks are found by Open without holes, in order, up to one that was perhaps told to nobody.
//   - Every changed byte, in any block, is found when the block is read: by Open from Options.Verify on, by Blocks and Read from where
//     they begin. It is an ErrDamaged, which names block and file; it is never repaired.
//   - A write or sync that fails breaks the journal for ever. Who waits is told ErrUnknown.
//   - A full disk does not: the next segment is prepared ahead, and while it cannot be, Lock refuses before anything happened.
//   - Memory and goroutines are bounded: a group holds at most about 1.3 MiB, there are three goroutines, and Close ends them.
//
// It does not keep two processes apart, and prunes nothing.
//
// # Segment files
//
// A segment is named by its first block (000000000001.journal) and never used again. It is prepared under a temporary name, with
// zeroes really written; its header is written and synced, and file name and folder are synced, before its first block.
//
//	0     magic "hongbao journal\n"       16 bytes; all integers little endian
//	16    format version                   4
//	24    size of the file                 8
//	32    number of the first block        8
//	40    hash of the block before it      32
//	4092  CRC-32C of the bytes before      4
//	4096  blocks, one after another, none across segments; then zeroes
//
// # Blocks
//
// A block takes whole sectors of 512 bytes. Each starts with a mark, "HBj{" in the first and "HBj+" in the others; the content runs
// through what is behind the marks.
//
//	0   mark "HBj{"                        4
//	4   CRC-32C of bytes 8 to 64           4
//	8   length of the events               4
//	12  count of the events                4
//	16  number of the block, from 1        8
//	24  time, Unix milliseconds            8
//	32  hash of the block before           32
//	64  events: each a uvarint and as many bytes; a mark at every 512
//	    zeroes
//	    SHA-256 of everything before it    32, the end of the last sector
//
// # The end of the journal
//
// A crash in the middle of a write leaves any subset of the block's sectors, the others still all zero. The end is torn, and is zeroed,
// only if that is what is there: in the last segment, behind the last good block, a sector of the next block is all zero, each other one
// starts with its mark, nothing but zeroes follows, and no good block starts at any later byte. Everything else is damage.
//
// The marks are there for this rule: no sector of a complete block is all zero, whatever the events, nor becomes so by the change of one
// byte. Blocks take whole sectors so that a torn write cannot reach the block before, and the header, with a checksum of its own, lies in
// one sector so that the extent of a block is never guessed. The price is a half-empty sector a group and 0.8 % for the marks.
//
// The last block may have been read from memory that the disk never got, so Open writes it again and syncs it.
package journal
