package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a hongbao that is measured.
type process struct {
	command *exec.Cmd
	log     bytes.Buffer // shown when it does not start
	player  string       // address; of a worker empty
	admin   string       // URL
}

// startProcess starts hongbao and waits until it is ready.
func startProcess(binary, command, data string, args ...string) (*process, error) {
	admin := freePort()
	p := &process{admin: "http://" + admin}
	args = append([]string{command, "--data", data, "--admin.listen", admin}, args...)
	if command == "serve" {
		p.player = freePort()
		args = append(args, "--player.listen", p.player)
	}
	p.command = exec.Command(binary, args...)
	p.command.Stderr = &p.log
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		_ = p.command.Wait()
		close(ended)
	}()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if p.ready() {
			return p, nil
		}
		select {
		case <-ended:
			return nil, fmt.Errorf("hongbao %s has ended: %s", command, &p.log)
		case <-time.After(20 * time.Millisecond):
		}
	}
	_ = p.command.Process.Kill()
	<-ended
	return nil, fmt.Errorf("hongbao %s did not become ready in a minute: %s", command, &p.log)
}

func (p *process) ready() bool {
	answer, err := http.Get(p.admin + "/readyz")
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

func (p *process) pid() int { return p.command.Process.Pid }

// stop asks it to end, and waits until it has.
func (p *process) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if errors.Is(p.command.Process.Signal(syscall.Signal(0)), os.ErrProcessDone) {
			return
		}
	}
	_ = p.command.Process.Kill()
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

// residentMB is the memory that a process has at present, in MiB.
func residentMB(pid int) float64 {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	return float64(pages) * float64(os.Getpagesize()) / (1 << 20)
}

// descriptors raises the limit of open descriptors as far as it goes, and returns it. The servers inherit it.
func descriptors() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	}
	return int(min(limit.Cur, 1<<30))
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
