package adminapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"hongbao"
)

func TestEveryErrorHasItsCode(t *testing.T) {
	for _, row := range []struct {
		err       error
		status    int
		code      string
		retryable bool
	}{
		{hongbao.Invalid("a", 1, "b"), 400, "invalid_request", false},
		{hongbao.ErrNotFound, 404, "not_found", false},
		{hongbao.ErrNameTaken, 409, "name_taken", false},
		{hongbao.ErrCampaignOver, 409, "campaign_over", false},
		{hongbao.ErrStale, 412, "stale_revision", false},
		{&hongbao.BelowIssuedError{}, 422, "budget_below_issued", false},
		{hongbao.ErrBusy, 503, "busy", true},
		{context.Canceled, 503, "busy", true},
		{hongbao.ErrUnknown, 504, "unknown", true},
		{fmt.Errorf("%w: %w", hongbao.ErrBroken, hongbao.ErrUnknown), 504, "unknown", true},
		{hongbao.ErrBroken, 500, "broken", false},
		{errors.New("secret detail"), 500, "internal", false},
	} {
		p := problemOf(fmt.Errorf("wrapped: %w", row.err))
		if p.Status != row.status || p.Code != row.code || p.Retryable != row.retryable {
			t.Errorf("%v: %+v", row.err, p)
		}
		if strings.Contains(p.Detail, "secret") {
			t.Errorf("an internal error is told: %s", p.Detail)
		}
		if (p.GetHeaders().Get("Retry-After") != "") != (row.status == 503) {
			t.Errorf("%v: Retry-After %q", row.err, p.GetHeaders().Get("Retry-After"))
		}
	}
}

const goodSpec = `{"name":"x","kind":"rain","opens_at":"+1m","lasts":"10m","budget":{"total_fen":1000,"count":10}}`

