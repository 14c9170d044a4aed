package playerapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"hongbao"
	"hongbao/gate"
	"hongbao/live"
)

func withEvents(o live.HubOptions) func(*settings) {
	return func(s *settings) { s.live = &o }
}

// follow runs a hub until the test ends.
func (g *game) follow(h *live.Hub) *live.Hub {
	g.t.Helper()
	if err := h.Look(context.Background()); err != nil {
		g.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { h.Run(ctx) })
	g.t.Cleanup(func() {
		stop()
		h.Close()
		all.Wait()
	})
	return h
}

// announce tells what is due, and returns when the hub knows.
func (g *game) announce() {
	g.t.Helper()
	a := live.NewAnnouncer(live.AnnouncerOptions{Service: g.service, Logger: slog.New(slog.DiscardHandler), Call: g.engine.Call})
	if err := errors.Join(a.Look(context.Background()), g.server.live.Look(context.Background())); err != nil {
		g.t.Fatal(err)
	}
}

// stream is a connection that is told of events.
type stream struct {
	t        testing.TB
	response *http.Response
	in       *bufio.Reader
}

// events opens a connection. Headers are "Name: value".
func events(t testing.TB, address, query string, headers ...string) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, "GET", "http://"+address+"/v1/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return &stream{t, response, bufio.NewReader(response.Body)}
}

// frame reads a frame as it is.
func (s *stream) frame() string {
	s.t.Helper()
	var text strings.Builder
	for {
		line, err := s.in.ReadString('\n')
		if err != nil {
			s.t.Fatalf("after %q: %v", text.String(), err)
		}
		if line == "\n" {
			return text.String()
		}
		text.WriteString(line)
	}
}

// until reads frames until one of that event, and returns all.
func (s *stream) until(event string) (frames []string) {
	s.t.Helper()
	for {
		f := s.frame()
		frames = append(frames, f)
		if strings.Contains(f, "event: "+event+"\n") {
			return frames
		}
	}
}

func TestEventsOnTheWire(t *testing.T) {
	g := newGame(t, withEvents(live.HubOptions{Heartbeat: time.Hour}), func(s *settings) { s.CORSOrigins = []string{page} })
	over := g.create(rain("over", 10))
	g.cancel(over)
	g.create(rain("r", 10))
	g.announce()
	address := g.listen()
	s := events(t, address, "", "Origin: "+page)
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no",
		"Access-Control-Allow-Origin": page, "Vary": "Origin", "Transfer-Encoding": "", "Content-Length": "",
	} {
		if got := s.response.Header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if s.response.StatusCode != 200 || !s.response.Close {
		t.Errorf("got %+v", s.response)
	}
	if f := s.frame(); !strings.HasPrefix(f, "retry: ") {
		t.Errorf("first comes %q", f)
	}
	list := g.ask("GET /v1/campaigns/2", "").body
	object, _, _ := strings.Cut(list, `,"revisions":`)
	if f, want := s.frame(), "event: campaign\ndata: "+object+"}\n"; f != want { // and none of the one that is over
		t.Errorf("then comes %q\nwant %q", f, want)
	}
	if f := s.frame(); !strings.HasPrefix(f, "id: ") || strings.Contains(f, "event") {
		t.Errorf("then comes %q", f)
	}
	g.create(rain("s", 10))
	g.announce()
	if f := s.frame(); !strings.Contains(f, "\nevent: created\ndata: {\"campaign_id\":\"3\",\"server_time\":\"2027-02-05T12:00:00Z\",") {
		t.Errorf("then comes %q", f)
	}
}

