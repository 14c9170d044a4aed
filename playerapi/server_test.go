package playerapi

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"hongbao"
)

func TestRoutesAndMethods(t *testing.T) {
	g := newGame(t)
	const none = `{"title":"Not Found","status":404,"code":"not_found","retryable":false,"detail":"there is no such route"}`
	wrong := func(allow string) string {
		return `{"title":"Method Not Allowed","status":405,"code":"method_not_allowed","retryable":false,"detail":"the method must be one of: ` + allow + `"}`
	}
	for _, row := range []struct {
		request string
		status  int
		allow   string
	}{
		{"GET /index.html", 404, ""},
		{"GET /players", 404, ""},
		{"GET /v1", 404, ""},
		{"GET /v1/", 404, ""},
		{"GET /v1/campaigns/1/", 404, ""},
		{"POST /v1/campaigns/1/snatch/", 404, ""},
		{"POST /v1/envelopes/open", 404, ""},
		{"POST /V1/wallet", 404, ""},
		{"POST /snatch/", 404, ""},
		{"DELETE /nothing", 404, ""},
		{"GET /snatch", 405, "POST"},
		{"PUT /open", 405, "POST"},
		{"BREW /get_wallet_list", 405, "POST"},
		{"GET /v1/campaigns/1/snatch", 405, "POST"},
		{"post /v1/campaigns/1/snatch", 405, "POST"},
		{"POST /v1/campaigns/1/signup", 405, "PUT"},
		{"GET /v1/campaigns/1/ticket", 405, "POST"},
		{"HEAD /v1/envelopes/1/open", 405, "POST"},
		{"POST /v1/wallet", 405, "GET, HEAD"},
		{"DELETE /v1/campaigns/1", 405, "GET, HEAD"},
		{"PATCH /v1/campaigns", 405, "GET, HEAD"},
		{"POST /v1/events", 405, "GET, HEAD"},
		{"POST /healthz", 405, "GET, HEAD"},
		{"POST /", 405, "GET, HEAD"},
		{"PUT /player/work.mjs", 405, "GET, HEAD"},
		{"OPTIONS /v1/wallet", 204, "GET, HEAD"},
		{"OPTIONS /snatch", 204, "POST"},
	} {
		t.Run(row.request, func(t *testing.T) {
			got := g.ask(row.request, "", "X-Player-Id: 7")
			want := map[int]string{404: none, 405: wrong(row.allow), 204: ""}[row.status]
			expect(t, got, row.status, want)
			if got.header["Allow"] != row.allow {
				t.Errorf("Allow is %q", got.header["Allow"])
			}
		})
	}
}

func TestHeadHasTheHeadersOfGet(t *testing.T) {
	g := newGame(t)
	address := g.listen()
	response, err := http.Head("http://" + address + "/v1/campaigns")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != 200 || response.ContentLength != int64(len(`{"campaigns":[]}`)) || response.Header.Get("Server") != "" {
		t.Errorf("got %+v", response)
	}
}

func TestHealthz(t *testing.T) {
	g := newGame(t)
	expect(t, g.ask("GET /healthz", ""), 200, "ok\n")
}

