package bench

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"hongbao/audit"
)

// Report is what a run found. Rates are a second; latencies are in milliseconds, from when a request was due (in the
// closed model: sent) to when its answer was read.
type Report struct {
	Pass bool `json:"ok"` // see OK

	Setup        []Fact             `json:"setup"` // what was played, in the order to show it
	Seed         uint64             `json:"seed,string"`
	Started      time.Time          `json:"started"`
	TookSeconds  float64            `json:"took_seconds"` // of the load, without verification
	Stopped      bool               `json:"stopped"`      // before its time, by an interrupt
	Answered     uint64             `json:"answered"`
	Rate         float64            `json:"rate"`
	NotSent      uint64             `json:"not_sent"` // due, and the server or this machine was too slow to send them
	Errors       uint64             `json:"errors"`   // answers that are no business outcome, and requests without one
	Statuses     []StatusCount      `json:"statuses"` // most frequent first
	Latency      Latency            `json:"latency"`
	Operations   []OperationLatency `json:"operations"`
	EverySeconds float64            `json:"every_seconds"` // length of an interval of Timeline
	Timeline     []Point            `json:"timeline"`
	Amounts      Amounts            `json:"amounts"`

	Told             Counts        `json:"told"`
	SignedUp         int           `json:"signed_up,omitempty"`
	Unknown          int           `json:"unknown"` // outcomes that could not be learnt
	Compared         Compared      `json:"compared"`
	Audit            *audit.Report `json:"audit"` // nil without an admin token
	Differences      []Difference  `json:"differences"`
	DifferencesTotal uint64        `json:"differences_total"`
	Problems         []string      `json:"problems"` // what kept something from being verified
}

// OK reports whether everything could be verified and nothing differs.
func (r *Report) OK() bool { return r.Pass }

// Fact is a line of the set-up.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// StatusCount is how often a label was counted: a status, a code, "timeout", "unreachable", "connection lost" or "wrong".
type StatusCount struct {
	Status string `json:"status"`
	Count  uint64 `json:"count"`
}

// Latency is a distribution in milliseconds.
type Latency struct {
	Mean float64 `json:"mean_ms"`
	P50  float64 `json:"p50_ms"`
	P90  float64 `json:"p90_ms"`
	P99  float64 `json:"p99_ms"`
	P999 float64 `json:"p999_ms"`
	Max  float64 `json:"max_ms"`
}

// OperationLatency is the latency of one kind of request.
type OperationLatency struct {
	Operation Operation `json:"operation"`
	Count     uint64    `json:"count"`
	Latency
}

// Point is one interval of the timeline. Requests are counted when they were answered; latencies belong to when the
// requests were due, so that a stall shows where it began.
type Point struct {
	Second  float64 `json:"second"` // its beginning
	Rate    float64 `json:"rate"`
	Wins    float64 `json:"wins_rate"`
	Errors  uint64  `json:"errors"`
	NotSent uint64  `json:"not_sent"`
	Latency
}

// Amounts are the amounts of the envelopes that players won, as far as they became known.
type Amounts struct {
	Known    uint64         `json:"known"`
	TotalFen int64          `json:"total_fen"`
	MinFen   int64          `json:"min_fen"`
	MaxFen   int64          `json:"max_fen"`
	Bars     []AmountsCount `json:"bars"`
}

// AmountsCount is one bar of the histogram of amounts.
type AmountsCount struct {
	FromFen int64  `json:"from_fen"` // inclusive
	ToFen   int64  `json:"to_fen"`   // inclusive
	Count   uint64 `json:"count"`
}

func (r *run) report() *Report {
	report := &Report{
		Setup: r.setup(), Seed: r.Seed, Started: r.started.UTC().Truncate(time.Millisecond), TookSeconds: r.took.Seconds(),
		Stopped: r.stopped, Told: r.witness.Told.Counts(), Compared: r.compared, Audit: r.audit,
		Amounts: r.witness.Told.amounts(), Problems: r.problems,
	}
	r.timeline.fill(report)
	report.Rate = float64(report.Answered) / max(report.TookSeconds, 1e-9)
	askable, lost := r.witness.Told.Unknown()
	report.Unknown = askable + lost
	report.Differences, report.DifferencesTotal = r.witness.Told.Differences()
	report.Pass = report.DifferencesTotal == 0 && len(report.Problems) == 0 && (r.audit == nil || r.audit.OK)
	return report
}

