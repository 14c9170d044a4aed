package systemtest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hongbao"
	"hongbao/bench"
)

// follower is a player who follows events, reconnects for ever and drops what is known.
type follower struct {
	t    testing.TB
	urls func() string // where to connect next

	mu     sync.Mutex
	at     string // Last-Event-ID
	last   uint64 // the latest event
	events map[uint64]string
	again  int // events that were told more than once
	lives  int // connections
}

// follow follows from the first event on, until the test ends.
func follow(t testing.TB, urls func() string) *follower {
	t.Helper()
	f := &follower{t: t, urls: urls, at: "0", events: map[uint64]string{}}
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		for ctx.Err() == nil {
			f.connect(ctx)
			time.Sleep(10 * time.Millisecond) // sooner than a browser
		}
	})
	t.Cleanup(func() {
		stop()
		all.Wait()
	})
	return f
}

// connect takes what it is told until the connection is lost.
func (f *follower) connect(ctx context.Context) {
	request, err := http.NewRequestWithContext(ctx, "GET", f.urls()+"/v1/events", nil)
	if err != nil {
		f.t.Error(err)
		return
	}
	f.mu.Lock()
	request.Header.Set("Last-Event-ID", f.at)
	f.mu.Unlock()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return
	}
	f.mu.Lock()
	f.lives++
	f.mu.Unlock()
	var id, text string
	for in := bufio.NewScanner(response.Body); in.Scan(); {
		name, value, _ := strings.Cut(in.Text(), ": ")
		switch name {
		case "id":
			id = value
		case "event", "data":
			text += value + " "
		case "":
			if in.Text() == "" {
				f.take(id, text)
				id, text = "", ""
			}
		}
	}
}

// take takes a frame whose last line has arrived.
func (f *follower) take(id, text string) {
	if id == "" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = id
	n, err := strconv.ParseUint(id, 10, 64)
	if known, is := f.events[n]; text == "" || is {
		if text != "" && text != known {
			f.t.Errorf("event %s is %s, and was %s", id, text, known)
		}
		f.again++
		return
	}
	if err != nil || n != f.last+1 {
		f.t.Errorf("event %s comes after %d", id, f.last)
	}
	f.last = n
	f.events[n] = text
}

func (f *follower) knows(id uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last >= id
}

// told are the events that are journaled, by id, as a follower knows them, and how many campaigns are. Each id is there once.
func (s *server) told(t testing.TB) (told map[uint64]string, campaigns int) {
	t.Helper()
	code, text := s.ask("GET", s.Admin+"/admin/v1/journal?limit=100000", "", "Authorization: Bearer "+s.token())
	if code != http.StatusOK {
		t.Fatal(code, text)
	}
	told = map[uint64]string{}
	for line := range strings.Lines(text) {
		var entry struct {
			Kind, Name string
			Data       []byte
		}
		parse(t, line, &entry)
		if entry.Kind == "created" {
			campaigns++
		}
		if entry.Kind != "recorded" || !strings.HasPrefix(entry.Name, "live.") {
			continue
		}
		var record struct {
			ID    uint64
			Event string
			Data  json.RawMessage
		}
		parse(t, string(entry.Data), &record)
		if told[record.ID] != "" {
			t.Errorf("the id %d is given twice", record.ID)
		}
		told[record.ID] = record.Event + " " + string(record.Data) + " "
	}
	return told, campaigns
}

// expect checks that the follower was told exactly what is journaled.
func (f *follower) expect(t testing.TB, told map[uint64]string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !maps.Equal(f.events, told) {
		for _, id := range slices.Sorted(maps.Keys(told)) {
			if f.events[id] != told[id] {
				t.Errorf("event %d: told is %q, journaled %q", id, f.events[id], told[id])
			}
		}
		t.Errorf("%d events are told, %d journaled", len(f.events), len(told))
	}
}

// stir is an administrator who makes campaigns come and go until the server is gone, and keeps account of what was
// acknowledged.
type stir struct {
	made  []uint32          // campaigns
	state map[uint32]string // the last that was done to each
	round int
}

// once does something.
func (s *stir) once(admin *bench.Admin, random *rand.Rand) error {
	ctx := context.Background()
	s.round++
	if len(s.made) == 0 || random.IntN(3) == 0 {
		spec, err := hongbao.ParseSpec(fmt.Appendf(nil, `{"name": "c%d", "kind": "rain", "opens_at": "+%dms", "lasts": "%dms",
			"budget": {"total_fen": 1000, "count": 10}}`, s.round, random.IntN(1000), 200+random.IntN(2000)))
		if err != nil {
			return err
		}
		id, err := admin.Create(ctx, spec)
		if err == nil {
			s.made, s.state[id] = append(s.made, id), "created"
		}
		return err
	}
	id := s.made[random.IntN(len(s.made))]
	if random.IntN(3) == 0 {
		return s.note(id, "cancelled", admin.Cancel(ctx, id))
	}
	paused := random.IntN(2) == 0
	return s.note(id, s.state[id], admin.Revise(ctx, id, hongbao.Patch{Paused: &paused}))
}

