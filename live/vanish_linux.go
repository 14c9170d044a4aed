package live

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// vanishedAfter is how long what was sent may stay unacknowledged. Without a bound the system goes on for a quarter of an hour:
// phones that went out of reach would keep their places, while their players have connected anew.
const vanishedAfter = time.Minute

// boundSilence has the system end the connection of a peer that has vanished.
func boundSilence(raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(vanishedAfter.Milliseconds()))
	})
	if err == nil {
		err = failed
	}
	return err
}
