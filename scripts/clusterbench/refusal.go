package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"hongbao/scripts/machine"
)

// refusal is one run of a crowd that is refused, on both engines in turn.
type refusal struct {
	cluster, embedded         float64 // answers a second
	clusterCPU, embeddedCPU   float64 // µs an answer
	clusterP99MS, embeddedP99 float64
}

// measureRefusals compares answers that need no Redis with those of the embedded engine.
func measureRefusals(ctx context.Context, o options, out io.Writer) error {
	cluster, err := openCluster(ctx, o)
	if err != nil {
		return err
	}
	defer cluster.close()
	embedded, err := openEmbedded(ctx, o)
	if err != nil {
		return err
	}
	defer embedded.close()
	kinds := []struct {
		status string
		opens  time.Duration
	}{{"not_open", time.Hour}, {"sold_out", 0}}
	places := []*place{cluster, embedded}
	campaigns := map[string][]uint32{}
	for _, kind := range kinds {
		for _, p := range places {
			id, err := p.campaign(kind.status, 1, kind.opens)
			if err != nil {
				return err
			}
			campaigns[kind.status] = append(campaigns[kind.status], id)
			if _, err := p.snatch(ctx, o, id, 64, 2, true); err != nil { // the one envelope is won, and all is warm
				return err
			}
		}
	}
	fmt.Fprintln(out, "| refusal | connections | cluster/s | embedded/s | ratio | aim | cluster CPU µs | embedded CPU µs | cluster p99 ms | embedded p99 ms |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|---|---|")
	for _, kind := range kinds {
		for _, connections := range []int{64, 512} {
			var runs []refusal
			for round := range o.rounds {
				var r refusal
				if r.cluster, r.clusterCPU, r.clusterP99MS, err = cluster.refuse(ctx, o, campaigns[kind.status][0], connections, kind.status); err != nil {
					return err
				}
				if r.embedded, r.embeddedCPU, r.embeddedP99, err = embedded.refuse(ctx, o, campaigns[kind.status][1], connections, kind.status); err != nil {
					return err
				}
				runs = append(runs, r)
				fmt.Fprintf(os.Stderr, "round %d/%d  %3d connections  %s: cluster %.0f/s, embedded %.0f/s (%.2f); load %s\n",
					round+1, o.rounds, connections, kind.status, r.cluster, r.embedded, r.cluster/r.embedded, machine.Load())
			}
			of := func(value func(refusal) float64) float64 { return medianOf(runs, value) }
			fmt.Fprintf(out, "| %s | %d | %.0f | %.0f | %.2f | 0.90 | %.1f | %.1f | %.1f | %.1f |\n", kind.status, connections,
				of(func(r refusal) float64 { return r.cluster }), of(func(r refusal) float64 { return r.embedded }),
				of(func(r refusal) float64 { return r.cluster / r.embedded }),
				of(func(r refusal) float64 { return r.clusterCPU }), of(func(r refusal) float64 { return r.embeddedCPU }),
				of(func(r refusal) float64 { return r.clusterP99MS }), of(func(r refusal) float64 { return r.embeddedP99 }))
		}
	}
	return nil
}

// refuse lets a crowd be refused; all of it must be.
func (p *place) refuse(ctx context.Context, o options, campaign uint32, connections int, status string) (rate, cpuUS, p99MS float64, err error) {
	before, err := p.stats()
	if err != nil {
		return 0, 0, 0, err
	}
	spent := machine.CPU(p.node.pid())
	c, err := p.snatch(ctx, o, campaign, connections, o.seconds, true)
	if err != nil {
		return 0, 0, 0, err
	}
	cpuUS = float64((machine.CPU(p.node.pid()) - spent).Microseconds()) / float64(c.requests)
	after, err := p.stats()
	if refused := after.Statuses[status] - before.Statuses[status]; err == nil && float64(refused) < 0.99*float64(c.requests) {
		err = fmt.Errorf("only %d of %d requests were refused with %s", refused, c.requests, status)
	}
	return c.rate, cpuUS, c.p99MS, err
}
