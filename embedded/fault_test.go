package embedded

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"hongbao"
)

// disk is a file system whose power can be cut and that can be made to fail.
type disk struct {
	*vfs.MemFS
	fault atomic.Pointer[func(errorfs.Op) error]
}

func newDisk() *disk { return &disk{MemFS: vfs.NewCrashableMem()} }

// files is the disk as an engine sees it.
func (d *disk) files() vfs.FS {
	return errorfs.Wrap(d.MemFS, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if fault := d.fault.Load(); fault != nil {
			return (*fault)(op)
		}
		return nil
	}))
}

// fail makes operations of these kinds fail on paths that contain a text.
func (d *disk) fail(with error, path string, kinds ...errorfs.OpKind) {
	fault := func(op errorfs.Op) error {
		for _, kind := range kinds {
			if op.Kind == kind && strings.Contains(op.Path, path) {
				return with
			}
		}
		return nil
	}
	d.fault.Store(&fault)
}

func (d *disk) heal() { d.fault.Store(nil) }

var errDisk = errors.New("the disk is on fire")

// breakable opens an engine that may break; what it is told goes to the channel.
func breakable(t *testing.T, d *disk) (*Engine, chan error) {
	t.Helper()
	o := options(t, d.files(), "data", start)
	broken := make(chan error, 10)
	o.Broken = func(err error) { broken <- err }
	e, err := Open(o)
	if err != nil {
		t.Fatal("open:", err)
	}
	return e, broken
}

// within fails the test when something takes longer than twenty seconds.
func within(t *testing.T, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s hangs", what)
	}
}

// brokenOnce waits until the owner is told, and checks that the engine takes nothing more and closes.
func brokenOnce(t *testing.T, e *Engine, broken chan error, campaign uint32) {
	t.Helper()
	select {
	case err := <-broken:
		t.Log("told:", err)
	case <-time.After(20 * time.Second):
		t.Fatal("nobody was told")
	}
	if r, err := e.Snatch(t.Context(), hongbao.SnatchRequest{Campaign: campaign, UID: 999, Key: "after", Now: start + 1000}); !errors.Is(err, hongbao.ErrBusy) {
		t.Errorf("after the break a snatch is told %s, %v", r.Status, err)
	}
	if e.Health().Err == nil {
		t.Error("the engine feels well")
	}
	within(t, "closing", func() { e.Close() })
	if len(broken) > 0 {
		t.Error("told again:", <-broken)
	}
}

// TestAFailedJournalIsTheEnd keeps G4: with the journal's disk gone everyone who waits is told unknown, and nobody
// anything afterwards. What was unknown may be there or not, whatever of it the disk kept.
func TestAFailedJournalIsTheEnd(t *testing.T) {
	for name, kind := range map[string]errorfs.OpKind{"write": errorfs.OpFileWriteAt, "sync": errorfs.OpFileSyncData} {
		t.Run(name, func(t *testing.T) {
			rng := random(t)
			d := newDisk()
			e, broken := breakable(t, d)
			c := rain(t, e, "burning", 1000, 0)
			told := newTold()
			told.crashAfter(1 << 30)
			for i := range 20 {
				r := snatch(t, e, c.ID, uint64(i), "before")
				told.win(c.ID, uint64(i), &r, "before")
			}
			d.fail(errDisk, "data/journal/", kind)
			var crowd sync.WaitGroup
			for i := range 50 {
				crowd.Go(func() { burn(t, e, c.ID, uint64(i), told) })
			}
			within(t, "the crowd", crowd.Wait)
			brokenOnce(t, e, broken, c.ID)
			for range 10 {
				kept := d.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
				after := openData(t, kept, start+2000)
				told.check(t, checkTruth(t, after))
				for i := range 50 {
					if r := snatch(t, after, c.ID, uint64(i), "during"); r.Status != hongbao.Won {
						t.Errorf("player %d asks again and is told %s", i, r.Status)
					}
				}
				checkTruth(t, after)
			}
		})
	}
}

// burn snatches and opens on a disk that fails: nothing but unknown and busy may be told.
func burn(t *testing.T, e *Engine, campaign uint32, uid uint64, told *told) {
	r, err := e.Snatch(t.Context(), hongbao.SnatchRequest{Campaign: campaign, UID: uid, Key: "during", Now: start + 1000})
	if !errors.Is(err, hongbao.ErrUnknown) && !errors.Is(err, hongbao.ErrBusy) {
		t.Errorf("snatch: %s, %v", r.Status, err)
	}
	if won, ok := told.wins[hongbao.NewEnvelopeID(campaign, uid)]; ok {
		_, err = e.Open(t.Context(), hongbao.OpenRequest{UID: won.uid, Envelope: hongbao.NewEnvelopeID(campaign, uid), Now: start + 1000})
		if !errors.Is(err, hongbao.ErrUnknown) && !errors.Is(err, hongbao.ErrBusy) {
			t.Errorf("open: %v", err)
		}
	}
}

