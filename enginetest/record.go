package enginetest

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"hongbao"
)

// checkLatest records events of several names from several goroutines: each is the latest of its name as soon as it is
// recorded, and stays it over restarts and power cuts, until the next of the name.
func checkLatest(t testing.TB, open Open) {
	s := newScene(t, open)
	s.checkNames()
	names := []string{"a", "a ", "aa", "b", "c", "~", strings.Repeat("~", 64), "shared"}
	latest := map[string]hongbao.Event{}
	for round := range times(3) {
		latest = s.recordOf(names, round)
		again := []func(hongbao.Time) hongbao.Engine{s.Restart}
		if s.Crash != nil {
			again = append(again, s.Crash)
		}
		for _, reopen := range again {
			s.Engine = reopen(start)
			for _, name := range names {
				if e, err := s.Engine.Recorded(t.Context(), name); err != nil || !reflect.DeepEqual(e, latest[name]) {
					t.Errorf("after a restart the latest %q is %+v, %v; must be %+v", name, e, err, latest[name])
				}
			}
		}
	}
	s.sync()
	journaled := map[string]hongbao.Event{}
	for entry, err := range s.Engine.Journal(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		journaled[entry.Event.Name] = *entry.Event
	}
	for _, name := range names {
		if !reflect.DeepEqual(journaled[name], latest[name]) {
			t.Errorf("the latest %q in the journal is %+v, and was told to be %+v", name, journaled[name], latest[name])
		}
	}
}

// checkNames records what has no good name, and asks for what was never recorded.
func (s *scene) checkNames() {
	s.Helper()
	for _, name := range []string{"", strings.Repeat("n", 64+1), "a\nb", "\x7f", "\u94a5\u5319"} {
		if _, err := s.Engine.Record(s.Context(), hongbao.Event{At: start, Name: name}, nil); !errors.Is(err, hongbao.ErrInvalid) {
			s.Errorf("an event named %q is answered with %v", name, err)
		}
	}
	for _, name := range []string{"a", "", "timezone"} {
		if e, err := s.Engine.Recorded(s.Context(), name); !errors.Is(err, hongbao.ErrNotFound) {
			s.Errorf("of %q, which was never recorded, the latest is %+v, %v", name, e, err)
		}
	}
}

// recordOf lets one goroutine for each name record events of it, the last name from all, and returns the latest.
func (s *scene) recordOf(names []string, round int) map[string]hongbao.Event {
	s.Helper()
	own, shared := names[:len(names)-1], names[len(names)-1]
	crowd(len(own), func(i int) {
		for n := range 6 {
			text := fmt.Sprintf("%d %d %d", round, i, n)
			want := hongbao.Event{
				Kind: hongbao.SystemRecorded, At: start, Campaign: uint32(i), Name: own[i], Actor: "enginetest", Data: []byte(text),
			}
			s.recordOne(want)
			if e, err := s.Engine.Recorded(s.Context(), own[i]); err != nil || !reflect.DeepEqual(e, want) {
				s.Errorf("just recorded is %+v, the latest is %+v, %v", want, e, err)
			}
			want.Name = shared
			s.recordOne(want)
		}
	})
	latest := map[string]hongbao.Event{}
	for _, name := range names {
		e, err := s.Engine.Recorded(s.Context(), name)
		if err != nil || e.Name != name || !strings.HasPrefix(string(e.Data), fmt.Sprint(round)) {
			s.Errorf("the latest %q is %+v, %v", name, e, err)
		}
		latest[name] = e
	}
	return latest
}

func (s *scene) recordOne(e hongbao.Event) {
	s.Helper()
	if _, err := s.Engine.Record(s.Context(), e, nil); err != nil {
		s.Errorf("record: %v", err)
	}
}