// note takes down what was done. That a campaign is over already is no error.
func (s *stir) note(id uint32, state string, err error) error {
	if err != nil && strings.Contains(err.Error(), "campaign_over") {
		return nil
	}
	if err == nil {
		s.state[id] = state
	}
	return err
}

// check checks that what was acknowledged was told.
func (s *stir) check(t testing.TB, told map[uint64]string) {
	t.Helper()
	got := map[string]int{}
	for _, text := range told {
		event, data, _ := strings.Cut(text, " ")
		var notice struct {
			ID string `json:"campaign_id"`
		}
		parse(t, data, &notice)
		got[event+" "+notice.ID]++
	}
	for _, id := range s.made {
		if n := got[fmt.Sprint("created ", id)]; n != 1 {
			t.Errorf("created of campaign %d was told %d times", id, n)
		}
		ends := got[fmt.Sprint("cancelled ", id)] + got[fmt.Sprint("closed ", id)]
		if ends != 1 {
			t.Errorf("the end of campaign %d was told %d times", id, ends)
		}
		if s.state[id] == "cancelled" && got[fmt.Sprint("cancelled ", id)] != 1 {
			t.Errorf("that campaign %d was cancelled was not told", id)
		}
	}
}

// quiet waits until the end of every campaign is told, and returns what is journaled then.
func (s *server) quiet(t testing.TB) (told map[uint64]string) {
	t.Helper()
	eventually(t, 20*time.Second, "the end of every campaign is told", func() bool {
		var campaigns int
		told, campaigns = s.told(t)
		for _, text := range told {
			if strings.HasPrefix(text, "closed ") || strings.HasPrefix(text, "cancelled ") {
				campaigns--
			}
		}
		return campaigns == 0
	})
	return told
}

// A server that is killed at any moment, again and again, loses no event and tells none under two ids: whoever reconnects with
// the last id sees each once.
func TestNoEventIsLostOverKills(t *testing.T) {
	t.Parallel()
	random := newRandom(t)
	data := filepath.Join(t.TempDir(), "data")
	kills := 6
	if long() {
		kills = 100
	}
	var mu sync.Mutex
	var url string
	start := func() *server {
		s := launch(t, exec.Command(shipped, serveArgs("--data", data)...)).ready()
		mu.Lock()
		url = s.Player
		mu.Unlock()
		return s
	}
	s := start()
	f := follow(t, func() string { mu.Lock(); defer mu.Unlock(); return url })
	done := stir{state: map[uint32]string{}}
	for range kills {
		time.AfterFunc(time.Duration(random.Int64N(int64(600*time.Millisecond))), s.kill) // any moment will do
		admin := s.admin()
		for range 40 { // few enough that nobody who is slow to reconnect misses more than is kept
			if done.once(admin, random) != nil {
				break
			}
		}
		s.wait()
		s = start()
	}
	told := s.quiet(t)
	eventually(t, 10*time.Second, "the follower knows all", func() bool { return f.knows(uint64(len(told))) })
	f.expect(t, told)
	done.check(t, told)
	t.Logf("%d campaigns, %d events, %d of them told again, %d connections", len(done.made), len(told), f.again, f.lives)
	if len(done.made) < 3 || f.lives < 2 {
		t.Error("that was nothing")
	}
	s.stop()
}

// tellPlayersOfEveryNode follows events on both nodes of a cluster while one worker after another is killed: each player is told
// each event, in order, and no event has two ids.
func tellPlayersOfEveryNode(t *testing.T, s *stores) {
	s.t = t
	s.heal()
	random := newRandom(t)
	f := newFleet(t, s, 2, 2)
	var players []*follower
	for i := range f.nodes {
		for range 3 {
			players = append(players, follow(t, func() string { return f.node(i).Player }))
		}
	}
	turn := 0
	restless := follow(t, func() string { turn++; return f.node(turn % 2).Player })
	players = append(players, restless)
	done, admin := stir{state: map[uint32]string{}}, f.node(0).admin()
	for i := range 3 {
		for range 6 {
			if err := done.once(admin, random); err != nil {
				t.Fatal(err)
			}
		}
		killed := i % 2
		if !f.isActive(t, killed) {
			killed = 1 - killed
		}
		kill9(f.worker(killed))
		if err := done.once(admin, random); err != nil { // while nobody works, perhaps
			t.Fatal(err)
		}
		f.startWorker(killed)
		http.DefaultClient.CloseIdleConnections()
	}
	node := f.node(1).server
	told := node.quiet(t)
	for _, p := range players {
		eventually(t, 10*time.Second, "every player knows all", func() bool { return p.knows(uint64(len(told))) })
		p.expect(t, told)
	}
	done.check(t, told)
	t.Logf("%d campaigns, %d events", len(done.made), len(told))
}
