package journal

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"
)

// dir is where tests keep a journal; small is the size of their segments.
const (
	dir   = "data/journal"
	small = 16 << 10
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start opens a journal of small segments, silent, and closes it when the test ends.
func start(t testing.TB, files vfs.FS, set ...func(*Options)) *Journal {
	t.Helper()
	j, err := tryStart(files, set...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func tryStart(files vfs.FS, set ...func(*Options)) (*Journal, error) {
	o := Options{FS: files, Dir: dir, SegmentBytes: small, Logger: slog.New(slog.DiscardHandler)}
	for _, f := range set {
		f(&o)
	}
	return Open(o)
}

// join appends events to the open group, all in one.
func join(t testing.TB, j *Journal, events ...[]byte) *Group {
	t.Helper()
	g, err := j.Lock()
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range events {
		g.Begin()
		g.Events = append(g.Events, event...)
		g.End()
	}
	j.Unlock()
	return g
}

// write makes one durable block of the events.
func write(t testing.TB, j *Journal, events ...[]byte) {
	t.Helper()
	if err := join(t, j, events...).Wait(); err != nil {
		t.Fatal(err)
	}
}

// stop closes a journal that should close well.
func stop(t testing.TB, j *Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// keep collects blocks, which are reused by the next step.
func keep(t testing.TB, blocks iter.Seq2[Block, error]) []Block {
	t.Helper()
	var kept []Block
	for b, err := range blocks {
		if err != nil {
			t.Fatal(err)
		}
		b.Events = bytes.Clone(b.Events)
		kept = append(kept, b)
	}
	return kept
}

// texts are a block's events.
func texts(b Block) []string {
	var s []string
	for _, event := range Events(b) {
		s = append(s, string(event))
	}
	return s
}

// checkChain fails where blocks do not follow one another from block 1 on.
func checkChain(t testing.TB, blocks []Block) {
	t.Helper()
	var prev Block
	for _, b := range blocks {
		if b.Number != prev.Number+1 || b.Prev != prev.Hash || b.AtMS < prev.AtMS || b.Hash == (Hash{}) {
			t.Fatalf("block %d does not follow block %d", b.Number, prev.Number)
		}
		prev = b
	}
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	files := vfs.NewMem()
	j := start(t, files)
	write(t, j, []byte("one"), nil, []byte("three"))
	write(t, j, bytes.Repeat([]byte("x"), 127), bytes.Repeat([]byte("y"), 128))
	blocks := keep(t, j.Blocks(1))
	checkChain(t, blocks)
	if got := texts(blocks[0]); !slices.Equal(got, []string{"one", "", "three"}) {
		t.Errorf("block 1 holds %q", got)
	}
	if got := texts(blocks[1]); len(got) != 2 || got[0] != strings.Repeat("x", 127) || got[1] != strings.Repeat("y", 128) {
		t.Errorf("block 2 holds %q", got)
	}
	if head := j.Head(); head != (Head{Block: 2, Hash: blocks[1].Hash}) {
		t.Errorf("the head is %+v", head)
	}
	stop(t, j)

	again := start(t, files)
	if !slices.EqualFunc(keep(t, again.Blocks(1)), blocks, sameBlock) {
		t.Error("after a restart other blocks are read")
	}
	write(t, again, []byte("four"))
	checkChain(t, keep(t, again.Blocks(1)))
}

func sameBlock(a, b Block) bool {
	return a.Number == b.Number && a.Hash == b.Hash && a.Count == b.Count && bytes.Equal(a.Events, b.Events)
}

func TestEventsOfEveryLengthComeBack(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 129, 415, 416, 417, 447, 448, 449, 954, 955, 956, 957, 1400} {
		j := start(t, vfs.NewMem())
		g, err := j.Lock()
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			g.Begin()
			g.Events = append(g.Events, bytes.Repeat([]byte{byte(i)}, n/(i+1))...)
			if got := g.End(); got != i {
				t.Errorf("event %d is told index %d", i, got)
			}
		}
		j.Unlock()
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		got := texts(keep(t, j.Blocks(1))[0])
		if len(got) != 2 || got[0] != string(make([]byte, n)) || got[1] != strings.Repeat("\x01", n/2) {
			t.Errorf("events of %d bytes come back as %q", n, got)
		}
	}
}

func TestTimeNeverGoesBack(t *testing.T) {
	files := vfs.NewMem()
	j := start(t, files)
	at := func(ms int64) {
		g, err := j.Lock()
		if err != nil {
			t.Fatal(err)
		}
		g.Begin()
		g.End()
		g.AtMS = max(g.AtMS, ms)
		j.Unlock()
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	at(1000)
	at(400)
	stop(t, j)
	j = start(t, files)
	at(500)
	for _, b := range keep(t, j.Blocks(1)) {
		if b.AtMS != 1000 {
			t.Errorf("block %d is stamped %d", b.Number, b.AtMS)
		}
	}
}

func TestManySegments(t *testing.T) {
	files := vfs.NewMem()
	j := start(t, files)
	event := bytes.Repeat([]byte("e"), j.JoinMax()-2)
	for range 100 {
		write(t, j, event)
	}
	if n := j.Stats().Segments; n < 10 {
		t.Errorf("100 blocks of %d bytes make %d segments", len(event), n)
	}
	checkChain(t, keep(t, j.Blocks(1)))
	for from := range uint64(103) {
		blocks := keep(t, j.Blocks(from))
		if want := min(100, 101-int(from)); len(blocks) != max(0, want) {
			t.Errorf("from block %d on there are %d blocks", from, len(blocks))
		}
	}
	stop(t, j)
	j = start(t, files)
	if j.Head().Block != 100 {
		t.Errorf("after a restart the head is %d", j.Head().Block)
	}
	blocks := keep(t, Read(files, dir, 50))
	if len(blocks) != 51 || blocks[0].Number != 50 {
		t.Errorf("read from block 50 on: %d blocks", len(blocks))
	}
}

func TestEmptyJournal(t *testing.T) {
	files := vfs.NewMem()
	for range 2 {
		j := start(t, files)
		if j.Head() != (Head{}) || len(keep(t, j.Blocks(1))) != 0 {
			t.Errorf("the head of an empty journal is %+v", j.Head())
		}
		if err := j.Sync(); err != nil {
			t.Error(err)
		}
		stop(t, j)
	}
	if len(keep(t, Read(files, dir, 1))) != 0 {
		t.Error("an empty journal has blocks")
	}
}

func TestCallersShareGroups(t *testing.T) {
	const callers, each = 50, 40
	var handed []Block
	j := start(t, vfs.NewMem(), func(o *Options) {
		o.Durable = func(b Block) { handed = append(handed, b) }
	})
	var tasks sync.WaitGroup
	for c := range callers {
		tasks.Go(func() {
			for i := range each {
				g := join(t, j, fmt.Appendf(nil, "%d/%d", c, i))
				wait := g.Wait
				if i%2 == 0 {
					wait = func() error { return j.Wait(g.Block) }
				}
				if err := wait(); err != nil || j.Head().Block < g.Block {
					t.Errorf("block %d: told %v while the head is %d", g.Block, err, j.Head().Block)
				}
			}
		})
	}
	tasks.Wait()
	stop(t, j)
	if s := j.Stats(); s.Events != callers*each || s.Groups != j.Head().Block || s.Groups == s.Events {
		t.Errorf("stats are %+v", s)
	}
	checkChain(t, handed)
	if !slices.EqualFunc(keep(t, j.Blocks(1)), handed, sameBlock) {
		t.Error("Durable was given other blocks than are on disk")
	}
	seen := map[string]bool{}
	for _, b := range handed {
		for _, s := range texts(b) {
			seen[s] = true
		}
	}
	if len(seen) != callers*each {
		t.Errorf("%d of %d events are there", len(seen), callers*each)
	}
}

func TestCloseMakesDurableWhatWasJoined(t *testing.T) {
	files := vfs.NewCrashableMem()
	j := start(t, files)
	g := join(t, j, []byte("last"))
	stop(t, j)
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := j.Lock(); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed journal answers %v", err)
	}
	stop(t, j)
	if blocks := keep(t, Read(files.CrashClone(vfs.CrashCloneCfg{}), dir, 1)); len(blocks) != 1 {
		t.Errorf("%d blocks are durable", len(blocks))
	}
}

func TestWaitForABlockNotBegun(t *testing.T) {
	j := start(t, vfs.NewMem())
	write(t, j, []byte("one"))
	for block, fails := range []bool{false, false, true, true} {
		if err := j.Wait(uint64(block)); (err != nil) != fails {
			t.Errorf("waiting for block %d: %v", block, err)
		}
	}
}

func TestVerifyFromACheckpoint(t *testing.T) {
	files := vfs.NewMem()
	j := start(t, files)
	for range 60 {
		write(t, j, bytes.Repeat([]byte("e"), 700))
	}
	blocks := keep(t, j.Blocks(1))
	stop(t, j)
	flipEvent(t, files, blocks, 20)

	for _, row := range []struct {
		name   string
		verify uint64
		hash   Hash
		want   error
	}{
		{"everything is verified", 0, Hash{}, ErrDamaged},
		{"the damage is in the block that vouches", 21, blocks[19].Hash, ErrDamaged},
		{"the damage is before the block that vouches", 22, blocks[20].Hash, nil},
		{"the last block vouches", 61, blocks[59].Hash, nil},
		{"the hash is another", 40, blocks[1].Hash, ErrDamaged},
		{"the block that vouches is not there", 62, blocks[59].Hash, ErrBehind},
		{"the block that vouches is far away", 1000, blocks[59].Hash, ErrBehind},
	} {
		t.Run(row.name, func(t *testing.T) {
			j, err := tryStart(files, func(o *Options) { o.Verify, o.VerifyHash = row.verify, row.hash })
			if !errors.Is(err, row.want) {
				t.Fatalf("Open: %v", err)
			}
			if err == nil {
				stop(t, j)
			}
		})
	}
	if _, err := tryStart(vfs.NewMem(), func(o *Options) { o.Verify = 2 }); !errors.Is(err, ErrBehind) {
		t.Errorf("an empty folder that should hold block 1: %v", err)
	}
}

func TestBlocksFindsDamageThatOpenDidNotLookFor(t *testing.T) {
	files := vfs.NewMem()
	j := start(t, files)
	for range 60 {
		write(t, j, bytes.Repeat([]byte("e"), 700))
	}
	blocks := keep(t, j.Blocks(1))
	flipEvent(t, files, blocks, 20)
	for _, read := range []iter.Seq2[Block, error]{j.Blocks(10), Read(files, dir, 10)} {
		var last uint64
		var failure error
		for b, err := range read {
			if err != nil {
				failure = err
				break
			}
			last = b.Number
		}
		if last != 19 || !errors.Is(failure, ErrDamaged) || !strings.Contains(failure.Error(), "block 20 in ") {
			t.Errorf("after block %d: %v", last, failure)
		}
	}
	if got := keep(t, j.Blocks(21)); len(got) != 40 {
		t.Errorf("behind the damage %d blocks are read", len(got))
	}
}

// flipEvent changes a byte in the events of a block.
func flipEvent(t testing.TB, files vfs.FS, blocks []Block, number uint64) {
	t.Helper()
	segments, err := list(files, dir)
	if err != nil {
		t.Fatal(err)
	}
	at := len(segments) - 1
	for segments[at].First > number {
		at--
	}
	off := segmentHeaderBytes
	for _, b := range blocks[segments[at].First-1 : number-1] {
		off += blockBytes(len(b.Events))
	}
	change(t, files, segments[at].Name, func(raw []byte) { raw[off+100] ^= 1 })
}

// change edits a segment file at rest.
func change(t testing.TB, files vfs.FS, name string, edit func(raw []byte)) {
	t.Helper()
	raw := content(t, files, name)
	edit(raw)
	f, err := files.OpenReadWrite(files.PathJoin(dir, name), vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := writeSynced(f, raw, 0); err != nil {
		t.Fatal(err)
	}
}

// content is a copy of a segment file.
func content(t testing.TB, files vfs.FS, name string) []byte {
	t.Helper()
	path := files.PathJoin(dir, name)
	info, err := files.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := files.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	raw := make([]byte, info.Size())
	if _, err := f.ReadAt(raw, 0); err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestReadingWhileAppending(t *testing.T) {
	const readers, blocks = 3, 400
	more := make([]chan struct{}, readers)
	for i := range more {
		more[i] = make(chan struct{}, blocks)
	}
	j := start(t, vfs.NewMem(), func(o *Options) {
		o.Durable = func(Block) {
			for _, c := range more {
				c <- struct{}{}
			}
		}
	})
	var tasks sync.WaitGroup
	for _, c := range more {
		tasks.Go(func() {
			next := uint64(1)
			for range blocks {
				<-c
				for b, err := range j.Blocks(next) {
					if err != nil || b.Number != next || b.Number > j.Head().Block {
						t.Errorf("block %d is read in place of block %d, the head is %d: %v", b.Number, next, j.Head().Block, err)
						return
					}
					next++
				}
			}
			if got := len(keep(t, j.Blocks(next))); next+uint64(got) < blocks {
				t.Errorf("%d blocks are read", next)
			}
		})
	}
	for i := range blocks {
		write(t, j, bytes.Repeat([]byte("e"), i))
	}
	tasks.Wait()
}

func TestBlocksGoesOnToWhatBecomesDurableMeanwhile(t *testing.T) {
	const blocks = 50
	j := start(t, vfs.NewMem())
	event := bytes.Repeat([]byte("e"), 700)
	write(t, j, event)
	seen := 0
	for b, err := range j.Blocks(1) {
		if err != nil {
			t.Fatal(err)
		}
		if seen++; b.Number < blocks {
			write(t, j, event)
		}
	}
	if seen != blocks {
		t.Errorf("%d blocks are read", seen)
	}
}

func TestTooMuchAtOnceBreaks(t *testing.T) {
	var cause error
	j := start(t, vfs.NewMem(), func(o *Options) { o.Broken = func(err error) { cause = err } })
	g := join(t, j, make([]byte, small))
	if err := g.Wait(); !errors.Is(err, ErrUnknown) {
		t.Errorf("told %v", err)
	}
	if err := j.Close(); !errors.Is(err, ErrBroken) || !errors.Is(cause, ErrBroken) {
		t.Errorf("closed with %v, Broken was told %v", err, cause)
	}
}

func TestOptionsOutOfBounds(t *testing.T) {
	for _, set := range []func(*Options){
		func(o *Options) { o.SegmentBytes = 8 << 10 },
		func(o *Options) { o.SegmentBytes = 2 << 30 },
		func(o *Options) { o.SegmentBytes = 64<<10 + 1 },
		func(o *Options) { o.StallTimeout = -1 },
	} {
		if _, err := tryStart(vfs.NewMem(), set); err == nil || !strings.Contains(err.Error(), "allowed") {
			t.Errorf("Open: %v", err)
		}
	}
}

func TestOnARealDisk(t *testing.T) {
	o := Options{Dir: t.TempDir() + "/a/b", SegmentBytes: 64 << 10, Logger: slog.New(slog.DiscardHandler)}
	for range 3 {
		j, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		for range 40 {
			write(t, j, bytes.Repeat([]byte("e"), 1000))
		}
		stop(t, j)
	}
	blocks := keep(t, Read(vfs.Default, o.Dir, 1))
	checkChain(t, blocks)
	if len(blocks) != 120 {
		t.Errorf("%d blocks are there", len(blocks))
	}
}
