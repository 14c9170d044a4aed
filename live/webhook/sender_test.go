package webhook

import (
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hongbao"
)

func TestEventsArriveSignedAsTheyStandInTheJournal(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		r := b.receive("crm", nil)
		before := b.rain("before", 10)
		b.win(before, 7) // what was before is not told
		secret := b.put("crm", r.url).Secret
		key, err := hongbao.ParseSigningKey(secret)
		if err != nil {
			t.Fatalf("the secret that the server made is %q: %v", secret, err)
		}
		r.keys = [][]byte{key}
		b.run()
		b.live(1, "open", before)
		won := b.win(before, 9007199254740991)
		if _, err := b.service.Open(t.Context(), 9007199254740991, won); err != nil {
			t.Fatal(err)
		}
		b.live(2, "progress", before) // never told
		time.Sleep(3 * time.Second)
		synctest.Wait()
		got := r.messages()
		if len(got) != 3 {
			t.Fatalf("%d messages: %+v", len(got), got)
		}
		id, ms := digits(uint64(won)), "2000-01-01T00:00:00"
		for i, want := range []string{
			`{"type":"open","timestamp":"` + ms + `Z","data":{"campaign_id":"1","server_time":"2000-01-01T00:00:00Z"}}`,
			`{"type":"envelope.won","timestamp":"` + ms + `Z","data":{"campaign_id":"1","envelope_id":"` + id + `","uid":"9007199254740991","amount_fen":50,"wins":1,"won_at":"` + ms + `Z","expires_at":"2000-03-22T00:00:00Z"}}`,
			`{"type":"envelope.opened","timestamp":"` + ms + `Z","data":{"campaign_id":"1","envelope_id":"` + id + `","uid":"9007199254740991","amount_fen":50,"balance_fen":50,"opened_at":"` + ms + `Z"}}`,
		} {
			if got[i].body != want {
				t.Errorf("message %d is\n%s\nmust be\n%s", i, got[i].body, want)
			}
		}
		all := b.journaled()[before]
		if !reflect.DeepEqual(r.firsts()[before], all[1:]) { // but for the first win
			t.Errorf("ids %v of %v", r.firsts(), all)
		}
		h := got[1].header
		for name, want := range map[string]string{
			"content-type": "application/json", "user-agent": "hongbao", "ce-specversion": "1.0", "ce-id": got[1].id, "ce-source": "/hongbao",
			"ce-type": "hongbao.envelope.won", "ce-subject": "campaigns/1", "ce-time": ms + "Z",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %q; must be %q", name, h.Get(name), want)
			}
		}
		if s := b.status("crm"); s.State != StateOK || len(s.Behind) > 0 || s.Accepted == 0 || s.WaitingFrom != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestAnEndpointGetsWhatItAsksFor(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		_, text := newKey()
		keys, _ := Secrets{text}.Keys("")
		b := newBed(t, Endpoint{Name: "configured", URL: "http://configured/", Keys: keys, Events: []string{"envelope.opened"}})
		configured, chosen := b.receive("configured", nil), b.receive("chosen", nil)
		first, second := b.rain("first", 100), b.rain("second", 100)
		_, err := b.sender.Put(t.Context(), "chosen", Spec{URL: chosen.url, Campaigns: []string{"second", "third"}}, nil, "ann")
		if err != nil {
			t.Fatal(err)
		}
		b.run()
		time.Sleep(time.Second) // the configured one begins where it is first seen
		third := b.rain("third", 100)
		for _, campaign := range []uint32{first, second, third} {
			won := b.win(campaign, 7)
			if _, err := b.service.Open(t.Context(), 7, won); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if got := configured.messages(); len(got) != 3 || got[0].kind != eventOpened {
			t.Errorf("the one for openings got %+v", got)
		}
		if got := chosen.firsts(); len(got[first]) != 0 || len(got[second]) != 2 || len(got[third]) != 2 {
			t.Errorf("the one for two campaigns got %v", got)
		}
	})
}

func TestAMillionEventsOfOneCampaignDoNotDelayAnother(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		hot, other := b.rain("hot", 10_000), b.rain("other", 10)
		slow := func(w http.ResponseWriter, m message) {
			if m.campaign == digits(uint64(hot)) {
				time.Sleep(100 * time.Millisecond)
			}
		}
		r := b.receive("crm", slow)
		b.put("crm", r.url)
		b.run()
		const many = 3*laneItems + 17
		b.wins(hot, many)
		b.win(other, 1)
		time.Sleep(5 * time.Second) // as many of the hot one as fit
		synctest.Wait()
		got := r.firsts()
		if n := len(got[hot]); n < 20 || n > 60 || len(got[other]) != 1 {
			t.Errorf("%d of the hot campaign and %d of the other", n, len(got[other]))
		}
		if s := b.status("crm"); len(s.Behind) != 1 || s.Behind[0].ID != "1" || s.WaitingFrom == 0 {
			t.Errorf("%+v", s)
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if !reflect.DeepEqual(r.firsts(), b.journaled()) || len(r.messages()) != many+1 {
			t.Errorf("%d messages, of %d", len(r.messages()), many+1)
		}
		if s := b.status("crm"); len(s.Behind) != 0 {
			t.Errorf("it has not caught up: %+v", s)
		}
	})
}

