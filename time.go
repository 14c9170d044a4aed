package hongbao

import (
	"encoding/json"
	"sync/atomic"
	"time"
)

// Time is engine time in Unix milliseconds; 0 means unset. In JSON it is RFC 3339 in UTC with milliseconds where
// there are any.
type Time int64

const timeLayout = "2006-01-02T15:04:05.999Z07:00"

// TimeOf converts t, cutting it to milliseconds.
func TimeOf(t time.Time) Time { return Time(t.UnixMilli()) }

// Std is t as a [time.Time] in UTC.
func (t Time) Std() time.Time { return time.UnixMilli(int64(t)).UTC() }

// Add is t moved by d.
func (t Time) Add(d Duration) Time { return t + Time(time.Duration(d).Milliseconds()) }

// Append appends t in RFC 3339 to b; it does not allocate.
func (t Time) Append(b []byte) []byte { return t.Std().AppendFormat(b, timeLayout) }

func (t Time) String() string { return string(t.Append(nil)) }

// MarshalJSON writes RFC 3339 in UTC, or null when unset.
func (t Time) MarshalJSON() ([]byte, error) {
	if t == 0 {
		return []byte("null"), nil
	}
	return append(t.Append([]byte{'"'}), '"'), nil
}

// UnmarshalJSON reads RFC 3339 with any offset, or null.
func (t *Time) UnmarshalJSON(b []byte) error {
	var text *string
	if err := json.Unmarshal(b, &text); err != nil {
		return Invalid("time", string(b), "an RFC 3339 time such as 2027-02-05T20:00:00+08:00")
	}
	if text == nil {
		*t = 0
		return nil
	}
	parsed, err := ParseTime(*text)
	*t = parsed
	return err
}

// ParseTime reads RFC 3339 between the years 2000 and 2200, in UTC.
func ParseTime(text string) (Time, error) {
	parsed, err := time.Parse(time.RFC3339, text)
	if year := parsed.UTC().Year(); err != nil || year < 2000 || year > 2200 {
		return 0, Invalid("time", text, "an RFC 3339 time such as 2027-02-05T20:00:00+08:00")
	}
	return TimeOf(parsed), nil
}

// Duration is a span of time; in JSON and YAML a string such as "15s" or "24h", in whole milliseconds.
type Duration time.Duration

func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes what [time.Duration] prints.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what [time.ParseDuration] reads, in whole milliseconds and not negative.
func (d *Duration) UnmarshalText(b []byte) error {
	parsed, err := time.ParseDuration(string(b))
	if err != nil || parsed < 0 || parsed%time.Millisecond != 0 {
		return Invalid("duration", string(b), durationAllowed)
	}
	*d = Duration(parsed)
	return nil
}

const durationAllowed = "a duration such as 15s, 10m or 24h, in whole milliseconds"

// Calendar tells the calendar day of an engine time in the server's zone. Days are counted from 1970-01-01.
type Calendar struct {
	zone *time.Location
	last atomic.Uint64 // minute and day of the last call: looking a zone up costs more than all else in a decision
}

// NewCalendar makes a calendar of the zone.
func NewCalendar(zone *time.Location) *Calendar {
	c := &Calendar{zone: zone}
	c.last.Store(uint64(uint32(c.dayOf(0))))
	return c
}

// Day is the day of t, in days since 1970-01-01 in the calendar's zone.
//
// It remembers the day of a minute, not the ends of a day: where clocks change at midnight, a midnight may be missing or
// come twice. Clocks change, and days begin, on whole minutes.
func (c *Calendar) Day(t Time) int32 {
	if t < 0 {
		return c.dayOf(t) // division rounds the other way there
	}
	minute := uint64(t / 60_000)
	if last := c.last.Load(); last>>32 == minute {
		return int32(uint32(last))
	}
	day := c.dayOf(t)
	c.last.Store(minute<<32 | uint64(uint32(day)))
	return day
}

func (c *Calendar) dayOf(t Time) int32 {
	year, month, date := t.Std().In(c.zone).Date()
	const seconds = 24 * 60 * 60
	unix := time.Date(year, month, date, 0, 0, 0, 0, time.UTC).Unix() // midnight in UTC: a whole number of days
	return int32(unix / seconds)
}

// Zone is the IANA name of the calendar's zone.
func (c *Calendar) Zone() string { return c.zone.String() }
