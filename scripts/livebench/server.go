package main

import (
	"bytes"
	"context"
	"errors"
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

// server is the hongbao that is measured.
type server struct {
	command *exec.Cmd
	dir     string
	log     bytes.Buffer // shown when it does not start
	player  string       // address
	admin   string       // URL
	token   string
}

// startServer starts it with a campaign that is open for as long as it takes.
func startServer(binary string, connections int) (*server, error) {
	dir, err := os.MkdirTemp("", "livebench-")
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, player: machine.FreePort()}
	admin := machine.FreePort()
	s.admin = "http://" + admin
	s.command = exec.Command(binary, "serve", "--data", filepath.Join(dir, "data"), "--player.listen", s.player, "--admin.listen", admin,
		fmt.Sprint("--live.connections=", connections), `--campaigns=[{"name": "r", "kind": "rain", "opens_at": "+0s", "lasts": "24h",
			"budget": {"total_fen": 100000, "count": 1000}}]`)
	s.command.Stderr = &s.log
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if _, err := s.ask("GET", "/readyz", ""); err == nil {
			token, err := os.ReadFile(filepath.Join(dir, "data", "admin.token"))
			s.token = strings.TrimSpace(string(token))
			return s, err
		}
	}
	s.close()
	return nil, fmt.Errorf("%s did not become ready: %s", binary, &s.log)
}

// close stops it and removes its data.
func (s *server) close() {
	_ = s.command.Process.Signal(syscall.SIGTERM)
	_ = s.command.Wait() // how it ended does not matter any more
	_ = os.RemoveAll(s.dir)
}

// ask asks the admin port.
func (s *server) ask(method, path, body string) (answer string, err error) {
	request, err := http.NewRequest(method, s.admin+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	request.Header.Set("If-Match", "*")
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s is answered %d %s", method, path, response.StatusCode, text)
	}
	return string(text), err
}

// toggle makes an event.
func (s *server) toggle(paused bool) error {
	_, err := s.ask("PATCH", "/admin/v1/campaigns/1", fmt.Sprintf(`{"paused":%v}`, paused))
	return err
}

// settle has garbage collected, and measures memory when what that freed has been given back.
func (s *server) settle(ctx context.Context) (m memory, err error) {
	const rounds = 2 // what the first finds to be garbage the second frees
	for range rounds {
		if _, err := s.ask("GET", "/debug/pprof/heap?gc=1", ""); err != nil {
			return m, err
		}
	}
	if err := pause(ctx, 5*time.Second); err != nil {
		return m, err
	}
	metrics, err := s.ask("GET", "/metrics", "")
	if err != nil {
		return m, err
	}
	m.inUse, err = sumOf(metrics, "go_memstats_heap_inuse_bytes", "go_memstats_stack_inuse_bytes")
	m.resident = residentOf(s.command.Process.Pid)
	m.kernel = kernelBytes()
	return m, errors.Join(err, ctx.Err())
}

func (s *server) cpu() time.Duration { return cpuOf(s.command.Process.Pid) }
