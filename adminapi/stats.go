package adminapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hongbao"
)

func (s *Server) statsRoute() {
	register(s, Viewer, huma.Operation{
		OperationID: "read-stats", Method: http.MethodGet, Path: "/admin/v1/stats", Tags: []string{tagServer},
		Summary:     "Read how the server fares now",
		Description: "Counts are since the start of the process.",
	}, s.readStats)
}

// stats is how the server fares.
type stats struct {
	Version  string            `json:"version"`
	Now      hongbao.Time      `json:"now" doc:"Engine time"`
	UptimeS  int64             `json:"uptime_s" doc:"Whole seconds since the start of the process"`
	Healthy  bool              `json:"healthy"`
	Reason   string            `json:"reason,omitempty" doc:"Why it is not healthy"`
	Statuses map[string]uint64 `json:"statuses" doc:"Answers to snatches by status"`
	Openings uint64            `json:"openings" doc:"First openings"`
	Refused  map[string]uint64 `json:"refused" doc:"Requests that the gate refused, by reason"`
	Rates    rates             `json:"rates"`
	Running  []runningCampaign `json:"campaigns" nullable:"false" doc:"Those that are open"`
	Lag      uint64            `json:"lag" doc:"Events that are durable and not yet in the books"`
	Head     string            `json:"head" doc:"Of the journal's hash chain; an audit takes it"`
	Events   uint64            `json:"events" doc:"Events journaled"`
	Groups   uint64            `json:"groups" doc:"Group commits"`
	SyncUS   uint64            `json:"sync_us" doc:"Mean time of a group's sync in microseconds"`
}

// rates are per second, over two windows.
type rates struct {
	TenSeconds pace `json:"10s"`
	Minute     pace `json:"1m"`
}

// runningCampaign is what an open campaign has left.
type runningCampaign struct {
	ID     string        `json:"id"`
	Name   string        `json:"name"`
	Paused bool          `json:"paused"`
	Budget hongbao.Tally `json:"budget"`
	Taken  hongbao.Tally `json:"taken"`
	Left   hongbao.Tally `json:"left" doc:"Not yet taken"`
}

type statsOutput struct {
	Body stats
}

func (s *Server) readStats(context.Context, *struct{}) (*statsOutput, error) {
	counts, health, now := s.service.Counts(), s.service.Health(), time.Now()
	trouble := errors.Join(health.Err, s.degraded())
	recent := newSample(now, counts)
	told := stats{
		Version: s.version, Now: s.service.Now(), UptimeS: int64(now.Sub(s.started).Seconds()),
		Healthy: trouble == nil, Statuses: map[string]uint64{}, Openings: counts.Openings,
		Refused: s.gate.Refused(),
		Rates:   rates{s.meter.rate(recent, 10*time.Second), s.meter.rate(recent, time.Minute)},
		Running: s.running(), Lag: health.Lag, Head: health.Head, Events: health.Events, Groups: health.Groups,
		SyncUS: health.SyncedNS / 1000 / max(health.Groups, 1),
	}
	if trouble != nil {
		told.Reason = trouble.Error()
	}
	for status, n := range counts.Statuses {
		told.Statuses[hongbao.Status(status).String()] = n
	}
	return &statsOutput{told}, nil
}

func (s *Server) running() []runningCampaign {
	running := []runningCampaign{}
	for _, c := range s.service.Campaigns() {
		progress := s.service.Progress(c.ID)
		if c.Phase(s.service.Now(), progress.Held().Count) != hongbao.PhaseOpen {
			continue
		}
		rules := c.Rules()
		budget := hongbao.Tally{Count: rules.Budget.Count, TotalFen: rules.Budget.TotalFen}
		running = append(running, runningCampaign{
			ID: strconv.FormatUint(uint64(c.ID), 10), Name: rules.Name, Paused: rules.Paused,
			Budget: budget, Taken: progress.Taken, Left: less(budget, progress.Taken),
		})
	}
	return running
}