func TestWhereAClientSaysItStands(t *testing.T) {
	g := newGame(t, withEvents(live.HubOptions{}))
	g.create(rain("a", 10))
	g.create(rain("b", 10))
	g.announce() // created, open, of each
	address := g.listen()
	for _, row := range []struct {
		name, query string
		headers     []string
		want        string
	}{
		{"in the header", "", []string{"Last-Event-ID: 2"}, "id: 3\n"},
		{"in the query", "?last_event_id=3", nil, "id: 4\n"},
		{"in both the header counts, which knows more", "?last_event_id=0", []string{"Last-Event-ID: 2"}, "id: 3\n"},
		{"nowhere", "?last_event_id=", []string{"Last-Event-ID: "}, "id: 4\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := events(t, address, row.query, row.headers...)
			for {
				if f := s.frame(); strings.HasPrefix(f, "id: ") {
					if !strings.HasPrefix(f, row.want) {
						t.Errorf("the first with an id is %q, want %q", f, row.want)
					}
					return
				}
			}
		})
	}
	for _, row := range []struct{ request, header, name, value string }{
		{"GET /v1/events", "Last-Event-ID: x", "Last-Event-ID", "x"},
		{"GET /v1/events", "Last-Event-ID: -1", "Last-Event-ID", "-1"},
		{"GET /v1/events", "Last-Event-ID: 18446744073709551616", "Last-Event-ID", "18446744073709551616"},
		{"GET /v1/events?last_event_id=1.5", "X: y", "last_event_id", "1.5"},
	} {
		got := g.ask(row.request, "", row.header)
		expect(t, got, 400, `{"title":"Bad Request","status":400,"code":"invalid_request","retryable":false,"detail":"`+
			row.name+`: \"`+row.value+`\" is not allowed: must be the id of an event, as it was sent"}`)
	}
}

