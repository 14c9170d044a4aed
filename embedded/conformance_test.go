package embedded

import (
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
	"hongbao/enginetest"
)

// TestConformanceInMemory loses at each power cut all that was not synced.
func TestConformanceInMemory(t *testing.T) { enginetest.Run(t, crashable(0)) }

// TestConformanceWithTornWrites keeps at each power cut any of what was not synced.
func TestConformanceWithTornWrites(t *testing.T) { enginetest.RunCrashes(t, crashable(50)) }

// TestConformanceOnDisk runs on the machine's file system, which can't be crashed from here.
func TestConformanceOnDisk(t *testing.T) {
	enginetest.Run(t, func(t testing.TB, now hongbao.Time) *enginetest.Harness {
		return conform(t, vfs.Default, t.TempDir(), now).Harness
	})
}

// crashable opens engines on a file system in memory whose power can be cut; then any of what was not synced may be
// there, block by block, with the given probability in percent.
func crashable(unsyncedPercent int) enginetest.Open {
	return func(t testing.TB, now hongbao.Time) *enginetest.Harness {
		files := vfs.NewCrashableMem()
		h := conform(t, files, "data", now)
		seed := rand.Uint64()
		t.Logf("torn writes of seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		h.Crash = func(now hongbao.Time) hongbao.Engine {
			files = files.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: unsyncedPercent, RNG: random})
			return h.open(files, now)
		}
		return h.Harness
	}
}

// conforming opens a folder again and again.
type conforming struct {
	*enginetest.Harness
	t      testing.TB
	dir    string
	engine *Engine
}

func conform(t testing.TB, files vfs.FS, dir string, now hongbao.Time) *conforming {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	c := &conforming{Harness: &enginetest.Harness{Calendar: hongbao.NewCalendar(zone)}, t: t, dir: dir}
	c.Engine = c.open(files, now)
	c.Secret = c.engine.Secret()
	c.Restart = func(now hongbao.Time) hongbao.Engine {
		if err := c.engine.Close(); err != nil {
			t.Error("close:", err)
		}
		return c.open(c.engine.files, now)
	}
	return c
}

// open opens the folder on a file system; the engine is closed with the test at the latest.
func (c *conforming) open(files vfs.FS, now hongbao.Time) hongbao.Engine {
	c.t.Helper()
	e, err := Open(Options{
		FS: files, Dir: c.dir, Calendar: c.Calendar, Now: func() hongbao.Time { return now }, SegmentBytes: 1 << 20,
		Logger: slog.New(slog.DiscardHandler), Broken: func(err error) { c.t.Error("the engine broke:", err) },
	})
	if err != nil {
		c.t.Fatal("open:", err)
	}
	c.t.Cleanup(func() { e.Close() })
	c.engine = e
	return e
}
