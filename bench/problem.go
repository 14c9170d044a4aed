package bench

import (
	"bytes"
	"strings"

	"github.com/valyala/fasthttp"
)

// errorCode is one row of the contract's table of errors.
type errorCode struct {
	code      string
	http      int
	retryable bool
	camp      int64
	campHTTP  int
	outcome   Outcome
}

var errorCodes = []errorCode{
	{"invalid_request", 400, false, 1, 400, Refused},
	{"unauthorised", 401, false, 11, 401, Refused},
	{"denied", 403, false, 11, 401, Barred},
	{"ticket_required", 403, false, 13, 200, Barred},
	{"ticket_invalid", 403, false, 13, 200, Barred},
	{"not_found", 404, false, 7, 200, Refused},
	{"too_large", 413, false, 1, 413, Refused},
	{"too_fast", 429, true, 6, 200, Busy},
	{"busy", 503, true, 9, 200, Busy},
	{"read_only", 503, true, 9, 200, Busy},
	{"unknown", 504, true, 12, 200, Unknown},
}

// readProblem reads an RFC 9457 answer of /v1 and holds it against the table.
func readProblem(response *fasthttp.Response) Result {
	if !bytes.HasPrefix(response.Header.ContentType(), []byte("application/problem+json")) {
		return wrong("HTTP %d with the content type %q", response.StatusCode(), response.Header.ContentType())
	}
	var code, detail string
	var retryable bool
	err := parse(response.Body(), func(s *scanner, name []byte) {
		switch string(name) {
		case "code":
			code = string(s.text())
		case "retryable":
			retryable = s.boolean()
		case "detail":
			detail = string(s.text())
		default:
			s.skip()
		}
	})
	if err != nil {
		return wrong("HTTP %d: %w", response.StatusCode(), err)
	}
	return judgeProblem(response, code, retryable, detail)
}

func judgeProblem(response *fasthttp.Response, code string, retryable bool, detail string) Result {
	status := response.StatusCode()
	for _, known := range errorCodes {
		if known.code != code {
			continue
		}
		switch {
		case known.http != status || known.retryable != retryable:
			return wrong("code %s with HTTP %d and retryable %t", code, status, retryable)
		case (status == 429 || status == 503) && len(response.Header.Peek("Retry-After")) == 0:
			return wrong("HTTP %d without Retry-After", status)
		}
		return Result{Outcome: known.outcome, Label: code, Err: &RefusedError{code, detail}}
	}
	return wrong("HTTP %d with the undocumented code %q", status, code)
}

// RefusedError is an answer of the contract's table of errors.
type RefusedError struct {
	Code   string
	Detail string
}

func (e *RefusedError) Error() string {
	if e.Detail == "" {
		return e.Code
	}
	return e.Code + ": " + e.Detail
}

// readCampError reads an answer of the camp API whose HTTP status is not 200.
func readCampError(response *fasthttp.Response) Result {
	answer, err := parseCamp(response.Body(), nil)
	if err != nil {
		return wrong("HTTP %d: %w", response.StatusCode(), err)
	}
	return campError(answer.code, answer.msg, response.StatusCode())
}

// campError holds a code that is no business outcome against the table. Several errors share a code; the words tell which
// one it is.
func campError(code int64, msg string, status int) Result {
	for _, known := range errorCodes {
		if known.camp == code && known.campHTTP == status && strings.ReplaceAll(known.code, "_", " ") == msg {
			return Result{Outcome: known.outcome, Label: known.code, Err: &RefusedError{known.code, msg}}
		}
	}
	return wrong("code %d (%s) with HTTP %d", code, msg, status)
}
