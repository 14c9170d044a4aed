package live

import (
	"errors"
	"io"
	"syscall"

	"golang.org/x/sys/unix"
)

// errSlow cuts off a reader that leaves so much unread that what it is to be told does not fit into its send buffer.
var errSlow = errors.New("live: the reader is too slow")

// peer is a connection of a shard, which alone uses it, under its lock: the descriptor itself, which is all that the process holds
// of it. What Go keeps of a connection (addresses, locks, a place in its poller) is half a kilobyte, and there may be hundreds
// of thousands.
type peer struct {
	fd   int
	from uint64 // the event up to which it was told before it joined its shard
}

// newPeer takes a connection over from Go, which has made it non-blocking: Go's own descriptor can be closed then.
func newPeer(raw syscall.RawConn, from uint64) (p peer, err error) {
	failed := raw.Control(func(fd uintptr) {
		p.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
	})
	p.from = from
	return p, errors.Join(failed, err)
}

// send writes all of data at once, or fails. It never waits.
func (p *peer) send(data []byte) error {
	for {
		n, err := unix.Write(p.fd, data)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN, err == nil && n < len(data):
			return errSlow
		}
		return err
	}
}

// listen takes note of a peer that has hung up. What else it sends nobody has asked for. It never waits.
func (p *peer) listen(scratch []byte) error {
	const most = 16 // the rest has time: a socket's buffer is bounded
	for range most {
		n, err := unix.Read(p.fd, scratch)
		switch {
		case err == unix.EAGAIN:
			return nil
		case err == unix.EINTR:
			continue
		case err != nil:
			return err
		case n == 0:
			return io.EOF
		}
	}
	return nil
}

func (p *peer) close() { _ = unix.Close(p.fd) }
