package systemtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The clients in examples/, as they are, play a whole rain over a link that loses answers: of every snatch and every opening
// the first try goes wrong, in one way or another. Nothing that was won may be lost to its player, and nothing taken twice.
func TestExamplesLoseNothingOverABadLink(t *testing.T) {
	t.Parallel()
	const winsMax = 12
	// There is no bucket, for this test itself looks into the wallets all the time.
	s := serve(t, "--gate.player.rate=0", "--config", write(t, "hongbao.yaml", `
campaigns: [{name: rain, kind: rain, opens_at: "+30m", lasts: 1h, chance: 0.7, wins_max: 12, budget: {total_fen: 100000, count: 1000}}]
`))
	link := newBadLink(t, s.Player)
	players := map[string]*example{"100": goExample(t), "200": jsExample(t)}
	for uid, e := range players {
		e.start(t, "-url", link.url, "-campaign", "1", "-uid", uid, "-stay")
	}
	defer func() {
		for uid, e := range players {
			if t.Failed() {
				t.Logf("player %s: %s", uid, &e.log)
			}
		}
	}()
	eventually(t, time.Minute, "both listen", func() bool { return link.listened() == len(players) })
	s.administer("PATCH", "/admin/v1/campaigns/1", `{"opens_at":"`+time.Now().Add(2*time.Second).UTC().Format(time.RFC3339)+`"}`)
	for uid := range players {
		eventually(t, time.Minute, "player "+uid+" has opened all", func() bool {
			opened := 0
			for _, e := range s.walletOf(uid).Envelopes {
				if e.Status == "opened" {
					opened++
				}
			}
			return opened == winsMax
		})
	}
	eventually(t, time.Minute, "all streams that were cut are resumed", func() bool { return link.resumptions() >= streamsCut*len(players) })
	for _, paused := range []string{"true", "false"} {
		s.administer("PATCH", "/admin/v1/campaigns/1", `{"paused":`+paused+`}`)
	}
	s.administer("POST", "/admin/v1/campaigns/1/cancel", "")
	for uid, e := range players {
		e.check(t, e.end(t), s.walletOf(uid), winsMax)
	}
	link.check(t)
	s.audit()
}

// example is a program that plays.
type example struct {
	program []string
	flag    string // what its flags begin with
	command *exec.Cmd
	stdout  bytes.Buffer
	log     buffer
}

func goExample(t *testing.T) *example {
	program := filepath.Join(t.TempDir(), "play")
	if output, err := exec.Command("go", "build", "-o", program, "hongbao/examples/go").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return &example{program: []string{program}, flag: "-"}
}

func jsExample(t *testing.T) *example {
	node, err := exec.LookPath("node")
	if err != nil {
		lack(t, "node is not installed: apt-get install nodejs, or make tools")
	}
	return &example{program: []string{node, repository(t, "examples/js/play.mjs")}, flag: "--"}
}

func (e *example) start(t *testing.T, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	for i, arg := range args {
		if name, ok := strings.CutPrefix(arg, "-"); ok {
			args[i] = e.flag + name
		}
	}
	e.command = exec.CommandContext(ctx, e.program[0], append(e.program[1:], args...)...)
	e.command.Stdout, e.command.Stderr = &e.stdout, &e.log
	if err := e.command.Start(); err != nil {
		t.Fatal(err)
	}
}

// told is what an example says in the end.
type told struct {
	Won, Opened []string
	OpenedFen   int64 `json:"opened_fen"`
	BalanceFen  int64 `json:"balance_fen"`
	Events      []uint64
}

func (e *example) end(t *testing.T) (said told) {
	t.Helper()
	if err := e.command.Wait(); err != nil {
		t.Fatalf("%s: %v\n%s", e.program, err, &e.log)
	}
	parse(t, e.stdout.String(), &said)
	return said
}

// check holds what a player was told against the wallet.
func (e *example) check(t *testing.T, said told, has wallet, winsMax int) {
	t.Helper()
	var ids []string
	var sum int64
	for _, envelope := range has.Envelopes {
		ids = append(ids, envelope.ID)
		sum += envelope.AmountFen
	}
	slices.Sort(ids)
	slices.Sort(said.Won)
	slices.Sort(said.Opened)
	if !slices.Equal(said.Won, ids) || !slices.Equal(said.Opened, ids) || len(ids) != winsMax {
		t.Errorf("%s was told of\n%q, opened\n%q, and has\n%q", e.program, said.Won, said.Opened, ids)
	}
	if said.OpenedFen != sum || said.BalanceFen != sum || has.BalanceFen != sum {
		t.Errorf("%s has opened %d fen and was told a balance of %d; the wallet has %d, and says %d", e.program, said.OpenedFen, said.BalanceFen, sum, has.BalanceFen)
	}
	for i, id := range said.Events[:max(len(said.Events), 1)-1] {
		if said.Events[i+1] != id+1 {
			t.Errorf("%s was told the events %d", e.program, said.Events)
		}
	}
	if len(said.Events) < 5 { // revised, open, paused, resumed, cancelled
		t.Errorf("%s was told only the events %d", e.program, said.Events)
	}
}

type wallet struct {
	BalanceFen int64 `json:"balance_fen"`
	Envelopes  []struct {
		ID, Status string
		AmountFen  int64 `json:"amount_fen"`
	}
}

