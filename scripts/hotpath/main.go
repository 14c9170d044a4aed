// Hotpath measures the snatch path against empty HTTP servers, in one run: ratios hold on a shared and noisy machine
// where rates do not. Servers and wrk run on the same cores, in alternating rounds.
//
//	go run ./scripts/hotpath -binary bin/hongbao
//
// It prints a table in Markdown: the ratio to an empty net/http handler in the same round (the median over the rounds),
// requests a second, CPU microseconds of the server a request, latency at p50 and p99, and, where there are writes, wins
// a group commit. It fails when a variant was not answered as it must be.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"time"

	"hongbao/scripts/machine"
)

// options are the flags.
type options struct {
	binary  string
	dir     string
	seconds int
	rounds  int
	players int
	opened  int
	only    string
}

func main() {
	var o options
	flag.StringVar(&o.binary, "binary", "bin/hongbao", "the server to measure")
	flag.StringVar(&o.dir, "dir", "", "where data folders are made; default the system's temporary folder")
	flag.IntVar(&o.seconds, "seconds", 25, "length of a run; shorter ones hide flushes and compactions")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds over all variants")
	flag.IntVar(&o.players, "players", 2_000_000, "players who play")
	flag.IntVar(&o.opened, "envelopes", 12_000_000, "envelopes held before, to be opened and read")
	flag.StringVar(&o.only, "only", "", "measure only the variant of this name, beside the baselines")
	baseline := flag.String("baseline", "", "serve an empty handler (nethttp or fasthttp) and nothing else; used by itself")
	flag.Parse()
	err := error(nil)
	if *baseline != "" {
		err = serveEmpty(*baseline)
	} else {
		err = run(o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "hotpath:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	if _, err := exec.LookPath("wrk"); err != nil {
		return fmt.Errorf("wrk is needed (Debian: apt-get install wrk): %w", err)
	}
	dir, err := os.MkdirTemp(o.dir, "hotpath-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	o.dir = dir
	fmt.Printf("idle fdatasync of 4 KiB in a preallocated file: %s\n", machine.SyncTime(dir))
	field, err := prepare(o)
	if err != nil {
		return err
	}
	defer field.stop()
	var results table
	for round := range o.rounds {
		for _, connections := range []int{64, 1000} {
			for _, v := range field.variants {
				if o.only != "" && v.name != o.only && v.server != nil && !v.baseline {
					continue
				}
				m, err := v.measure(o, connections)
				if err != nil {
					return fmt.Errorf("%s, %d connections: %w", v.name, connections, err)
				}
				results.add(v.name, connections, m)
				fmt.Fprintf(os.Stderr, "round %d/%d  %4d connections  %-20s %8.0f/s  %5.1f µs CPU\n",
					round+1, o.rounds, connections, v.name, m.rate, m.cpuUS)
				time.Sleep(time.Second) // let the server's feeder and compactions settle
			}
		}
	}
	results.print(os.Stdout)
	return measureLone(o, field)
}

// measureLone tells how long one client that is alone waits for a win, in syncs.
func measureLone(o options, f *field) error {
	for _, v := range f.variants {
		if v.name != "durable wins" {
			continue
		}
		m, err := v.measure(o, 1)
		if err != nil {
			return err
		}
		fmt.Printf("\na lone client's win: p50 %.2f ms, p99 %.2f ms; a sync %.2f ms\n", m.p50MS, m.p99MS, m.syncUS/1000)
	}
	return nil
}