// Whatever Pebble can't write, in whichever of its goroutines, stops the engine; and closing it does not hang.
func TestFailedViewsAreTheEnd(t *testing.T) {
	for name, fail := range map[string]func(*disk){
		"a table can't be made":    func(d *disk) { d.fail(errDisk, ".sst", errorfs.OpCreate) },
		"a table can't be written": func(d *disk) { d.fail(errDisk, ".sst", errorfs.OpFileWrite) },
		"a table can't be synced": func(d *disk) {
			d.fail(errDisk, ".sst", errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo)
		},
		"the manifest can't be written": func(d *disk) { d.fail(errDisk, "MANIFEST", errorfs.OpFileWrite) },
		"the manifest can't be synced":  func(d *disk) { d.fail(errDisk, "MANIFEST", errorfs.OpFileSync) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDisk()
			e, broken := breakable(t, d)
			c := rain(t, e, "burning", 1000, 0)
			told := newTold()
			for i := range 50 {
				r := snatch(t, e, c.ID, uint64(i), "before")
				told.win(c.ID, uint64(i), &r, "before")
			}
			if err := e.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			fail(d)
			within(t, "flushing", func() {
				if err := e.views.flush(); !errors.Is(err, hongbao.ErrBroken) {
					t.Error("flush:", err)
				}
			})
			within(t, "waiting for the views", func() {
				if err := e.feeder.wait(1 << 40); !errors.Is(err, hongbao.ErrBroken) {
					t.Error("wait:", err)
				}
			})
			brokenOnce(t, e, broken, c.ID)
			d.heal() // Pebble still tries
			after := openData(t, d.CrashClone(vfs.CrashCloneCfg{}), start+2000)
			told.check(t, checkTruth(t, after))
		})
	}
}

func TestClosingOntoAFullDiskEnds(t *testing.T) {
	d := newDisk()
	e, broken := breakable(t, d)
	c := rain(t, e, "full", 1000, 0)
	r := snatch(t, e, c.ID, 7, "k")
	told := newTold()
	told.win(c.ID, 7, &r, "k")
	d.fail(syscall.ENOSPC, "views", errorfs.OpCreate, errorfs.OpFileWrite)
	within(t, "closing", func() {
		if err := e.Close(); !errors.Is(err, syscall.ENOSPC) {
			t.Error("close:", err)
		}
	})
	if err := <-broken; !errors.Is(err, syscall.ENOSPC) {
		t.Error("told:", err)
	}
	d.heal() // Pebble still tries
	told.check(t, checkTruth(t, openData(t, d.CrashClone(vfs.CrashCloneCfg{}), start+2000)))
}

func TestStartingOnABadDiskIsAnErrorNotAHang(t *testing.T) {
	for _, path := range []string{"data/journal", "MANIFEST", "OPTIONS", "marker", "secret", "LOCK"} {
		for name, kinds := range map[string][]errorfs.OpKind{
			"made": {errorfs.OpCreate, errorfs.OpLock}, "written": {errorfs.OpFileWrite, errorfs.OpFileWriteAt},
			"synced": {errorfs.OpFileSync, errorfs.OpFileSyncData}, "renamed": {errorfs.OpRename},
		} {
			t.Run(path+" can't be "+name, func(t *testing.T) {
				d := newDisk()
				d.fail(errDisk, path, kinds...)
				within(t, "opening", func() {
					o := options(t, d.files(), "data", start)
					o.Broken = nil
					if e, err := Open(o); err == nil {
						e.Close() // it had no need of that
					} else if !errors.Is(err, errDisk) && !strings.Contains(err.Error(), errDisk.Error()) {
						t.Error("open:", err)
					}
				})
				d.heal()
				openData(t, d.CrashClone(vfs.CrashCloneCfg{}), start)
			})
		}
	}
}

