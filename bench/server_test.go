package bench

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
	"hongbao/adminapi"
	"hongbao/audit"
	"hongbao/embedded"
	"hongbao/gate"
	"hongbao/playerapi"
)

// testToken lets an operator in.
const testToken = "an-operator-in-a-test"

// server is the real one in this process: both ports, the embedded engine on a file system in memory.
type server struct {
	player  string // address
	admin   string
	service *hongbao.Service
	gate    *gate.Gate
}

func startServer(t testing.TB) *server {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	clock := hongbao.SystemClock()
	calendar := hongbao.NewCalendar(time.FixedZone("Asia/Shanghai", 8*3600))
	engine, err := embedded.Open(embedded.Options{
		Dir: "data", FS: vfs.NewMem(), Calendar: calendar, Now: clock.Now, Logger: logger, SegmentBytes: 1 << 20,
		Broken: func(err error) { t.Error("the engine broke:", err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{service: hongbao.NewService(hongbao.Options{Engine: engine, Secret: engine.Secret(), Clock: clock, Logger: logger})}
	ctx, cancel := context.WithCancel(context.Background())
	tended := make(chan struct{})
	go func() { defer close(tended); s.service.Run(ctx) }()
	if s.gate, err = gate.New(ctx, gate.Options{Service: s.service, Secret: engine.Secret(), Logger: logger}); err != nil {
		t.Fatal(err)
	}
	stopPlayer, stopAdmin := s.startPlayer(t, logger), s.startAdmin(t, ctx, engine, logger)
	t.Cleanup(func() {
		cancel()
		<-tended
		stopPlayer()
		stopAdmin()
		s.gate.Stop()
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *server) startPlayer(t testing.TB, logger *slog.Logger) (stop func()) {
	api, err := playerapi.New(playerapi.Options{Service: s.service, Gate: s.gate, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	listener := listen(t)
	s.player = "http://" + listener.Addr().String()
	done := make(chan error, 1)
	go func() { done <- api.Serve(listener) }()
	return func() {
		if err := api.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func (s *server) startAdmin(t testing.TB, ctx context.Context, engine *embedded.Engine, logger *slog.Logger) (stop func()) {
	api, err := adminapi.New(adminapi.Options{
		Service: s.service, Gate: s.gate, Tokens: []adminapi.Token{{Name: "bench", Role: adminapi.Operator, Token: testToken}}, Version: "test", Logger: logger,
		Ready:  func() error { return nil },
		Audit:  func(ctx context.Context, head string) (audit.Report, error) { return auditEngine(ctx, engine, head) },
		Backup: engine.Backup,
	})
	if err != nil {
		t.Fatal(err)
	}
	listener := listen(t)
	s.admin = "http://" + listener.Addr().String()
	done := make(chan error, 1)
	go func() { done <- api.Serve(ctx, listener) }()
	return func() {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// journalOf is the engine as an audit reads it.
type journalOf struct{ *embedded.Engine }

func (j journalOf) Head() string { return j.Health().Head }

func auditEngine(ctx context.Context, engine *embedded.Engine, head string) (audit.Report, error) {
	books, err := engine.Books(ctx)
	if err != nil {
		return audit.Report{}, err
	}
	defer books.Close()
	secret := engine.Secret()
	return audit.Run(ctx, journalOf{engine}, audit.Options{Books: books, Head: head, Secret: &secret})
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// options play a short rain on the server, with a campaign of the run's own.
func (s *server) options() Options {
	return Options{
		PlayerURL: s.player, AdminURL: s.admin, AdminToken: testToken,
		Players: 100, FirstUID: 1, Rate: 500, Duration: time.Second, Connections: 16,
		OpenShare: 0.2, WalletShare: 0.05, RetryUnknown: true, Seed: 1,
	}
}
