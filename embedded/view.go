package embedded

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
)

// The views are Pebble keys. Integers in keys are big endian, so that they sort; a player's balance and envelopes lie
// together, so that one short scan reads a wallet. One row a win is what play at full speed can afford: the order of a
// wallet and the day's counts follow from these rows and are not stored again.
//
//	'p' uid 0                  balance in fen, uvarint
//	'p' uid envelope           won: at, amount, expires_at as uvarints, then the key
//	'p' uid envelope 'x'       opened or refunded: state, at as uvarints
//	's' campaign uid           signed up, uvarint at
//	'c' campaign               campaign and progress, JSON
//	'r' name                   the latest system event of that name, as the journal has it
//	'm'                        mark: how far the views have come, JSON
const (
	playerFamily   = 'p'
	signUpFamily   = 's'
	campaignFamily = 'c'
	recordedFamily = 'r'
	markFamily     = 'm'

	closedSuffix = 'x'
)

// views are what reads are answered from; the feeder keeps them up with the journal.
type views struct {
	db *pebble.DB

	broken func(error)
	once   sync.Once
	err    error         // why they can't be written any more
	failed chan struct{} // closed then
}

// mark is how far the views have come; it is written with what it speaks of.
type mark struct {
	Block      uint64       `json:"block"` // last one applied
	Hash       string       `json:"hash"`
	At         hongbao.Time `json:"at"` // engine time then
	Zone       string       `json:"zone"`
	Checkpoint checkpoint   `json:"checkpoint"` // newest in the journal
}

// campaignView is a campaign as the views have it.
type campaignView struct {
	Campaign *hongbao.Campaign `json:"campaign"`
	Progress hongbao.Progress  `json:"progress"`
}

func openViews(files vfs.FS, dir string, logger *slog.Logger, broken func(error), readOnly bool) (*views, error) {
	cache := pebble.NewCache(256 << 20)
	defer cache.Unref()
	v := &views{broken: broken, failed: make(chan struct{})}
	news := &pebbleLogger{logger: logger, views: v}
	options := &pebble.Options{
		FS: files, Cache: cache, ReadOnly: readOnly,
		DisableWAL:            true, // the journal is the log: the views are replayed from their mark
		FormatMajorVersion:    pebble.FormatNewest,
		MemTableSize:          64 << 20,
		L0CompactionThreshold: 4,
		LBaseMaxBytes:         512 << 20,
		Logger:                news,
		EventListener:         &pebble.EventListener{BackgroundError: v.fail, DataCorruption: v.damaged},
	}
	for i := range options.Levels {
		options.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		options.Levels[i].BlockSize = 8 << 10
		options.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
	}
	var err error
	if v.db, err = v.openPebble(dir, options); err != nil {
		return nil, fmt.Errorf("open views in %s (if they are damaged, remove the folder: they are made anew from the journal): %w", dir, err)
	}
	news.reading.Store(readOnly)
	return v, nil
}

// openPebble opens, or returns what Pebble calls fatal meanwhile, in whichever goroutine; then that of pebble.Open may
// never end.
func (v *views) openPebble(dir string, options *pebble.Options) (*pebble.DB, error) {
	type opening struct {
		db  *pebble.DB
		err error
	}
	done := make(chan opening, 1)
	go func() {
		db, err := pebble.Open(dir, options)
		done <- opening{db, err}
	}()
	select {
	case opened := <-done:
		return opened.db, opened.err
	case <-v.failed:
		return nil, v.err
	}
}

// fail remembers why the views can't be written any more and tells it, once.
func (v *views) fail(err error) {
	v.once.Do(func() {
		v.err = fmt.Errorf("%w: views: %w", hongbao.ErrBroken, err)
		close(v.failed)
		v.broken(v.err)
	})
}

// damaged tells of a file that is not what was written. Whoever reads it gets an error; Pebble's own way is to call it
// fatal in the reader's goroutine, which would wait for ever at the start.
func (v *views) damaged(info pebble.DataCorruptionInfo) {
	v.fail(fmt.Errorf("%w: %s: %w", errViews, info.Path, info.Details))
}

