package gate

import (
	"errors"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"hongbao"
)

func TestChangedSettingsAreInForceAtOnceAndKept(t *testing.T) {
	configured := Options{Player: Rate{Rate: 20}}
	b := newBed(t, configured)
	if got, want := b.gate.Settings(), (Settings{Player: Rate{20, 40}, Denylist: []string{}}); !reflect.DeepEqual(got, want) {
		t.Fatalf("configured are %+v, not %+v", got, want)
	}
	b.change(`{"global":{"rate":2000,"burst":100},"denylist":["7"]}`)
	got := b.change(`{"read_only":true,"player":{"rate":1}}`)
	want := Settings{Revision: 2, Global: Rate{2000, 100}, Player: Rate{1, 2}, Denylist: []string{"7"}, ReadOnly: true}
	if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(b.gate.Settings(), want) {
		t.Fatalf("changed are %+v and in force %+v, not %+v", got, b.gate.Settings(), want)
	}
	if _, err := b.gate.Admit(Visitor{UID: 7}, time.Now()); !errors.Is(err, hongbao.ErrDenied) {
		t.Errorf("a denied player: %v", err)
	}
	configured.Address = Rate{Rate: 5}
	b.restart(configured)
	want.Address = Rate{5, 10}
	if got := b.gate.Settings(); !reflect.DeepEqual(got, want) {
		t.Errorf("after a restart they are %+v, not %+v", got, want)
	}
}

func TestNullTakesBackWhatTheConfigurationHas(t *testing.T) {
	b := newBed(t, Options{Player: Rate{Rate: 20}})
	b.change(`{"player":{"rate":1},"denylist":["7"],"read_only":true}`)
	got := b.change(`{"player":null,"denylist":null,"read_only":null}`)
	if want := (Settings{Revision: 2, Player: Rate{20, 40}, Denylist: []string{}}); !reflect.DeepEqual(got, want) {
		t.Errorf("they are %+v, not %+v", got, want)
	}
}

func TestWrongSettingsAreRefusedByName(t *testing.T) {
	for patch, field := range map[string]string{
		`{}`:                                "body",
		`[]`:                                "body",
		`{"players":{"rate":1}}`:            "players",
		`{"player":{"rte":1}}`:              "player.rte",
		`{"player":{"rate":"fast"}}`:        "player.rate",
		`{"player":{"rate":-1}}`:            "player.rate",
		`{"player":{"burst":5}}`:            "player.rate",
		`{"global":{}}`:                     "global.rate",
		`{"address":{"rate":null}}`:         "address.rate",
		`{"address":{"rate":1,"burst":-1}}`: "address.burst",
		`{"denylist":["nobody"]}`:           "denylist[0]",
		`{"denylist":7}`:                    "denylist",
		`{"read_only":"yes"}`:               "read_only",
	} {
		b := newBed(t, Options{})
		p, err := ParsePatch([]byte(patch))
		if err == nil {
			_, err = b.gate.Change(t.Context(), p, nil, "ops")
		}
		if got := fieldOf(err); got != field {
			t.Errorf("%s: the error is about %q, not %q: %v", patch, got, field, err)
		}
		if got := b.gate.Settings(); got.Revision != 0 {
			t.Errorf("%s: is in force", patch)
		}
	}
}

func TestAChangeFromAnOlderRevisionIsRefused(t *testing.T) {
	b := newBed(t, Options{})
	b.change(`{"read_only":true}`)
	p, err := ParsePatch([]byte(`{"read_only":false}`))
	if err != nil {
		t.Fatal(err)
	}
	old, current := uint64(0), uint64(1)
	if _, err := b.gate.Change(t.Context(), p, &old, "ops"); !errors.Is(err, hongbao.ErrStale) {
		t.Errorf("from revision 0: %v", err)
	}
	if s, err := b.gate.Change(t.Context(), p, &current, "ops"); err != nil || s.ReadOnly || s.Revision != 2 {
		t.Errorf("from revision 1: %+v, %v", s, err)
	}
}

// Two gates on one engine are what two nodes of a cluster are.
func TestAnotherProcessFollows(t *testing.T) {
	b := newBed(t, Options{Player: Rate{Rate: 20}})
	other, err := New(t.Context(), Options{Service: b.service, Secret: b.engine.Secret(), Logger: b.gate.logger, Player: Rate{Rate: 20}})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Stop()
	want := b.change(`{"denylist":["7"],"player":{"rate":3}}`)
	if err := other.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := other.Settings(); !reflect.DeepEqual(got, want) {
		t.Errorf("the other process has %+v, not %+v", got, want)
	}
	if _, err := other.Admit(Visitor{UID: 7}, time.Now()); !errors.Is(err, hongbao.ErrDenied) {
		t.Errorf("a denied player there: %v", err)
	}
}

// What callers owe is counted in time at the rate that was: it must not outlast it.
func TestAHigherRateIsInForceForThoseWhoUsedUpALowerOne(t *testing.T) {
	b := newBed(t, Options{})
	at := time.Now()
	passes := func(uid uint64) bool {
		visitor := Visitor{UID: uid, Address: netip.MustParseAddr("203.0.113.9")}
		_, refused := b.gate.Arrive(visitor.Address, at)
		_, err := b.gate.Admit(visitor, at)
		return refused == nil && err == nil && b.gate.takeGlobal() == nil
	}
	for _, bucket := range []string{"player", "address", "global"} {
		b.change(`{"` + bucket + `":{"rate":0.01,"burst":3}}`)
		for range 3 {
			passes(7)
		}
		if b.change(`{"denylist":["8"]}`); passes(7) {
			t.Errorf("%s: another change gave back what was used up", bucket)
		}
		if b.change(`{"` + bucket + `":{"rate":1000}}`); !passes(7) {
			t.Errorf("%s: refused at the rate that is no longer in force", bucket)
		}
		b.change(`{"` + bucket + `":null}`)
	}
}
