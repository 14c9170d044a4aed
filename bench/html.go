package bench

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"hongbao/audit"
)

//go:embed report.html
var reportHTML string

// WriteHTML writes the report as one page that needs nothing else: no scripts, no network.
func (r *Report) WriteHTML(w io.Writer) error {
	page, err := template.New("report").Parse(reportHTML)
	if err != nil {
		return err
	}
	return page.Execute(w, view{r})
}

// view is the report as the template sees it.
type view struct{ *Report }

// tile is a figure worth large type.
type tile struct {
	Name  string
	Value string
	Note  string
	Bad   bool
}

// Tiles are the figures to see first.
func (v view) Tiles() []tile {
	return []tile{
		{Name: "requests a second", Value: thousands(uint64(v.Rate)), Note: thousands(v.Answered) + " in " + seconds(v.TookSeconds)},
		{Name: "p50", Value: ms(v.Latency.P50), Note: "mean " + ms(v.Latency.Mean)},
		{Name: "p99", Value: ms(v.Latency.P99), Note: "max " + ms(v.Latency.Max)},
		{Name: "wins", Value: thousands(v.Told.Wins), Note: thousands(v.Told.Openings) + " opened"},
		{Name: "errors", Value: thousands(v.Errors), Note: errorsNote(v.Errors, v.Answered), Bad: v.Errors > 0},
		{Name: "not sent", Value: thousands(v.NotSent), Note: "of those due", Bad: v.NotSent > 0},
	}
}

func errorsNote(errors, answered uint64) string {
	return fmt.Sprintf("%.2f %% of requests", 100*float64(errors)/float64(max(answered, 1)))
}

// Verdict is what the run came to.
func (v view) Verdict() string {
	if v.OK() {
		return "Nobody was told anything that is not so"
	}
	return "Not OK: " + v.verdict()
}

// When tells when it was played.
func (v view) When() string { return v.Started.Format("2006-01-02 15:04:05 UTC") }

// Throughput is answers and wins over time.
func (v view) Throughput() chart {
	xs, high := v.times(), 1.0
	rates, wins := make([]float64, len(xs)), make([]float64, len(xs))
	for i, p := range v.Timeline {
		rates[i], wins[i] = p.Rate, p.Wins
		high = max(high, p.Rate, p.Wins)
	}
	values := roundTicks(0, high, 5)
	y := vertical(0, values[len(values)-1], false)
	c, x := v.overTime("requests answered and wins a second, over time")
	c.YTicks = ticks(y, values, compact)
	text := func(name string, ys []float64) func(int) string {
		return func(i int) string {
			return fmt.Sprintf("%s: %s %s", seconds(v.Timeline[i].Second), compact(ys[i]), name)
		}
	}
	c.Lines = []line{
		newLine("answers/s", "answers", xs, rates, x, y, text("answers/s", rates)).filled(xs, x),
		newLine("wins/s", "wins", xs, wins, x, y, text("wins/s", wins)),
	}
	return c
}

// latencySeries are the percentiles drawn, slowest first, so that they lie behind the others.
var latencySeries = []struct {
	name, class string
	value       func(Point) float64
}{
	{"max", "max", func(p Point) float64 { return p.Max }},
	{"p99", "p99", func(p Point) float64 { return p.P99 }},
	{"p90", "p90", func(p Point) float64 { return p.P90 }},
	{"p50", "p50", func(p Point) float64 { return p.P50 }},
}

// LatencyOverTime is the percentiles of what was due in each interval, on a logarithmic scale.
func (v view) LatencyOverTime() chart {
	low, high := 1000.0, 0.01
	for _, p := range v.Timeline {
		if p.Max > 0 {
			low, high = min(low, max(p.P50, 0.001)), max(high, p.Max)
		}
	}
	values := decades(min(low, high), high)
	y := vertical(values[0], values[len(values)-1], true)
	c, x := v.overTime("latency percentiles over time, on a logarithmic scale")
	c.YTicks = ticks(y, values, ms)
	for _, series := range latencySeries {
		var xs, ys []float64
		for i, at := range v.times() {
			if p := v.Timeline[i]; p.Max > 0 { // nothing was due in the others
				xs, ys = append(xs, at), append(ys, series.value(p))
			}
		}
		c.Lines = append(c.Lines, newLine(series.name, series.class, xs, ys, x, y, func(i int) string {
			return fmt.Sprintf("%.1f s: %s %s", xs[i], series.name, ms(ys[i]))
		}))
	}
	return c
}

// times are the middles of the intervals.
func (v view) times() []float64 {
	xs := make([]float64, len(v.Timeline))
	for i, p := range v.Timeline {
		xs[i] = p.Second + v.EverySeconds/2
	}
	return xs
}

