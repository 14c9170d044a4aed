package playerapi

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestThePageIsServedAsTheSiteHasIt(t *testing.T) {
	g := newGame(t, func(s *settings) { s.CORSOrigins = []string{"https://play.example.com"} })
	for path := range g.server.site.Paths() {
		want, _ := g.server.site.Answer(path, "", "gzip")
		got := g.ask("GET "+path, "", "Accept-Encoding: gzip")
		if got.status != 200 || got.body != string(want.Body) {
			t.Errorf("%s: HTTP %d with %d bytes", path, got.status, len(got.body))
		}
		for _, h := range want.Header {
			if name := http.CanonicalHeaderKey(h.Name); got.header[name] != h.Value {
				t.Errorf("%s: %s is %q, want %q", path, name, got.header[name], h.Value)
			}
		}
		again := g.ask("GET "+path, "", "If-None-Match: "+got.header["Etag"])
		if again.status != 304 || again.body != "" {
			t.Errorf("%s: asked again: HTTP %d with %d bytes", path, again.status, len(again.body))
		}
	}
	if policy := g.ask("GET /", "").header["Content-Security-Policy"]; !strings.HasSuffix(policy, " https://play.example.com") {
		t.Errorf("the origin may not show the page in a frame: %s", policy)
	}
	pages := g.server.Stats().Answers[routePage]
	if pages.OK < 2 || pages.ClientFault+pages.ServerFault != 0 {
		t.Errorf("counted as %+v", pages)
	}
}

func TestOnlyFilesOfThePageAreServed(t *testing.T) {
	g := newGame(t)
	for _, path := range []string{
		"/player/", "/player/index.html", "/player/nothing", "/vendor/", "/console/index.html", "/vendor/../doc.go", "/vendor/%2e%2e/doc.go",
		"/player/..%2f..%2fdoc.go", "/vendor/preact.mjs%00",
	} {
		if got := g.ask("GET "+path, ""); got.status != 404 || got.header["Content-Type"] != "application/problem+json" {
			t.Errorf("%s: HTTP %d %s", path, got.status, got.body)
		}
	}
}

// What is decided in one handler must be so on the wire too: HEAD has no body, and neither has 304, though both tell its length.
func TestThePageOnTheWire(t *testing.T) {
	g := newGame(t)
	url := "http://" + g.listen() + "/"
	get := request(t, "GET", url, "")
	head := request(t, "HEAD", url, "")
	again := request(t, "GET", url, get.Header.Get("ETag"))
	if body, err := io.ReadAll(get.Body); err != nil || int64(len(body)) != head.ContentLength || !strings.Contains(string(body), "<!doctype html>") {
		t.Errorf("GET has %d bytes (%v), HEAD tells of %d", len(body), err, head.ContentLength)
	}
	for _, short := range []*http.Response{head, again} {
		if body, err := io.ReadAll(short.Body); err != nil || len(body) > 0 {
			t.Errorf("HTTP %d has a body: %q, %v", short.StatusCode, body, err)
		}
	}
	if again.StatusCode != 304 || again.Header.Get("ETag") != get.Header.Get("ETag") {
		t.Errorf("asked again: HTTP %d %v", again.StatusCode, again.Header)
	}
}

func request(t *testing.T, method, url, ifNoneMatch string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("If-None-Match", ifNoneMatch)
	r.Header.Set("Accept-Encoding", "identity")
	response, err := (&http.Client{Transport: &http.Transport{DisableCompression: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}
