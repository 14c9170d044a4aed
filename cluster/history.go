package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"hongbao"
	"hongbao/cluster/ledger"
)

// A position is a sequence for each shard: what follows is what any shard has beyond it. Its text is the number of shards
// and the sequences, as uvarints in base64url.
func positionText(seqs []uint64) hongbao.Position {
	b := binary.AppendUvarint(nil, uint64(len(seqs)))
	for _, seq := range seqs {
		b = binary.AppendUvarint(b, seq)
	}
	return hongbao.Position(base64.RawURLEncoding.EncodeToString(b))
}

func parsePosition(text hongbao.Position, shards int) ([]uint64, error) {
	if text == "" {
		return make([]uint64, shards), nil
	}
	b, err := base64.RawURLEncoding.DecodeString(string(text))
	numbers := make([]uint64, 0, shards+1)
	for err == nil && len(b) > 0 && len(numbers) <= shards {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			err = errors.New("no number")
			break
		}
		numbers, b = append(numbers, v), b[n:]
	}
	if err != nil || len(b) > 0 || len(numbers) != shards+1 || numbers[0] != uint64(shards) {
		return nil, hongbao.Invalid("from", text, fmt.Sprintf("a position that the journal of these %d shards told", shards))
	}
	return numbers[1:], nil
}

// headText is the head of the whole journal: a sequence for each shard, and the SHA-256 of their hash chains.
func headText(marks []ledger.Mark) string {
	seqs := make([]string, len(marks))
	sum, any := sha256.New(), false
	for i, mark := range marks {
		seqs[i] = strconv.FormatUint(mark.Seq, 10)
		sum.Write(mark.Chain[:])
		any = any || mark.Seq > 0
	}
	if !any {
		return ""
	}
	return strings.Join(seqs, ".") + "-" + hex.EncodeToString(sum.Sum(nil))
}

// parseHead reads the sequences of a head and its hash.
func parseHead(head string, shards int) (seqs []uint64, hash string, err error) {
	list, hash, _ := strings.Cut(head, "-")
	for _, text := range strings.Split(list, ".") {
		seq, failed := strconv.ParseUint(text, 10, 64)
		err = errors.Join(err, failed)
		seqs = append(seqs, seq)
	}
	if err != nil || len(seqs) != shards || len(hash) != 64 {
		return nil, "", hongbao.Invalid("head", head, fmt.Sprintf("a head that the server logged: %d sequences and a hash", shards))
	}
	return seqs, hash, nil
}

// history reads the journal in the books.
type history struct {
	ledger *ledger.Ledger
	shards int
}

// entries walks the events of a snapshot after a position.
func (h history) entries(ctx context.Context, snapshot *ledger.Snapshot, after hongbao.Position) iter.Seq2[hongbao.Entry, error] {
	return func(yield func(hongbao.Entry, error) bool) {
		seqs, err := parsePosition(after, h.shards)
		if err != nil {
			yield(hongbao.Entry{}, err)
			return
		}
		for entry, err := range snapshot.Entries(ctx, slices.Clone(seqs)) {
			if err != nil {
				yield(hongbao.Entry{}, err)
				return
			}
			seqs[entry.Shard] = entry.Seq
			if !yield(hongbao.Entry{Position: positionText(seqs), ID: entryID(&entry), Event: entry.Event}, nil) {
				return
			}
		}
	}
}

// entryID is the identity of an event: no sequence of a shard is used twice under one epoch.
func entryID(e *ledger.Entry) string {
	b := strconv.AppendInt(nil, int64(e.Shard), 10)
	b = strconv.AppendUint(append(b, '-'), e.Epoch, 10)
	return string(strconv.AppendUint(append(b, '-'), e.Seq, 10))
}

// Journal walks the events after a position to the end that the books have now.
func (h history) Journal(ctx context.Context, after hongbao.Position) iter.Seq2[hongbao.Entry, error] {
	return func(yield func(hongbao.Entry, error) bool) {
		snapshot, err := h.ledger.Snapshot(ctx)
		if err != nil {
			yield(hongbao.Entry{}, err)
			return
		}
		defer snapshot.Close()
		h.entries(ctx, snapshot, after)(yield)
	}
}

// CheckHead returns nil when a head that was known before is part of the journal: restored books do not have it.
func (h history) CheckHead(ctx context.Context, head string) error {
	seqs, hash, err := parseHead(head, h.shards)
	if err != nil {
		return err
	}
	sum := sha256.New()
	for shard, seq := range seqs {
		chain, err := h.ledger.Hash(ctx, shard, seq)
		if errors.Is(err, hongbao.ErrNotFound) {
			return fmt.Errorf("%w: the journal of shard %d ends before event %d: these books are older than the head", hongbao.ErrBroken, shard, seq)
		}
		if err != nil {
			return err
		}
		sum.Write(chain[:])
	}
	if found := hex.EncodeToString(sum.Sum(nil)); found != hash {
		return fmt.Errorf("%w: there the journal has the hash %s, not %s: this is another journal", hongbao.ErrBroken, found, hash)
	}
	return nil
}

func (e *Engine) history() history { return history{e.ledger, len(e.shards)} }

// Journal walks the events after a position to the end that the books have now; after Sync that is everything that was
// acknowledged before.
func (e *Engine) Journal(ctx context.Context, after hongbao.Position) iter.Seq2[hongbao.Entry, error] {
	return e.history().Journal(ctx, after)
}

// CheckHead returns nil when a head that was known before is part of the journal.
func (e *Engine) CheckHead(ctx context.Context, head string) error {
	return e.history().CheckHead(ctx, head)
}

// Head is the hash-chained head of the journal as it was observed last.
func (e *Engine) Head() string { return e.state.Load().head }