// overTime is an empty chart whose horizontal axis is time.
func (v view) overTime(label string) (chart, scale) {
	end := max(v.EverySeconds*float64(len(v.Timeline)), v.EverySeconds)
	x := horizontal(0, end)
	return chart{Label: label, XName: "seconds", XTicks: ticks(x, roundTicks(0, end, 10), compact)}, x
}

// AmountBars is how the amounts are distributed.
func (v view) AmountBars() chart {
	bars := v.Amounts.Bars
	c := chart{Label: "distribution of amounts", XName: "yuan"}
	if len(bars) == 0 {
		return c
	}
	most := uint64(1)
	for _, b := range bars {
		most = max(most, b.Count)
	}
	values := roundTicks(0, float64(most), 5)
	x, y := horizontal(float64(bars[0].FromFen), float64(bars[len(bars)-1].ToFen+1)), vertical(0, values[len(values)-1], false)
	c.YTicks = ticks(y, values, compact)
	for _, at := range roundTicks(x.low, x.high, 10) {
		if at >= x.low && at <= x.high {
			c.XTicks = append(c.XTicks, tick{x.place(at), yuan(int64(at))})
		}
	}
	for _, b := range bars {
		from, to, top := x.place(float64(b.FromFen)), x.place(float64(b.ToFen+1)), y.place(float64(b.Count))
		const gap = 1.5
		c.Bars = append(c.Bars, bar{
			X: from + gap/2, Y: top, Width: max(to-from-gap, 1), Height: c.Bottom() - top,
			Text: fmt.Sprintf("%s to %s yuan: %s", yuan(b.FromFen), yuan(b.ToFen), thousands(b.Count)),
		})
	}
	return c
}

// AmountsText sums up the amounts.
func (v view) AmountsText() string {
	a := v.Amounts
	if a.Known == 0 {
		return "No amount became known."
	}
	return fmt.Sprintf("%s amounts became known: %s yuan in all, from %s to %s, on average %s.",
		thousands(a.Known), yuan(a.TotalFen), yuan(a.MinFen), yuan(a.MaxFen), yuan(a.TotalFen/int64(a.Known)))
}

// yuan writes fen as yuan.
func yuan(fen int64) string { return fmt.Sprintf("%s.%02d", thousands(fen/100), fen%100) }

// row is a line of a table with a bar.
type row struct {
	Name    string
	Count   string
	Percent float64
	Share   string
	Good    bool
}

// StatusRows are the statuses with their shares.
func (v view) StatusRows() (rows []row) {
	for _, s := range v.Statuses {
		share := 100 * float64(s.Count) / float64(max(v.Answered, 1))
		rows = append(rows, row{
			Name: s.Status, Count: thousands(s.Count), Percent: share, Share: fmt.Sprintf("%.2f %%", share), Good: s.Status == "won" || s.Status == "opened",
		})
	}
	return rows
}

// operationRow is a line of the table of latencies.
type operationRow struct {
	Name   string
	Count  string
	Values []string
}

// OperationRows are the latencies by operation, and of all.
func (v view) OperationRows() (rows []operationRow) {
	text := func(l Latency) []string {
		return []string{ms(l.Mean), ms(l.P50), ms(l.P90), ms(l.P99), ms(l.P999), ms(l.Max)}
	}
	for _, o := range v.Operations {
		rows = append(rows, operationRow{string(o.Operation), thousands(o.Count), text(o.Latency)})
	}
	return append(rows, operationRow{"all", thousands(v.Answered), text(v.Latency)})
}

// Verified are what was told and what it was compared with.
func (v view) Verified() []Fact {
	facts := []Fact{
		{"wins told", thousands(v.Told.Wins) + ", and " + thousands(v.Told.Replays) + " again to a retry"},
		{"openings told", thousands(v.Told.Openings) + ", and " + thousands(v.Told.Reopenings) + " again"},
		{"wallets read", thousands(v.Told.Wallets)},
		{"wallets compared", thousands(v.Compared.Wallets)},
		{"journal events compared", thousands(v.Compared.JournalEntries)},
		{"outcomes not learnt", thousands(v.Unknown)},
	}
	if v.Told.SignUps > 0 {
		facts = append(facts, Fact{"sign-ups told", thousands(v.Told.SignUps)})
	}
	for _, campaign := range v.Compared.Campaigns {
		facts = append(facts, Fact{"budget", campaign})
	}
	return facts
}

// AuditChecks are the checks of the server's own audit.
func (v view) AuditChecks() []audit.Check {
	if v.Audit == nil {
		return nil
	}
	return v.Audit.Checks
}

// More counts the differences that are not listed.
func (v view) More() string {
	return thousands(v.DifferencesTotal - uint64(len(v.Differences)))
}
