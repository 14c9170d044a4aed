package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// pair is two scenarios that differ in the fair start alone, beside each other.
type pair struct {
	file          string
	without, with *fairResult
}

// pairs finds the scenarios that were played in both ways.
func pairs(played []*fairResult) (found []pair) {
	for _, without := range played {
		wanted := without.Scenario
		wanted.FairStart = true
		wanted.Name += ", fair start"
		at := slices.IndexFunc(played, func(r *fairResult) bool { return r.Scenario == wanted })
		if !without.Scenario.FairStart && at >= 0 {
			file := strings.NewReplacer(", ", "-", " ", "-").Replace(without.Scenario.Name) + ".svg"
			found = append(found, pair{file, without, played[at]})
		}
	}
	return found
}

// bins count people's and scripts' events in equal pieces of time.
type bins struct {
	each            time.Duration
	people, scripts []float64
}

const binEach = 25 * time.Millisecond

func newBins(from, to time.Duration) *bins {
	n := int((to - from) / binEach)
	return &bins{each: binEach, people: make([]float64, n), scripts: make([]float64, n)}
}

func (b *bins) add(at time.Duration, script bool) {
	i := int(at / b.each)
	if at < 0 || i >= len(b.people) {
		return
	}
	if script {
		b.scripts[i]++
	} else {
		b.people[i]++
	}
}

func (b *bins) most() (most float64) {
	for i := range b.people {
		most = max(most, b.people[i]+b.scripts[i])
	}
	return most
}

// row is what a pair shows of both, one above the other.
type row struct {
	title string
	when  func(s *shot) (time.Duration, bool)
}

var rows = []row{
	{"requests arriving, in 25 ms", func(s *shot) (time.Duration, bool) { return s.sent, true }},
	{"requests let through and answered, in 25 ms", func(s *shot) (time.Duration, bool) { return s.answered, s.told && s.label != "too_fast" }},
	{"envelopes won, in 25 ms", func(s *shot) (time.Duration, bool) { return s.answered, s.label == "won" }},
}

const (
	columnLeft, columnApart, columnWidth = 62.0, 520.0, 430.0
	rowTop, rowApart, rowHeight          = 108.0, 150.0, 100.0
)

func (p pair) draw() []byte {
	s := newSVG(1030, 580)
	end := 2400 * time.Millisecond
	for column, r := range []*fairResult{p.without, p.with} {
		left := columnLeft + columnApart*float64(column)
		title := "Without fair start"
		if column == 1 {
			title = "With fair start"
		}
		s.text(left, 34, "start", "title", title)
		s.text(left, 56, "start", "ink", fmt.Sprintf("scripts: %.1f %% of the uids, %.1f %% of the %s envelopes", r.ScriptUIDShare, r.ScriptShare, thousands(r.Envelopes)))
	}
	for i, row := range rows {
		without, with := row.bins(p.without, end), row.bins(p.with, end)
		high := row.high(without, with)
		for column, b := range []*bins{without, with} {
			pl := &panel{
				svg: s, left: columnLeft + columnApart*float64(column), top: rowTop + rowApart*float64(i), width: columnWidth, height: rowHeight,
				low: 0, high: end.Seconds(), yHigh: high,
			}
			pl.frame(row.title, 0.5, func(at float64) string { return fmt.Sprintf("%g s", at) }, func(at float64) string { return thousands(int(at)) })
			pl.stack(b)
		}
	}
	s.legend(columnLeft, 566, []string{"people", "scripts"}, []string{peopleColour, scriptColour})
	s.text(columnLeft+200, 566, "start", "", "seconds after the bell; bars that end in a number are cut off")
	return s.bytes(fmt.Sprintf("Arrivals, answers and wins over time: without fair start scripts take %.1f %% of the envelopes, with it %.1f %%", p.without.ScriptShare, p.with.ScriptShare))
}

func (r row) bins(of *fairResult, end time.Duration) *bins {
	b := newBins(0, end)
	for _, shot := range of.shots {
		if at, counts := r.when(shot); counts {
			b.add(at, shot.script)
		}
	}
	return b
}

// high is the top of the axis: a spike of scripts is cut off, or nobody would see the people.
func (r row) high(of ...*bins) float64 {
	var most, people float64
	for _, b := range of {
		most, people = max(most, b.most()), max(people, slices.Max(b.people))
	}
	return math.Max(1, math.Min(most, 2.5*people)) * 1.05
}

// stack draws people with scripts on top of them.
func (p *panel) stack(b *bins) {
	width := p.width / (p.high / b.each.Seconds())
	for i := range b.people {
		x := p.x(float64(i) * b.each.Seconds())
		people, all := p.y(b.people[i]), p.y(b.people[i]+b.scripts[i])
		bottom := p.top + p.height
		if b.people[i] > 0 {
			p.svg.rect(x, people, width-0.6, bottom-people, peopleColour)
		}
		if b.scripts[i] > 0 {
			p.svg.rect(x, all, width-0.6, people-all, scriptColour)
		}
		if total := b.people[i] + b.scripts[i]; total > p.yHigh {
			p.svg.text(x+width+3, p.top+9, "start", "strong", thousands(int(total)))
		}
	}
}

// drawShares is the scripts' share of envelopes in every scenario, with their share of uids marked.
func drawShares(played []*fairResult) []byte {
	const left, width, apart, top = 440.0, 480.0, 26.0, 60.0
	s := newSVG(1000, top+apart*float64(len(played))+50)
	s.text(20, 30, "start", "title", "Scripts' share of the envelopes")
	bottom := top + apart*float64(len(played))
	for at := 0; at <= 100; at += 25 {
		x := left + width*float64(at)/100
		s.line(x, top-8, x, bottom, faintColour)
		s.text(x, bottom+18, "middle", "", fmt.Sprintf("%d %%", at))
	}
	for i, r := range played {
		y := top + apart*float64(i)
		s.text(left-12, y+12, "end", "ink", r.Scenario.Name)
		s.rect(left, y, max(width*r.ScriptShare/100, 1), 16, scriptColour)
		mark := left + width*r.ScriptUIDShare/100
		s.rect(mark-1, y-3, 2, 22, inkColour)
		s.text(max(left+width*r.ScriptShare/100, mark)+7, y+12, "start", "strong", fmt.Sprintf("%.1f %%", r.ScriptShare))
	}
	s.text(left, bottom+38, "start", "", "the mark is their share of the uids")
	return s.bytes("Scripts' share of the envelopes in each scenario, beside their share of the uids")
}
