package hongbao

import "time"

// Clock reads wall time and watches it for jumps against the monotonic clock.
type Clock struct {
	wall      func() time.Time
	monotonic func() time.Duration
	wallStart time.Time
	monoStart time.Duration
}

// clockJumpMax is how far the wall clock may jump before sealing and settling stop.
const clockJumpMax = 60 * time.Second

// NewClock makes a clock of a wall clock and a monotonic one; both are injected by tests.
func NewClock(wall func() time.Time, monotonic func() time.Duration) *Clock {
	return &Clock{wall: wall, monotonic: monotonic, wallStart: wall().Round(0), monoStart: monotonic()}
}

// SystemClock is the machine's.
func SystemClock() *Clock {
	start := time.Now()
	return NewClock(time.Now, func() time.Duration { return time.Since(start) })
}

// Now is the wall time.
func (c *Clock) Now() Time { return TimeOf(c.wall()) }

// Jump is how far wall time has moved away from monotonic time since the start; ok tells whether that is tolerable.
func (c *Clock) Jump() (jump time.Duration, ok bool) {
	jump = c.wall().Round(0).Sub(c.wallStart) - (c.monotonic() - c.monoStart)
	return jump, jump.Abs() <= clockJumpMax
}
