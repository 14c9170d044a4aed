package systemtest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hongbao/audit"
	"hongbao/bench"
)

// server is a process that serves a data folder, until it is stopped or the test ends.
type server struct {
	t       testing.TB
	command *exec.Cmd
	stdout  *bufio.Reader
	log     buffer

	Player string `json:"player"` // URLs
	Admin  string `json:"admin"`
	Data   string `json:"data"`
}

// serve starts a server on free ports and returns when it is ready.
func serve(t testing.TB, args ...string) *server {
	t.Helper()
	return launch(t, exec.Command(shipped, serveArgs(args...)...)).ready()
}

func serveArgs(args ...string) []string {
	return append([]string{"serve", "--json", "--player.listen=127.0.0.1:0", "--admin.listen=127.0.0.1:0"}, args...)
}

// launch starts a server and does not wait for it.
func launch(t testing.TB, command *exec.Cmd) *server {
	t.Helper()
	s := &server{t: t, command: command}
	command.Dir = t.TempDir()
	command.Stderr = &s.log
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.stdout = bufio.NewReader(stdout)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.kill()
		s.wait()
	})
	return s
}

// ready waits until the server says that it serves.
func (s *server) ready() *server {
	s.t.Helper()
	line, _ := s.stdout.ReadBytes('\n') // what ends without a line is no JSON
	if err := json.Unmarshal(line, s); err != nil {
		s.t.Fatalf("the server did not start: %s", &s.log)
	}
	return s
}

// kill is kill -9; a server that has ended already is none the worse for it.
func (s *server) kill() { _ = s.command.Process.Kill() }

// terminate asks the server to stop gently.
func (s *server) terminate() {
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Error(err)
	}
}

// wait returns the exit code; -1 means that a signal ended it.
func (s *server) wait() int {
	_ = s.command.Wait() // the state tells
	return s.command.ProcessState.ExitCode()
}

// stop ends the server gently, and fails the test unless it exits with 0.
func (s *server) stop() {
	s.t.Helper()
	s.terminate()
	if code := s.wait(); code != 0 {
		s.t.Errorf("it stopped with %d: %s", code, &s.log)
	}
}

// token is the first admin token.
func (s *server) token() string {
	s.t.Helper()
	return strings.TrimSpace(read(s.t, filepath.Join(s.Data, "admin.token")))
}

// client makes a client of the player port.
func (s *server) client(connections int) *bench.Client {
	s.t.Helper()
	client, err := bench.NewClient(bench.ClientOptions{URL: s.Player, Connections: connections})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(client.Close)
	return client
}

// admin makes a client of the admin port.
func (s *server) admin() *bench.Admin {
	s.t.Helper()
	admin, err := bench.NewAdmin(s.Admin, s.token())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(admin.Close)
	return admin
}

// audit returns the server's audit of itself, and fails the test unless it passes.
func (s *server) audit() audit.Report {
	s.t.Helper()
	report, err := s.admin().Audit(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	if !report.OK {
		s.t.Errorf("the audit fails: %+v", report.Checks)
	}
	return report
}

// ask sends a request and returns status and body. Headers are "Name: value".
func (s *server) ask(method, url, body string, headers ...string) (int, string) {
	s.t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// buffer collects what a process logs, while it runs.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// eventually waits until a condition of another process holds.
func eventually(t testing.TB, within time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", within, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
