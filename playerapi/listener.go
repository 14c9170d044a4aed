package playerapi

import (
	"io"
	"net"
)

// sendBuffer is how much of its answers a client may leave unread before the server waits for it. The kernel would let it
// grow to megabytes a connection, and as much work be done for somebody who reads nothing.
const sendBuffer = 64 << 10

// boundedListener bounds the send buffers of the connections that it accepts, and turns away those that are too many.
type boundedListener struct {
	net.Listener
	full func() bool
}

// Accept accepts a connection.
func (l boundedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	for err == nil && l.full() {
		_, _ = io.WriteString(conn, turnedAway) // it fits into the buffer of a connection that is new
		_ = conn.Close()
		conn, err = l.Listener.Accept()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer) // where it can't be bounded, it is as before
	}
	return conn, err
}

const turnedAway = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n"

// full reports whether there are as many connections as there may be, with those that are told of events: these fasthttp does
// not count any more.
func (s *Server) full() bool {
	return int(s.http.GetOpenConnectionsCount())+s.eventConnections() >= s.total
}
