package adminapi

import (
	"net/http"
	"net/http/pprof"
	runtime "runtime/pprof"

	"github.com/danielgtaylor/huma/v2"
)

// profileRoutes offers what `go tool pprof` asks for. The command line is left out: a token may stand on it.
func (s *Server) profileRoutes() {
	answer := map[string]*huma.Response{"200": {Description: "A profile in pprof's format, or text with ?debug=1"}}
	s.handle(Viewer, huma.Operation{
		OperationID: "list-profiles", Method: http.MethodGet, Path: "/debug/pprof/", Tags: []string{tagServer},
		Summary: "List the profiles", Responses: answer,
	}, pprof.Index)
	s.handle(Viewer, huma.Operation{
		OperationID: "read-profile", Method: http.MethodGet, Path: "/debug/pprof/{profile}", Tags: []string{tagServer},
		Summary: "Read a profile: heap, goroutine, allocs, block, mutex, threadcreate, profile, trace", Responses: answer,
		Parameters: []*huma.Param{{Name: "profile", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}},
	}, profile)
}

func profile(w http.ResponseWriter, r *http.Request) {
	switch name := r.PathValue("profile"); name {
	case "profile":
		pprof.Profile(w, r)
	case "trace":
		pprof.Trace(w, r)
	case "symbol":
		pprof.Symbol(w, r)
	default:
		if runtime.Lookup(name) == nil {
			newProblem(http.StatusNotFound, "not_found", "there is no profile "+name).write(w)
			return
		}
		pprof.Handler(name).ServeHTTP(w, r)
	}
}
