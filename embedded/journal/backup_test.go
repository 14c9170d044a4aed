package journal

import (
	"bytes"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestACopyOpensAsTheJournalUpToABlock(t *testing.T) {
	j := start(t, vfs.NewMem())
	const blocks = 45
	for range blocks {
		write(t, j, bytes.Repeat([]byte("e"), 700))
	}
	all := keep(t, j.Blocks(1))
	for upTo := range uint64(blocks + 1) {
		files := vfs.NewCrashableMem()
		if err := j.CopyTo(files, dir, upTo); err != nil {
			t.Fatal(err)
		}
		copied := start(t, files.CrashClone(vfs.CrashCloneCfg{}))
		if got := keep(t, copied.Blocks(1)); !slices.EqualFunc(got, all[:upTo], sameBlock) {
			t.Fatalf("a copy up to block %d has %d blocks", upTo, len(got))
		}
		write(t, copied, []byte("goes on"))
		stop(t, copied)
	}
}

func TestACopyIsRefused(t *testing.T) {
	files := vfs.NewMem()
	j := start(t, files)
	write(t, j, nil)
	if err := j.CopyTo(vfs.NewMem(), "copy", 2); err == nil {
		t.Error("up to a block that is not durable")
	}
	if err := j.CopyTo(files, dir, 1); err == nil {
		t.Error("onto a journal")
	}
}

func TestCopyingWhileAppending(t *testing.T) {
	j := start(t, vfs.NewMem())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 300 {
			write(t, j, bytes.Repeat([]byte("e"), i*4))
		}
	}()
	for range 20 {
		files, upTo := vfs.NewMem(), j.Head().Block
		if err := j.CopyTo(files, dir, upTo); err != nil {
			t.Fatal(err)
		}
		if n := len(keep(t, Read(files, dir, 1))); n != int(upTo) {
			t.Errorf("a copy up to block %d has %d blocks", upTo, n)
		}
	}
	<-done
}
