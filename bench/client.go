package bench

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"hongbao"
)

// The dialects of the player API.
const (
	V1   = "v1"
	Camp = "camp"
)

// ClientOptions are what a [Client] is made of.
type ClientOptions struct {
	URL         string        // of the player port, such as http://127.0.0.1:8080
	API         string        // V1 (default) or Camp
	Connections int           // most at once (default 64); who finds none free waits
	Timeout     time.Duration // for connecting, and for each answer (default 10s)
}

// Client speaks the player API as a gateway in front of the server would: it says which player asks. It never retries
// by itself. Its methods may be called at once from any number of goroutines.
type Client struct {
	http fasthttp.HostClient
	api  string
	base string
}

// NewClient makes a client; it does not connect yet.
func NewClient(o ClientOptions) (*Client, error) {
	base, err := url.Parse(o.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, hongbao.Invalid("url", o.URL, "the player port's address, such as http://127.0.0.1:8080")
	}
	if o.API == "" {
		o.API = V1
	}
	if o.API != V1 && o.API != Camp {
		return nil, hongbao.Invalid("api", o.API, "v1 or camp")
	}
	if o.Connections == 0 {
		o.Connections = 64
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	return &Client{api: o.API, base: base.Scheme + "://" + base.Host, http: hostClient(base, o)}, nil
}

func hostClient(base *url.URL, o ClientOptions) fasthttp.HostClient {
	const answerBytesMax = 1 << 20
	return fasthttp.HostClient{
		Addr: fasthttp.AddMissingPort(base.Host, base.Scheme == "https"), IsTLS: base.Scheme == "https", Name: "hongbao-bench",
		MaxConns: o.Connections, MaxConnWaitTimeout: o.Timeout,
		ReadTimeout: o.Timeout, WriteTimeout: o.Timeout, MaxResponseBodySize: answerBytesMax,
		// A request that failed may have been carried out: whether to repeat it is for the caller, who knows its key.
		MaxIdemponentCallAttempts: 1,
		Dial: func(address string) (net.Conn, error) {
			return fasthttp.DialTimeout(address, o.Timeout)
		},
	}
}

// Close drops the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Outcome is what an answer, or its absence, says about what happened.
type Outcome uint8

// The outcomes.
const (
	Unknown  Outcome = iota // no answer, or "unknown": it may have happened; retrying with the same key tells
	Answered                // a business answer; the status says which
	Refused                 // an error that is the caller's: invalid, unauthorised, not found; nothing happened
	Busy                    // too fast, busy, read-only, or the server could not be reached; nothing happened
	Wrong                   // an answer that the contract does not allow
	Barred                  // denied, or without a ticket that holds; nothing happened, and asking again changes nothing
)

func (o Outcome) String() string {
	return [...]string{"unknown", "answered", "refused", "busy", "wrong", "barred"}[o]
}

// Result is what all answers have.
type Result struct {
	Outcome Outcome
	Label   string // what to count it as: a status, a code of the contract, "timeout", "unreachable" or "wrong"
	Err     error  // what was wrong, or why there was no answer
}

func wrong(format string, details ...any) Result {
	return Result{Outcome: Wrong, Label: "wrong", Err: fmt.Errorf(format, details...)}
}

// exchange is one request and its answer; both are valid until it is released.
type exchange struct {
	request  *fasthttp.Request
	response *fasthttp.Response
	api      string
}

func (c *Client) exchange(method, api string) exchange {
	x := exchange{fasthttp.AcquireRequest(), fasthttp.AcquireResponse(), api}
	x.request.Header.SetMethod(method)
	return x
}

func (x exchange) release() {
	fasthttp.ReleaseRequest(x.request)
	fasthttp.ReleaseResponse(x.response)
}

// path sets the request's path: prefix, an id unless it is 0, suffix.
func (c *Client) path(x exchange, prefix string, id uint64, suffix string) {
	var buffer [128]byte
	b := append(append(buffer[:0], c.base...), prefix...)
	if id != 0 {
		b = strconv.AppendUint(b, id, 10)
	}
	x.request.SetRequestURIBytes(append(b, suffix...))
}

func (x exchange) player(uid uint64) {
	var buffer [20]byte
	x.request.Header.SetBytesV("X-Player-Id", strconv.AppendUint(buffer[:0], uid, 10))
}

func (x exchange) ticket(ticket string) {
	if ticket != "" {
		x.request.Header.Set("Hongbao-Ticket", ticket)
	}
}

func (x exchange) key(key string) {
	if key != "" {
		x.request.Header.Set("Idempotency-Key", key)
	}
}

// do sends the request. It reports whether there is an answer of status 200 to read; otherwise the result says all.
func (c *Client) do(x exchange) (Result, bool) {
	if err := c.http.Do(x.request, x.response); err != nil {
		return noAnswer(err), false
	}
	if x.response.StatusCode() == fasthttp.StatusOK {
		if !bytes.HasPrefix(x.response.Header.ContentType(), []byte("application/json")) {
			return wrong("the content type is %q", x.response.Header.ContentType()), false
		}
		return Result{}, true
	}
	if x.api == Camp {
		return readCampError(x.response), false
	}
	return readProblem(x.response), false
}

// noAnswer tells a server that could not be reached, where nothing can have happened, from a connection that broke.
func noAnswer(err error) Result {
	var operation *net.OpError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, fasthttp.ErrNoFreeConns), errors.Is(err, fasthttp.ErrDialTimeout),
		errors.As(err, &operation) && operation.Op == "dial":
		return Result{Outcome: Busy, Label: "unreachable", Err: err}
	case errors.As(err, &timeout) && timeout.Timeout():
		return Result{Outcome: Unknown, Label: "timeout", Err: err}
	}
	return Result{Outcome: Unknown, Label: "connection lost", Err: err}
}
