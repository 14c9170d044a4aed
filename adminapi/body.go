package adminapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const (
	bodyMax   = 8 << 10 // bytes of a request's body
	readMax   = 30 * time.Second
	writeMax  = 30 * time.Second
	headerMax = 16 << 10 // bytes of a request's header
)

// readBody takes a whole body of at most limit bytes within readMax, and then lifts the deadline: with one still set, net/http
// would end the context of a request that is answered later than it.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) error {
	deadline := http.NewResponseController(w)
	deadline.SetReadDeadline(time.Now().Add(readMax)) // fails only where there is no connection
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		return bodyProblem(err)
	}
	deadline.SetReadDeadline(time.Time{})
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

func bodyProblem(err error) *Problem {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return newProblem(http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("the body is larger than %d bytes", tooLarge.Limit))
	case errors.Is(err, os.ErrDeadlineExceeded):
		p := newProblem(http.StatusRequestTimeout, "request_timeout", "the body did not arrive within "+readMax.String())
		p.Retryable = true
		return p
	}
	return newProblem(http.StatusBadRequest, "invalid_request", "the body ended early: "+err.Error())
}

// patientWriter allows each write of an answer writeMax, so that an export may take hours and a client that stops
// reading may not.
type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

func newPatientWriter(w http.ResponseWriter) patientWriter {
	return patientWriter{w, http.NewResponseController(w)}
}

func (w patientWriter) WriteHeader(status int) {
	w.extend()
	w.ResponseWriter.WriteHeader(status)
}

func (w patientWriter) Write(p []byte) (int, error) {
	w.extend()
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController find the connection.
func (w patientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w patientWriter) extend() {
	w.control.SetWriteDeadline(time.Now().Add(writeMax)) // fails only where there is no connection
}
