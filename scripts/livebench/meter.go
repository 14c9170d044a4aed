package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// memory is in bytes.
type memory struct {
	resident int64 // of the server
	inUse    int64 // of it, what Go's heap and stacks hold
	kernel   int64 // of the machine's kernel: slabs and socket buffers, for both ends of each connection
}

// residentOf is the memory of a process that is its own: anonymous pages.
func residentOf(pid int) int64 { return kibOf(fmt.Sprintf("/proc/%d/status", pid), "RssAnon:") }

// kernelBytes are what the kernel holds in slabs, where sockets and files are, and in buffers of TCP.
func kernelBytes() int64 {
	const page = 4096
	slab := kibOf("/proc/meminfo", "Slab:")
	text, _ := os.ReadFile("/proc/net/sockstat")
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[0] == "TCP:" {
			pages, _ := strconv.ParseInt(fields[len(fields)-1], 10, 64)
			return slab + pages*page
		}
	}
	return slab
}

// kibOf is a figure in KiB of a file in /proc, in bytes; 0 if it is not there.
func kibOf(path, name string) int64 {
	text, _ := os.ReadFile(path)
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == name {
			kib, _ := strconv.ParseInt(fields[1], 10, 64)
			return kib << 10
		}
	}
	return 0
}

// cpuOf is how long the threads of a process have run, to the nanosecond, which /proc/PID/stat does not tell.
func cpuOf(pid int) (total time.Duration) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, path := range threads {
		text, _ := os.ReadFile(path)
		first, _, _ := strings.Cut(string(text), " ")
		ns, _ := strconv.ParseInt(first, 10, 64)
		total += time.Duration(ns)
	}
	return total
}

// sumOf adds up figures of an exposition of Prometheus.
func sumOf(metrics string, names ...string) (sum int64, err error) {
	for _, name := range names {
		found := false
		for line := range strings.Lines(metrics) {
			if text, ok := strings.CutPrefix(line, name+" "); ok {
				value, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
				if err != nil {
					return 0, err
				}
				sum, found = sum+int64(value), true
			}
		}
		if !found {
			return 0, fmt.Errorf("the metrics do not have %s", name)
		}
	}
	return sum, nil
}
