package live

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"hongbao"
)

const (
	lookAgain      = time.Second      // how often a hub looks for news without being called
	heartbeatEvery = 15 * time.Second // for each connection
	shardsMax      = 8
	connectionsMax = 1 << 16
	retrySpread    = 4 * time.Second // that reconnecting is spread over, on top of a second
	returnsASecond = 5000            // and longer, so that no more come back in a second
)

// HubOptions are what a [Hub] is made of. Service and Logger are required.
type HubOptions struct {
	Service *hongbao.Service
	Logger  *slog.Logger

	Connections int // most at once; 0: 65,536

	// Listen calls heard whenever an announcer in another process may have told something, until ctx ends. Nil: there is none.
	Listen func(ctx context.Context, heard func())

	// Lag is how far this process' view of campaigns may be behind the events. A new connection is told the events of that time
	// after how campaigns stand.
	Lag time.Duration

	Heartbeat time.Duration // how often each connection is sent one; 0: 15 s
}

// Hub tells connections of events.
type Hub struct {
	service   *hongbao.Service
	logger    *slog.Logger
	listen    func(ctx context.Context, heard func())
	most      int64
	lag       time.Duration
	heartbeat time.Duration
	called    chan struct{} // there may be news
	shards    []*shard

	connections atomic.Int64 // there, or about to be
	next        atomic.Uint64
	closing     atomic.Bool
	figures

	mu       sync.RWMutex
	known    bool              // the ring has been read
	last     uint64            // the latest event
	ring     [ringLength]frame // at its id mod 256; the id is 0 where there is none
	counted  []byte            // the latest progress, as it is sent
	counting uint64            // its number
	trouble  error             // why the ring can't be read, or nil
}

// NewHub makes a hub, which tells nothing until it runs.
func NewHub(o HubOptions) *Hub {
	h := &Hub{
		service: o.Service, logger: o.Logger, listen: o.Listen, most: int64(o.Connections), lag: o.Lag, heartbeat: o.Heartbeat,
		called: make(chan struct{}, 1),
	}
	if h.most == 0 {
		h.most = connectionsMax
	}
	if h.heartbeat == 0 {
		h.heartbeat = heartbeatEvery
	}
	for range min(runtime.GOMAXPROCS(0), shardsMax) {
		h.shards = append(h.shards, newShard(h))
	}
	return h
}

func (h *Hub) heard() {
	select {
	case h.called <- struct{}{}:
	default: // it has been said
	}
}

// Run tells connections of events until ctx ends. It may be called once.
func (h *Hub) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, s := range h.shards {
		all.Go(func() { s.run(ctx) })
	}
	if h.listen != nil {
		all.Go(func() { h.listen(ctx, h.heard) })
	}
	all.Go(func() { h.count(ctx) })
	h.follow(ctx)
	all.Wait()
}

// follow looks for news whenever it is called, and once a second.
func (h *Hub) follow(ctx context.Context) {
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	for {
		if err := h.Look(ctx); ctx.Err() == nil {
			h.suffer(err)
		}
		select {
		case <-h.called:
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// Look reads the events that are new. Run does so by itself; before it, Look makes the hub ready for connections.
func (h *Hub) Look(ctx context.Context) error {
	for {
		h.mu.RLock()
		known, last := h.known, h.last
		h.mu.RUnlock()
		if !known {
			return h.readRing(ctx)
		}
		e, err := readEntry(ctx, h.service.Engine(), last+1)
		if err != nil {
			return err
		}
		switch {
		case e.ID <= last:
			return nil
		case e.ID > last+1: // so many are new that this one is not kept any more
			return h.readRing(ctx)
		}
		h.learn([]entry{e})
	}
}

func (h *Hub) readRing(ctx context.Context) error {
	entries, err := readRing(ctx, h.service.Engine())
	if err == nil {
		h.learn(entries)
	}
	return err
}

// learn takes in events, oldest first, and has them told.
func (h *Hub) learn(entries []entry) {
	h.mu.Lock()
	first := !h.known
	h.known = true
	for i := range entries {
		if f := newFrame(&entries[i]); f.id > h.last {
			h.ring[f.id%ringLength], h.last = f, f.id
		}
	}
	last := h.last
	h.mu.Unlock()
	for _, s := range h.shards {
		if first { // there is nobody yet
			s.mu.Lock()
			s.sent = last
			s.mu.Unlock()
		}
		s.call()
	}
}

// suffer takes note of whether the ring can be read.
func (h *Hub) suffer(err error) {
	h.mu.Lock()
	before := h.trouble
	h.trouble = err
	h.mu.Unlock()
	if err != nil && before == nil {
		h.logger.Error("events can't be read; it is tried again", "error", err)
	} else if err == nil && before != nil {
		h.logger.Info("events are read again")
	}
}

// Degraded tells why events do not reach players, or nil.
func (h *Hub) Degraded() error {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.trouble != nil {
		return fmt.Errorf("events can't be read: %w", h.trouble)
	}
	return nil
}

// spread is how long those who are here are to take to come back elsewhere.
func (h *Hub) spread() time.Duration {
	return max(retrySpread, time.Duration(h.Connections())*time.Second/returnsASecond)
}

// Close takes no more connections, tells those who are here when to come back, and closes them.
func (h *Hub) Close() {
	h.closing.Store(true)
	for _, s := range h.shards {
		s.close()
	}
}
