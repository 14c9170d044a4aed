package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"hongbao/scripts/machine"
)

// measureMasters compares the CPU of a win on one master with one shard to that on two masters with a shard each. The
// node is the benchmark's process, which is its own crowd.
func measureMasters(ctx context.Context, o options, out io.Writer) error {
	s, err := startServices(ctx, o.dir)
	if err != nil {
		return err
	}
	defer s.stop()
	binary := filepath.Join(o.dir, "cluster.test")
	if _, err := output(exec.CommandContext(ctx, "go", "test", "-c", "-o", binary, "./cluster")); err != nil {
		return err
	}
	setups := map[int]string{}
	for _, masters := range []int{1, 2} {
		m, err := startMasters(ctx, filepath.Join(o.dir, strconv.Itoa(masters)), masters)
		if err != nil {
			return err
		}
		defer m.stop()
		setups[masters] = strings.Join(m.addresses, ",")
	}
	type win struct{ node, redis, rate float64 }
	runs := map[int][]win{}
	for round := range o.rounds {
		for masters, addresses := range setups {
			command := exec.CommandContext(ctx, binary, "-test.run", "^$", "-test.bench", "^BenchmarkSnatch$/^512$", "-test.benchtime", "100000x")
			command.Dir = "cluster"
			command.Env = append(s.environment(), "HONGBAO_CLUSTER__REDIS__ADDRS="+addresses)
			text, err := output(command)
			if err != nil {
				return err
			}
			values, err := measured(text, "node-µs/win", "redis-µs/win", "wins/s")
			if err != nil {
				return err
			}
			runs[masters] = append(runs[masters], win{values[0], values[1], values[2]})
			fmt.Fprintf(os.Stderr, "round %d/%d  %d masters: node %.1f µs, redis %.1f µs, %.0f wins/s; load %s\n",
				round+1, o.rounds, masters, values[0], values[1], values[2], machine.Load())
		}
	}
	fmt.Fprintln(out, "| masters | node CPU µs/win | Redis CPU µs/win | together | ratio | aim | wins/s |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|")
	var ratios []float64
	for round := range o.rounds {
		one, two := runs[1][round], runs[2][round]
		ratios = append(ratios, (two.node+two.redis)/(one.node+one.redis))
	}
	for _, masters := range []int{1, 2} {
		ratio, aim := "1.00", ""
		if masters == 2 {
			ratio, aim = fmt.Sprintf("%.2f", median(ratios)), "1.10"
		}
		fmt.Fprintf(out, "| %d | %.1f | %.1f | %.1f | %s | %s | %.0f |\n", masters,
			medianOf(runs[masters], func(w win) float64 { return w.node }), medianOf(runs[masters], func(w win) float64 { return w.redis }),
			medianOf(runs[masters], func(w win) float64 { return w.node + w.redis }), ratio, aim,
			medianOf(runs[masters], func(w win) float64 { return w.rate }))
	}
	return nil
}

// masters are one or two Redis servers without replicas. Two take quarters of the slots in turn: the tags of shards 0 and 1
// differ in one bit, by which CRC-16 moves their slots into neighbouring quarters, whatever is before it.
type masters struct {
	addresses []string
	servers   []*exec.Cmd
}

// startMasters makes the cluster by hand, because redis-cli makes none of fewer than three.
func startMasters(ctx context.Context, dir string, count int) (*masters, error) {
	m := &masters{}
	for range count {
		if err := m.start(dir); err != nil {
			m.stop()
			return nil, err
		}
	}
	if err := m.join(); err != nil {
		m.stop()
		return nil, err
	}
	return m, nil
}

func (m *masters) start(dir string) error {
	address, bus := machine.FreePort(), machine.FreePort()
	_, port, _ := strings.Cut(address, ":")
	_, busPort, _ := strings.Cut(bus, ":")
	folder := filepath.Join(dir, port)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	server := exec.Command("redis-server", "--port", port, "--cluster-port", busPort, "--bind", "127.0.0.1", "--dir", folder, "--save", "",
		"--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction",
		"--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "1000")
	if err := server.Start(); err != nil {
		return err
	}
	m.addresses, m.servers = append(m.addresses, address), append(m.servers, server)
	return nil
}

// join gives each its quarters of the slots, and waits until all know it.
func (m *masters) join() error {
	for i, address := range m.addresses {
		if err := until(func() bool { return redisCLI(address, "PING") == "PONG" }); err != nil {
			return err
		}
		for quarter := i; quarter < 4; quarter += len(m.addresses) {
			redisCLI(address, "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(quarter<<12), strconv.Itoa((quarter+1)<<12-1))
		}
		host, port, _ := strings.Cut(m.addresses[0], ":")
		if i > 0 {
			bus := strings.Fields(redisCLI(m.addresses[0], "CONFIG", "GET", "cluster-port"))
			redisCLI(address, "CLUSTER", "MEET", host, port, bus[len(bus)-1])
		}
	}
	return until(func() bool {
		return !slices.ContainsFunc(m.addresses, func(address string) bool {
			info := redisCLI(address, "CLUSTER", "INFO")
			return !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_slots_ok:16384")
		})
	})
}

func (m *masters) stop() {
	for _, server := range m.servers {
		_ = server.Process.Kill()
		_ = server.Wait()
	}
}

func until(ready func() bool) error {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if ready() {
			return nil
		}
	}
	return fmt.Errorf("redis-server is not ready after half a minute")
}

func redisCLI(address string, args ...string) string {
	host, port, _ := strings.Cut(address, ":")
	out, _ := exec.Command("redis-cli", append([]string{"-h", host, "-p", port}, args...)...).Output()
	return strings.TrimSpace(string(out))
}
