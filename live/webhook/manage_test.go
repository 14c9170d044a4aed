package webhook

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hongbao"
)

func TestEndpointsAreMadeReplacedAndDeleted(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		first := b.put("crm", "https://example.com/a")
		if first.Revision != 1 || first.Source != "api" || first.State != StateStarting || first.Secrets != 1 || !strings.HasPrefix(first.Secret, "whsec_") || first.Position == "" {
			t.Errorf("%+v", first)
		}
		second := b.put("crm", "https://example.com/b")
		if second.Revision != 2 || second.Secret != "" || second.URL != "https://example.com/b" || second.Position != first.Position {
			t.Errorf("%+v", second)
		}
		key, _ := hongbao.ParseSigningKey(first.Secret)
		l, _, err := b.sender.load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e, err := b.sender.find(&l, "crm"); err != nil || !bytes.Equal(e.Keys[0], key) {
			t.Errorf("without a secret it has another one: %v", err)
		}
		stale, current := uint64(1), uint64(2)
		if _, err := b.sender.Put(t.Context(), "crm", Spec{URL: "https://example.com/c"}, &stale, "ann"); !errors.Is(err, hongbao.ErrStale) {
			t.Errorf("%v", err)
		}
		if err := b.sender.Delete(t.Context(), "crm", &stale, "ann"); !errors.Is(err, hongbao.ErrStale) {
			t.Errorf("%v", err)
		}
		if err := b.sender.Delete(t.Context(), "crm", &current, "ann"); err != nil {
			t.Error(err)
		}
		if err := b.sender.Delete(t.Context(), "crm", nil, "ann"); !errors.Is(err, hongbao.ErrNotFound) {
			t.Errorf("%v", err)
		}
		if _, err := b.sender.Status(t.Context(), "crm"); !errors.Is(err, hongbao.ErrNotFound) {
			t.Errorf("%v", err)
		}
		if all, err := b.sender.Statuses(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("%v, %v", all, err)
		}
		for _, call := range []func() error{
			func() error { _, err := b.sender.Test(t.Context(), "crm", "ann"); return err },
			func() error { _, err := b.sender.Replay(t.Context(), "crm", FromStart, "ann"); return err },
		} {
			if err := call(); !errors.Is(err, hongbao.ErrNotFound) {
				t.Errorf("%v", err)
			}
		}
	})
}

// The journal is for viewers, and in exports: no form of a secret is in it, and none in a status.
// between does something once, when an endpoint that is being put is about to be journaled.
type between struct {
	hongbao.Engine
	do func()
}

func (b *between) Record(ctx context.Context, e hongbao.Event, after *hongbao.Event) (hongbao.Position, error) {
	if do := b.do; do != nil && e.Name == markEvent {
		b.do = nil
		do()
	}
	return b.Engine.Record(ctx, e, after)
}

func TestAPutWithoutASecretKeepsTheOneThatAnotherPutHasJustSet(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		b.put("crm", "https://example.com/a")
		key, text := newKey()
		other := b.newSender()
		b.sender.engine = &between{Engine: b.engine, do: func() {
			if _, err := other.Put(t.Context(), "crm", Spec{URL: "https://example.com/a", Secret: Secrets{text}}, nil, "bob"); err != nil {
				t.Fatal(err)
			}
		}}
		if status := b.put("crm", "https://example.com/b"); status.Secret != "" {
			t.Errorf("%+v", status)
		}
		b.hasKey("crm", key)
	})
}

func TestOfTwoWhoMakeAnEndpointAtOnceTheSecondIsNotToldASecretThatIsNotItsOwn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		var first EndpointStatus
		other := b.newSender()
		b.sender.engine = &between{Engine: b.engine, do: func() {
			var err error
			if first, err = other.Put(t.Context(), "crm", Spec{URL: "https://example.com/a"}, nil, "bob"); err != nil {
				t.Fatal(err)
			}
		}}
		if second := b.put("crm", "https://example.com/b"); second.Secret != "" {
			t.Errorf("%+v", second)
		}
		key, err := hongbao.ParseSigningKey(first.Secret)
		if err != nil {
			t.Fatal(err)
		}
		b.hasKey("crm", key)
	})
}

