package adminapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"hongbao"
	"hongbao/audit"
)

func (s *Server) auditRoute() {
	body := jsonBody[auditOrder](s)
	body.Required = false
	register(s, Operator, huma.Operation{
		OperationID: "audit", Method: http.MethodPost, Path: "/admin/v1/audit", Tags: []string{tagBooks},
		Summary: "Check G1 to G8 against the whole journal",
		Description: "It answers when the audit is through, about a second a million events, beside the running server; who hangs up " +
			"ends it. One runs at a time: 409 audit_running. A difference is not an error: it answers 200 with ok false.",
		RequestBody: body,
	}, s.runAudit)
}

// auditOrder is the body of an audit; there need not be one.
type auditOrder struct {
	_    struct{} `additionalProperties:"false"`
	Head string   `json:"head,omitempty" doc:"A head of the journal known from before, which must be on its chain"`
}

type auditInput struct {
	RawBody []byte
}

type auditOutput struct {
	Body audit.Report
}

func (s *Server) runAudit(ctx context.Context, in *auditInput) (*auditOutput, error) {
	var order auditOrder
	if len(in.RawBody) > 0 {
		if err := hongbao.DecodeStrict(in.RawBody, &order); err != nil {
			return nil, err
		}
	}
	if !s.auditing.TryLock() {
		return nil, running("audit_running", "an audit is running; ask again when it is through")
	}
	defer s.auditing.Unlock()
	report, err := s.audit(ctx, order.Head)
	if err != nil {
		return nil, err
	}
	return &auditOutput{report}, nil
}

// running refuses what goes on already.
func running(code, detail string) *Problem {
	p := newProblem(http.StatusConflict, code, detail)
	p.Retryable = true
	return p
}
