package systemtest

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// restoreOlderFile puts an older file under a master, and nothing under its replica: what somebody does who does not know
// better. The fence stops the shards that have it, others play on, and reconcile mends it. Nothing is lost, for all had
// reached the books before.
func restoreOlderFile(t *testing.T, r *rush, random *rand.Rand) {
	s := r.fleet.stores
	p := s.pairOf(1)
	file := func(name string) string { return filepath.Join(s.dir, name, "appendonlydir") }
	older := filepath.Join(t.TempDir(), "older")
	copyFolder(t, file(p.master), older)
	r.playsOn(t, 2*around(), 0, 1, 2, 3)
	r.end()
	r.settle()
	for _, problem := range r.auditProblems() { // which waits for the books
		t.Error(problem)
	}
	s.kill(p.replica)
	s.kill(p.master)
	for _, name := range []string{p.master, p.replica} {
		if err := os.RemoveAll(file(name)); err != nil {
			t.Fatal(err)
		}
	}
	copyFolder(t, older, file(p.master))
	s.start(p.master)
	s.start(p.replica)

	r.begin(random)
	r.isBusy(t, 0, 1, 2)
	before := s.record(p.master, 1) + s.record(p.master, 2)
	r.isBusy(t, around(), 1, 2)
	if after := s.record(p.master, 1) + s.record(p.master, 2); after != before {
		t.Errorf("the fence did not hold; the records were\n%s\nand are\n%s", before, after)
	}
	r.playsOn(t, around(), 0, 3)
	if log := r.fleet.worker(0).log.String(); !strings.Contains(log, "run hongbao reconcile") {
		t.Error("the worker does not say what there is to do")
	}
	r.reconcile(t)
}

// flushAll empties every server, in the middle of a rush. What had not left Redis is lost, and nothing before it; nothing
// is given again.
func flushAll(t *testing.T, r *rush, _ *rand.Rand) {
	s := r.fleet.stores
	r.fleet.worker(0).pause() // so that there is something that has not left Redis
	r.play(around() / 3)
	r.forgot = r.noted.now()
	flushed := map[string]bool{}
	for shard := range s.shards {
		if master := s.pairOf(shard).master; !flushed[master] {
			s.mustRedis(master, "flushall")
			flushed[master] = true
		}
	}
	r.fleet.worker(0).goOn()
	r.isBusy(t, around(), 0, 1, 2, 3)
	r.reconcile(t)
}

// reconcile stops the worker, which would not make room, and starts it again.
func (r *rush) reconcile(t *testing.T) {
	t.Helper()
	began := time.Now()
	ended := r.fleet.command("reconcile")
	if ended.code != 0 {
		t.Fatalf("reconcile exits with %d: %s%s", ended.code, ended.stdout, ended.stderr)
	}
	t.Logf("reconciled within %s: %s", since(began, time.Now()), strings.Join(strings.Fields(ended.stdout), " "))
}

func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