// hasKey fails unless the endpoint signs with that key alone.
func (b *bed) hasKey(name string, key []byte) {
	b.t.Helper()
	l, _, err := b.sender.load(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	if e, err := b.sender.find(&l, name); err != nil || len(e.Keys) != 1 || !bytes.Equal(e.Keys[0], key) {
		b.t.Errorf("it signs with another key: %v", err)
	}
}

func TestNoSecretIsInTheJournalOrAStatus(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		text := b.put("made", "https://example.com/").Secret
		given, givenText := newKey()
		b.put("given", "https://example.com/", givenText)
		made, _ := hongbao.ParseSigningKey(text)
		all, err := b.sender.Statuses(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		told := fmt.Sprintf("%+v", all)
		for entry, err := range b.engine.Journal(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			told += fmt.Sprintf("%s %s\n", entry.Event.Name, entry.Event.Data)
		}
		if !strings.Contains(told, "example.com") {
			t.Fatal("the list is not there")
		}
		for _, key := range [][]byte{made, given} {
			for _, form := range []string{string(key), base64.StdEncoding.EncodeToString(key), hex.EncodeToString(key)} {
				if strings.Contains(told, form) {
					t.Error("a secret is there")
				}
			}
		}
	})
}

func TestASealedSecretBelongsToItsEndpointAndServer(t *testing.T) {
	one, _ := newSafe(hongbao.Secret{1})
	other, _ := newSafe(hongbao.Secret{2})
	key, _ := newKey()
	sealed := one.seal("crm", [][]byte{key, key})
	if bytes.Equal(sealed[0], sealed[1]) {
		t.Error("what is sealed twice looks alike")
	}
	if keys, err := one.open("crm", sealed); err != nil || !bytes.Equal(keys[1], key) {
		t.Error(err)
	}
	if _, err := one.open("other", sealed); err == nil {
		t.Error("it was opened for another endpoint")
	}
	if _, err := other.open("crm", sealed); err == nil {
		t.Error("it was opened by another server")
	}
}

func TestEndpointsOfTheConfigurationAreNotChanged(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		key, _ := newKey()
		b := newBed(t, Endpoint{Name: "crm", URL: "https://example.com/", Keys: [][]byte{key}})
		if _, err := b.sender.Put(t.Context(), "crm", Spec{URL: "https://example.com/b"}, nil, "ann"); !errors.Is(err, hongbao.ErrDeclared) {
			t.Errorf("%v", err)
		}
		if err := b.sender.Delete(t.Context(), "crm", nil, "ann"); !errors.Is(err, hongbao.ErrDeclared) {
			t.Errorf("%v", err)
		}
		if s := b.status("crm"); s.Source != "config" || s.Revision != 0 || s.State != StateStarting {
			t.Errorf("%+v", s)
		}
	})
}

func TestWrongSpecsNameTheField(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		long := strings.Repeat("x", urlMax)
		for body, field := range map[string]string{
			`{}`:                                                                "url",
			`{"url":"https://example.com:99999/"}`:                              "url",
			`{"url":"ftp://example.com/"}`:                                      "url",
			`{"url":"https://"}`:                                                "url",
			`{"url":"https:example.com"}`:                                       "url",
			`{"url":"https://a:b@example.com"}`:                                 "url",
			`{"url":"https://example.com#x"}`:                                   "url",
			`{"url":"https://example.com/` + long + `"}`:                        "url",
			`{"url":"https://example.com","secret":"x"}`:                        "secret",
			`{"url":"https://example.com","secret":7}`:                          "secret",
			`{"url":"https://example.com","secret":[]}`:                         "secret",
			`{"url":"https://example.com","events":["envelope.won","nothing"]}`: "events[1]",
			`{"url":"https://example.com","events":["progress"]}`:               "events[0]",
			`{"url":"https://example.com","events":["open","open"]}`:            "events[1]",
			`{"url":"https://example.com","campaigns":["a b"]}`:                 "campaigns[0]",
			`{"url":"https://example.com","event":[]}`:                          "event",
		} {
			spec, err := ParseSpec([]byte(body))
			if err == nil {
				_, err = b.sender.Put(t.Context(), "crm", spec, nil, "ann")
			}
			var about *hongbao.FieldError
			if !errors.As(err, &about) || about.Field != field {
				t.Errorf("%.80s: %v; must be about %s", body, err, field)
			}
		}
		for _, name := range []string{"", "a b", "a/b", "红包", "-é-", strings.Repeat("x", nameMax+1)} {
			if _, err := b.sender.Put(t.Context(), name, Spec{URL: "https://example.com"}, nil, "ann"); !errors.Is(err, hongbao.ErrInvalid) {
				t.Errorf("%q: %v", name, err)
			}
		}
	})
}

func TestEndpointsAreBoundedAndSlotsUsedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		for i := range EndpointsMax {
			b.put(fmt.Sprintf("hook-%d", i), "https://example.com/")
		}
		if _, err := b.sender.Put(t.Context(), "one-more", Spec{URL: "https://example.com"}, nil, "ann"); !errors.Is(err, hongbao.ErrInvalid) {
			t.Errorf("%v", err)
		}
		if err := b.sender.Delete(t.Context(), "hook-7", nil, "ann"); err != nil {
			t.Fatal(err)
		}
		b.put("one-more", "https://example.com/")
		l, _, err := b.sender.load(t.Context())
		if err != nil || l.place("one-more").Slot != 7 {
			t.Errorf("%+v, %v", l.place("one-more"), err)
		}
	})
}

