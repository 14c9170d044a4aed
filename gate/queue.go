package gate

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"hongbao"
)

const (
	// waitMax is how long a request may wait for a slot. A player's tap that has hung for half a second is tapped again.
	waitMax = 500 * time.Millisecond
	// waitingMax is how many may wait in all. It bounds memory; what bounds the wait is waitMax.
	waitingMax = 4096
	// sheddingFor is how long after the last refusal the gate still says that it sheds.
	sheddingFor = 5 * time.Second
)

// queue is where requests wait for a slot: by priority, the newest first. Where it is full, the oldest of the lowest
// priority is shed; whoever has waited for waitMax is too. Everybody in it is answered exactly once: admitted, shed, or
// gone by itself because its context ended.
//
// Whoever frees a slot must call serve after it; take must be safe without the lock. A waiter is counted before it
// looks for a slot, and a slot is freed before the count is looked at, so that one of the two always sees the other.
type queue struct {
	take    func() bool  // takes a slot where there is one
	waiting atomic.Int64 // how many are in the stacks
	waiters sync.Pool

	lock     sync.Mutex
	stacks   [priorities]stack
	shed     [priorities]uint64
	lastShed time.Time
	sweeper  *time.Timer // runs while somebody waits
	sweeps   bool
}

// wait returns once the caller has a slot, or with ErrBusy.
func (q *queue) wait(ctx context.Context, p priority) error {
	w := q.join(p)
	admitted, ended := false, false
	select {
	case admitted = <-w.answer:
	case <-ctx.Done():
		if ended = q.quit(w); !ended {
			admitted = <-w.answer
		}
	}
	q.waiters.Put(w)
	switch {
	case admitted:
		return nil
	case ended:
		return fmt.Errorf("%w: %w", hongbao.ErrBusy, context.Cause(ctx))
	default:
		return hongbao.ErrBusy
	}
}

// join makes the caller the newest of its priority, and serves who is first: maybe the caller itself.
func (q *queue) join(p priority) *waiter {
	w, _ := q.waiters.Get().(*waiter)
	if w == nil {
		w = &waiter{answer: make(chan bool, 1)}
	}
	q.lock.Lock()
	defer q.lock.Unlock()
	w.priority, w.since = p, time.Now()
	q.stacks[p].push(w)
	q.waiting.Add(1)
	q.serveLocked()
	if q.waiting.Load() > waitingMax {
		q.refuse(q.last(), w.since)
	}
	q.sweepLater(w.since)
	return w
}

// quit takes out a waiter whose context has ended; false says that it has its answer already.
func (q *queue) quit(w *waiter) bool {
	q.lock.Lock()
	defer q.lock.Unlock()
	if len(w.answer) > 0 {
		return false
	}
	q.remove(w)
	return true
}

// serve gives free slots to those who wait.
func (q *queue) serve() {
	if q.waiting.Load() == 0 {
		return
	}
	q.lock.Lock()
	defer q.lock.Unlock()
	q.serveLocked()
}

func (q *queue) serveLocked() {
	for w := q.first(); w != nil && q.take(); w = q.first() {
		q.remove(w)
		w.answer <- true
	}
}

// sweep sheds whoever has waited too long.
func (q *queue) sweep() {
	q.lock.Lock()
	defer q.lock.Unlock()
	now := time.Now()
	for w := q.oldest(); w != nil && now.Sub(w.since) >= waitMax; w = q.oldest() {
		q.refuse(w, now)
	}
	q.sweeps = false
	q.sweepLater(now)
}

// sweepLater sets the sweeper to when the oldest has waited too long, unless it is set already.
func (q *queue) sweepLater(now time.Time) {
	w := q.oldest()
	if q.sweeps || w == nil {
		return
	}
	q.sweeps = true
	after := waitMax - now.Sub(w.since)
	if q.sweeper == nil {
		q.sweeper = time.AfterFunc(after, q.sweep)
		return
	}
	q.sweeper.Reset(after)
}

// refuse sheds a waiter.
func (q *queue) refuse(w *waiter, now time.Time) {
	q.remove(w)
	q.shed[w.priority]++
	q.lastShed = now
	w.answer <- false
}

func (q *queue) remove(w *waiter) {
	q.stacks[w.priority].remove(w)
	q.waiting.Add(-1)
}

// first is who is served next: the newest of the highest priority that waits.
func (q *queue) first() *waiter {
	for p := range q.stacks {
		if w := q.stacks[p].newest; w != nil {
			return w
		}
	}
	return nil
}

// last is who is shed next: the oldest of the lowest priority that waits.
func (q *queue) last() *waiter {
	for p := len(q.stacks) - 1; p >= 0; p-- {
		if w := q.stacks[p].oldest; w != nil {
			return w
		}
	}
	return nil
}

// oldest is who has waited longest, of whatever priority.
func (q *queue) oldest() *waiter {
	var oldest *waiter
	for p := range q.stacks {
		if w := q.stacks[p].oldest; w != nil && (oldest == nil || w.since.Before(oldest.since)) {
			oldest = w
		}
	}
	return oldest
}

// describe fills in what the queue knows.
func (q *queue) describe(s *inFlightState) {
	q.lock.Lock()
	defer q.lock.Unlock()
	for p := range q.stacks {
		s.waiting[p] = q.stacks[p].size
	}
	s.shed = q.shed
	s.shedding = !q.lastShed.IsZero() && time.Since(q.lastShed) < sheddingFor
}
