package playerapi

import "net"

// sendBuffer is how much of its answers a client may leave unread before the server waits for it. The kernel would let it
// grow to megabytes a connection, and as much work be done for somebody who reads nothing.
const sendBuffer = 64 << 10

// boundedListener bounds the send buffers of the connections that it accepts.
type boundedListener struct{ net.Listener }

// Accept accepts a connection.
func (l boundedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer) // where it can't be bounded, it is as before
	}
	return conn, err
}
