package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the program under test: this test binary, which runs as hongbao when asProgram is set in its environment.
// So nothing is built twice, and under -race the servers that tests start are watched too.
var binary string

const (
	asProgram = "HONGBAO_TEST_AS_PROGRAM"
	inPlace   = "HONGBAO_TEST_PLACE" // of a test's own on services that others use too
)

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		c := &commandLine{stdout: os.Stdout, stderr: os.Stderr}
		c.Cluster.place = os.Getenv(inPlace)
		os.Exit(c.run(os.Args[1:]))
	}
	dir, err := os.MkdirTemp("", "hongbao")
	if err == nil {
		err = copyProgram(dir)
	}
	if err == nil {
		err = os.Setenv(asProgram, "1")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// copyProgram puts the binary where another user can start it too.
func copyProgram(dir string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	program, err := os.ReadFile(self)
	if err != nil {
		return err
	}
	binary = filepath.Join(dir, "hongbao")
	return errors.Join(os.Chmod(dir, 0o755), os.WriteFile(binary, program, 0o755))
}

// result is how a command ended.
type result struct {
	code           int
	stdout, stderr string
}

// run runs a command to its end, in a folder of its own.
func run(t *testing.T, args ...string) result {
	t.Helper()
	command := exec.Command(binary, args...)
	command.Dir = t.TempDir()
	return finish(t, command)
}

func finish(t *testing.T, command *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// process is a server that runs until the test ends.
type process struct {
	t       *testing.T
	command *exec.Cmd
	stderr  lockedBuffer

	Player string `json:"player"` // URL
	Admin  string `json:"admin"`
	Data   string `json:"data"`
}

// serve starts a server on free ports, and returns when it says that it is ready.
func serve(t *testing.T, args ...string) *process {
	t.Helper()
	return begin(t, append([]string{"serve", "--player.listen=127.0.0.1:0"}, args...)...)
}

// begin starts a process, and returns when it says that it is ready.
func begin(t *testing.T, args ...string) *process {
	t.Helper()
	command := exec.Command(binary, append(args, "--json", "--admin.listen=127.0.0.1:0")...)
	command.Dir = t.TempDir()
	p := &process{t: t, command: command}
	line, _ := p.start().ReadBytes('\n')
	if err := json.Unmarshal(line, p); err != nil {
		t.Fatalf("the server did not start: %s", &p.stderr)
	}
	return p
}

// start starts the process, and ends it with the test.
func (p *process) start() (stdout *bufio.Reader) {
	p.t.Helper()
	pipe, err := p.command.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	p.command.Stderr = &p.stderr
	if err := p.command.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		_ = p.command.Process.Kill()
		p.wait()
	})
	return bufio.NewReader(pipe)
}

// stop ends the server gently and returns its exit code.
func (p *process) stop() int {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	return p.wait()
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.command.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// wait returns the exit code; -1 means that a signal ended it.
func (p *process) wait() int {
	_ = p.command.Wait() // the state tells
	return p.command.ProcessState.ExitCode()
}

// adminToken is the first token, made at the first start.
func (p *process) adminToken() string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.Data, adminTokenFile))
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// ask sends a request and returns status and body. Headers are "Name: value".
func (p *process) ask(method, url, body string, headers ...string) (int, string) {
	p.t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// administer asks the admin port with the first token.
func (p *process) administer(method, path, body string, headers ...string) (int, string) {
	p.t.Helper()
	headers = append(headers, "Authorization: Bearer "+p.adminToken(), "Content-Type: application/json")
	return p.ask(method, p.Admin+path, body, headers...)
}

// snatch snatches from a campaign for a player, and tells the envelope's id if it is won.
func (p *process) snatch(campaign, uid int) (status, envelope, receipt string) {
	p.t.Helper()
	_, body := p.ask("POST", fmt.Sprintf("%s/v1/campaigns/%d/snatch", p.Player, campaign), "", fmt.Sprint("X-Player-Id: ", uid))
	var answer struct{ Status, Envelope_ID, Receipt string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		p.t.Fatalf("snatch: %v: %s", err, body)
	}
	return answer.Status, answer.Envelope_ID, answer.Receipt
}

// lockedBuffer collects what a process logs, while it runs.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// eventually waits until a condition of another process holds.
func eventually(t *testing.T, within time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", within, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
