// Clusterbench measures the cluster engine on one machine, with everything that it needs on the same cores: a node, a
// worker, a Redis with appendfsync always, Kafka and MySQL. It tells:
//
//	rush      wins a second end to end, beside those of the bare snatch script under redis-benchmark with as many
//	          connections; CPU of each process a win; how far the books lag behind, and how fast they catch up
//	refusals  snatches that are refused without Redis, beside the embedded engine's
//	books     how fast the ledger writer drains: alone, and a backlog that lies in Redis
//	masters   CPU a win of two shards on two masters, beside that of one on one
//	end       how long the end of a campaign of a million envelopes over 16 shards takes
//
//	go run ./scripts/clusterbench -binary bin/hongbao
//
// Rates on a shared machine say little: what is compared is measured in turn, and its ratio is that of the same round,
// the median over the rounds. The machine's load is printed with each run.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"hongbao/scripts/machine"
)

// options are the flags.
type options struct {
	binary  string
	dir     string
	seconds int
	rounds  int
	players int
	backlog int
}

// part is something that can be measured alone.
type part struct {
	name    string
	measure func(ctx context.Context, o options, out io.Writer) error
}

var parts = []part{{"rush", measureRush}, {"refusals", measureRefusals}, {"books", measureBooks}, {"masters", measureMasters}, {"end", measureEnd}}

func main() {
	var o options
	flag.StringVar(&o.binary, "binary", "bin/hongbao", "the server to measure")
	flag.StringVar(&o.dir, "dir", "", "where services and data folders are made; default the system's temporary folder")
	flag.IntVar(&o.seconds, "seconds", 15, "length of a run")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds over what is compared")
	flag.IntVar(&o.players, "players", 2_000_000, "players who play")
	flag.IntVar(&o.backlog, "backlog", 200_000, "wins that the books are to catch up with")
	only := flag.String("only", "", "measure only these parts, by name with commas between: rush, refusals, books, masters, end")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, o, *only); err != nil {
		fmt.Fprintln(os.Stderr, "clusterbench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, only string) error {
	for _, tool := range []string{"wrk", "redis-benchmark", "go"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is needed: %w", tool, err)
		}
	}
	chosen := parts
	if only != "" {
		names := strings.Split(only, ",")
		chosen = slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return !slices.Contains(names, p.name) })
		if len(chosen) != len(names) {
			return fmt.Errorf("-only %q: there are rush, refusals, books, masters and end", only)
		}
	}
	dir, err := os.MkdirTemp(o.dir, "clusterbench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	o.dir = dir
	fmt.Printf("idle fdatasync of 4 KiB: %s; load %s\n", machine.SyncTime(dir), machine.Load())
	for _, p := range chosen {
		fmt.Printf("\n## %s\n\n", p.name)
		if err := p.measure(ctx, o, os.Stdout); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}
