package gate

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"hongbao"
)

var riskAddress = netip.MustParseAddr("203.0.113.9")

// riskBed is a hook over a real server, with a budget that no slow machine exceeds.
type riskBed struct {
	*risk
	served atomic.Int64 // requests that came to the server
	log    *bytes.Buffer
}

// newRiskBed serves the hook with a handler and leaves nothing behind.
func newRiskBed(t testing.TB, o RiskOptions, handle http.HandlerFunc) *riskBed {
	t.Helper()
	b := &riskBed{log: &bytes.Buffer{}}
	if t, ok := t.(*testing.T); ok {
		before := goleak.IgnoreCurrent()
		t.Cleanup(func() { goleak.VerifyNone(t, before) })
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		b.served.Add(1)
		handle(w, q)
	}))
	t.Cleanup(server.Close)
	o.URL = server.URL + "/score?token=secret"
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	var err error
	if b.risk, err = newRisk(o, slog.New(slog.NewTextHandler(b.log, nil))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	return b
}

// ask checks a player from the same address and campaign.
func (b *riskBed) ask(uid uint64) error {
	return b.check(context.Background(), uid, 1, riskAddress, "k")
}

// answer is a hook that always says the same.
func answer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }
}

func TestScoreAboveTheThresholdIsDeniedAndTheThresholdIsNot(t *testing.T) {
	for _, row := range []struct {
		deny  float64
		score string
		want  error
	}{
		{0.9, "0", nil},
		{0.9, "0.9", nil},
		{0.9, "0.90000000000000013", hongbao.ErrDenied},
		{0.9, "1", hongbao.ErrDenied},
		{0.9, "9e-1", nil},
		{0, "0", nil},
		{0, "-0", nil},
		{0, "1e-300", hongbao.ErrDenied},
		{1, "1", nil},
	} {
		t.Run(fmt.Sprintf("%s above %v", row.score, row.deny), func(t *testing.T) {
			b := newRiskBed(t, RiskOptions{DenyAbove: row.deny, FailClosed: true}, answer(`{"reason":{"score":1},"score":`+row.score+`} `))
			for range 2 { // the second time from memory
				if err := b.ask(7); !errors.Is(err, row.want) {
					t.Errorf("the check gives %v; must give %v", err, row.want)
				}
			}
			want := riskState{asked: 1, answered: 1, cached: 1}
			if row.want != nil {
				want.denied = 2
			}
			if got := b.state(); got != want {
				t.Errorf("the state is %+v; must be %+v", got, want)
			}
		})
	}
}

