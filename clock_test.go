package hongbao

import (
	"testing"
	"time"
)

// handClock is a clock whose two sources are moved by hand.
type handClock struct {
	*Clock
	wall      time.Time
	monotonic time.Duration
}

func newHandClock(at Time) *handClock {
	h := &handClock{wall: at.Std(), monotonic: 7 * time.Hour}
	h.Clock = NewClock(func() time.Time { return h.wall }, func() time.Duration { return h.monotonic })
	return h
}

// pass lets time go by; jump moves the wall clock alone.
func (h *handClock) pass(d time.Duration) { h.monotonic += d; h.jump(d) }
func (h *handClock) jump(d time.Duration) { h.wall = h.wall.Add(d) }

func TestClockToleratesAJumpOfAMinute(t *testing.T) {
	cases := []struct {
		name string
		jump time.Duration
		ok   bool
	}{
		{"no jump", 0, true},
		{"a minute forward", time.Minute, true},
		{"more than a minute forward", time.Minute + time.Millisecond, false},
		{"a minute back", -time.Minute, true},
		{"more than a minute back", -time.Minute - time.Millisecond, false},
		{"a year forward", 365 * 24 * time.Hour, false},
	}
	for _, c := range cases {
		clock := newHandClock(opensAt)
		clock.pass(100 * time.Hour)
		clock.jump(c.jump)
		if jump, ok := clock.Jump(); ok != c.ok || jump != c.jump {
			t.Errorf("%s: told of %s, tolerable %t", c.name, jump, ok)
		}
		clock.jump(-c.jump)
		if _, ok := clock.Jump(); !ok {
			t.Errorf("%s: not tolerable after they agree again", c.name)
		}
	}
}

func TestSmallJumpsAddUp(t *testing.T) {
	clock := newHandClock(opensAt)
	for range 4 {
		clock.pass(time.Hour)
		clock.jump(20 * time.Second)
	}
	if jump, ok := clock.Jump(); ok || jump != 80*time.Second {
		t.Errorf("told of %s, tolerable %t", jump, ok)
	}
}

func TestClockTellsWallTime(t *testing.T) {
	clock := newHandClock(opensAt)
	clock.jump(-time.Hour)
	if got := clock.Now(); got != opensAt-hour {
		t.Errorf("it is %s", got)
	}
}

func TestSystemClockDoesNotJump(t *testing.T) {
	clock := SystemClock()
	if jump, ok := clock.Jump(); !ok {
		t.Errorf("it jumped by %s", jump)
	}
	if off := time.Since(clock.Now().Std()); off < 0 || off > time.Minute {
		t.Errorf("it is %s off", off)
	}
}
