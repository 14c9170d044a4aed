package main

import (
	"fmt"
	"io"

	"hongbao"
	"hongbao/cluster"
)

// ReconcileCommand mends a cluster whose Redis has lost something. It may be cut off and run again.
type ReconcileCommand struct{}

// Run prints what was found and done.
func (*ReconcileCommand) Run(c *commandLine) error {
	if c.Engine != engineCluster {
		return hongbao.Invalid("engine", c.Engine, "cluster to be reconciled: the embedded engine recovers when it starts")
	}
	ctx, cancel := c.untilSignal()
	defer cancel()
	options, err := c.Config.clusterOptions()
	if err != nil {
		return err
	}
	options.Logger = newLogger(c.stderr, c.JSON)
	report, err := cluster.Reconcile(ctx, options)
	if err != nil {
		return err
	}
	return c.print(report, func(w io.Writer) {
		fmt.Fprintf(w, "shards\t%d\nkept\t%d\nrebuilt\t%d\t%v\n", report.Shards, len(report.Kept), len(report.Rebuilt), report.Rebuilt)
		fmt.Fprintf(w, "events drained from outboxes\t%d\nplayers rebuilt\t%d\n", report.Drained, report.Players)
	})
}
