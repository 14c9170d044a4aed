//go:build !linux

package bench

import "time"

// newNap returns a short sleep; it may end up to a millisecond late.
func newNap() (nap func(time.Duration), done func()) { return time.Sleep, func() {} }
