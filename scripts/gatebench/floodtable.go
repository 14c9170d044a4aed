package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// writeFlood leaves the table, the figures and the picture.
func (r results) writeFlood(o floodOptions, played []*floodResult) error {
	table := o.table(played)
	fmt.Print(table)
	if err := r.write("flood.md", []byte(table)); err != nil {
		return err
	}
	if err := r.writeJSON("flood.json", played); err != nil {
		return err
	}
	return r.write("flood.svg", o.draw(played))
}

func (o *floodOptions) table(played []*floodResult) string {
	var b strings.Builder
	fmt.Fprintf(&b, "The server may let %s requests a second through (`gate.global`). %s honest players, %d behind an address, send about a request a second each: "+
		"they snatch, open what they win, look into their wallets. The flood is due at %s requests a second in an open model, for %s, from %d addresses where it comes from many; "+
		"slow readers are %s connections, half-open ones %s, giant bodies %s a second (64 KiB, or 10 MiB declared). "+
		"A first try counts as answered unless it gets 429, 503, 504 or nothing within %s. All of it runs on one machine. "+
		"`gate.address`, where it is on, is %d a second with a burst of %d. Where the bucket of all is the only one that a flood meets, evenly mixed requests "+
		"would get through %.0f %% of the time; more of the honest ones do where the flood comes in waves.\n\n",
		thousands(o.capacity), thousands(o.honest), o.perAddress, thousands(o.flood), o.during, o.floodAddresses,
		thousands(o.slowReaders), thousands(o.halfOpen), thousands(o.giants), answerWait, o.addressRate, 2*o.addressRate,
		100*float64(o.capacity)/float64(o.flood+o.honest))
	b.WriteString("| flood | server | | honest, first try | within 3 | p50 ms | p99 ms | max ms | server CPU | generator CPU | server MiB |\n|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range played {
		for i, p := range []phase{r.Before, r.During, r.After} {
			name, setting := r.Name, r.Setting
			if i > 0 {
				name, setting = "", ""
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %.1f %% | %.1f %% | %.1f | %.1f | %.0f | %.2f | %.2f | %.0f |\n", name, setting,
				[]string{"before", "**during**", "after"}[i], p.First, p.Third, p.P50MS, p.P99MS, p.MaxMS, p.ServerCPU, p.GeneratorCPU, p.ResidentMB)
		}
	}
	b.WriteString("\n| flood | server | sent/s | due, not sent | answers to the flood | connections opened | ended by the server | answers to honest players meanwhile |\n|---|---|--:|--:|---|--:|--:|---|\n")
	for _, r := range played {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", r.Name, r.Setting, thousands(int(r.FloodRate)), notSent(r), statuses(r.FloodAnswers),
			thousands(int(r.Opened)), thousands(int(r.Closed)), counts(r.During.Answers))
	}
	return b.String()
}

// notSent says where the generator did not reach its rate.
func notSent(r *floodResult) string {
	due := r.FloodSent + r.FloodUnsent
	if r.FloodUnsent == 0 || due == 0 {
		return "0"
	}
	return fmt.Sprintf("%s (%.0f %%)", thousands(int(r.FloodUnsent)), 100*float64(r.FloodUnsent)/float64(due))
}

func statuses(of map[int]int64) string {
	var list []string
	for _, status := range slices.Sorted(maps.Keys(of)) {
		list = append(list, fmt.Sprintf("%s × %d", thousands(int(of[status])), status))
	}
	if list == nil {
		return "none read"
	}
	return strings.Join(list, ", ")
}

// draw is, for each flood, how many honest requests were answered at the first try, and how fast, over time.
func (o *floodOptions) draw(played []*floodResult) []byte {
	const top, apart, height, left, width, right = 76.0, 138.0, 84.0, 70.0, 400.0, 560.0
	s := newSVG(1000, top+apart*float64(len(played))+24)
	s.text(left, 26, "start", "title", "Honest players during a flood")
	s.legend(left, 46, []string{"answered at the first try", "p50", "p99", "flood"}, []string{peopleColour, peopleColour, slowColour, floodColour})
	slowest := 10.0
	for _, r := range played {
		for _, at := range r.Seconds {
			slowest = max(slowest, at.P99MS)
		}
	}
	high := math.Pow(10, math.Ceil(math.Log10(slowest)))
	for i, r := range played {
		y := top + 14 + apart*float64(i)
		share := &panel{svg: s, left: left, top: y, width: width, height: height, high: o.length().Seconds(), yHigh: 100}
		speed := &panel{svg: s, left: right, top: y, width: width, height: height, high: o.length().Seconds(), yLow: 0.1, yHigh: high, log: true}
		for _, p := range []*panel{share, speed} {
			from, to := p.x(o.before.Seconds()), p.x((o.before + o.during).Seconds())
			s.rect(from, p.top, to-from, p.height, floodColour)
		}
		inSeconds := func(at float64) string { return fmt.Sprintf("%g s", at) }
		share.frame(fmt.Sprintf("%s (%s): %.1f %%", r.Name, r.Setting, r.During.First), 10, inSeconds, func(v float64) string { return fmt.Sprintf("%g %%", v) })
		speed.frame(fmt.Sprintf("answers: p99 %.0f ms during, %.0f ms before", r.During.P99MS, r.Before.P99MS), 10, inSeconds, func(v float64) string { return fmt.Sprintf("%g ms", v) })
		r.curve(share, peopleColour, func(at second) float64 { return at.First })
		r.curve(speed, peopleColour, func(at second) float64 { return at.P50MS })
		r.curve(speed, slowColour, func(at second) float64 { return at.P99MS })
	}
	return s.bytes("Share of honest requests answered at the first try, and their latency, before, during and after each flood")
}

// curve draws one value over time; a second in which nothing was answered has no latency.
func (r *floodResult) curve(p *panel, colour string, value func(second) float64) {
	var xs, ys []float64
	for _, at := range r.Seconds {
		v := value(at)
		xs = append(xs, p.x(float64(at.At)+0.5))
		if v == 0 && p.log {
			ys = append(ys, math.NaN())
			continue
		}
		ys = append(ys, p.y(v))
	}
	p.svg.curve(xs, ys, colour)
}
