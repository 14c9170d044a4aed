package journal

import (
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Whoever hears of a block while the first to join it still holds the lock waits for it like everybody else.
func TestABlockIsWaitedForFromItsFirstEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := start(t, vfs.NewMem())
		g, err := j.Lock()
		if err != nil {
			t.Fatal(err)
		}
		g.Begin()
		g.End()
		block := g.Block
		told := make(chan error, 1)
		go func() { told <- j.Wait(block) }()
		for range 1000 {
			runtime.Gosched()
		}
		early := len(told) > 0
		j.Unlock()
		if err := <-told; err != nil || early {
			t.Errorf("told %v, before it was written %v", err, early)
		}
		if err := j.Wait(block + 1); err == nil {
			t.Error("a block that nobody began was waited for")
		}
		stop(t, j)
	})
}
