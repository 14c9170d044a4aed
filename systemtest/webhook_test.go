package systemtest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// payer is a company's server that takes webhooks, and refuses some.
type payer struct {
	t   *testing.T
	url string
	key []byte

	mu       sync.Mutex
	random   *rand.Rand
	refuses  float64
	accepted map[string]bool
	kinds    map[string]int
	firsts   map[string][]string // ids by campaign, each when it was accepted first
	twice    int
	refused  int
}

func newPayer(t *testing.T, random *rand.Rand, key []byte) *payer {
	p := &payer{t: t, key: key, random: rand.New(rand.NewPCG(random.Uint64(), 0)), refuses: 0.02, accepted: map[string]bool{}, kinds: map[string]int{}, firsts: map[string][]string{}}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func (p *payer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // who sent it was killed
	}
	id := r.Header.Get("webhook-id")
	mac := hmac.New(sha256.New, p.key)
	fmt.Fprintf(mac, "%s.%s.%s", id, r.Header.Get("webhook-timestamp"), body)
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); r.Header.Get("webhook-signature") != want {
		p.t.Errorf("%s has the signature %s; must be %s", id, r.Header.Get("webhook-signature"), want)
	}
	var m struct {
		Type string
		Data struct {
			Campaign string `json:"campaign_id"`
		}
	}
	if err := json.Unmarshal(body, &m); err != nil {
		p.t.Errorf("%s: %v", body, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.random.Float64() < p.refuses {
		p.refused++
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if p.accepted[id] {
		p.twice++
		return
	}
	p.accepted[id] = true
	p.kinds[m.Type]++
	if strings.HasPrefix(m.Type, "envelope.") {
		p.firsts[m.Data.Campaign] = append(p.firsts[m.Data.Campaign], id)
	}
}

// lacks counts what of the journal has not been accepted, and whether what was is in its order.
func (p *payer) lacks(s *server) (missing int, order error) {
	p.t.Helper()
	want := map[string][]string{}
	for entry, err := range s.admin().Journal(context.Background(), 0) {
		if err != nil {
			p.t.Fatal(err)
		}
		if slices.Contains([]string{"won", "opened", "refunded"}, entry.Kind) {
			campaign := fmt.Sprint(entry.Campaign)
			want[campaign] = append(want[campaign], entry.Position)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for campaign, ids := range want {
		got := p.firsts[campaign]
		missing += len(ids) - len(got)
		if !slices.Equal(got, ids[:min(len(got), len(ids))]) {
			order = fmt.Errorf("campaign %s: %d ids, and not in the order of the journal", campaign, len(got))
		}
	}
	return missing, order
}

// However often the server is killed, and whatever the receiver refuses: each win and opening that the journal has arrives
// under its id, in the order of the journal within its campaign.
func TestWebhooksArriveOverKills(t *testing.T) {
	t.Parallel()
	random := newRandom(t)
	key := make([]byte, 32)
	p := newPayer(t, random, key)
	g := game{
		campaigns: []string{
			`{"name": "a", "kind": "rain", "opens_at": "+0s", "lasts": "24h", "chance": 0.5, "wins_max": 30, "budget": {"total_fen": 150003, "count": 1500}}`,
			`{"name": "b", "kind": "rain", "opens_at": "+0s", "lasts": "24h", "chance": 0.5, "wins_max": 30, "budget": {"total_fen": 150003, "count": 1500}}`,
		},
		players: 200, kills: 4,
	}
	hook := fmt.Sprintf(`[{"name": "payer", "url": %q, "secret": "whsec_%s"}]`, p.url, base64.StdEncoding.EncodeToString(key))
	data := filepath.Join(t.TempDir(), "data")
	start := func() *server {
		args := serveArgs("--data", data, "--campaigns", "["+strings.Join(g.campaigns, ",")+"]",
			"--webhooks", hook, "--webhook.private_networks", "127.0.0.0/8")
		return launch(t, exec.Command(shipped, args...)).ready()
	}
	c := newCrowd(uint32(len(g.campaigns)), g.players)
	s := start()
	authorised := "Authorization: Bearer " + s.token()
	if status, answer := s.ask("POST", s.Admin+"/admin/v1/webhooks/payer/replay?from=start", "", authorised); status != http.StatusOK {
		t.Fatal(answer)
	}
	for range g.kills {
		c.rushAndEnd(s, random, s.kill, -1)
		s = start()
		c.settle(s)
	}
	p.mu.Lock()
	p.refuses = 0
	p.mu.Unlock()
	eventually(t, 2*time.Minute, "everything has arrived", func() bool {
		missing, order := p.lacks(s)
		if order != nil {
			t.Fatal(order)
		}
		return missing == 0
	})
	p.mu.Lock()
	t.Logf("%d accepted, %d of them again, %d refused", len(p.accepted), p.twice, p.refused)
	if len(p.accepted) < 100 || p.refused == 0 {
		t.Error("that was no test")
	}
	for _, kind := range []string{"created", "open"} {
		if p.kinds[kind] != len(g.campaigns) {
			t.Errorf("of two campaigns %s was told %d times", kind, p.kinds[kind])
		}
	}
	p.mu.Unlock()
	eventually(t, 10*time.Second, "the webhook is well", func() bool {
		_, answer := s.ask("GET", s.Admin+"/admin/v1/webhooks/payer", "", authorised)
		return strings.Contains(answer, `"state":"ok"`)
	})
	s.stop()
	succeed(t, "audit", "--data", s.Data)
}
