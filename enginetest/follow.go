package enginetest

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"hongbao"
)

// checkFollowing lets many decide on the same ground: one is heard, the others are told so, and nothing of theirs is left. So it
// is when nothing was recorded yet, after restarts, and while others record without asking.
func checkFollowing(t testing.TB, open Open) {
	s := newScene(t, open)
	f := &following{scene: s}
	f.one("")
	f.checkRefused()
	for range times(6) {
		f.race()
	}
	again := []func(hongbao.Time) hongbao.Engine{s.Restart}
	if s.Crash != nil {
		again = append(again, s.Crash)
	}
	for _, reopen := range again {
		before := f.latest("")
		f.one("")
		s.Engine = reopen(start)
		f.refused("known before a restart", event("", "late"), before)
		f.one("")
	}
	f.mixed()
	f.checkJournal()
}

// following remembers how many events were to be journaled.
type following struct {
	*scene
	recorded atomic.Int64
}

// event is one to record; the names are those of this property.
func event(name, data string) hongbao.Event {
	return hongbao.Event{Kind: hongbao.SystemRecorded, At: start, Name: "follow" + name, Actor: "enginetest", Data: []byte(data)}
}

// latest is what was recorded last, or the zero event.
func (f *following) latest(name string) hongbao.Event {
	f.Helper()
	e, err := f.Engine.Recorded(f.Context(), "follow"+name)
	if err != nil && !errors.Is(err, hongbao.ErrNotFound) {
		f.Errorf("the latest is %+v, %v", e, err)
	}
	return e
}

// follow records an event after another, whose data it names, and reports whether it was heard.
func (f *following) follow(name, data string, after hongbao.Event) bool {
	f.Helper()
	e := event(name, string(cmp.Or(string(after.Data), "none")+" "+data))
	switch _, err := f.Engine.Record(f.Context(), e, &after); {
	case err == nil:
		f.recorded.Add(1)
		return true
	case !errors.Is(err, hongbao.ErrStale):
		f.Errorf("recording after %+v is answered with %v", after, err)
	}
	return false
}

// one records an event that must be heard.
func (f *following) one(name string) {
	f.Helper()
	before := f.latest(name)
	if !f.follow(name, "alone", before) {
		f.Errorf("nobody came between, and recording after %+v is refused", before)
	}
	if e := f.latest(name); reflect.DeepEqual(e, before) {
		f.Errorf("%+v was recorded, and is not the latest", e)
	}
}

// refused asks for what must be stale.
func (f *following) refused(what string, e, after hongbao.Event) {
	f.Helper()
	before := f.latest("")
	if _, err := f.Engine.Record(f.Context(), e, &after); !errors.Is(err, hongbao.ErrStale) {
		f.Errorf("recording after what was %s is answered with %v", what, err)
	}
	if now := f.latest(""); !reflect.DeepEqual(now, before) {
		f.Errorf("refused was %+v, and the latest is %+v", e, now)
	}
}

// checkRefused goes through all that is not the latest event, by a little.
func (f *following) checkRefused() {
	f.Helper()
	old := f.latest("")
	f.one("")
	f.refused("the latest before", event("", "late"), old)
	f.refused("the latest when there was none", event("", "late"), hongbao.Event{})
	for what, change := range map[string]func(*hongbao.Event){
		"earlier":                 func(e *hongbao.Event) { e.At-- },
		"by another":              func(e *hongbao.Event) { e.Actor += " " },
		"of another campaign":     func(e *hongbao.Event) { e.Campaign++ },
		"longer":                  func(e *hongbao.Event) { e.Data = append(e.Data[:len(e.Data):len(e.Data)], 0) },
		"shorter, with one actor": func(e *hongbao.Event) { e.Actor, e.Data = e.Actor+string(e.Data[:1]), e.Data[1:] },
	} {
		other := f.latest("")
		change(&other)
		f.refused(what, event("", "late"), other)
	}
	other := f.latest("")
	other.Name += " "
	for _, after := range []hongbao.Event{other, {Kind: hongbao.EnvelopeOpened, Name: other.Name[:len(other.Name)-1]}} {
		if _, err := f.Engine.Record(f.Context(), event("", "late"), &after); !errors.Is(err, hongbao.ErrInvalid) {
			f.Errorf("recording after %+v, of another name or kind, is answered with %v", after, err)
		}
	}
}

