package adminapi

import (
	"net/http"
	"testing"

	"hongbao/web"
)

// It has no secrets: what it shows it asks for with a token.
func TestTheConsoleIsServedToEverybody(t *testing.T) {
	b := newBed(t)
	site := web.Console()
	for path := range site.Paths() {
		want, _ := site.Answer(path, "", "gzip")
		got := b.get(path, "Authorization: ", "Accept-Encoding: gzip").must(http.StatusOK)
		if string(got.body) != string(want.Body) {
			t.Errorf("%s: %d bytes", path, len(got.body))
		}
		for _, h := range want.Header {
			if got.header.Get(h.Name) != h.Value {
				t.Errorf("%s: %s is %q, want %q", path, h.Name, got.header.Get(h.Name), h.Value)
			}
		}
		again := b.get(path, "Authorization: ", "If-None-Match: "+got.header.Get("ETag")).must(http.StatusNotModified)
		if len(again.body) > 0 {
			t.Errorf("%s: asked again: %d bytes", path, len(again.body))
		}
		if head := b.ask(http.MethodHead, path, "", "Authorization: ").must(http.StatusOK); len(head.body) > 0 {
			t.Errorf("%s: HEAD has %d bytes", path, len(head.body))
		}
	}
	for _, path := range []string{"/console/", "/console/index.html", "/vendor/", "/player/work.mjs", "/vendor/nothing", "/vendor/%2e%2e/doc.go"} {
		if got := b.get(path, "Authorization: ").must(http.StatusNotFound).problem(); got.Code != "not_found" {
			t.Errorf("%s: %+v", path, got)
		}
	}
}
