package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"hongbao"
	"hongbao/adminapi"
	"hongbao/audit"
	"hongbao/cluster"
)

// clusterEngine is the engine of many processes, on Redis, Kafka and MySQL.
type clusterEngine struct {
	*cluster.Engine
	wall *hongbao.Clock
}

// openCluster connects. A worker that can't go on with a shard says so in its log and metrics, and goes on with the others.
func openCluster(ctx context.Context, config *Config, logger *slog.Logger) (engine, error) {
	options, err := config.clusterOptions()
	if err != nil {
		return nil, err
	}
	options.Logger = logger
	opened, err := cluster.Open(ctx, options)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	return &clusterEngine{opened, hongbao.NewClock(
		func() time.Time { return time.Now().Add(opened.Offset()) },
		func() time.Duration { return time.Since(start) },
	)}, nil
}

func (e *clusterEngine) clock() *hongbao.Clock { return e.wall }

// work stands by while another process is the worker.
func (e *clusterEngine) work(ctx context.Context, jobs ...func(context.Context)) {
	e.Work(ctx, jobs...)
}

func (e *clusterEngine) audit(ctx context.Context, head string) (report audit.Report, err error) {
	books, err := e.Books(ctx)
	if err != nil {
		return audit.Report{}, err
	}
	defer func() { err = errors.Join(err, books.Close()) }()
	return auditCluster(ctx, books, head, auditWait)
}

// auditWait is how long a server lets what is final take to reach the books.
const auditWait = time.Minute

// auditCluster waits until what is final has reached the books, and checks the guarantees against them and the whole
// journal, and then the stores against each other.
func auditCluster(ctx context.Context, books *cluster.Books, head string, wait time.Duration) (audit.Report, error) {
	limited, cancel := context.WithTimeout(ctx, wait)
	err := books.Wait(limited)
	cancel()
	if err != nil {
		return audit.Report{}, err
	}
	secret := books.Secret()
	report, err := audit.Run(ctx, books, audit.Options{Books: books, Head: head, Secret: &secret, Leased: true})
	if err != nil {
		return audit.Report{}, err
	}
	checks, err := books.Compare(ctx)
	for _, check := range checks {
		report.OK = report.OK && check.OK
		report.Checks = append(report.Checks, audit.Check(check))
	}
	return report, err
}

// errNoFolder refuses a backup.
var errNoFolder = hongbao.Invalid("engine", engineCluster,
	"embedded for a backup: a cluster keeps nothing in a folder. Back up MySQL, which has the books and the keys, and keep what Kafka has")

func (e *clusterEngine) backup(context.Context, string) error { return errNoFolder }

func (e *clusterEngine) figures() []adminapi.Figure {
	var figures []adminapi.Figure
	for _, f := range e.Figures() {
		figures = append(figures, adminapi.Figure{Name: f.Name, Help: f.Help, Labels: f.Labels, Counter: f.Counter, Value: f.Value})
	}
	return figures
}
