package systemtest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"hongbao"
	"hongbao/bench"
)

// disk is one on which a journal soon finds no room to go on.
type disk struct {
	dir     string
	command func(args ...string) *exec.Cmd // the program, on it
	grow    func(s *server)
	fill    func() (empty func()) // to the last byte; nil: can't
}

// Keeps G4 honest where nothing more can be written: players are told busy, nothing has happened, and nothing is lost.
func TestAFullDiskLosesNothing(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T) *disk{
		"a disk of its own":     mountDisk,
		"a limit of file sizes": limitFiles,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d := open(t); d != nil {
				d.test(t)
			}
		})
	}
}

func (d *disk) test(t *testing.T) {
	random, data := newRandom(t), filepath.Join(d.dir, "data")
	prepareJournal(t, data)
	start := func() *server {
		return launch(t, d.command(serveArgs("--data", data, "--campaigns", openRain, "--gate.player.rate=0")...))
	}
	c, s := newCrowd(1, 500), start().ready()
	c.rush(s, random, func(int64) bool { return c.busyAnswers() > 100 })
	s.kill()
	s.wait()
	if d.fill != nil {
		empty := d.fill()
		checkNoSpace(start())
		empty()
	}
	s = start().ready()
	checkFull(c, s)
	s.stop()

	s = start().ready()
	d.grow(s)
	w := bench.Witness{Client: s.client(1), Told: c.told}
	eventually(t, 20*time.Second, "play goes on once there is room", func() bool {
		answer := w.Snatch(bench.Snatch{UID: 1, Campaign: 1})
		return answer.Won()
	})
	c.settle(s)
	c.judge(s)
	s.stop()
}

// checkFull checks that reads and replays are answered, and that what needs room is refused as busy.
func checkFull(c *crowd, s *server) {
	s.t.Helper()
	w := bench.Witness{Client: s.client(1), Told: c.told}
	if answer := w.Snatch(bench.Snatch{UID: 1, Campaign: 1}); answer.Outcome != bench.Busy || answer.Label != "busy" {
		s.t.Errorf("a snatch is answered %s %v, want busy", answer.Label, answer.Err)
	}
	busy := 0
	for _, h := range c.held {
		if wallet := w.Wallet(h.uid, hongbao.WalletLimitMax); wallet.Outcome != bench.Answered {
			s.t.Fatalf("a wallet is answered %s %v", wallet.Label, wallet.Err)
		}
		opened := w.Open(h.uid, h.envelope)
		if opened.Label == "busy" {
			busy++
		} else if opened.Outcome != bench.Answered || opened.First {
			s.t.Fatalf("opening is answered %s %v, want busy, or what it was told before", opened.Label, opened.Err)
		}
		if busy == 10 {
			return
		}
	}
	s.t.Error("no opening was busy")
}

// checkNoSpace checks that a server that can't start for want of space says so.
func checkNoSpace(s *server) {
	s.t.Helper()
	if _, err := s.stdout.ReadBytes('\n'); err == nil { // it needs no space
		s.kill()
		s.wait()
		return
	}
	if code := s.wait(); code != 1 || !strings.Contains(s.log.String(), syscall.ENOSPC.Error()) {
		s.t.Errorf("on a full disk it ends with %d: %s", code, &s.log)
	}
}

// mountDisk mounts a small file system, where that is allowed.
func mountDisk(t *testing.T) *disk {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"); err != nil {
		t.Logf("no disk of its own, as only root may mount one (%v): the limit of file sizes stands for it", err)
		return nil
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return &disk{
		dir:     dir,
		command: func(args ...string) *exec.Cmd { return exec.Command(shipped, args...) },
		grow: func(*server) {
			if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=512m"); err != nil {
				t.Fatal(err)
			}
		},
		fill: func() func() { return fillUp(t, filepath.Join(dir, "ballast")) },
	}
}

// fillUp writes a file until nothing more can be written.
func fillUp(t *testing.T, path string) (empty func()) {
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for size := 1 << 20; size > 0; {
		if _, err := file.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}

// limitFiles lets no file grow beyond a size that the small segment has, and the next one exceeds.
func limitFiles(t *testing.T) *disk {
	return &disk{
		dir: t.TempDir(),
		command: func(args ...string) *exec.Cmd {
			limit := []string{"-c", `ulimit -S -f 16384 && exec "$0" "$@"`, shipped} // blocks of 512 bytes
			return exec.Command("sh", append(limit, args...)...)
		},
		grow: func(s *server) {
			var limit syscall.Rlimit
			const prlimit, fileSize = syscall.SYS_PRLIMIT64, syscall.RLIMIT_FSIZE
			if err := syscall.Getrlimit(fileSize, &limit); err != nil {
				t.Fatal(err)
			}
			pid := uintptr(s.command.Process.Pid)
			if _, _, err := syscall.RawSyscall6(prlimit, pid, fileSize, uintptr(unsafe.Pointer(&limit)), 0, 0, 0); err != 0 {
				t.Fatal(err)
			}
		},
	}
}
