package adminapi

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

func (s *Server) healthRoutes() {
	s.handle(public, huma.Operation{
		OperationID: "healthz", Method: http.MethodGet, Path: "/healthz", Tags: []string{tagServer},
		Summary:   "Tell that the process lives",
		Responses: answerOf[health](s, "The process lives"),
	}, func(w http.ResponseWriter, _ *http.Request) { health{Status: "ok"}.write(w, http.StatusOK) })
	s.handle(public, huma.Operation{
		OperationID: "readyz", Method: http.MethodGet, Path: "/readyz", Tags: []string{tagServer},
		Summary: "Tell whether the process should get traffic",
		Description: "503 with the reason while it starts, stops, or can't serve. 200 with status degraded and the reason where it plays on " +
			"but something needs looking at.",
		Responses: answerOf[health](s, "It should"),
	}, s.readyz)
}

// health is the answer of /healthz and /readyz.
type health struct {
	Status string `json:"status" enum:"ok,degraded,unavailable"`
	Reason string `json:"reason,omitempty"`
}

func (h health) write(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(h) // it fails only when the client has gone
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	err := s.ready()
	if err == nil {
		err = s.service.Engine().Health().Err
	}
	if err != nil {
		health{"unavailable", err.Error()}.write(w, http.StatusServiceUnavailable)
		return
	}
	if err := s.degraded(); err != nil {
		health{"degraded", err.Error()}.write(w, http.StatusOK)
		return
	}
	health{Status: "ok"}.write(w, http.StatusOK)
}

// degraded tells why players get less than they should, or nil.
func (s *Server) degraded() error {
	err := s.service.Health().Degraded
	if s.limited != nil {
		err = errors.Join(err, s.limited())
	}
	return err
}
