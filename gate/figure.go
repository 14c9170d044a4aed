package gate

import (
	"errors"
	"strings"
	"time"
)

// Figure is one number that the gate counts, for metrics. Figures of one name have the same labels.
type Figure struct {
	Name    string // "gate_refused_total"
	Help    string // a sentence
	Labels  map[string]string
	Counter bool // it only grows while the process runs
	Value   float64
}

// priorityNames are what the priorities are called outside.
var priorityNames = [priorities]string{playing: "play", reading: "wallet", listing: "list"}

// Figures are what the gate has refused and how it stands.
func (g *Gate) Figures() []Figure {
	flight := g.inFlight.state()
	figures := []Figure{
		{Name: "gate_in_flight", Help: "Requests in the engine.", Value: float64(flight.used)},
		{Name: "gate_in_flight_limit", Help: "Requests that may be in the engine at once; 0 for no limit.", Value: float64(flight.limit)},
		{Name: "gate_lot_waiting", Help: "Snatches that wait for the lot of a fair start.", Value: float64(g.lots.waiting())},
		{Name: "gate_breaker_open", Help: "1 while the engine is not called because it fails.", Value: ones(g.breaker.state().open)},
		{Name: "gate_read_only", Help: "1 while nothing may change.", Value: ones(g.Settings().ReadOnly)},
		{Name: "gate_denied_entries", Help: "Entries of the denylist.", Value: float64(len(g.Settings().Denylist))},
	}
	for reason, n := range g.Refused() {
		figures = append(figures, Figure{
			Name: "gate_refused_total", Help: "Requests that the gate refused, by reason.",
			Labels: map[string]string{"reason": reason}, Counter: true, Value: float64(n),
		})
	}
	for p, name := range priorityNames {
		figures = append(figures, Figure{
			Name: "gate_waiting", Help: "Requests that wait for room in the engine, by priority.",
			Labels: map[string]string{"priority": name}, Value: float64(flight.waiting[p]),
		})
	}
	return append(figures, g.riskFigures()...)
}

// Refused are the requests that the gate has refused since the start, by reason.
func (g *Gate) Refused() map[string]uint64 {
	refused := map[string]uint64{}
	for r := range reasons {
		refused[r.String()] = g.refused[r].Load()
	}
	return refused
}

func (g *Gate) riskFigures() []Figure {
	if g.risk == nil {
		return nil
	}
	state := g.risk.state()
	figures := []Figure{{Name: "gate_risk_breaker_open", Help: "1 while the risk hook is not asked because it fails.", Value: ones(state.open)}}
	for _, outcome := range []struct {
		name string
		n    uint64
	}{{"answered", state.answered}, {"failed", state.failed}, {"cached", state.cached}, {"denied", state.denied}, {"unscored", state.unscored}} {
		figures = append(figures, Figure{
			Name: "gate_risk_total", Help: "Checks of the risk hook by what came of them; one can count twice.",
			Labels: map[string]string{"outcome": outcome.name}, Counter: true, Value: float64(outcome.n),
		})
	}
	return figures
}

func ones(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// Degraded tells why players get less than they should, or nil.
func (g *Gate) Degraded() error {
	var why []string
	if g.Settings().ReadOnly {
		why = append(why, "the gate is read-only: nothing can be won, opened or signed up for")
	}
	if state := g.breaker.state(); state.open {
		why = append(why, "the engine fails, and is tried now and then: since "+state.since.UTC().Format(time.RFC3339))
	}
	if g.inFlight.state().shedding {
		why = append(why, "there is more to do than the engine can take: requests are being shed")
	}
	if g.risk != nil && g.risk.state().open {
		why = append(why, "the risk hook fails, and is tried now and then")
	}
	if len(why) == 0 {
		return nil
	}
	return errors.New(strings.Join(why, "; "))
}
