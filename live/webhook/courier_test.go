package webhook

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"hongbao"
)

// shards is a journal as a cluster has it: some sequences, of which each is behind in its own way, and a position is a number
// in each. A reading merges them by time; what was late comes in a later one, whatever its time.
type shards struct {
	random  *rand.Rand
	events  [][]sent
	visible []int
	now     int
}

// sent is an event of the journal.
type sent struct {
	shard, seq, at int
	campaign       uint32
}

func (e sent) id() string { return fmt.Sprintf("%d-%d", e.shard, e.seq) }

func (s *shards) add(campaign uint32) {
	s.now += s.random.IntN(2)
	shard := s.random.IntN(len(s.events))
	s.events[shard] = append(s.events[shard], sent{shard, len(s.events[shard]) + 1, s.now, campaign})
}

// arrive lets some of what happened reach the books.
func (s *shards) arrive() {
	shard := s.random.IntN(len(s.events))
	s.visible[shard] += s.random.IntN(len(s.events[shard]) - s.visible[shard] + 1)
}

// read does one reading, of at most as many entries as entries.
func (s *shards) read(a ask, entries int) reading {
	r := reading{ask: a, end: a.after}
	at := make([]int, len(s.events))
	for i, text := range strings.Split(string(a.after), ",") {
		fmt.Sscan(text, &at[i])
	}
	for r.entries < entries && len(r.items) < a.limit {
		var next *sent
		for shard, events := range s.events {
			if at[shard] < s.visible[shard] && (next == nil || events[at[shard]].at < next.at) {
				next = &events[at[shard]]
			}
		}
		if next == nil {
			r.complete = true
			return r
		}
		at[next.shard]++
		r.entries++
		r.end = hongbao.Position(strings.Trim(strings.ReplaceAll(fmt.Sprint(at), " ", ","), "[]"))
		if r.selects(notice{campaign: next.campaign}) {
			r.items = append(r.items, item{id: next.id(), campaign: next.campaign, after: r.end})
		}
	}
	return r
}

// deliveries drives a courier by hand.
type deliveries struct {
	*shards
	courier  *courier
	now      time.Time
	failing  map[uint32]bool
	accepted []string
	times    map[string]int
	last     map[[2]int]int // sequence that was accepted last, by campaign and shard
	saved    []byte
}

func newDeliveries(random *rand.Rand) *deliveries {
	n := 1 + random.IntN(4)
	return &deliveries{
		shards: &shards{random: random, events: make([][]sent, n), visible: make([]int, n), now: 1},
		now:    time.Unix(1e9, 0), failing: map[uint32]bool{}, times: map[string]int{}, last: map[[2]int]int{},
	}
}

func (d *deliveries) restart(from cursor) {
	d.courier = &courier{sender: &Sender{logger: slog.New(slog.DiscardHandler)}, meter: &meter{}}
	d.courier.restore(from, hongbao.Event{})
}

// deliver does one request, and reports an event that comes for the first time before another of its campaign and shard that
// stands before it.
func (d *deliveries) deliver() (did bool, err error) {
	l := d.courier.next(d.now)
	if l == nil {
		return false, nil
	}
	o := outcome{lane: l, at: d.now}
	if d.failing[l.campaign] {
		o.why = &failure{reason: "it fails"}
	} else {
		id := l.queue[0].id
		var shard, seq int
		fmt.Sscanf(id, "%d-%d", &shard, &seq)
		if d.times[id]++; d.times[id] == 1 {
			of := [2]int{int(l.campaign), shard}
			for _, e := range d.events[shard][d.last[of] : seq-1] {
				if e.campaign == l.campaign {
					err = fmt.Errorf("%s of campaign %d was accepted before %s", id, l.campaign, e.id())
				}
			}
			d.last[of] = seq
		}
		d.accepted = append(d.accepted, id)
	}
	d.courier.settle(o)
	return true, err
}

func (d *deliveries) read(entries int) bool {
	a, due := d.courier.nextReading(d.now)
	if due {
		d.courier.take(d.shards.read(a, entries))
	}
	return due
}

// A courier on a journal of shards that are late, with campaigns that fail and recover, readings that end early, and, where
// there are crashes, a new one that goes on from a cursor of some time ago: everything is accepted in the order of each
// shard, and without a crash hardly anything twice. In the end all campaigns have joined the front.
func TestCourierOnAJournalOfShards(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	accepted, twice := 0, 0
	for round := range uint64(150) {
		crashes := round%2 == 1
		d := newDeliveries(rand.New(rand.NewPCG(seed, round)))
		if err := d.deliverAll(crashes); err != nil {
			t.Fatalf("round %d of seed %d: %v", round, seed, err)
		}
		if !crashes {
			accepted += len(d.accepted)
			twice += len(d.accepted) - len(d.times)
		}
	}
	if twice*1000 > accepted {
		t.Errorf("seed %d: of %d events %d were accepted twice", seed, accepted, twice)
	}
}

func (d *deliveries) deliverAll(crashes bool) error {
	random := d.random
	d.restart(cursor{})
	d.saved = d.courier.snapshot()
	campaigns := []int{3, 20, 150}[random.IntN(3)]
	hot := random.IntN(2) == 0
	for range 200 + random.IntN(3000) {
		switch n := random.IntN(100); {
		case n < 30:
			campaign := uint32(1 + random.IntN(campaigns))
			if hot && random.IntN(3) > 0 {
				campaign = 1
			}
			d.add(campaign)
		case n < 40:
			d.arrive()
			d.courier.hear()
		case n < 65:
			d.read(1 + random.IntN(100))
		case n < 90:
			if _, err := d.deliver(); err != nil {
				return err
			}
		case n < 93:
			d.failing[uint32(1+random.IntN(campaigns))] = true
		case n < 96:
			clear(d.failing)
		case n < 98:
			d.now = d.now.Add(time.Duration(random.IntN(1e12)))
		case n < 99:
			d.saved = d.courier.snapshot()
		case crashes && random.IntN(5) == 0:
			var from cursor
			if err := json.Unmarshal(d.saved, &from); err != nil {
				return err
			}
			d.restart(from)
		}
	}
	return d.finish()
}