// What a player sends wrong is the player's to mend: an error that names the field, and never one of ours.
func TestBadInput(t *testing.T) {
	g := newGame(t)
	g.create(rain("r", 10))
	long := strings.Repeat("k", 65)
	for _, row := range []struct {
		name, request, body string
		headers             []string
		status              int
		detail              string
	}{
		{"a campaign of no number", "POST /v1/campaigns/abc/snatch", "", nil, 404, `there is no campaign \"abc\"`},
		{"campaign 0", "POST /v1/campaigns/0/snatch", "", nil, 404, `there is no campaign \"0\"`},
		{"a campaign with zeros in front", "POST /v1/campaigns/01/snatch", "", nil, 404, `there is no campaign \"01\"`},
		{"a campaign beyond all ids", "POST /v1/campaigns/2097152/snatch", "", nil, 404, `there is no campaign \"2097152\"`},
		{"a made-up campaign", "POST /v1/campaigns/2097151/snatch", "", nil, 404, `there is no campaign \"2097151\"`},
		{"a made-up campaign to read", "GET /v1/campaigns/2", "", nil, 404, `there is no campaign \"2\"`},
		{"a campaign that is not UTF-8", "PUT /v1/campaigns/%ff/signup", "", nil, 404, `there is no campaign \"\\xff\"`},
		{"a very long id", "GET /v1/campaigns/" + strings.Repeat("9", 500), "", nil, 404, `there is no campaign \"` + strings.Repeat("9", 40) + `\"`},
		{"an envelope beyond all ids", "POST /v1/envelopes/9007199254740992/open", "", nil, 404, `there is no envelope \"9007199254740992\", or it is not this player's`},
		{"an empty key", "POST /v1/campaigns/1/snatch", "", []string{"Idempotency-Key: "}, 400, `Idempotency-Key: \"\" is not allowed: must be 1 to 64 printable ASCII characters`},
		{"a key too long", "POST /v1/campaigns/1/snatch", "", []string{"Idempotency-Key: " + long}, 400, `Idempotency-Key: \"` + long + `\" is not allowed: must be 1 to 64 printable ASCII characters`},
		{"a key that is not ASCII", "POST /v1/campaigns/1/snatch", "", []string{"Idempotency-Key: 钥匙"}, 400, `Idempotency-Key: \"钥匙\" is not allowed: must be 1 to 64 printable ASCII characters`},
		{"two keys", "POST /v1/campaigns/1/snatch", "", []string{"Idempotency-Key: a", "Idempotency-Key: a"}, 400, `Idempotency-Key: \"(several)\" is not allowed: must be given once`},
		{"a page of none", "GET /v1/wallet?limit=0", "", nil, 400, `limit: \"0\" is not allowed: must be a whole number from 1 to 200`},
		{"a page too large", "GET /v1/wallet?limit=201", "", nil, 400, `limit: \"201\" is not allowed: must be a whole number from 1 to 200`},
		{"a page of a word", "GET /v1/wallet?limit=all", "", nil, 400, `limit: \"all\" is not allowed: must be a whole number from 1 to 200`},
		{"a page of nothing", "GET /v1/wallet?limit=", "", nil, 400, `limit: \"\" is not allowed: must be a whole number from 1 to 200`},
		{"two limits", "GET /v1/wallet?limit=1&limit=1", "", nil, 400, `limit: \"(several)\" is not allowed: must be given once`},
		{"a made-up cursor", "GET /v1/wallet?cursor=abc", "", nil, 400, `cursor: \"abc\" is not allowed: must be the next of an earlier page`},
		{"two cursors", "GET /v1/wallet?cursor=&cursor=", "", nil, 400, `cursor: \"(several)\" is not allowed: must be given once`},
		{"a body of 8 KiB and a byte", "POST /v1/campaigns/1/snatch", strings.Repeat("x", bodyBytesMax+1), nil, 413, "the body must be at most 8 KiB"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := g.ask(row.request, row.body, append(row.headers, "X-Player-Id: 7")...)
			code := map[int]string{404: `"Not Found","status":404,"code":"not_found"`, 400: `"Bad Request","status":400,"code":"invalid_request"`,
				413: `"Request Entity Too Large","status":413,"code":"too_large"`}[row.status]
			expect(t, got, row.status, `{"title":`+code+`,"retryable":false,"detail":"`+strings.ReplaceAll(row.detail, "'", `'`)+`"}`)
			if got.header["Content-Type"] != "application/problem+json" {
				t.Errorf("Content-Type is %q", got.header["Content-Type"])
			}
		})
	}
}

func TestCampBadInput(t *testing.T) {
	g := newGame(t)
	g.create(rain("r", 10))
	for _, row := range []struct {
		name, request, body string
		status              int
		detail              string
	}{
		{"no uid", "POST /snatch", ``, 400, `uid: "" is not allowed: must be given`},
		{"a negative uid", "POST /snatch", `{"uid":-1}`, 400, `uid: "-1" is not allowed: must be a whole number from 0 to 9007199254740991 in plain digits`},
		{"a uid twice", "POST /get_wallet_list", `uid=1&uid=2`, 400, `uid: "(several)" is not allowed: must be given once`},
		{"no envelope", "POST /open", `{"uid":1}`, 400, `envelope_id: "" is not allowed: must be given`},
		{"half a body", "POST /open", `{"uid":1`, 400, `body: "{\"uid\":1" is not allowed: must be one JSON object such as {"uid":123}`},
		{"a body too large", "POST /open", strings.Repeat(" ", bodyBytesMax+1), 413, "the body must be at most 8 KiB"},
	} {
		t.Run(row.name, func(t *testing.T) {
			msg := map[int]string{400: "invalid request", 413: "too large"}[row.status]
			expectDetail(t, g.ask(row.request, row.body), row.status, `{"code":1,"msg":"`+msg+`"}`, row.detail)
		})
	}
	t.Run("a key too long", func(t *testing.T) {
		got := g.ask("POST /snatch", `{"uid":1}`, "Idempotency-Key: "+strings.Repeat("k", 65))
		if got.status != 400 || got.body != `{"code":1,"msg":"invalid request"}` || !strings.HasPrefix(got.header["Error-Detail"], "Idempotency-Key: ") {
			t.Errorf("got %d %s %s", got.status, got.body, got.header["Error-Detail"])
		}
	})
}