// setup says what was played.
func (r *run) setup() []Fact {
	facts := []Fact{
		{"server", r.PlayerURL + ", API " + r.API},
		{"campaign", fmt.Sprintf("%d, %s (%s)", r.campaign.ID, r.campaign.Name, r.campaign.Kind)},
		{"scenario", r.Scenario},
		{"players", fmt.Sprintf("%s, from uid %d", thousands(r.Players), r.FirstUID)},
		{"load", r.loadText()},
		{"connections", thousands(r.Connections)},
		{"shares", fmt.Sprintf("open %g, wallet %g", r.OpenShare, r.WalletShare)},
		{"seed", strconv.FormatUint(r.Seed, 10)},
		{"machine", fmt.Sprintf("%s/%s, %d CPUs", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())},
	}
	return facts
}

func (r *run) loadText() string {
	intervals := "constant"
	if r.Poisson {
		intervals = "Poisson"
	}
	switch {
	case r.Closed > 0:
		return fmt.Sprintf("closed model, %s workers for %s", thousands(r.Closed), r.Duration)
	case r.Rate == 0:
		return "open model, all at once"
	}
	return fmt.Sprintf("open model, %s/s (%s) for %s", thousands(int64(r.Rate)), intervals, r.Duration)
}

// fill writes the timeline's figures into the report.
func (t *timeline) fill(r *Report) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := newHistogram(figuresTotal)
	for _, operation := range []Operation{OpSnatch, OpOpen, OpWallet, OpSignUp, OpTicket} {
		if h := t.operations[operation]; h != nil {
			all.Merge(h)
			r.Operations = append(r.Operations, OperationLatency{operation, uint64(h.TotalCount()), latencyOf(h)})
		}
	}
	r.Answered, r.NotSent, r.Errors, r.Latency = uint64(all.TotalCount()), t.unsent, t.errors, latencyOf(all)
	for status, count := range t.statuses {
		r.Statuses = append(r.Statuses, StatusCount{status, count})
	}
	slices.SortFunc(r.Statuses, func(a, b StatusCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Status, b.Status))
	})
	r.EverySeconds = t.every.Seconds()
	for i, in := range t.intervals {
		r.Timeline = append(r.Timeline, t.point(i, in, r.TookSeconds))
	}
}

// point is an interval in figures. The last one is shorter than the others; one that hardly began is not blown up.
func (t *timeline) point(n int, in *interval, took float64) Point {
	every := t.every.Seconds()
	begin := float64(n) * every
	seconds := min(every, max(took-begin, every/2))
	return Point{
		Second: begin, Rate: float64(in.answered) / seconds, Wins: float64(in.wins) / seconds,
		Errors: in.errors, NotSent: in.unsent, Latency: latencyOf(in.latencies),
	}
}

func latencyOf(h *hdrhistogram.Histogram) Latency {
	at := func(quantile float64) float64 { return float64(h.ValueAtQuantile(quantile)) / 1000 }
	return Latency{Mean: h.Mean() / 1000, P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: float64(h.Max()) / 1000}
}

// amountBars is how many bars the histogram of amounts has at most.
const amountBars = 40

// amounts counts the amounts that are known, in bars of equal width.
func (t *Told) amounts() Amounts {
	t.mu.Lock()
	defer t.mu.Unlock()
	var a Amounts
	for _, h := range t.envelopes {
		if h.amountFen == 0 {
			continue
		}
		if a.Known == 0 {
			a.MinFen = h.amountFen
		}
		a.Known++
		a.TotalFen += h.amountFen
		a.MinFen, a.MaxFen = min(a.MinFen, h.amountFen), max(a.MaxFen, h.amountFen)
	}
	if a.Known == 0 {
		return a
	}
	width := (a.MaxFen-a.MinFen)/amountBars + 1
	for from := a.MinFen; from <= a.MaxFen; from += width {
		a.Bars = append(a.Bars, AmountsCount{FromFen: from, ToFen: from + width - 1})
	}
	for _, h := range t.envelopes {
		if h.amountFen != 0 {
			a.Bars[(h.amountFen-a.MinFen)/width].Count++
		}
	}
	return a
}
