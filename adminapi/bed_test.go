package adminapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
	"hongbao/audit"
	"hongbao/embedded"
	"hongbao/gate"
	"hongbao/live/webhook"
)

const (
	operatorToken = "operator-token-0001"
	viewerToken   = "viewer-token-000001"
	start         = hongbao.Time(1_800_000_000_000) // 2027-01-15T08:00:00Z
)

// bed is the admin port on a real engine in memory, whose time stands still until it is moved.
type bed struct {
	t        *testing.T
	url      string
	server   *Server
	service  *hongbao.Service
	gate     *gate.Gate
	webhooks *webhook.Sender
	engine   *embedded.Engine
	elapsed  *atomic.Int64 // since start, in nanoseconds
	ready    *atomic.Pointer[error]
}

func newBed(t *testing.T) *bed {
	t.Helper()
	b := &bed{t: t, elapsed: new(atomic.Int64), ready: new(atomic.Pointer[error])}
	clock := hongbao.NewClock(func() time.Time { return start.Std().Add(b.sinceStart()) }, b.sinceStart)
	logger := slog.New(slog.DiscardHandler)
	var err error
	b.engine, err = embedded.Open(embedded.Options{
		Dir: "data", FS: vfs.NewMem(), Calendar: hongbao.NewCalendar(time.FixedZone("Asia/Shanghai", 8*3600)), Now: clock.Now,
		Logger: logger, SegmentBytes: 1 << 20,
		Broken: func(err error) { t.Error("the engine broke:", err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.engine.Close() })
	b.service = hongbao.NewService(hongbao.Options{Engine: b.engine, Secret: b.engine.Secret(), Clock: clock, Logger: logger})
	if b.gate, err = gate.New(t.Context(), gate.Options{Service: b.service, Secret: b.engine.Secret(), Logger: logger, Player: gate.Rate{Rate: 20}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.gate.Stop)
	b.webhooks, err = webhook.New(webhook.Options{
		Service: b.service, Secret: b.engine.Secret(), Logger: logger, PrivateNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Endpoints: []webhook.Endpoint{{Name: "declared", URL: "http://example.com/", Keys: [][]byte{make([]byte, 32)}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.server, err = New(Options{
		Service: b.service, Gate: b.gate, Webhooks: b.webhooks, Degraded: b.gate.Degraded, Version: "test", Logger: logger, Ready: b.isReady, Audit: b.audit, Backup: b.engine.Backup,
		Tokens:  []Token{{"ops", Operator, operatorToken}, {"eye", Viewer, viewerToken}},
		Figures: figures,
	})
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(b.server)
	t.Cleanup(listener.Close)
	b.url = listener.URL
	return b
}

// in is the same bed for a subtest.
func (b *bed) in(t *testing.T) *bed {
	same := *b
	same.t = t
	return &same
}

func (b *bed) sinceStart() time.Duration { return time.Duration(b.elapsed.Load()) }

func (b *bed) pass(d time.Duration) { b.elapsed.Add(int64(d)) }

func (b *bed) isReady() error {
	if err := b.ready.Load(); err != nil {
		return *err
	}
	return nil
}

func (b *bed) audit(ctx context.Context, head string) (audit.Report, error) {
	secret := b.engine.Secret()
	return audit.Run(ctx, b.engine, audit.Options{Head: head, Secret: &secret})
}

func figures() []Figure {
	return []Figure{
		{Name: "player_connections", Help: "Open now.", Value: 3},
		{Name: "player_snatch_seconds", Help: "Time of a snatch.", Times: &Times{
			Bounds: []time.Duration{time.Millisecond, time.Second}, Counts: []uint64{5, 3, 1}, Sum: 4 * time.Second,
		}},
	}
}

// answer is what the port said.
type answer struct {
	t      *testing.T
	asked  string
	status int
	header http.Header
	body   []byte
}

// ask sends a request as the operator; headers are "Name: value", and an empty value takes one away.
func (b *bed) ask(method, path, body string, headers ...string) answer {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+operatorToken)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
		if value == "" {
			request.Header.Del(name)
		}
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{b.t, method + " " + path, response.StatusCode, response.Header, text}
}

func (b *bed) get(path string, headers ...string) answer {
	b.t.Helper()
	return b.ask(http.MethodGet, path, "", headers...)
}

func (b *bed) post(path, body string, headers ...string) answer {
	b.t.Helper()
	return b.ask(http.MethodPost, path, body, headers...)
}

// must fails the test unless the status is the one given.
func (a answer) must(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: HTTP %d, want %d: %s", a.asked, a.status, status, a.body)
	}
	return a
}

// into decodes a JSON answer.
func (a answer) into(value any) answer {
	a.t.Helper()
	if err := json.Unmarshal(a.body, value); err != nil {
		a.t.Fatalf("%s: %v: %s", a.asked, err, a.body)
	}
	return a
}

// problem decodes an error and checks what every error has.
func (a answer) problem() Problem {
	a.t.Helper()
	var p Problem
	if kind := a.header.Get("Content-Type"); kind != "application/problem+json" {
		a.t.Fatalf("%s: content type %q of HTTP %d: %s", a.asked, kind, a.status, a.body)
	}
	a.into(&p)
	if p.Status != a.status || p.Title != http.StatusText(a.status) || p.Code == "" || p.Detail == "" || !bytes.Contains(a.body, []byte(`"retryable"`)) {
		a.t.Fatalf("%s: HTTP %d with an incomplete problem: %s", a.asked, a.status, a.body)
	}
	return p
}

// rain creates a rain that is open now, of count envelopes and 100 fen on average.
func (b *bed) rain(name string, count int) campaign {
	b.t.Helper()
	body := fmt.Sprintf(`{"name":%q,"kind":"rain","opens_at":"+0s","lasts":"10m","wins_max":3,"budget":{"total_fen":%d,"count":%d}}`, name, 100*count, count)
	var c campaign
	b.post("/admin/v1/campaigns", body).must(http.StatusCreated).into(&c)
	return c
}

func (b *bed) snatch(campaign uint32, uid uint64, key string) hongbao.SnatchResult {
	b.t.Helper()
	result, err := b.service.Snatch(b.t.Context(), hongbao.SnatchRequest{Campaign: campaign, UID: uid, Key: key})
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

func (b *bed) open(uid uint64, envelope hongbao.EnvelopeID) {
	b.t.Helper()
	if result, err := b.service.Open(b.t.Context(), uid, envelope); err != nil || !result.First {
		b.t.Fatalf("open %d: %+v, %v", envelope, result, err)
	}
}

// tend seals and refunds what is due, and waits until the books have it.
func (b *bed) tend() {
	b.t.Helper()
	if err := errors.Join(b.service.Tend(b.t.Context()), b.service.Sync(b.t.Context())); err != nil {
		b.t.Fatal(err)
	}
}
