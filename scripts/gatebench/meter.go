package main

import (
	"context"
	"os"
	"slices"
	"sync"
	"time"

	"hongbao/scripts/machine"
)

// meter watches a run: what honest players were answered, what the flood was answered, what it all cost.
type meter struct {
	ground   *ground
	flooding *flooding
	mu       sync.Mutex
	attempts []attempt
	samples  []sample
}

// sample is what the processes had used at a time.
type sample struct {
	at                time.Duration
	server, generator time.Duration // CPU so far
	residentMB        float64
}

func newMeter(g *ground) *meter {
	return &meter{ground: g, flooding: &flooding{answers: map[int]int64{}}}
}

// run lets everybody play to the end.
func (m *meter) run(ctx context.Context, people []*honest, kinds []kind) {
	var playing sync.WaitGroup
	for _, p := range people {
		playing.Go(func() {
			p.play(func(a attempt) {
				m.mu.Lock()
				defer m.mu.Unlock()
				m.attempts = append(m.attempts, a)
			})
		})
	}
	playing.Go(func() { m.sample(ctx) })
	m.flood(ctx, kinds)
	playing.Wait()
}

// flood comes after a while, and goes again.
func (m *meter) flood(ctx context.Context, kinds []kind) {
	o := m.ground.options
	if !pause(ctx, time.Until(m.ground.start.Add(o.before))) {
		return
	}
	flooding, cancel := context.WithDeadline(ctx, m.ground.start.Add(o.before+o.during))
	defer cancel()
	sharing := 0
	for _, k := range kinds {
		sharing += count(k.make != nil && k.rate == nil)
	}
	for _, k := range kinds {
		rate, connections := 0, max(1, o.connections/max(sharing, 1))
		switch {
		case k.rate != nil:
			rate = k.rate(o)
		case k.make != nil:
			rate = o.flood / sharing
		}
		m.flooding.run(flooding, m.ground, k, rate, connections)
	}
	m.flooding.flooders.Wait()
}

func (m *meter) sample(ctx context.Context) {
	const every = 250 * time.Millisecond
	server := m.ground.place.nodes[0].pid()
	for time.Now().Before(m.ground.end()) {
		m.samples = append(m.samples, sample{time.Since(m.ground.start), machine.CPU(server), machine.CPU(os.Getpid()), residentMB(server)})
		if !pause(ctx, every) {
			return
		}
	}
}

// pause waits, and reports whether ctx is still there.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// phase is how honest players fared for a while. Shares are in hundredths.
type phase struct {
	Requests     int            `json:"requests"`       // what they wanted, whatever it took
	First        float64        `json:"first_try"`      // answered at the first try
	Third        float64        `json:"within_3_tries"` // answered at the third at the latest
	P50MS        float64        `json:"p50_ms"`         // of the tries that were answered
	P99MS        float64        `json:"p99_ms"`
	MaxMS        float64        `json:"max_ms"`
	Answers      map[string]int `json:"answers"`             // of all tries
	ServerCPU    float64        `json:"server_cpu"`          // seconds a second
	GeneratorCPU float64        `json:"generator_cpu"`       // the same, of flood and honest players together
	ResidentMB   float64        `json:"server_resident_mib"` // the most
}

// floodResult is what came of a flood.
type floodResult struct {
	Name         string        `json:"name"`
	Setting      string        `json:"setting"`
	Before       phase         `json:"before"`
	During       phase         `json:"during"`
	After        phase         `json:"after"`
	FloodSent    int64         `json:"flood_sent"`
	FloodUnsent  int64         `json:"flood_unsent"` // due, and not written in time
	FloodRate    float64       `json:"flood_rate"`   // requests a second that were sent
	FloodAnswers map[int]int64 `json:"flood_answers"`
	Opened       int64         `json:"connections_opened"`
	Closed       int64         `json:"connections_closed_by_server"`
	Seconds      []second      `json:"seconds"`
}

// second is how honest players fared in one second of the run.
type second struct {
	At    int     `json:"at"`
	First float64 `json:"first_try"`
	P50MS float64 `json:"p50_ms"`
	P99MS float64 `json:"p99_ms"`
}

func (m *meter) result(fl flood) *floodResult {
	o := m.ground.options
	f := m.flooding
	r := &floodResult{
		Name: fl.Name, Setting: fl.setting.String(),
		Before: m.phase(0, o.before), During: m.phase(o.before, o.before+o.during), After: m.phase(o.before+o.during, o.length()),
		FloodSent: f.sent.Load(), FloodUnsent: f.unsent.Load(), FloodAnswers: f.answers, Opened: f.opened.Load(), Closed: f.closed.Load(),
	}
	r.FloodRate = float64(r.FloodSent) / o.during.Seconds()
	for at := range int(o.length().Seconds()) {
		from := time.Duration(at) * time.Second
		p := m.fared(from, from+time.Second)
		r.Seconds = append(r.Seconds, second{at, p.First, p.P50MS, p.P99MS})
	}
	return r
}

func (m *meter) phase(from, to time.Duration) phase {
	p := m.fared(from, to)
	inside := slices.DeleteFunc(slices.Clone(m.samples), func(s sample) bool { return s.at < from || s.at >= to })
	if len(inside) < 2 {
		return p
	}
	first, last := inside[0], inside[len(inside)-1]
	seconds := (last.at - first.at).Seconds()
	p.ServerCPU = (last.server - first.server).Seconds() / seconds
	p.GeneratorCPU = (last.generator - first.generator).Seconds() / seconds
	for _, s := range inside {
		p.ResidentMB = max(p.ResidentMB, s.residentMB)
	}
	return p
}

// fared is what became of requests that were first sent in that time.
func (m *meter) fared(from, to time.Duration) phase {
	p := phase{Answers: map[string]int{}}
	var took []time.Duration
	first, third := 0, 0
	for _, a := range m.attempts {
		if a[0].due < from || a[0].due >= to {
			continue
		}
		p.Requests++
		first += count(a[0].ok)
		third += count(a[len(a)-1].ok)
		for _, t := range a {
			p.Answers[t.label]++
			if t.ok {
				took = append(took, t.took)
			}
		}
	}
	p.First, p.Third = 100*float64(first)/float64(max(p.Requests, 1)), 100*float64(third)/float64(max(p.Requests, 1))
	p.P50MS, p.P99MS, p.MaxMS = percentile(took, 0.5), percentile(took, 0.99), percentile(took, 1)
	return p
}
