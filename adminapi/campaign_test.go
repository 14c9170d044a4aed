package adminapi

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"hongbao"
)

func TestCreatedCampaignHasTheConfigFilesKeysFilledIn(t *testing.T) {
	b := newBed(t)
	created := b.post("/admin/v1/campaigns", `{"name":"new-year","kind":"rain","opens_at":"2027-02-05T20:00:00+08:00",
		"closes_at":"2027-02-05T20:10:00+08:00","budget":{"total_fen":100000,"count":1000,"split":"uniform"},"chance":0.2,"title":{"zh":"新年"}}`).must(http.StatusCreated)
	if location, tag := created.header.Get("Location"), created.header.Get("ETag"); location != "/admin/v1/campaigns/1" || tag != `"1"` {
		t.Errorf("Location %q, ETag %q", location, tag)
	}
	read := b.get("/admin/v1/campaigns/1").must(http.StatusOK)
	if string(read.body) != string(created.body) {
		t.Errorf("read differs from created:\n%s\n%s", read.body, created.body)
	}
	var c map[string]any
	read.into(&c)
	for key, want := range map[string]any{
		"id": "1", "revision": 1.0, "phase": "scheduled", "name": "new-year", "chance": 0.2, "wins_max": 5.0, "open_for": "24h0m0s",
		"opens_at": "2027-02-05T12:00:00Z", "reveal": "on_open", "cancelled": false, "created_at": "2027-01-15T08:00:00Z", "signed_up": 0.0,
	} {
		if c[key] != want {
			t.Errorf("%s is %v, want %v", key, c[key], want)
		}
	}
	if _, told := c["seed"]; told {
		t.Error("the seed is told before the seal")
	}
	revision := c["revisions"].([]any)[0].(map[string]any)
	if revision["actor"] != "ops" {
		t.Errorf("the actor is %v, want the token's name", revision["actor"])
	}
}

func TestRevisionNeedsTheRevisionItWasMadeFrom(t *testing.T) {
	b := newBed(t)
	b.rain("r", 10)
	const path, pause = "/admin/v1/campaigns/1", `{"paused":true}`
	var c campaign
	revised := b.ask("PATCH", path, pause, `If-Match: "1"`).must(http.StatusOK).into(&c)
	if !c.Paused || c.Revision != 2 || revised.header.Get("ETag") != `"2"` {
		t.Errorf("after pausing: %s", revised.body)
	}
	for _, row := range []struct {
		ifMatch string
		status  int
		code    string
	}{
		{"", http.StatusPreconditionRequired, "precondition_required"},
		{`"1"`, http.StatusPreconditionFailed, "stale_revision"},
		{`"9"`, http.StatusPreconditionFailed, "stale_revision"},
		{`3`, http.StatusBadRequest, "invalid_request"},
		{`W/"2"`, http.StatusBadRequest, "invalid_request"},
		{`"0"`, http.StatusBadRequest, "invalid_request"},
		{`"`, http.StatusBadRequest, "invalid_request"},
		{`""`, http.StatusBadRequest, "invalid_request"},
		{`"2", "3"`, http.StatusBadRequest, "invalid_request"},
	} {
		p := b.ask("PATCH", path, pause, "If-Match: "+row.ifMatch).must(row.status).problem()
		if p.Code != row.code {
			t.Errorf("If-Match %s: %s, want %s", row.ifMatch, p.Code, row.code)
		}
	}
	b.ask("PATCH", path, `{"paused":false}`, "If-Match: *").must(http.StatusOK).into(&c)
	if c.Paused || c.Revision != 3 {
		t.Errorf("after resuming at any revision: %+v", c)
	}
}

