package bench

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// crowd decides what the next request is, sends it, and tells what came of it.
type crowd interface {
	play(random *rand.Rand) (Operation, Result)
}

// Operation is what a request asks for.
type Operation string

// The operations.
const (
	OpSnatch Operation = "snatch"
	OpOpen   Operation = "open"
	OpWallet Operation = "wallet"
	OpSignUp Operation = "signup"
	OpTicket Operation = "ticket" // with the work that it asks for
)

// load sends a crowd's requests.
type load struct {
	crowd    crowd
	timeline *timeline
	seed     uint64
	workers  int // requests under way at most
}

// drainMax is how long after the end requests may still be sent that were due before it.
const drainMax = time.Second

// open sends requests when they are due, whatever became of those before. Latency counts from then: Gil Tene's
// "coordinated omission" is what it avoids. What could not be sent by drainMax after the end, or finds the queue full,
// is counted as not sent.
func (l *load) open(ctx context.Context, a *arrivals, end time.Time, limit int) {
	queue := make(chan time.Time, l.queueLen(a.rate, limit))
	var workers sync.WaitGroup
	for i := range l.workers {
		workers.Go(func() {
			random := l.random(i)
			for due := range queue {
				if ctx.Err() != nil || time.Since(end) > drainMax {
					l.timeline.notSent(due)
					continue
				}
				l.one(random, due)
			}
		})
	}
	a.send(ctx, end, limit, func(due time.Time) {
		select {
		case queue <- due:
		default:
			l.timeline.notSent(due)
		}
	})
	close(queue)
	workers.Wait()
}

// queueLen is room for ten seconds in which the server answers nothing, or for all.
func (l *load) queueLen(rate float64, limit int) int {
	const lowest, highest = 1 << 10, 1 << 20
	if limit > 0 {
		return limit
	}
	return int(min(max(rate*10, lowest), highest))
}

// closed lets each worker send one request after the other. The slower the server, the fewer requests: latencies look
// better than a crowd would find them.
func (l *load) closed(ctx context.Context, end time.Time) {
	var workers sync.WaitGroup
	for i := range l.workers {
		workers.Go(func() {
			random := l.random(i)
			for now := time.Now(); ctx.Err() == nil && now.Before(end); now = time.Now() {
				l.one(random, now)
			}
		})
	}
	workers.Wait()
}

func (l *load) one(random *rand.Rand, due time.Time) {
	operation, result := l.crowd.play(random)
	l.timeline.answered(operation, result, due, time.Now())
}

// random is the worker's own source.
func (l *load) random(worker int) *rand.Rand { return rand.New(rand.NewPCG(l.seed, uint64(worker))) }
