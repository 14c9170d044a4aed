package embedded

import (
	"encoding/json"
	"fmt"
	"maps"

	"hongbao"
)

const (
	checkpointEvent = "checkpoint"
	checkpointAfter = 1 << 20 // events; and every minute in which there was one
)

// checkpoint says what the journal amounts to at a block, in a later block of the same journal. At the start the chain
// is verified from the newest one on.
type checkpoint struct {
	Block    uint64                      `json:"block"`
	Hash     string                      `json:"hash"`
	Progress map[uint32]hongbao.Progress `json:"progress,omitempty"`
}

// recorded takes from system events what the start needs.
func (m *mark) recorded(e *hongbao.Event) error {
	switch e.Name {
	case zoneEvent:
		m.Zone = string(e.Data)
	case checkpointEvent:
		m.Checkpoint = checkpoint{}
		if err := json.Unmarshal(e.Data, &m.Checkpoint); err != nil {
			return fmt.Errorf("%w: a checkpoint in the journal is malformed: %w", hongbao.ErrBroken, err)
		}
	}
	return nil
}

// writeCheckpoint journals a checkpoint, if there is anything new in it. With so many campaigns under way that their
// totals don't fit, it goes without them.
func (e *Engine) writeCheckpoint(c checkpoint) error {
	if c.Block == 0 {
		return nil
	}
	data, err := json.Marshal(c)
	if err == nil && len(data) > e.recordMax()-len(checkpointEvent)-len("server") {
		c.Progress = nil
		data, err = json.Marshal(c)
	}
	if err != nil {
		return err
	}
	return e.commit(&hongbao.Event{Kind: hongbao.SystemRecorded, Name: checkpointEvent, Actor: "server", Data: data})
}

// checkpoint is one at the block that the views have reached; the zero one when nothing happened since the last.
func (f *feeder) checkpoint() checkpoint {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.latest
}

// offerCheckpoint hands the checkpoint to whoever journals it, unless the last one is still to be done. The feeder
// can't do it itself: the journal may be waiting for the feeder.
func (f *feeder) offerCheckpoint() {
	if c := f.checkpoint(); c.Block > 0 {
		select {
		case f.checkpoints <- c:
		default:
		}
	}
}

// note keeps the checkpoint that could be written now. The feeder's lock is held.
func (f *feeder) note() {
	for i := range f.events {
		if f.events[i].Name == checkpointEvent {
			f.latest, f.since = checkpoint{}, 0
		} else {
			f.since++
		}
	}
	if f.since == 0 {
		return
	}
	progress := make(map[uint32]hongbao.Progress, len(f.campaigns))
	for id, view := range maps.All(f.campaigns) {
		if !view.settled() {
			progress[id] = view.Progress
		}
	}
	f.latest = checkpoint{Block: f.mark.Block, Hash: f.mark.Hash, Progress: progress}
}

func (v *campaignView) settled() bool {
	return v.Campaign.Seal != nil && v.Progress.Held().Count == 0
}
