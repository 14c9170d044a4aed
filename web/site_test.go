package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func field(a Answer, name string) (values []string) {
	for _, h := range a.Header {
		if h.Name == name {
			values = append(values, h.Value)
		}
	}
	return values
}

func TestAnAnswerIsTheEmbeddedFile(t *testing.T) {
	for path, name := range map[string]string{
		"/": "player/index.html", "/player/work.mjs": "player/work.mjs", "/vendor/preact.mjs": "vendor/preact.mjs",
		"/vendor/uplot.css": "vendor/uplot.css", "/favicon.ico": "favicon.svg",
	} {
		want, err := embedded.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		plain, ok := Player(nil).Answer(path, "", "br, deflate")
		if !ok || plain.Status != 200 || !bytes.Equal(plain.Body, want) || field(plain, "Content-Encoding") != nil {
			t.Errorf("%s: %v %d %v", path, ok, plain.Status, plain.Header)
		}
		packed, _ := Player(nil).Answer(path, "", "br, gzip;q=0.5")
		if got := unpack(t, packed); !bytes.Equal(got, want) {
			t.Errorf("%s: compressed it is another file", path)
		}
		if len(packed.Body) >= len(plain.Body) {
			t.Errorf("%s: %d bytes become %d", path, len(plain.Body), len(packed.Body))
		}
	}
}

