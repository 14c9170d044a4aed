package embedded

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"hongbao"
	"hongbao/embedded/journal"
)

const (
	feedEvents = 64 << 10               // events that are applied at once: large sorted batches cost the least
	feedDelay  = 200 * time.Millisecond // and how long a smaller batch waits
	feedBytes  = 256 << 20              // of events not yet applied; beyond it the journal waits for the views
)

// feeder applies durable blocks to the views, in batches.
type feeder struct {
	views   *views
	recycle func([]byte)
	broken  func(error)
	applied *atomic.Uint64 // block

	mark      mark
	campaigns map[uint32]*campaignView
	events    []hongbao.Event // of a batch, to be used again
	order     []feedOrder
	scratch   []byte

	checkpoints chan checkpoint // that are due; whoever journals them takes them
	running     bool

	mu     sync.Mutex
	work   *sync.Cond // for the feeder: blocks, a hurry, or the end
	change *sync.Cond // for those who wait: something was applied
	queue  []journal.Block
	count  int // events in queue
	bytes  int
	hurry  uint64     // block that somebody waits for
	latest checkpoint // that could be written now
	since  int        // events since the last checkpoint
	ended  bool
	failed error
	done   chan struct{}
}

// feedOrder sorts a batch by player without moving events.
type feedOrder struct {
	uid   uint64
	index int32
}

func newFeeder(applied *atomic.Uint64, broken func(error)) *feeder {
	f := &feeder{applied: applied, broken: broken, checkpoints: make(chan checkpoint, 1), done: make(chan struct{})}
	f.work, f.change = sync.NewCond(&f.mu), sync.NewCond(&f.mu)
	return f
}

// attach goes on from where views are.
func (f *feeder) attach(v *views) error {
	list, err := readCampaigns(v.db)
	if err != nil {
		return err
	}
	f.views, f.campaigns = v, map[uint32]*campaignView{}
	for _, view := range list {
		f.campaigns[view.Campaign.ID] = &view
	}
	f.mark, err = readMark(v.db)
	f.applied.Store(f.mark.Block)
	return err
}

// push queues a durable block, from the committer. It blocks when the views are far behind.
func (f *feeder) push(b journal.Block) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.bytes > feedBytes && f.failed == nil {
		f.change.Wait()
	}
	f.queue = append(f.queue, b)
	f.count += b.Count
	f.bytes += len(b.Events)
	if f.count >= feedEvents || f.count == b.Count {
		f.work.Signal()
	}
}

// lag is how many durable events are not in the views.
func (f *feeder) lag() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return uint64(f.count)
}

// wait returns when a block is in the views.
func (f *feeder) wait(block uint64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.applied.Load() < block && f.failed == nil {
		f.hurry = max(f.hurry, block)
		f.work.Signal()
		f.change.Wait()
	}
	return f.failed
}

func (f *feeder) start() {
	f.running = true
	go f.run()
}

// run applies until end is called, and then what is left.
func (f *feeder) run() {
	defer close(f.done)
	for {
		blocks, ok := f.next()
		if !ok {
			return
		}
		err := f.apply(blocks)
		f.finish(blocks, err)
		if err != nil {
			f.broken(err)
			return
		}
		if f.since >= checkpointAfter {
			f.offerCheckpoint()
		}
	}
}

// next waits for a batch: as many events as are applied best at once, or what has come until a little later.
func (f *feeder) next() (blocks []journal.Block, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.queue) == 0 && !f.ended && f.failed == nil {
		f.work.Wait()
	}
	if len(f.queue) == 0 || f.failed != nil {
		return nil, false
	}
	late := time.AfterFunc(feedDelay, func() { f.rush(f.queueEnd()) })
	for f.count < feedEvents && f.hurry <= f.applied.Load() && !f.ended && f.failed == nil {
		f.work.Wait()
	}
	late.Stop()
	n, events := 0, 0
	for n < len(f.queue) && events < feedEvents {
		events += f.queue[n].Count
		n++
	}
	return f.queue[:n:n], true
}

func (f *feeder) queueEnd() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.queue) == 0 {
		return 0
	}
	return f.queue[len(f.queue)-1].Number
}

func (f *feeder) rush(block uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hurry = max(f.hurry, block)
	f.work.Signal()
}

// finish takes applied blocks off the queue.
func (f *feeder) finish(blocks []journal.Block, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range blocks {
		f.count -= b.Count
		f.bytes -= len(b.Events)
		if f.recycle != nil {
			f.recycle(b.Events)
		}
	}
	f.queue = append(f.queue[:0], f.queue[len(blocks):]...)
	if err == nil {
		f.applied.Store(f.mark.Block)
		f.note()
	}
	f.change.Broadcast()
}

// fail makes the feeder stop, and nobody wait for it.
func (f *feeder) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = cmp.Or(f.failed, err)
	f.work.Signal()
	f.change.Broadcast()
}

// end applies what is queued and stops. With views that failed the feeder may be stuck in them.
func (f *feeder) end() {
	f.mu.Lock()
	f.ended = true
	f.work.Signal()
	f.mu.Unlock()
	select {
	case <-f.done:
	case <-f.views.failed:
	}
}

