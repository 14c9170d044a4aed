package topic

import (
	"context"
	"net"
	"sync"
	"syscall"
	"time"
)

// link is the network between one client and the brokers. It can be cut; it can lose the answers; and it can hold
// what the client sends and deliver it later, even after the client has hung up, as the kernel does for a broker that is
// stopped.
type link struct {
	mu    sync.Mutex
	state state
	conns []*linkConn
	holds func() // called when something large is held
}

type state int

const (
	whole state = iota
	cut
	mute // requests arrive, answers don't
	held // requests are held until the link is whole again
)

func (l *link) set(s state) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = s
	for _, c := range l.conns {
		switch s {
		case cut:
			c.Conn.Close()
		case whole:
			c.Conn.SetDeadline(time.Time{}) // the client's, who is no longer there
			c.Conn.Write(c.queue)
			c.queue = nil
		}
	}
}

func (l *link) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if l.is(cut) {
		return nil, syscall.ECONNREFUSED
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &linkConn{Conn: conn, link: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = append(l.conns, c)
	return c, nil
}

func (l *link) is(s state) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state == s
}

func (l *link) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		c.Conn.Close()
	}
}

type linkConn struct {
	net.Conn
	link  *link
	queue []byte // what is held
}

func (c *linkConn) Write(b []byte) (int, error) {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if c.link.state == held {
		c.queue = append(c.queue, b...)
		if len(b) > 10_000 && c.link.holds != nil {
			c.link.holds()
		}
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func (c *linkConn) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if err != nil || !c.link.is(mute) {
			return n, err
		}
	}
}

// Close leaves the connection open while something is held for it.
func (c *linkConn) Close() error {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if len(c.queue) > 0 {
		return nil
	}
	return c.Conn.Close()
}