// flush writes what is in memory only. Pebble tries for ever; this returns at the first failure.
func (v *views) flush() error {
	done, err := v.db.AsyncFlush()
	if err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-v.failed:
		return v.err
	}
}

// close lets the views go; what is still in memory is written first, if that makes sense. Views that failed are left to
// the end of the process: Pebble may never give its locks back.
func (v *views) close(flush bool) error {
	var err error
	if flush {
		err = v.flush()
	}
	select {
	case <-v.failed:
		return v.err
	default:
		return errors.Join(err, v.db.Close())
	}
}

// copyTo copies the views, as they are at one moment, into a new folder.
func (v *views) copyTo(dir string) error {
	if err := v.flush(); err != nil {
		return err
	}
	return v.db.Checkpoint(dir)
}

// pebbleLogger keeps Pebble quiet, and turns what it calls fatal into a broken engine.
type pebbleLogger struct {
	logger  *slog.Logger
	views   *views
	reading atomic.Bool // and nothing else: nobody is there to be told
}

// Infof is for Pebble's own news, which nobody reads.
func (*pebbleLogger) Infof(string, ...any) {}

// Errorf logs.
func (l *pebbleLogger) Errorf(format string, args ...any) {
	l.logger.Error("views", "error", fmt.Sprintf(format, args...))
}

// Fatalf must not return: the engine tells its owner to stop, and this goroutine waits for that.
func (l *pebbleLogger) Fatalf(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	if l.reading.Load() {
		panic(err)
	}
	l.views.fail(err)
	select {}
}

func playerKey(b []byte, uid uint64, id hongbao.EnvelopeID) []byte {
	b = binary.BigEndian.AppendUint64(append(b, playerFamily), uid)
	return binary.BigEndian.AppendUint64(b, uint64(id))
}

func signUpKey(b []byte, campaign uint32, uid uint64) []byte {
	b = binary.BigEndian.AppendUint32(append(b, signUpFamily), campaign)
	return binary.BigEndian.AppendUint64(b, uid)
}

func campaignKey(b []byte, campaign uint32) []byte {
	return binary.BigEndian.AppendUint32(append(b, campaignFamily), campaign)
}

// recordedKey is that of a system event's name. Views of versions that did not have these keys lack nothing: until then only
// the engine itself recorded events, and those are not kept here.
func recordedKey(b []byte, name string) []byte { return append(append(b, recordedFamily), name...) }

func appendWonRow(b []byte, e *hongbao.Event) []byte {
	b = binary.AppendUvarint(b, uint64(e.At))
	b = binary.AppendUvarint(b, uint64(e.AmountFen))
	b = binary.AppendUvarint(b, uint64(e.ExpiresAt))
	return append(b, e.Key...)
}

func appendClosedRow(b []byte, state hongbao.EnvelopeState, at hongbao.Time) []byte {
	return binary.AppendUvarint(append(b, byte(state)), uint64(at))
}

// uvarints reads as many uvarints as there are values, and returns what is behind them.
func uvarints(row []byte, values ...*uint64) (rest []byte, err error) {
	for _, value := range values {
		v, n := binary.Uvarint(row)
		if n <= 0 {
			return nil, errRow
		}
		*value, row = v, row[n:]
	}
	return row, nil
}

// errViews says what to do about views that are not what they were: the journal is the truth.
var (
	errViews = fmt.Errorf("%w: the views are damaged (remove their folder while the server is stopped: they are made anew from the journal)", hongbao.ErrBroken)
	errRow   = fmt.Errorf("%w: a row is malformed", errViews)
)