func TestQuestionSaysWhoAsks(t *testing.T) {
	key := bytes.Repeat([]byte{9}, 32)
	for _, row := range []struct {
		uid      uint64
		campaign uint32
		address  netip.Addr
		key      string
		want     string
	}{
		{7, 1, riskAddress, "k", `{"uid":"7","campaign_id":"1","address":"203.0.113.9","key":"k"}`},
		{1<<53 - 1, hongbao.CampaignMax, netip.MustParseAddr("::ffff:203.0.113.9"), `a"\`,
			`{"uid":"9007199254740991","campaign_id":"2097151","address":"203.0.113.9","key":"a\"\\"}`},
		{0, 2, netip.MustParseAddr("fe80::1%eth0"), "", `{"uid":"0","campaign_id":"2","address":"fe80::1","key":""}`},
	} {
		b := newRiskBed(t, RiskOptions{DenyAbove: 0.9, FailClosed: true, Keys: [][]byte{key}}, func(w http.ResponseWriter, q *http.Request) {
			body, _ := io.ReadAll(q.Body)
			if string(body) != row.want {
				t.Errorf("the body is %s; must be %s", body, row.want)
			}
			if q.Method != "POST" || q.URL.RequestURI() != "/score?token=secret" || q.Header.Get("Content-Type") != "application/json" {
				t.Errorf("the request is %s %s with %v", q.Method, q.URL, q.Header)
			}
			if len(q.Header["Idempotency-Key"]) > 0 {
				t.Error("the header that is not for the hook was sent")
			}
			verifySignature(t, q.Header, key, body)
			answer(`{"score":0}`)(w, q)
		})
		if err := b.check(t.Context(), row.uid, row.campaign, row.address, row.key); err != nil {
			t.Error(err)
		}
	}
}

// verifySignature is what the hook does with a request: sign it again and compare.
func verifySignature(t *testing.T, header http.Header, key, body []byte) {
	t.Helper()
	var seconds int64
	fmt.Sscan(header.Get("webhook-timestamp"), &seconds)
	again := http.Header{}
	hongbao.SignWebhook(again, [][]byte{key}, header.Get("webhook-id"), time.Unix(seconds, 0), body)
	if got := header.Get("webhook-signature"); got != again.Get("webhook-signature") {
		t.Errorf("the signature is %q", got)
	}
	if time.Since(time.Unix(seconds, 0)).Abs() > time.Minute || len(header.Get("webhook-id")) < 20 {
		t.Errorf("the time is %d, the id %q", seconds, header.Get("webhook-id"))
	}
}

func TestWithoutKeysNothingIsSigned(t *testing.T) {
	b := newRiskBed(t, RiskOptions{FailClosed: true}, func(w http.ResponseWriter, q *http.Request) {
		for name := range q.Header {
			if strings.HasPrefix(name, "Webhook") {
				t.Errorf("%s was sent", name)
			}
		}
		answer(`{"score":0}`)(w, q)
	})
	if err := b.ask(7); err != nil {
		t.Error(err)
	}
}

// status answers with a good body and another status; where it points to, all is well.
func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/elsewhere" {
			code = 200
		}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(code)
		io.WriteString(w, `{"score":0}`)
	}
}

// lies are hooks whose answer is no score.
func lies() map[string]http.HandlerFunc {
	bodies := map[string]string{
		"nothing":          ``,
		"a text":           `{"score":"0.5"}`,
		"two":              `{"score":2}`,
		"just above one":   `{"score":1.0000000000000002}`,
		"below zero":       `{"score":-0.1}`,
		"beyond floats":    `{"score":1e999}`,
		"not a number":     `{"score":NaN}`,
		"null":             `{"score":null}`,
		"true":             `{"score":true}`,
		"a list":           `{"score":[0]}`,
		"no score":         `{"risk":0}`,
		"another case":     `{"Score":0}`,
		"a score inside":   `{"a":{"score":0}}`,
		"two scores":       `{"score":0,"score":1}`,
		"an escaped twin":  `{"score":0,"\u0073core":0}`,
		"a bare number":    `0`,
		"a list of scores": `[{"score":0}]`,
		"half an answer":   `{"score":0`,
		"two answers":      `{"score":0}{"score":0}`,
		"a page":           `<!doctype html><title>Sign in</title>`,
		"4097 bytes":       `{"score":0}` + strings.Repeat(" ", riskAnswerMax-10),
	}
	lies := map[string]http.HandlerFunc{
		"500": status(500), "302": status(302), "307": status(307), "404": status(404), "204": status(204), "201": status(201),
		"large headers": func(w http.ResponseWriter, q *http.Request) {
			w.Header().Set("X-Large", strings.Repeat("x", riskHeaderMax))
			answer(`{"score":0}`)(w, q)
		},
		"a cut connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"a body shorter than it says": func(w http.ResponseWriter, q *http.Request) {
			w.Header().Set("Content-Length", "400")
			answer(`{"score":0}`)(w, q)
		},
		"an endless answer": func(w http.ResponseWriter, q *http.Request) {
			for q.Context().Err() == nil {
				if _, err := io.WriteString(w, `{"a":0,                                         `); err != nil {
					return
				}
			}
		},
	}
	for name, body := range bodies {
		lies[name] = answer(body)
	}
	return lies
}

func TestWhatIsNoScoreAdmitsOrRefusesAsConfiguredAndIsNotRemembered(t *testing.T) {
	for name, handle := range lies() {
		for _, closed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, closed %v", name, closed), func(t *testing.T) {
				b := newRiskBed(t, RiskOptions{DenyAbove: 0.5, FailClosed: closed}, handle)
				var want error
				if closed {
					want = hongbao.ErrBusy
				}
				for range 2 {
					if err := b.ask(7); !errors.Is(err, want) {
						t.Errorf("the check gives %v; must give %v", err, want)
					}
				}
				if got := b.served.Load(); got != 2 {
					t.Errorf("%d requests came", got)
				}
				if got, want := b.state(), (riskState{asked: 2, failed: 2, unscored: 2}); got != want {
					t.Errorf("the state is %+v; must be %+v", got, want)
				}
			})
		}
	}
}

func TestLargestAnswerIsRead(t *testing.T) {
	b := newRiskBed(t, RiskOptions{FailClosed: true}, answer(`{"score":0}`+strings.Repeat(" ", riskAnswerMax-11)))
	if err := b.ask(7); err != nil {
		t.Error(err)
	}
}

// The hook blocks until the check has returned: that it returns at all is its own doing.
func TestBudgetEndsTheCheckWhateverTheHookDoes(t *testing.T) {
	for name, begin := range map[string]func(http.ResponseWriter){
		"says nothing":      func(http.ResponseWriter) {},
		"sends headers":     func(w http.ResponseWriter) { w.WriteHeader(200); w.(http.Flusher).Flush() },
		"sends half a body": func(w http.ResponseWriter) { io.WriteString(w, `{"score":`); w.(http.Flusher).Flush() },
		"sends all but the end": func(w http.ResponseWriter) {
			io.WriteString(w, `{"score":0}`)
			w.(http.Flusher).Flush()
		},
		"fails without an end": func(w http.ResponseWriter) { w.WriteHeader(500); w.(http.Flusher).Flush() },
	} {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			b := newRiskBed(t, RiskOptions{Timeout: 20 * time.Millisecond, FailClosed: true}, func(w http.ResponseWriter, q *http.Request) {
				io.Copy(io.Discard, q.Body)
				begin(w)
				<-release
			})
			defer close(release)
			if err := b.ask(7); !errors.Is(err, hongbao.ErrBusy) {
				t.Errorf("the check gives %v", err)
			}
			b.rest() // the request ends too, not only the wait for it
			if got := b.state(); got.failed != 1 {
				t.Errorf("the state is %+v", got)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	for _, closed := range []bool{false, true} {
		r, err := newRisk(RiskOptions{URL: "http://" + listener.Addr().String(), FailClosed: closed}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.check(t.Context(), 7, 1, riskAddress, "k"); (err != nil) != closed {
			t.Errorf("the check gives %v", err)
		}
		r.close()
	}
}

func TestConcurrentChecksOfOneCallerAreOneRequest(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	b := newRiskBed(t, RiskOptions{DenyAbove: 0.5, FailClosed: true}, func(w http.ResponseWriter, q *http.Request) {
		close(arrived) // a second request panics
		<-release
		answer(`{"score":0.6}`)(w, q)
	})
	leaving, leave := context.WithCancel(t.Context())
	first := make(chan error)
	go func() { first <- b.check(leaving, 7, 1, riskAddress, "k") }()
	<-arrived
	leave() // the one whose request it is leaves; the others don't notice
	if err := <-first; !errors.Is(err, hongbao.ErrBusy) || !errors.Is(err, context.Canceled) {
		t.Errorf("whoever left is told %v", err)
	}
	var checks sync.WaitGroup
	for i := range 100 {
		checks.Go(func() {
			if i == 50 {
				close(release)
			}
			if err := b.check(t.Context(), 7, 1, riskAddress, fmt.Sprint(i)); !errors.Is(err, hongbao.ErrDenied) {
				t.Errorf("check %d gives %v", i, err)
			}
		})
	}
	checks.Wait()
	if got := b.state(); got.asked != 1 || got.denied != 100 {
		t.Errorf("the state is %+v", got)
	}
}

// A hook that restarts closes the kept connections while requests are on their way.
func TestQuestionOnAKeptConnectionThatIsClosedIsPutAgain(t *testing.T) {
	var b *riskBed
	b = newRiskBed(t, RiskOptions{FailClosed: true}, func(w http.ResponseWriter, q *http.Request) {
		if b.served.Load() == 2 {
			panic(http.ErrAbortHandler)
		}
		answer(`{"score":0}`)(w, q)
	})
	for uid := range uint64(2) {
		if err := b.ask(uid); err != nil {
			t.Errorf("uid %d is told %v", uid, err)
		}
	}
	if got := b.state(); got.asked != 2 || got.failed != 0 || b.served.Load() != 3 {
		t.Errorf("the state is %+v; %d requests came", got, b.served.Load())
	}
}

func TestConnectionsAreKeptAndBounded(t *testing.T) {
	var opened, open, most atomic.Int64
	var connections sync.WaitGroup
	b := &riskBed{}
	server := httptest.NewUnstartedServer(answer(`{"score":0}`))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			opened.Add(1)
			connections.Add(1)
			if n := open.Add(1); n > most.Load() {
				most.Store(n)
			}
		case http.StateClosed:
			open.Add(-1)
			connections.Done()
		}
	}
	server.Start()
	defer server.Close()
	b.risk, _ = newRisk(RiskOptions{URL: server.URL, Timeout: 5 * time.Second, FailClosed: true}, slog.New(slog.DiscardHandler))
	for uid := range uint64(20) {
		if err := b.ask(uid); err != nil {
			t.Fatal(err)
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections for 20 requests in sequence", n)
	}
	var checks sync.WaitGroup
	for uid := range uint64(riskInFlight) {
		checks.Go(func() { b.ask(100 + uid) })
	}
	checks.Wait()
	if n := most.Load(); n > riskConnections {
		t.Errorf("%d connections at once", n)
	}
	b.close()
	connections.Wait() // closing ends every one
}

// In a bubble the clock is exact: the hook is served over pipes, and what takes its budget takes not a nanosecond more.
func inBubble(t *testing.T, o RiskOptions, handle http.HandlerFunc, play func(*riskBed)) {
	synctest.Test(t, func(t *testing.T) {
		b := &riskBed{log: &bytes.Buffer{}}
		o.URL = "http://hook"
		b.risk, _ = newRisk(o, slog.New(slog.NewTextHandler(b.log, nil)))
		line := pipeListener{make(chan net.Conn), make(chan struct{})}
		server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			b.served.Add(1)
			handle(w, q)
		})}
		go server.Serve(line)
		b.hook.client.Transport.(*http.Transport).DialContext = line.dial
		play(b)
		b.close()
		server.Close()
	})
}

// pipeListener hands the server one end of each pipe.
type pipeListener struct {
	pipes  chan net.Conn
	closed chan struct{}
}

func (l pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.pipes <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l pipeListener) Accept() (net.Conn, error) {
	select {
	case pipe := <-l.pipes:
		return pipe, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l pipeListener) Close() error   { close(l.closed); return nil }
func (l pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// silent says nothing until the other side has gone.
func silent(_ http.ResponseWriter, q *http.Request) {
	io.Copy(io.Discard, q.Body)
	<-q.Context().Done()
}

func TestSilentHookCostsTheBudgetForTenRequestsAndThenNothing(t *testing.T) {
	inBubble(t, RiskOptions{}, silent, func(b *riskBed) {
		start := time.Now()
		for uid := range uint64(1000) {
			if err := b.ask(uid); err != nil {
				t.Errorf("uid %d is told %v", uid, err)
			}
			b.rest() // the check may return before its request is counted
		}
		if took := time.Since(start); took != riskFailures*50*time.Millisecond {
			t.Errorf("1000 checks took %v", took)
		}
		if got, want := b.state(), (riskState{asked: riskFailures, failed: riskFailures, unscored: 1000, open: true}); got != want {
			t.Errorf("the state is %+v; must be %+v", got, want)
		}
	})
}

func TestWhatIsTooMuchForTheHookIsDecidedAtOnce(t *testing.T) {
	var release chan struct{}
	handle := func(w http.ResponseWriter, q *http.Request) {
		<-release
		answer(`{"score":0}`)(w, q)
	}
	inBubble(t, RiskOptions{FailClosed: true, DenyAbove: 1}, handle, func(b *riskBed) {
		release = make(chan struct{})
		start := time.Now()
		var checks sync.WaitGroup
		for uid := range uint64(riskInFlight) {
			checks.Go(func() {
				if err := b.ask(uid); err != nil {
					t.Errorf("uid %d is told %v", uid, err)
				}
			})
		}
		synctest.Wait() // all are under way
		if n := b.served.Load(); n != riskConnections {
			t.Errorf("%d requests came at once", n)
		}
		if err := b.ask(riskInFlight); !errors.Is(err, hongbao.ErrBusy) || time.Since(start) > 0 {
			t.Errorf("one too many is told %v after %v", err, time.Since(start))
		}
		close(release)
		checks.Wait()
		if got, want := b.state(), (riskState{asked: riskInFlight, answered: riskInFlight, unscored: 1}); got != want {
			t.Errorf("the state is %+v; must be %+v", got, want)
		}
		if err := b.ask(riskInFlight); err != nil {
			t.Errorf("afterwards it is told %v", err)
		}
	})
}

// A check that joins another's request late has less time left, not more.
func TestNobodyWaitsLongerThanTheBudget(t *testing.T) {
	inBubble(t, RiskOptions{FailClosed: true}, silent, func(b *riskBed) {
		start := time.Now()
		var checks sync.WaitGroup
		for i := range 50 {
			checks.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				if err := b.ask(7); !errors.Is(err, hongbao.ErrBusy) {
					t.Errorf("check %d is told %v", i, err)
				}
				if took := time.Since(start); took != 50*time.Millisecond {
					t.Errorf("check %d ends after %v", i, took)
				}
			})
		}
		checks.Wait()
		if n := b.served.Load(); n != 1 {
			t.Errorf("%d requests came", n)
		}
	})
}

func TestClosingWaitsForTheRequestsUnderWay(t *testing.T) {
	inBubble(t, RiskOptions{}, silent, func(b *riskBed) {
		gone, leave := context.WithCancel(context.Background())
		leave()
		if err := b.check(gone, 7, 1, riskAddress, "k"); !errors.Is(err, hongbao.ErrBusy) {
			t.Errorf("whoever left is told %v", err)
		}
		start := time.Now()
		b.close()
		if got := b.state(); got.failed != 1 || got.unscored != 0 || time.Since(start) != 50*time.Millisecond {
			t.Errorf("closing took %v; the state is %+v", time.Since(start), got)
		}
	})
}

// An outage of an hour: a request a second tries, three good ones end it, and the log has two lines.
func TestHookComesBackAfterAnOutage(t *testing.T) {
	var dead atomic.Bool
	handle := func(w http.ResponseWriter, q *http.Request) {
		if dead.Load() {
			silent(w, q)
			return
		}
		answer(`{"score":1}`)(w, q)
	}
	inBubble(t, RiskOptions{DenyAbove: 0.9}, handle, func(b *riskBed) {
		uid := uint64(0)
		next := func() error { uid++; return b.ask(uid) }
		if err := next(); !errors.Is(err, hongbao.ErrDenied) {
			t.Fatalf("before the outage: %v", err)
		}
		dead.Store(true)
		for start := time.Now(); time.Since(start) < time.Hour; time.Sleep(100 * time.Millisecond) {
			if err := next(); err != nil {
				t.Fatalf("in the outage: %v", err)
			}
		}
		if n := b.state().failed; n < 2800 || n > 3700 {
			t.Errorf("%d requests failed in an hour", n)
		}
		dead.Store(false)
		time.Sleep(riskRest)
		for range riskTries {
			if !b.state().open {
				t.Error("the breaker is closed too early")
			}
			if err := next(); !errors.Is(err, hongbao.ErrDenied) {
				t.Errorf("a try gives %v", err)
			}
		}
		if b.state().open {
			t.Error("the breaker is open after the tries")
		}
		lines := strings.Split(strings.TrimSpace(b.log.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "level=WARN") || !strings.Contains(lines[1], "answers again") {
			t.Errorf("the log says %q", lines)
		}
	})
}

func TestScoreIsAskedAnewAfterAMinute(t *testing.T) {
	inBubble(t, RiskOptions{FailClosed: true}, answer(`{"score":0}`), func(b *riskBed) {
		for _, row := range []struct {
			after time.Duration
			want  int64
		}{{0, 1}, {time.Minute - 1, 1}, {1, 2}, {time.Minute - 1, 2}} {
			time.Sleep(row.after)
			if err := b.ask(7); err != nil || b.served.Load() != row.want {
				t.Errorf("%d requests came, %v; must be %d", b.served.Load(), err, row.want)
			}
		}
	})
}

func TestLogNeverShowsTheAddressOfTheHook(t *testing.T) {
	b := newRiskBed(t, RiskOptions{}, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	for uid := range uint64(riskRecent) {
		b.ask(uid)
	}
	if text := b.log.String(); strings.Count(text, "\n") != 1 || strings.Contains(text, "secret") || !strings.Contains(text, "EOF") {
		t.Errorf("the log says %q", text)
	}
}

func TestHookOverTLSMustBeTrusted(t *testing.T) {
	server := httptest.NewUnstartedServer(answer(`{"score":1}`))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	defer server.Close()
	b := &riskBed{}
	b.risk, _ = newRisk(RiskOptions{URL: server.URL, Timeout: 5 * time.Second, DenyAbove: 0.5, FailClosed: true}, slog.New(slog.DiscardHandler))
	defer b.close()
	if err := b.ask(7); !errors.Is(err, hongbao.ErrBusy) {
		t.Errorf("a certificate of nobody: %v", err)
	}
	b.hook.client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	if err := b.ask(7); !errors.Is(err, hongbao.ErrDenied) {
		t.Errorf("a certificate that is trusted: %v", err)
	}
}

func TestOptionsOutsideTheirBoundsAreRefused(t *testing.T) {
	key := bytes.Repeat([]byte{1}, 24)
	good := RiskOptions{URL: "https://risk.example/score"}
	for _, row := range []struct {
		field string
		with  func(*RiskOptions)
	}{
		{"", func(*RiskOptions) {}},
		{"", func(o *RiskOptions) { o.Timeout, o.DenyAbove = time.Millisecond, 1 }},
		{"", func(o *RiskOptions) { o.Timeout, o.Keys = 5*time.Second, [][]byte{key, key} }},
		{"", func(o *RiskOptions) { o.URL = "http://[::1]:9000" }},
		{"gate.risk.url", func(o *RiskOptions) { o.URL = "risk.example" }},
		{"gate.risk.url", func(o *RiskOptions) { o.URL = "ftp://risk.example" }},
		{"gate.risk.url", func(o *RiskOptions) { o.URL = "http://:80/" }},
		{"gate.risk.url", func(o *RiskOptions) { o.URL = "http://a b" }},
		{"gate.risk.url", func(o *RiskOptions) { o.URL = "https://u:hidden@risk.example" }},
		{"gate.risk.timeout", func(o *RiskOptions) { o.Timeout = time.Millisecond - 1 }},
		{"gate.risk.timeout", func(o *RiskOptions) { o.Timeout = -1 }},
		{"gate.risk.timeout", func(o *RiskOptions) { o.Timeout = 5*time.Second + 1 }},
		{"gate.risk.deny_above", func(o *RiskOptions) { o.DenyAbove = 1.01 }},
		{"gate.risk.deny_above", func(o *RiskOptions) { o.DenyAbove = -0.01 }},
		{"gate.risk.deny_above", func(o *RiskOptions) { o.DenyAbove = math.NaN() }},
		{"gate.risk.keys", func(o *RiskOptions) { o.Keys = [][]byte{key, []byte("hidden")} }},
	} {
		o := good
		row.with(&o)
		r, err := newRisk(o, slog.New(slog.DiscardHandler))
		if row.field == "" {
			if err != nil || r == nil {
				t.Errorf("%+v: %v", o, err)
			}
			continue
		}
		field, ok := errors.AsType[*hongbao.FieldError](err)
		if !ok || field.Field != row.field || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestWithoutAnAddressNobodyIsAsked(t *testing.T) {
	r, err := newRisk(RiskOptions{FailClosed: true}, nil)
	if r != nil || err != nil {
		t.Fatal(r, err)
	}
	if err := r.check(t.Context(), 7, 1, riskAddress, "k"); err != nil || r.state() != (riskState{}) {
		t.Error(err, r.state())
	}
	r.close()
}

func TestRememberedScoreAllocatesNothing(t *testing.T) {
	b := newRiskBed(t, RiskOptions{DenyAbove: 0.9, FailClosed: true}, answer(`{"score":0.5}`))
	if n := testing.AllocsPerRun(1000, func() { b.ask(7) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzReadScore(f *testing.F) {
	for _, text := range []string{`{"score":0.5}`, `{"a":[{}],"score":1}`, `{"score":0,"score":0}`, `{"score":1e999}`, `{`, `{"score"`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		score, err := readScore(body)
		if err != nil {
			return
		}
		var fields map[string]json.RawMessage
		var want float64
		if json.Unmarshal(body, &fields) != nil || json.Unmarshal(fields["score"], &want) != nil || want != score || !(score >= 0 && score <= 1) {
			t.Errorf("%q is read as %v", body, score)
		}
	})
}

func BenchmarkRiskRemembered(b *testing.B) {
	bed := newRiskBed(b, RiskOptions{DenyAbove: 0.9, FailClosed: true}, answer(`{"score":0.5}`))
	bed.ask(7)
	b.ReportAllocs()
	for b.Loop() {
		if bed.ask(7) != nil {
			b.Fatal("refused")
		}
	}
}

// A hundred thousand players, whom the caches of the processor don't hold.
func BenchmarkRiskRememberedOfMany(b *testing.B) {
	bed := newRiskBed(b, RiskOptions{DenyAbove: 0.9, FailClosed: true}, answer(`{"score":0.5}`))
	for uid := range uint64(100_000) {
		bed.verdicts.remember(newRiskCaller(uid, 1, riskAddress), 0.5, bed.now())
	}
	b.ReportAllocs()
	uid := uint64(0)
	for b.Loop() {
		uid = (uid + 7919) % 100_000
		if bed.ask(uid) != nil {
			b.Fatal("refused")
		}
	}
}

func BenchmarkRiskAsked(b *testing.B) {
	bed := newRiskBed(b, RiskOptions{DenyAbove: 0.9, FailClosed: true}, answer(`{"score":0.5}`))
	b.ReportAllocs()
	uid := uint64(0)
	for b.Loop() {
		uid++
		if err := bed.ask(uid); err != nil {
			b.Fatal(err)
		}
	}
}

// What a request costs while the hook is known to be dead.
func BenchmarkRiskOpenBreaker(b *testing.B) {
	bed := newRiskBed(b, RiskOptions{DenyAbove: 0.9}, answer(``))
	for uid := range uint64(riskFailures) {
		bed.ask(uid)
	}
	b.ReportAllocs()
	uid := uint64(riskFailures)
	for b.Loop() {
		uid++
		bed.ask(uid)
	}
}

// rest waits until no request to the hook is under way.
func (b *riskBed) rest() {
	for range riskInFlight {
		b.slots <- struct{}{}
	}
	for range riskInFlight {
		<-b.slots
	}
}

// A server that stops closes its gate when requests may still come, where they outlast the time they get.
func TestAClosedHookIsAskedNoMore(t *testing.T) {
	b := newRiskBed(t, RiskOptions{DenyAbove: 0.5, FailClosed: true}, func(http.ResponseWriter, *http.Request) {})
	var checks sync.WaitGroup
	for uid := range uint64(100) {
		checks.Go(func() { b.ask(uid) })
	}
	b.close()
	checks.Wait()
	served := b.served.Load()
	if err := b.ask(1000); !errors.Is(err, hongbao.ErrBusy) || b.served.Load() != served {
		t.Errorf("%v; %d requests came after the end", err, b.served.Load()-served)
	}
}
