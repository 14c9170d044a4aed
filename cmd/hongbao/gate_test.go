package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"hongbao"
)

// turn changes the settings of the gate.
func (p *process) turn(patch string) {
	p.t.Helper()
	if status, body := p.administer("PATCH", "/admin/v1/gate", patch); status != http.StatusOK {
		p.t.Fatalf("%s: %d %s", patch, status, body)
	}
}

func TestTheGateIsTurnedAndKeptOverARestart(t *testing.T) {
	t.Parallel()
	p := serve(t, "--campaigns", openRain)
	p.turn(`{"denylist":["7"],"player":{"rate":3}}`)
	if status, _ := p.ask("POST", p.Player+"/v1/campaigns/1/snatch", "", "X-Player-Id: 7"); status != http.StatusForbidden {
		t.Errorf("a denied player: %d", status)
	}
	p.signal(syscall.SIGKILL)
	p.wait()
	again := serve(t, "--data", p.Data)
	if status, _ := again.ask("POST", again.Player+"/v1/campaigns/1/snatch", "", "X-Player-Id: 7"); status != http.StatusForbidden {
		t.Errorf("a denied player after kill -9: %d", status)
	}
	if _, body := again.administer("GET", "/admin/v1/gate", ""); !strings.Contains(body, `"player":{"rate":3,"burst":6}`) {
		t.Errorf("after kill -9: %s", body)
	}
	again.turn(`{"read_only":true}`)
	if _, body := again.ask("GET", again.Admin+"/readyz", ""); !strings.Contains(body, `"degraded"`) || !strings.Contains(body, "read-only") {
		t.Errorf("readyz: %s", body)
	}
	if _, metrics := again.ask("GET", again.Admin+"/metrics", ""); !strings.Contains(metrics, "\nhongbao_gate_read_only 1\n") ||
		!strings.Contains(metrics, `hongbao_gate_refused_total{reason="denylist"} 1`) {
		t.Errorf("the metrics don't tell: %s", metrics)
	}
}

func TestTheGateOfOneNodeIsTheGateOfAll(t *testing.T) {
	place := clusterPlace(t)
	one, two := serve(t, with(place, "--campaigns", openRain)...), serve(t, place...)
	one.turn(`{"denylist":["7"]}`)
	turned := time.Now()
	eventually(t, 10*time.Second, "the other node denies the player", func() bool {
		status, _ := two.ask("GET", two.Player+"/v1/wallet", "", "X-Player-Id: 7")
		return status == http.StatusForbidden
	})
	t.Logf("after %s", time.Since(turned))
	two.turn(`{"read_only":true}`)
	eventually(t, 10*time.Second, "the first node is read-only", func() bool {
		status, _ := one.ask("POST", one.Player+"/v1/campaigns/1/snatch", "", "X-Player-Id: 8")
		return status == http.StatusServiceUnavailable
	})
	if _, body := one.administer("GET", "/admin/v1/gate", ""); !strings.Contains(body, `"revision":2`) || !strings.Contains(body, `"denylist":["7"]`) {
		t.Errorf("both changes hold: %s", body)
	}
}

const ticketRain = `[{name: rain, kind: rain, opens_at: "+0s", lasts: 1h, ticket: true, budget: {total_fen: 100000, count: 1000}}]`

func TestATicketOfOneNodeIsGoodOnAll(t *testing.T) {
	place := clusterPlace(t)
	one, two := serve(t, with(place, "--campaigns", ticketRain)...), serve(t, place...)
	_, body := one.ask("POST", one.Player+"/v1/campaigns/1/ticket", "", "X-Player-Id: 7")
	var given struct{ Ticket string }
	parse(t, body, &given)
	snatch := func(uid int) (int, string) {
		return two.ask("POST", two.Player+"/v1/campaigns/1/snatch", "", fmt.Sprint("X-Player-Id: ", uid), "Hongbao-Ticket: "+given.Ticket)
	}
	if status, body := snatch(7); status != http.StatusOK || !strings.Contains(body, `"won"`) {
		t.Errorf("on the other node: %d %s", status, body)
	}
	if status, body := snatch(8); status != http.StatusForbidden {
		t.Errorf("another player's: %d %s", status, body)
	}
}

// People ask two nodes in turn; who wins is who the seed says.
func TestTheLotteryOfAFairStartIsOneOnTwoNodes(t *testing.T) {
	place := clusterPlace(t)
	one, two := serve(t, place...), serve(t, place...)
	const players, envelopes = 200, 20
	spec := fmt.Sprintf(`{"name":"fair","kind":"rain","opens_at":"+2s","lasts":"1m","fair_start":"4s","wins_max":1,"budget":{"total_fen":%d,"count":%d}}`, envelopes*100, envelopes)
	status, body := one.administer("POST", "/admin/v1/campaigns", spec)
	var c struct {
		ID      string       `json:"id"`
		OpensAt hongbao.Time `json:"opens_at"`
	}
	parse(t, body, &c)
	if status != http.StatusCreated {
		t.Fatalf("%d %s", status, body)
	}
	eventually(t, 20*time.Second, "both nodes let in", func() bool {
		for _, node := range []*process{one, two} {
			_, body := node.ask("GET", node.Player+"/v1/campaigns/"+c.ID, "")
			if !strings.Contains(body, `"open"`) {
				return false
			}
		}
		return true
	})
	type outcome struct {
		uid uint64
		won bool
	}
	outcomes := make(chan outcome, players)
	for uid := range uint64(players) {
		go func() {
			node := []*process{one, two}[uid%2]
			status, body := node.ask("POST", node.Player+"/v1/campaigns/"+c.ID+"/snatch", "", fmt.Sprint("X-Player-Id: ", uid))
			if status != http.StatusOK {
				t.Errorf("player %d: %d %s", uid, status, body)
			}
			outcomes <- outcome{uid, strings.Contains(body, `"won"`)}
		}()
	}
	won := map[uint64]bool{}
	for range players {
		if o := <-outcomes; o.won {
			won[o.uid] = true
		}
	}
	if len(won) != envelopes {
		t.Fatalf("%d players won", len(won))
	}
	seed := cancelAndReadSeed(t, one, c.ID)
	better := func(uid uint64) (n int) { // players whose number is before this one's
		mine := seed.Lot(1, uid)
		for other := range uint64(players) {
			if seed.Lot(1, other) < mine {
				n++
			}
		}
		return n
	}
	for uid := range won {
		if place := better(uid); place >= 2*envelopes { // neighbours may change places on their way through two processes
			t.Errorf("player %d won from place %d", uid, place)
		}
	}
}

func cancelAndReadSeed(t *testing.T, p *process, campaign string) hongbao.Seed {
	t.Helper()
	status, body := p.administer("POST", "/admin/v1/campaigns/"+campaign+"/cancel", "")
	var c struct {
		Seed hongbao.Seed `json:"seed"`
	}
	if err := json.Unmarshal([]byte(body), &c); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s: %v", status, body, err)
	}
	return c.Seed
}
