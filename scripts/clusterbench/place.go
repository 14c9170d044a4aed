package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"hongbao"
	"hongbao/bench"
	"hongbao/scripts/machine"
)

// services are stores of our own: one Redis, one Kafka, one MySQL.
type services struct{ dir, config string }

func startServices(ctx context.Context, dir string) (*services, error) {
	s := &services{dir: filepath.Join(dir, "services"), config: filepath.Join(dir, "config.yaml")}
	config, err := output(exec.CommandContext(ctx, "scripts/services", "up", "--redis", "single", s.dir))
	if err != nil {
		return nil, err
	}
	return s, os.WriteFile(s.config, []byte(config), 0o600)
}

func (s *services) stop() { _ = exec.Command("scripts/services", "down", s.dir).Run() }

func (s *services) number(name, file string) int {
	text, _ := os.ReadFile(filepath.Join(s.dir, name, file))
	n, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return n
}

func (s *services) pid(name string) int { return s.number(name, "pid") }

func (s *services) redis() string { return "127.0.0.1:" + strconv.Itoa(s.number("redis-1", "port")) }

// environment has what tests on these services need.
func (s *services) environment() []string {
	return append(os.Environ(),
		"HONGBAO_CLUSTER__REDIS__ADDRS="+s.redis(),
		"HONGBAO_CLUSTER__REDIS__REPLICAS_ACK=0",
		"HONGBAO_CLUSTER__KAFKA__BROKERS=127.0.0.1:"+strconv.Itoa(s.number("kafka", "port")),
		fmt.Sprintf("HONGBAO_CLUSTER__MYSQL__DSN=root@tcp(127.0.0.1:%d)/hongbao", s.number("mysql", "port")))
}

// place is a node, and in a cluster its services and its worker.
type place struct {
	binary   string
	data     string
	services *services // nil: embedded
	node     *process
	worker   *process
	admin    *bench.Admin
	token    string
}

// openCluster starts services, a node and a worker.
func openCluster(ctx context.Context, o options) (*place, error) {
	p := &place{binary: o.binary, data: filepath.Join(o.dir, "cluster")}
	var err error
	if p.services, err = startServices(ctx, o.dir); err != nil {
		return nil, err
	}
	err = p.open("--config", p.services.config)
	if err == nil {
		err = p.startWorker()
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// openEmbedded starts a server with the embedded engine.
func openEmbedded(ctx context.Context, o options) (*place, error) {
	p := &place{binary: o.binary, data: filepath.Join(o.dir, "embedded")}
	if err := p.open(); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *place) open(args ...string) (err error) {
	if p.node, err = startProcess(p.binary, "serve", p.data, args...); err != nil {
		return err
	}
	token, err := os.ReadFile(filepath.Join(p.data, "admin.token"))
	if err != nil {
		return err
	}
	p.token = strings.TrimSpace(string(token))
	p.admin, err = bench.NewAdmin(p.node.admin, p.token)
	return err
}

func (p *place) startWorker() (err error) {
	p.worker, err = startProcess(p.binary, "worker", p.data, "--config", p.services.config)
	return err
}

func (p *place) stopWorker() {
	if p.worker != nil {
		p.worker.stop()
		p.worker = nil
	}
}

func (p *place) close() {
	p.stopWorker()
	if p.node != nil {
		p.node.stop()
	}
	if p.services != nil {
		p.services.stop()
	}
	_ = os.RemoveAll(p.data)
}

// campaign makes a rain of so many envelopes of about a yuan, without limits, that opens after a while.
func (p *place) campaign(name string, count uint64, opens time.Duration) (uint32, error) {
	none := 0
	return p.admin.Create(context.Background(), hongbao.Spec{
		Name: name, Kind: hongbao.Rain, OpensAt: hongbao.InFuture(hongbao.Duration(opens)), Lasts: hongbao.Duration(24 * time.Hour),
		Budget: hongbao.BudgetSpec{TotalFen: 100 * int64(count), Count: count}, WinsMax: &none,
	})
}

// stats are what /admin/v1/stats counts.
type stats struct {
	Statuses map[string]uint64 `json:"statuses"`
	Lag      uint64            `json:"lag"`
	Groups   uint64            `json:"groups"`
	SyncUS   uint64            `json:"sync_us"`
}

func (p *place) stats() (s stats, err error) {
	text, err := p.get(p.node.admin + "/admin/v1/stats")
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(text, &s)
}

func (p *place) get(url string) ([]byte, error) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", url, answer.Status, text)
	}
	return text, err
}

// applied is how many events the worker has entered into the books since it was started.
func (p *place) applied() (float64, error) {
	const name = "hongbao_cluster_ledger_events_total "
	text, err := p.get(p.worker.admin + "/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, errors.New("the worker's metrics do not have " + name)
}

// processes are those whose CPU is counted, by name.
func (p *place) processes() map[string]int {
	return map[string]int{
		"node": p.node.pid(), "worker": p.worker.pid(),
		"redis": p.services.pid("redis-1"), "kafka": p.services.pid("kafka"), "mysql": p.services.pid("mysql"),
	}
}

// spent is the CPU of each process so far.
func (p *place) spent() map[string]time.Duration {
	spent := map[string]time.Duration{}
	for name, pid := range p.processes() {
		spent[name] = machine.CPU(pid)
	}
	return spent
}
