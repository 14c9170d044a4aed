// Livebench measures what connections that are told of events cost, on the program as it is shipped: memory, and CPU for each
// receiver of an event and each heartbeat; and how long it takes from an event to its last receiver. It starts the server that
// it measures; the clients are a process of their own, on the same cores. It prints a table in Markdown.
//
//	go run ./scripts/livebench -binary bin/hongbao
//	go run ./scripts/livebench -connections 1000,5000 -events 20
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"hongbao/scripts/machine"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "livebench:", err)
		os.Exit(1)
	}
}

// options are the command line's.
type options struct {
	binary string
	levels []int
	events int
	idle   time.Duration
}

func run(ctx context.Context, args []string) error {
	if len(args) == 2 && args[0] == "crowd" {
		return runCrowd(args[1], os.Stdin, os.Stdout)
	}
	f := flag.NewFlagSet("livebench", flag.ContinueOnError)
	var o options
	f.StringVar(&o.binary, "binary", "bin/hongbao", "the program")
	levels := f.String("connections", "1000,5000,10000,19000", "how many connections, ascending")
	f.IntVar(&o.events, "events", 20, "events that are measured with each")
	f.DurationVar(&o.idle, "idle", 30*time.Second, "how long heartbeats are measured")
	if err := f.Parse(args); err != nil {
		return err
	}
	for text := range strings.SplitSeq(*levels, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fmt.Errorf("-connections: %q is no number of connections", text)
		}
		o.levels = append(o.levels, n)
	}
	if !slices.IsSorted(o.levels) {
		return fmt.Errorf("-connections: must be ascending: they are opened one after another")
	}
	return measure(ctx, o)
}

// measure measures each level and prints the table.
func measure(ctx context.Context, o options) error {
	s, err := startServer(o.binary, o.levels[len(o.levels)-1])
	if err != nil {
		return err
	}
	defer s.close()
	c, err := startCrowd(s.player)
	if err != nil {
		return err
	}
	defer c.close()
	fmt.Fprintf(os.Stderr, "load average %s before it begins\n", machine.Load())
	var results []result
	for _, n := range append([]int{0}, o.levels...) {
		r, err := measureLevel(ctx, s, c, n, o)
		if err != nil {
			return fmt.Errorf("with %d connections: %w", n, err)
		}
		fmt.Fprintf(os.Stderr, "%+v\n", r)
		results = append(results, r)
	}
	printTable(os.Stdout, results)
	return nil
}

// result is what was measured with so many connections.
type result struct {
	connections int
	memory      memory
	idleCPU     time.Duration // of the server, a second
	eventCPU    time.Duration // of the server, an event, beyond idling
	medians     []time.Duration
	lasts       []time.Duration // until the last receiver, of each event
	frameBytes  int
}

func measureLevel(ctx context.Context, s *server, c *crowd, n int, o options) (r result, err error) {
	r.connections = n
	if err := c.connect(n); err != nil {
		return r, err
	}
	if r.memory, err = s.settle(ctx); err != nil {
		return r, err
	}
	began, cpu := time.Now(), s.cpu()
	if err := pause(ctx, o.idle); err != nil {
		return r, err
	}
	r.idleCPU = time.Duration(float64(s.cpu()-cpu) / time.Since(began).Seconds())
	if n == 0 {
		return r, nil
	}
	began, cpu = time.Now(), s.cpu()
	for i := range o.events {
		told, err := c.event(func() error { return s.toggle(i%2 == 0) })
		if err != nil {
			return r, err
		}
		r.medians, r.lasts, r.frameBytes = append(r.medians, told.Median), append(r.lasts, told.Last), told.FrameBytes
	}
	idle := time.Duration(float64(r.idleCPU) * time.Since(began).Seconds())
	r.eventCPU = (s.cpu() - cpu - idle) / time.Duration(o.events)
	return r, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
