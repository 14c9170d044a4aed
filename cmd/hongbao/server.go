package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"syscall"

	"hongbao"
	"hongbao/adminapi"
	"hongbao/gate"
	"hongbao/live"
	"hongbao/live/webhook"
	"hongbao/playerapi"
)

// server is a running hongbao: the engine, the service on it, and both ports.
type server struct {
	config *Config
	logger *slog.Logger

	engine   engine
	service  *hongbao.Service
	gate     *gate.Gate
	live     *live.Hub
	webhooks *webhook.Sender
	player   *playerapi.Server
	admin    *adminapi.Server

	playerListener net.Listener
	adminListener  net.Listener

	stopping atomic.Bool // players are sent elsewhere
	failed   chan error  // why it can't go on; the first is enough
}

func newServer(config *Config, logger *slog.Logger) *server {
	return &server{config: config, logger: logger, failed: make(chan error, 1)}
}

// open takes the ports, opens the engine and makes what the configuration declares. It does the cheap and likely
// failures first, so that a refused start has changed nothing.
func (s *server) open(ctx context.Context) error {
	return s.do(ctx, s.listen, s.openEngine, s.openGate, s.openLive, s.openWebhooks, s.openPlayer, s.openAdmin, s.declare)
}

// do takes steps one after another; when one fails, it releases what those before it took.
func (s *server) do(ctx context.Context, steps ...func(context.Context) error) error {
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return errors.Join(err, s.close())
		}
	}
	return nil
}

func (s *server) listen(ctx context.Context) (err error) {
	if err := checkShares(filesMax(), s.config.Live.Connections); err != nil {
		return err
	}
	player := &s.config.Player
	peers, err := player.trustedPeers()
	if err != nil {
		return err
	}
	if err := playerapi.CheckListen(playerapi.Auth(player.Auth), player.Listen, peers); err != nil {
		return err
	}
	if s.playerListener, err = listen("player.listen", player.Listen); err != nil {
		return err
	}
	return s.listenAdmin(ctx)
}

func (s *server) listenAdmin(context.Context) (err error) {
	s.adminListener, err = listen("admin.listen", s.config.Admin.Listen)
	return err
}

func listen(key, address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	var system *os.SyscallError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s: %s is in use by another process: stop it, or choose another address with --%s", key, address, key)
	case errors.As(err, &system):
		return nil, fmt.Errorf("%s: can't listen on %s (%w): choose another address with --%s", key, address, system.Err, key)
	case err != nil:
		return nil, hongbao.Invalid(key, address, "host:port of this machine, such as 127.0.0.1:8080")
	}
	return listener, nil
}

func (s *server) openGate(ctx context.Context) error {
	options, err := s.config.Gate.options()
	if err != nil {
		return err
	}
	options.Service, options.Secret, options.Logger = s.service, s.engine.Secret(), s.logger
	options.Waiters = s.config.shares().waiters()
	s.gate, err = gate.New(ctx, options)
	return err
}

func (s *server) openPlayer(context.Context) (err error) {
	player := &s.config.Player
	options := playerapi.Options{
		Service: s.service, Gate: s.gate, Live: s.live, Logger: s.logger,
		Auth: playerapi.Auth(player.Auth), CORSOrigins: player.CORSOrigins, Failed: s.gate,
		Connections: s.config.shares().requests, Total: s.config.shares().total,
	}
	if options.TrustedPeers, err = player.trustedPeers(); err != nil {
		return err
	}
	if options.Auth == playerapi.AuthJWT {
		options.JWT.Alg = player.JWT.Alg
		options.JWT.Reload = player.JWT.keys
		if options.JWT.Keys, err = player.JWT.keys(); err != nil {
			return err
		}
	}
	if s.player, err = playerapi.New(options); err != nil {
		return usageError{err} // it has looked at nothing but the options
	}
	return nil
}

func (s *server) openAdmin(context.Context) error {
	tokens, err := s.config.adminTokens()
	if err != nil {
		return err
	}
	s.admin, err = adminapi.New(adminapi.Options{
		Service: s.service, Gate: s.gate, Webhooks: s.webhooks, Tokens: tokens, Version: readBuild().Version, Logger: s.logger,
		Timezone: s.config.Timezone,
		Ready:    s.ready, Degraded: s.degraded, Audit: s.engine.audit, Backup: s.engine.backup, Figures: s.figures,
	})
	return err
}

// close releases what was taken; listeners that served are closed already.
func (s *server) close() error {
	for _, listener := range []net.Listener{s.playerListener, s.adminListener} {
		if listener != nil {
			_ = listener.Close()
		}
	}
	if s.engine == nil {
		return nil
	}
	return s.engine.Close()
}

// ready tells why a load balancer should send nobody here.
func (s *server) ready() error {
	if s.stopping.Load() {
		return errors.New("stopping")
	}
	return nil
}

// degraded tells why players get less than they should, beside what the engine says.
func (s *server) degraded() error {
	return errors.Join(s.gate.Degraded(), s.player.Degraded(), s.live.Degraded())
}

// fail makes serve end with err; only the first counts.
func (s *server) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}
