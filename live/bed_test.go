package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
	"hongbao/embedded"
)

// bed is a service on a real engine in memory, whose time stands still until it is moved.
type bed struct {
	t       testing.TB
	wall    atomic.Int64 // Unix milliseconds
	mono    atomic.Int64 // the same, unless the wall clock has jumped
	engine  *embedded.Engine
	service *hongbao.Service
}

func newBed(t testing.TB) *bed {
	t.Helper()
	return newBedOn(t, func(e hongbao.Engine) hongbao.Engine { return e })
}

// newBedOn gives the service what is made of the engine.
func newBedOn(t testing.TB, made func(hongbao.Engine) hongbao.Engine) *bed {
	t.Helper()
	b := &bed{t: t}
	b.pass(time.Duration(opens-10*minute) * time.Millisecond)
	engine, err := embedded.Open(embedded.Options{
		Dir: "data", FS: vfs.NewMem(), Calendar: hongbao.NewCalendar(time.UTC), SegmentBytes: 1 << 20,
		Now: func() hongbao.Time { return hongbao.Time(b.wall.Load()) }, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	b.engine = engine
	clock := hongbao.NewClock(
		func() time.Time { return time.UnixMilli(b.wall.Load()) },
		func() time.Duration { return time.Duration(b.mono.Load()) * time.Millisecond })
	b.service = hongbao.NewService(hongbao.Options{
		Engine: made(engine), Secret: engine.Secret(), Clock: clock, Logger: slog.New(slog.DiscardHandler),
	})
	return b
}

// pass lets time go by.
func (b *bed) pass(d time.Duration) {
	b.wall.Add(d.Milliseconds())
	b.mono.Add(d.Milliseconds())
}

// tend does what the clock demands of the service.
func (b *bed) tend() {
	b.t.Helper()
	if err := b.service.Tend(context.Background()); err != nil {
		b.t.Fatal(err)
	}
}

// create makes a campaign that opens in so long, for ten minutes, of ten envelopes.
func (b *bed) create(name string, in time.Duration) *hongbao.Campaign {
	b.t.Helper()
	now := hongbao.Time(b.wall.Load())
	spec := hongbao.Spec{
		Name: name, Kind: hongbao.Rain, OpensAt: hongbao.AtTime(now.Add(hongbao.Duration(in))), Lasts: hongbao.Duration(10 * time.Minute),
		Budget: hongbao.BudgetSpec{TotalFen: 1000, Count: 10},
	}
	c, err := b.service.Create(context.Background(), spec, "ann")
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// set pauses or resumes a campaign.
func (b *bed) set(c *hongbao.Campaign, paused bool) {
	b.t.Helper()
	if _, err := b.service.Revise(context.Background(), c.ID, 0, hongbao.Patch{Paused: &paused}, "ann"); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bed) cancel(c *hongbao.Campaign) {
	b.t.Helper()
	if _, err := b.service.Cancel(context.Background(), c.ID, "ann"); err != nil {
		b.t.Fatal(err)
	}
}

// announcer is a new one, as after a restart.
func (b *bed) announcer() *Announcer {
	return NewAnnouncer(AnnouncerOptions{Service: b.service, Logger: slog.New(slog.DiscardHandler), Call: b.engine.Call})
}

// announce has a new announcer tell what is due.
func (b *bed) announce() {
	b.t.Helper()
	if err := b.announcer().Look(context.Background()); err != nil {
		b.t.Fatal(err)
	}
}

// journaled are the events in the journal, in its order. Each record must be of the next id.
func (b *bed) journaled() (records []Record) {
	b.t.Helper()
	if err := b.engine.Sync(context.Background()); err != nil {
		b.t.Fatal(err)
	}
	for e, err := range b.engine.Journal(context.Background(), "") {
		if err != nil {
			b.t.Fatal(err)
		}
		if e.Event.Kind != hongbao.SystemRecorded || !IsRecord(e.Event.Name) {
			continue
		}
		r, err := ParseRecord(e.Event)
		if err != nil {
			b.t.Fatal(err)
		}
		r.Data = append(json.RawMessage(nil), r.Data...)
		records = append(records, r)
		if r.ID != uint64(len(records)) {
			b.t.Fatalf("the id %d comes after %d", r.ID, len(records)-1)
		}
	}
	return records
}

// line is what was told, as "created 1, open 1".
func line(records []Record) string {
	var told []string
	for _, r := range records {
		var data notice
		if err := json.Unmarshal(r.Data, &data); err != nil {
			return err.Error()
		}
		told = append(told, fmt.Sprint(r.Event, " ", data.Campaign))
	}
	return strings.Join(told, ", ")
}

// unsure is an engine whose answers to Record are lost now and then, whether or not it has recorded.
type unsure struct {
	hongbao.Engine
	calls atomic.Uint64
}

func (u *unsure) Record(ctx context.Context, e hongbao.Event, after *hongbao.Event) (hongbao.Position, error) {
	switch u.calls.Add(1) % 4 {
	case 1: // it has not
		return "", fmt.Errorf("%w: on the way there", hongbao.ErrUnknown)
	case 2: // it has
		_, err := u.Engine.Record(ctx, e, after)
		return "", errors.Join(hongbao.ErrUnknown, err)
	}
	return u.Engine.Record(ctx, e, after)
}

// unread is an engine that recorded events can't be read from while it is off.
type unread struct {
	hongbao.Engine
	off atomic.Bool
}

func (u *unread) Recorded(ctx context.Context, name string) (hongbao.Event, error) {
	if u.off.Load() {
		return hongbao.Event{}, hongbao.ErrBusy
	}
	return u.Engine.Recorded(ctx, name)
}
