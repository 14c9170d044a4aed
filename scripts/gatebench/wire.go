package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
)

// wire is one connection, with what is on it written and read by its owner alone.
type wire struct {
	conn   net.Conn
	reader *bufio.Reader
}

// dial connects. A connection that is closed leaves nothing behind, or the next crowd would find no port free.
func dial(address string) (*wire, error) {
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		return nil, err
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	return &wire{conn, bufio.NewReaderSize(conn, 1<<10)}, nil
}

// dialSmall connects with the smallest buffers that the system has, at this end.
func dialSmall(address string) (*wire, error) {
	const bufferBytes = 2 << 10
	dialer := net.Dialer{Timeout: 10 * time.Second, Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(descriptor uintptr) {
			_ = syscall.SetsockoptInt(int(descriptor), syscall.SOL_SOCKET, syscall.SO_RCVBUF, bufferBytes)
			_ = syscall.SetsockoptInt(int(descriptor), syscall.SOL_SOCKET, syscall.SO_SNDBUF, bufferBytes)
		})
	}}
	conn, err := dialer.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	return &wire{conn: conn}, nil
}

func (w *wire) close() { w.conn.Close() }

// answer is what is of interest in an answer of /v1.
type answer struct {
	HTTP       int           `json:"-"`
	RetryAfter time.Duration `json:"-"`
	Status     word          `json:"status"` // of a business answer
	Code       string        `json:"code"`   // of a problem
	Envelope   uint64        `json:"envelope_id,string"`
	Ticket     string        `json:"ticket"`
	Work       struct {
		Salt string `json:"salt"`
		Bits int    `json:"bits"`
	} `json:"pow"`
}

// word is the status of a business answer. A problem has a number there, which the status line says as well.
type word string

// UnmarshalJSON leaves a number out.
func (w *word) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		*w = word(text)
	}
	return nil
}

// label is what it is counted as.
func (a *answer) label() string {
	switch {
	case a.Code != "":
		return a.Code
	case a.Status != "":
		return string(a.Status)
	}
	return strconv.Itoa(a.HTTP)
}

// ask sends a request and reads its answer.
func (w *wire) ask(request []byte, timeout time.Duration) (a answer, err error) {
	_ = w.conn.SetDeadline(time.Now().Add(timeout))
	if _, err := w.conn.Write(request); err != nil {
		return a, err
	}
	return w.read()
}

func (w *wire) read() (a answer, err error) {
	response := fasthttp.AcquireResponse()
	defer fasthttp.ReleaseResponse(response)
	if err := response.Read(w.reader); err != nil {
		return a, err
	}
	a.HTTP = response.StatusCode()
	if seconds, err := strconv.Atoi(string(response.Header.Peek("Retry-After"))); err == nil {
		a.RetryAfter = time.Duration(seconds) * time.Second
	}
	if err := json.Unmarshal(response.Body(), &a); err != nil {
		a.Code = "unreadable"
	}
	return a, nil
}

// failure is what an exchange without an answer is counted as.
func failure(err error) string {
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		return "timeout"
	}
	return "connection lost"
}

// request is a request of /v1. Headers are "Name: value"; empty ones are left out.
func request(method, path, body string, headers ...string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: bench\r\n", method, path)
	for _, header := range headers {
		if header != "" {
			b.WriteString(header + "\r\n")
		}
	}
	if body != "" || method != "GET" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	return []byte(b.String())
}

func snatchPath(campaign uint32) string { return fmt.Sprintf("/v1/campaigns/%d/snatch", campaign) }

func ticketPath(campaign uint32) string { return fmt.Sprintf("/v1/campaigns/%d/ticket", campaign) }

func playerHeader(uid uint64) string { return "X-Player-Id: " + strconv.FormatUint(uid, 10) }

// addressHeader says where a request came from, as the gateway in front does.
func addressHeader(n int) string {
	return fmt.Sprintf("X-Forwarded-For: 10.%d.%d.%d", n>>16&255, n>>8&255, n&255)
}
