package webhook

import (
	"sync/atomic"
	"time"

	"hongbao"
)

// meter is what is counted of one endpoint.
type meter struct {
	accepted, failed atomic.Uint64
	oldest           atomic.Int64 // when the oldest event that waits happened, Unix milliseconds; 0: none does
	failing, parked  atomic.Int64 // campaigns
	gone             atomic.Bool
}

// gauge measures a courier.
func (m *meter) gauge(c *courier) {
	var oldest hongbao.Time
	var failing, parked int64
	for _, l := range c.lanes {
		switch {
		case l.fails.isParked():
			parked++
			continue
		case l.fails.failing():
			failing++
		}
		if at := l.waitsSince(); at != 0 && (oldest == 0 || at < oldest) {
			oldest = at
		}
	}
	m.oldest.Store(int64(oldest))
	m.failing.Store(failing)
	m.parked.Store(parked)
	m.gone.Store(c.cursor.Gone != nil)
}

// of is the meter of the endpoint of that name.
func (m *meters) of(name string) *meter {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.by == nil {
		m.by = map[string]*meter{}
	}
	if m.by[name] == nil {
		m.by[name] = &meter{}
	}
	return m.by[name]
}

// keep forgets the meters of other endpoints than these.
func (m *meters) keep(wanted map[string]assignment) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name := range m.by {
		if _, still := wanted[name]; !still {
			delete(m.by, name)
		}
	}
}

// Figure is one number for metrics. Figures of one name have the same labels.
type Figure struct {
	Name    string // "webhook_deliveries_total"
	Help    string // a sentence
	Labels  map[string]string
	Counter bool // it only grows while the process runs
	Value   float64
}

// Figures are what this process delivers; where it does not deliver there are none.
func (s *Sender) Figures() []Figure {
	s.meters.mu.Lock()
	defer s.meters.mu.Unlock()
	var figures []Figure
	for name, m := range s.meters.by {
		add := func(metric, help string, counter bool, value float64, labels ...string) {
			f := Figure{Name: metric, Help: help, Counter: counter, Value: value, Labels: map[string]string{"webhook": name}}
			for i := 0; i < len(labels); i += 2 {
				f.Labels[labels[i]] = labels[i+1]
			}
			figures = append(figures, f)
		}
		const deliveries, byOutcome = "webhook_deliveries_total", "Requests to webhooks by outcome."
		add(deliveries, byOutcome, true, float64(m.accepted.Load()), "outcome", "accepted")
		add(deliveries, byOutcome, true, float64(m.failed.Load()), "outcome", "failed")
		add("webhook_lag_seconds", "Age of the oldest event that waits to be accepted, without those of parked campaigns.", false, m.lag(time.Now()))
		add("webhook_failing_campaigns", "Campaigns whose deliveries fail and are tried again.", false, float64(m.failing.Load()))
		add("webhook_parked_campaigns", "Campaigns that have failed for three days and wait to be replayed.", false, float64(m.parked.Load()))
		add("webhook_disabled", "1 when the receiver has answered 410.", false, ones(m.gone.Load()))
	}
	return figures
}

func (m *meter) lag(now time.Time) float64 {
	oldest := hongbao.Time(m.oldest.Load())
	if oldest == 0 {
		return 0
	}
	return max(0, now.Sub(oldest.Std()).Seconds())
}

func ones(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
