package embedded

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"hongbao"
	"hongbao/embedded/journal"
)

// openStores opens views and journal and brings the views up to the journal. The chain is verified from the newest
// checkpoint that the views know; views that the journal does not bear out are thrown away and made anew from all of it.
func (e *Engine) openStores(o Options) error {
	for range 2 {
		trusted, err := e.tryStores(o)
		if err != nil || trusted {
			return err
		}
		e.logger.Warn("the views are not of this journal: they are made anew", "folder", e.viewsDir())
		if err := e.dropViews(); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: views made from the journal do not agree with it", hongbao.ErrBroken)
}

func (e *Engine) tryStores(o Options) (trusted bool, err error) {
	if e.views, err = openViews(e.files, e.viewsDir(), e.logger, e.breakDown, false); err != nil {
		return false, err
	}
	if err := e.feeder.attach(e.views); err != nil {
		return false, err
	}
	verify, hash := e.feeder.mark.trust()
	e.journal, err = journal.Open(journal.Options{
		FS: e.files, Dir: e.files.PathJoin(e.dir, "journal"), SegmentBytes: o.SegmentBytes, Logger: e.logger,
		Verify: verify, VerifyHash: hash,
		Durable: func(b journal.Block) { e.feeder.push(b) },
		Broken:  e.breakDown,
	})
	if errors.Is(err, journal.ErrBehind) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	e.feeder.recycle = e.journal.Recycle
	e.checkedTo = e.feeder.mark.Checkpoint.Block
	if known, err := e.knowsMark(); err != nil || !known {
		return false, err
	}
	if err := e.catchUp(); err != nil {
		return false, err
	}
	return e.feeder.bearsOut(), nil
}

// bearsOut tells whether the views count at least what the newest checkpoint in the journal counted: it was written
// before them, and totals only grow.
func (f *feeder) bearsOut() bool {
	for id, then := range f.mark.Checkpoint.Progress {
		view := f.campaigns[id]
		if view == nil || !covers(view.Progress, then) {
			return false
		}
	}
	return true
}

func covers(now, then hongbao.Progress) bool {
	atLeast := func(now, then hongbao.Tally) bool { return now.Count >= then.Count && now.TotalFen >= then.TotalFen }
	return atLeast(now.Taken, then.Taken) && atLeast(now.Opened, then.Opened) && atLeast(now.Refunded, then.Refunded) &&
		now.SignedUp >= then.SignedUp
}

// trust is the first block that the start must verify, and the hash of the one before it.
func (m *mark) trust() (verify uint64, hash journal.Hash) {
	decoded, err := hex.DecodeString(m.Checkpoint.Hash)
	if m.Checkpoint.Block == 0 || err != nil || len(decoded) != len(hash) {
		return 0, hash
	}
	return m.Checkpoint.Block + 1, journal.Hash(decoded)
}

// knowsMark tells whether the journal has the block that the views end with.
func (e *Engine) knowsMark() (bool, error) {
	m := &e.feeder.mark
	if m.Block == 0 {
		return true, nil
	}
	if m.Block > e.journal.Head().Block {
		return false, nil
	}
	for block, err := range e.journal.Blocks(m.Block) {
		return err == nil && block.Hash.String() == m.Hash, err
	}
	return false, nil
}

// catchUp applies what the journal has and the views don't.
func (e *Engine) catchUp() error {
	var batch []journal.Block
	events := 0
	for block, err := range e.journal.Blocks(e.feeder.mark.Block + 1) {
		if err != nil {
			return err
		}
		block.Events = bytes.Clone(block.Events) // the next step overwrites them
		batch = append(batch, block)
		if events += block.Count; events >= feedEvents {
			if err := e.feeder.catchUp(batch); err != nil {
				return err
			}
			batch, events = batch[:0], 0
		}
	}
	if len(batch) == 0 {
		return nil
	}
	return e.feeder.catchUp(batch)
}

func (f *feeder) catchUp(batch []journal.Block) error {
	if err := f.apply(batch); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note()
	f.applied.Store(f.mark.Block)
	return nil
}

func (e *Engine) viewsDir() string { return e.files.PathJoin(e.dir, "views") }

func (e *Engine) dropViews() error {
	var err error
	if e.journal != nil {
		err = e.journal.Close()
		e.journal = nil
	}
	err = errors.Join(err, e.views.close(false), e.files.RemoveAll(e.viewsDir()))
	e.views = nil
	return err
}

// The background scan reads so much, and then rests so long: it has the whole day, players don't.
const (
	scrubBytes = 4 << 20
	scrubRest  = 50 * time.Millisecond
)

// verifyRest verifies, in the background, the blocks that the start believed because of a checkpoint. Damage there
// stops the process: what was told may not be what is stored.
func (e *Engine) verifyRest() {
	read := 0
	for block, err := range e.journal.Blocks(1) {
		if err != nil {
			e.logger.Error("the journal is damaged", "error", err)
			e.breakDown(fmt.Errorf("%w: %w", hongbao.ErrBroken, err))
			return
		}
		if block.Number >= e.checkedTo {
			return
		}
		if read += len(block.Events); read < scrubBytes {
			continue
		}
		read = 0
		select {
		case <-e.stop:
			return
		case <-time.After(scrubRest):
		}
	}
}
