package systemtest

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// proxy is a link to a server, of which everything can be made worse.
type proxy struct {
	target  string
	address string

	delay    atomic.Int64 // nanoseconds, each way
	rate     atomic.Int64 // bytes a second, each way; 0: no limit
	accepted atomic.Int64 // connections so far
	moved    atomic.Int64 // bytes so far

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]bool
	open     chan struct{} // closed while bytes may pass
	holds    bool
	ended    bool
	running  sync.WaitGroup
}

// newProxy listens on a free port until the test ends.
func newProxy(t testing.TB, target string) *proxy {
	t.Helper()
	p := &proxy{target: target, address: "127.0.0.1:0", conns: map[net.Conn]bool{}, open: make(chan struct{})}
	close(p.open)
	if err := p.listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	return p
}

func (p *proxy) listen() error {
	listener, err := net.Listen("tcp", p.address)
	if err != nil {
		return err
	}
	p.address, p.listener = listener.Addr().String(), listener
	p.running.Go(func() { p.accept(listener) })
	return nil
}

func (p *proxy) accept(listener net.Listener) {
	for {
		near, err := listener.Accept()
		if err != nil {
			return
		}
		p.accepted.Add(1)
		p.running.Go(func() { p.serve(near) })
	}
}

// serve connects to the target, and ends both connections when one of them ends.
func (p *proxy) serve(near net.Conn) {
	defer near.Close()
	if !p.keep(near) {
		return
	}
	defer p.drop(near)
	far, err := net.DialTimeout("tcp", p.target, time.Second)
	if err != nil {
		return
	}
	defer far.Close()
	if !p.keep(far) {
		return
	}
	defer p.drop(far)
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			p.carry(way[0], way[1])
			near.Close()
			far.Close()
		})
	}
	both.Wait()
}

// parcel is what was read at one moment.
type parcel struct {
	data []byte
	at   time.Time
}

// carry moves bytes one way, each as long after it came as the delay is.
func (p *proxy) carry(from, to net.Conn) {
	parcels := make(chan parcel, 1024)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(parcels)
		for {
			buffer := make([]byte, 16<<10)
			n, err := from.Read(buffer)
			if n > 0 {
				parcels <- parcel{buffer[:n], time.Now()}
			}
			if err != nil {
				return
			}
		}
	})
	for one := range parcels {
		time.Sleep(time.Until(one.at.Add(time.Duration(p.delay.Load()))))
		if rate := p.rate.Load(); rate > 0 {
			time.Sleep(time.Duration(len(one.data)) * time.Second / time.Duration(rate))
		}
		p.await()
		if _, err := to.Write(one.data); err != nil {
			from.Close()
			break
		}
		p.moved.Add(int64(len(one.data)))
	}
	for range parcels {
	}
	reading.Wait()
}

func (p *proxy) await() {
	p.mu.Lock()
	open := p.open
	p.mu.Unlock()
	<-open
}

func (p *proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = !p.ended
	return !p.ended
}

func (p *proxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// slow delays everything that passes, each way, and lets no more than so many bytes a second through.
func (p *proxy) slow(delay time.Duration, bytes int64) {
	p.delay.Store(int64(delay))
	p.rate.Store(bytes)
}

// cut ends all connections, with a reset.
func (p *proxy) cut() (connections int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
	return len(p.conns) / 2
}

// swallow lets nothing pass any more, and connections open; what was swallowed arrives with release.
func (p *proxy) swallow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.holds {
		p.open, p.holds = make(chan struct{}), true
	}
}

func (p *proxy) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.holds {
		close(p.open)
		p.holds = false
	}
}

// refuse ends all connections, and takes none any more.
func (p *proxy) refuse() {
	p.listener.Close()
	p.cut()
}

// admit takes connections again.
func (p *proxy) admit(t testing.TB) {
	t.Helper()
	if err := p.listen(); err != nil {
		t.Fatal(err)
	}
}

func (p *proxy) close() {
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	p.slow(0, 0)
	p.release()
	p.listener.Close()
	p.cut()
	p.running.Wait()
}

// Each of the faults of a proxy is one: what is tested with it would otherwise be tested without.
func TestAProxyMakesALinkWorse(t *testing.T) {
	t.Parallel()
	p := newProxy(t, echo(t))
	c := dialProxy(t, p)
	ask := func(c net.Conn) (took time.Duration, err error) {
		began := time.Now()
		_ = c.SetDeadline(began.Add(time.Second))
		if _, err := c.Write(make([]byte, 1000)); err != nil {
			return 0, err
		}
		_, err = io.ReadFull(c, make([]byte, 1000))
		return time.Since(began), err
	}
	if _, err := ask(c); err != nil {
		t.Fatal(err)
	}
	p.slow(50*time.Millisecond, 0)
	if took, err := ask(c); err != nil || took < 100*time.Millisecond {
		t.Errorf("50 ms each way took %s: %v", took, err)
	}
	p.slow(0, 10_000)
	if took, err := ask(c); err != nil || took < 200*time.Millisecond {
		t.Errorf("1,000 bytes each way at 10,000 a second took %s: %v", took, err)
	}
	p.slow(0, 0)
	p.swallow()
	var timeout net.Error
	if _, err := ask(c); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("a link that swallows everything: %v", err)
	}
	p.release()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	if _, err := io.ReadFull(c, make([]byte, 1000)); err != nil {
		t.Errorf("what was swallowed does not come: %v", err)
	}
	p.cut()
	if _, err := ask(c); err == nil {
		t.Error("a connection that was cut answers")
	}
	if _, err := ask(dialProxy(t, p)); err != nil {
		t.Errorf("a new connection after a cut: %v", err)
	}
	p.refuse()
	if c, err := net.Dial("tcp", p.address); err == nil {
		c.Close()
		t.Error("a link that refuses takes a connection")
	}
	p.admit(t)
	if _, err := ask(dialProxy(t, p)); err != nil {
		t.Errorf("a new connection to a link that admits again: %v", err)
	}
}

func dialProxy(t *testing.T, p *proxy) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// echo is a server that says what it is told.
func echo(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	return listener.Addr().String()
}