// Requests of one campaign, and of one endpoint, hang until everything else has happened: that it does is the proof.
func TestWhatFailsDelaysNothingElse(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		bad, good := b.rain("bad", 100), b.rain("good", 1000)
		barrier := make(chan struct{})
		hang := func(http.ResponseWriter, message) { <-barrier }
		half := b.receive("half", func(w http.ResponseWriter, m message) {
			if m.campaign == digits(uint64(bad)) {
				hang(w, m)
			}
		})
		hung, well := b.receive("hung", hang), b.receive("well", nil)
		for name, r := range map[string]*receiver{"half": half, "hung": hung, "well": well, "down": {url: "http://nowhere/"}} {
			b.put(name, r.url)
		}
		b.sender.post.patience = 1000 * time.Hour
		b.run()
		b.win(bad, 1)
		synctest.Wait()
		b.wins(good, 500) // play goes on
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(half.firsts()[good]); n != 500 {
			t.Errorf("the other campaign of the endpoint: %d of 500", n)
		}
		if n := len(well.firsts()[good]); n != 500 || len(well.firsts()[bad]) != 1 {
			t.Errorf("the other endpoint: %d of 500", n)
		}
		if n := len(hung.messages()) + len(half.firsts()[bad]); n != 0 {
			t.Errorf("%d requests did not hang", n)
		}
		close(barrier)
		time.Sleep(time.Minute)
		synctest.Wait()
		for _, r := range []*receiver{half, hung} {
			if !reflect.DeepEqual(r.firsts(), b.journaled()) {
				t.Error("what hung has not all arrived in order")
			}
		}
	})
}

func TestAReceiverComesBackAfterAnHour(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		r := b.receive("crm", with(http.StatusInternalServerError))
		b.put("crm", r.url)
		b.run()
		campaign := b.rain("rain", 100)
		b.wins(campaign, 20)
		time.Sleep(time.Hour)
		synctest.Wait()
		tried := r.messages()
		for i, m := range tried {
			if m.id != tried[0].id {
				t.Fatal("an event was sent before the one before it was accepted")
			}
			if i == 0 {
				continue
			}
			// Twice as long each time, of which the second half is drawn.
			full := min(time.Second<<(i-1), time.Hour)
			if wait := m.at.Sub(tried[i-1].at); wait < full/2 || wait > full+time.Second {
				t.Errorf("try %d came after %s; must be %s to %s", i+1, wait, full/2, full)
			}
		}
		if n := len(tried); n < 10 || n > 14 {
			t.Errorf("%d tries in an hour", n)
		}
		s := b.status("crm")
		if s.State != StateFailing || s.Failure == nil || s.Failure.Reason != "answered 500 Internal Server Error" || s.Behind[0].Failures != len(tried) ||
			s.Behind[0].FailingSince > hongbao.TimeOf(tried[0].at)+10 || s.Behind[0].NextTry == 0 {
			t.Errorf("%+v", s)
		}
		r.answers(nil)
		time.Sleep(time.Hour)
		synctest.Wait()
		if !reflect.DeepEqual(r.firsts(), b.journaled()) {
			t.Error("not all has arrived in order")
		}
		if s := b.status("crm"); s.State != StateOK || len(s.Behind) > 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestAfterThreeDaysACampaignIsParkedAndReplayed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		b.sender.look = 20 * time.Second // three days of looking ten times a second are long
		bad, good := b.rain("bad", 100), b.rain("good", 100)
		r := b.receive("crm", func(w http.ResponseWriter, m message) {
			if m.campaign == digits(uint64(bad)) {
				w.WriteHeader(http.StatusBadGateway)
			}
		})
		b.put("crm", r.url)
		b.run()
		b.wins(bad, 3)
		time.Sleep(parkAfter - time.Hour)
		synctest.Wait()
		if s := b.status("crm"); s.State != StateFailing {
			t.Fatalf("parked too early: %+v", s)
		}
		time.Sleep(2*time.Hour + time.Minute)
		synctest.Wait()
		s := b.status("crm")
		if s.State != StateParked || len(s.Behind) != 1 || s.Behind[0].Parked == 0 || s.Behind[0].ID != "1" || s.WaitingFrom != 0 {
			t.Fatalf("%+v", s)
		}
		tries := len(r.messages())
		b.stop() // and it stays so over a restart
		b.run()
		b.wins(good, 3)
		time.Sleep(10 * time.Hour)
		synctest.Wait()
		if n := len(r.messages()) - tries; n != 3 {
			t.Errorf("%d messages after it was parked; must be the 3 of the other campaign", n)
		}
		r.answers(nil)
		if _, err := b.sender.Replay(t.Context(), "crm", FromParked, "ann"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if !reflect.DeepEqual(r.firsts(), b.journaled()) || len(r.messages()) != tries+6 {
			t.Errorf("%d messages after %d", len(r.messages()), tries)
		}
		if s := b.status("crm"); s.State != StateOK {
			t.Errorf("%+v", s)
		}
	})
}