func (s *server) walletOf(uid string) (w wallet) {
	s.t.Helper()
	_, body := s.ask("GET", s.Player+"/v1/wallet?limit=200", "", "X-Player-Id: "+uid)
	parse(s.t, body, &w)
	return w
}

// administer asks the admin port, about the revision that there is.
func (s *server) administer(method, path, body string) {
	s.t.Helper()
	authorization := "Authorization: Bearer " + s.token()
	headers := []string{authorization, "Content-Type: application/json"}
	if method == "PATCH" {
		var c struct{ Revision int }
		_, text := s.ask("GET", s.Admin+path, "", authorization)
		parse(s.t, text, &c)
		headers = append(headers, fmt.Sprintf(`If-Match: "%d"`, c.Revision))
	}
	if status, answer := s.ask(method, s.Admin+path, body, headers...); status != http.StatusOK {
		s.t.Fatalf("%s %s: HTTP %d %s", method, path, status, answer)
	}
}

// badLink is in front of a server. It spoils the first try of every snatch and every opening, and cuts the first streams of
// events of every player after the first event that has an id.
type badLink struct {
	url   string
	proxy *httputil.ReverseProxy

	mu      sync.Mutex
	tried   map[string]bool // by what is asked
	spoilt  map[mishap]int
	streams map[string]int // by player
	resumed int            // streams cut that came again and asked for what they had missed
}

// mishap is a way in which a try goes wrong.
type mishap int

const (
	answerLost    mishap = iota // after the server has decided
	answerCut                   // in the middle
	gatewayFailed               // with a page of a gateway's own, after the server has decided
	nobodyKnows                 // 504 of the server's own kind, after it has decided
	turnedAway                  // before the server has seen it
	mishaps
)

func newBadLink(t *testing.T, to string) *badLink {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	l := &badLink{tried: map[string]bool{}, spoilt: map[mishap]int{}, streams: map[string]int{}}
	l.proxy = &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target) },
		FlushInterval:  -1,
		ErrorLog:       log.New(io.Discard, "", 0), // it would tell of every mishap
		ModifyResponse: l.cutEvents,
		ErrorHandler:   func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := httptest.NewUnstartedServer(l)
	server.Config.ErrorLog = l.proxy.ErrorLog
	server.Start()
	l.url = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return l
}

func (l *badLink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, spoil := l.next(r)
	if !spoil {
		l.proxy.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	if f != turnedAway {
		l.proxy.ServeHTTP(answer, r)
	}
	switch f {
	case answerLost:
		panic(http.ErrAbortHandler)
	case answerCut:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", fmt.Sprint(answer.Body.Len()))
		_, _ = w.Write(answer.Body.Bytes()[:answer.Body.Len()/2])
		panic(http.ErrAbortHandler)
	case gatewayFailed:
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "<html>Bad Gateway</html>")
	case nobodyKnows:
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusGatewayTimeout)
		_, _ = io.WriteString(w, `{"title":"Gateway Timeout","status":504,"code":"unknown","retryable":true}`)
	case turnedAway:
		w.Header().Set("Content-Type", "application/problem+json")
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"title":"Service Unavailable","status":503,"code":"busy","retryable":true}`)
	}
}

// next is the mishap for a request, which are taken in turn, if it is a first try.
func (l *badLink) next(r *http.Request) (f mishap, spoil bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.Header.Get("Last-Event-ID") != "" {
		l.resumed++
	}
	asked := r.URL.Path + " " + r.Header.Get("X-Player-Id") + " " + r.Header.Get("Idempotency-Key")
	if r.Method != http.MethodPost || l.tried[asked] {
		return 0, false
	}
	f = mishap(len(l.tried)) % mishaps
	l.tried[asked] = true
	l.spoilt[f]++
	return f, true
}

func (l *badLink) check(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for f := range mishaps {
		if l.spoilt[f] == 0 {
			t.Errorf("no try met with mishap %d: %v", f, l.spoilt)
		}
	}
}

// listened is how many players have listened to events.
func (l *badLink) listened() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.streams)
}

// resumptions is how many streams began with what had been missed.
func (l *badLink) resumptions() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.resumed
}

// streamsCut is how many streams of a player are cut.
const streamsCut = 2

func (l *badLink) cutEvents(r *http.Response) error {
	if r.Header.Get("Content-Type") != "text/event-stream" {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	uid := r.Request.Header.Get("X-Player-Id")
	if l.streams[uid]++; l.streams[uid] <= streamsCut {
		r.Body = &cutAfterEvent{ReadCloser: r.Body}
	}
	return nil
}

// cutAfterEvent is a stream that breaks after the first event that has an id.
type cutAfterEvent struct {
	io.ReadCloser
	seen []byte
}

var (
	errCut = errors.New("the link is cut")
	event  = regexp.MustCompile(`id: \d+\nevent: .+\ndata: .+\n\n`)
)

func (c *cutAfterEvent) Read(p []byte) (int, error) {
	if event.Match(c.seen) {
		return 0, errCut
	}
	n, err := c.ReadCloser.Read(p)
	c.seen = append(c.seen, p[:n]...)
	return n, err
}
