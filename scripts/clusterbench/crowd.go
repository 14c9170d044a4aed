package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// crowd is what wrk saw, and the CPU that it took.
type crowd struct {
	rate         float64
	requests     uint64
	p50MS, p99MS float64
	cpu          time.Duration
}

// wrkScript snatches as random players. The address is of /v1 because there a campaign is named.
const wrkScript = `
local n = 0
function setup(thread) thread:set("id", n); n = n + 1 end
function init(args) math.randomseed(tonumber(args[1]) + id) end
function request() return wrk.format("POST", "/v1/campaigns/%d/snatch", {["X-Player-Id"] = math.random(0, %d)}) end
`

var (
	rateLine  = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	totalLine = regexp.MustCompile(`(\d+) requests in`)
	failLine  = regexp.MustCompile(`(?m)^\s+Non-2xx.*$`)
)

// snatch lets a crowd snatch for some seconds. Refusals are answers of 409 and are expected where failures are.
func (p *place) snatch(ctx context.Context, o options, campaign uint32, connections, seconds int, failures bool) (c crowd, err error) {
	script := filepath.Join(o.dir, "snatch.lua")
	if err := os.WriteFile(script, fmt.Appendf(nil, wrkScript, campaign, o.players-1), 0o600); err != nil {
		return c, err
	}
	command := exec.CommandContext(ctx, "wrk", "-t2", "-c"+strconv.Itoa(connections), "-d"+strconv.Itoa(seconds)+"s", "--latency", "--timeout", "10s",
		"-s", script, p.node.player, "--", strconv.FormatInt(time.Now().UnixNano()%1_000_000_007, 10))
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	if err := command.Run(); err != nil {
		return c, fmt.Errorf("wrk: %w: %s", err, &out)
	}
	if fail := failLine.FindString(out.String()); fail != "" && !failures {
		return c, fmt.Errorf("wrk:%s", fail)
	}
	rate, total := rateLine.FindStringSubmatch(out.String()), totalLine.FindStringSubmatch(out.String())
	if rate == nil || total == nil {
		return c, fmt.Errorf("wrk printed something else: %s", &out)
	}
	c.rate, _ = strconv.ParseFloat(rate[1], 64)
	c.requests, _ = strconv.ParseUint(total[1], 10, 64)
	c.p50MS, c.p99MS = percentile(out.String(), "50%"), percentile(out.String(), "99%")
	c.cpu = command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	return c, nil
}

// percentile reads the line that starts with the percentage, in milliseconds.
func percentile(out, which string) float64 {
	for line := range strings.Lines(out) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), which); ok {
			if d, err := time.ParseDuration(strings.TrimSpace(rest)); err == nil {
				return float64(d.Microseconds()) / 1000
			}
		}
	}
	return 0
}
