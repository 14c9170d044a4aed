package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
	"hongbao/embedded/journal"
)

// Options say where the engine lies and what it works with.
type Options struct {
	Dir          string // data folder; made if missing
	FS           vfs.FS // default the machine's
	Calendar     *hongbao.Calendar
	Now          func() hongbao.Time // wall clock at the start
	Logger       *slog.Logger
	SegmentBytes int64 // of the journal; default 64 MiB
	// Broken is told, once, why the engine can't go on: the process must stop. Everyone who waited was told ErrUnknown.
	Broken func(error)
}

// Engine is the embedded engine. It implements [hongbao.Engine].
type Engine struct {
	files    vfs.FS
	dir      string
	calendar *hongbao.Calendar
	logger   *slog.Logger
	secret   hongbao.Secret
	lock     io.Closer

	journal  *journal.Journal
	views    *views
	feeder   *feeder
	registry registry
	players  *players
	latest   latest
	news     news

	last     atomic.Int64  // engine time last committed, Unix milliseconds; written under the journal's lock
	applied  atomic.Uint64 // block that the views have reached
	recorded atomic.Uint64 // block of the last system event that a caller was told of
	broken   atomic.Pointer[error]
	onBreak  func(error)

	stop      chan struct{}
	tasks     sync.WaitGroup
	closing   sync.Once
	closeErr  error
	checkedTo uint64 // blocks up to here were believed at the start; the background scan verifies them
}

var _ hongbao.Engine = (*Engine)(nil)

// Open opens a data folder, recovers, and is ready to serve when it returns. A second process on the folder, a damaged
// journal, a newer format, another timezone and a clock more than a minute behind the journal are refused.
func Open(o Options) (*Engine, error) {
	e := &Engine{
		files: o.FS, dir: o.Dir, calendar: o.Calendar, logger: o.Logger, onBreak: o.Broken,
		players: newPlayers(), stop: make(chan struct{}),
	}
	e.feeder = newFeeder(&e.applied, e.breakDown)
	if e.files == nil {
		e.files = vfs.Default
	}
	if e.logger == nil {
		e.logger = slog.Default()
	}
	if err := e.start(o); err != nil {
		return nil, errors.Join(err, e.release())
	}
	e.tasks.Go(e.tend)
	if e.checkedTo > 0 {
		e.tasks.Go(e.verifyRest)
	}
	return e, nil
}

func (e *Engine) start(o Options) (err error) {
	if e.lock, err = lockFolder(e.files, e.dir); err != nil {
		return err
	}
	if err := e.openStores(o); err != nil {
		return err
	}
	if e.secret, err = loadSecret(e.files, e.dir, e.journal.Head().Block == 0); err != nil {
		return err
	}
	if err := e.checkClock(o.Now()); err != nil {
		return err
	}
	if err := e.rebuild(); err != nil {
		return err
	}
	e.feeder.start()
	return e.checkZone(o.Now())
}

// lockFolder makes the data folder, so that it survives a crash, and keeps other processes out of it.
func lockFolder(files vfs.FS, dir string) (io.Closer, error) {
	if err := journal.MakeDir(files, dir); err != nil {
		return nil, fmt.Errorf("data folder %s can't be made: %w", dir, err)
	}
	lock, err := files.Lock(files.PathJoin(dir, "LOCK"))
	if err != nil {
		return nil, fmt.Errorf("data folder %s is in use by another process, or can't be written: %w", dir, err)
	}
	return lock, nil
}

// checkClock refuses a clock that would stand still for long: engine time never goes back.
func (e *Engine) checkClock(now hongbao.Time) error {
	last := hongbao.Time(e.journal.Head().AtMS)
	e.last.Store(int64(last))
	if behind := last - now; behind > hongbao.Time(time.Minute.Milliseconds()) {
		return fmt.Errorf("the clock says %s, which is %s behind the journal's last event (%s): set the clock",
			now, time.Duration(behind)*time.Millisecond, last)
	}
	return nil
}

