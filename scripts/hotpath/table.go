package main

import (
	"fmt"
	"io"
	"slices"
)

// table collects runs by variant and number of connections.
type table struct {
	order []string
	runs  map[string]map[int][]measurement
}

func (t *table) add(name string, connections int, m measurement) {
	if t.runs == nil {
		t.runs = map[string]map[int][]measurement{}
	}
	if t.runs[name] == nil {
		t.order = append(t.order, name)
		t.runs[name] = map[int][]measurement{}
	}
	t.runs[name][connections] = append(t.runs[name][connections], m)
}

func (t *table) print(w io.Writer) {
	fmt.Fprintln(w, "\n| variant | connections | ratio | requests/s | CPU µs/request | p50 ms | p99 ms | wins/sync | sync ms |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|")
	for _, name := range t.order {
		for _, connections := range []int{64, 1000} {
			runs := t.runs[name][connections]
			column := func(of func(measurement) float64) float64 {
				var values []float64
				for _, m := range runs {
					values = append(values, of(m))
				}
				return median(values)
			}
			fmt.Fprintf(w, "| %s | %d | %.2f | %.0f | %.1f | %.2f | %.1f | %s | %s |\n", name, connections,
				t.ratio(name, connections), column(func(m measurement) float64 { return m.rate }),
				column(func(m measurement) float64 { return m.cpuUS }), column(func(m measurement) float64 { return m.p50MS }),
				column(func(m measurement) float64 { return m.p99MS }),
				orDash("%.0f", column(func(m measurement) float64 { return m.perSync })),
				orDash("%.2f", column(func(m measurement) float64 { return m.syncUS / 1000 })))
		}
	}
}

// ratio is the median over the rounds of the ratio to the empty net/http handler in the same round.
func (t *table) ratio(name string, connections int) float64 {
	var ratios []float64
	for round, m := range t.runs[name][connections] {
		ratios = append(ratios, m.rate/t.runs["empty nethttp"][connections][round].rate)
	}
	return median(ratios)
}

func orDash(format string, value float64) string {
	if value == 0 {
		return "-"
	}
	return fmt.Sprintf(format, value)
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
