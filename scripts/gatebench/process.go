package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"hongbao/scripts/machine"
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
	admin := machine.FreePort()
	p := &process{admin: "http://" + admin}
	args = append([]string{command, "--data", data, "--admin.listen", admin}, args...)
	if command == "serve" {
		p.player = machine.FreePort()
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
