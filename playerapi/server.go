package playerapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/valyala/fasthttp"

	"hongbao"
	"hongbao/gate"
	"hongbao/live"
	"hongbao/web"
)

const (
	bodyBytesMax   = 8 << 10  // larger bodies are refused
	bodyBytesRead  = 64 << 10 // and up to here read all the same, so that the connection lives on
	headerBytesMax = 8 << 10
	connectionsMax = 1 << 16
)

// Options are what a [Server] is made of. Service, Gate and Logger are required.
type Options struct {
	Service *hongbao.Service
	Gate    *gate.Gate // in front of the same service
	Live    *live.Hub  // of the same service; nil: there are no events
	Logger  *slog.Logger

	Auth         Auth           // who plays; empty: AuthTrusted
	JWT          JWTOptions     // for AuthJWT
	Failed       FailureLimit   // for AuthJWT: who may try tokens; nil: everybody, always
	TrustedPeers []netip.Prefix // proxies in front, whose X-Forwarded-For is believed; for AuthTrusted: whose X-Player-Id is; empty: of this machine
	CORSOrigins  []string       // origins of pages elsewhere that may call, and show the player page in a frame, such as https://play.example.com

	Connections  int           // most at once but for those of Live; who comes beyond is told so and cut off; 0: 65,536
	Total        int           // most at once with those of Live; 0: no limit
	ReadTimeout  time.Duration // for a whole request, from its first byte; 0: 10 s
	WriteTimeout time.Duration // for an answer; 0: 10 s
	IdleTimeout  time.Duration // between requests of a connection; 0: 75 s
}

// Server answers the player API.
type Server struct {
	service  *hongbao.Service
	gate     *gate.Gate
	live     *live.Hub
	logger   *slog.Logger
	identity identity
	auth     Auth
	proxies  proxies
	cors     cors
	site     *web.Site
	total    int
	http     *fasthttp.Server
	stats    stats

	// calls is what the service is called under. It outlives a graceful stop: a request that ended when the stop began
	// would leave its player not knowing whether it won.
	calls context.Context
	abort context.CancelFunc
}

// New makes a server, or says which option is wrong.
func New(o Options) (*Server, error) {
	identity, err := newIdentity(&o)
	if err != nil {
		return nil, err
	}
	cors, err := newCORS(o.CORSOrigins)
	if err != nil {
		return nil, err
	}
	s := &Server{
		service: o.Service, gate: o.Gate, live: o.Live, logger: o.Logger, identity: identity, auth: o.Auth, proxies: o.TrustedPeers,
		cors: cors, total: orDefault(o.Total, math.MaxInt), site: web.Player(o.CORSOrigins),
	}
	s.calls, s.abort = context.WithCancel(context.Background())
	s.http = &fasthttp.Server{
		Handler:            s.handle,
		ErrorHandler:       s.handleUnread,
		Logger:             connectionLog{o.Logger},
		Concurrency:        orDefault(o.Connections, connectionsMax),
		ReadBufferSize:     headerBytesMax,
		MaxRequestBodySize: bodyBytesRead,
		ReadTimeout:        orDefault(o.ReadTimeout, 10*time.Second),
		WriteTimeout:       orDefault(o.WriteTimeout, 10*time.Second),
		IdleTimeout:        orDefault(o.IdleTimeout, 75*time.Second),
		CloseOnShutdown:    true,
		KeepHijackedConns:  true,

		DisablePreParseMultipartForm: true,
		NoDefaultServerHeader:        true,
		NoDefaultContentType:         true,
		SecureErrorLogMessage:        true,
	}
	return s, nil
}

func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// Serve answers connections of the listener until [Server.Shutdown]; it may be called once.
func (s *Server) Serve(listener net.Listener) error {
	return s.http.Serve(boundedListener{listener, s.full})
}

// Shutdown closes the listener and waits until the requests under way are answered. When ctx ends first, those that
// still wait are told that their outcome is unknown, and ctx's error is returned.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.abort()
	return s.http.ShutdownWithContext(ctx)
}

// Handler is what answers a request, for tests and benchmarks that bring no connection.
func (s *Server) Handler() fasthttp.RequestHandler { return s.handle }

