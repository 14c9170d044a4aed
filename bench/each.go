package bench

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// eachAtOnce is how many requests that nobody measures are under way at once.
const eachAtOnce = 32

// each does something for each item, several at once, until it is done or ctx ends.
func each[T any](ctx context.Context, items []T, do func(T)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(eachAtOnce, len(items)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(items)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				do(items[i])
			}
		})
	}
	workers.Wait()
}

// sleep waits for d and reports whether it did: false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
