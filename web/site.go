package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"iter"
	"maps"
	"path"
	"strings"
	"sync"
)

//go:embed player console vendor favicon.svg
var embedded embed.FS

// contentTypes are those of the files that the pages are made of. Browsers take a module from JavaScript's type only.
var contentTypes = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".jpg":         "image/jpeg",
	".json":        "application/json",
	".mjs":         "text/javascript; charset=utf-8",
	".mp3":         "audio/mpeg",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".wav":         "audio/wav",
	".webmanifest": "application/manifest+json",
	".webp":        "image/webp",
	".woff2":       "font/woff2",
}

// file is one that is embedded.
type file struct {
	contentType string
	etag        string
	body        []byte
	gzip        []byte // nil where it saves nothing
}

// Site is what a port answers to a browser that asks for its page, and for all that the page needs.
type Site struct {
	files  map[string]file // by path of the URL
	policy []Header
}

// Player is the site of the player page. Pages of the origins may show it in a frame, beside its own.
func Player(origins []string) *Site {
	return newSite("player", playerPolicy(origins))
}

// Console is the site of the admin console, which nobody may show in a frame.
func Console() *Site { return newSite("console", consolePolicy()) }

// newSite has a folder's index.html at /, the others below the folder's name, and what others wrote below /vendor/.
func newSite(folder string, policy []Header) *Site {
	s := &Site{files: map[string]file{}, policy: policy}
	for name, f := range files() {
		switch top, _, _ := strings.Cut(name, "/"); {
		case name == folder+"/index.html":
			s.files["/"] = f
		case name == "favicon.svg":
			s.files["/favicon.svg"], s.files["/favicon.ico"] = f, f // who asks for the second looks at the type
		case top == folder, top == "vendor":
			s.files["/"+name] = f
		}
	}
	return s
}

// Paths are those that the site has.
func (s *Site) Paths() iter.Seq[string] { return maps.Keys(s.files) }

// Answer is what a GET is answered with; a HEAD gets all but the body.
type Answer struct {
	Status int // 200 or 304
	Header []Header
	Body   []byte // not to be changed; empty with 304
}

// Header is a field of an answer's header.
type Header struct{ Name, Value string }

// Answer finds what is at a path of the URL. The two texts are the request's headers If-None-Match and Accept-Encoding.
func (s *Site) Answer(path, ifNoneMatch, acceptEncoding string) (a Answer, ok bool) {
	f, ok := s.files[path]
	if !ok {
		return Answer{}, false
	}
	a.Header = append(make([]Header, 0, len(s.policy)+5), s.policy...)
	a.Header = append(a.Header,
		Header{"ETag", f.etag},
		Header{"Cache-Control", "no-cache"}, // kept, but asked about each time: a page and its modules never differ in age
		Header{"Vary", "Accept-Encoding"})
	if matches(ifNoneMatch, f.etag) {
		a.Status = 304
		return a, true
	}
	a.Status, a.Body = 200, f.body
	a.Header = append(a.Header, Header{"Content-Type", f.contentType})
	if f.gzip != nil && accepts(acceptEncoding, "gzip") {
		a.Body = f.gzip
		a.Header = append(a.Header, Header{"Content-Encoding", "gzip"})
	}
	return a, true
}

// matches reads If-None-Match: tags, of which some may be weak, or *.
func matches(ifNoneMatch, etag string) bool {
	for tag := range strings.SplitSeq(ifNoneMatch, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || weak(tag) == weak(etag) {
			return true
		}
	}
	return false
}

// weak is what two tags are compared by: RFC 9110, section 13.1.2.
func weak(tag string) string { return strings.TrimPrefix(tag, "W/") }

// accepts reads Accept-Encoding. What is refused by a weight of 0 is not accepted, nor what is named by * alone.
func accepts(acceptEncoding, coding string) bool {
	for one := range strings.SplitSeq(acceptEncoding, ",") {
		name, weight, _ := strings.Cut(one, ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			_, q, _ := strings.Cut(weight, "=")
			return strings.Trim(q, "0. ") != "" || q == ""
		}
	}
	return false
}

// files reads and compresses all that is embedded, by name: once, however many servers a process has.
var files = sync.OnceValue(func() map[string]file {
	all := map[string]file{}
	err := fs.WalkDir(embedded, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := embedded.ReadFile(name)
		all[name] = newFile(name, body)
		return err
	})
	if err != nil {
		panic("web: what is embedded can't be read: " + err.Error())
	}
	return all
})

func newFile(name string, body []byte) file {
	contentType, known := contentTypes[path.Ext(name)]
	if !known {
		panic("web: of which type is " + name + "? Say so in contentTypes, or leave it out")
	}
	sum := sha256.Sum256(body)
	f := file{contentType: contentType, body: body, gzip: compress(body)}
	f.etag = `W/"` + hex.EncodeToString(sum[:12]) + `"` // weak, for it is the same whether compressed or not
	if len(f.gzip) >= len(body)*9/10 {
		f.gzip = nil
	}
	return f
}

func compress(body []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err == nil {
		_, _ = w.Write(body) // a buffer takes everything
		err = w.Close()
	}
	if err != nil {
		panic("web: compressing: " + err.Error())
	}
	return out.Bytes()
}
