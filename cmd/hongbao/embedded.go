package main

import (
	"context"
	"log/slog"
	"sync"

	"hongbao"
	"hongbao/adminapi"
	"hongbao/audit"
	"hongbao/embedded"
)

// embeddedEngine is the engine of one process, on its data folder.
type embeddedEngine struct {
	*embedded.Engine
	wall *hongbao.Clock
}

func openEmbedded(config *Config, logger *slog.Logger, broken func(error)) (engine, error) {
	calendar, err := config.calendar()
	if err != nil {
		return nil, err
	}
	e := &embeddedEngine{wall: hongbao.SystemClock()}
	e.Engine, err = embedded.Open(embedded.Options{Dir: config.Data, Calendar: calendar, Now: e.wall.Now, Logger: logger, Broken: broken})
	if err != nil {
		return nil, explainFolder(config.Data, err)
	}
	return e, nil
}

func (e *embeddedEngine) clock() *hongbao.Clock { return e.wall }

// work runs the jobs; the engine does its own work by itself.
func (e *embeddedEngine) work(ctx context.Context, jobs ...func(context.Context)) {
	var all sync.WaitGroup
	for _, job := range jobs {
		all.Go(func() { job(ctx) })
	}
	all.Wait()
}

func (e *embeddedEngine) audit(ctx context.Context, head string) (audit.Report, error) {
	if err := e.Sync(ctx); err != nil {
		return audit.Report{}, err
	}
	return auditFolder(ctx, e, head)
}

func (e *embeddedEngine) backup(ctx context.Context, to string) error { return e.Backup(ctx, to) }

func (e *embeddedEngine) figures() []adminapi.Figure { return nil }
