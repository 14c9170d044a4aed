package journal

import (
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// failing is a file system on which one kind of operation fails while the toggle is on.
func failing(kind errorfs.OpKind, with error) (vfs.FS, *errorfs.Toggle) {
	toggle := &errorfs.Toggle{Injector: errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == kind {
			return with
		}
		return nil
	})}
	return errorfs.Wrap(vfs.NewMem(), toggle), toggle
}

func TestAFailedWriteBreaksTheJournal(t *testing.T) {
	for name, kind := range map[string]errorfs.OpKind{"write": errorfs.OpFileWriteAt, "sync": errorfs.OpFileSyncData} {
		t.Run(name, func(t *testing.T) {
			files, disk := failing(kind, io.ErrNoProgress)
			var told []error
			j := start(t, files, func(o *Options) { o.Broken = func(err error) { told = append(told, err) } })
			write(t, j, []byte("before"))
			disk.On()
			var tasks sync.WaitGroup
			for range 20 {
				tasks.Go(func() {
					g, err := j.Lock()
					if err != nil {
						if !errors.Is(err, ErrBroken) {
							t.Errorf("Lock: %v", err)
						}
						return
					}
					g.Begin()
					g.End()
					j.Unlock()
					if err := g.Wait(); !errors.Is(err, ErrUnknown) || !errors.Is(err, io.ErrNoProgress) {
						t.Errorf("Wait: %v", err)
					}
				})
			}
			tasks.Wait()
			disk.Off()
			if _, err := j.Lock(); !errors.Is(err, ErrBroken) {
				t.Errorf("after the disk is well again, Lock: %v", err)
			}
			for _, err := range []error{j.Wait(2), j.Sync()} {
				if !errors.Is(err, ErrUnknown) {
					t.Errorf("waiting after the break: %v", err)
				}
			}
			if err := j.Close(); !errors.Is(err, ErrBroken) {
				t.Errorf("Close: %v", err)
			}
			if len(told) != 1 || !errors.Is(told[0], ErrBroken) || j.Head().Block != 1 {
				t.Errorf("Broken was told %v, the head is %d", told, j.Head().Block)
			}
		})
	}
}

// A block whose sync failed is read after a restart, from memory: Open must not go on from it before it is on disk.
func TestOpenMakesItsLastBlockDurable(t *testing.T) {
	disk := vfs.NewCrashableMem()
	failSync := &errorfs.Toggle{Injector: errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileSyncData {
			return io.ErrNoProgress
		}
		return nil
	})}
	j := start(t, errorfs.Wrap(disk, failSync))
	write(t, j, []byte("durable"))
	failSync.On()
	if err := join(t, j, []byte("perhaps")).Wait(); !errors.Is(err, ErrUnknown) {
		t.Errorf("Wait: %v", err)
	}
	j.Close()
	if n := len(keep(t, Read(disk.CrashClone(vfs.CrashCloneCfg{}), dir, 1))); n != 1 {
		t.Fatalf("%d blocks are on disk", n)
	}
	if head := start(t, disk).Head(); head.Block != 2 {
		t.Fatalf("the head is %d", head.Block)
	}
	if n := len(keep(t, Read(disk.CrashClone(vfs.CrashCloneCfg{}), dir, 1))); n != 2 {
		t.Errorf("after Open %d blocks are on disk", n)
	}
}

func TestOpenFailsWhenItCannotMend(t *testing.T) {
	for name, kind := range map[string]errorfs.OpKind{
		"read": errorfs.OpFileReadAt, "write": errorfs.OpFileWriteAt, "sync": errorfs.OpFileSyncData, "sync of the folder": errorfs.OpFileSync,
		"list": errorfs.OpList, "open": errorfs.OpOpen,
	} {
		t.Run(name, func(t *testing.T) {
			files, disk := failing(kind, io.ErrNoProgress)
			j := start(t, files)
			write(t, j, nil)
			stop(t, j)
			disk.On()
			if _, err := tryStart(files); !errors.Is(err, io.ErrNoProgress) || errors.Is(err, ErrDamaged) {
				t.Errorf("Open: %v", err)
			}
		})
	}
}

func TestAFullDiskRefusesAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		files, disk := failing(errorfs.OpFilePreallocate, syscall.ENOSPC)
		j := start(t, files)
		disk.On()
		written := uint64(0)
		for {
			g, err := j.Lock()
			if errors.Is(err, ErrFull) && errors.Is(err, syscall.ENOSPC) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			g.Begin()
			g.Events = append(g.Events, make([]byte, 300)...)
			g.End()
			j.Unlock()
			if err := g.Wait(); err != nil {
				t.Fatalf("a group that was joined: %v", err)
			}
			written++
		}
		if j.Head().Block != written || written < 5 {
			t.Errorf("%d blocks were told, the head is %d", written, j.Head().Block)
		}
		disk.Off()
		time.Sleep(retryPause + time.Millisecond)
		for range 4 {
			write(t, j, make([]byte, 1500))
		}
		if j.Stats().Segments != 2 {
			t.Errorf("there are %d segments", j.Stats().Segments)
		}
		stop(t, j)
	})
}

