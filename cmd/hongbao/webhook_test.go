package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// inbox is a receiver that takes down what it accepts.
type inbox struct {
	mu     sync.Mutex
	status int
	ids    map[string]bool
	wins   map[string]bool // envelopes
}

func newInbox(t *testing.T) (*inbox, string) {
	in := &inbox{status: http.StatusOK, ids: map[string]bool{}, wins: map[string]bool{}}
	server := httptest.NewServer(in)
	t.Cleanup(server.Close)
	return in, server.URL
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Type string
		Data struct {
			Envelope string `json:"envelope_id"`
		}
	}
	err := json.NewDecoder(r.Body).Decode(&m)
	in.mu.Lock()
	defer in.mu.Unlock()
	w.WriteHeader(in.status)
	if err == nil && in.status == http.StatusOK {
		if in.ids[r.Header.Get("webhook-id")] = true; m.Type == "envelope.won" {
			in.wins[m.Data.Envelope] = true
		}
	}
}

func (in *inbox) set(status int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.status = status
}

func (in *inbox) won() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.wins)
}

// Commands to any node reach the worker, whose end another takes over from where it was.
func TestWebhooksOfTwoNodesAndTwoWorkers(t *testing.T) {
	place := with(clusterPlace(t), "--webhook.private_networks=127.0.0.0/8")
	one := serve(t, with(place, "--campaigns", openRain)...)
	two := serve(t, with(place, "--campaigns", openRain)...)
	workers := []*process{begin(t, with(place, "worker")...), begin(t, with(place, "worker")...)}
	in, url := newInbox(t)
	if status, body := two.administer("PUT", "/admin/v1/webhooks/crm", fmt.Sprintf(`{"url":%q}`, url)); status != http.StatusOK || !strings.Contains(body, "whsec_") {
		t.Fatalf("%d %s", status, body)
	}
	wins := 0
	win := func(n int) {
		for range n {
			if status, _, _ := one.snatch(1, 1000+wins); status != "won" {
				t.Fatalf("snatch: %s", status)
			}
			wins++
		}
	}
	arrived := func(what string) {
		t.Helper()
		eventually(t, 30*time.Second, what, func() bool { return in.won() == wins })
	}
	state := func(what, want string) {
		t.Helper()
		eventually(t, 30*time.Second, what, func() bool {
			_, body := one.administer("GET", "/admin/v1/webhooks/crm", "")
			return strings.Contains(body, `"state":"`+want+`"`)
		})
	}
	win(20)
	arrived("what was won has arrived")
	state("the other node knows that it is well", "ok")

	workers[active(t, workers)].signal(syscall.SIGKILL)
	win(20)
	arrived("another worker has taken over")

	in.set(http.StatusGone)
	win(1)
	state("it is gone", "gone")
	in.set(http.StatusOK)
	if status, body := two.administer("POST", "/admin/v1/webhooks/crm/test", ""); status != http.StatusOK || !strings.Contains(body, `"accepted":true`) {
		t.Errorf("%d %s", status, body)
	}
	arrived("a test on a node lets the worker go on")

	in.mu.Lock()
	clear(in.wins)
	in.mu.Unlock()
	if status, body := two.administer("POST", "/admin/v1/webhooks/crm/replay?from=start", ""); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	arrived("all of it has come again")
	state("and it is well", "ok")
	in.mu.Lock()
	defer in.mu.Unlock()
	if ids := len(in.ids) - 1; ids < wins { // but for the test's
		t.Errorf("%d ids for %d wins", ids, wins)
	}
}

// active is the worker that works.
func active(t *testing.T, workers []*process) (found int) {
	t.Helper()
	eventually(t, 20*time.Second, "somebody is the worker", func() bool {
		for i, w := range workers {
			if _, metrics := w.ask("GET", w.Admin+"/metrics", ""); strings.Contains(metrics, "\nhongbao_cluster_worker_active 1\n") {
				found = i
				return true
			}
		}
		return false
	})
	return found
}
