package live

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"hongbao"
)

func TestEventsOfACampaign(t *testing.T) {
	b := newBed(t)
	c := b.create("r", 5*time.Minute)
	b.announce()
	b.pass(4 * time.Minute)
	b.announce()
	b.set(c, true)
	b.announce()
	b.set(c, false)
	b.pass(time.Minute)
	b.announce()
	for uid := range uint64(10) {
		if _, err := b.service.Snatch(context.Background(), hongbao.SnatchRequest{Campaign: c.ID, UID: uid}); err != nil {
			t.Fatal(err)
		}
	}
	b.announce()
	b.pass(10 * time.Minute)
	b.announce()
	b.tend()
	b.announce()
	b.announce()
	records := b.journaled()
	const want = "created 1, countdown 1, paused 1, resumed 1, open 1, sold_out 1, closed 1"
	if got := line(records); got != want {
		t.Errorf("told was %s\nwant %s", got, want)
	}
	const closed = `{"campaign_id":"1","server_time":"2027-01-15T08:05:00Z","name":"r","kind":"rain","phase":"closed",` +
		`"opens_at":"2027-01-15T07:55:00Z","closes_at":"2027-01-15T08:05:00Z","left":0,"revision":3}`
	if got := string(records[6].Data); got != closed {
		t.Errorf("the last was told as %s\nwant %s", got, closed)
	}
	if state := records[6].State; len(state) != 0 {
		t.Errorf("what is over is still in the state: %v", state)
	}
}

// What fell due while nobody was there is told at the next start, if it is still true.
func TestWhatFellDueMeanwhile(t *testing.T) {
	for _, row := range []struct {
		name string
		gone time.Duration
		want string
	}{
		{"until the countdown", 4*time.Minute + time.Second, "created 1, countdown 1"},
		{"until it has opened", 6 * time.Minute, "created 1, open 1"},
		{"until it has closed", 16 * time.Minute, "created 1, closed 1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBed(t)
			b.create("r", 5*time.Minute)
			b.announce()
			b.pass(row.gone)
			b.tend()
			b.announce()
			if got := line(b.journaled()); got != row.want {
				t.Errorf("told was %s, want %s", got, row.want)
			}
		})
	}
}

// A server may be killed before it has announced anything: what was over by then is told by the next one all the same.
func TestWhatWasOverBeforeAnythingWasToldIsTold(t *testing.T) {
	b := newBed(t)
	b.create("running", time.Minute)
	b.cancel(b.create("over", time.Minute))
	b.pass(time.Second)
	b.announce()
	const want = "created 1, countdown 1, created 2, cancelled 2"
	if got := line(b.journaled()); got != want {
		t.Errorf("told was %s, want %s", got, want)
	}
}

// While the clock can't be trusted nothing is told that follows from it alone.
func TestAJumpOfTheClockOpensNothing(t *testing.T) {
	b := newBed(t)
	c := b.create("r", 2*time.Minute)
	b.announce()
	b.wall.Add(time.Hour.Milliseconds())
	b.announce()
	b.wall.Add(-time.Hour.Milliseconds())
	b.cancel(c)
	b.announce()
	if got, want := line(b.journaled()), "created 1, cancelled 1"; got != want {
		t.Errorf("told was %s, want %s", got, want)
	}
}

func TestNewCampaignsWaitForRoom(t *testing.T) {
	b := newBed(t)
	first := b.create("a", time.Hour)
	b.create("b", time.Hour)
	b.create("c", time.Hour)
	a := b.announcer()
	a.room = 2
	look := func() {
		if err := a.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	look()
	if got, want := line(b.journaled()), "created 1, created 2"; got != want {
		t.Errorf("told was %s, want %s", got, want)
	}
	b.cancel(first)
	look()
	if got, want := line(b.journaled()), "created 1, created 2, cancelled 1, created 3"; got != want {
		t.Errorf("told was %s, want %s", got, want)
	}
}

// many makes campaigns come and go, and returns what must have been told of them: each once.
func many(b *bed, random *rand.Rand, n int) map[string]int {
	want := map[string]int{}
	for i := range n {
		c := b.create(fmt.Sprint("c", i), time.Hour)
		want[fmt.Sprint("created ", c.ID)]++
		paused := false
		for range random.IntN(4) {
			paused = !paused
			b.set(c, paused)
			if paused {
				want[fmt.Sprint("paused ", c.ID)]++
			} else {
				want[fmt.Sprint("resumed ", c.ID)]++
			}
		}
		if random.IntN(2) == 0 {
			b.cancel(c)
			want[fmt.Sprint("cancelled ", c.ID)]++
		}
	}
	return want
}

// expectTold checks that each of them was told, and nothing else.
func (b *bed) expectTold(want map[string]int) {
	b.t.Helper()
	records := b.journaled()
	got := map[string]int{}
	for _, r := range records {
		got[line([]Record{r})]++
	}
	for event, n := range want {
		if got[event] != n {
			b.t.Errorf("%s was told %d times, not %d", event, got[event], n)
		}
	}
	for event := range got {
		if want[event] == 0 {
			b.t.Errorf("%s was told", event)
		}
	}
}

// Of several announcers, each of which believes that it is the one, each event is told once.
func TestAnnouncersTogetherTellEachEventOnce(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	b := newBed(t)
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			a := b.announcer()
			for last := false; !last; {
				last = ctx.Err() != nil // and once more
				if err := a.Look(context.Background()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	want := many(b, rand.New(rand.NewPCG(seed, 0)), 100)
	stop()
	all.Wait()
	b.announce()
	b.expectTold(want)
}

// An answer that is lost makes an event neither be told twice nor forgotten.
func TestAnEventOfUnknownOutcomeIsToldOnce(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	b := newBedOn(t, func(e hongbao.Engine) hongbao.Engine { return &unsure{Engine: e} })
	want := many(b, rand.New(rand.NewPCG(seed, 0)), 30)
	a := b.announcer()
	for tries := 0; ; tries++ {
		err := a.Look(t.Context())
		if err == nil && tries > 0 {
			break
		}
		if !errors.Is(err, hongbao.ErrUnknown) {
			t.Fatal(err)
		}
	}
	b.expectTold(want)
}

func TestARecordIsKnownByItsName(t *testing.T) {
	for name, want := range map[string]bool{
		"live.0": true, "live.255": true, "live.256": false, "live.-1": false, "live.01": false, "live.": false, "live.x": false, "gate": false,
	} {
		if IsRecord(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
	for _, e := range []hongbao.Event{
		{Name: "live.1", Data: []byte(`{"id":2}`)}, {Name: "live.0", Data: []byte(`{"id":0}`)}, {Name: "live.0", Data: []byte(`{`)},
	} {
		if r, err := ParseRecord(&e); err == nil {
			t.Errorf("%s %s is read as %+v", e.Name, e.Data, r)
		}
	}
}
