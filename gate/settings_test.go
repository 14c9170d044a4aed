package gate

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"sync"
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

// other is another gate on the bed's engine: what two nodes of a cluster are.
func (b *bed) other(o Options) *Gate {
	b.t.Helper()
	o.Service, o.Secret, o.Logger = b.service, b.engine.Secret(), b.gate.logger
	other, err := New(b.t.Context(), o)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(other.Stop)
	return other
}

func TestAnotherProcessFollows(t *testing.T) {
	b := newBed(t, Options{Player: Rate{Rate: 20}})
	other := b.other(Options{Player: Rate{Rate: 20}})
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

// Who changes on the ground of a revision is told when another was faster, on whichever node.
func TestOfTwoChangesOfOneRevisionOneIsMade(t *testing.T) {
	b := newBed(t, Options{})
	gates := []*Gate{b.gate, b.other(Options{})}
	for revision := range uint64(50) {
		var errs [2]error
		atOnce(len(gates), func(i int) {
			p, err := ParsePatch([]byte(fmt.Sprintf(`{"global":{"rate":%d}}`, 10*revision+uint64(i)+1)))
			if err != nil {
				t.Error(err)
			}
			_, errs[i] = gates[i].Change(t.Context(), p, &revision, "ops")
		})
		stale := slices.IndexFunc(errs[:], func(err error) bool { return errors.Is(err, hongbao.ErrStale) })
		if stale < 0 || errs[1-stale] != nil {
			t.Fatalf("at revision %d the changes are answered with %v", revision, errs)
		}
		want := float64(10*revision) + float64(1-stale) + 1
		_, known, err := b.gate.recorded(t.Context())
		if err != nil || known.Revision != revision+1 || known.Global.Rate != want {
			t.Fatalf("after revision %d there is %+v, %v", revision, known, err)
		}
	}
}

// Without a revision both are made, each on top of the other.
func TestNoChangeIsLostToAnother(t *testing.T) {
	b := newBed(t, Options{})
	gates := []*Gate{b.gate, b.other(Options{})}
	const changes = 40
	atOnce(len(gates), func(i int) {
		for n := range changes {
			patch := fmt.Sprintf(`{%q:{"rate":%d}}`, []string{"global", "player"}[i], n+1)
			p, err := ParsePatch([]byte(patch))
			if err == nil {
				_, err = gates[i].Change(t.Context(), p, nil, "ops")
			}
			if err != nil {
				t.Errorf("%s: %v", patch, err)
			}
		}
	})
	_, known, err := b.gate.recorded(t.Context())
	if err != nil || known.Revision != 2*changes || known.Global.Rate != changes || known.Player.Rate != changes {
		t.Errorf("there is %+v, %v", known, err)
	}
}

// atOnce runs act once for each of n goroutines, all at one moment, and waits for them.
func atOnce(n int, act func(i int)) {
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-begin
			act(i)
		})
	}
	close(begin)
	all.Wait()
}