func Test410DisablesUntilATestOrAPutSucceeds(t *testing.T) {
	revive := map[string]func(*bed, *receiver){
		"a test": func(b *bed, _ *receiver) {
			if result, err := b.sender.Test(b.t.Context(), "crm", "ann"); err != nil || !result.Accepted {
				b.t.Fatalf("%+v, %v", result, err)
			}
		},
		"a put": func(b *bed, r *receiver) { b.put("crm", r.url) },
		"a replay": func(b *bed, _ *receiver) {
			if _, err := b.sender.Replay(b.t.Context(), "crm", FromParked, "ann"); err != nil {
				b.t.Fatal(err)
			}
		},
	}
	for name, revive := range revive {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				b := newBed(t)
				r := b.receive("crm", with(http.StatusGone))
				b.put("crm", r.url)
				b.run()
				campaign := b.rain("rain", 100)
				b.wins(campaign, 3)
				time.Sleep(3 * time.Hour)
				synctest.Wait()
				if n := len(r.messages()); n != 1 {
					t.Fatalf("%d requests", n)
				}
				if s := b.status("crm"); s.State != StateGone || s.Gone == nil {
					t.Fatalf("%+v", s)
				}
				if result, err := b.sender.Test(t.Context(), "crm", "ann"); err != nil || result.Accepted || result.Status != http.StatusGone {
					t.Fatalf("%+v, %v", result, err)
				}
				r.answers(nil)
				time.Sleep(time.Minute)
				if n := len(r.messages()); n != 2 {
					t.Fatalf("%d requests without being asked to", n-2)
				}
				revive(b, r)
				time.Sleep(5 * time.Second)
				synctest.Wait()
				if !reflect.DeepEqual(r.firsts()[campaign], b.journaled()[campaign]) {
					t.Error("not all has arrived in order")
				}
				if s := b.status("crm"); s.State != StateOK {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

func TestTwoSecretsWhileTheyAreChanged(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		r := b.receive("crm", nil)
		old, oldText := newKey()
		next, nextText := newKey()
		campaign := b.rain("rain", 100)
		b.run()
		for i, step := range []struct {
			secrets Secrets
			known   []byte // to the receiver
		}{
			{Secrets{oldText}, old}, {Secrets{nextText, oldText}, old}, {nil, next}, {Secrets{nextText}, next},
		} {
			b.put("crm", r.url, step.secrets...)
			r.mu.Lock()
			r.keys = [][]byte{step.known}
			r.mu.Unlock()
			time.Sleep(2 * time.Second)
			b.win(campaign, uint64(i))
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if n := len(r.messages()); n != i+1 {
				t.Fatalf("%d messages after step %d", n, i)
			}
		}
		if n := strings.Count(r.messages()[1].header.Get("webhook-signature"), "v1,"); n != 2 {
			t.Errorf("%d signatures while there are two secrets", n)
		}
	})
}

func TestAfterACrashTheSameIsSentUnderTheSameIDs(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		r := b.receive("crm", nil)
		b.put("crm", r.url)
		b.run()
		campaign := b.rain("rain", 1000)
		time.Sleep(10 * time.Second)
		b.wins(campaign, 50)
		synctest.Wait()
		time.Sleep(lookEvery + 100*time.Millisecond) // they are sent, and the cursor is not written again yet
		synctest.Wait()
		first := len(r.messages())
		if first == 0 {
			t.Fatal("nothing was sent before the crash")
		}
		b.crash()
		b.run()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if !reflect.DeepEqual(r.firsts(), b.journaled()) {
			t.Error("not all has arrived in order")
		}
		if n := len(r.messages()); n <= 50 {
			t.Errorf("%d messages: nothing was sent again, so nothing was tried", n)
		}
	})
}

