package bench

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// newNap returns a sleep for less than a millisecond that ends in time. Where nothing else happens, Go's timers wake up
// to a millisecond late, because they wait in whole milliseconds of epoll; a timerfd wakes epoll itself, some 40 µs late.
func newNap() (nap func(time.Duration), done func()) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return time.Sleep, func() {}
	}
	file := os.NewFile(uintptr(fd), "timerfd")
	var expirations [8]byte
	nap = func(d time.Duration) {
		setting := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
		if unix.TimerfdSettime(fd, 0, &setting, nil) != nil {
			time.Sleep(d)
			return
		}
		_, _ = file.Read(expirations[:]) // whoever naps looks at the clock next
	}
	return nap, func() { _ = file.Close() }
}