func TestANewEndpointInAnOldSlotBeginsNow(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		r := b.receive("crm", with(500))
		campaign := b.rain("rain", 100)
		b.put("old", r.url)
		b.run()
		b.wins(campaign, 5)
		time.Sleep(5 * time.Second)
		if err := b.sender.Delete(t.Context(), "old", nil, "ann"); err != nil {
			t.Fatal(err)
		}
		fresh := b.receive("new", nil)
		b.put("new", fresh.url)
		b.wins(campaign, 3)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if want := b.journaled()[campaign][5:]; !reflect.DeepEqual(fresh.firsts()[campaign], want) {
			t.Errorf("%v; must be %v", fresh.firsts(), want)
		}
	})
}

func TestReplay(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		r := b.receive("crm", nil)
		campaign := b.rain("rain", 100)
		b.wins(campaign, 3)
		b.put("crm", r.url)
		b.run()
		b.wins(campaign, 3)
		time.Sleep(5 * time.Second)
		var third hongbao.Position
		for entry := range b.engine.Journal(t.Context(), "") {
			if entry.Event.Kind == hongbao.EnvelopeWon && entry.ID == b.journaled()[campaign][2] {
				third = entry.Position
			}
		}
		ids := b.journaled()[campaign]
		for _, row := range []struct {
			from string
			want []string
		}{{string(third), ids[3:]}, {FromStart, ids}, {"", ids}, {FromParked, nil}} {
			before := len(r.messages())
			if _, err := b.sender.Replay(t.Context(), "crm", row.from, "ann"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second)
			synctest.Wait()
			var got []string
			for _, m := range r.messages()[before:] {
				got = append(got, m.id)
			}
			if !reflect.DeepEqual(got, row.want) {
				t.Errorf("from %q: %v; must be %v", row.from, got, row.want)
			}
		}
		if _, err := b.sender.Replay(t.Context(), "crm", "nowhere", "ann"); !errors.Is(err, hongbao.ErrInvalid) {
			t.Errorf("%v", err)
		}
	})
}

func TestAReplayBeginsWhereTheJournalHasBeen(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		r := b.receive("crm", nil)
		campaign := b.rain("rain", 100)
		b.put("crm", r.url)
		b.run()
		b.wins(campaign, 1)
		time.Sleep(5 * time.Second)
		if _, err := b.sender.Replay(t.Context(), "crm", "999.0", "ann"); !errors.Is(err, hongbao.ErrInvalid) {
			t.Errorf("%v", err)
		}
		b.wins(campaign, 3)
		time.Sleep(5 * time.Second)
		if got := len(r.messages()); got != 4 {
			t.Errorf("%d of 4 messages; %+v", got, b.status("crm"))
		}
	})
}

func TestADisabledEndpointGetsWhatItMissed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		r := b.receive("crm", nil)
		b.put("crm", r.url)
		b.run()
		campaign := b.rain("rain", 100)
		set := func(disabled bool) {
			if _, err := b.sender.Put(t.Context(), "crm", Spec{URL: r.url, Disabled: disabled}, nil, "ann"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * time.Second)
		}
		b.wins(campaign, 2)
		time.Sleep(3 * time.Second)
		set(true)
		b.wins(campaign, 2)
		time.Sleep(time.Hour)
		if n := len(r.messages()); n != 2 || b.status("crm").State != StateDisabled {
			t.Errorf("%d messages, %+v", n, b.status("crm"))
		}
		set(false)
		if !reflect.DeepEqual(r.firsts(), b.journaled()) {
			t.Error("not all has arrived in order")
		}
	})
}

func TestATestIsSignedAndTellsWhatBecameOfIt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBed(t)
		r := b.receive("crm", nil)
		key, _ := hongbao.ParseSigningKey(b.put("crm", r.url).Secret)
		r.keys = [][]byte{key}
		result, err := b.sender.Test(t.Context(), "crm", "ann")
		if err != nil || !result.Accepted || result.Status != 200 || result.Error != "" {
			t.Errorf("%+v, %v", result, err)
		}
		got := r.messages()
		if len(got) != 1 || got[0].kind != eventTest || got[0].id != result.ID || got[0].data["webhook"] != "crm" {
			t.Errorf("%+v", got)
		}
		b.put("crm", "http://nowhere/")
		if result, err = b.sender.Test(t.Context(), "crm", "ann"); err != nil || result.Accepted || !strings.Contains(result.Error, "refused") {
			t.Errorf("%+v, %v", result, err)
		}
	})
}
