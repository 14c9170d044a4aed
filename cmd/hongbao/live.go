package main

import (
	"context"
	"time"

	"hongbao/adminapi"
	"hongbao/live"
)

// clusterLag is how far a node's view of campaigns may be behind what a worker has told of them: caches live a second, and
// news of them has to travel.
const clusterLag = 2 * time.Second

// openLive makes the hub and has it read the events there are; what can't be read yet is read while it serves.
func (s *server) openLive(ctx context.Context) error {
	options := live.HubOptions{
		Service: s.service, Logger: s.logger, Listen: s.engine.Listen, Connections: s.config.shares().live,
	}
	if s.config.Engine == engineCluster {
		options.Lag = clusterLag
	}
	s.live = live.NewHub(options)
	if err := s.live.Look(ctx); err != nil {
		s.logger.Warn("events can't be read yet", "error", err)
	}
	return nil
}

// announcer is what tells players of events. It runs where the background work is done.
func (s *server) announcer() *live.Announcer {
	return live.NewAnnouncer(live.AnnouncerOptions{Service: s.service, Logger: s.logger, Call: s.engine.Call})
}

// liveFigures are what the hub counts.
func (s *server) liveFigures() []adminapi.Figure {
	stats := s.live.Stats()
	lost := func(why string, n uint64) adminapi.Figure {
		return adminapi.Figure{
			Name: "live_connections_dropped_total", Help: "Connections for events that were not kept, by why.",
			Labels: map[string]string{"why": why}, Counter: true, Value: float64(n),
		}
	}
	return []adminapi.Figure{
		{Name: "live_connections", Help: "Connections that are told of events.", Value: float64(stats.Connections)},
		{Name: "live_connections_limit", Help: "How many there may be.", Value: float64(stats.ConnectionsMax)},
		{Name: "live_writes_total", Help: "Writes of events to connections.", Counter: true, Value: float64(stats.Written)},
		{Name: "live_last_event", Help: "Id of the latest event.", Value: float64(stats.Last)},
		{
			Name: "live_delay_seconds", Value: stats.Delay.Seconds(),
			Help: "From deciding the latest event to having written it to the last connection.",
		},
		lost("slow", stats.Slow), lost("refused", stats.Refused),
	}
}