func TestBudgetBelowIssuedTellsTheLeastFigures(t *testing.T) {
	b := newBed(t)
	b.rain("r", 10)
	issued := b.snatch(1, 7, "a").AmountFen + b.snatch(1, 7, "b").AmountFen
	p := b.ask("PATCH", "/admin/v1/campaigns/1", `{"budget":{"count":1}}`, `If-Match: "1"`).must(http.StatusUnprocessableEntity).problem()
	if p.Code != "budget_below_issued" || p.LeastCount == nil || *p.LeastCount != 2 || p.LeastTotalFen == nil || *p.LeastTotalFen != issued {
		t.Errorf("%+v", p)
	}
	p = b.ask("PATCH", "/admin/v1/campaigns/1", `{"budget":{"total_fen":2}}`, `If-Match: "1"`).must(http.StatusUnprocessableEntity).problem()
	if *p.LeastTotalFen != issued+8 || *p.LeastCount != 2 {
		t.Errorf("with 8 envelopes of at least 1 fen left: total %d, count %d, issued %d", *p.LeastTotalFen, *p.LeastCount, issued)
	}
}

func TestCancelMayBeRepeatedAndRevealsTheSeed(t *testing.T) {
	b := newBed(t)
	b.rain("r", 10)
	var c campaign
	first := b.post("/admin/v1/campaigns/1/cancel", "").must(http.StatusOK).into(&c)
	if !c.Cancelled || c.Phase != hongbao.PhaseSettled || c.Seed == (hongbao.Seed{}) || c.SealedAt != start {
		t.Errorf("%s", first.body)
	}
	if again := b.post("/admin/v1/campaigns/1/cancel", "").must(http.StatusOK); string(again.body) != string(first.body) {
		t.Errorf("cancelled again: %s", again.body)
	}
	p := b.ask("PATCH", "/admin/v1/campaigns/1", `{"paused":true}`, `If-Match: "1"`).must(http.StatusConflict).problem()
	if p.Code != "campaign_over" {
		t.Error(p.Code)
	}
	b.rain("ends", 10)
	b.pass(11 * time.Minute)
	b.tend()
	if p := b.post("/admin/v1/campaigns/2/cancel", "").must(http.StatusConflict).problem(); p.Code != "campaign_over" {
		t.Error(p.Code)
	}
}

func TestCampaignListPagesNewestFirstAndByPhase(t *testing.T) {
	b := newBed(t)
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		b.rain(name, 10)
	}
	b.post("/admin/v1/campaigns/3/cancel", "").must(http.StatusOK)
	for _, row := range []struct{ query, names, next string }{
		{"", "e d c b a", ""},
		{"?phase=&limit=&cursor=", "e d c b a", ""},
		{"?limit=2", "e d", "4"},
		{"?limit=2&cursor=4", "c b", "2"},
		{"?limit=2&cursor=2", "a", ""},
		{"?phase=open&limit=2", "e d", "4"},
		{"?phase=open&limit=2&cursor=4", "b a", ""},
		{"?phase=settled", "c", ""},
		{"?phase=countdown", "", ""},
	} {
		answer := b.get("/admin/v1/campaigns" + row.query).must(http.StatusOK)
		var page campaignPage
		answer.into(&page)
		var names []string
		for _, c := range page.Campaigns {
			names = append(names, c.Name)
			if c.Revisions != nil {
				t.Error("a list has revisions")
			}
		}
		if got := strings.Join(names, " "); got != row.names || page.Next != row.next || page.Campaigns == nil {
			t.Errorf("%q: %s, next %q", row.query, got, page.Next)
		}
	}
}

func TestCampaignsAreFoundByNameAndTitle(t *testing.T) {
	b := newBed(t)
	for _, spec := range []string{
		`{"name":"New-Year","title":{"zh":"新年红包雨","en":"Lucky rain"}`, `{"name":"newer"`, `{"name":"other","title":{"en":"NEW things"}`,
	} {
		b.post("/admin/v1/campaigns", spec+`,"kind":"rain","opens_at":"+1h","lasts":"1m","budget":{"total_fen":100,"count":10}}`).must(http.StatusCreated)
	}
	for search, want := range map[string]string{"": "321", "new": "321", "NEWER": "2", "lucky": "1", "%E7%BA%A2%E5%8C%85": "1", "none": ""} {
		var page campaignPage
		b.get("/admin/v1/campaigns?search=" + search).must(http.StatusOK).into(&page)
		found := ""
		for _, c := range page.Campaigns {
			found += c.ID
		}
		if found != want {
			t.Errorf("%q finds %s, want %s", search, found, want)
		}
	}
}
