package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"time"

	"hongbao/scripts/machine"
)

// measureBooks drains a backlog that piled up in Redis while no worker ran, and lets the ledger writer alone apply what
// lies in memory.
func measureBooks(ctx context.Context, o options, out io.Writer) error {
	p, err := openCluster(ctx, o)
	if err != nil {
		return err
	}
	defer p.close()
	campaign, err := p.campaign("backlog", 1<<28, 0)
	if err != nil {
		return err
	}
	var backlogs, writers []float64
	for round := range o.rounds {
		backlog, events, err := p.drainBacklog(ctx, o, campaign)
		if err != nil {
			return err
		}
		p.stopWorker() // the writer has the machine
		writer, err := benchmark(ctx, p.services, "./cluster/ledger", "^BenchmarkApply$/^won$", "60x", "events/s")
		if err != nil {
			return err
		}
		if err := p.startWorker(); err != nil {
			return err
		}
		backlogs, writers = append(backlogs, backlog), append(writers, writer[0])
		fmt.Fprintf(os.Stderr, "round %d/%d  a backlog of %d: %.0f events/s, the writer alone: %.0f; load %s\n",
			round+1, o.rounds, events, backlog, writer[0], machine.Load())
	}
	fmt.Fprintln(out, "| | events/s | aim |")
	fmt.Fprintln(out, "|---|---|---|")
	fmt.Fprintf(out, "| ledger writer alone | %.0f | 40000 |\n", median(writers))
	fmt.Fprintf(out, "| backlog from Redis through Kafka to the books | %.0f | |\n", median(backlogs))
	return nil
}

// drainBacklog piles events up and returns how many a second the worker enters into the books, from its first to its last.
func (p *place) drainBacklog(ctx context.Context, o options, campaign uint32) (rate float64, events uint64, err error) {
	p.stopWorker()
	for events < uint64(o.backlog) {
		c, err := p.snatch(ctx, o, campaign, 256, 3, false)
		if err != nil {
			return 0, 0, err
		}
		events += c.requests
	}
	if err := p.startWorker(); err != nil {
		return 0, 0, err
	}
	var first, done float64
	var began, ended time.Time
	for last := time.Now(); done < float64(events); time.Sleep(10 * time.Millisecond) {
		n, err := p.applied()
		if err != nil {
			return 0, 0, err
		}
		now := time.Now()
		if n > done {
			last = now
			if done == 0 {
				began, first = now, n
			}
			done, ended = n, now
		}
		if ctx.Err() != nil || now.Sub(last) > time.Minute {
			return 0, 0, fmt.Errorf("the books have %.0f of %d events and nothing more comes", done, events)
		}
	}
	return (done - first) / ended.Sub(began).Seconds(), events, nil
}

// benchmark runs a benchmark of a package once and returns what it measured, by unit.
func benchmark(ctx context.Context, s *services, pkg, name, times string, units ...string) ([]float64, error) {
	command := exec.CommandContext(ctx, "go", "test", pkg, "-run", "^$", "-bench", name, "-benchtime", times)
	command.Env = s.environment()
	out, err := output(command)
	if err != nil {
		return nil, err
	}
	return measured(out, units...)
}

// measured reads the units that a benchmark reported.
func measured(out string, units ...string) ([]float64, error) {
	var values []float64
	for _, unit := range units {
		match := regexp.MustCompile(`([\d.]+) ` + regexp.QuoteMeta(unit) + `\b`).FindStringSubmatch(out)
		if match == nil {
			return nil, fmt.Errorf("no %s in what the benchmark printed: %s", unit, out)
		}
		value, err := strconv.ParseFloat(match[1], 64)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}
