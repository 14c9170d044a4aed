package live

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"hongbao"
)

// patience is how long a test waits for what must come; nothing is slower for it being long.
const patience = 20 * time.Second

// port is a hub on a bed, and a listener whose connections it takes. A connection sends one line first: where it stands.
type port struct {
	*bed
	hub     *Hub
	address string
	entered chan error // what became of each connection
}

func newPort(t *testing.T, set ...func(*HubOptions)) *port {
	t.Helper()
	return newPortOn(newBed(t), set...)
}

func newPortOn(b *bed, set ...func(*HubOptions)) *port {
	b.t.Helper()
	o := HubOptions{Service: b.service, Logger: slog.New(slog.DiscardHandler), Listen: b.engine.Listen}
	for _, f := range set {
		f(&o)
	}
	p := &port{bed: b, hub: NewHub(o), entered: make(chan error, 10_000)}
	if err := p.hub.Look(context.Background()); err != nil {
		b.t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.t.Fatal(err)
	}
	p.address = listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { p.hub.Run(ctx) })
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { p.enter(conn) })
		}
	})
	b.t.Cleanup(func() {
		listener.Close()
		stop()
		p.hub.Close()
		all.Wait()
	})
	return p
}

// announce tells what is due, and returns when the hub knows.
func (p *port) announce() {
	p.t.Helper()
	p.bed.announce()
	if err := p.hub.Look(context.Background()); err != nil {
		p.t.Fatal(err)
	}
}

// enter takes a connection as playerapi does.
func (p *port) enter(conn net.Conn) {
	text, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		p.entered <- err
		return
	}
	var since *uint64
	if id, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64); err == nil {
		since = &id
	}
	stay, err := p.hub.Enter([]byte("hello\n\n"), since, func(b []byte) []byte { return append(b, "event: campaign\ndata: {}\n\n"...) })
	if err == nil {
		stay(conn)
	} else {
		conn.Close()
	}
	p.entered <- err
}

// reader is a client's end.
type reader struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

// connect connects and says where it stands: an id, or nothing. It returns when the hub has taken it in.
func (p *port) connect(since string) *reader {
	p.t.Helper()
	r := p.dial(since)
	if err := <-p.entered; err != nil {
		p.t.Fatal(err)
	}
	return r
}

func (p *port) dial(since string) *reader {
	p.t.Helper()
	conn, err := net.Dial("tcp", p.address)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { conn.Close() })
	if _, err := fmt.Fprintln(conn, since); err != nil {
		p.t.Fatal(err)
	}
	return &reader{p.t, conn, bufio.NewReader(conn)}
}

// got is a frame as a client parses it.
type got struct {
	id, event, data, retry string
	comment                bool
}

// next reads a frame; err tells that there is none.
func (r *reader) next() (f got, err error) {
	if err := r.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return f, err
	}
	for {
		line, err := r.in.ReadString('\n')
		if err != nil {
			return f, err
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "":
			if line == "\n" {
				return f, nil
			}
			f.comment = true
		case "id":
			f.id = value
		case "event":
			f.event = value
		case "data":
			f.data = value
		case "retry":
			f.retry = value
		}
	}
}

// ids reads until the event of an id, and returns the ids on the way.
func (r *reader) ids(until uint64) (ids []uint64) {
	r.t.Helper()
	for {
		f, err := r.next()
		if err != nil {
			r.t.Errorf("after %d: %v", ids, err)
			return ids
		}
		if f.id == "" {
			continue
		}
		id, err := strconv.ParseUint(f.id, 10, 64)
		if err != nil {
			r.t.Error(err)
			return ids
		}
		if ids = append(ids, id); id >= until {
			return ids
		}
	}
}

// expectIDs checks that the ids are all of those from first to last, in order.
func expectIDs(t testing.TB, ids []uint64, first, last uint64) {
	t.Helper()
	want := []uint64{}
	for id := first; id <= last; id++ {
		want = append(want, id)
	}
	if !slices.Equal(ids, want) {
		t.Errorf("told were %d, want %d to %d", ids, first, last)
	}
}

