package embedded

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
)

// Views may be lost at any time: the journal makes them anew, with the events that were recorded.
func TestRecordedSurvivesTheLossOfTheViews(t *testing.T) {
	files := vfs.NewMem()
	e := openEngine(t, files, "data", start)
	for _, data := range []string{"1", "2"} {
		if _, err := e.Record(t.Context(), hongbao.Event{At: start, Name: "n", Actor: "ann", Data: []byte(data)}); err != nil {
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
		if _, err := e.Record(t.Context(), hongbao.Event{At: start, Name: name}); !errors.Is(err, hongbao.ErrInvalid) {
			t.Errorf("recording %s is answered with %v", name, err)
		}
	}
}
