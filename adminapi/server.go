package adminapi

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"hongbao"
	"hongbao/audit"
	"hongbao/gate"
	"hongbao/live/webhook"
)

// Options are what a [Server] is made of; all but Figures are required. What an engine has beyond [hongbao.Engine] comes
// in as functions.
type Options struct {
	Service  *hongbao.Service
	Gate     *gate.Gate // of the player port
	Webhooks *webhook.Sender
	Tokens   []Token // none: nobody gets in
	Version  string  // of the program, for stats and OpenAPI
	Logger   *slog.Logger

	// Timezone is the IANA name of the zone of the server's calendar, for people who enter times; empty: UTC.
	Timezone string
	// Ready tells why the process should get no traffic, or nil: it is starting or stopping.
	Ready func() error
	// Degraded tells why players get less than they should, beside what the engine says; nil: nothing else can.
	Degraded func() error
	// Audit checks the guarantees against the whole journal; a head that is not empty must be on its chain.
	Audit func(ctx context.Context, head string) (audit.Report, error)
	// Backup copies the data while the server runs, to a folder that does not exist or is empty.
	Backup func(ctx context.Context, to string) error
	// Figures are what other parts of the process count, for /metrics; nil: nothing.
	Figures func() []Figure
}

// Server is the admin port's handler.
type Server struct {
	service  *hongbao.Service
	gate     *gate.Gate
	webhooks *webhook.Sender
	keys     keyring
	console  console
	version  string
	timezone string
	logger   *slog.Logger
	ready    func() error
	limited  func() error
	audit    func(ctx context.Context, head string) (audit.Report, error)
	backup   func(ctx context.Context, to string) error

	handler   http.Handler
	mux       *http.ServeMux
	api       huma.API
	meter     meter
	started   time.Time
	drainMax  time.Duration
	auditing  sync.Mutex // held while an audit runs
	backingUp sync.Mutex // and a backup
}

// New makes a server; the error says which token is not allowed.
func New(o Options) (*Server, error) {
	s, err := newServer(o)
	if err != nil {
		return nil, err
	}
	s.sessionRoutes()
	s.campaignRoutes()
	s.previewRoutes()
	s.signUpRoute()
	s.winnerRoute()
	s.reportRoute()
	s.playerRoutes()
	s.journalRoute()
	s.auditRoute()
	s.statsRoute()
	s.gateRoutes()
	s.webhookRoutes()
	s.backupRoute()
	s.profileRoutes()
	s.pageRoutes()
	s.documentRoute()
	return s, nil
}

// NewProbes makes a server of /healthz, /readyz and /metrics alone, for a process that nobody administers. Of the options
// it needs neither Gate, Webhooks, Audit nor Backup.
func NewProbes(o Options) (*Server, error) { return newServer(o) }

// newServer makes a server of the routes that every process has.
func newServer(o Options) (*Server, error) {
	keys, err := newKeyring(o.Tokens)
	if err != nil {
		return nil, err
	}
	s := &Server{
		service: o.Service, gate: o.Gate, webhooks: o.Webhooks, keys: keys, version: o.Version, logger: o.Logger,
		ready: o.Ready, limited: o.Degraded, audit: o.Audit, backup: o.Backup,
		timezone: cmp.Or(o.Timezone, "UTC"), mux: http.NewServeMux(), started: time.Now(), drainMax: drainMax,
	}
	s.api = humago.New(s.mux, describeAPI(o.Version))
	s.healthRoutes()
	s.metricsRoute(o.Figures)

	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		newProblem(http.StatusForbidden, "denied", "a page of another origin may not change anything here").write(w)
	}))
	s.handler = origin.Handler(http.HandlerFunc(s.route))
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	s.handler.ServeHTTP(newPatientWriter(w), r)
}

func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	handler, pattern := s.mux.Handler(r)
	if pattern == "" {
		noRoute(w, r, handler)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// noRoute tells as a problem what the mux has to say to a request that no route takes: 404, or 405 with Allow.
func noRoute(w http.ResponseWriter, r *http.Request, handler http.Handler) {
	answer := verdict{header: http.Header{}}
	handler.ServeHTTP(&answer, r)
	p := newProblem(http.StatusNotFound, "not_found", "there is no "+r.URL.Path)
	if answer.status == http.StatusMethodNotAllowed {
		p = newProblem(answer.status, "method_not_allowed", r.Method+" is not a method of "+r.URL.Path)
		p.header.Set("Allow", answer.header.Get("Allow"))
	}
	p.write(w)
}

// verdict takes down the status and header that a handler would answer with.
type verdict struct {
	header http.Header
	status int
}

func (v *verdict) Header() http.Header         { return v.header }
func (v *verdict) WriteHeader(status int)      { v.status = status }
func (v *verdict) Write(p []byte) (int, error) { return len(p), nil }

// drainMax is how long requests that are under way get to end when the server stops.
const drainMax = 10 * time.Second

// Serve answers on the listener, and counts for the rates, until ctx ends. Then it lets requests that are under way end,
// for drainMax; when it returns none is left, so that the engine may be closed.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	var underWay sync.WaitGroup
	server := s.httpServer(requests, &underWay)
	drained := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(drained)
		s.drain(server)
	})
	go s.count(requests)
	err := server.Serve(listener)
	if stop() { // nobody asked for it
		return err
	}
	<-drained
	cut()
	underWay.Wait()
	return nil
}

func (s *Server) httpServer(requests context.Context, underWay *sync.WaitGroup) *http.Server {
	return &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			underWay.Add(1)
			defer underWay.Done()
			s.ServeHTTP(w, r)
		}),
		BaseContext:       func(net.Listener) context.Context { return requests },
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       readMax,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    headerMax,
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
	}
}

// drain takes no more requests, and cuts off those that do not end in time.
func (s *Server) drain(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), s.drainMax)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		s.logger.Warn("admin requests that were still under way are cut off", "after", s.drainMax)
		server.Close() // there is nothing more to do about a connection that does not close
	}
}