func unpack(t *testing.T, a Answer) []byte {
	t.Helper()
	if !slices.Equal(field(a, "Content-Encoding"), []string{"gzip"}) {
		t.Fatalf("it is not compressed: %v", a.Header)
	}
	r, err := gzip.NewReader(bytes.NewReader(a.Body))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestASiteHasItsOwnFilesAlone(t *testing.T) {
	player, console := Player(nil), Console()
	for _, path := range []string{
		"", "/index.html", "/player", "/player/", "/player/index.html", "/console/index.html", "/vendor/", "/vendor/../site.go", "/web/site.go",
		"/player/../vendor/preact.mjs", "//", "/vendor/preact.mjs/", "/test/harness.mjs",
	} {
		for _, site := range []*Site{player, console} {
			if _, ok := site.Answer(path, "", ""); ok {
				t.Errorf("%q is answered", path)
			}
		}
	}
	for path := range player.Paths() {
		_, shared := console.Answer(path, "", "")
		if isShared := path == "/" || strings.HasPrefix(path, "/vendor/") || strings.HasPrefix(path, "/favicon."); shared != isShared {
			t.Errorf("the console has %s: %v", path, shared)
		}
	}
}

func TestWhatTheBrowserHasIsNotSentAgain(t *testing.T) {
	site := Player(nil)
	first, _ := site.Answer("/", "", "gzip")
	etag := field(first, "ETag")[0]
	for _, row := range []struct {
		ifNoneMatch string
		status      int
	}{
		{etag, 304}, {strings.TrimPrefix(etag, "W/"), 304}, {`"other", ` + etag, 304}, {"*", 304},
		{"", 200}, {`"other"`, 200}, {etag[:len(etag)-2] + `"`, 200},
	} {
		a, _ := site.Answer("/", row.ifNoneMatch, "")
		if a.Status != row.status || (a.Status == 304) != (len(a.Body) == 0) {
			t.Errorf("If-None-Match %s: %d with %d bytes", row.ifNoneMatch, a.Status, len(a.Body))
		}
		if field(a, "ETag")[0] != etag || field(a, "Cache-Control")[0] != "no-cache" || field(a, "Content-Security-Policy") == nil {
			t.Errorf("If-None-Match %s: %v", row.ifNoneMatch, a.Header)
		}
	}
}

func TestCompressedIsSentToWhomItIsWelcome(t *testing.T) {
	for accepted, want := range map[string]bool{
		"gzip": true, "GZIP": true, "deflate, gzip;q=1.0, *;q=0.5": true, "gzip; q=0.001": true,
		"": false, "br": false, "gzip;q=0": false, "gzip; q=0.000": false, "xgzip": false, "*": false,
	} {
		if accepts(accepted, "gzip") != want {
			t.Errorf("Accept-Encoding %q: %v", accepted, !want)
		}
	}
}

// A policy that allows anything inline, or another server, would be none.
func TestThePolicyLetsNothingInlineNorFromElsewhere(t *testing.T) {
	elsewhere := regexp.MustCompile(`unsafe|https?:|\*|blob:`)
	for name, site := range map[string]*Site{"player": Player(nil), "console": Console()} {
		for path := range site.Paths() {
			a, _ := site.Answer(path, "", "")
			policy := field(a, "Content-Security-Policy")
			if len(policy) != 1 || elsewhere.MatchString(policy[0]) || !strings.HasPrefix(policy[0], "default-src 'none'; ") {
				t.Errorf("%s%s: %q", name, path, policy)
			}
		}
	}
}

func TestWhoMayShowAPageInAFrame(t *testing.T) {
	for _, row := range []struct {
		site *Site
		want string
	}{
		{Player(nil), "frame-ancestors 'self'"},
		{Player([]string{"https://a.example", "http://b.example:81"}), "frame-ancestors 'self' https://a.example http://b.example:81"},
		{Console(), "frame-ancestors 'none'"},
	} {
		a, _ := row.site.Answer("/", "", "")
		if policy := field(a, "Content-Security-Policy")[0]; !strings.HasSuffix(policy, "; "+row.want) {
			t.Errorf("%q does not end with %q", policy, row.want)
		}
	}
}

// What runs inline the policy forbids; a page that has it is broken.
func TestPagesHaveNothingInline(t *testing.T) {
	inline := regexp.MustCompile(`(?i)<script>|<script[^>]*>[^<]|<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:`)
	for _, page := range []string{"player/index.html", "console/index.html"} {
		text, err := embedded.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if found := inline.Find(text); found != nil {
			t.Errorf("%s has %s", page, found)
		}
	}
}

// imports are the modules that a module names, in any way of writing it.
var imports = regexp.MustCompile(`\b(?:from|import)\s*\(?\s*["']([\w@./-]+)["']`)

// A bare name needs an import map, which older WebViews don't know; a module that is not there fails the page.
func TestModulesImportByRelativePath(t *testing.T) {
	found := 0
	each(t, func(name string, body []byte) {
		if !strings.HasSuffix(name, ".mjs") {
			return
		}
		for _, m := range imports.FindAllSubmatch(body, -1) {
			found++
			at := string(m[1])
			if !strings.HasPrefix(at, "./") && !strings.HasPrefix(at, "../") {
				t.Errorf("%s imports %s", name, at)
				continue
			}
			if _, err := embedded.ReadFile(path.Join(path.Dir(name), at)); err != nil {
				t.Errorf("%s imports %s, which is not there", name, at)
			}
		}
	})
	if found == 0 {
		t.Error("there are no imports")
	}
}

func TestThereAreNoSourceMapsAndNoTests(t *testing.T) {
	each(t, func(name string, body []byte) {
		if strings.Contains(name, ".map") || strings.Contains(name, ".test.") || bytes.Contains(body, []byte("sourceMappingURL")) {
			t.Errorf("%s is embedded", name)
		}
	})
}

// VERSIONS.txt is what scripts/vendor-web took. html.mjs is ours.
func TestVendorIsWhatItsVersionsSay(t *testing.T) {
	text, err := embedded.ReadFile("vendor/VERSIONS.txt")
	if err != nil {
		t.Fatal(err)
	}
	licences, err := embedded.ReadFile("vendor/LICENSES.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := []string{"vendor/VERSIONS.txt", "vendor/LICENSES.txt", "vendor/html.mjs"}
	for line := range strings.Lines(string(text)) {
		columns := strings.Fields(line)
		if len(columns) != 4 {
			t.Fatalf("VERSIONS.txt: %q", line)
		}
		name := "vendor/" + columns[1]
		known = append(known, name)
		body, err := embedded.ReadFile(name)
		if err != nil {
			t.Error(err)
		}
		if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != columns[0] {
			t.Errorf("%s is not what was taken from %s: run scripts/vendor-web", name, columns[2])
		}
		i := strings.LastIndex(columns[2], "@")
		if !bytes.Contains(licences, []byte(columns[2][:i]+" "+columns[2][i+1:]+"\n")) {
			t.Errorf("LICENSES.txt does not have the terms of %s", columns[2])
		}
	}
	each(t, func(name string, _ []byte) {
		if strings.HasPrefix(name, "vendor/") && !slices.Contains(known, name) {
			t.Errorf("%s is not in VERSIONS.txt", name)
		}
	})
}

func each(t *testing.T, f func(name string, body []byte)) {
	t.Helper()
	err := fs.WalkDir(embedded, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := embedded.ReadFile(name)
		f(name, body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
