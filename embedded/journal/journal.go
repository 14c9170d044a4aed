package journal

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	segmentBytesMin = 16 << 10
	segmentBytesMax = 1 << 30
	groupBytesMax   = 1 << 20   // a group with as many bytes of events takes no more callers
	groupsKept      = 4         // no more than two are not durable: one is being written, one is open
	joinBytesMax    = 256 << 10 // what one caller may append between Lock and Unlock
)

// Options say where a journal lies and who hears of what happens to it.
type Options struct {
	FS           vfs.FS        // default vfs.Default
	Dir          string        // folder of the segment files; made if missing
	SegmentBytes int64         // size of new segments, 16 KiB to 1 GiB in steps of 4 KiB; default 64 MiB
	StallTimeout time.Duration // a group that is not durable after this is told ErrUnknown; default 5 s
	Logger       *slog.Logger  // default slog.Default()

	// Blocks before Verify are not verified by Open: VerifyHash, the hash of block Verify-1, vouches for them, and that block is
	// checked against it. 0 verifies all.
	Verify     uint64
	VerifyHash Hash

	// Durable is given each block once it is durable and before anyone is told, in order, from the committer, which does nothing
	// else meanwhile. It keeps the events; Recycle takes them back.
	Durable func(Block)
	// Broken is told why the journal is broken, once, after everyone who waited was told ErrUnknown. It must not call Close.
	Broken func(error)
}

// A Head is the end of the journal: its last durable block.
type Head struct {
	Block uint64 // 0 in an empty journal; blocks count from 1
	Hash  Hash
	AtMS  int64 // Unix milliseconds
}

// Stats are totals since Open.
type Stats struct {
	Groups, Events, Bytes uint64 // Bytes as written, in whole sectors
	SyncTotal, SyncLast   time.Duration
	Segments              int   // files there are
	Full                  error // ErrFull while the next segment cannot be made; there may be room left in the last
}

// A Journal is an open journal. Its methods may be called from any goroutine.
type Journal struct {
	opts     Options
	groupMax int           // events of a group that takes no more callers
	blockMax int64         // the largest block, on disk
	buffers  chan []byte   // for events, to be used again
	stop     chan struct{} // closed by Close
	tasks    sync.WaitGroup

	head   atomic.Pointer[Head]
	groups [groupsKept]atomic.Pointer[Group] // the last ones with events, by number of their block, for Wait

	mu           sync.Mutex
	work         *sync.Cond // for the committer: the open group has its first event, or Close was called
	change       *sync.Cond // for Lock and the preparer: room, a spare, the state may have changed
	open         *Group     // takes events
	syncing      *Group     // is being written; nil when the committer is idle
	syncingBytes int64      // what it takes on disk
	room         int64      // bytes in the last segment behind the last durable block
	segments     []SegmentInfo
	spare        vfs.File // the next segment, prepared, under its temporary name
	spareErr     error    // why there is none; ErrFull
	closed       bool
	broken       error // ErrBroken
	stats        Stats

	file vfs.File // the last segment; the committer's
	raw  []byte   // the block as written; the committer's
}

// Open finds the end of the journal, mends it where a crash left it torn, makes sure that its last block is durable, and starts to
// take events. An empty folder becomes an empty journal.
func Open(o Options) (*Journal, error) {
	o.FS = cmp.Or[vfs.FS](o.FS, vfs.Default)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	o.SegmentBytes = cmp.Or(o.SegmentBytes, 64<<20)
	o.StallTimeout = cmp.Or(o.StallTimeout, 5*time.Second)
	if err := o.check(); err != nil {
		return nil, err
	}
	j := &Journal{
		opts:     o,
		groupMax: min(groupBytesMax, o.capacity()/6),
		buffers:  make(chan []byte, 4),
		stop:     make(chan struct{}),
	}
	j.blockMax = int64(blockBytes(j.groupMax + j.JoinMax()))
	j.work, j.change = sync.NewCond(&j.mu), sync.NewCond(&j.mu)
	if err := j.recover(); err != nil {
		return nil, errors.Join(err, j.closeFiles())
	}
	j.open = j.newGroup(j.Head().Block + 1)
	j.tasks.Go(j.commit)
	j.tasks.Go(j.prepare)
	j.tasks.Go(j.watch)
	return j, nil
}

func (o *Options) check() error {
	if o.SegmentBytes < segmentBytesMin || o.SegmentBytes > segmentBytesMax || o.SegmentBytes%segmentHeaderBytes != 0 {
		return fmt.Errorf("SegmentBytes is %d: %d to %d in steps of %d are allowed",
			o.SegmentBytes, segmentBytesMin, segmentBytesMax, segmentHeaderBytes)
	}
	if o.StallTimeout < time.Millisecond {
		return fmt.Errorf("StallTimeout is %s: at least 1ms is allowed", o.StallTimeout)
	}
	return nil
}

// capacity is the bytes of blocks that a new segment takes. Two of the largest blocks fit: that of the group being written, which
// may be the one to begin the segment, and that of the open group, which was joined before.
func (o *Options) capacity() int { return int(o.SegmentBytes) - segmentHeaderBytes }

// JoinMax is how many bytes a caller may append to a group between Lock and Unlock: 256 KiB, less with small segments. The journal
// breaks when more do not fit.
func (j *Journal) JoinMax() int { return min(joinBytesMax, j.opts.capacity()/8) }

// Close makes durable what was joined, and stops. After a break it returns why. It waits for a stalled disk.
func (j *Journal) Close() error {
	j.mu.Lock()
	first := !j.closed
	j.closed = true
	j.work.Signal()
	j.change.Broadcast()
	j.mu.Unlock()
	if !first {
		j.tasks.Wait()
		return j.broken
	}
	close(j.stop)
	j.tasks.Wait()
	return errors.Join(j.broken, j.closeFiles())
}

func (j *Journal) closeFiles() error {
	var errs []error
	if j.file != nil {
		errs = append(errs, j.file.Close())
	}
	if j.spare != nil {
		errs = append(errs, j.spare.Close(), removeSpare(j.opts.FS, j.opts.Dir))
	}
	return errors.Join(errs...)
}

// Head is the last durable block.
func (j *Journal) Head() Head { return *j.head.Load() }

// Stats are the counters for metrics.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.stats
	s.Segments, s.Full = len(j.segments), j.spareErr
	return s
}

// Segments are the files of the journal, in order.
func (j *Journal) Segments() []SegmentInfo {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.segments)
}

// Recycle gives back events that Durable was given, so that a later group uses their memory.
func (j *Journal) Recycle(events []byte) {
	select {
	case j.buffers <- events[:0]:
	default:
	}
}

func (j *Journal) newGroup(block uint64) *Group {
	g := &Group{Block: block, done: make(chan struct{})}
	select {
	case g.Events = <-j.buffers:
	default:
	}
	return g
}

func (j *Journal) path(name string) string { return j.opts.FS.PathJoin(j.opts.Dir, name) }
