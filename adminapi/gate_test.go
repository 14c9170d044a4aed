package adminapi

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"hongbao/gate"
)

func TestGateIsTurnedAndRead(t *testing.T) {
	b := newBed(t)
	var s gate.Settings
	got := b.get("/admin/v1/gate").must(http.StatusOK).into(&s)
	if want := (gate.Settings{Player: gate.Rate{Rate: 20, Burst: 40}, Denylist: []string{}}); !reflect.DeepEqual(s, want) || got.header.Get("ETag") != `"0"` {
		t.Errorf("as configured: %+v, %s", s, got.header.Get("ETag"))
	}
	got = b.ask(http.MethodPatch, "/admin/v1/gate", `{"global":{"rate":2000},"denylist":["7"],"read_only":true}`).must(http.StatusOK).into(&s)
	want := gate.Settings{
		Revision: 1, Global: gate.Rate{Rate: 2000, Burst: 4000}, Player: gate.Rate{Rate: 20, Burst: 40}, Denylist: []string{"7"}, ReadOnly: true,
	}
	if !reflect.DeepEqual(s, want) || got.header.Get("ETag") != `"1"` {
		t.Errorf("changed: %+v, %s", s, got.header.Get("ETag"))
	}
	if b.get("/admin/v1/gate").must(http.StatusOK).into(&s); !reflect.DeepEqual(s, want) {
		t.Errorf("read again: %+v", s)
	}
}

func TestGateChangeFromAnOlderRevision(t *testing.T) {
	b := newBed(t)
	b.ask(http.MethodPatch, "/admin/v1/gate", `{"read_only":true}`, `If-Match: "0"`).must(http.StatusOK)
	if p := b.ask(http.MethodPatch, "/admin/v1/gate", `{"read_only":false}`, `If-Match: "0"`).must(http.StatusPreconditionFailed).problem(); p.Code != "stale_revision" {
		t.Errorf("%+v", p)
	}
	b.ask(http.MethodPatch, "/admin/v1/gate", `{"read_only":false}`, `If-Match: "1"`).must(http.StatusOK)
	b.ask(http.MethodPatch, "/admin/v1/gate", `{"read_only":false}`, `If-Match: *`).must(http.StatusOK)
	for _, text := range []string{`1`, `"1`, `1"`, "`1`", `'1'`, `W/"1"`, `"-1"`, `""`} {
		if p := b.ask(http.MethodPatch, "/admin/v1/gate", `{"read_only":false}`, `If-Match: `+text).must(http.StatusBadRequest).problem(); p.Field != "If-Match" {
			t.Errorf("%s: %+v", text, p)
		}
	}
}

func TestWrongGateSettingsNameTheField(t *testing.T) {
	b := newBed(t)
	for body, field := range map[string]string{
		`{"player":{"rate":-1}}`: "player.rate",
		`{"denylist":["x"]}`:     "denylist[0]",
		`{"rates":{}}`:           "rates",
		`{}`:                     "body",
	} {
		if p := b.ask(http.MethodPatch, "/admin/v1/gate", body).must(http.StatusBadRequest).problem(); p.Field != field {
			t.Errorf("%s: %+v", body, p)
		}
	}
	b.ask(http.MethodPatch, "/admin/v1/gate", `{"read_only":true}`, "Authorization: Bearer "+viewerToken).must(http.StatusForbidden)
}

func TestALongDenylistIsTaken(t *testing.T) {
	b := newBed(t)
	const entries = 2400 // as long as the bed's small segments take
	denied := make([]string, entries)
	for i := range denied {
		denied[i] = fmt.Sprintf(`"2001:0db8:0000:0000:0000:0000:ffff:%04x/128"`, i)
	}
	var s gate.Settings
	b.ask(http.MethodPatch, "/admin/v1/gate", `{"denylist":[`+strings.Join(denied, ",\n")+`]}`).must(http.StatusOK).into(&s)
	if len(s.Denylist) != entries {
		t.Errorf("%d of %d entries", len(s.Denylist), entries)
	}
}

func TestReadOnlyShowsInReadyzAndStats(t *testing.T) {
	b := newBed(t)
	b.ask(http.MethodPatch, "/admin/v1/gate", `{"read_only":true}`).must(http.StatusOK)
	var h health
	if b.get("/readyz").must(http.StatusOK).into(&h); h.Status != "degraded" || h.Reason == "" {
		t.Errorf("%+v", h)
	}
	var told stats
	if b.get("/admin/v1/stats").must(http.StatusOK).into(&told); told.Healthy || told.Reason == "" {
		t.Errorf("%+v", told)
	}
}
