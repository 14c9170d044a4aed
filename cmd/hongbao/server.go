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
	"hongbao/playerapi"
)

// server is a running hongbao: the engine, the service on it, and both ports.
type server struct {
	config *Config
	logger *slog.Logger

	engine  engine
	service *hongbao.Service
	player  *playerapi.Server
	admin   *adminapi.Server

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
	return s.do(ctx, s.listen, s.openEngine, s.openPlayer, s.openAdmin, s.declare)
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

func (s *server) openPlayer(context.Context) (err error) {
	player := &s.config.Player
	options := playerapi.Options{
		Service: s.service, Logger: s.logger,
		Auth: playerapi.Auth(player.Auth), CORSOrigins: player.CORSOrigins,
	}
	if options.TrustedPeers, err = player.trustedPeers(); err != nil {
		return err
	}
	if options.Auth == playerapi.AuthJWT {
		options.JWT.Alg = player.JWT.Alg
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
		Service: s.service, Tokens: tokens, Version: readBuild().Version, Logger: s.logger,
		Ready: s.ready, Audit: s.engine.audit, Backup: s.engine.backup, Figures: s.figures,
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

// fail makes serve end with err; only the first counts.
func (s *server) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}
