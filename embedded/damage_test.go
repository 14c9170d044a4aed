package embedded

import (
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
)

// TestDamagedRowsAreAnErrorNotAHang: a file of the views that is not what was written is named, with what to do about
// it, to whoever reads it; without the views' folder the start makes them anew.
func TestDamagedRowsAreAnErrorNotAHang(t *testing.T) {
	d := newDisk()
	e := openEngine(t, d, "data", start)
	c := rain(t, e, "damaged", 100, 0)
	for uid := range uint64(100) {
		snatch(t, e, c.ID, uid, "k")
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	for who, open := range map[string]func(vfs.FS) error{
		"start": func(files vfs.FS) error {
			o := options(t, files, "data", start)
			o.Broken = nil
			_, err := Open(o)
			return err
		},
		"reader": func(files vfs.FS) error {
			r, err := OpenReader(files, "data")
			if err == nil {
				err = errors.Join(readBooks(t, r), r.Close())
			}
			return err
		},
	} {
		within(t, who, func() {
			files := d.CrashClone(vfs.CrashCloneCfg{})
			changeRows(t, files)
			err := open(files)
			if !errors.Is(err, hongbao.ErrBroken) || !strings.Contains(err.Error(), "remove their folder") {
				t.Errorf("%s: %v", who, err)
			}
		})
	}
	if err := d.RemoveAll("data/views"); err != nil {
		t.Fatal(err)
	}
	if taken := openEngine(t, d, "data", start).Progress(c.ID).Taken.Count; taken != 100 {
		t.Errorf("made anew, the views count %d wins, want 100", taken)
	}
}

func readBooks(t *testing.T, r *Reader) error {
	books, err := r.Books(t.Context())
	if err != nil {
		return err
	}
	return errors.Join(books.Wallets(t.Context(), func(uint64, *hongbao.Wallet) error { return nil }), books.Close())
}

// changeRows changes a byte in the rows of every file of the views that has some.
func changeRows(t *testing.T, files *vfs.MemFS) {
	t.Helper()
	names, err := files.List("data/views")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !strings.HasSuffix(name, ".sst") {
			continue
		}
		raw, err := files.UnsafeGetFileDataBuffer("data/views/" + name)
		if err != nil {
			t.Fatal(err)
		}
		raw[30] ^= 1
	}
}
