package systemtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stores are a Redis Cluster, a Kafka and a MySQL of the tests' own, as scripts/services starts them.
type stores struct {
	owner  testing.TB // they live as long as it
	t      testing.TB // what uses them
	dir    string
	config string // file that uses them
	shards int
	guard  io.Writer       // is told of processes that must not outlive the tests
	kafka  *proxy          // before its second listener; nil: it has none
	poison map[string]bool // "shard 3, offset 17": records that a test has put into Kafka, and that are none of the journal's
}

// shardCount gives each of three masters a shard or two: 0 is on the first, 1 and 2 are on the second, 3 is on the third.
const shardCount = 4

// openStores starts the stores, which are removed with the test. What is missing on this machine is installed where it is
// required, and otherwise skips the test.
func openStores(t *testing.T) *stores {
	t.Helper()
	if missing := missingServices(t); missing != "" && os.Getenv("HONGBAO_REQUIRE_SERVICES") == "" {
		t.Skip("needs what scripts/services installs: there is no " + missing)
	}
	dir := filepath.Join(t.TempDir(), "services")
	s := &stores{owner: t, t: t, dir: dir, config: filepath.Join(dir, "config.yaml"), shards: shardCount, poison: map[string]bool{}}
	s.watch(t)
	if out, err := s.services("up"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.coverPart()
	return s
}

func missingServices(t *testing.T) string {
	for _, command := range []string{"redis-server", "redis-cli", "mariadbd", "mariadb", "java"} {
		if _, err := exec.LookPath(command); err == nil {
			continue
		}
		if _, err := exec.LookPath("/usr/sbin/" + command); err != nil {
			return command
		}
	}
	if jars, err := filepath.Glob(repository(t, ".cache/kafka/*/libs/kafka_*.jar")); err == nil && len(jars) > 0 {
		return ""
	}
	if _, err := exec.LookPath("mvn"); err != nil {
		return "Kafka in .cache, and no mvn"
	}
	return ""
}

// watch starts a process that removes the stores, and kills what was started on them, when this one ends in whatever way.
func (s *stores) watch(t *testing.T) {
	t.Helper()
	const script = `trap "" INT TERM HUP
while read -r pid; do pids+=" $pid"; done
for pid in $pids; do [[ $(readlink /proc/$pid/exe) != "$2"* ]] || kill -KILL $pid; done
[[ ! -e $1/services ]] || "$0" down "$1"`
	guard := exec.Command("bash", "-c", script, repository(t, "scripts/services"), s.dir, filepath.Dir(shipped))
	guard.Env = environ()
	guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	alive, err := guard.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := guard.Start(); err != nil {
		t.Fatal(err)
	}
	s.guard = alive
	t.Cleanup(func() {
		_ = alive.Close()
		if err := guard.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// environ is this process' environment without settings of hongbao: the stores are the tests' own.
func environ() (list []string) {
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "HONGBAO_") {
			list = append(list, entry)
		}
	}
	return list
}

// services runs scripts/services on these stores.
func (s *stores) services(args ...string) (output string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, repository(s.t, "scripts/services"), append(args, s.dir)...)
	command.Env = environ()
	var text bytes.Buffer
	command.Stdout, command.Stderr = &text, &text
	if err := command.Run(); err != nil {
		return text.String(), fmt.Errorf("scripts/services %s: %w", strings.Join(args, " "), err)
	}
	return text.String(), nil
}

// start starts a store that was killed, and returns when it is ready.
func (s *stores) start(name string) {
	s.t.Helper()
	if out, err := s.services("start", name); err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
}

// launch starts a store as start does, and does not wait until it is ready.
func (s *stores) launch(name string) {
	s.t.Helper()
	command := exec.Command("setsid", "-f", filepath.Join(s.dir, name, "run"))
	command.Env = environ()
	if err := command.Run(); err != nil {
		s.t.Fatal(err)
	}
}

// kill is kill -9, and returns when the process has gone.
func (s *stores) kill(name string) {
	s.t.Helper()
	if out, err := s.services("kill", name, "KILL"); err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
}

// signal sends a signal.
func (s *stores) signal(name string, signal syscall.Signal) {
	s.t.Helper()
	if err := syscall.Kill(s.number(name, "pid"), signal); err != nil {
		s.t.Fatalf("%s: %v", name, err)
	}
}

// stop is kill -STOP; it goes on with the function that is returned, and with the test's end at the latest.
func (s *stores) stop(t testing.TB, name string) (goOn func()) {
	t.Helper()
	pid := s.number(name, "pid")
	s.signal(name, syscall.SIGSTOP)
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) }) // it may be gone
	return func() { _ = syscall.Kill(pid, syscall.SIGCONT) }
}

func (s *stores) number(name, file string) int {
	s.t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(read(s.t, filepath.Join(s.dir, name, file))))
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *stores) address(name string) string { return fmt.Sprint("127.0.0.1:", s.number(name, "port")) }

// dsn is the database.
func (s *stores) dsn() string { return "root@tcp(" + s.address("mysql") + ")/hongbao" }

// heal starts what does not run.
func (s *stores) heal() {
	s.t.Helper()
	status, err := s.services("status")
	if err == nil {
		return
	}
	for line := range strings.Lines(status) {
		if fields := strings.Fields(line); len(fields) == 4 && fields[3] == "down" {
			s.start(fields[0])
		}
	}
}
