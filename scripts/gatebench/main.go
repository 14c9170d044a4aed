// Gatebench measures what the gate is for, on the program as it is shipped:
//
//	gatebench fair   who wins a first-come-first-served campaign, people or scripts: at the bell and at the end of the lot,
//	                 with and without fair start, tickets and their work
//	gatebench flood  how honest players fare during a flood of ten times what the server is allowed to take in
//
// Both start the servers that they measure, and are themselves the crowd, on the same cores. Each writes a table, all
// figures as JSON and pictures into the folder that is given with -out. What stands behind -- is for the servers.
//
//	go run ./scripts/gatebench fair -binary bin/hongbao
//	go run ./scripts/gatebench fair -only "at the bell, fair start" -- --gate.in_flight=off
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// command measures one thing.
type command struct {
	name string
	run  func(ctx context.Context, args []string) error
}

var commands = []command{{"fair", runFair}, {"flood", runFlood}}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gatebench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	for _, c := range commands {
		if len(args) > 0 && args[0] == c.name {
			return c.run(ctx, args[1:])
		}
	}
	return errors.New("say what to measure: fair or flood (-h after it lists the flags)")
}

// results is where a command leaves what it measured.
type results struct{ dir string }

func openResults(dir string) (results, error) { return results{dir}, os.MkdirAll(dir, 0o755) }

func (r results) write(name string, data []byte) error {
	path := filepath.Join(r.dir, name)
	fmt.Fprintln(os.Stderr, "wrote", path)
	return os.WriteFile(path, data, 0o644)
}

func (r results) writeJSON(name string, value any) error {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return r.write(name, append(data, '\n'))
}
