// Package machine is what the measuring programs beside it ask of the machine that they run on, which is Linux.
package machine

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// FreePort is an address of this machine on which nobody listens.
func FreePort() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// CPU is user and system time of a process so far; 0 when there is none.
func CPU(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+2:]))
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond // Linux counts in hundredths of a second
}

// Load is the load average over the last minute.
func Load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// SyncTime is how long the disk takes for a small synced write, while nothing else happens: the median of 200. It leaves a
// file in the folder.
func SyncTime(dir string) time.Duration {
	file, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return 0
	}
	defer file.Close()
	_, _ = file.Write(make([]byte, 1<<20))
	_ = file.Sync()
	times := make([]time.Duration, 200)
	for i := range times {
		began := time.Now()
		_, _ = file.WriteAt(make([]byte, 4096), int64(i)*4096)
		_ = syscall.Fdatasync(int(file.Fd()))
		times[i] = time.Since(began)
	}
	slices.Sort(times)
	return times[len(times)/2].Round(time.Microsecond)
}