// finish lets everything arrive and be accepted.
func (d *deliveries) finish() error {
	clear(d.failing)
	for shard := range d.events {
		d.visible[shard] = len(d.events[shard])
	}
	d.courier.hear()
	for quiet, steps := 0, 0; quiet < 3; steps++ {
		d.now = d.now.Add(2 * time.Hour)
		did := d.read(1 + d.random.IntN(1000))
		for {
			one, err := d.deliver()
			if err != nil {
				return err
			}
			if did = did || one; !one {
				break
			}
		}
		if quiet++; did {
			quiet = 0
		}
		if steps > 100_000 {
			return fmt.Errorf("it does not come to rest: %d lanes, %d holders", len(d.courier.lanes), d.courier.holders())
		}
	}
	for _, events := range d.events {
		for _, e := range events {
			if d.times[e.id()] == 0 {
				return fmt.Errorf("%s of campaign %d was not accepted", e.id(), e.campaign)
			}
		}
	}
	if left := len(d.courier.lanes); left > 0 {
		return fmt.Errorf("%d lanes are left", left)
	}
	return nil
}

func TestTheCursorOfReadingsOfNothingIsNotWritten(t *testing.T) {
	d := newDeliveries(rand.New(rand.NewPCG(1, 2)))
	d.restart(cursor{})
	c := d.courier
	c.dirty, c.urgent = false, false
	for range 100 {
		c.hear()
		a, _ := c.nextReading(d.now)
		c.take(reading{ask: a, end: "1", entries: 1, complete: true}) // its own cursor, as the journal has it
		if c.dirty || c.urgent {
			t.Fatal("a cursor is written because of a cursor")
		}
	}
	c.hear()
	a, _ := c.nextReading(d.now)
	if c.take(reading{ask: a, end: "1", entries: passedMax, complete: true}); !c.dirty {
		t.Error("after many events that were none of its own it would begin before all of them again")
	}
}

func TestBackoffGrowsToAnHourAndParksAfterThreeDays(t *testing.T) {
	for range 100 {
		var f laneFailure
		start := time.Unix(1e9, 0)
		now, waits := start, []time.Duration{}
		for !f.isParked() {
			f.fail(&failure{reason: "down"}, now)
			waits = append(waits, f.next.Sub(now))
			if f.isParked() {
				break
			}
			if f.due(f.next.Add(-1)) || !f.due(f.next) {
				t.Fatal("it is due at another time")
			}
			now = f.next
		}
		for i, wait := range waits {
			if full := min(time.Second<<min(i, 12), time.Hour); wait < full/2 || wait > full {
				t.Errorf("wait %d is %s; must be %s to %s", i+1, wait, full/2, full)
			}
		}
		if after := now.Sub(start); after < parkAfter || after > parkAfter+time.Hour {
			t.Errorf("it is parked after %s", after)
		}
		if f.due(now.Add(1000 * time.Hour)) {
			t.Error("what is parked is due")
		}
	}
}

func TestWhatAReceiverAsksForIsWaitedWithinBounds(t *testing.T) {
	for asked, want := range map[time.Duration][2]time.Duration{
		0:                {500 * time.Millisecond, time.Second},
		time.Minute:      {time.Minute, time.Minute},
		1000 * time.Hour: {time.Hour, time.Hour},
	} {
		if got := backoff(1, asked); got < want[0] || got > want[1] {
			t.Errorf("asked for %s it waits %s; must be %v", asked, got, want)
		}
	}
}

func TestWhatBecomesDueBesideItIsNotSleptThrough(t *testing.T) {
	begun := time.Unix(1e9, 0) // long ago: meanwhile everything has become due
	for _, row := range []struct {
		what    string
		courier courier
	}{
		{"a try", courier{lanes: map[uint32]*lane{1: {fails: laneFailure{tries: 1, next: begun.Add(1)}}}}},
		{"a reading", courier{readAgain: begun.Add(1)}},
		{"the cursor", courier{dirty: true, writeAgain: begun.Add(1)}},
	} {
		if wake := row.courier.wake(begun); !wake.Equal(begun.Add(1)) {
			t.Errorf("%s that is due a moment after what may begin was begun waits until %s", row.what, wake)
		}
	}
}

func TestTheCampaignThatWaitedLongestIsNext(t *testing.T) {
	d := newDeliveries(rand.New(rand.NewPCG(1, 2)))
	for range 300 {
		d.add(uint32(1 + d.random.IntN(10)))
	}
	for shard := range d.events {
		d.visible[shard] = len(d.events[shard])
	}
	d.restart(cursor{})
	d.read(1000)
	var order []uint32
	for range 20 {
		l := d.courier.next(d.now)
		order = append(order, l.campaign)
		d.courier.settle(outcome{lane: l, at: d.now})
	}
	first, second := slices.Clone(order[:10]), slices.Clone(order[10:])
	if slices.SortFunc(first, cmp.Compare[uint32]); len(slices.Compact(first)) != 10 {
		t.Errorf("of ten campaigns some were twice before others were once: %v", order)
	}
	if !slices.Equal(order[:10], second) {
		t.Errorf("they are not in turn: %v", order)
	}
}
