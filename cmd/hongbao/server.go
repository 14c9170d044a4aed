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
	"hongbao/audit"
	"hongbao/embedded"
	"hongbao/playerapi"
)

// server is a running hongbao: the engine, the service on it, and both ports.
type server struct {
	config *Config
	logger *slog.Logger

	engine  *embedded.Engine
	service *hongbao.Service
	player  *playerapi.Server
	admin   *adminapi.Server

	playerListener net.Listener
	adminListener  net.Listener

	stopping atomic.Bool // players are sent elsewhere
	failed   chan error  // why it can't go on; the first is enough
}

// openServer takes the ports, opens the data folder and makes what the configuration declares. It does the cheap and
// likely failures first, so that a refused start has changed nothing.
func openServer(config *Config, logger *slog.Logger) (*server, error) {
	s := &server{config: config, logger: logger, failed: make(chan error, 1)}
	for _, step := range []func() error{s.listen, s.openEngine, s.openPlayer, s.openAdmin, s.declare} {
		if err := step(); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	return s, nil
}

func (s *server) listen() (err error) {
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

func (s *server) openEngine() error {
	calendar, err := s.config.calendar()
	if err != nil {
		return err
	}
	clock := hongbao.SystemClock()
	s.engine, err = embedded.Open(embedded.Options{
		Dir: s.config.Data, Calendar: calendar, Now: clock.Now, Logger: s.logger, Broken: s.fail,
	})
	if err != nil {
		return explainFolder(s.config.Data, err)
	}
	s.service = hongbao.NewService(hongbao.Options{
		Engine: s.engine, Secret: s.engine.Secret(), Clock: clock, Logger: s.logger,
		CampCampaign: s.config.Player.CampCampaign,
	})
	return nil
}

func (s *server) openPlayer() (err error) {
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

func (s *server) openAdmin() error {
	tokens, err := s.config.adminTokens()
	if err != nil {
		return err
	}
	s.admin, err = adminapi.New(adminapi.Options{
		Service: s.service, Tokens: tokens, Version: readBuild().Version, Logger: s.logger,
		Ready: s.ready, Audit: s.audit, Backup: s.engine.Backup, Figures: s.figures,
	})
	return err
}

func (s *server) declare() error { return s.service.Declare(context.Background(), s.config.Campaigns) }

// close releases what openServer took; listeners that served are closed already.
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

// audit waits until the books have everything that was acknowledged, and checks them and the journal.
func (s *server) audit(ctx context.Context, head string) (audit.Report, error) {
	if err := s.engine.Sync(ctx); err != nil {
		return audit.Report{}, err
	}
	return auditFolder(ctx, s.engine, head)
}

// fail makes serve end with err; only the first counts.
func (s *server) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}
