package systemtest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The pages in a real browser: each file of web/test is a test.
func TestPagesInABrowser(t *testing.T) {
	t.Parallel()
	node := browserTools(t)
	files, err := filepath.Glob(repository(t, "web/test/*.test.mjs"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no tests in web/test: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".test.mjs"), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			command := exec.CommandContext(ctx, node, "--test-reporter=spec", file)
			command.Env = append(os.Environ(), "HONGBAO_BIN="+shipped)
			command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) } // it ends server and browser
			command.WaitDelay = 10 * time.Second
			if output, err := command.CombinedOutput(); err != nil {
				t.Errorf("node --test %s: %v\n%s", file, err, output)
			}
		})
	}
}

// browserTools returns the path of node where everything is there that a browser is driven with.
func browserTools(t *testing.T) (node string) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		lack(t, "node is not installed: apt-get install nodejs, or make tools")
	}
	browser := os.Getenv("CHROMIUM")
	if browser == "" {
		browser = "/usr/bin/chromium"
	}
	if _, err := os.Stat(browser); err != nil {
		lack(t, "there is no "+browser+": apt-get install chromium, or make tools; CHROMIUM names another")
	}
	if _, err := os.Stat(repository(t, "web/test/node_modules/playwright-core")); errors.Is(err, fs.ErrNotExist) {
		lack(t, "web/test has no node_modules: make tools, or npm ci there")
	}
	return node
}