func (s *Server) handle(ctx *fasthttp.RequestCtx) {
	start := began(ctx)
	route, id := match(ctx.Path())
	defer s.finish(ctx, route, start)
	s.cors.allow(ctx)
	if err := s.serve(ctx, route, id); err != nil {
		s.fail(ctx, route, err)
	}
}

// serve answers a request or returns why it can't.
func (s *Server) serve(ctx *fasthttp.RequestCtx, route route, id []byte) error {
	switch {
	case route == routeNone:
		return refusal{problem: &notFound, detail: "there is no such route"}
	case ctx.IsOptions():
		s.cors.preflight(ctx, route)
		return nil
	case !route.allows(ctx):
		return methodRefusal(ctx, route)
	case len(ctx.PostBody()) > bodyBytesMax:
		ctx.Request.ReleaseBody(bodyBytesMax)
		return refusal{problem: &tooLarge, detail: bodyTooLarge}
	}
	switch route {
	case routeSnatch:
		return s.snatch(ctx, id)
	case routeOpen:
		return s.open(ctx, id)
	case routeSignup:
		return s.signUp(ctx, id)
	case routeTicket:
		return s.ticket(ctx, id)
	case routeWallet:
		return s.wallet(ctx)
	case routeCampaigns:
		return s.campaigns(ctx)
	case routeCampaign:
		return s.campaign(ctx, id)
	case routeEvents:
		return s.events(ctx)
	case routeCampSnatch:
		return s.campSnatch(ctx)
	case routeCampOpen:
		return s.campOpen(ctx)
	case routeCampWallet:
		return s.campWallet(ctx)
	case routeHealth:
		ctx.SetContentType("text/plain")
		ctx.SetBodyString("ok\n")
	case routePage:
		return s.page(ctx)
	}
	return nil
}

const bodyTooLarge = "the body must be at most 8 KiB"

// finish counts the request. A panic is a bug of ours: it is logged, and its player doesn't know what happened.
func (s *Server) finish(ctx *fasthttp.RequestCtx, route route, start time.Time) {
	if cause := recover(); cause != nil {
		s.logger.Error("a request panicked", "route", route.String(), "cause", cause, "stack", string(debug.Stack()))
		ctx.Response.ResetBody()
		s.refuse(ctx, route, refusal{problem: &internal})
	}
	if ctx.IsOptions() {
		route = routePreflight // else each would look like a snatch that came to nothing
	}
	s.stats.count(route, ctx.Response.StatusCode(), time.Since(start))
}

// handleUnread answers what could not be read as a request; the connection is closed after it. Where reading a body
// failed half-way the path is forgotten, and the camp API's clients are answered as on /v1.
func (s *Server) handleUnread(ctx *fasthttp.RequestCtx, err error) {
	route, _ := match(ctx.Path())
	var large *fasthttp.ErrSmallBuffer
	var network net.Error
	r := refusal{problem: &invalidRequest, detail: "this is not a request as HTTP has them"}
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		r = refusal{problem: &tooLarge, detail: bodyTooLarge}
		drain(ctx.Conn())
	case errors.As(err, &large):
		r = refusal{problem: &headerTooLarge, detail: "request line and headers must be at most 8 KiB"}
		drain(ctx.Conn())
	case errors.As(err, &network) && network.Timeout():
		r = refusal{problem: &tooSlow, detail: "the request did not arrive in time"}
	}
	s.refuse(ctx, route, r)
	s.stats.count(route, ctx.Response.StatusCode(), 0)
}

// drain reads on for a moment: closing a connection that has bytes unread resets it, and the client would not see why.
func drain(conn net.Conn) {
	const drainFor, drainBytesMax = 200 * time.Millisecond, 4 << 20
	if err := conn.SetReadDeadline(time.Now().Add(drainFor)); err == nil {
		_, _ = io.CopyN(io.Discard, conn, drainBytesMax)
	}
}

// connectionLog takes what fasthttp says about single connections, which strangers can cause at will.
type connectionLog struct{ logger *slog.Logger }

// Printf logs for those who look at connections.
func (l connectionLog) Printf(format string, args ...any) {
	if l.logger.Enabled(context.Background(), slog.LevelDebug) {
		l.logger.Debug("connection", "event", fmt.Sprintf(format, args...))
	}
}
