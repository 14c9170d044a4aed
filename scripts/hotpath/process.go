package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"hongbao/scripts/machine"
)

// process is a server that is measured.
type process struct {
	command *exec.Cmd
	address string // player port
	admin   string // empty for a baseline
	token   string
}

func startBaseline(kind string) (*process, error) {
	command := exec.Command(os.Args[0], "-baseline", kind)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	return &process{command: command, address: strings.TrimSpace(address)}, err
}

// startServer starts the server on a data folder and waits until it is ready.
func startServer(binary, data string, args ...string) (*process, error) {
	player, admin := machine.FreePort(), machine.FreePort()
	command := exec.Command(binary, append([]string{"serve", "--data", data, "--player.listen", player, "--admin.listen", admin}, args...)...)
	var log bytes.Buffer // shown when the server does not start
	command.Stderr = &log
	if err := command.Start(); err != nil {
		return nil, err
	}
	p := &process{command: command, address: player, admin: "http://" + admin}
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if answer, err := http.Get(p.admin + "/readyz"); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				token, err := os.ReadFile(filepath.Join(data, "admin.token"))
				p.token = strings.TrimSpace(string(token))
				return p, err
			}
		}
	}
	p.stop()
	return nil, fmt.Errorf("the server did not become ready in two minutes: %s", &log)
}

func (p *process) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	_ = p.command.Wait()
}

// cpu is user and system time of the process so far.
func (p *process) cpu() time.Duration {
	return machine.CPU(p.command.Process.Pid)
}

// ask calls the admin API and reads its JSON into out.
func (p *process) ask(method, path, body string, out any) error {
	request, err := http.NewRequest(method, p.admin+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %s %w", method, path, answer.Status, data, err)
	}
	return json.Unmarshal(data, out)
}

// stats are what /admin/v1/stats counts.
type stats struct {
	Statuses map[string]uint64 `json:"statuses"`
	Openings uint64            `json:"openings"`
	Refused  map[string]uint64 `json:"refused"`
	Events   uint64            `json:"events"`
	Groups   uint64            `json:"groups"`
	SyncUS   uint64            `json:"sync_us"`
}

func (p *process) stats() (s stats, err error) {
	if p.admin == "" {
		return s, nil
	}
	return s, p.ask(http.MethodGet, "/admin/v1/stats", "", &s)
}
