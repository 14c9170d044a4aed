package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// variant is one thing that is measured.
type variant struct {
	name     string
	server   *process
	baseline bool
	script   string               // of wrk, a template
	asked    func(s stats) uint64 // how many were answered as they must be
	paths    map[string]string    // for the script
	offset   func(connections int) uint64
}

// field is what stands ready to be measured.
type field struct {
	servers  []*process
	variants []*variant
}

func (f *field) stop() {
	for _, p := range f.servers {
		p.stop()
	}
}

// measurement is one run.
type measurement struct {
	rate, cpuUS  float64
	p50MS, p99MS float64
	perSync      float64
	syncUS       float64
}

// measure runs wrk once.
func (v *variant) measure(o options, connections int) (m measurement, err error) {
	before, err := v.server.stats()
	if err != nil {
		return m, err
	}
	cpu := v.server.cpu()
	requests, err := v.wrk(o, connections, &m)
	if err != nil {
		return m, err
	}
	m.cpuUS = float64((v.server.cpu() - cpu).Microseconds()) / float64(requests)
	after, err := v.server.stats()
	if err != nil || v.asked == nil {
		return m, err
	}
	if right := v.asked(after) - v.asked(before); float64(right) < 0.99*float64(requests) {
		return m, fmt.Errorf("only %d of %d requests were answered as they must be", right, requests)
	}
	if groups := after.Groups - before.Groups; groups > 0 && after.Events-before.Events > requests/2 {
		m.perSync = float64(after.Events-before.Events) / float64(groups)
		m.syncUS = float64(after.SyncUS*after.Groups-before.SyncUS*before.Groups) / float64(groups)
	}
	return m, nil
}

var (
	rateLine  = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	totalLine = regexp.MustCompile(`(\d+) requests in`)
	failLine  = regexp.MustCompile(`(?m)^\s+Non-2xx.*$`)
)

func (v *variant) wrk(o options, connections int, m *measurement) (requests uint64, err error) {
	script := filepath.Join(o.dir, v.name+".lua")
	if err := os.WriteFile(script, []byte(v.script), 0o600); err != nil {
		return 0, err
	}
	args := []string{"-t" + strconv.Itoa(min(2, connections)), "-c" + strconv.Itoa(connections), "-d" + strconv.Itoa(o.seconds) + "s", "--latency", "--timeout", "10s",
		"-s", script, "http://" + v.server.address, "--", strconv.FormatInt(time.Now().UnixNano()%1_000_000_007, 10)}
	if v.offset != nil {
		args = append(args, strconv.FormatUint(v.offset(connections), 10))
	}
	out, err := exec.Command("wrk", args...).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("wrk: %w: %s", err, out)
	}
	if fail := failLine.Find(out); fail != nil {
		return 0, fmt.Errorf("wrk:%s", fail)
	}
	rate, total := rateLine.FindSubmatch(out), totalLine.FindSubmatch(out)
	if rate == nil || total == nil {
		return 0, fmt.Errorf("wrk printed something else: %s", out)
	}
	m.rate, _ = strconv.ParseFloat(string(rate[1]), 64)
	m.p50MS, m.p99MS = percentile(string(out), "50%"), percentile(string(out), "99%")
	return strconv.ParseUint(string(total[1]), 10, 64)
}

// percentile reads the line that starts with the percentage, in milliseconds.
func percentile(out, which string) float64 {
	for line := range strings.Lines(out) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), which); ok {
			d, err := time.ParseDuration(strings.TrimSpace(rest))
			if err == nil {
				return float64(d.Microseconds()) / 1000
			}
		}
	}
	return 0
}

// post is a wrk script that posts a body to a path; body is a Lua expression.
func post(path, body string) string {
	return fmt.Sprintf(`
local n = 0
function setup(thread) thread:set("id", n); n = n + 1 end
function init(args)
  math.randomseed(tonumber(args[1]) + id)
  offset = tonumber(args[2] or "0")
  count = 0
  wrk.headers["Content-Type"] = "application/json"
  if prepare then prepare() end
end
function request() return wrk.format(%q, %q, nil, %s) end
`, http.MethodPost, path, body)
}