// readPlayerRow folds one row of a player into a wallet: the balance, an envelope won, or the end of the last one.
func readPlayerRow(w *hongbao.Wallet, key, row []byte) error {
	if len(key) < 17 {
		return errRow
	}
	id := hongbao.EnvelopeID(binary.BigEndian.Uint64(key[9:]))
	var at, amount, expires uint64
	switch {
	case id == 0:
		_, err := uvarints(row, &amount)
		w.BalanceFen = int64(amount)
		return err
	case len(key) == 17:
		text, err := uvarints(row, &at, &amount, &expires)
		w.Envelopes = append(w.Envelopes, hongbao.Envelope{
			ID: id, AmountFen: int64(amount), WonAt: hongbao.Time(at), ExpiresAt: hongbao.Time(expires), Key: string(text),
		})
		return err
	}
	last := len(w.Envelopes) - 1
	if last < 0 || w.Envelopes[last].ID != id || len(row) < 2 {
		return errRow
	}
	_, err := uvarints(row[1:], &at)
	w.Envelopes[last].State, w.Envelopes[last].ClosedAt = hongbao.EnvelopeState(row[0]), hongbao.Time(at)
	return err
}

// scan walks the rows of [from, to) until visit returns false.
func scan(db pebble.Reader, from, to []byte, visit func(key, row []byte) (more bool, err error)) (err error) {
	rows, err := db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return fmt.Errorf("%w: read views: %w", hongbao.ErrBroken, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for ok := rows.First(); ok; ok = rows.Next() {
		more, err := visit(rows.Key(), rows.Value())
		if err != nil || !more {
			return err
		}
	}
	if err := rows.Error(); err != nil {
		return fmt.Errorf("%w: read views: %w", hongbao.ErrBroken, err)
	}
	return nil
}

// family is the range of a whole family.
func family(f byte) (from, to []byte) { return []byte{f}, []byte{f + 1} }

// wallet reads the rows of a player with envelope ids in [from, to), and the balance where from is 0.
func (v *views) wallet(uid uint64, from, to hongbao.EnvelopeID) (w hongbao.Wallet, err error) {
	var low, high [17]byte
	err = scan(v.db, playerKey(low[:0], uid, from), playerKey(high[:0], uid, to), func(key, row []byte) (bool, error) {
		return true, readPlayerRow(&w, key, row)
	})
	return w, err
}

// keyed finds the envelope that a key won in a campaign.
func (v *views) keyed(uid uint64, campaign uint32, key string) (hongbao.Envelope, bool, error) {
	w, err := v.wallet(uid, hongbao.NewEnvelopeID(campaign, 0), hongbao.NewEnvelopeID(campaign+1, 0))
	for _, envelope := range w.Envelopes {
		if envelope.Key == key {
			return envelope, true, err
		}
	}
	return hongbao.Envelope{}, false, err
}

// envelope finds one envelope of a player.
func (v *views) envelope(uid uint64, id hongbao.EnvelopeID) (hongbao.Envelope, bool, error) {
	w, err := v.wallet(uid, id, id+1)
	if err != nil || len(w.Envelopes) == 0 {
		return hongbao.Envelope{}, false, err
	}
	return w.Envelopes[0], true, nil
}

// balance is a player's balance in fen; 0 for one who never opened an envelope.
func (v *views) balance(uid uint64) (int64, error) {
	var key [17]byte
	row, closer, err := v.db.Get(playerKey(key[:0], uid, 0))
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("%w: read balance: %w", hongbao.ErrBroken, err)
	}
	defer closer.Close()
	var balance uint64
	_, err = uvarints(row, &balance)
	return int64(balance), err
}

// readMark reads how far the views have come; the zero mark when they are empty.
func readMark(db pebble.Reader) (m mark, err error) {
	row, closer, err := db.Get([]byte{markFamily})
	if errors.Is(err, pebble.ErrNotFound) {
		return mark{}, nil
	}
	if err != nil {
		return mark{}, fmt.Errorf("read mark of the views: %w", err)
	}
	defer closer.Close()
	return m, json.Unmarshal(bytes.Clone(row), &m)
}

// readCampaigns reads all campaigns by id.
func readCampaigns(db pebble.Reader) (list []campaignView, err error) {
	from, to := family(campaignFamily)
	err = scan(db, from, to, func(_, row []byte) (bool, error) {
		var view campaignView
		if err := json.Unmarshal(row, &view); err != nil || view.Campaign == nil {
			return false, errors.Join(errRow, err)
		}
		list = append(list, view)
		return true, nil
	})
	return list, err
}