// apply writes a batch: the rows of the events, and in the same batch the mark.
func (f *feeder) apply(blocks []journal.Block) error {
	if err := f.decode(blocks); err != nil {
		return err
	}
	batch := f.views.db.NewBatchWithSize(len(f.events) * 160)
	defer batch.Close()
	if err := f.fold(batch); err != nil {
		return err
	}
	f.writePlayers(batch)
	last := blocks[len(blocks)-1]
	f.mark.Block, f.mark.Hash, f.mark.At = last.Number, last.Hash.String(), hongbao.Time(last.AtMS)
	if err := setJSON(batch, []byte{markFamily}, f.mark); err != nil {
		return err
	}
	if err := batch.Commit(pebble.NoSync); err != nil {
		return fmt.Errorf("%w: write views: %w", hongbao.ErrBroken, err)
	}
	return nil
}

func (f *feeder) decode(blocks []journal.Block) error {
	f.events = f.events[:0]
	for _, b := range blocks {
		for i, raw := range journal.Events(b) {
			f.events = append(f.events, hongbao.Event{})
			if err := hongbao.DecodeEvent(raw, &f.events[len(f.events)-1]); err != nil {
				return fmt.Errorf("%s: %w", position{b.Number, i}, err)
			}
		}
	}
	return nil
}

// fold counts the batch in its campaigns, and refuses a journal in which a number is missing or given twice.
func (f *feeder) fold(batch *pebble.Batch) error {
	touched := map[uint32]*campaignView{}
	for i := range f.events {
		e := &f.events[i]
		if e.Kind == hongbao.SystemRecorded {
			if err := f.mark.recorded(e); err != nil {
				return err
			}
			f.writeRecorded(batch, e)
			continue
		}
		view, created := f.campaigns[e.Campaign], e.Kind == hongbao.CampaignCreated
		if created != (view == nil) || created && int(e.Campaign) != len(f.campaigns)+1 {
			return fmt.Errorf("%w: the journal has an event (%s) of campaign %d where there are %d campaigns", hongbao.ErrBroken, e.Kind, e.Campaign, len(f.campaigns))
		}
		if created {
			view = &campaignView{}
			f.campaigns[e.Campaign] = view
		}
		if err := view.fold(e); err != nil {
			return err
		}
		touched[e.Campaign] = view
	}
	for id, view := range touched {
		if err := setJSON(batch, campaignKey(nil, id), view); err != nil {
			return err
		}
	}
	return nil
}

func (v *campaignView) fold(e *hongbao.Event) (err error) {
	switch e.Kind {
	case hongbao.EnvelopeWon:
		if e.Envelope.Number() != v.Progress.Taken.Count {
			return fmt.Errorf("%w: the journal has a hole: campaign %d gives out number %d where %d is next",
				hongbao.ErrBroken, e.Campaign, e.Envelope.Number(), v.Progress.Taken.Count)
		}
		v.Progress.Taken.Add(e.AmountFen)
	case hongbao.EnvelopeOpened:
		v.Progress.Opened.Add(e.AmountFen)
	case hongbao.EnvelopeRefunded:
		v.Progress.Refunded.Add(e.AmountFen)
	case hongbao.PlayerSignedUp:
		v.Progress.SignedUp++
	default:
		v.Campaign, err = v.Campaign.After(e)
	}
	return err
}

// writePlayers writes the players' rows family by family and in the order of players, which Pebble takes in best.
// A row that a batch writes twice (a balance) is written in the order of the journal.
func (f *feeder) writePlayers(batch *pebble.Batch) {
	f.order = f.order[:0]
	for i := range f.events {
		if f.events[i].Kind <= hongbao.PlayerSignedUp {
			f.order = append(f.order, feedOrder{f.events[i].UID, int32(i)})
		}
	}
	slices.SortFunc(f.order, func(a, b feedOrder) int { return cmp.Or(cmp.Compare(a.uid, b.uid), cmp.Compare(a.index, b.index)) })
	for _, write := range []func(*pebble.Batch, *hongbao.Event){f.writeEnvelope, f.writeSignUp} {
		for _, o := range f.order {
			write(batch, &f.events[o.index])
		}
	}
}

// set writes a row into a batch; a batch takes what it is given in memory and can't fail.
func set(batch *pebble.Batch, key, row []byte) { _ = batch.Set(key, row, nil) }

func (f *feeder) writeEnvelope(batch *pebble.Batch, e *hongbao.Event) {
	key := playerKey(f.scratch[:0], e.UID, e.Envelope)
	switch e.Kind {
	case hongbao.EnvelopeWon:
		row := appendWonRow(key, e)
		set(batch, key, row[len(key):])
		f.scratch = row
	case hongbao.EnvelopeOpened:
		f.writeClosed(batch, key, hongbao.StateOpened, e.At)
		key = playerKey(f.scratch[:0], e.UID, 0)
		row := binary.AppendUvarint(key, uint64(e.BalanceFen))
		set(batch, key, row[len(key):])
	case hongbao.EnvelopeRefunded:
		f.writeClosed(batch, key, hongbao.StateRefunded, e.At)
	}
}

func (f *feeder) writeClosed(batch *pebble.Batch, key []byte, state hongbao.EnvelopeState, at hongbao.Time) {
	key = append(key, closedSuffix)
	row := appendClosedRow(key, state, at)
	set(batch, key, row[len(key):])
	f.scratch = row
}

func (f *feeder) writeSignUp(batch *pebble.Batch, e *hongbao.Event) {
	if e.Kind == hongbao.PlayerSignedUp {
		key := signUpKey(f.scratch[:0], e.Campaign, e.UID)
		row := binary.AppendUvarint(key, uint64(e.At))
		set(batch, key, row[len(key):])
		f.scratch = row
	}
}

func setJSON(batch *pebble.Batch, key []byte, value any) error {
	row, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("write view: %w", err)
	}
	set(batch, key, row)
	return nil
}
