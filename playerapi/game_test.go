package playerapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/valyala/fasthttp"

	"hongbao"
	"hongbao/embedded"
	"hongbao/gate"
	"hongbao/live"
)

// game is a server on the real engine, in memory, at a time that stands still until it is moved.
type game struct {
	t       testing.TB
	now     atomic.Int64 // Unix milliseconds
	engine  *embedded.Engine
	service *hongbao.Service
	gate    *gate.Gate
	server  *Server
	logs    *strings.Builder // errors and warnings
}

// noon is when every game begins.
var noon = time.Date(2027, 2, 5, 12, 0, 0, 0, time.UTC)

type settings struct {
	Options
	files  vfs.FS
	camp   string
	gate   gate.Options                        // off, if nothing is set
	engine func(hongbao.Engine) hongbao.Engine // what the service is given for the engine
	live   *live.HubOptions                    // nil: there are no events
}

func newGame(t testing.TB, set ...func(*settings)) *game {
	s := settings{files: vfs.NewMem(), engine: func(e hongbao.Engine) hongbao.Engine { return e }}
	for _, f := range set {
		f(&s)
	}
	g := &game{t: t, logs: &strings.Builder{}}
	g.now.Store(noon.UnixMilli())
	calendar := hongbao.NewCalendar(time.UTC)
	logger := slog.New(slog.NewTextHandler(g.logs, &slog.HandlerOptions{Level: slog.LevelWarn}))
	engine, err := embedded.Open(embedded.Options{
		Dir: "data", FS: s.files, Calendar: calendar, SegmentBytes: 1 << 20,
		Now: func() hongbao.Time { return hongbao.Time(g.now.Load()) }, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	clock := hongbao.NewClock(
		func() time.Time { return time.UnixMilli(g.now.Load()) },
		func() time.Duration { return time.Duration(g.now.Load()) * time.Millisecond })
	g.engine = engine
	g.service = hongbao.NewService(hongbao.Options{
		Engine: s.engine(engine), Secret: engine.Secret(), Clock: clock, Logger: logger, CampCampaign: s.camp,
	})
	s.gate.Service, s.gate.Secret, s.gate.Logger = g.service, engine.Secret(), logger
	if g.gate, err = gate.New(context.Background(), s.gate); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.gate.Stop)
	if s.live != nil {
		s.live.Service, s.live.Logger, s.live.Listen = g.service, logger, engine.Listen
		s.Options.Live = g.follow(live.NewHub(*s.live))
	}
	s.Options.Service, s.Options.Gate, s.Options.Logger = g.service, g.gate, logger
	if g.server, err = New(s.Options); err != nil {
		t.Fatal(err)
	}
	return g
}

// rain is a campaign of equal envelopes of 50 fen that is open now, for ten minutes.
func rain(name string, count uint64) hongbao.Spec {
	equal := hongbao.Equal
	return hongbao.Spec{
		Name: name, Kind: hongbao.Rain, OpensAt: hongbao.AtTime(hongbao.TimeOf(noon)), Lasts: hongbao.Duration(10 * time.Minute),
		Budget: hongbao.BudgetSpec{TotalFen: 50 * int64(count), Count: count, Split: &equal},
	}
}

func bomb(name string, count uint64) hongbao.Spec {
	spec := rain(name, count)
	spec.Kind = hongbao.Bomb
	return spec
}

func (g *game) create(spec hongbao.Spec) *hongbao.Campaign {
	g.t.Helper()
	c, err := g.service.Create(context.Background(), spec, "admin")
	if err != nil {
		g.t.Fatal(err)
	}
	return c
}

func (g *game) revise(c *hongbao.Campaign, patch hongbao.Patch) {
	g.t.Helper()
	if _, err := g.service.Revise(context.Background(), c.ID, 0, patch, "admin"); err != nil {
		g.t.Fatal(err)
	}
}

func (g *game) cancel(c *hongbao.Campaign) {
	g.t.Helper()
	if _, err := g.service.Cancel(context.Background(), c.ID, "admin"); err != nil {
		g.t.Fatal(err)
	}
}

// pass lets time go by and does what the clock demands: first it seals and refunds, then it settles what the books have.
func (g *game) pass(d time.Duration) {
	g.t.Helper()
	ctx := context.Background()
	g.now.Add(d.Milliseconds())
	if err := errors.Join(g.service.Tend(ctx), g.service.Sync(ctx), g.service.Tend(ctx)); err != nil {
		g.t.Fatal(err)
	}
}

// reply is an answer as a client sees it.
type reply struct {
	status int
	header map[string]string
	body   string
}

var loopback = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 50000}

// ask sends "POST /path" with "Name: value" headers to the handler, from a peer on this machine.
func (g *game) ask(request, body string, headers ...string) reply {
	return g.askFrom(loopback, request, body, headers...)
}

func (g *game) askFrom(peer net.Addr, request, body string, headers ...string) reply {
	g.t.Helper()
	var r fasthttp.Request
	method, uri, _ := strings.Cut(request, " ")
	r.Header.SetMethod(method)
	r.SetRequestURI(uri)
	r.SetBodyString(body)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	var ctx fasthttp.RequestCtx
	ctx.Init(&r, peer, nil)
	g.server.Handler()(&ctx)
	got := reply{ctx.Response.StatusCode(), map[string]string{}, string(ctx.Response.Body())}
	for name, value := range ctx.Response.Header.All() {
		got.header[string(name)] = string(value)
	}
	return got
}

// masks hide what is random in an answer.
var masks = []struct {
	pattern *regexp.Regexp
	mask    string
}{
	{regexp.MustCompile(`"[0-9a-f]{64}"`), `"HEX"`},
	{regexp.MustCompile(`"[A-Za-z0-9_-]{43}"`), `"RECEIPT"`},
	{regexp.MustCompile(`"key":"[A-Za-z0-9_-]{22}"`), `"key":"KEY"`},
}

func masked(body string) string {
	for _, m := range masks {
		body = m.pattern.ReplaceAllString(body, m.mask)
	}
	return body
}

// expect compares an answer with what the contract says, byte by byte where it is not random.
func expect(t testing.TB, got reply, status int, body string) {
	t.Helper()
	if got.status != status || masked(got.body) != body {
		t.Errorf("got  %d %s\nwant %d %s", got.status, masked(got.body), status, body)
	}
}

// expectDetail also checks the reason that the camp API tells in a header.
func expectDetail(t testing.TB, got reply, status int, body, detail string) {
	t.Helper()
	expect(t, got, status, body)
	if got.header["Error-Detail"] != detail {
		t.Errorf("got  %s\nwant %s", got.header["Error-Detail"], detail)
	}
}

// listen serves on a port of this machine until the test ends.
func (g *game) listen() string {
	g.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		g.t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- g.server.Serve(listener) }()
	g.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := g.server.Shutdown(ctx); err != nil {
			g.t.Error(err)
		}
		if err := <-served; err != nil {
			g.t.Error(err)
		}
	})
	return listener.Addr().String()
}

// post sends a body over a connection of its own.
func post(t *testing.T, url string, body io.Reader) (status int, contentType, answer string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Post(url, "", body)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Content-Type"), string(data)
}
