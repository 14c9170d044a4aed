package main

import (
	"context"

	"hongbao"
	"hongbao/adminapi"
	"hongbao/audit"
)

// engine is an engine of either kind with what a process of ours does with it. What both kinds do alike they do under
// [hongbao.Engine]; the rest is in embedded.go and cluster.go.
type engine interface {
	hongbao.Engine
	// Secret is what seeds and receipts derive from.
	Secret() hongbao.Secret
	// Head is the hash-chained head of the journal.
	Head() string

	// clock is the wall clock as all nodes see it.
	clock() *hongbao.Clock
	// Call tells whoever listens, in any process, that there is news, if they can be reached.
	Call(ctx context.Context) error
	// Listen calls heard, which must not block, when there is news, until ctx ends; and at once, and after it was out of
	// reach. A call may be lost: whoever must not miss one looks now and then.
	Listen(ctx context.Context, heard func())
	// work does the work in the background until ctx ends. Of several processes it runs the jobs in one; each must return
	// when its context ends.
	work(ctx context.Context, jobs ...func(context.Context))
	// audit waits until the books have everything that was acknowledged, and checks them and the journal.
	audit(ctx context.Context, head string) (audit.Report, error)
	// backup copies the data to a folder that does not exist or is empty, where the engine can.
	backup(ctx context.Context, to string) error
	// figures are what the engine counts, for the metrics of the admin port.
	figures() []adminapi.Figure
}

// openEngine opens the engine that the configuration names.
func (s *server) openEngine(ctx context.Context) (err error) {
	if s.config.Engine == engineCluster {
		s.engine, err = openCluster(ctx, s.config, s.logger)
	} else {
		s.engine, err = openEmbedded(s.config, s.logger, s.fail)
	}
	if err != nil {
		return err
	}
	s.service = hongbao.NewService(hongbao.Options{
		Engine: s.engine, Secret: s.engine.Secret(), Clock: s.engine.clock(), Logger: s.logger,
		CampCampaign: s.config.Player.CampCampaign,
	})
	return nil
}
