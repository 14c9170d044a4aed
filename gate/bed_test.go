package gate

import (
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
	"hongbao/embedded"
)

// fieldOf is the field that an error is about, or nothing.
func fieldOf(err error) string {
	var field *hongbao.FieldError
	if errors.As(err, &field) {
		return field.Field
	}
	return ""
}

// bed is a gate in front of the real engine, in memory, at a time that stands still until it is moved.
type bed struct {
	t       testing.TB
	now     *atomic.Int64 // Unix milliseconds
	files   vfs.FS
	engine  *embedded.Engine
	service *hongbao.Service
	gate    *Gate
	logs    *strings.Builder
}

// noon is when every bed begins.
var noon = time.Date(2027, 2, 5, 12, 0, 0, 0, time.UTC)

func newBed(t testing.TB, o Options) *bed {
	t.Helper()
	b := &bed{t: t, now: new(atomic.Int64), files: vfs.NewMem(), logs: &strings.Builder{}}
	b.now.Store(noon.UnixMilli())
	b.open(o)
	t.Cleanup(b.close)
	return b
}

// open starts engine and gate on what the files hold.
func (b *bed) open(o Options) {
	b.t.Helper()
	logger := slog.New(slog.NewTextHandler(b.logs, nil))
	var err error
	b.engine, err = embedded.Open(embedded.Options{
		Dir: "data", FS: b.files, Calendar: hongbao.NewCalendar(time.UTC), SegmentBytes: 1 << 20,
		Now: func() hongbao.Time { return hongbao.Time(b.now.Load()) }, Logger: logger,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	clock := hongbao.NewClock(
		func() time.Time { return time.UnixMilli(b.now.Load()) },
		func() time.Duration { return time.Duration(b.now.Load()) * time.Millisecond })
	b.service = hongbao.NewService(hongbao.Options{Engine: b.engine, Secret: b.engine.Secret(), Clock: clock, Logger: logger})
	o.Service, o.Secret, o.Logger = b.service, b.engine.Secret(), logger
	if b.gate, err = New(b.t.Context(), o); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bed) close() {
	b.gate.Stop()
	b.gate.Close()
	if err := b.engine.Close(); err != nil {
		b.t.Error(err)
	}
}

// restart closes and opens both, as a new process does.
func (b *bed) restart(o Options) {
	b.t.Helper()
	b.close()
	b.open(o)
}

// rain is a campaign of equal envelopes of 50 fen that is open now, for ten minutes.
func rain(name string, count uint64) hongbao.Spec {
	equal := hongbao.Equal
	return hongbao.Spec{
		Name: name, Kind: hongbao.Rain, OpensAt: hongbao.AtTime(hongbao.TimeOf(noon)), Lasts: hongbao.Duration(10 * time.Minute),
		Budget: hongbao.BudgetSpec{TotalFen: 50 * int64(count), Count: count, Split: &equal},
	}
}

func (b *bed) create(spec hongbao.Spec) *hongbao.Campaign {
	b.t.Helper()
	c, err := b.service.Create(b.t.Context(), spec, "admin")
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// change patches the gate's settings.
func (b *bed) change(patch string) Settings {
	b.t.Helper()
	p, err := ParsePatch([]byte(patch))
	if err != nil {
		b.t.Fatal(err)
	}
	s, err := b.gate.Change(b.t.Context(), p, nil, "ops")
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}
