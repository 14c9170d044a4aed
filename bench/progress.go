package bench

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

const (
	redrawEvery = time.Second     // on a terminal
	printEvery  = 5 * time.Second // into a file or a pipe
)

// showProgress writes progress lines until it is stopped.
func (r *run) showProgress() (stop func()) {
	if r.Progress == nil {
		return func() {}
	}
	p := progress{out: r.Progress, every: printEvery, begin: "", end: "\n"}
	if isTerminal(r.Progress) {
		p.every, p.begin, p.end = redrawEvery, "\r\x1b[K", ""
	}
	stopped := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() { p.write(r.timeline, stopped) })
	return func() {
		close(stopped)
		writer.Wait()
		fmt.Fprint(p.out, p.begin)
	}
}

// progress is a line that tells how a run fares; begin and end make it redraw itself on a terminal.
type progress struct {
	out   io.Writer
	every time.Duration
	begin string
	end   string
}

func (p progress) write(t *timeline, stopped <-chan struct{}) {
	ticker := time.NewTicker(p.every)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-ticker.C:
			g := t.glance()
			rate := float64(g.answered) / time.Since(last).Seconds()
			last = time.Now()
			fmt.Fprintf(p.out, "%s%4.0fs  %s/s  %s won  p99 %s  %s errors%s%s", p.begin, time.Since(t.start).Seconds(),
				thousands(uint64(rate)), thousands(g.wins), shortDuration(g.p99), thousands(g.errors), unsentText(g.unsent), p.end)
		case <-stopped:
			return
		}
	}
}

func unsentText(unsent uint64) string {
	if unsent == 0 {
		return ""
	}
	return "  " + thousands(unsent) + " not sent"
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// thousands writes 1234567 as 1,234,567.
func thousands[N int | int64 | uint64](n N) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// shortDuration writes three digits or so: 850µs, 1.25ms, 12.5ms, 1.2s.
func shortDuration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < 10*time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	case d < time.Second:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}
