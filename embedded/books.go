package embedded

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"hongbao"
)

// Books are the views frozen at one position of the journal, for an audit. They must be closed.
type Books struct {
	snapshot *pebble.Snapshot
	position hongbao.Position
}

// Books freezes the views as they are now.
func (e *Engine) Books(context.Context) (*Books, error) { return newBooks(e.views.db, e.history()) }

func newBooks(db *pebble.DB, h history) (*Books, error) {
	snapshot := db.NewSnapshot()
	b := &Books{snapshot: snapshot}
	m, err := readMark(snapshot)
	if err == nil && m.Block > 0 {
		b.position, err = h.lastOf(m)
	}
	if err != nil {
		return nil, errors.Join(err, snapshot.Close())
	}
	return b, nil
}

// lastOf is the position of the last event that views with that mark have.
func (h history) lastOf(m mark) (hongbao.Position, error) {
	for block, err := range h.blocks(m.Block) {
		if err == nil && block.Hash.String() != m.Hash {
			err = fmt.Errorf("%w: they were made from another journal", errViews)
		}
		return hongbao.Position(position{block.Number, block.Count - 1}.String()), err
	}
	return "", fmt.Errorf("%w: the journal ends before block %d, which they have", errViews, m.Block)
}

// Position is that of the last event in the books.
func (b *Books) Position() hongbao.Position { return b.position }

// Close lets the snapshot go.
func (b *Books) Close() error { return b.snapshot.Close() }

// Wallets visits every player by uid, with all envelopes by id. The wallet is only valid during the visit.
func (b *Books) Wallets(ctx context.Context, visit func(uid uint64, w *hongbao.Wallet) error) error {
	from, to := family(playerFamily)
	var (
		w    hongbao.Wallet
		uid  uint64
		some bool
	)
	err := scan(b.snapshot, from, to, func(key, row []byte) (bool, error) {
		if len(key) < 17 {
			return false, errRow
		}
		if next := binary.BigEndian.Uint64(key[1:]); some && next != uid {
			if err := visit(uid, &w); err != nil {
				return false, err
			}
			w = hongbao.Wallet{Envelopes: w.Envelopes[:0]}
		}
		uid, some = binary.BigEndian.Uint64(key[1:]), true
		return true, readPlayerRow(&w, key, row)
	})
	if err != nil || !some {
		return err
	}
	return visit(uid, &w)
}
