package adminapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"hongbao"
)

// Problem is an error as the API tells it: RFC 9457, with a code for programs. Its type is about:blank and left out.
type Problem struct {
	Title     string `json:"title" doc:"The status in words"`
	Status    int    `json:"status"`
	Code      string `json:"code" doc:"What went wrong, for programs"`
	Detail    string `json:"detail" doc:"What went wrong, for people: the field, the value and what is allowed"`
	Retryable bool   `json:"retryable" doc:"Whether the same request may succeed later"`
	Field     string `json:"field,omitempty" doc:"The field that is not allowed"`

	LeastTotalFen *int64  `json:"least_total_fen,omitempty" doc:"budget_below_issued: the smallest total in fen that would be accepted"`
	LeastCount    *uint64 `json:"least_count,omitempty" doc:"budget_below_issued: the smallest count"`

	header http.Header
}

// problems maps errors to HTTP: the first that matches is told. What is in none of the rows is internal.
var problems = []struct {
	err       error
	status    int
	code      string
	retryable bool
}{
	{hongbao.ErrBelowIssued, http.StatusUnprocessableEntity, "budget_below_issued", false},
	{hongbao.ErrInvalid, http.StatusBadRequest, "invalid_request", false},
	{hongbao.ErrNotFound, http.StatusNotFound, "not_found", false},
	{hongbao.ErrNameTaken, http.StatusConflict, "name_taken", false},
	{hongbao.ErrDeclared, http.StatusConflict, "declared", false},
	{hongbao.ErrCampaignOver, http.StatusConflict, "campaign_over", false},
	{hongbao.ErrStale, http.StatusPreconditionFailed, "stale_revision", false},
	{hongbao.ErrUnknown, http.StatusGatewayTimeout, "unknown", true}, // before broken: what broke may have been written
	{hongbao.ErrBroken, http.StatusInternalServerError, "broken", false},
	{hongbao.ErrBusy, http.StatusServiceUnavailable, "busy", true},
	{context.Canceled, http.StatusServiceUnavailable, "busy", true},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "busy", true},
}

// problemOf finds an error's row in the table, and the figures that it brings.
func problemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	p = newProblem(http.StatusInternalServerError, "internal", "something went wrong inside; the server's log says what")
	for _, row := range problems {
		if errors.Is(err, row.err) {
			p = newProblem(row.status, row.code, err.Error())
			p.Retryable = row.retryable
			break
		}
	}
	if p.Status == http.StatusServiceUnavailable {
		p.header.Set("Retry-After", "1")
	}
	p.addFigures(err)
	return p
}

func (p *Problem) addFigures(err error) {
	var field *hongbao.FieldError
	if errors.As(err, &field) {
		p.Field = field.Field
	}
	var below *hongbao.BelowIssuedError
	if errors.As(err, &below) {
		p.LeastTotalFen, p.LeastCount = &below.LeastTotalFen, &below.LeastCount
	}
}

func newProblem(status int, code, detail string) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Code: code, Detail: detail, header: http.Header{}}
}

// Error is the detail; a Problem is an error on its way out of a handler.
func (p *Problem) Error() string { return p.Detail }

// GetStatus, GetHeaders and ContentType are what huma asks of an error.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders are headers that go with the problem, such as Retry-After.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType is that of RFC 9457.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// write answers with the problem, for what huma doesn't handle.
func (p *Problem) write(w http.ResponseWriter) {
	for name, values := range p.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p) // it fails only when the client has gone
}

// reshape makes a Problem of an error of huma's own. With parameters and bodies taken as text, that is one that says
// that a body is missing. It is a transformer, so that huma's global error constructor stays as it is.
func reshape(_ huma.Context, _ string, body any) (any, error) {
	if e, ok := body.(*huma.ErrorModel); ok {
		return newProblem(e.Status, "invalid_request", e.Detail), nil
	}
	return body, nil
}
