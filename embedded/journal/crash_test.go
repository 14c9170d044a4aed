package journal

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

var crashSeed = flag.Uint64("crash-seed", 0, "seed of TestCrashes; 0 takes a new one")

// A position is where an event was joined.
type position struct {
	block uint64
	index int
}

// told are the events that were told durable.
type told struct {
	sync.Mutex
	events map[position][]byte
}

func (d *told) add(p position, event []byte) {
	d.Lock()
	defer d.Unlock()
	d.events[p] = event
}

func (d *told) size() int {
	d.Lock()
	defer d.Unlock()
	return len(d.events)
}

// TestCrashes keeps G4: through crashes at any moment, each of which keeps any part of what was not synced, every event told durable
// stays where it was told to be.
func TestCrashes(t *testing.T) {
	seed := *crashSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("to repeat: go test -run TestCrashes -args -crash-seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	journals := 15
	if testing.Short() {
		journals = 3
	}
	for range journals {
		files, durable := vfs.NewCrashableMem(), &told{events: map[position][]byte{}}
		for range 15 {
			files = crashOnce(t, files, durable, rng)
		}
	}
}

// crashOnce opens the journal, checks it, has it written to, and returns what a crash in the middle of that leaves.
func crashOnce(t *testing.T, files *vfs.MemFS, durable *told, rng *rand.Rand) *vfs.MemFS {
	t.Helper()
	crash := newTrigger(durable.size() + 1 + rng.IntN(40))
	j := start(t, files, func(o *Options) { o.SegmentBytes = small << rng.IntN(3) })
	checkHolds(t, j, durable)

	var tasks sync.WaitGroup
	for range 1 + rng.IntN(4) {
		writer := rand.New(rand.NewPCG(rng.Uint64(), rng.Uint64()))
		tasks.Go(func() { writeUntil(t, j, crash, durable, writer) })
	}
	<-crash.pulled
	// What was told up to here must be in the clone; what is told after may be.
	durable.Lock()
	after := files.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
	kept := make(map[position][]byte, len(durable.events))
	for p, event := range durable.events {
		kept[p] = event
	}
	durable.Unlock()
	crash.over.Store(true)
	tasks.Wait()
	stop(t, j)
	durable.events = kept
	return after
}

// A trigger is pulled when so many events have been told.
type trigger struct {
	at     int
	once   sync.Once
	pulled chan struct{}
	over   atomic.Bool
}

func newTrigger(at int) *trigger { return &trigger{at: at, pulled: make(chan struct{})} }

// writeUntil writes events of random sizes until the crash is over.
func writeUntil(t *testing.T, j *Journal, crash *trigger, durable *told, rng *rand.Rand) {
	for !crash.over.Load() {
		event := make([]byte, rng.IntN(j.JoinMax()-8)*rng.IntN(2)+rng.IntN(8))
		if rng.IntN(2) == 0 {
			for i := range event {
				event[i] = byte(rng.Uint32())
			}
		}
		g, err := j.Lock()
		if err != nil {
			t.Error(err)
			return
		}
		g.Begin()
		g.Events = append(g.Events, event...)
		p := position{g.Block, g.End()}
		j.Unlock()
		if err := g.Wait(); err != nil {
			t.Error(err)
			return
		}
		durable.add(p, event)
		if durable.size() >= crash.at {
			crash.once.Do(func() { close(crash.pulled) })
		}
	}
}

// checkHolds checks that all events told durable are there.
func checkHolds(t *testing.T, j *Journal, durable *told) {
	t.Helper()
	left := len(durable.events)
	var prev Block
	for b, err := range j.Blocks(1) {
		if err != nil {
			t.Fatal(err)
		}
		if b.Number != prev.Number+1 || b.Prev != prev.Hash {
			t.Fatalf("block %d does not follow block %d", b.Number, prev.Number)
		}
		prev = Block{Number: b.Number, Hash: b.Hash}
		for i, event := range Events(b) {
			want, ok := durable.events[position{b.Number, i}]
			if !ok {
				continue
			}
			if !bytes.Equal(event, want) {
				t.Fatalf("event %d of block %d has changed", i, b.Number)
			}
			left--
		}
	}
	if left != 0 {
		t.Fatalf("%d events that were told durable are gone, the head is %+v", left, j.Head())
	}
}
