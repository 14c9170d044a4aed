package embedded

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
)

// Views may be lost at any time: the journal makes them anew, with the events that were recorded.
func TestRecordedSurvivesTheLossOfTheViews(t *testing.T) {
	files := vfs.NewMem()
	e := openEngine(t, files, "data", start)
	for _, data := range []string{"1", "2"} {
		if _, err := e.Record(t.Context(), hongbao.Event{At: start, Name: "n", Actor: "ann", Data: []byte(data)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := files.RemoveAll("data/views"); err != nil {
		t.Fatal(err)
	}
	e = openEngine(t, files, "data", start)
	if got, err := e.Recorded(t.Context(), "n"); err != nil || string(got.Data) != "2" || got.Actor != "ann" || got.At != start {
		t.Errorf("the latest is %+v, %v", got, err)
	}
}

// More names than are kept in memory, some of them long in the views, others just recorded.
func TestTheLatestOfAnyNumberOfNamesIsKnown(t *testing.T) {
	e := openEngine(t, vfs.NewMem(), "data", start)
	record := func(n, round int, after *hongbao.Event) error {
		_, err := e.Record(t.Context(), hongbao.Event{At: start, Name: fmt.Sprint("n", n), Data: fmt.Append(nil, round)}, after)
		return err
	}
	const names = 2*latestKept + 10
	var none hongbao.Event
	for round := range 3 {
		before := make([]hongbao.Event, names)
		for n := range before {
			var err error
			if before[n], err = e.Recorded(t.Context(), fmt.Sprint("n", n)); err != nil && round > 0 {
				t.Fatal(err)
			}
		}
		crowd(names, func(n uint64) {
			if err := record(int(n-1), round, &before[n-1]); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		})
		crowd(names, func(n uint64) {
			for _, after := range []*hongbao.Event{&before[n-1], &none} {
				if err := record(int(n-1), -1, after); !errors.Is(err, hongbao.ErrStale) {
					t.Errorf("round %d, after the one before: %v", round, err)
				}
			}
		})
	}
	if err := e.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := record(0, 3, nil); err != nil {
		t.Fatal(err)
	}
	if kept := len(e.latest.joined); kept > latestKept {
		t.Errorf("%d names are kept although the views have nearly all", kept)
	}
}

func TestEventsOfTheEnginesOwnAreNotTold(t *testing.T) {
	e := openEngine(t, vfs.NewMem(), "data", start)
	rain(t, e, "r", 1, 0)
	if err := e.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := e.writeCheckpoint(e.feeder.checkpoint()); err != nil {
		t.Fatal(err)
	}
	if err := e.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{zoneEvent, checkpointEvent} {
		if got, err := e.Recorded(t.Context(), name); !errors.Is(err, hongbao.ErrNotFound) {
			t.Errorf("of %s the latest is %+v, %v", name, got, err)
		}
		if _, err := e.Record(t.Context(), hongbao.Event{At: start, Name: name}, nil); !errors.Is(err, hongbao.ErrInvalid) {
			t.Errorf("recording %s is answered with %v", name, err)
		}
	}
}
