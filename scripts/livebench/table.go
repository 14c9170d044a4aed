package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"hongbao/scripts/machine"
)

// printTable prints what was measured, and what follows for a connection.
func printTable(w io.Writer, results []result) {
	idle := results[0].idleCPU
	fmt.Fprintf(w, "%d cores, load average %s at the end; an event's frame has %d bytes.\n\n", runtime.NumCPU(), machine.Load(), results[len(results)-1].frameBytes)
	fmt.Fprintln(w, "| connections | process, MiB | Go's heap and stacks, MiB | kernel, both ends, MiB | event to last receiver, ms: median, worst | to the median receiver | CPU a receiver and event, µs | CPU a heartbeat, µs |")
	fmt.Fprintln(w, "|--:|--:|--:|--:|--:|--:|--:|--:|")
	for _, r := range results {
		if r.connections == 0 {
			fmt.Fprintf(w, "| 0 | %.1f | %.1f | %.1f | | | | (idle: %.2f %% of a core) |\n", mib(r.memory.resident), mib(r.memory.inUse), mib(r.memory.kernel), 100*r.idleCPU.Seconds())
			continue
		}
		n := float64(r.connections)
		fmt.Fprintf(w, "| %d | %.1f | %.1f | %.1f | %s, %s | %s | %.1f | %.1f |\n", r.connections,
			mib(r.memory.resident), mib(r.memory.inUse), mib(r.memory.kernel), ms(median(r.lasts)), ms(slices.Max(r.lasts)), ms(median(r.medians)),
			float64(r.eventCPU.Nanoseconds())/1e3/n, float64((r.idleCPU-idle).Nanoseconds())/1e3/n*heartbeat.Seconds())
	}
	if len(results) > 3 {
		printSlope(w, results[2], results[len(results)-1])
	}
}

// heartbeat is how often the server sends each connection one.
const heartbeat = 15 * time.Second

func printSlope(w io.Writer, from, to result) {
	n := float64(to.connections - from.connections)
	fmt.Fprintf(w, "\nFrom %d to %d connections, each takes %.0f bytes of the process (%.0f in use by Go) and, at both ends together, %.0f of the kernel.\n",
		from.connections, to.connections, float64(to.memory.resident-from.memory.resident)/n, float64(to.memory.inUse-from.memory.inUse)/n,
		float64(to.memory.kernel-from.memory.kernel)/n)
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

func ms(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1e3) }

func median(list []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}
