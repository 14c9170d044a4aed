package playerapi

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"hongbao"
)

// wire is a connection that brings bytes and keeps what is answered.
type wire struct {
	net.Conn // nil: nothing else is asked of it
	in       *bytes.Reader
	out      bytes.Buffer
}

func (w *wire) Read(b []byte) (int, error)       { return w.in.Read(b) }
func (w *wire) Write(b []byte) (int, error)      { return w.out.Write(b) }
func (w *wire) Close() error                     { return nil }
func (w *wire) LocalAddr() net.Addr              { return loopback }
func (w *wire) RemoteAddr() net.Addr             { return loopback }
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// FuzzHandler sends whatever comes as the bytes of a connection: no panic, no 500, nothing in the log.
func FuzzHandler(f *testing.F) {
	const player = "Host: h\r\nX-Player-Id: 7\r\n"
	seed := func(line, headers, body string) {
		f.Add(fmt.Appendf(nil, "%s HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s", line, headers, len(body), body))
	}
	seed("POST /v1/campaigns/1/snatch", player+"Idempotency-Key: k\r\n", "")
	seed("POST /v1/campaigns/2/snatch", player, "")
	seed("PUT /v1/campaigns/2/signup", player, "")
	seed("POST /v1/envelopes/4294967296/open", player, "")
	seed("GET /v1/wallet?limit=3&cursor=AAABmPzYjcAAAAABAAAAAA", player, "")
	seed("HEAD /v1/campaigns/1", "", "")
	seed("GET /v1/campaigns", "Origin: https://play.example.com\r\nAccept: */*\r\n", "")
	seed("OPTIONS /v1/campaigns/1/snatch", "Origin: https://play.example.com\r\nAccess-Control-Request-Method: POST\r\n", "")
	seed("POST /snatch", "Content-Type: application/json\r\n", `{"uid":"7","x":[{"y":null}]}`)
	seed("POST /open", "Content-Type: multipart/form-data; boundary=x\r\n", "uid=7&envelope_id=4294967296")
	seed("POST /get_wallet_list", "Expect: 100-continue\r\n", "uid=7")
	f.Add([]byte("POST /snatch HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nuid=7\r\n0\r\n\r\nGET /healthz HTTP/1.0\r\n\r\n"))

	g := newGame(f, func(s *settings) { s.CORSOrigins = []string{page} })
	unlimited := 0
	spec := rain("r", 1<<30)
	spec.WinsMax = &unlimited
	g.create(spec)
	signup := hongbao.SignupOpen
	spec = bomb("b", 10)
	spec.Signup = &signup
	g.create(spec)
	g.win(7, 1)
	f.Fuzz(func(t *testing.T, request []byte) {
		conn := &wire{in: bytes.NewReader(request)}
		_ = g.server.http.ServeConn(conn) // what is wrong with the bytes is answered, and told to nobody else
		if answer := conn.out.String(); strings.HasPrefix(answer, "HTTP/1.1 5") || strings.Contains(answer, "\nHTTP/1.1 5") {
			t.Errorf("%q was answered with %s", request, answer)
		}
		if g.logs.Len() > 0 {
			t.Errorf("%q was logged: %s", request, g.logs)
		}
	})
}
