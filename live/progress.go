package live

import (
	"context"
	"time"

	"hongbao"
)

const countEvery = time.Second

// counting is the data of progress.
type counting struct {
	Campaign   uint32       `json:"campaign_id,string"`
	ServerTime hongbao.Time `json:"server_time"`
	Left       uint64       `json:"left"`  // share not yet taken, in hundredths
	Taken      uint64       `json:"taken"` // envelopes
}

// count tells once a second how the campaigns that are open get on, until ctx ends.
func (h *Hub) count(ctx context.Context) {
	ticker := time.NewTicker(countEvery)
	defer ticker.Stop()
	told := map[uint32]counting{}
	for {
		select {
		case <-ticker.C:
			told = h.countOpen(told)
		case <-ctx.Done():
			return
		}
	}
}

// countOpen tells what has changed since it was told, and returns what has been told now.
func (h *Hub) countOpen(told map[uint32]counting) map[uint32]counting {
	if h.Connections() == 0 {
		return told
	}
	h.mu.RLock()
	last := h.last
	h.mu.RUnlock()
	var text []byte
	open := map[uint32]counting{}
	for _, c := range h.service.Campaigns() {
		now, rules := h.service.Now(), c.Rules()
		if c.Seal != nil || now < rules.OpensAt || now >= rules.ClosesAt {
			continue
		}
		progress, before := h.service.Progress(c.ID), told[c.ID]
		one := counting{c.ID, now, progress.Left(rules.Budget.Count), progress.Taken.Count}
		open[c.ID] = one
		if changed := one.Taken != before.Taken || before.ServerTime != 0 && one.Left != before.Left; changed {
			text = AppendFrame(text, Progress, encode(one))
		}
	}
	if len(text) > 0 && !h.progressed(text, last) {
		return told
	}
	return open
}

// progressed has progress told, unless an event has come since it was begun to be counted: the event may be that a campaign has
// closed, and comes first.
func (h *Hub) progressed(text []byte, last uint64) bool {
	h.mu.Lock()
	ok := h.last == last
	if ok {
		h.counted = text
		h.counting++
	}
	h.mu.Unlock()
	if ok {
		for _, s := range h.shards {
			s.call()
		}
	}
	return ok
}
