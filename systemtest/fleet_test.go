package systemtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hongbao/bench"
)

// fleet is the processes of hongbao that run on the stores during one test.
type fleet struct {
	t       testing.TB
	stores  *stores
	data    string // has the admin token of all nodes
	program string
	args    []string // further ones for each process

	mu      sync.Mutex
	nodes   []*node
	workers []*server
}

// node is a server, and players' connections to it.
type node struct {
	*server
	client *bench.Client
	silent atomic.Int64 // Unix nanoseconds until which players are sent elsewhere; 0: it answers
}

// heard is what a load balancer makes of an answer, or of none.
func (n *node) heard(label string) {
	switch label {
	case "timeout", "unreachable", "connection lost":
		n.silent.Store(time.Now().Add(time.Second).UnixNano())
	default:
		n.silent.Store(0)
	}
}

// answers reports whether a player may be sent there. Of a node that did not answer one at a time tries whether it does.
func (n *node) answers() bool {
	until, now := n.silent.Load(), time.Now()
	return until == 0 || until < now.UnixNano() && n.silent.CompareAndSwap(until, now.Add(time.Second).UnixNano())
}

// newFleet starts nodes and workers and returns when all are ready.
func newFleet(t testing.TB, s *stores, nodes, workers int, args ...string) *fleet {
	t.Helper()
	return newFleetOf(t, s, shipped, nodes, workers, args...)
}

// newFleetOf starts those of another program.
func newFleetOf(t testing.TB, s *stores, program string, nodes, workers int, args ...string) *fleet {
	t.Helper()
	f := &fleet{t: t, stores: s, program: program, data: filepath.Join(t.TempDir(), "data"), args: args}
	for i := range workers {
		f.workers = append(f.workers, nil)
		f.startWorker(i)
	}
	for i := range nodes {
		f.nodes = append(f.nodes, nil)
		f.startNode(i)
	}
	return f
}

// launch starts a process of hongbao on the stores.
func (f *fleet) launch(command string, args ...string) *server {
	f.t.Helper()
	args = append([]string{command, "--json", "--config", f.stores.config, "--data", f.data, "--admin.listen=127.0.0.1:0",
		fmt.Sprint("--cluster.redis.shards=", f.stores.shards)}, args...)
	c := exec.Command(f.program, append(args, f.args...)...)
	c.Env = environ()
	s := launch(f.t, c)
	fmt.Fprintln(f.stores.guard, s.command.Process.Pid)
	return s
}

// startNode starts a node in the place of one that has ended.
func (f *fleet) startNode(i int) *node {
	f.t.Helper()
	s := f.launch("serve", "--player.listen=127.0.0.1:0").ready()
	client, err := bench.NewClient(bench.ClientOptions{URL: s.Player, Connections: 256, Timeout: answerMax})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(client.Close)
	n := &node{server: s, client: client}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nodes[i] = n
	return n
}

// answerMax is how long a player waits for an answer, and then does not know.
const answerMax = 3 * time.Second

// startWorker starts a worker in the place of one that has ended.
func (f *fleet) startWorker(i int) *server {
	f.t.Helper()
	s := f.launch("worker")
	eventually(f.t, 30*time.Second, "a worker is ready", func() bool {
		if s.ended() {
			f.t.Fatalf("the worker did not start: %s", &s.log)
		}
		return strings.Contains(s.log.String(), `"standing by to work"`)
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.workers[i] = s
	return s
}

// ended reports whether the process has gone, or is a zombie.
func (s *server) ended() bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.command.Process.Pid))
	_, state, _ := strings.Cut(string(stat), ") ")
	return err != nil || strings.HasPrefix(state, "Z")
}

// node is one of the nodes, as they are now.
func (f *fleet) node(i int) *node {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.nodes[i]
}

func (f *fleet) worker(i int) *server {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.workers[i]
}

// some is a random node of those that answer.
func (f *fleet) some(random *rand.Rand) *node {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, i := range random.Perm(len(f.nodes)) {
		if f.nodes[i].answers() {
			return f.nodes[i]
		}
	}
	return f.nodes[random.IntN(len(f.nodes))]
}

// kill9 is kill -9, and returns when the process has gone.
func kill9(s *server) {
	s.kill()
	s.wait()
}

// pause is kill -STOP.
func (s *server) pause() { _ = s.command.Process.Signal(syscall.SIGSTOP) }

// goOn is kill -CONT.
func (s *server) goOn() { _ = s.command.Process.Signal(syscall.SIGCONT) }

// heal starts what has ended.
func (f *fleet) heal() {
	f.t.Helper()
	for i := range f.nodes {
		if f.node(i).ended() {
			f.startNode(i)
		}
	}
	for i := range f.workers {
		if f.worker(i).ended() {
			f.startWorker(i)
		}
	}
}

// metrics reads a figure of a process, with its labels, by the admin port that it says it has.
func (f *fleet) metric(admin, name string) string {
	response, err := http.Get(admin + "/metrics")
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// command runs a command of hongbao on the stores, with no server. What does not end by itself is killed.
func (f *fleet) command(args ...string) result {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*recoverMax)
	defer cancel()
	args = append(args, "--config", f.stores.config, "--data", f.data, fmt.Sprint("--cluster.redis.shards=", f.stores.shards))
	command := exec.CommandContext(ctx, shipped, args...)
	command.Dir, command.Env = f.t.TempDir(), environ()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := command.Run(); err != nil && !errors.As(err, &exit) {
		f.t.Fatal(err)
	}
	return result{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}
