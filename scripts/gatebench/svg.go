package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// The colours of all pictures.
const (
	inkColour    = "#1f1a17"
	mutedColour  = "#6f655e"
	faintColour  = "#e9e2dc"
	peopleColour = "#2b6cb0"
	scriptColour = "#c8202f"
	floodColour  = "#fbe9d0"
	slowColour   = "#b7791f"
)

// svg is a picture that is being drawn.
type svg struct {
	body          strings.Builder
	width, height float64
}

func newSVG(width, height float64) *svg { return &svg{width: width, height: height} }

func (s *svg) rect(x, y, width, height float64, colour string) {
	fmt.Fprintf(&s.body, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, y, width, height, colour)
}

func (s *svg) line(x1, y1, x2, y2 float64, colour string) {
	fmt.Fprintf(&s.body, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>`+"\n", x1, y1, x2, y2, colour)
}

// text is written from x on (start), around it (middle) or up to it (end).
func (s *svg) text(x, y float64, anchor, class, text string) {
	fmt.Fprintf(&s.body, `<text x="%.1f" y="%.1f" text-anchor="%s" class="%s">%s</text>`+"\n", x, y, anchor, class, html.EscapeString(text))
}

// curve joins points; those that are no numbers leave a gap.
func (s *svg) curve(xs, ys []float64, colour string) {
	var path strings.Builder
	command := "M"
	for i := range xs {
		if math.IsNaN(ys[i]) {
			command = "M"
			continue
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", command, xs[i], ys[i])
		command = "L"
	}
	fmt.Fprintf(&s.body, `<path d="%s" fill="none" stroke="%s" stroke-width="1.8" stroke-linejoin="round"/>`+"\n", path.String(), colour)
}

// legend is a row of coloured names from x on.
func (s *svg) legend(x, y float64, names []string, colours []string) {
	for i, name := range names {
		s.rect(x, y-9, 11, 11, colours[i])
		s.text(x+17, y, "start", "ink", name)
		x += 36 + 7*float64(len([]rune(name)))
	}
}

// bytes is the finished picture; label is for those who can't see it.
func (s *svg) bytes(label string) []byte {
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" width="%g" height="%g" role="img" aria-label="%s">
<style>
text { font: 12px system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; fill: %s }
.ink { fill: %s } .title { fill: %s; font-size: 15px; font-weight: 600 } .strong { fill: %s; font-weight: 600 }
</style>
<rect width="%g" height="%g" fill="#ffffff"/>
%s</svg>
`, s.width, s.height, s.width, s.height, html.EscapeString(label), mutedColour, inkColour, inkColour, inkColour, s.width, s.height, s.body.String())
}

// panel is a plot within a picture.
type panel struct {
	svg                      *svg
	left, top, width, height float64
	low, high                float64 // of x
	yLow, yHigh              float64
	log                      bool // y
}

func (p *panel) x(value float64) float64 { return p.left + (value-p.low)/(p.high-p.low)*p.width }

func (p *panel) y(value float64) float64 {
	low, high := p.yLow, p.yHigh
	if p.log {
		low, high, value = math.Log10(low), math.Log10(high), math.Log10(max(value, p.yLow))
	}
	return p.top + p.height - min(max((value-low)/(high-low), 0), 1)*p.height
}

// frame draws the axes, with ticks at round values.
func (p *panel) frame(title string, xTick float64, xText, yText func(float64) string) {
	for _, at := range p.yTicks() {
		p.svg.line(p.left, p.y(at), p.left+p.width, p.y(at), faintColour)
		p.svg.text(p.left-8, p.y(at)+4, "end", "", yText(at))
	}
	bottom := p.top + p.height
	p.svg.line(p.left, bottom, p.left+p.width, bottom, mutedColour)
	for at := math.Ceil(p.low/xTick) * xTick; at <= p.high+xTick/1e6; at += xTick {
		p.svg.line(p.x(at), bottom, p.x(at), bottom+4, mutedColour)
		if xText != nil {
			p.svg.text(p.x(at), bottom+17, "middle", "", xText(at))
		}
	}
	p.svg.text(p.left, p.top-8, "start", "ink", title)
}

func (p *panel) yTicks() (values []float64) {
	if p.log {
		for value := p.yLow; value <= p.yHigh*1.0001; value *= 10 {
			values = append(values, value)
		}
		return values
	}
	step := math.Pow(10, math.Floor(math.Log10((p.yHigh-p.yLow)/3)))
	for _, factor := range []float64{1, 2, 5, 10} {
		if (p.yHigh-p.yLow)/(step*factor) <= 4 {
			step *= factor
			break
		}
	}
	for value := p.yLow; value <= p.yHigh*1.0001; value += step {
		values = append(values, value)
	}
	return values
}

// thousands writes 12345 as 12,345.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
