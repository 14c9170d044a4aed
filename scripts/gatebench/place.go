package main

import (
	"context"
	"encoding/csv"
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
)

// place is what is played on: one server with the embedded engine, or two nodes and a worker with services of their own.
type place struct {
	dir      string
	nodes    []*process
	worker   *process
	services string // their folder; empty: embedded
	admin    *bench.Admin
	client   *bench.Client
	token    string
}

// openPlace starts everything in a new folder below dir; args are the servers' flags.
func openPlace(ctx context.Context, dir, binary string, cluster bool, args ...string) (*place, error) {
	dir, err := os.MkdirTemp(dir, "gatebench-")
	if err != nil {
		return nil, err
	}
	p := &place{dir: dir}
	if err := p.open(ctx, binary, cluster, args); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *place) open(ctx context.Context, binary string, cluster bool, args []string) error {
	nodes := 1
	if cluster {
		nodes = 2
		config, err := p.startServices(ctx)
		if err != nil {
			return err
		}
		args = append(args, "--config", config)
		if p.worker, err = startProcess(binary, "worker", p.data(), "--config", config); err != nil {
			return err
		}
	}
	for range nodes {
		node, err := startProcess(binary, "serve", p.data(), args...)
		if err != nil {
			return err
		}
		p.nodes = append(p.nodes, node)
	}
	return p.connect()
}

func (p *place) data() string { return filepath.Join(p.dir, "data") }

func (p *place) startServices(ctx context.Context) (config string, err error) {
	p.services, config = filepath.Join(p.dir, "services"), filepath.Join(p.dir, "config.yaml")
	text, err := exec.CommandContext(ctx, "scripts/services", "up", "--redis", "single", p.services).Output()
	if err != nil {
		return "", fmt.Errorf("scripts/services: %w", err)
	}
	return config, os.WriteFile(config, text, 0o600)
}

func (p *place) connect() (err error) {
	token, err := os.ReadFile(filepath.Join(p.data(), "admin.token"))
	if err != nil {
		return err
	}
	p.token = strings.TrimSpace(string(token))
	if p.admin, err = bench.NewAdmin(p.nodes[0].admin, p.token); err != nil {
		return err
	}
	p.client, err = bench.NewClient(bench.ClientOptions{URL: "http://" + p.nodes[0].player, Connections: 2})
	return err
}

func (p *place) close() {
	for _, node := range p.nodes {
		node.stop()
	}
	if p.worker != nil {
		p.worker.stop()
	}
	if p.services != "" {
		_ = exec.Command("scripts/services", "down", p.services).Run()
	}
	_ = os.RemoveAll(p.dir)
}

// create makes a campaign and waits until every node knows it.
func (p *place) create(ctx context.Context, spec hongbao.Spec) (uint32, error) {
	id, err := p.admin.Create(ctx, spec)
	if err != nil {
		return 0, err
	}
	for _, node := range p.nodes {
		client, err := bench.NewClient(bench.ClientOptions{URL: "http://" + node.player})
		if err != nil {
			return 0, err
		}
		err = until(ctx, 10*time.Second, "every node knows the campaign", func() bool {
			_, err := client.Campaign(id)
			return err == nil
		})
		client.Close()
		if err != nil {
			return 0, err
		}
	}
	return id, nil
}

// seal ends a campaign and returns the seed that this reveals.
func (p *place) seal(ctx context.Context, campaign uint32) (seed hongbao.Seed, err error) {
	if err := p.admin.Cancel(ctx, campaign); err != nil {
		return seed, err
	}
	err = until(ctx, 30*time.Second, "the campaign is sealed", func() bool {
		if c, err := p.client.Campaign(campaign); err == nil {
			seed = c.Seed
		}
		return seed != hongbao.Seed{}
	})
	return seed, err
}

// winner is an envelope that was won.
type winner struct {
	uid    uint64
	number uint64
	at     hongbao.Time
}

// winners are who won, in the order of the journal, once the journal has count of them.
func (p *place) winners(ctx context.Context, campaign uint32, count int) (all []winner, err error) {
	var failed error
	err = until(ctx, time.Minute, "the journal has all wins", func() bool {
		all, failed = p.readWinners(campaign)
		return failed != nil || len(all) >= count
	})
	return all, errors.Join(failed, err)
}

func (p *place) readWinners(campaign uint32) (all []winner, err error) {
	request, err := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/admin/v1/campaigns/%d/winners.csv", p.nodes[0].admin, campaign), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("winners.csv: %s", answer.Status)
	}
	return parseWinners(answer.Body)
}

// parseWinners reads the columns by their names.
func parseWinners(text io.Reader) (all []winner, err error) {
	lines, err := csv.NewReader(text).ReadAll()
	if err != nil || len(lines) == 0 {
		return nil, fmt.Errorf("winners.csv: %w", errors.Join(err, io.ErrUnexpectedEOF))
	}
	column := map[string]int{}
	for i, name := range lines[0] {
		column[name] = i
	}
	for _, line := range lines[1:] {
		var w winner
		var numberErr, timeErr error
		w.uid, err = strconv.ParseUint(line[column["uid"]], 10, 64)
		w.number, numberErr = strconv.ParseUint(line[column["number"]], 10, 64)
		w.at, timeErr = hongbao.ParseTime(line[column["won_at"]])
		if err := errors.Join(err, numberErr, timeErr); err != nil {
			return nil, fmt.Errorf("winners.csv: %w", err)
		}
		all = append(all, w)
	}
	return all, nil
}

// until waits until something that another process does holds.
func until(ctx context.Context, within time.Duration, what string, holds func() bool) error {
	for deadline := time.Now().Add(within); !holds(); time.Sleep(20 * time.Millisecond) {
		if ctx.Err() != nil || time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("not within %s: %s", within, what), ctx.Err())
		}
	}
	return nil
}
