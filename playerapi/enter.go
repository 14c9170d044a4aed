package playerapi

import (
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"hongbao/gate"
)

// arrive takes a request in from its address.
func (s *Server) arrive(ctx *fasthttp.RequestCtx) (netip.Addr, error) {
	address := s.address(ctx)
	quota, err := s.gate.Arrive(address, began(ctx))
	if err != nil {
		tellQuota(ctx, &quota)
	}
	return address, err
}

// enter takes a request in: from its address, then of its player.
func (s *Server) enter(ctx *fasthttp.RequestCtx) (gate.Visitor, error) {
	address, err := s.arrive(ctx)
	if err != nil {
		return gate.Visitor{}, err
	}
	uid, err := s.player(ctx)
	if err != nil {
		return gate.Visitor{}, err
	}
	return s.admit(ctx, gate.Visitor{UID: uid, Address: address})
}

// look takes in a request for a list, which needs no player; leave must be called when it is answered.
func (s *Server) look(ctx *fasthttp.RequestCtx) (leave func(), err error) {
	if _, err := s.arrive(ctx); err != nil {
		return nil, err
	}
	return s.gate.List(s.calls)
}

// admit takes a request of a player in, and tells where the player stands with its bucket.
func (s *Server) admit(ctx *fasthttp.RequestCtx, v gate.Visitor) (gate.Visitor, error) {
	quota, err := s.gate.Admit(v, began(ctx))
	tellQuota(ctx, &quota)
	return v, err
}

// began is when the request was read. One that comes without a connection, as in tests, begins now.
func began(ctx *fasthttp.RequestCtx) time.Time {
	if at := ctx.Time(); !at.IsZero() {
		return at
	}
	return time.Now()
}

// The headers of every answer, as they are written: fasthttp need not make their names canonical each time.
var (
	headerPolicy     = []byte("RateLimit-Policy")
	headerLimit      = []byte("RateLimit")
	headerRetryAfter = []byte("Retry-After")
)

// tellQuota writes the headers RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers), and after a refusal
// Retry-After.
func tellQuota(ctx *fasthttp.RequestCtx, q *gate.Quota) {
	if q.Policy == "" {
		return
	}
	name, _, _ := strings.Cut(q.Policy, ";")
	var text [64]byte
	b := append(text[:0], q.Policy...)
	ctx.Response.Header.SetCanonical(headerPolicy, b)
	b = append(text[:0], name...)
	b = append(b, ";r="...)
	b = strconv.AppendInt(b, int64(q.Remaining), 10)
	b = append(b, ";t="...)
	b = strconv.AppendInt(b, seconds(q.Reset), 10)
	ctx.Response.Header.SetCanonical(headerLimit, b)
	tellRetry(ctx, q)
}

// tellRetry writes after a refusal when to come back.
func tellRetry(ctx *fasthttp.RequestCtx, q *gate.Quota) {
	if q.RetryAfter > 0 {
		setRetryAfter(ctx, q.RetryAfter)
	}
}

// seconds rounds up: whoever waits so long has waited long enough.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// setRetryAfter tells when to come back, and spreads those who do over three seconds.
func setRetryAfter(ctx *fasthttp.RequestCtx, wait time.Duration) {
	var text [20]byte
	ctx.Response.Header.SetCanonical(headerRetryAfter, strconv.AppendInt(text[:0], max(seconds(wait), 1)+rand.Int64N(3), 10))
}

// ticketOf is the ticket that a request brings, or nothing. It is fasthttp's memory.
func ticketOf(ctx *fasthttp.RequestCtx) []byte { return ctx.Request.Header.Peek("Hongbao-Ticket") }
