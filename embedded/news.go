package embedded

import (
	"context"
	"sync"
)

// news is whoever wants to hear of it.
type news struct {
	mu    sync.Mutex
	heard map[*listener]struct{}
}

type listener struct{ heard func() }

// Call tells whoever listens that there is news.
func (e *Engine) Call(context.Context) error {
	e.news.mu.Lock()
	defer e.news.mu.Unlock()
	for l := range e.news.heard {
		l.heard()
	}
	return nil
}

// Listen calls heard, which must not block, at once and whenever there is news, until ctx ends.
func (e *Engine) Listen(ctx context.Context, heard func()) {
	l := &listener{heard}
	e.news.mu.Lock()
	if e.news.heard == nil {
		e.news.heard = map[*listener]struct{}{}
	}
	e.news.heard[l] = struct{}{}
	heard()
	e.news.mu.Unlock()
	<-ctx.Done()
	e.news.mu.Lock()
	delete(e.news.heard, l)
	e.news.mu.Unlock()
}