func TestAStopIsNoCrash(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		r := b.receive("crm", func(http.ResponseWriter, message) { time.Sleep(10 * time.Millisecond) })
		b.put("crm", r.url)
		campaign := b.rain("rain", 1000)
		b.wins(campaign, 300)
		for range 10 {
			b.run()
			time.Sleep(400 * time.Millisecond)
			b.stop()
		}
		b.run()
		time.Sleep(time.Minute)
		synctest.Wait()
		if !reflect.DeepEqual(r.firsts(), b.journaled()) || len(r.messages()) != 300 {
			t.Errorf("%d messages; must be 300", len(r.messages()))
		}
	})
}

func TestAnIdleSenderJournalsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		r := b.receive("crm", nil)
		b.put("crm", r.url)
		b.put("other", r.url)
		b.run()
		campaign := b.rain("rain", 10)
		b.win(campaign, 1)
		time.Sleep(time.Minute)
		events := func() (n int) { // but for the engine's own checkpoints
			for entry, err := range b.engine.Journal(t.Context(), "") {
				if err == nil && strings.HasPrefix(entry.Event.Name, "webhook.") {
					n++
				}
			}
			return n
		}
		before := events()
		if before == 0 {
			t.Fatal("there are no cursors")
		}
		time.Sleep(time.Hour)
		if after := events(); after != before {
			t.Errorf("%d cursors were journaled while nothing happened", after-before)
		}
	})
}

func TestMoreCampaignsFailThanMayBeBehind(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		r := b.receive("crm", with(http.StatusServiceUnavailable))
		b.put("crm", r.url)
		b.run()
		for i := range 2*lanesMax + 3 {
			campaign := b.rain("rain-"+digits(uint64(i)), 10)
			b.wins(campaign, 2)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if s := b.status("crm"); len(s.Behind) != lanesMax {
			t.Errorf("%d campaigns behind", len(s.Behind))
		}
		r.answers(nil)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if !reflect.DeepEqual(r.firsts(), b.journaled()) {
			t.Error("not all has arrived in order")
		}
	})
}

func TestTwoSendersAtOnceBreakNoOrder(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		r := b.receive("crm", nil)
		b.put("crm", r.url)
		b.run()
		second := b.newSender()
		halt := b.runs(second)
		campaign := b.rain("rain", 1000)
		for range 20 {
			b.wins(campaign, 10)
			time.Sleep(time.Second)
		}
		b.stop()
		b.wins(campaign, 10)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		halt()
		second.post.close()
		if !reflect.DeepEqual(r.firsts(), b.journaled()) {
			t.Error("not all has arrived in order")
		}
	})
}

// Whatever fails, stops and crashes: each event arrives, and within its campaign in the order of the journal.
func TestOrderUnderRandomFailures(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	inBubble(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(seed, 0))
		b := newBed(t)
		var mu sync.Mutex // of chaos, which requests draw from too
		chaos := rand.New(rand.NewPCG(seed, 1))
		trouble := 0.3
		r := b.receive("crm", func(w http.ResponseWriter, m message) {
			mu.Lock()
			n, pause := chaos.Float64()/trouble, time.Duration(chaos.IntN(200))*time.Millisecond
			mu.Unlock()
			switch {
			case n < 0.2:
				w.WriteHeader(500)
			case n < 0.3:
				w.Header().Set("Retry-After", "3")
				w.WriteHeader(503)
			case n < 0.4:
				panic(http.ErrAbortHandler)
			case n < 0.7:
				time.Sleep(pause)
			}
		})
		b.put("crm", r.url)
		b.run()
		var campaigns []uint32
		for i := range 6 {
			campaigns = append(campaigns, b.rain("rain-"+digits(uint64(i)), 100_000))
		}
		for range 60 {
			campaign := campaigns[random.IntN(len(campaigns))]
			switch n := random.IntN(20); {
			case n < 12:
				b.wins(campaign, random.IntN(30))
			case n < 13:
				b.wins(campaign, 400) // more than a lane has room for
			case n < 17:
				time.Sleep(time.Duration(random.IntN(5000)) * time.Millisecond)
			case n < 18:
				b.stop()
				b.run()
			case n < 19:
				b.crash()
				b.run()
			default:
				mu.Lock()
				trouble = []float64{0.01, 0.3, 1, 2}[random.IntN(4)]
				mu.Unlock()
			}
		}
		mu.Lock()
		trouble = 0.01
		mu.Unlock()
		r.answers(nil)
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		got := r.firsts()
		for campaign, ids := range b.journaled() {
			if !slices.Equal(got[campaign], ids) {
				t.Errorf("campaign %d: %d ids have arrived, of %d, or in another order", campaign, len(got[campaign]), len(ids))
			}
		}
		if s := b.status("crm"); s.State != StateOK || len(s.Behind) > 0 {
			t.Errorf("%+v", s)
		}
	})
}