func TestEventsAreRefusedBeforeTheConnectionIsTaken(t *testing.T) {
	g := newGame(t, withEvents(live.HubOptions{Connections: 1}))
	address := g.listen()
	events(t, address, "").frame()
	s := events(t, address, "")
	body, err := io.ReadAll(s.response.Body)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"title":"Service Unavailable","status":503,"code":"busy","retryable":true,"detail":"nothing happened: try again"}`
	if s.response.StatusCode != 503 || string(body) != want || s.response.Header.Get("Retry-After") == "" {
		t.Errorf("got %d %s %v", s.response.StatusCode, body, s.response.Header)
	}
	expect(t, newGame(t).ask("GET /v1/events", ""), 404,
		`{"title":"Not Found","status":404,"code":"not_found","retryable":false,"detail":"there are no events here"}`)
}

func TestEventsToHead(t *testing.T) {
	g := newGame(t, withEvents(live.HubOptions{}))
	response, err := http.Head("http://" + g.listen() + "/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/event-stream" || g.server.live.Connections() != 0 {
		t.Errorf("got %+v", response)
	}
}

// A connection counts as a request from its address.
func TestEventsGoThroughTheBucketOfTheAddress(t *testing.T) {
	g := newGame(t, withEvents(live.HubOptions{}), func(s *settings) { s.gate = gate.Options{Address: gate.Rate{Rate: 0.01, Burst: 1}} })
	address := g.listen()
	events(t, address, "").frame()
	if s := events(t, address, ""); s.response.StatusCode != 429 {
		t.Errorf("got %+v", s.response)
	}
}

// With those that are told of events, no more connections are taken in than there may be.
func TestConnectionsAreBoundedInAll(t *testing.T) {
	g := newGame(t, withEvents(live.HubOptions{Connections: 3}), func(s *settings) { s.Total = 4 })
	address := g.listen()
	for range 3 {
		events(t, address, "").frame()
	}
	for deadline := time.Now().Add(10 * time.Second); g.server.Stats().Connections > 0; runtime.Gosched() { // it has yet to let go of the last
		if time.Now().After(deadline) {
			t.Fatal("connections that the hub has are still counted as others")
		}
	}
	ask := func() string {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, _ = fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") // whoever is turned away may not get to read it
		line, _ := bufio.NewReader(conn).ReadString('\n')
		return line
	}
	if line := ask(); line != "HTTP/1.1 200 OK\r\n" {
		t.Errorf("the fourth is told %q", line)
	}
	if line := ask(); line != "HTTP/1.1 503 Service Unavailable\r\n" && line != "" {
		t.Errorf("the fifth is told %q", line)
	}
}

// Whatever is sent is what the document says: each frame has the fields of its message, and no others.
func TestEveryFrameIsInTheDocument(t *testing.T) {
	g := newGame(t, withEvents(live.HubOptions{}))
	d := newDocument(t)
	address := g.listen()
	spec := rain("r", 1)
	spec.OpensAt = hongbao.AtTime(hongbao.TimeOf(noon.Add(2 * time.Minute)))
	c := g.create(spec)
	g.announce()
	s := events(t, address, "", "Last-Event-ID: 0")
	seen := map[string]bool{}
	through := func(event string) {
		t.Helper()
		for _, f := range s.until(event) {
			seen[d.check(t, f)] = true
		}
	}
	through(live.Created)
	paused := true
	later := hongbao.TimeOf(noon.Add(20 * time.Minute))
	g.revise(c, hongbao.Patch{Paused: &paused, ClosesAt: &later})
	g.announce()
	through(live.Paused)
	s = events(t, address, "", "Last-Event-ID: 2")
	paused = false
	g.revise(c, hongbao.Patch{Paused: &paused})
	g.pass(time.Minute)
	g.announce()
	through(live.Countdown)
	g.pass(time.Minute)
	g.announce()
	through(live.Open)
	g.ask("POST /v1/campaigns/1/snatch", "", "X-Player-Id: 7")
	through(live.Progress)
	g.announce()
	through(live.SoldOut)

	second := bomb("b", 10)
	second.Ticket, second.FairStart = true, hongbao.Duration(time.Second)
	g.cancel(g.create(second))
	g.announce()
	through(live.Cancelled)
	g.pass(time.Hour)
	g.announce()
	through(live.Closed)
	for event := range d.messages {
		if !seen[event] {
			t.Errorf("%s was not sent", event)
		}
	}
}

// document is the AsyncAPI document, as a test of what is sent.
type document struct {
	messages   map[string]*jsonschema.Schema // of data, by event
	properties map[string][]string
}

func newDocument(t *testing.T) document {
	t.Helper()
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(live.AsyncAPI()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft7)
	compiler.AssertFormat()
	if err := compiler.AddResource("asyncapi.json", parsed); err != nil {
		t.Fatal(err)
	}
	var text struct {
		Components struct {
			Messages map[string]struct {
				Payload struct {
					Ref string `json:"$ref"`
				}
			}
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal(live.AsyncAPI(), &text); err != nil {
		t.Fatal(err)
	}
	d := document{map[string]*jsonschema.Schema{}, map[string][]string{}}
	var channel struct {
		Channels struct {
			Events struct{ Messages map[string]any }
		}
	}
	if err := json.Unmarshal(live.AsyncAPI(), &channel); err != nil {
		t.Fatal(err)
	}
	for event := range channel.Channels.Events.Messages {
		ref := text.Components.Messages[event].Payload.Ref
		if d.messages[event], err = compiler.Compile("asyncapi.json" + ref); err != nil {
			t.Fatal(err)
		}
		for name := range text.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")].Properties {
			d.properties[event] = append(d.properties[event], name)
		}
	}
	return d
}

// check holds a frame against the document and returns its event; empty: it is none.
func (d *document) check(t *testing.T, frame string) (event string) {
	t.Helper()
	var id, data string
	for line := range strings.Lines(frame) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "id":
			id = value
		case "event":
			event = value
		case "data":
			data = value
		}
	}
	if event == "" {
		return ""
	}
	if d.messages[event] == nil {
		t.Errorf("%s is not in the document", event)
		return event
	}
	if has := id != ""; has != (event != live.Campaign && event != live.Progress) {
		t.Errorf("%s has the id %q", event, id)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(data))
	if err == nil {
		err = d.messages[event].Validate(value)
	}
	if err != nil {
		t.Errorf("%s %s: %v", event, data, err)
	}
	for name := range value.(map[string]any) {
		if !slices.Contains(d.properties[event], name) {
			t.Errorf("%s has %s, which is not in the document", event, fmt.Sprint(name))
		}
	}
	return event
}
