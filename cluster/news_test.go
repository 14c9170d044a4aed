package cluster

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// ear is a listener that a test waits for.
type ear struct {
	testing.TB
	calls chan struct{}
}

// listen lets a node listen until the test ends, and returns when it does.
func (b *bed) listen(e *Engine) *ear {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	heard := &ear{b, make(chan struct{}, 1000)}
	done := make(chan struct{})
	go func() {
		e.Listen(ctx, func() { heard.calls <- struct{}{} })
		close(done)
	}()
	b.Cleanup(func() { cancel(); <-done })
	heard.waits("the connection")
	return heard
}

func (h *ear) waits(what string) {
	h.Helper()
	select {
	case <-h.calls:
	case <-time.After(20 * time.Second):
		h.Fatal("never heard of ", what)
	}
}

// Servers pass a call on to whichever of them a process listens to.
func TestCallIsHeardByAllNodes(t *testing.T) {
	b := newBed(t, 4)
	caller := b.open()
	var ears []*ear
	for range 6 {
		ears = append(ears, b.listen(b.open()))
	}
	for range 20 {
		if err := caller.Call(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, heard := range ears {
			heard.waits("a call")
		}
	}
}

// killListeners ends the connections of listeners, whichever server they have chosen.
func (b *bed) killListeners(e *Engine) {
	b.Helper()
	killed := int64(0)
	for _, address := range slices.Compact(slices.Sorted(slices.Values(e.redis.candidates()))) {
		client, err := e.redis.dial(address)
		if err != nil {
			b.Fatal(err)
		}
		defer client.Close()
		n, err := client.Do(b.Context(), client.B().Arbitrary("CLIENT", "KILL", "TYPE", "PUBSUB").Build()).AsInt64()
		if err != nil {
			b.Fatal(err)
		}
		killed += n
	}
	if killed == 0 {
		b.Fatal("nobody listened")
	}
}

func TestListenerWhoseConnectionEndsHearsOfItAndOfWhatFollows(t *testing.T) {
	b := newBed(t, 2)
	e := b.open()
	heard := b.listen(e)
	for range 5 {
		b.killListeners(e)
		heard.waits("the new connection")
		if err := e.Call(t.Context()); err != nil {
			t.Fatal(err)
		}
		heard.waits("a call after it")
	}
}

// stalled passes a connection to a server on until it is told to stall, and then keeps it open in silence.
func stalled(t *testing.T, server string) (address string, stall func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	pass := func(to, from net.Conn) {
		buffer := make([]byte, 4096)
		for {
			n, err := from.Read(buffer)
			if err != nil {
				return
			}
			if ctx.Err() == nil {
				_, _ = to.Write(buffer[:n])
			}
		}
	}
	all.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", server)
			if err != nil {
				t.Error(err)
				return
			}
			all.Go(func() { pass(far, near); far.Close() })
			all.Go(func() { pass(near, far); near.Close() })
		}
	})
	t.Cleanup(func() { listener.Close(); cancel(); all.Wait() })
	return listener.Addr().String(), cancel
}

// A server that hangs says nothing, not even that it is gone.
func TestListenerLeavesAServerThatHangs(t *testing.T) {
	b := newBed(t, 1)
	e := b.open()
	address, stall := stalled(t, e.redis.lane(e.home()).address)
	e.redis.seeds = []string{address} // the last of the candidates
	heard := &ear{t, make(chan struct{}, 10)}
	done := make(chan error, 1)
	go func() {
		done <- e.listen(t.Context(), len(e.redis.candidates())-1, func() { heard.calls <- struct{}{} }, func() {})
	}()
	heard.waits("the connection")
	if err := e.Call(t.Context()); err != nil {
		t.Fatal(err)
	}
	heard.waits("a call")
	stall()
	select {
	case err := <-done:
		if err == nil {
			t.Error("it ends without an error")
		}
	case <-time.After(20 * time.Second):
		t.Error("it listens to a server that hangs")
	}
}