// toggle makes n events of a campaign: it is paused and resumed by turns.
func (b *bed) toggle(c *hongbao.Campaign, n int) {
	b.t.Helper()
	a := b.announcer()
	for range n {
		now, err := b.service.Campaign(c.ID)
		if err != nil {
			b.t.Fatal(err)
		}
		b.set(c, !now.Rules().Paused)
		if err := a.Look(context.Background()); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (p *port) until(what string, holds func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); !holds(); runtime.Gosched() {
		if time.Now().After(deadline) {
			p.t.Fatal("never: " + what)
		}
	}
}

func TestWhatAConnectionIsToldFirst(t *testing.T) {
	p := newPort(t, func(o *HubOptions) { o.Heartbeat = time.Hour }) // none comes between
	p.create("r", time.Hour)
	p.announce()
	r := p.connect("")
	if f, err := r.in.ReadString('\n'); f != "hello\n" {
		t.Fatal(f, err)
	}
	r.in.ReadString('\n')
	f, _ := r.next()
	if retry, err := strconv.Atoi(f.retry); err != nil || retry < 1000 || retry >= 5000 {
		t.Errorf("first comes %+v", f)
	}
	if f, _ := r.next(); f != (got{event: "campaign", data: "{}"}) {
		t.Errorf("then comes %+v", f)
	}
	if f, _ := r.next(); f != (got{id: "1"}) { // of no event: browsers take note of it and tell nobody
		t.Errorf("then comes %+v", f)
	}
	p.create("s", time.Hour)
	p.announce()
	f, err := r.next()
	records := p.journaled()
	if want := (got{id: "2", event: "created", data: string(records[1].Data)}); f != want || err != nil {
		t.Errorf("then comes %+v, %v\nwant %+v: the bytes that are journaled", f, err, want)
	}
}

// Whoever says where it stands is told what came after that and is kept, once and in order.
func TestReplay(t *testing.T) {
	p := newPort(t)
	c := p.create("r", time.Hour)
	p.toggle(c, 300) // the first Look tells of the campaign, too
	const last = 301
	p.until("the hub knows", func() bool { return p.hub.Stats().Last == last })
	for _, row := range []struct {
		name, since string
		first       uint64
	}{
		{"a new one", "", last},
		{"one that knows all", "301", last},
		{"one that missed one", "300", 301},
		{"one that missed many", "200", 201},
		{"one that missed as many as are kept", "45", 46},
		{"one that missed more than are kept", "44", 46},
		{"one that was told of nothing yet", "0", 46},
		{"one of another server", "302", last},
		{"one of another server with the largest of ids", "18446744073709551615", last},
	} {
		t.Run(row.name, func(t *testing.T) { expectIDs(t, p.connect(row.since).ids(last), row.first, last) })
	}
	t.Run("after a restart", func(t *testing.T) {
		expectIDs(t, newPortOn(p.bed).connect("200").ids(last), 201, last)
	})
}

// Where a node's view of campaigns may be old, what was told meanwhile comes after it.
func TestANewConnectionIsToldWhatItsNodeMayNotYetSee(t *testing.T) {
	p := newPort(t, func(o *HubOptions) { o.Lag = 2 * time.Second })
	p.create("a", time.Hour)
	p.announce()
	p.pass(2001 * time.Millisecond)
	p.create("b", time.Hour)
	p.announce()
	expectIDs(t, p.connect("").ids(2), 2, 2)
	p.pass(time.Second)
	p.create("c", time.Hour)
	p.announce()
	r := p.connect("")
	expectIDs(t, r.ids(3), 2, 3)
}

// Connections that come and go while events are told miss none: what they are told begins right after where they stood, and
// has no gap.
func TestJoiningMissesNothingAndKeepsTheOrder(t *testing.T) {
	p := newPort(t)
	c := p.create("r", time.Hour)
	const events, clients = 250, 120 // all are kept, so that nobody can be too late
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range clients {
		all.Go(func() {
			<-begin
			since := ""
			for round := range 3 {
				r := p.dial(since)
				until := uint64(events)
				if round < 2 { // it leaves after a few events
					until = uint64(i%7 + round*events/3)
				}
				ids := r.ids(until)
				r.conn.Close()
				if len(ids) == 0 {
					return
				}
				first := ids[0]
				if since != "" {
					if first == ids[len(ids)-1] && fmt.Sprint(first) == since { // nothing was missed
						continue
					}
					if last, _ := strconv.ParseUint(since, 10, 64); first != last+1 && first != last {
						t.Errorf("whoever knew of %s is told of %d first", since, first)
					}
				}
				expectIDs(t, ids, first, ids[len(ids)-1])
				since = fmt.Sprint(ids[len(ids)-1])
			}
		})
	}
	close(begin)
	p.toggle(c, events-1)
	all.Wait()
}

// pair is the two ends of a connection.
func pair(t *testing.T) (*reader, net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return &reader{t, client, bufio.NewReader(client)}, server
}

// Whatever comes between what a connection is told first and its joining the others, it is told once: step by step, on a hub that
// does nothing by itself.
func TestWhatComesWhileAConnectionJoins(t *testing.T) {
	learn := func(h *Hub, id uint64) {
		h.learn([]entry{{Record: Record{ID: id, Event: Open, Data: []byte("{}")}}})
	}
	deliver := func(h *Hub) {
		for _, s := range h.shards {
			s.deliver()
		}
	}
	for _, row := range []struct {
		name string
		last uint64
		do   func(h *Hub, join func())
	}{
		{"nothing", 2, func(h *Hub, join func()) { join(); learn(h, 2); deliver(h) }},
		{"an event that all others have been told", 2, func(h *Hub, join func()) { learn(h, 2); deliver(h); join() }},
		{"an event that nobody has been told", 2, func(h *Hub, join func()) { learn(h, 2); join(); deliver(h) }},
		{"one of each", 3, func(h *Hub, join func()) { learn(h, 2); deliver(h); learn(h, 3); join(); deliver(h) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := NewHub(HubOptions{Service: newBed(t).service})
			learn(h, 1)
			stay, err := h.Enter(nil, nil, func(b []byte) []byte { return b })
			if err != nil {
				t.Fatal(err)
			}
			r, conn := pair(t)
			row.do(h, func() { stay(conn) })
			learn(h, row.last+1)
			deliver(h)
			expectIDs(t, r.ids(row.last+1), 1, row.last+1)
		})
	}
	t.Run("one that comes when the others have yet to be told", func(t *testing.T) {
		h := NewHub(HubOptions{Service: newBed(t).service})
		learn(h, 1)
		learn(h, 2)
		for _, s := range h.shards {
			s.sent = 1
		}
		stay, err := h.Enter(nil, new(uint64), func(b []byte) []byte { return b })
		if err != nil {
			t.Fatal(err)
		}
		r, conn := pair(t)
		stay(conn)
		deliver(h)
		learn(h, 3)
		deliver(h)
		expectIDs(t, r.ids(3), 1, 3)
	})
}

func TestASlowReaderIsCutOffAndOthersAreNot(t *testing.T) {
	p := newPort(t)
	c := p.create("r", time.Hour)
	p.toggle(c, 1)
	slow, quick := p.dial(""), p.connect("")
	<-p.entered
	if err := slow.conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	quick.ids(2)
	for id := uint64(3); p.hub.Stats().Slow == 0; id++ { // until it is full
		if id > 20_000 {
			t.Fatal("nobody was cut off")
		}
		p.tellOf(id)
		expectIDs(t, quick.ids(id), id, id)
	}
	if stats := p.hub.Stats(); stats.Slow != 1 || stats.Connections != 1 {
		t.Errorf("then %+v", stats)
	}
}

// tellOf has the hub tell of an event that nobody journaled: thousands of those take no time.
func (p *port) tellOf(id uint64) {
	e := entry{Record: Record{ID: id, Event: Open, Data: []byte(`"` + strings.Repeat("x", 4000) + `"`)}}
	p.hub.learn([]entry{e})
	for _, s := range p.hub.shards {
		p.until("the shards have told it", func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.sent >= id
		})
	}
}

