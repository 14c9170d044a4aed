package live

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"hongbao"
)

const (
	placeKept     = 10 * time.Second // for a connection that was let in and does not come
	greetingMax   = 10 * time.Second // how long a new connection may take to read what it is told first
	receiveBuffer = 4 << 10          // what clients send is dropped, and must not fill memory meanwhile
)

// Connections is how many connections there are, or are about to be.
func (h *Hub) Connections() int { return int(h.connections.Load()) }

// ConnectionsMax is how many there may be.
func (h *Hub) ConnectionsMax() int { return int(h.most) }

// Enter keeps a place for a connection whose request says that it has been told of events up to since (nil: it has not), or
// returns ErrBusy. The place is taken by calling stay with the connection, from a goroutine of its own, and given back when it
// is lost: stay writes header, then what campaigns appends, the frames that say how they stand, then the events missed, and leaves
// the connection to the hub. Nothing that happens after campaigns looked is skipped. A place that is not taken is given back: an
// HTTP server calls nobody when it finds the connection broken before it hands it over.
//
// Of a since that is not kept any more everything kept is told. One that is yet to come is another server's: it is ignored.
func (h *Hub) Enter(header []byte, since *uint64, campaigns func(b []byte) []byte) (stay func(net.Conn), err error) {
	if !h.reserve() {
		h.refused.Add(1)
		return nil, fmt.Errorf("%w: there are as many connections as there may be", hongbao.ErrBusy)
	}
	h.mu.RLock()
	known, last := h.known, h.last
	h.mu.RUnlock()
	if !known {
		h.connections.Add(-1)
		h.refused.Add(1)
		return nil, fmt.Errorf("%w: the events are yet to be read", hongbao.ErrBusy)
	}
	greeting := campaigns(appendRetry(header, retrySpread))
	greeting = h.replay(greeting, since, last)
	kept := time.AfterFunc(placeKept, func() { h.connections.Add(-1) })
	return func(conn net.Conn) {
		if !kept.Stop() { // it comes too late
			_ = conn.Close()
			return
		}
		if err := h.take(conn, greeting, last); err != nil {
			h.lost(err)
		}
	}, nil
}

func (h *Hub) reserve() bool {
	if h.connections.Add(1) <= h.most && !h.closing.Load() {
		return true
	}
	h.connections.Add(-1)
	return false
}

// replay appends the events up to last that come after since. With none, it says where the connection stands all the same.
func (h *Hub) replay(b []byte, since *uint64, last uint64) []byte {
	h.mu.RLock()
	defer h.mu.RUnlock()
	oldest := h.last - min(h.last, ringLength) + 1
	from := last + 1
	if since != nil && *since <= last {
		from = max(*since+1, oldest)
	} else {
		recent := int64(h.service.Now()) - h.lag.Milliseconds()
		for h.lag > 0 && from > oldest && h.ring[(from-1)%ringLength].at >= recent {
			from--
		}
	}
	if from > last {
		return appendID(b, last)
	}
	for id := from; id <= last; id++ {
		b = append(b, h.ring[id%ringLength].text...)
	}
	return b
}

var errNoSocket = errors.New("live: the connection has no socket of the system")

// take greets a connection and hands it to a shard. It closes conn whatever comes of it.
func (h *Hub) take(conn net.Conn, greeting []byte, last uint64) error {
	defer conn.Close()
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return errNoSocket
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	if tcp, ok := conn.(*net.TCPConn); ok { // what can't be set is as before
		_ = tcp.SetReadBuffer(receiveBuffer)
		_ = tcp.SetKeepAlive(false) // heartbeats do that
		_ = boundSilence(raw)
	}
	if err := conn.SetWriteDeadline(time.Now().Add(greetingMax)); err != nil {
		return err
	}
	if _, err := conn.Write(greeting); err != nil {
		return err
	}
	p, err := newPeer(raw, last)
	if err != nil {
		return err
	}
	if err := h.shards[h.next.Add(1)%uint64(len(h.shards))].add(p); err != nil {
		p.close()
		return err
	}
	return nil
}

// lost gives the place of a connection back.
func (h *Hub) lost(why error) {
	if errors.Is(why, errSlow) {
		h.slow.Add(1)
	}
	h.connections.Add(-1)
}
