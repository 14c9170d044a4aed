package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
)

// ServeCommand serves players and administrators until it is told to stop.
type ServeCommand struct {
	Demo   bool `help:"Keep rains falling, for trying things out."`
	Worker bool `help:"Do the cluster's work in the background too, as hongbao worker does."`
}

// Run serves. The first signal stops it gently, a second one at once.
func (s *ServeCommand) Run(c *commandLine) error {
	raiseProcs()
	signalled, restore := c.untilSignal()
	defer restore()
	server := newServer(&c.Config, newLogger(c.stderr, c.JSON))
	if err := server.open(signalled); err != nil {
		return err
	}
	if s.Demo {
		server.tryRain(signalled)
	}
	server.logger.Info("serving", "version", readBuild().Version, "engine", c.Engine, "data", absolute(c.Data), "auth", c.Player.Auth,
		"player", localURL(server.playerListener), "admin", localURL(server.adminListener),
		"campaigns", len(server.service.Campaigns()), "head", server.engine.Head())
	if err := server.greet(c); err != nil {
		return errors.Join(err, server.close())
	}
	return server.serve(signalled, s)
}

// raiseProcs gives Go more processors than there are cores on small machines: the committer's sync holds one in a
// system call, and without a spare the crowd waits for the disk. Measured with 2 cores: 8 % more wins.
func raiseProcs() {
	const least = 4
	if os.Getenv("GOMAXPROCS") == "" && runtime.GOMAXPROCS(0) < least {
		runtime.GOMAXPROCS(least)
	}
}

// serve answers until ctx ends or something fails, and then stops: first no new players, then the background work,
// then the administrators, then the engine.
func (s *server) serve(ctx context.Context, c *ServeCommand) error {
	background, endBackground := context.WithCancel(context.Background())
	administration, endAdministration := context.WithCancel(context.Background())
	var work, ports sync.WaitGroup
	work.Go(func() { s.logHead(background) })
	work.Go(func() { s.gate.Run(background) })
	work.Go(func() { s.player.Watch(background) })
	work.Go(func() { s.live.Run(background) })
	if c.Worker || s.config.Engine == engineEmbedded {
		work.Go(func() { s.engine.work(background, s.service.Run, s.announcer().Run, s.webhooks.Run) })
	}
	if c.Demo {
		work.Go(func() { s.keepRaining(background) })
	}
	ports.Go(func() { s.ended("player", s.player.Serve(s.playerListener)) })
	ports.Go(func() { s.ended("admin", s.admin.Serve(administration, s.adminListener)) })

	err := s.wait(ctx)
	s.sayStopping(err)
	if err == nil {
		s.sendElsewhere()
	}
	s.drain()
	endBackground()
	work.Wait()
	endAdministration()
	ports.Wait()
	err = errors.Join(err, s.close())
	s.logger.Info("stopped")
	return err
}

// wait returns when ctx ends, or why the server can't go on.
func (s *server) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.failed:
		return err
	}
}

func (s *server) sayStopping(why error) {
	if why == nil {
		s.logger.Info("stopping")
	} else {
		s.logger.Error("stopping: it can't go on", "error", why)
	}
}

const (
	noticeFor = time.Second      // how long /readyz fails before connections are refused: load balancers look now and then
	drainMax  = 10 * time.Second // how long requests under way get to end
)

// sendElsewhere lets load balancers notice before anybody is refused.
func (s *server) sendElsewhere() {
	s.stopping.Store(true)
	time.Sleep(noticeFor)
}

// drain takes no new players and lets those who are here finish.
func (s *server) drain() {
	s.stopping.Store(true)
	s.gate.Stop() // whoever waits for a lot comes again elsewhere
	s.live.Close()
	limited, cancel := context.WithTimeout(context.Background(), drainMax)
	defer cancel()
	if err := s.player.Shutdown(limited); err != nil {
		s.logger.Warn("requests were still under way; they were told that their outcome is unknown", "error", err)
	}
	s.gate.Close()
	_ = s.playerListener.Close() // where it stops before it has begun to serve, nothing else does
}

// ended takes note of a port that stopped serving.
func (s *server) ended(port string, err error) {
	if err != nil && !s.stopping.Load() {
		s.fail(fmt.Errorf("%s port: %w", port, err))
	}
}

// logHead logs the journal's head now and then: a folder restored from yesterday can be told by it, with audit --head.
func (s *server) logHead(ctx context.Context) {
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.logger.Info("journal", "head", s.engine.Head())
		case <-ctx.Done():
			return
		}
	}
}