func TestHeartbeatsFindThoseThatHungUp(t *testing.T) {
	p := newPort(t, func(o *HubOptions) { o.Heartbeat = 60 * time.Millisecond })
	stays, goes, talks := p.connect(""), p.connect(""), p.connect("")
	if _, err := talks.conn.Write(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if err := goes.conn.(*net.TCPConn).CloseWrite(); err != nil { // it goes on reading, so that writing to it would not tell
		t.Fatal(err)
	}
	p.until("the place of the one that went is free", func() bool { return p.hub.Connections() == 2 })
	for _, r := range []*reader{stays, talks} {
		for beats := 0; beats < 3; {
			f, err := r.next()
			if err != nil {
				t.Fatal(err)
			}
			if f.comment {
				beats++
			}
		}
	}
}

func TestConnectionsAreCapped(t *testing.T) {
	p := newPort(t, func(o *HubOptions) { o.Connections, o.Heartbeat = 2, 60*time.Millisecond })
	first := p.connect("")
	p.connect("")
	p.dial("")
	if err := <-p.entered; !errors.Is(err, hongbao.ErrBusy) {
		t.Errorf("one too many is answered with %v", err)
	}
	if n := p.hub.Stats().Refused; n != 1 {
		t.Errorf("%d were refused", n)
	}
	first.conn.Close()
	p.until("a place is free", func() bool { return p.hub.Connections() == 1 })
	p.connect("")
}

func TestAPlaceThatIsNotTakenIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		h := NewHub(HubOptions{Service: b.service, Logger: slog.New(slog.DiscardHandler), Connections: 1})
		if err := h.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		stay, err := h.Enter(nil, nil, func(b []byte) []byte { return b })
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(placeKept + time.Second)
		if n := h.Connections(); n != 0 {
			t.Errorf("%d places are taken by a connection that never came", n)
		}
		ours, theirs := net.Pipe()
		stay(theirs)
		if _, err := ours.Read(make([]byte, 1)); err == nil || h.Connections() != 0 {
			t.Errorf("one that comes later is told something: %v, %d places", err, h.Connections())
		}
	})
}

