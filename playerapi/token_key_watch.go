package playerapi

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"
)

// KeyReloads counts what became of keys for tokens that changed while the server ran.
type KeyReloads struct{ Taken, Refused uint64 }

// keyState is what a server tells about its keys.
type keyState struct {
	fault          atomic.Pointer[error] // why older keys than those that are given are in force; nil: they are not
	taken, refused atomic.Uint64
}

// Watch looks for other keys until ctx ends. Keys that are good replace those in force, and tokens of keys that are gone
// are refused from then on; keys that can't be read, or of which one is bad, are logged, and those in force stay.
func (s *Server) Watch(ctx context.Context) {
	if t, ok := s.identity.(*tokens); ok && t.reload != nil {
		t.watch(ctx)
	}
}

// Degraded tells why the keys in force are not those that are given, since [Server.Watch] saw them change; nil when they
// are. Players are served all the same.
func (s *Server) Degraded() error {
	if t, ok := s.identity.(*tokens); ok {
		if fault := t.state.fault.Load(); fault != nil {
			return *fault
		}
	}
	return nil
}

// KeyReloads reads the counters, which are zero where tokens are not what says who plays.
func (s *Server) KeyReloads() KeyReloads {
	t, ok := s.identity.(*tokens)
	if !ok {
		return KeyReloads{}
	}
	return KeyReloads{Taken: t.state.taken.Load(), Refused: t.state.refused.Load()}
}

func (t *tokens) watch(ctx context.Context) {
	ticker := time.NewTicker(t.reloadEvery)
	defer ticker.Stop()
	w := keyWatch{tokens: t, judged: t.keys.Load().sum}
	w.seen = w.judged
	for {
		select {
		case <-ticker.C:
			w.look()
		case <-ctx.Done():
			return
		}
	}
}

// keyWatch judges each change once.
type keyWatch struct {
	*tokens
	seen   keySum // the last time
	judged keySum // what is in force, or was refused
}

// look takes a change when it sees it for the second time: the first time a file may be half-written.
func (w *keyWatch) look() {
	texts, err := w.reload()
	sum := keySumOf(texts, err)
	settled := sum == w.seen
	w.seen = sum
	if !settled || sum == w.judged {
		return
	}
	w.judged = sum
	w.judge(texts, err, sum)
}

func (t *tokens) judge(texts [][]byte, err error, sum keySum) {
	changed := sum != t.keys.Load().sum
	if err == nil && changed {
		err = t.use(texts)
	}
	switch {
	case err != nil:
		err = fmt.Errorf("older keys for tokens stay in force: %w", err)
		t.state.fault.Store(&err)
		t.state.refused.Add(1)
		t.logger.Error("keys for tokens were refused", "error", err)
		return
	case changed:
		t.state.taken.Add(1)
	}
	t.state.fault.Store(nil)
	t.logger.Info("keys for tokens are in force", "keys", len(t.keys.Load().set.Keys), "changed", changed)
}

// keySum tells one state of the keys, or one reason why they can't be read, from another.
type keySum [sha256.Size]byte

func keySumOf(texts [][]byte, err error) keySum {
	if err != nil {
		return sha256.Sum256([]byte("fault " + err.Error()))
	}
	text := []byte("keys ")
	for _, t := range texts {
		text = binary.AppendUvarint(text, uint64(len(t)))
		text = append(text, t...)
	}
	return sha256.Sum256(text)
}
