package gate

import "time"

// priority says who waits for whom under overload; the lower value goes first.
type priority uint8

const (
	playing priority = iota // snatches, openings, sign-ups
	reading                 // wallets
	listing                 // lists of campaigns

	priorities = 3
)

// waiter is a request that waits for a slot, in its caller's goroutine.
type waiter struct {
	priority     priority
	since        time.Time
	answer       chan bool // has room for the one answer: admitted, or shed
	newer, older *waiter   // its neighbours while it waits
}

// stack holds the waiters of one priority: the newest is served first, since its client still listens, and the oldest
// is given up first, since its client most likely does not.
type stack struct {
	newest, oldest *waiter
	size           int
}

// push adds the newest.
func (s *stack) push(w *waiter) {
	w.newer, w.older = nil, s.newest
	if s.newest != nil {
		s.newest.newer = w
	} else {
		s.oldest = w
	}
	s.newest = w
	s.size++
}

// remove takes out one of its waiters.
func (s *stack) remove(w *waiter) {
	if w.newer != nil {
		w.newer.older = w.older
	} else {
		s.newest = w.older
	}
	if w.older != nil {
		w.older.newer = w.newer
	} else {
		s.oldest = w.newer
	}
	w.newer, w.older = nil, nil
	s.size--
}