// TestAFullDiskIsBusy: while the next segment can't be made, nothing is accepted and nothing has happened; when there
// is space again, play goes on.
func TestAFullDiskIsBusy(t *testing.T) {
	d := newDisk()
	e := openData(t, d.files(), start)
	c := rain(t, e, "full", 100_000, 0)
	d.fail(syscall.ENOSPC, "next.tmp", errorfs.OpFilePreallocate)
	won, err := uint64(0), error(nil)
	for err == nil {
		_, err = e.Snatch(t.Context(), hongbao.SnatchRequest{Campaign: c.ID, UID: won, Key: "k", Now: start + 1000})
		if err == nil {
			won++
		}
	}
	if !errors.Is(err, hongbao.ErrBusy) || errors.Is(err, hongbao.ErrUnknown) {
		t.Fatal("on a full disk a snatch is told", err)
	}
	for name, ask := range map[string]func() error{
		"open": func() error {
			_, err := e.Open(t.Context(), hongbao.OpenRequest{UID: 0, Envelope: hongbao.NewEnvelopeID(c.ID, 0), Now: start + 1000})
			return err
		},
		"sign-up": func() error {
			_, err := e.SignUp(t.Context(), hongbao.SignUpRequest{Campaign: c.ID, UIDs: []uint64{1, 2}, Now: start + 1000})
			return err
		},
		"cancel": func() error {
			_, err := e.Put(t.Context(), hongbao.Change{At: start + 1000, Actor: "test", Campaign: c.ID, Cancel: true})
			return err
		},
		"refund": func() error {
			_, err := e.Refund(t.Context(), start+100*24*60*60_000, 10)
			return err
		},
	} {
		if err := ask(); !errors.Is(err, hongbao.ErrBusy) {
			t.Errorf("on a full disk, %s: %v", name, err)
		}
	}
	if l := checkTruth(t, e); l.progress[c.ID].Taken.Count != won {
		t.Errorf("%d wins were told, the journal has %d", won, l.progress[c.ID].Taken.Count)
	}
	d.heal()
	deadline := time.Now().Add(20 * time.Second)
	for err != nil && time.Now().Before(deadline) {
		_, err = e.Snatch(t.Context(), hongbao.SnatchRequest{Campaign: c.ID, UID: won, Key: "k", Now: start + 1000})
	}
	if err != nil {
		t.Error("with space again:", err)
	}
	checkTruth(t, e)
}

// stall makes syncs of the journal wait until release is called.
func (d *disk) stall() (release func()) {
	held := make(chan struct{})
	fault := func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileSyncData && strings.Contains(op.Path, "data/journal/") {
			<-held
		}
		return nil
	}
	d.fault.Store(&fault)
	return sync.OnceFunc(func() { close(held) })
}

// TestAStalledDiskIsUnknown: who waits longer than five seconds is told unknown, who comes then busy; and when the disk
// comes back, so does play, with what was unknown known by its key.
func TestAStalledDiskIsUnknown(t *testing.T) {
	t.Parallel()
	d := newDisk()
	e := openData(t, d.files(), start)
	c := rain(t, e, "slow", 1000, 1)
	release := d.stall()
	defer release()
	began := time.Now()
	var crowd sync.WaitGroup
	for i := range 20 {
		crowd.Go(func() {
			if r, err := e.Snatch(t.Context(), hongbao.SnatchRequest{Campaign: c.ID, UID: uint64(i), Key: "k", Now: start + 1000}); !errors.Is(err, hongbao.ErrUnknown) {
				t.Errorf("player %d is told %s, %v", i, r.Status, err)
			}
		})
	}
	within(t, "the crowd", crowd.Wait)
	if waited := time.Since(began); waited < 4*time.Second || waited > 10*time.Second {
		t.Errorf("they waited %s", waited)
	}
	if r, err := e.Snatch(t.Context(), hongbao.SnatchRequest{Campaign: c.ID, UID: 100, Key: "k", Now: start + 1000}); !errors.Is(err, hongbao.ErrBusy) {
		t.Errorf("who comes then is told %s, %v", r.Status, err)
	}
	if r, err := e.Snatch(t.Context(), hongbao.SnatchRequest{Campaign: c.ID, UID: 3, Key: "other", Now: start + 1000}); !errors.Is(err, hongbao.ErrUnknown) {
		t.Errorf("that a limit is reached rests on an unknown win, and is told as %s, %v", r.Status, err)
	}
	release()
	for i := range 20 {
		r, err := hongbao.SnatchResult{}, hongbao.ErrBusy
		for errors.Is(err, hongbao.ErrBusy) || errors.Is(err, hongbao.ErrUnknown) {
			r, err = e.Snatch(t.Context(), hongbao.SnatchRequest{Campaign: c.ID, UID: uint64(i), Key: "k", Now: start + 1000})
		}
		if err != nil || r.Status != hongbao.Won || r.Wins != 1 {
			t.Errorf("player %d asks again and is told %s, %v", i, r.Status, err)
		}
	}
	checkTruth(t, e)
}

