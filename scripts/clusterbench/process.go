package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"hongbao/scripts/machine"
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
	admin := machine.FreePort()
	p := &process{admin: "http://" + admin}
	args = append([]string{command, "--data", data, "--admin.listen", admin}, args...)
	if command == "serve" {
		player := machine.FreePort()
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
