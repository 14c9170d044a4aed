package adminapi

import (
	"net/http"

	"hongbao/web"
)

// pageRoutes serves the console, to everybody: it has nothing in it, and asks for what it shows with a token. Each file is a
// route of its own, so that other paths and methods are answered as everywhere on this port.
func (s *Server) pageRoutes() {
	site := web.Console()
	for path := range site.Paths() {
		pattern := "GET " + path
		if path == "/" {
			pattern += "{$}"
		}
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			a, _ := site.Answer(path, r.Header.Get("If-None-Match"), r.Header.Get("Accept-Encoding"))
			for _, h := range a.Header {
				w.Header().Set(h.Name, h.Value)
			}
			w.WriteHeader(a.Status)
			_, _ = w.Write(a.Body) // it fails only when the client has gone
		})
	}
}
