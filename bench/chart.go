package bench

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The size of a chart in units of its SVG, and the margins around the plot.
const (
	chartWidth   = 960.0
	chartHeight  = 260.0
	marginLeft   = 64.0
	marginRight  = 16.0
	marginTop    = 12.0
	marginBottom = 34.0
)

// chart is a plot that the report's template draws: everything is placed already.
type chart struct {
	Label  string // for those who can't see it
	XTicks []tick
	YTicks []tick
	XName  string
	Lines  []line
	Bars   []bar
}

// tick is a place on an axis with its text.
type tick struct {
	At   float64
	Text string
}

// line is a series over time. Class names its colour.
type line struct {
	Name  string
	Class string
	Path  string // of the line
	Area  string // of what is below it; empty: not filled
	Dots  []dot
}

// dot is one value of a line; Text says what it is.
type dot struct {
	X, Y float64
	Text string
}

// bar is one bar of a histogram.
type bar struct {
	X, Y, Width, Height float64
	Text                string
}

// Width and its like are the frame, for the template.
func (chart) Width() float64  { return chartWidth }
func (chart) Height() float64 { return chartHeight }
func (chart) Left() float64   { return marginLeft }
func (chart) Right() float64  { return chartWidth - marginRight }
func (chart) Top() float64    { return marginTop }
func (chart) Bottom() float64 { return chartHeight - marginBottom }

// scale places values on an axis.
type scale struct {
	low, high float64 // values
	from, to  float64 // places
	log       bool
}

func (s scale) place(value float64) float64 {
	low, high := s.low, s.high
	if s.log {
		low, high, value = math.Log10(low), math.Log10(high), math.Log10(max(value, s.low))
	}
	if high == low {
		return s.from
	}
	return math.Round((s.from+(value-low)/(high-low)*(s.to-s.from))*100) / 100
}

func vertical(low, high float64, log bool) scale {
	return scale{low: low, high: high, from: chartHeight - marginBottom, to: marginTop, log: log}
}

func horizontal(low, high float64) scale {
	return scale{low: low, high: high, from: marginLeft, to: chartWidth - marginRight}
}

// roundTicks are about n round values from 0 or low to at least high: steps of 1, 2 or 5 and zeroes.
func roundTicks(low, high float64, n int) (values []float64) {
	step := math.Pow(10, math.Floor(math.Log10(max(high-low, 1e-9)/float64(n))))
	for _, factor := range []float64{1, 2, 5, 10} {
		if (high-low)/(step*factor) <= float64(n) {
			step *= factor
			break
		}
	}
	for value := math.Floor(low/step) * step; ; value += step {
		values = append(values, value)
		if value >= high-step/1e6 {
			return values
		}
	}
}

// decades are the powers of ten around low and high.
func decades(low, high float64) (values []float64) {
	for exponent := math.Floor(math.Log10(low)); ; exponent++ {
		value := math.Pow(10, exponent)
		values = append(values, value)
		if value >= high {
			return values
		}
	}
}

func ticks(s scale, values []float64, text func(float64) string) (placed []tick) {
	for _, value := range values {
		if value <= s.high*(1+1e-9) {
			placed = append(placed, tick{s.place(value), text(value)})
		}
	}
	return placed
}

// dotsMax is how many values of a line are drawn as dots too; more would hide the line.
const dotsMax = 150

// newLine draws a series: a line, and dots that say their value.
func newLine(name, class string, xs, ys []float64, x, y scale, text func(i int) string) line {
	l := line{Name: name, Class: class}
	var path strings.Builder
	for i := range xs {
		d := dot{x.place(xs[i]), y.place(ys[i]), text(i)}
		command := "L"
		if i == 0 {
			command = "M"
		}
		fmt.Fprintf(&path, "%s%g %g", command, d.X, d.Y)
		if len(xs) <= dotsMax {
			l.Dots = append(l.Dots, d)
		}
	}
	l.Path = path.String()
	return l
}

// filled is the line with the area below it.
func (l line) filled(xs []float64, x scale) line {
	if len(xs) > 0 {
		l.Area = fmt.Sprintf("%sL%g %gL%g %gZ", l.Path, x.place(xs[len(xs)-1]), chartHeight-marginBottom, x.place(xs[0]), chartHeight-marginBottom)
	}
	return l
}

// compact writes 12345 as 12.3k.
func compact(value float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if value >= unit.size {
			return strconv.FormatFloat(math.Round(value/unit.size*10)/10, 'g', -1, 64) + unit.name
		}
	}
	return strconv.FormatFloat(math.Round(value*100)/100, 'g', -1, 64)
}