func TestBeforeTheRingIsReadNobodyIsLetIn(t *testing.T) {
	h := NewHub(HubOptions{Service: newBed(t).service})
	if _, err := h.Enter(nil, nil, nil); !errors.Is(err, hongbao.ErrBusy) || h.Connections() != 0 {
		t.Errorf("answered with %v, and %d are there", err, h.Connections())
	}
}

func TestClosingTellsEveryoneWhenToComeBack(t *testing.T) {
	p := newPort(t)
	var readers []*reader
	for range 20 {
		readers = append(readers, p.connect(""))
	}
	p.hub.Close()
	retries := map[string]bool{}
	for _, r := range readers {
		var last got
		for {
			f, err := r.next()
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
					t.Error(err)
				}
				break
			}
			last = f
		}
		retries[last.retry] = true
	}
	if retries[""] || len(retries) < 10 {
		t.Errorf("they are told to come back after %v", retries)
	}
	if p.hub.Connections() != 0 {
		t.Errorf("%d are still there", p.hub.Connections())
	}
	p.dial("")
	if err := <-p.entered; !errors.Is(err, hongbao.ErrBusy) {
		t.Errorf("whoever comes then is answered with %v", err)
	}
}

func TestAConnectionHasNoGoroutine(t *testing.T) {
	p := newPort(t)
	p.connect("")
	before := runtime.NumGoroutine()
	for range 200 {
		p.connect("")
	}
	p.until("the goroutines that let them in have ended", func() bool { return runtime.NumGoroutine() <= before })
	if n := p.hub.Connections(); n != 201 {
		t.Errorf("%d are there", n)
	}
}

func TestProgressIsToldWhenSomethingWasTaken(t *testing.T) {
	p := newPort(t)
	c := p.create("r", 0)
	p.announce()
	told := p.hub.countOpen(nil)
	r := p.connect("")
	expectIDs(t, r.ids(2), 2, 2)
	told = p.hub.countOpen(told)
	if _, err := p.service.Snatch(context.Background(), hongbao.SnatchRequest{Campaign: c.ID, UID: 7}); err != nil {
		t.Fatal(err)
	}
	p.hub.countOpen(told)
	for {
		f, err := r.next()
		if err != nil {
			t.Fatal(err)
		}
		if f.event == Progress {
			if want := `{"campaign_id":"1","server_time":"2027-01-15T07:50:00Z","left":90,"taken":1}`; f.data != want || f.id != "" {
				t.Errorf("told was %+v", f)
			}
			return
		}
	}
}

// A ring that can't be read makes the hub degraded, and is read again as soon as it can be.
func TestARingThatCantBeReadIsReadLater(t *testing.T) {
	broken := &unread{}
	b := newBedOn(t, func(e hongbao.Engine) hongbao.Engine { broken.Engine = e; return broken })
	p := newPortOn(b)
	r := p.connect("")
	broken.off.Store(true)
	p.create("r", time.Hour)
	p.hub.heard()
	p.until("the hub says so", func() bool { return p.hub.Degraded() != nil })
	broken.off.Store(false)
	p.announce()
	expectIDs(t, r.ids(1), 0, 1)
	p.until("the hub is well", func() bool { return p.hub.Degraded() == nil })
}
