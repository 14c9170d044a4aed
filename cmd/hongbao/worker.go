package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"hongbao"
	"hongbao/adminapi"
)

// WorkerCommand does the cluster's background work until it is told to stop. Of several one works, the others stand by.
type WorkerCommand struct{}

// Run works. The first signal stops it gently, a second one at once.
func (*WorkerCommand) Run(c *commandLine) error {
	if c.Engine != engineCluster {
		return hongbao.Invalid("engine", c.Engine, "cluster for a worker: the embedded engine works in serve")
	}
	signalled, restore := c.untilSignal()
	defer restore()
	server := newServer(&c.Config, newLogger(c.stderr, c.JSON))
	if err := server.openWorker(signalled); err != nil {
		return err
	}
	server.logger.Info("standing by to work", "version", readBuild().Version, "admin", localURL(server.adminListener), "head", server.engine.Head())
	if err := server.greetWatcher(c); err != nil {
		return errors.Join(err, server.close())
	}
	return server.work(signalled)
}

// greetWatcher tells where to look: people in words, programs by a line of JSON.
func (s *server) greetWatcher(c *commandLine) error {
	g := greeting{Version: readBuild().Version, Admin: localURL(s.adminListener)}
	if c.JSON {
		return json.NewEncoder(c.stdout).Encode(g)
	}
	_, err := fmt.Fprintf(c.stdout, "hongbao %s stands by to work.\n\n  health   %[2]s/readyz\n  metrics  %[2]s/metrics\n\n", g.Version, g.Admin)
	return err
}

func (s *server) openWorker(ctx context.Context) error {
	return s.do(ctx, s.listenAdmin, s.openEngine, s.openWebhooks, s.openProbes)
}

// openProbes opens the admin port for those who watch. Its tokens, for metrics from elsewhere, are those configured.
func (s *server) openProbes(context.Context) (err error) {
	var tokens []adminapi.Token
	if len(s.config.Admin.Tokens) > 0 {
		if tokens, err = s.config.adminTokens(); err != nil {
			return err
		}
	}
	s.admin, err = adminapi.NewProbes(adminapi.Options{
		Service: s.service, Tokens: tokens, Version: readBuild().Version, Logger: s.logger,
		Ready: s.ready, Figures: s.workFigures,
	})
	return err
}

// work works until ctx ends or something fails, and then stops: first the work, then the admin port, then the engine.
func (s *server) work(ctx context.Context) error {
	background, endBackground := context.WithCancel(context.Background())
	administration, endAdministration := context.WithCancel(context.Background())
	var work, ports sync.WaitGroup
	work.Go(func() { s.logHead(background) })
	work.Go(func() { s.engine.work(background, s.service.Run, s.announcer().Run, s.webhooks.Run) })
	ports.Go(func() { s.ended("admin", s.admin.Serve(administration, s.adminListener)) })

	err := s.wait(ctx)
	s.stopping.Store(true)
	s.sayStopping(err)
	endBackground()
	work.Wait()
	endAdministration()
	ports.Wait()
	err = errors.Join(err, s.close())
	s.logger.Info("stopped")
	return err
}
