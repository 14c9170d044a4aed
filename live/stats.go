package live

import (
	"sync"
	"sync/atomic"
	"time"
)

// Stats is how a hub fares.
type Stats struct {
	Connections    int
	ConnectionsMax int
	Written        uint64        // writes to connections, each of one event or a few
	Slow           uint64        // connections cut off because their readers were too slow
	Refused        uint64        // connections that there was no room for
	Last           uint64        // id of the latest event
	Delay          time.Duration // from deciding the latest event to having written it to the last connection
}

// figures are what a hub counts.
type figures struct {
	written, slow, refused atomic.Uint64
	delay                  delay
}

// delay is how long the latest event took until the last shard had written it.
type delay struct {
	mu   sync.Mutex
	id   uint64
	took time.Duration
}

func (d *delay) tell(id uint64, took time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if id > d.id {
		d.id, d.took = id, took
	} else if id == d.id {
		d.took = max(d.took, took)
	}
}

// Stats reads the counters.
func (h *Hub) Stats() Stats {
	s := Stats{
		Connections: h.Connections(), ConnectionsMax: h.ConnectionsMax(),
		Written: h.written.Load(), Slow: h.slow.Load(), Refused: h.refused.Load(),
	}
	h.delay.mu.Lock()
	s.Delay = h.delay.took
	h.delay.mu.Unlock()
	h.mu.RLock()
	s.Last = h.last
	h.mu.RUnlock()
	return s
}
