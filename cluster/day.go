package cluster

import (
	"strconv"
	"sync/atomic"

	"hongbao"
)

// day is a calendar day as scripts take it: with the time from which on it is another one.
type day struct {
	from, until hongbao.Time
	text        string
	untilText   string
}

// days remembers the day of the last look.
type days struct {
	calendar *hongbao.Calendar
	last     atomic.Pointer[day]
}

const (
	minute    = hongbao.Time(60_000)
	dayLength = 26 * 60 // minutes: as long as a day can be where clocks change
)

// of is the day of a time. Days begin on whole minutes; where clocks change at midnight one may come twice, so that the
// minutes are gone through one by one.
func (d *days) of(now hongbao.Time) *day {
	if known := d.last.Load(); known != nil && known.from <= now && now < known.until {
		return known
	}
	number := d.calendar.Day(now)
	until := now - now%minute + minute
	for n := 0; n < dayLength && d.calendar.Day(until) == number; n++ {
		until += minute
	}
	next := &day{from: now, until: until, text: formatDay(number), untilText: formatTime(until)}
	d.last.Store(next)
	return next
}

func formatDay(day int32) string { return strconv.Itoa(int(day)) }

func formatTime(t hongbao.Time) string { return strconv.FormatInt(int64(t), 10) }
