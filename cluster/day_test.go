package cluster

import (
	"testing"
	"time"

	"hongbao"
)

// TestDaysEndWhereTheCalendarSays goes through two years in zones whose clocks change, at midnight and elsewhere.
func TestDaysEndWhereTheCalendarSays(t *testing.T) {
	for _, name := range []string{"Asia/Shanghai", "America/Sao_Paulo", "America/New_York", "Africa/Cairo"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		d := days{calendar: hongbao.NewCalendar(zone)}
		from := hongbao.TimeOf(time.Date(2018, 1, 1, 0, 0, 0, 0, zone))
		for at := from; at < from+730*24*60*minute; at += 7*60*minute + 1 {
			one := d.of(at)
			if number := d.calendar.Day(at); one.text != formatDay(number) || at < one.from || at >= one.until {
				t.Fatalf("%s at %s: %+v", name, at, one)
			}
			if d.calendar.Day(one.until-1) != d.calendar.Day(at) || d.calendar.Day(one.until) == d.calendar.Day(at) {
				t.Fatalf("%s at %s: the day ends at %s", name, at, one.until)
			}
		}
	}
}