// race lets eight follow the same event.
func (f *following) race() {
	f.Helper()
	before := f.latest("")
	var won atomic.Int64
	crowd(8, func(i int) {
		if f.follow("", fmt.Sprint(i), before) {
			won.Add(1)
		} else if now := f.latest(""); reflect.DeepEqual(now, before) {
			f.Errorf("%+v is not the latest any more, and is told to be", now)
		}
	})
	if won.Load() != 1 {
		f.Errorf("%d were heard of those who followed one event", won.Load())
	}
}

// mixed lets some follow what they know while others record without asking.
func (f *following) mixed() {
	f.Helper()
	crowd(6, func(i int) {
		for n := range times(8) {
			if i%3 > 0 {
				f.follow("", fmt.Sprint(i, n), f.latest(""))
				continue
			}
			f.recordOne(event("", fmt.Sprint("any ", i, n)))
			f.recorded.Add(1)
		}
	})
}

// checkJournal looks for what is in the journal without having been heard, and for what does not follow what it says.
func (f *following) checkJournal() {
	f.Helper()
	f.sync()
	last, found := "none", int64(0)
	for entry, err := range f.Engine.Journal(f.Context(), "") {
		if err != nil {
			f.Fatal(err)
		}
		if entry.Event.Name != "follow" {
			continue
		}
		found++
		data := string(entry.Event.Data)
		if want := "any "; data[:min(len(data), len(want))] != want && data[:min(len(data), len(last)+1)] != last+" " {
			f.Errorf("%q follows %q", data, last)
		}
		last = data
	}
	if want := f.recorded.Load(); found != want {
		f.Errorf("the journal has %d events; %d were heard", found, want)
	}
}

// checkIDs walks the journal from several positions: each event has an id of its own, the same from everywhere, and over restarts.
func checkIDs(t testing.TB, open Open) {
	s := newScene(t, open)
	c := s.rain(1000)
	var told [8]hongbao.Position
	crowd(8, func(i int) {
		for range 4 {
			won := s.snatch(c, uint64(i), start)
			s.open(uint64(i), won.Envelope, start)
		}
		at, err := s.Engine.Record(t.Context(), hongbao.Event{At: start, Name: fmt.Sprint("id-", i), Actor: "enginetest"}, nil)
		if err != nil {
			t.Error(err)
		}
		told[i] = at
	})
	s.sync()
	all := s.ids("")
	for range 2 {
		for i := 0; i < len(all); i += max(1, len(all)/12) {
			rest := s.ids(all[i].position)
			if want := len(all) - i - 1; len(rest) < want || !slices.Equal(rest[:want], all[i+1:]) { // a restart may add some
				t.Errorf("after %s, the position of %s, the ids are others than from the beginning", all[i].position, all[i].id)
			}
		}
		for _, at := range told {
			for _, e := range s.ids(at) {
				if i := slices.IndexFunc(all, func(other identified) bool { return other.id == e.id }); i >= 0 && all[i].form != e.form {
					t.Errorf("after %s, told by Record, %s is another event than from the beginning", at, e.id)
				}
			}
		}
		s.Engine = s.Restart(start)
		s.sync()
	}
}

// identified is an entry of the journal, with its event in the binary form.
type identified struct {
	id, form string
	position hongbao.Position
}

// ids reads the journal. No id may come twice.
func (s *scene) ids(after hongbao.Position) (list []identified) {
	s.Helper()
	known := map[string]bool{}
	for entry, err := range s.Engine.Journal(s.Context(), after) {
		if err != nil {
			s.Fatalf("journal after %q: %v", after, err)
		}
		if err := hongbao.CheckEventName(entry.ID); err != nil || strings.Contains(entry.ID, " ") || known[entry.ID] {
			s.Errorf("an event (%s) has the id %q, which is none or another's", entry.Event.Kind, entry.ID)
		}
		known[entry.ID] = true
		list = append(list, identified{entry.ID, string(hongbao.AppendEvent(nil, entry.Event)), entry.Position})
	}
	return list
}