// TestThatARecordIsStaleRestsOnWhatIsDurable: what came between and may yet be lost is told to nobody, not even as a refusal.
func TestThatARecordIsStaleRestsOnWhatIsDurable(t *testing.T) {
	t.Parallel()
	d := newDisk()
	e := openData(t, d.files(), start)
	release := d.stall()
	defer release()
	record := func(data string) error {
		_, err := e.Record(t.Context(), hongbao.Event{At: start + 1000, Name: "n", Data: []byte(data)}, &hongbao.Event{})
		return err
	}
	var first sync.WaitGroup
	first.Go(func() {
		if err := record("first"); !errors.Is(err, hongbao.ErrUnknown) {
			t.Errorf("on a stalled disk it is told %v", err)
		}
	})
	hasJoined := func() bool {
		e.latest.mu.Lock()
		defer e.latest.mu.Unlock()
		return len(e.latest.joined) > 0
	}
	for !hasJoined() {
		runtime.Gosched()
	}
	within(t, "the second", func() {
		if err := record("second"); !errors.Is(err, hongbao.ErrBusy) {
			t.Errorf("behind one that is not durable it is told %v", err)
		}
	})
	within(t, "the first", first.Wait)
	release()
	err := hongbao.ErrBusy
	for errors.Is(err, hongbao.ErrBusy) {
		err = record("second")
	}
	if got, notFound := e.Recorded(t.Context(), "n"); !errors.Is(err, hongbao.ErrStale) || notFound != nil || string(got.Data) != "first" {
		t.Errorf("when the disk is back it is told %v, and the latest is %+v, %v", err, got, notFound)
	}
}

// TestAChangeWhoseOutcomeIsUnknownIsTheEnd: memory would go on by rules that are not the journal's.
func TestAChangeWhoseOutcomeIsUnknownIsTheEnd(t *testing.T) {
	for name, change := range map[string]func(id uint32) hongbao.Change{
		"create": func(uint32) hongbao.Change { return hongbao.Change{Create: rulesOf("second", 10)} },
		"revise": func(id uint32) hongbao.Change {
			count, totalFen := uint64(500), int64(100_000)
			return hongbao.Change{Campaign: id, Revise: &hongbao.Patch{Budget: &hongbao.BudgetPatch{Count: &count, TotalFen: &totalFen}}}
		},
		"cancel": func(id uint32) hongbao.Change { return hongbao.Change{Campaign: id, Cancel: true} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDisk()
			e, broken := breakable(t, d)
			c := rain(t, e, "slow", 1000, 0)
			release := d.stall()
			defer release()
			change := change(c.ID)
			change.At, change.Actor = start+1000, "test"
			if _, err := e.Put(t.Context(), change); !errors.Is(err, hongbao.ErrUnknown) {
				t.Error("put:", err)
			}
			release() // it may yet become durable
			d.heal()
			brokenOnce(t, e, broken, c.ID)
			after := openData(t, d.CrashClone(vfs.CrashCloneCfg{}), start+2000)
			checkTruth(t, after)
			if _, err := after.Put(t.Context(), change); err != nil && !errors.Is(err, hongbao.ErrNameTaken) {
				t.Error("asked again:", err)
			}
			snatch(t, after, c.ID, 1, "k")
			checkTruth(t, after)
		})
	}
}

func TestALargeRecordIsRefused(t *testing.T) {
	e := openData(t, vfs.NewMem(), start)
	for _, size := range []int{e.recordMax() - 1, e.recordMax(), e.recordMax() + 1, 1 << 20} {
		_, err := e.Record(t.Context(), hongbao.Event{At: start, Name: "n", Data: make([]byte, size-1)}, nil)
		if fits := size <= e.recordMax(); fits != (err == nil) || !fits && !errors.Is(err, hongbao.ErrInvalid) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	for _, name := range []string{zoneEvent, checkpointEvent} {
		if _, err := e.Record(t.Context(), hongbao.Event{At: start, Name: name, Data: []byte("Europe/Berlin")}, nil); !errors.Is(err, hongbao.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range 100 {
		rain(t, e, fmt.Sprint("many-", i), 10, 0)
	}
	if err := e.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := e.writeCheckpoint(e.feeder.checkpoint()); err != nil {
		t.Error("a checkpoint of a hundred campaigns:", err)
	}
	checkTruth(t, e)
}
