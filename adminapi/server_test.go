package adminapi

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hongbao/audit"
)

// serve answers on a port of its own until the test ends.
func (b *bed) serve() (address string, stop func() error) {
	b.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- b.server.Serve(ctx, listener) }()
	stop = func() error {
		cancel()
		return <-served
	}
	return listener.Addr().String(), stop
}

func TestServeLetsRequestsEnd(t *testing.T) {
	b := newBed(t)
	begun, end := make(chan struct{}), make(chan struct{})
	b.server.backup = func(context.Context, string) error {
		close(begun)
		<-end
		return nil
	}
	address, stop := b.serve()
	b.url = "http://" + address
	answered := make(chan answer)
	go func() { answered <- b.post("/admin/v1/backup", `{"to":"/x"}`) }()
	<-begun
	stopped := make(chan error)
	go func() { stopped <- stop() }()
	close(end)
	(<-answered).must(http.StatusOK)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if connection, err := net.Dial("tcp", address); err == nil {
		connection.Close()
		t.Error("it still listens")
	}
}

func TestServeIsOverWhenItsHandlersAre(t *testing.T) {
	b := newBed(t)
	b.server.drainMax = time.Millisecond
	begun, ended := make(chan struct{}), false
	b.server.audit = func(ctx context.Context, _ string) (audit.Report, error) {
		close(begun)
		<-ctx.Done()
		time.Sleep(50 * time.Millisecond) // it takes its time to notice
		ended = true
		return audit.Report{}, ctx.Err()
	}
	address, stop := b.serve()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(connection, "POST /admin/v1/audit HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 0\r\n\r\n", operatorToken)
	defer connection.Close()
	<-begun
	if err := stop(); err != nil || !ended {
		t.Errorf("%v; the handler has ended: %t", err, ended)
	}
}

func TestHalfARequestIsNobodysFault(t *testing.T) {
	b := newBed(t)
	address, stop := b.serve()
	for _, row := range []struct{ name, request, status string }{
		{"a body that ends early", "POST /admin/v1/campaigns HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + operatorToken + "\r\nContent-Length: 10\r\n\r\n{}", "400"},
		{"a chunk that is none", "POST /admin/v1/campaigns HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + operatorToken + "\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400"},
		{"a body from a stranger", "POST /admin/v1/campaigns HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{}", "401"},
		{"a header too large", "GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 2*headerMax) + "\r\n\r\n", "431"},
		{"no HTTP", "hello\r\n\r\n", "400"},
	} {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(connection, row.request)
		connection.(*net.TCPConn).CloseWrite()
		line, err := bufio.NewReader(connection).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "HTTP/1.1 "+row.status) {
			t.Errorf("%s: %q, %v", row.name, line, err)
		}
		connection.Close()
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if len(b.service.Campaigns()) != 0 {
		t.Error("something was done by halves")
	}
}

func TestServeTellsWhyItCantListen(t *testing.T) {
	b := newBed(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	if err := b.server.Serve(t.Context(), listener); err == nil {
		t.Error("it serves on a listener that is closed")
	}
}

// All but the page and its files, which anybody may have.
func TestEveryAnswerForbidsCachingAndSniffing(t *testing.T) {
	b := newBed(t)
	for _, path := range []string{"/healthz", "/admin/v1/campaigns", "/nothing", "/admin/v1/campaigns/9"} {
		a := b.get(path)
		if a.header.Get("Cache-Control") != "no-store" || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, a.header)
		}
	}
}

func TestHeadAnswersWithoutABody(t *testing.T) {
	b := newBed(t)
	b.rain("r", 10)
	a := b.ask(http.MethodHead, "/admin/v1/campaigns/1", "").must(http.StatusOK)
	if len(a.body) > 0 || a.header.Get("ETag") != `"1"` {
		t.Errorf("%q %v", a.body, a.header)
	}
}

func TestProbesAreAllThatAWorkerAnswers(t *testing.T) {
	b := newBed(t)
	probes, err := NewProbes(Options{Service: b.service, Version: "test", Logger: slog.New(slog.DiscardHandler), Ready: b.isReady, Figures: figures})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"/healthz": 200, "/readyz": 200, "/metrics": 200, "/admin/v1/stats": 404, "/admin/v1/campaigns": 404, "/openapi.json": 404, "/debug/pprof/": 404,
	} {
		request := httptest.NewRequest("GET", path, nil)
		request.RemoteAddr = "127.0.0.1:5"
		answer := httptest.NewRecorder()
		probes.ServeHTTP(answer, request)
		if answer.Code != want {
			t.Errorf("%s: %d, want %d: %s", path, answer.Code, want, answer.Body)
		}
	}
}
