package hongbao

import (
	"encoding/json"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return location
}

func TestDayBeginsAtMidnightOfTheZone(t *testing.T) {
	cases := []struct {
		name, zone, at string
		want           int32
	}{
		{"the first day", "UTC", "1970-01-01T00:00:00Z", 0},
		{"the end of the first day", "UTC", "1970-01-01T23:59:59.999Z", 0},
		{"the second day", "UTC", "1970-01-02T00:00:00Z", 1},
		{"a millisecond before 1970", "UTC", "1969-12-31T23:59:59.999Z", -1},
		{"1969 in Shanghai while it is 1969 in UTC", "Asia/Shanghai", "1969-12-31T15:59:59.999Z", -1},
		{"1970 in Shanghai while it is 1969 in UTC", "Asia/Shanghai", "1969-12-31T16:00:00Z", 0},
		{"long before 1970", "UTC", "1900-01-01T12:00:00Z", -25567},
		{"new year in Shanghai", "Asia/Shanghai", "2026-12-31T16:00:00Z", 20819},
		{"a millisecond before", "Asia/Shanghai", "2026-12-31T15:59:59.999Z", 20818},
		{"midnight of New York in winter", "America/New_York", "2027-01-01T05:00:00Z", 20819},
		{"an hour before", "America/New_York", "2027-01-01T04:00:00Z", 20818},
		{"midnight of New York in summer", "America/New_York", "2027-07-01T04:00:00Z", 21000},
		{"a quarter of an hour off", "Asia/Kathmandu", "2027-01-01T18:15:00Z", 20820},
	}
	for _, c := range cases {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := NewCalendar(zone(t, c.zone)).Day(TimeOf(at)); got != c.want {
			t.Errorf("%s: %s in %s is day %d; must be %d", c.name, c.at, c.zone, got, c.want)
		}
	}
}

// TestDayIsTheDateWhateverWasAskedBefore walks through every change of clocks of three years: days of 23 and 25 hours,
// midnights that do not exist (São Paulo), come twice (Havana), and a day left out (Apia).
func TestDayIsTheDateWhateverWasAskedBefore(t *testing.T) {
	zones := []string{"Asia/Shanghai", "America/New_York", "America/Sao_Paulo", "America/Havana", "Africa/Cairo", "Pacific/Apia", "Australia/Lord_Howe"}
	for _, name := range zones {
		location := zone(t, name)
		date := func(at Time) int32 {
			year, month, day := at.Std().In(location).Date()
			return int32(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
		}
		calendar := NewCalendar(location)
		from := TimeOf(time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC))
		for quarter := range Time(3 * 366 * 24 * 4) {
			at := from + quarter*15*minute
			for _, at := range []Time{at, at - 1, at - 2*hour, at + hour} {
				if got, want := calendar.Day(at), date(at); got != want {
					t.Fatalf("%s in %s is day %d; must be %d", at, name, got, want)
				}
			}
		}
	}
}

func TestCalendarKnowsItsZone(t *testing.T) {
	if got := NewCalendar(zone(t, "Asia/Shanghai")).Zone(); got != "Asia/Shanghai" {
		t.Errorf("it is %s", got)
	}
}

func TestTimeInJSON(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"UTC", `"2027-02-05T12:00:00Z"`, `"2027-02-05T12:00:00Z"`},
		{"an offset", `"2027-02-05T20:00:00+08:00"`, `"2027-02-05T12:00:00Z"`},
		{"milliseconds", `"2027-02-05T12:00:00.120Z"`, `"2027-02-05T12:00:00.12Z"`},
		{"microseconds are cut", `"2027-02-05T12:00:00.123999Z"`, `"2027-02-05T12:00:00.123Z"`},
		{"unset", `null`, `null`},
		{"the first", `"2000-01-01T00:00:00Z"`, `"2000-01-01T00:00:00Z"`},
		{"the last", `"2200-12-31T23:59:59.999Z"`, `"2200-12-31T23:59:59.999Z"`},
	}
	for _, c := range cases {
		var got Time
		if err := json.Unmarshal([]byte(c.text), &got); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if written, err := json.Marshal(got); err != nil || string(written) != c.want {
			t.Errorf("%s: %s is written as %s, %v; must be %s", c.name, c.text, written, err, c.want)
		}
	}
}

func TestBadTimeIsAnErrorThatShowsAGoodOne(t *testing.T) {
	cases := []struct{ name, text string }{
		{"a number", `1800000000`},
		{"nothing", `""`},
		{"a date", `"2027-02-05"`},
		{"no zone", `"2027-02-05T12:00:00"`},
		{"the thirtieth of February", `"2027-02-30T12:00:00Z"`},
		{"1999", `"1999-12-31T23:59:59.999Z"`},
		{"1999 in UTC, 2000 where it was written", `"2000-01-01T00:00:00+08:00"`},
		{"2201", `"2201-01-01T00:00:00Z"`},
		{"2201 in UTC, 2200 where it was written", `"2200-12-31T23:00:00-08:00"`},
	}
	for _, c := range cases {
		var got Time
		err := json.Unmarshal([]byte(c.text), &got)
		refusal{"time", "", "an RFC 3339 time such as 2027-02-05T20:00:00+08:00"}.check(t, c.name, err)
	}
}

func TestTimeReadsWhatItWrites(t *testing.T) {
	first, last := TimeOf(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)), TimeOf(time.Date(2201, 1, 1, 0, 0, 0, 0, time.UTC))-1
	rapid.Check(t, func(t *rapid.T) {
		at := Time(rapid.Int64Range(int64(first), int64(last)).Draw(t, "at"))
		if got, err := ParseTime(at.String()); err != nil || got != at {
			t.Fatalf("%s is read as %s, %v", at, got, err)
		}
	})
}

func TestDurationIsWholeMilliseconds(t *testing.T) {
	cases := []struct {
		text string
		want time.Duration
	}{
		{"0s", 0}, {"15s", 15 * time.Second}, {"24h", 24 * time.Hour}, {"1h30m", 90 * time.Minute}, {"1500us", -1}, {"1ms", time.Millisecond},
		{"-1s", -1}, {"1", -1}, {"", -1}, {"1d", -1}, {"9999999999h", -1},
	}
	for _, c := range cases {
		var got Duration
		err := got.UnmarshalText([]byte(c.text))
		if c.want < 0 {
			refusal{"duration", c.text, "a duration such as 15s, 10m or 24h"}.check(t, c.text, err)
		} else if err != nil || time.Duration(got) != c.want {
			t.Errorf("%s is read as %s, %v", c.text, got, err)
		}
	}
}

func TestWritingATimeDoesNotAllocate(t *testing.T) {
	var buffer [32]byte
	if n := testing.AllocsPerRun(100, func() { opensAt.Append(buffer[:0]) }); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}
