package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a hongbao that is measured.
type process struct {
	command *exec.Cmd
	log     bytes.Buffer // shown when it does not start
	player  string       // URL; of a worker empty
	admin   string       // URL
}

// startProcess starts hongbao and waits until it is ready.
func startProcess(binary, command, data string, args ...string) (*process, error) {
	admin := freePort()
	p := &process{admin: "http://" + admin}
	args = append([]string{command, "--data", data, "--admin.listen", admin}, args...)
	if command == "serve" {
		player := freePort()
		p.player = "http://" + player
		args = append(args, "--player.listen", player)
	}
	p.command = exec.Command(binary, args...)
	p.command.Stderr = &p.log
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if answer, err := http.Get(p.admin + "/readyz"); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return p, nil
			}
		}
	}
	p.stop()
	return nil, fmt.Errorf("hongbao %s did not become ready in a minute: %s", command, &p.log)
}

func (p *process) pid() int { return p.command.Process.Pid }

func (p *process) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	_ = p.command.Wait()
}

func freePort() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// cpu is user and system time of a process so far.
func cpu(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+2:]))
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond // Linux counts in hundredths of a second
}

// load is the machine's load average over the last minute.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// syncTime is how long the disk takes for a small synced write, while nothing else happens: the median of 200.
func syncTime(dir string) time.Duration {
	file, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return 0
	}
	defer file.Close()
	_, _ = file.Write(make([]byte, 1<<20))
	_ = file.Sync()
	var times []float64
	for i := range 200 {
		began := time.Now()
		_, _ = file.WriteAt(make([]byte, 4096), int64(i)*4096)
		_ = syscall.Fdatasync(int(file.Fd()))
		times = append(times, float64(time.Since(began)))
	}
	return time.Duration(median(times)).Round(time.Microsecond)
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// output runs a command and returns what it prints; what it says when it fails is in the error.
func output(command *exec.Cmd) (string, error) {
	var out, complaint bytes.Buffer
	command.Stdout, command.Stderr = &out, &complaint
	if err := command.Run(); err != nil {
		return "", errors.Join(fmt.Errorf("%s: %w", command.Path, err), errors.New(out.String()+complaint.String()))
	}
	return out.String(), nil
}
