package embedded

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hongbao"
)

// callers is the crowd of the benchmarks.
const callers = 512

// crowd has do called with 1 to n, by many at once.
func crowd(n int, do func(i uint64)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				do(uint64(i))
			}
		})
	}
	all.Wait()
}

// openFull opens an engine on disk as a server does.
func openFull(t testing.TB, dir string) *Engine {
	t.Helper()
	o := options(t, nil, dir, start)
	o.SegmentBytes = 0
	e, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// mustWin is a snatch with a key that the server made; it must win.
func mustWin(t testing.TB, e *Engine, campaign uint32, uid, n uint64) hongbao.EnvelopeID {
	key := fmt.Sprintf("%022d", n)
	r, err := e.Snatch(context.Background(), hongbao.SnatchRequest{Campaign: campaign, UID: uid, Key: key, KeyIsNew: true, Now: start + 1000})
	if err != nil || r.Status != hongbao.Won {
		t.Error("snatch:", r.Status, err)
	}
	return r.Envelope
}

// report prints rates, and how many shared a sync; the views are up to it.
func report(b *testing.B, e *Engine, before hongbao.Health, unit string) {
	b.Helper()
	if err := e.Sync(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	after := e.Health()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), unit+"/s")
	b.ReportMetric(float64(after.Events-before.Events)/float64(after.Groups-before.Groups), unit+"/sync")
}

func BenchmarkSnatch(b *testing.B) {
	e := openFull(b, b.TempDir())
	c := rain(b, e, "bench", 1<<30, 0)
	request := hongbao.SnatchRequest{Campaign: c.ID, Key: "0123456789abcdefghijkl", KeyIsNew: true, Now: start + 1000}
	b.ReportAllocs()
	b.ResetTimer()
	before := e.Health()
	crowd(b.N, func(i uint64) {
		r := request
		r.UID = i % 5_000_000
		if r, err := e.Snatch(context.Background(), r); err != nil || r.Status != hongbao.Won {
			b.Error(r.Status, err)
		}
	})
	report(b, e, before, "wins")
}

func BenchmarkOpen(b *testing.B) {
	e := openFull(b, b.TempDir())
	c := rain(b, e, "bench", 1<<30, 0)
	ids := make([]hongbao.EnvelopeID, b.N+1)
	crowd(b.N, func(i uint64) { ids[i] = mustWin(b, e, c.ID, i%5_000_000, i) })
	if err := e.Sync(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	before := e.Health()
	crowd(b.N, func(i uint64) {
		r, err := e.Open(context.Background(), hongbao.OpenRequest{UID: i % 5_000_000, Envelope: ids[i], Now: start + 2000})
		if err != nil || !r.First {
			b.Error(r, err)
		}
	})
	report(b, e, before, "openings")
}

// BenchmarkWallet reads the wallets of players with four envelopes each, two of them opened.
func BenchmarkWallet(b *testing.B) {
	const players = 50_000
	e := openFull(b, b.TempDir())
	c := rain(b, e, "bench", 1<<30, 0)
	crowd(4*players, func(i uint64) {
		id := mustWin(b, e, c.ID, i%players, i)
		if i%2 == 0 {
			openEnvelope(b, e, i%players, id, start+2000)
		}
	})
	if err := e.Sync(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			w, err := e.Wallet(context.Background(), hongbao.WalletRequest{UID: rand.Uint64N(players), Limit: 50})
			if err != nil || len(w.Envelopes) != 4 {
				b.Error(len(w.Envelopes), err)
			}
		}
	})
}

func BenchmarkRefusal(b *testing.B) {
	e := openFull(b, b.TempDir())
	limited, soldOut, unlucky := rain(b, e, "limited", 1000, 1), rain(b, e, "sold-out", 1, 0), rain(b, e, "unlucky", 1000, 0)
	mustWin(b, e, limited.ID, 1, 1)
	mustWin(b, e, soldOut.ID, 2, 1)
	chance := hongbao.Chance(1)
	if _, err := e.Put(b.Context(), hongbao.Change{At: start, Actor: "bench", Campaign: unlucky.ID, Revise: &hongbao.Patch{Chance: &chance}}); err != nil {
		b.Fatal(err)
	}
	for _, row := range []struct {
		campaign uint32
		status   hongbao.Status
	}{{limited.ID, hongbao.LimitReached}, {soldOut.ID, hongbao.SoldOut}, {unlucky.ID, hongbao.Missed}} {
		b.Run(row.status.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r, err := e.Snatch(context.Background(), hongbao.SnatchRequest{Campaign: row.campaign, UID: 1, Key: "another", KeyIsNew: true, Now: start + 1000})
				if err != nil || r.Status != row.status {
					b.Fatal(r.Status, err)
				}
			}
		})
	}
}

// TestMemoryAndRestart measures what many wins take, of which every second is opened, and how long the start of a new
// process from them lasts. In the long form there are ten million by five million players, and limits to both.
func TestMemoryAndRestart(t *testing.T) {
	wins := 30_000
	if long() {
		wins = 10_000_000
	}
	dir := os.Getenv(restartDir)
	if dir != "" {
		restart(t, dir, wins)
		return
	}
	dir = t.TempDir()
	e := openFull(t, dir)
	c := rain(t, e, "many", 1<<30, 0)
	began := time.Now()
	crowd(wins, func(i uint64) {
		id := mustWin(t, e, c.ID, i%uint64(wins/2), i)
		if i%2 == 0 {
			openEnvelope(t, e, i%uint64(wins/2), id, start+2000)
		}
	})
	if err := e.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d wins and half as many openings in %s", wins, time.Since(began))
	checkResident(t)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0], "-test.run=^TestMemoryAndRestart$", "-test.v", "-test.timeout=10m")
	child.Env = append(os.Environ(), restartDir+"="+dir)
	said, err := child.CombinedOutput()
	t.Logf("the process that starts from them says:\n%s", said)
	if err != nil {
		t.Error(err)
	}
}

// restartDir names the folder to the process that starts from it.
const restartDir = "HONGBAO_TEST_RESTART"

func restart(t *testing.T, dir string, wins int) {
	began := time.Now()
	e := openFull(t, dir)
	lasted := time.Since(began)
	t.Logf("ready after %s", lasted)
	checkResident(t)
	if p := e.Progress(1); p.Taken.Count != uint64(wins) || p.Opened.Count != uint64(wins/2) {
		t.Errorf("it is ready with %+v", p)
	}
	if long() && lasted > 15*time.Second {
		t.Error("at most 15s are allowed")
	}
}

func checkResident(t *testing.T) {
	t.Helper()
	most := resident(t, "VmHWM")
	t.Logf("%d MiB are resident, %d at most", resident(t, "VmRSS"), most)
	if long() && most > 2048 {
		t.Error("at most 2048 MiB are allowed")
	}
}

// resident reads a figure of the process's memory, in MiB.
func resident(t testing.TB, field string) (mebibytes int) {
	t.Helper()
	file, err := os.Open("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, value, _ := strings.Cut(lines.Text(), ":"); name == field {
			var kibibytes int
			if _, err := fmt.Sscanf(value, "%d kB", &kibibytes); err != nil {
				t.Fatal(err)
			}
			return kibibytes / 1024
		}
	}
	t.Fatal("/proc/self/status has no", field)
	return 0
}
