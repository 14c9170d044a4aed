package adminapi

import (
	"net/http"
	"strings"
	"testing"
)

func TestTokensAreCheckedByName(t *testing.T) {
	good := Token{"ops", Operator, operatorToken}
	for _, row := range []struct {
		name   string
		tokens []Token
		says   string
	}{
		{"no name", []Token{{"", Viewer, viewerToken}}, "admin.tokens[0].name"},
		{"a name with spaces", []Token{good, {"a b", Viewer, viewerToken}}, "admin.tokens[1].name"},
		{"a name too long", []Token{{strings.Repeat("a", 65), Viewer, viewerToken}}, "1 to 64"},
		{"a name twice", []Token{good, {"ops", Viewer, viewerToken}}, "no other token"},
		{"a name that the server acts under", []Token{{"clock", Viewer, viewerToken}}, "the server acts"},
		{"an unknown role", []Token{{"a", "root", viewerToken}}, "viewer operator"},
		{"no role", []Token{{"a", "", viewerToken}}, "viewer operator"},
		{"a token too short", []Token{{"a", Viewer, "fifteen-letters"}}, "16 to 256"},
		{"a token with a line end", []Token{{"a", Viewer, viewerToken + "\n"}}, "16 to 256"},
	} {
		_, err := New(Options{Tokens: row.tokens})
		if err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", row.name, err)
		}
		if err != nil && strings.Contains(err.Error(), viewerToken) {
			t.Errorf("%s: the error shows the token: %v", row.name, err)
		}
	}
}

func TestOnlyATokenOfTheRoleGetsIn(t *testing.T) {
	b := newBed(t)
	b.rain("r", 10)
	reads := []string{
		"/admin/v1/campaigns", "/admin/v1/campaigns/1", "/admin/v1/campaigns/1/winners.csv", "/admin/v1/campaigns/1/report",
		"/admin/v1/players/1/wallet", "/admin/v1/players/1/history", "/admin/v1/journal", "/admin/v1/stats",
		"/openapi.json", "/debug/pprof/", "/debug/pprof/goroutine",
	}
	for _, path := range reads {
		b.get(path, "Authorization: Bearer "+viewerToken).must(http.StatusOK)
		for _, header := range []string{"", "Bearer", "Bearer ", "Bearer wrong", "Basic " + viewerToken, "Bearer " + viewerToken + "x", viewerToken} {
			a := b.get(path, "Authorization: "+header).must(http.StatusUnauthorized)
			if p := a.problem(); p.Code != "unauthorised" || a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s with %q: %+v", path, header, p)
			}
		}
	}
	for _, change := range [][2]string{
		{"POST", "/admin/v1/campaigns"}, {"PATCH", "/admin/v1/campaigns/1"}, {"POST", "/admin/v1/campaigns/1/cancel"},
		{"POST", "/admin/v1/campaigns/1/signups"}, {"POST", "/admin/v1/audit"}, {"POST", "/admin/v1/backup"},
	} {
		if p := b.ask(change[0], change[1], "{}", "Authorization: Bearer "+viewerToken).must(http.StatusForbidden).problem(); p.Code != "denied" {
			t.Errorf("%s %s: %+v", change[0], change[1], p)
		}
		b.ask(change[0], change[1], "{}", "Authorization: ").must(http.StatusUnauthorized)
	}
	b.get("/admin/v1/stats", "Authorization: bearer "+viewerToken).must(http.StatusOK) // the scheme's case doesn't matter
}

func TestPagesOfOtherOriginsAreRefused(t *testing.T) {
	b := newBed(t)
	const path = "/admin/v1/campaigns"
	if p := b.post(path, goodSpec, "Origin: https://evil.example").must(http.StatusForbidden).problem(); p.Code != "denied" {
		t.Error(p)
	}
	b.post(path, goodSpec, "Sec-Fetch-Site: cross-site").must(http.StatusForbidden)
	b.post(path, goodSpec, "Origin: "+b.url).must(http.StatusCreated)
}