func TestBadInputIsAClearError(t *testing.T) {
	b := newBed(t)
	b.rain("taken", 10)
	const campaigns, one, ifMatch = "/admin/v1/campaigns", "/admin/v1/campaigns/1", `If-Match: "1"`
	spec := func(old, replacement string) string { return strings.Replace(goodSpec, old, replacement, 1) }
	for _, row := range []struct {
		name               string
		method, path, body string
		status             int
		code, says         string
	}{
		{"no body", "POST", campaigns, ``, 400, "invalid_request", "body"},
		{"not JSON", "POST", campaigns, `{"name":`, 400, "invalid_request", ""},
		{"a list", "POST", campaigns, `[1]`, 400, "invalid_request", "a JSON object"},
		{"two objects", "POST", campaigns, goodSpec + `{}`, 400, "invalid_request", "one JSON object"},
		{"not UTF-8", "POST", campaigns, spec("x", "\xff"), 400, "invalid_request", "UTF-8"},
		{"an unknown key", "POST", campaigns, spec("lasts", "last"), 400, "invalid_request", "did you mean lasts?"},
		{"an unknown key below", "POST", campaigns, spec("total_fen", "total"), 400, "invalid_request", "budget.total"},
		{"a key twice", "POST", campaigns, spec(`"kind"`, `"name":"y","kind"`), 400, "invalid_request", "given once"},
		{"a string for a number", "POST", campaigns, spec("1000", `"1000"`), 400, "invalid_request", "budget.total_fen"},
		{"a fraction for a whole number", "POST", campaigns, spec("1000", `1.5`), 400, "invalid_request", "a whole number"},
		{"a number beyond int64", "POST", campaigns, spec("1000", `99999999999999999999`), 400, "invalid_request", "budget.total_fen"},
		{"a negative count", "POST", campaigns, spec(`"count":10`, `"count":-1`), 400, "invalid_request", "budget.count"},
		{"a budget too large", "POST", campaigns, spec("1000", `1000000000001`), 400, "invalid_request", "1000000000000"},
		{"more envelopes than fen", "POST", campaigns, spec(`"count":10`, `"count":1001`), 400, "invalid_request", "budget.total_fen"},
		{"no name", "POST", campaigns, spec(`"name":"x",`, ``), 400, "invalid_request", "name"},
		{"a name with spaces", "POST", campaigns, spec(`"x"`, `"a b"`), 400, "invalid_request", "a-z"},
		{"a name too long", "POST", campaigns, spec(`"x"`, `"`+strings.Repeat("n", 65)+`"`), 400, "invalid_request", "1 to 64"},
		{"a title too long", "POST", campaigns, spec(`"kind"`, `"title":{"zh":"`+strings.Repeat("福", 101)+`"},"kind"`), 400, "invalid_request", "title.zh"},
		{"an unknown kind", "POST", campaigns, spec("rain", "snow"), 400, "invalid_request", "rain bomb"},
		{"a chance of 0", "POST", campaigns, spec(`"kind"`, `"chance":0,"kind"`), 400, "invalid_request", "chance"},
		{"a chance above 1", "POST", campaigns, spec(`"kind"`, `"chance":1.5,"kind"`), 400, "invalid_request", "chance"},
		{"wins_max too large", "POST", campaigns, spec(`"kind"`, `"wins_max":10001,"kind"`), 400, "invalid_request", "wins_max"},
		{"a time that is none", "POST", campaigns, spec("+1m", "tomorrow"), 400, "invalid_request", "RFC 3339"},
		{"closed before it opens", "POST", campaigns, spec(`"lasts":"10m"`, `"closes_at":"2027-01-01T00:00:00Z"`), 400, "invalid_request", "closes_at"},
		{"a fair start too long", "POST", campaigns, spec(`"kind"`, `"fair_start":"31s","kind"`), 400, "invalid_request", "from 0s (off) to 30s"},
		{"a fair start too long for the window", "POST", campaigns, spec(`"lasts":"10m"`, `"fair_start":"2s","lasts":"7s"`), 400, "invalid_request", "at most 1.75s, a quarter of the window"},
		{"a name that is taken", "POST", campaigns, spec(`"x"`, `"taken"`), 409, "name_taken", "taken"},
		{"a body too large", "POST", campaigns, spec(`"x"`, `"`+strings.Repeat("n", bodyMax)+`"`), 413, "too_large", "8192"},
		{"a body too large where none is read", "GET", campaigns, strings.Repeat("n", bodyMax+1), 413, "too_large", "8192"},

		{"a campaign that is not there", "GET", campaigns + "/2", ``, 404, "not_found", "2"},
		{"an id that is none", "GET", campaigns + "/x", ``, 404, "not_found", `"x"`},
		{"an id with zeroes in front", "GET", campaigns + "/01", ``, 404, "not_found", ""},
		{"an id of 0", "GET", campaigns + "/0", ``, 404, "not_found", ""},
		{"an id beyond the largest", "GET", campaigns + "/2097152", ``, 404, "not_found", ""},
		{"an id beyond 64 bits", "POST", campaigns + "/99999999999999999999/cancel", ``, 404, "not_found", ""},
		{"an unknown phase", "GET", campaigns + "?phase=over", ``, 400, "invalid_request", "scheduled countdown"},
		{"a limit of 0", "GET", campaigns + "?limit=0", ``, 400, "invalid_request", "1 to 200"},
		{"a limit too large", "GET", campaigns + "?limit=201", ``, 400, "invalid_request", "1 to 200"},
		{"a limit that is none", "GET", campaigns + "?limit=many", ``, 400, "invalid_request", "limit"},
		{"a limit twice", "GET", campaigns + "?limit=1&limit=2", ``, 400, "invalid_request", "given once"},
		{"a made-up cursor", "GET", campaigns + "?cursor=x", ``, 400, "invalid_request", "the next of an earlier page"},
		{"an unknown parameter", "GET", campaigns + "?limt=1", ``, 400, "invalid_request", "phase limit cursor"},
		{"a malformed query", "GET", campaigns + "?limit=%zz", ``, 400, "invalid_request", "query"},
		{"a parameter where there are none", "GET", one + "?limit=1", ``, 400, "invalid_request", "no parameters"},

		{"an empty revision", "PATCH", one, `{}`, 400, "invalid_request", "at least one field"},
		{"a revision of the kind", "PATCH", one, `{"kind":"bomb"}`, 400, "invalid_request", "kind"},
		{"a revision of the ticket", "PATCH", one, `{"ticket":true}`, 400, "invalid_request", "ticket: \"(unknown key)\" is not allowed: must be a known key: budget, chance, "},
		{"a revision of the fair start", "PATCH", one, `{"fair_start":"1s"}`, 400, "invalid_request", "fair_start: \"(unknown key)\" is not allowed: must be a known key: budget, chance, "},
		{"a revision of an open campaign's opening", "PATCH", one, `{"opens_at":"2027-02-01T00:00:00Z"}`, 400, "invalid_request", "opens_at"},
		{"a closing in the past", "PATCH", one, `{"closes_at":"2027-01-01T00:00:00Z"}`, 400, "invalid_request", "in the future"},
		{"a revision of nothing", "PATCH", campaigns + "/9", `{"paused":true}`, 404, "not_found", ""},

		{"no uids", "POST", one + "/signups", `{}`, 400, "invalid_request", "uids"},
		{"a sign-up where none is needed", "POST", one + "/signups", `{"uids":[1]}`, 400, "invalid_request", "signup"},
		{"a player's uid that is none", "GET", "/admin/v1/players/x/wallet", ``, 400, "invalid_request", "9007199254740991"},
		{"a uid beyond the largest", "GET", "/admin/v1/players/9007199254740992/history", ``, 400, "invalid_request", "uid"},
		{"a made-up wallet cursor", "GET", "/admin/v1/players/1/wallet?cursor=x", ``, 400, "invalid_request", "cursor"},
		{"a made-up position", "GET", "/admin/v1/journal?from=nowhere", ``, 400, "invalid_request", "nowhere"},
		{"a journal of no campaign", "GET", "/admin/v1/journal?campaign=7", ``, 404, "not_found", "7"},
		{"a journal of a campaign that is none", "GET", "/admin/v1/journal?campaign=x", ``, 400, "invalid_request", "campaign"},
		{"a journal too long", "GET", "/admin/v1/journal?limit=100001", ``, 400, "invalid_request", "100000"},
		{"a journal in XML", "GET", "/admin/v1/journal?format=xml", ``, 400, "invalid_request", "ndjson csv"},
		{"an audit of an unknown key", "POST", "/admin/v1/audit", `{"heads":"x"}`, 400, "invalid_request", "did you mean head?"},
		{"a backup to nowhere", "POST", "/admin/v1/backup", `{"to":""}`, 400, "invalid_request", "to"},
		{"a backup to a path with a zero", "POST", "/admin/v1/backup", `{"to":"a\u0000b"}`, 400, "invalid_request", "to"},

		{"an unknown route", "GET", "/admin/v1/nothing", ``, 404, "not_found", "/admin/v1/nothing"},
		{"a page that is not there", "GET", "/index.html", ``, 404, "not_found", "/index.html"},
		{"a change of the page", "PUT", "/", ``, 405, "method_not_allowed", "PUT"},
		{"a command line in profiles", "GET", "/debug/pprof/cmdline", ``, 404, "not_found", ""},
		{"a wrong method", "DELETE", one, ``, 405, "method_not_allowed", "DELETE"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := b.in(t).ask(row.method, row.path, row.body, ifMatch).must(row.status).problem()
			if p.Code != row.code || !strings.Contains(p.Detail, row.says) || p.Retryable {
				t.Errorf("%+v", p)
			}
		})
	}
	if events := len(b.service.Campaigns()); events != 1 {
		t.Errorf("%d campaigns after refusals only", events)
	}
	if c, _ := b.service.Campaign(1); c.Revision() != 1 {
		t.Errorf("revision %d after refusals only", c.Revision())
	}
}

func TestWrongMethodTellsTheRightOnes(t *testing.T) {
	b := newBed(t)
	for path, allow := range map[string]string{
		"/admin/v1/campaigns":          "GET, HEAD, POST",
		"/admin/v1/campaigns/1":        "GET, HEAD, PATCH",
		"/admin/v1/campaigns/1/cancel": "POST",
		"/admin/v1/audit":              "POST",
		"/healthz":                     "GET, HEAD",
	} {
		a := b.ask(http.MethodDelete, path, "").must(http.StatusMethodNotAllowed)
		if a.problem(); a.header.Get("Allow") != allow {
			t.Errorf("%s: Allow %q, want %q", path, a.header.Get("Allow"), allow)
		}
	}
}