// Whoever was let into a group has room, whatever the others joined and however often the disk is full.
func TestAJoinedGroupAlwaysFits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries atomic.Int64
		j := start(t, errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
			switch {
			case op.Kind == errorfs.OpFilePreallocate && tries.Add(1)%3 == 2:
				return syscall.ENOSPC
			case op.Kind == errorfs.OpFileSyncData:
				time.Sleep(time.Millisecond)
			}
			return nil
		})))
		var refused atomic.Int64
		var tasks sync.WaitGroup
		for caller := range 60 {
			tasks.Go(func() {
				for i := range 100 {
					g, err := j.Lock()
					if errors.Is(err, ErrFull) {
						refused.Add(1)
						time.Sleep(retryPause)
						continue
					}
					if err != nil {
						t.Errorf("Lock: %v", err)
						return
					}
					g.Begin()
					g.Events = append(g.Events, make([]byte, (j.JoinMax()-2)>>((caller+i)%3))...)
					g.End()
					j.Unlock()
					if err := g.Wait(); err != nil {
						t.Errorf("Wait: %v", err)
						return
					}
				}
			})
		}
		tasks.Wait()
		if refused.Load() == 0 || j.Stats().Segments < 20 {
			t.Errorf("%d callers were refused, there are %d segments", refused.Load(), j.Stats().Segments)
		}
		checkChain(t, keep(t, j.Blocks(1)))
		stop(t, j)
	})
}

func TestAStalledDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stalled atomic.Bool
		release := make(chan struct{})
		files := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
			if op.Kind == errorfs.OpFileSyncData && stalled.Load() {
				<-release
			}
			return nil
		}))
		j := start(t, files)
		stalled.Store(true)
		began := time.Now()
		first := join(t, j, []byte("first"))
		synctest.Wait()
		second := join(t, j, []byte("second"))
		for _, g := range []*Group{first, second} {
			if err := g.Wait(); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "not durable after 5s") {
				t.Errorf("block %d: %v", g.Block, err)
			}
		}
		if waited := time.Since(began); waited < 5*time.Second || waited > 6*time.Second {
			t.Errorf("told after %s", waited)
		}
		if _, err := j.Lock(); !errors.Is(err, ErrStalled) {
			t.Errorf("Lock: %v", err)
		}

		stalled.Store(false)
		close(release)
		synctest.Wait()
		if j.Head().Block != 2 || j.Wait(1) != nil || j.Wait(2) != nil {
			t.Errorf("after the stall the head is %d", j.Head().Block)
		}
		write(t, j, []byte("third"))
		stop(t, j)
	})
}

// A group that has all it can take takes no more: callers wait for the next one, and are told when there will be none.
func TestAFullGroupIsWaitedFor(t *testing.T) {
	for name, outcome := range map[string]error{"the disk goes on": nil, "the disk fails": io.ErrNoProgress} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { fillGroup(t, outcome) })
		})
	}
}

func fillGroup(t *testing.T, outcome error) {
	var held atomic.Bool
	release := make(chan struct{})
	j := start(t, errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileSyncData && held.Load() {
			<-release
			return outcome
		}
		return nil
	})))
	held.Store(true)
	first := join(t, j, []byte("first"))
	synctest.Wait()
	var tasks sync.WaitGroup
	for range 20 {
		tasks.Go(func() {
			g, err := j.Lock()
			if err == nil {
				g.Begin()
				g.Events = append(g.Events, make([]byte, j.JoinMax()-2)...)
				g.End()
				j.Unlock()
				err = g.Wait()
			}
			if !errors.Is(err, outcome) {
				t.Error(err)
			}
		})
	}
	synctest.Wait()
	j.mu.Lock()
	if n := len(j.open.Events); n < j.groupMax || n > j.groupMax+j.JoinMax() {
		t.Errorf("the open group has %d bytes", n)
	}
	j.mu.Unlock()
	close(release)
	tasks.Wait()
	if err := first.Wait(); !errors.Is(err, outcome) || outcome == nil && j.Stats().Events != 21 {
		t.Errorf("first: %v, then %+v", err, j.Stats())
	}
	j.Close()
}