const zoneEvent = "timezone"

// checkZone records the zone of the calendar at the first start and refuses another one later: day counts rest on it.
func (e *Engine) checkZone(now hongbao.Time) error {
	zone := e.calendar.Zone()
	if recorded := e.feeder.mark.Zone; recorded != "" && recorded != zone {
		return hongbao.Invalid("timezone", zone, recorded+", which this data folder was started with")
	} else if recorded != "" {
		return nil
	}
	return e.commit(&hongbao.Event{Kind: hongbao.SystemRecorded, At: now, Name: zoneEvent, Actor: "server", Data: []byte(zone)})
}

// Secret is what seeds and receipts derive from.
func (e *Engine) Secret() hongbao.Secret { return e.secret }

// Sync returns when everything acknowledged before it is in the views.
func (e *Engine) Sync(context.Context) error {
	if err := e.journal.Sync(); err != nil {
		return fmt.Errorf("%w: %w", hongbao.ErrUnknown, err)
	}
	return e.feeder.wait(e.journal.Head().Block)
}

// Health tells how the engine fares.
func (e *Engine) Health() hongbao.Health {
	stats, head := e.journal.Stats(), e.journal.Head()
	health := hongbao.Health{
		Head: headText(head), Lag: e.feeder.lag(), Events: stats.Events, Groups: stats.Groups,
		SyncedNS: uint64(stats.SyncTotal), Degraded: stats.Full, Now: hongbao.Time(e.last.Load()),
	}
	if err := e.broken.Load(); err != nil {
		health.Err = *err
	}
	return health
}

// Now is the last time committed.
func (e *Engine) Now() hongbao.Time { return hongbao.Time(e.last.Load()) }

// breakDown remembers why the engine can't go on and tells it, once: those who wait for the views, and the owner.
func (e *Engine) breakDown(err error) {
	if !e.broken.CompareAndSwap(nil, &err) {
		return
	}
	e.feeder.fail(err)
	if e.onBreak != nil {
		go e.onBreak(err)
	}
}

// Close makes everything acknowledged durable, brings the views up to it, and lets the folder go. A broken engine
// only lets go.
func (e *Engine) Close() error {
	e.closing.Do(func() {
		close(e.stop)
		e.tasks.Wait()
		if e.broken.Load() == nil {
			e.closeErr = errors.Join(e.Sync(context.Background()), e.writeLast(e.feeder.checkpoint()))
		}
		e.closeErr = errors.Join(e.closeErr, e.release())
	})
	return e.closeErr
}

// writeLast writes a checkpoint, if there is room for one: without it the next start verifies more, and that is all.
func (e *Engine) writeLast(c checkpoint) error {
	err := e.writeCheckpoint(c)
	if errors.Is(err, hongbao.ErrBusy) {
		e.logger.Warn("stopped without a checkpoint", "error", err)
		return nil
	}
	return err
}

// release closes what is open: first the journal, which feeds the feeder, then the feeder, which writes the views.
func (e *Engine) release() error {
	var errs []error
	if e.journal != nil {
		errs = append(errs, e.journal.Close())
	}
	if e.feeder.running {
		e.feeder.end()
	}
	if e.views != nil {
		errs = append(errs, e.views.close(e.broken.Load() == nil))
	}
	if e.lock != nil {
		errs = append(errs, e.lock.Close())
	}
	return errors.Join(errs...)
}

// tend writes checkpoints and forgets players of yesterday.
func (e *Engine) tend() {
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	for {
		select {
		case <-e.stop:
			return
		case c := <-e.feeder.checkpoints:
			if err := e.writeCheckpoint(c); err != nil {
				e.logger.Error("checkpoint failed; the next one is tried in time", "error", err)
			}
		case <-ticker.C:
			e.players.forgetBefore(e.calendar.Day(e.Now()), e.applied.Load())
			e.feeder.offerCheckpoint()
		}
	}
}
