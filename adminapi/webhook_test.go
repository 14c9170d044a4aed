package adminapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hongbao/live/webhook"
)

func TestWebhooksAreMadeReadChangedAndDeleted(t *testing.T) {
	b := newBed(t)
	const path = "/admin/v1/webhooks/crm"
	var s webhook.EndpointStatus
	made := b.ask(http.MethodPut, path, `{"url":"https://example.com/","events":["envelope.opened"]}`).must(http.StatusOK).into(&s)
	if s.Name != "crm" || s.Source != "api" || !strings.HasPrefix(s.Secret, "whsec_") || made.header.Get("ETag") != `"1"` {
		t.Errorf("%s, %s", made.body, made.header.Get("ETag"))
	}
	read := b.get(path, "Authorization: Bearer "+viewerToken).must(http.StatusOK)
	if strings.Contains(string(read.body), "whsec_") || strings.Contains(string(read.body), s.Secret) {
		t.Errorf("a secret is shown: %s", read.body)
	}
	var all struct{ Webhooks []webhook.EndpointStatus }
	b.get("/admin/v1/webhooks").must(http.StatusOK).into(&all)
	if len(all.Webhooks) != 2 || all.Webhooks[0].Name != "crm" || all.Webhooks[1].Source != "config" {
		t.Errorf("%+v", all)
	}
	if p := b.ask(http.MethodPut, path, `{"url":"https://example.com/b"}`, `If-Match: "7"`).must(http.StatusPreconditionFailed).problem(); p.Code != "stale_revision" {
		t.Errorf("%+v", p)
	}
	b.ask(http.MethodPut, path, `{"url":"https://example.com/b"}`, `If-Match: "1"`).must(http.StatusOK).into(&s)
	if s.URL != "https://example.com/b" || s.Revision != 2 {
		t.Errorf("%+v", s)
	}
	b.ask(http.MethodPut, "/admin/v1/webhooks/other", `{"url":"https://example.com/"}`, `If-Match: "0"`).must(http.StatusOK)
	b.ask(http.MethodPut, "/admin/v1/webhooks/other", `{"url":"https://example.com/"}`, `If-Match: "0"`).must(http.StatusPreconditionFailed)
	b.ask(http.MethodDelete, path, "", `If-Match: "1"`).must(http.StatusPreconditionFailed)
	b.ask(http.MethodDelete, path, "", `If-Match: "2"`).must(http.StatusNoContent)
	for _, gone := range []answer{
		b.get(path), b.ask(http.MethodDelete, path, ""), b.post(path+"/test", ""), b.post(path+"/replay?from=start", ""),
	} {
		if p := gone.must(http.StatusNotFound).problem(); p.Code != "not_found" {
			t.Errorf("%s: %+v", gone.asked, p)
		}
	}
}

func TestWebhooksOfTheConfigurationAreReadOnly(t *testing.T) {
	b := newBed(t)
	for _, a := range []answer{
		b.ask(http.MethodPut, "/admin/v1/webhooks/declared", `{"url":"https://example.com/"}`), b.ask(http.MethodDelete, "/admin/v1/webhooks/declared", ""),
	} {
		if p := a.must(http.StatusConflict).problem(); p.Code != "declared" || !strings.Contains(p.Detail, "change it there") {
			t.Errorf("%+v", p)
		}
	}
	b.post("/admin/v1/webhooks/declared/replay?from=start", "").must(http.StatusOK)
}

func TestWrongWebhooksNameTheField(t *testing.T) {
	b := newBed(t)
	for body, field := range map[string]string{
		`{"url":"nowhere"}`:                      "url",
		`{"urls":"https://example.com/"}`:        "urls",
		`{"url":"https://e.com","secret":"abc"}`: "secret",
	} {
		if p := b.ask(http.MethodPut, "/admin/v1/webhooks/crm", body).must(http.StatusBadRequest).problem(); p.Field != field || strings.Contains(p.Detail, "abc") {
			t.Errorf("%s: %+v", body, p)
		}
	}
	if p := b.ask(http.MethodPut, "/admin/v1/webhooks/a%20b", `{"url":"https://example.com/"}`).must(http.StatusBadRequest).problem(); p.Field != "name" {
		t.Errorf("%+v", p)
	}
	if p := b.post("/admin/v1/webhooks/declared/replay?from=nowhere", "").must(http.StatusBadRequest).problem(); p.Field != "from" {
		t.Errorf("%+v", p)
	}
}

func TestViewersReadWebhooksOnly(t *testing.T) {
	b := newBed(t)
	const viewer = "Authorization: Bearer " + viewerToken
	b.get("/admin/v1/webhooks", viewer).must(http.StatusOK)
	b.ask(http.MethodPut, "/admin/v1/webhooks/crm", `{"url":"https://example.com/"}`, viewer).must(http.StatusForbidden)
	b.ask(http.MethodDelete, "/admin/v1/webhooks/declared", "", viewer).must(http.StatusForbidden)
	b.post("/admin/v1/webhooks/declared/test", "", viewer).must(http.StatusForbidden)
	b.post("/admin/v1/webhooks/declared/replay", "", viewer).must(http.StatusForbidden)
}

func TestAWebhookIsTested(t *testing.T) {
	b := newBed(t)
	status := http.StatusOK
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Type string }
		if json.NewDecoder(r.Body).Decode(&body); body.Type != "webhook.test" || r.Header.Get("webhook-signature") == "" {
			t.Errorf("%+v, %v", body, r.Header)
		}
		w.WriteHeader(status)
	}))
	defer receiver.Close()
	b.ask(http.MethodPut, "/admin/v1/webhooks/crm", `{"url":"`+receiver.URL+`"}`).must(http.StatusOK)
	var result webhook.TestResult
	if b.post("/admin/v1/webhooks/crm/test", "").must(http.StatusOK).into(&result); !result.Accepted || result.Status != 200 || result.ID == "" {
		t.Errorf("%+v", result)
	}
	status = http.StatusTeapot
	if b.post("/admin/v1/webhooks/crm/test", "").must(http.StatusOK).into(&result); result.Accepted || result.Status != status || result.Error == "" {
		t.Errorf("%+v", result)
	}
}
