package systemtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// shipped is the program under test.
var shipped string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "hongbao-systemtest")
	if err == nil {
		shipped = filepath.Join(dir, "hongbao")
		err = errors.Join(lookAtSources(), build(shipped))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// lookAtSources reads the repository's folders: go test sees what a test reads, but not what go build does, and would take
// the result for another program's from its cache.
func lookAtSources() error {
	return filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && len(entry.Name()) > 2 && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		return err
	})
}

// build builds the program as it is shipped; args are further ones for go build.
func build(to string, args ...string) error {
	args = append([]string{"build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w"}, args...)
	command := exec.Command("go", append(args, "-o", to, "hongbao/cmd/hongbao")...)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", command, err, output)
	}
	return nil
}

// edit is a change of one place in a source file, by its path in the repository.
type edit struct{ file, old, new string }

// buildBroken builds the program with edits of its source, which stays as it is.
func buildBroken(t *testing.T, edits ...edit) (program string) {
	t.Helper()
	dir := t.TempDir()
	replace := map[string]string{}
	for _, e := range edits {
		replace[repository(t, e.file)] = e.apply(t, dir)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	program = filepath.Join(dir, "hongbao")
	if err := build(program, "-overlay", write(t, "overlay.json", string(overlay))); err != nil {
		t.Fatal(err)
	}
	return program
}

// apply writes the edited file into dir and returns its path.
func (e edit) apply(t *testing.T, dir string) string {
	t.Helper()
	source := read(t, repository(t, e.file))
	if strings.Count(source, e.old) != 1 {
		t.Fatalf("%s does not have this once, so that it can't be broken there: %s", e.file, e.old)
	}
	edited := filepath.Join(dir, strings.ReplaceAll(e.file, "/", "_"))
	if err := os.WriteFile(edited, []byte(strings.Replace(source, e.old, e.new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return edited
}

// repository is the absolute path of a file of the repository.
func repository(t testing.TB, path string) string {
	t.Helper()
	full, err := filepath.Abs(filepath.Join("..", path))
	if err != nil {
		t.Fatal(err)
	}
	return full
}

// result is how a command ended.
type result struct {
	code           int
	stdout, stderr string
}

// run runs a command of the program to its end, in a folder of its own.
func run(t testing.TB, args ...string) result {
	t.Helper()
	command := exec.Command(shipped, args...)
	command.Dir = t.TempDir()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := command.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// succeed runs a command, fails the test unless it exits with 0, and returns what it prints.
func succeed(t testing.TB, args ...string) string {
	t.Helper()
	r := run(t, args...)
	if r.code != 0 {
		t.Fatalf("hongbao %s\nexits with %d: %s%s", strings.Join(args, " "), r.code, r.stderr, r.stdout)
	}
	return r.stdout
}

// parse reads JSON.
func parse(t testing.TB, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

// read returns what a file has.
func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// write writes a file into a folder of its own and returns its path.
func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// long reports whether there is time for more of everything.
func long() bool { return os.Getenv("HONGBAO_LONG") != "" }

// lack skips a test for want of something, and fails it where everything must be there.
func lack(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("HONGBAO_REQUIRE_SERVICES") == "1" {
		t.Fatal(what)
	}
	t.Skip(what)
}
