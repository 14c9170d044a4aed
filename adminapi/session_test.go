package adminapi

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// signIn takes the code for a session.
func (b *bed) signIn(code string) (begun sessionBegun) {
	b.t.Helper()
	b.post("/admin/v1/session", fmt.Sprintf(`{"code":%q}`, code), "Authorization: ").must(http.StatusOK).into(&begun)
	return begun
}

func TestTheCodeSignsInOnce(t *testing.T) {
	b := newBed(t)
	code := b.server.ConsoleCode()
	begun := b.signIn(code)
	if want := (session{"console", Operator, "UTC", start, start.Add(sessionLasts)}); begun.session != want || len(begun.Token) < 43 {
		t.Errorf("%+v", begun)
	}
	for _, body := range []string{fmt.Sprintf(`{"code":%q}`, code), `{"code":""}`, `{}`} {
		if p := b.post("/admin/v1/session", body).must(http.StatusUnauthorized).problem(); p.Code != "unauthorised" {
			t.Errorf("%s: %+v", body, p)
		}
	}
	b.post("/admin/v1/session", `{"token":""}`).must(http.StatusBadRequest)
}

func TestASessionActsAsTheConsole(t *testing.T) {
	b := newBed(t)
	begun := b.signIn(b.server.ConsoleCode())
	as := "Authorization: Bearer " + begun.Token
	var c campaign
	b.post("/admin/v1/campaigns", goodSpec, as).must(http.StatusCreated)
	b.get("/admin/v1/campaigns/1", as).must(http.StatusOK).into(&c)
	if actor := c.Revisions[0].Actor; actor != "console" {
		t.Errorf("the journal says %s did it", actor)
	}
}

func TestACodeEndsAfterADay(t *testing.T) {
	b := newBed(t)
	code := b.server.ConsoleCode()
	b.pass(time.Duration(codeLasts))
	b.post("/admin/v1/session", fmt.Sprintf(`{"code":%q}`, code)).must(http.StatusUnauthorized)
	b.signIn(b.server.ConsoleCode()) // a new one is good
}

func TestWithoutACodeNobodySignsIn(t *testing.T) {
	b := newBed(t)
	for _, code := range []string{"", "AAAAAAAAAAAAAAAAAAAAAA"} {
		b.post("/admin/v1/session", fmt.Sprintf(`{"code":%q}`, code)).must(http.StatusUnauthorized)
	}
}

func TestASessionEnds(t *testing.T) {
	for name, end := range map[string]func(*bed, string){
		"by signing out": func(b *bed, as string) {
			b.ask(http.MethodDelete, "/admin/v1/session", "", as).must(http.StatusNoContent)
		},
		"after twelve hours":  func(b *bed, _ string) { b.pass(time.Duration(sessionLasts)) },
		"when another begins": func(b *bed, _ string) { b.signIn(b.server.ConsoleCode()) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			as := "Authorization: Bearer " + b.signIn(b.server.ConsoleCode()).Token
			b.get("/admin/v1/stats", as).must(http.StatusOK)
			end(b, as)
			b.get("/admin/v1/stats", as).must(http.StatusUnauthorized)
		})
	}
}

func TestATokenLearnsWhoItIs(t *testing.T) {
	b := newBed(t)
	begun := b.signIn(b.server.ConsoleCode())
	for token, want := range map[string]session{
		operatorToken: {"ops", Operator, "UTC", start, 0},
		viewerToken:   {"eye", Viewer, "UTC", start, 0},
		begun.Token:   begun.session,
	} {
		var got session
		as := "Authorization: Bearer " + token
		if b.get("/admin/v1/session", as).must(http.StatusOK).into(&got); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	b.ask(http.MethodDelete, "/admin/v1/session", "").must(http.StatusNoContent)
	b.get("/admin/v1/session").must(http.StatusOK) // a token of the configuration stays good
	b.get("/admin/v1/session", "Authorization: Bearer "+begun.Token).must(http.StatusOK)
}

func TestCodesAreNotGuessed(t *testing.T) {
	b := newBed(t)
	right := fmt.Sprintf(`{"code":%q}`, b.server.ConsoleCode())
	for range wrongCodesMax {
		b.post("/admin/v1/session", `{"code":"wrong"}`).must(http.StatusUnauthorized)
	}
	a := b.post("/admin/v1/session", right).must(http.StatusTooManyRequests)
	if p := a.problem(); p.Code != "too_fast" || !p.Retryable || a.header.Get("Retry-After") != "60" {
		t.Errorf("%+v, Retry-After %s", p, a.header.Get("Retry-After"))
	}
	b.pass(time.Minute)
	b.post("/admin/v1/session", right).must(http.StatusOK)
}

func TestCodesDiffer(t *testing.T) {
	b := newBed(t)
	if one, two := b.server.ConsoleCode(), b.server.ConsoleCode(); one == two || len(one) != 22 {
		t.Errorf("%s and %s", one, two)
	}
}
