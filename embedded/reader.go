package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
	"hongbao/embedded/journal"
)

// Reader reads a data folder that no server holds, and changes nothing in it: a torn end of the journal is left out,
// views that lag are read as they are.
type Reader struct {
	history
	views  *views
	secret hongbao.Secret
	lock   io.Closer
}

// OpenReader opens a data folder for reading, and keeps servers out of it meanwhile. A nil files is the machine's.
func OpenReader(files vfs.FS, dir string) (*Reader, error) {
	if files == nil {
		files = vfs.Default
	}
	folder := files.PathJoin(dir, "journal")
	if _, err := files.Stat(folder); err != nil {
		return nil, fmt.Errorf("%s is not a data folder: %w", dir, err)
	}
	lock, err := lockFolder(files, dir)
	if err != nil {
		return nil, err
	}
	r := &Reader{lock: lock, history: history{func(from uint64) iter.Seq2[journal.Block, error] {
		return journal.Read(files, folder, from)
	}}}
	if r.secret, err = loadSecret(files, dir, false); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	r.views, err = openViews(files, files.PathJoin(dir, "views"), slog.Default(), func(error) {}, true)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// Close lets the folder go.
func (r *Reader) Close() error {
	var err error
	if r.views != nil {
		err = r.views.close(false)
	}
	return errors.Join(err, r.lock.Close())
}

// Journal walks the events after a position.
func (r *Reader) Journal(ctx context.Context, after hongbao.Position) iter.Seq2[hongbao.Entry, error] {
	return r.entries(ctx, after)
}

// CheckHead returns nil when a head that was known before is part of the journal.
func (r *Reader) CheckHead(_ context.Context, head string) error { return r.checkHead(head) }

// Head is the head of the journal: its last block, or the last one before damage.
func (r *Reader) Head() string {
	var last journal.Head
	note := func(from uint64) {
		for block, err := range r.blocks(from) {
			if err != nil {
				return
			}
			last = journal.Head{Block: block.Number, Hash: block.Hash, AtMS: block.AtMS}
		}
	}
	if m, err := readMark(r.views.db); err == nil && m.Block > 1 {
		note(m.Block) // the views are never far behind
	}
	if last.Block == 0 {
		note(1)
	}
	return headText(last)
}

// Books are the views as the server left them.
func (r *Reader) Books(context.Context) (*Books, error) { return newBooks(r.views.db, r.history) }

// Secret is what seeds and receipts derive from.
func (r *Reader) Secret() hongbao.Secret { return r.secret }