func TestBodyOf8KiBIsRead(t *testing.T) {
	g := newGame(t)
	body := `{"uid":1}` + strings.Repeat(" ", bodyBytesMax-len(`{"uid":1}`))
	expect(t, g.ask("POST /snatch", body), 200, `{"code":5,"msg":"not open"}`)
}

// On the wire, too large is told whether the body comes at once or in chunks, a little too large or far.
func TestTooLargeOnTheWire(t *testing.T) {
	g := newGame(t)
	address := g.listen()
	unsized := func(n int) io.Reader { return io.MultiReader(bytes.NewReader(make([]byte, n))) }
	for _, row := range []struct {
		name, path string
		body       io.Reader
		want       string
	}{
		{"a byte too large", "/v1/campaigns/1/snatch", bytes.NewReader(make([]byte, bodyBytesMax+1)), `"code":"too_large"`},
		{"in chunks", "/v1/campaigns/1/snatch", unsized(bodyBytesMax + 1), `"code":"too_large"`},
		{"a byte too large for the camp API", "/snatch", bytes.NewReader(make([]byte, bodyBytesMax+1)), `{"code":1,"msg":"too large"`},
		{"far too large", "/v1/campaigns/1/snatch", bytes.NewReader(make([]byte, 1<<20)), `"code":"too_large"`},
		{"far too large for the camp API", "/snatch", bytes.NewReader(make([]byte, 1<<20)), `{"code":1,"msg":"too large"`},
		{"far too large, in chunks", "/snatch", unsized(1 << 20), `"code":"too_large"`},
		{"in chunks for the camp API", "/open", unsized(bodyBytesMax + 1), `{"code":1,"msg":"too large"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			status, _, answer := post(t, "http://"+address+row.path, row.body)
			if status != 413 || !strings.Contains(answer, row.want) {
				t.Errorf("got %d %s", status, answer)
			}
		})
	}
}

// exchange sends raw bytes and reads until the server closes the connection.
func exchange(t *testing.T, address, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func TestWhatIsNotARequestIsToldSo(t *testing.T) {
	g := newGame(t, func(s *settings) { s.ReadTimeout = 100 * time.Millisecond })
	address := g.listen()
	for _, row := range []struct{ name, request, status, want string }{
		{"not HTTP", "hello\r\n\r\n", "400", `"code":"invalid_request"`},
		{"two lengths", "POST /snatch HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", "400", `"code":"invalid_request"`},
		{"a header too large", "GET /v1/wallet HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("x", headerBytesMax) + "\r\n\r\n", "431", `"code":"too_large"`},
		{"half a header", "GET /v1/wallet HTTP/1.1\r\nHost: h\r\nX-Player", "408", `"code":"request_timeout","retryable":true`},
		{"half a body", "POST /snatch HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{\"uid\"", "408", `"code":"request_timeout","retryable":true`},
	} {
		t.Run(row.name, func(t *testing.T) {
			answer := exchange(t, address, row.request)
			if !strings.HasPrefix(answer, "HTTP/1.1 "+row.status) || !strings.Contains(answer, row.want) {
				t.Error(answer)
			}
		})
	}
	if g.logs.Len() > 0 {
		t.Errorf("a stranger wrote into the log: %s", g.logs)
	}
}

// A connection that says nothing is closed without a word.
func TestIdleConnectionIsClosed(t *testing.T) {
	g := newGame(t, func(s *settings) { s.IdleTimeout = 100 * time.Millisecond })
	answer := exchange(t, g.listen(), "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
	if strings.Count(answer, "HTTP/1.1") != 1 || !strings.HasSuffix(answer, "ok\n") {
		t.Error(answer)
	}
}

func TestShutdownAnswersWhatIsUnderWay(t *testing.T) {
	gate := &slowDisk{FS: vfs.NewMem(), release: make(chan struct{}), reached: make(chan struct{})}
	g := newGame(t, func(s *settings) { s.files = errorfs.Wrap(gate.FS, errorfs.InjectorFunc(gate.wait)) })
	g.create(rain("r", 10))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served, stopped := make(chan error, 1), make(chan error, 1)
	go func() { served <- g.server.Serve(listener) }()

	gate.slow.Store(true)
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /snatch HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nuid=7")
	<-gate.reached // the win is being written
	go func() { stopped <- g.server.Shutdown(context.Background()) }()
	if err := <-served; err != nil { // new connections are refused from here on
		t.Fatal(err)
	}
	close(gate.release)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || !strings.HasPrefix(string(body), `{"code":0,`) || !response.Close {
		t.Errorf("got %q, %v", body, err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// slowDisk holds back syncs from the moment it is told to.
type slowDisk struct {
	vfs.FS
	slow             atomic.Bool
	reached, release chan struct{}
}

func (d *slowDisk) wait(op errorfs.Op) error {
	if isSync(op) && d.slow.CompareAndSwap(true, false) {
		close(d.reached)
		<-d.release
	}
	return nil
}

func isSync(op errorfs.Op) bool {
	return op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo
}

// A disk that fails leaves the one who waited not knowing, with the key to learn by, and is busy to those who come after.
func TestFailingDisk(t *testing.T) {
	for _, row := range []struct {
		name, request, body string
		status              int
		want                string
		key                 bool
	}{
		{"/v1 tells the key in the body", "POST /v1/campaigns/1/snatch", "", 504,
			`{"title":"Gateway Timeout","status":504,"code":"unknown","retryable":true,"detail":"it may have happened: try again with the same key to learn","key":"KEY"}`, false},
		{"the camp API in the header", "POST /snatch", "uid=7", 200, `{"code":12,"msg":"unknown"}`, true},
		{"a sign-up is unknown as well", "PUT /v1/campaigns/2/signup", "", 504,
			`{"title":"Gateway Timeout","status":504,"code":"unknown","retryable":true,"detail":"it may have happened: try again with the same key to learn"}`, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			var failing atomic.Bool
			fail := errorfs.InjectorFunc(func(op errorfs.Op) error {
				if failing.Load() && isSync(op) {
					return errors.New("the disk is gone")
				}
				return nil
			})
			g := newGame(t, func(s *settings) { s.files = errorfs.Wrap(vfs.NewMem(), fail) })
			g.create(rain("r", 10))
			g.create(bomb("b", 10))
			failing.Store(true)
			got := g.ask(row.request, row.body, "X-Player-Id: 7")
			expect(t, got, row.status, row.want)
			if told := len(got.header["Idempotency-Key"]) == 22; told != row.key {
				t.Errorf("the key in the header is %q", got.header["Idempotency-Key"])
			}
			later := g.ask("POST /v1/campaigns/1/snatch", "", "X-Player-Id: 8")
			expect(t, later, 503, `{"title":"Service Unavailable","status":503,"code":"busy","retryable":true,"detail":"nothing happened: try again"}`)
			if after := later.header["Retry-After"]; after != "1" && after != "2" && after != "3" {
				t.Errorf("Retry-After is %q", after)
			}
			expect(t, g.ask("POST /snatch", "uid=8"), 200, `{"code":9,"msg":"busy"}`)
		})
	}
}

// A bug of ours ends one request, is logged, and is no promise that nothing happened.
func TestPanicIsAnsweredAndLogged(t *testing.T) {
	g := newGame(t)
	g.server.service, g.server.gate = nil, nil // as broken as it gets
	expect(t, g.ask("POST /v1/campaigns/1/snatch", "", "X-Player-Id: 7"), 500, `{"title":"Internal Server Error","status":500,"code":"internal","retryable":false}`)
	expect(t, g.ask("POST /snatch", "uid=7"), 500, `{"code":12,"msg":"internal"}`)
	if n := strings.Count(g.logs.String(), "a request panicked"); n != 2 {
		t.Errorf("%d panics were logged", n)
	}
}

func TestErrorsOfTheDomainHaveTheirProblems(t *testing.T) {
	for _, row := range []struct {
		err  error
		want *problem
	}{
		{hongbao.Invalid("uid", 1, "2"), &invalidRequest},
		{fmt.Errorf("read: %w", hongbao.ErrNotFound), &notFound},
		{hongbao.ErrBusy, &busy},
		{hongbao.ErrBroken, &busy},
		{fmt.Errorf("%w: %w", hongbao.ErrBroken, hongbao.ErrUnknown), &unknown},
		{errors.New("something else"), &internal},
	} {
		if got := refusalOf(row.err).problem; got != row.want {
			t.Errorf("%v is told as %s", row.err, got.code)
		}
	}
}

func TestStatsCountByRouteAndClass(t *testing.T) {
	g := newGame(t)
	g.create(rain("r", 10))
	g.win(7, 1)
	g.ask("POST /v1/campaigns/1/snatch", "")
	g.ask("POST /snatch", "uid=7")
	g.ask("GET /nothing", "")
	g.ask("OPTIONS /snatch", "")
	stats := g.server.Stats()
	got := map[string]RouteAnswers{}
	for _, a := range stats.Answers {
		got[a.Route] = a
	}
	for _, want := range []RouteAnswers{{"snatch", 1, 1, 0}, {"camp_snatch", 1, 0, 0}, {"none", 0, 1, 0}, {"wallet", 0, 0, 0}, {"preflight", 1, 0, 0}} {
		if got[want.Route] != want {
			t.Errorf("got %+v, want %+v", got[want.Route], want)
		}
	}
	var snatches uint64
	for _, n := range stats.Snatch.Counts {
		snatches += n
	}
	if snatches != 3 || stats.Snatch.Sum <= 0 || len(stats.Snatch.Counts) != len(stats.Snatch.Bounds)+1 {
		t.Errorf("latencies: %+v", stats.Snatch)
	}
}
