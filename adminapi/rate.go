package adminapi

import (
	"context"
	"sync"
	"time"

	"hongbao"
)

const (
	sampleEvery = time.Second
	samplesMax  = 62 // a minute, both its ends, and one that a late tick may take
)

// sample is how much had been told at one time.
type sample struct {
	at       time.Time
	snatches uint64
	wins     uint64
	openings uint64
}

func newSample(at time.Time, counts hongbao.Counts) sample {
	now := sample{at: at, wins: counts.Statuses[hongbao.Won], openings: counts.Openings}
	for _, n := range counts.Statuses {
		now.snatches += n
	}
	return now
}

// pace is how much was told a second.
type pace struct {
	Snatches float64 `json:"snatches" doc:"Answers to snatches, refusals too"`
	Wins     float64 `json:"wins"`
	Openings float64 `json:"openings"`
}

// meter keeps the samples of the last minute.
type meter struct {
	mu      sync.Mutex
	samples []sample // oldest first
}

// count takes a sample a second until ctx ends.
func (s *Server) count(ctx context.Context) {
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	for {
		s.meter.add(newSample(time.Now(), s.service.Counts()))
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (m *meter) add(now sample) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.samples) == samplesMax {
		m.samples = append(m.samples[:0], m.samples[1:]...)
	}
	m.samples = append(m.samples, now)
}

// rate is the mean over the window up to now, or over as much of it as there are samples of.
func (m *meter) rate(now sample, window time.Duration) pace {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, then := range m.samples {
		if elapsed := now.at.Sub(then.at); elapsed > 0 && elapsed <= window {
			return rateBetween(then, now, elapsed.Seconds())
		}
	}
	return pace{}
}

func rateBetween(then, now sample, seconds float64) pace {
	return pace{
		Snatches: float64(now.snatches-then.snatches) / seconds,
		Wins:     float64(now.wins-then.wins) / seconds,
		Openings: float64(now.openings-then.openings) / seconds,
	}
}
