package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"hongbao/scripts/machine"
)

// rush is one run of a crowd that wins, and of the bare script before it.
type rush struct {
	bare  float64 // wins a second
	crowd crowd
	wins  uint64
	group float64 // wins

	cpuUS map[string]float64 // a win, by process, until the books have everything

	lag   uint64        // events that the books were behind at most
	drain time.Duration // from the crowd's end
}

func measureRush(ctx context.Context, o options, out io.Writer) error {
	p, err := openCluster(ctx, o)
	if err != nil {
		return err
	}
	defer p.close()
	campaign, err := p.campaign("rush", 1<<28, 0)
	if err != nil {
		return err
	}
	b, err := openBare(ctx, p.services.redis())
	if err != nil {
		return err
	}
	if _, err := p.rush(ctx, o, b, campaign, 64, 2); err != nil { // so that the first round finds everything warm
		return err
	}
	runs := map[int][]rush{}
	for round := range o.rounds {
		for _, connections := range []int{64, 512} {
			r, err := p.rush(ctx, o, b, campaign, connections, o.seconds)
			if err != nil {
				return err
			}
			runs[connections] = append(runs[connections], r)
			fmt.Fprintf(os.Stderr, "round %d/%d  %3d connections  bare %.0f/s, end to end %.0f/s (%.2f), lag at most %d, drained in %.1f s; load %s\n",
				round+1, o.rounds, connections, r.bare, r.crowd.rate, r.crowd.rate/r.bare, r.lag, r.drain.Seconds(), machine.Load())
		}
	}
	printRush(out, runs)
	return nil
}

// rush lets the bare script and then a crowd win, and waits until the books have it.
func (p *place) rush(ctx context.Context, o options, b *bare, campaign uint32, connections, seconds int) (r rush, err error) {
	if r.bare, err = b.snatch(ctx, o, connections, 20_000*seconds/2); err != nil {
		return r, err
	}
	before, err := p.stats()
	if err != nil {
		return r, err
	}
	spent := p.spent()
	watched := p.watchLag()
	r.crowd, err = p.snatch(ctx, o, campaign, connections, seconds, false)
	if r.lag = watched(); err != nil {
		return r, err
	}
	after, err := p.stats()
	if err != nil {
		return r, err
	}
	r.wins = after.Statuses["won"] - before.Statuses["won"]
	r.group = float64(r.wins) / float64(after.Groups-before.Groups)
	if float64(r.wins) < 0.99*float64(r.crowd.requests) {
		return r, fmt.Errorf("only %d of %d requests won", r.wins, r.crowd.requests)
	}
	if r.drain, err = p.drained(ctx); err != nil {
		return r, err
	}
	r.cpuUS = map[string]float64{"wrk": float64(r.crowd.cpu.Microseconds()) / float64(r.wins)}
	for name, cpu := range p.spent() {
		r.cpuUS[name] = float64((cpu - spent[name]).Microseconds()) / float64(r.wins)
	}
	return r, nil
}

// watchLag looks how far the books are behind, as often as the node does, until the function that is returned is called.
// That returns the most that was seen.
func (p *place) watchLag() func() uint64 {
	most := make(chan uint64)
	go func() {
		ticker := time.NewTicker(250 * time.Millisecond)
		defer ticker.Stop()
		for highest := uint64(0); ; {
			select {
			case <-ticker.C:
				if s, err := p.stats(); err == nil { // what is wrong is found by those who need it
					highest = max(highest, s.Lag)
				}
			case most <- highest:
				return
			}
		}
	}()
	return func() uint64 { return <-most }
}

// drained waits until the books have everything, and returns how long that took.
func (p *place) drained(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	for deadline := began.Add(5 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		s, err := p.stats()
		if err != nil {
			return 0, err
		}
		if s.Lag == 0 && time.Since(began) > 300*time.Millisecond { // the lag is looked at four times a second
			return time.Since(began), nil
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			return 0, fmt.Errorf("the books are still %d events behind", s.Lag)
		}
	}
}

func printRush(out io.Writer, runs map[int][]rush) {
	fmt.Fprintln(out, "| connections | bare wins/s | end to end wins/s | ratio | aim | p50 ms | p99 ms | wins/group | most lag, events | drained in s |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|---|---|")
	for _, connections := range []int{64, 512} {
		of := func(value func(rush) float64) float64 { return medianOf(runs[connections], value) }
		fmt.Fprintf(out, "| %d | %.0f | %.0f | %.2f | 0.5 | %.2f | %.1f | %.0f | %.0f | %.1f |\n", connections,
			of(func(r rush) float64 { return r.bare }), of(func(r rush) float64 { return r.crowd.rate }),
			of(func(r rush) float64 { return r.crowd.rate / r.bare }),
			of(func(r rush) float64 { return r.crowd.p50MS }), of(func(r rush) float64 { return r.crowd.p99MS }),
			of(func(r rush) float64 { return r.group }),
			of(func(r rush) float64 { return float64(r.lag) }), of(func(r rush) float64 { return r.drain.Seconds() }))
	}
	fmt.Fprintln(out, "\nCPU µs a win, from the first to the books:")
	fmt.Fprintln(out, "\n| connections | node | worker | redis | kafka | mysql | together | wrk |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|")
	for _, connections := range []int{64, 512} {
		fmt.Fprintf(out, "| %d ", connections)
		together := 0.0
		for _, name := range []string{"node", "worker", "redis", "kafka", "mysql"} {
			us := medianOf(runs[connections], func(r rush) float64 { return r.cpuUS[name] })
			together += us
			fmt.Fprintf(out, "| %.1f ", us)
		}
		fmt.Fprintf(out, "| %.1f | %.1f |\n", together, medianOf(runs[connections], func(r rush) float64 { return r.cpuUS["wrk"] }))
	}
}

// medianOf is the median over runs of something that is known of each.
func medianOf[T any](runs []T, value func(T) float64) float64 {
	var values []float64
	for _, r := range runs {
		values = append(values, value(r))
	}
	return median(values)
}
