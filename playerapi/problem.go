package playerapi

import (
	"errors"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"hongbao"
)

// problem is one kind of error as both APIs tell it.
type problem struct {
	code       string
	status     int  // HTTP, on /v1
	retryable  bool // the same request may succeed later
	camp       int  // the camp API's code
	campStatus int  // and its HTTP status
	campMsg    string
}

func newProblem(code string, status int, retryable bool, camp, campStatus int) problem {
	return problem{code, status, retryable, camp, campStatus, strings.ReplaceAll(code, "_", " ")}
}

// The one table of errors. Routes that do not exist and wrong methods are answered as on /v1 everywhere.
var (
	//                          code                  /v1  retryable camp (HTTP)
	invalidRequest = newProblem("invalid_request", 400, false, 1, 400)
	unauthorised   = newProblem("unauthorised", 401, false, 11, 401)
	denied         = newProblem("denied", 403, false, 11, 401)
	ticketRequired = newProblem("ticket_required", 403, false, 13, 200)
	ticketInvalid  = newProblem("ticket_invalid", 403, false, 13, 200)
	notFound       = newProblem("not_found", 404, false, 7, 200) // a campaign that is not there is 5: see campSnatch
	wrongMethod    = newProblem("method_not_allowed", 405, false, 1, 405)
	tooSlow        = newProblem("request_timeout", 408, true, 1, 408)
	tooLarge       = newProblem("too_large", 413, false, 1, 413)
	headerTooLarge = newProblem("too_large", 431, false, 1, 431)
	tooFast        = newProblem("too_fast", 429, true, 6, 200)
	internal       = newProblem("internal", 500, false, 12, 500)
	busy           = newProblem("busy", 503, true, 9, 200)
	readOnly       = newProblem("read_only", 503, true, 9, 200)
	unknown        = newProblem("unknown", 504, true, 12, 200)
)

// problemOf maps the errors of the root package. What has none of them is a bug of ours.
func problemOf(err error) *problem {
	switch {
	case err == hongbao.ErrTooFast: // of a bucket: what a flood is told must cost next to nothing
		return &tooFast
	case errors.Is(err, hongbao.ErrInvalid):
		return &invalidRequest
	case errors.Is(err, hongbao.ErrNotFound):
		return &notFound
	case errors.Is(err, hongbao.ErrUnknown): // before broken: what broke may have been written
		return &unknown
	case errors.Is(err, hongbao.ErrBusy), errors.Is(err, hongbao.ErrBroken):
		return &busy
	case errors.Is(err, hongbao.ErrReadOnly):
		return &readOnly
	case errors.Is(err, hongbao.ErrTooFast):
		return &tooFast
	case errors.Is(err, hongbao.ErrDenied):
		return &denied
	case errors.Is(err, hongbao.ErrTicketRequired):
		return &ticketRequired
	case errors.Is(err, hongbao.ErrTicketInvalid):
		return &ticketInvalid
	}
	return &internal
}

// refusal is a problem as one request meets it.
type refusal struct {
	problem *problem
	detail  string // for people; empty: left out
	key     string // to retry with; empty: left out
}

func (r refusal) Error() string { return r.problem.code + ": " + r.detail }

// refusalOf gives an error its problem. Its text is told where it speaks of the request; of the server it may say more
// than strangers should know.
func refusalOf(err error) refusal {
	if r, ok := errors.AsType[refusal](err); ok {
		return r
	}
	r := refusal{problem: problemOf(err)}
	switch r.problem {
	case &invalidRequest, &ticketInvalid:
		r.detail = err.Error()
	case &tooFast:
		r.detail = tooFastDetail(err)
	case &ticketRequired:
		r.detail = "this campaign takes a ticket, in the header Hongbao-Ticket"
	case &busy:
		r.detail = "nothing happened: try again"
	case &readOnly:
		r.detail = "nothing happened: nothing may change at present; try again later"
	case &unknown:
		r.detail = "it may have happened: try again with the same key to learn"
	}
	return r
}

// tooFastDetail tells a bucket's refusal, which is the error as it is, from one that has a reason of its own.
func tooFastDetail(err error) string {
	if err == hongbao.ErrTooFast {
		return "nothing happened: you ask more often than is allowed; wait as Retry-After says"
	}
	return "nothing happened: " + err.Error()
}

// withKey adds the key that the outcome of a snatch can be learnt with.
func withKey(err error, key string) error {
	r := refusalOf(err)
	if r.problem == &unknown {
		r.key = key
		return r
	}
	return err
}

func methodRefusal(ctx *fasthttp.RequestCtx, route route) refusal {
	ctx.Response.Header.Set("Allow", route.allow())
	return refusal{problem: &wrongMethod, detail: "the method must be one of: " + route.allow()}
}

// fail answers an error. Only what is our own fault is logged.
func (s *Server) fail(ctx *fasthttp.RequestCtx, route route, err error) {
	r := refusalOf(err)
	if r.problem == &internal {
		s.logger.Error("a request failed", "route", route.String(), "error", err)
	}
	s.refuse(ctx, route, r)
}

func (s *Server) refuse(ctx *fasthttp.RequestCtx, route route, r refusal) {
	camp := route.camp() && r.problem != &wrongMethod
	status := r.problem.status
	if camp {
		status = r.problem.campStatus
	}
	if status == fasthttp.StatusUnauthorized {
		s.identity.challenge(ctx)
	}
	switch r.problem {
	case &busy, &readOnly, &tooFast:
		if len(ctx.Response.Header.Peek("Retry-After")) == 0 { // a bucket knows better
			setRetryAfter(ctx, 0)
		}
	}
	if camp {
		refuseCamp(ctx, r)
		return
	}
	answer(ctx, status, "application/problem+json", appendProblem(begin(ctx), r))
}

// appendProblem writes RFC 9457; its type is about:blank, so that the title is the status in words.
func appendProblem(b []byte, r refusal) []byte {
	b = append(b, `{"title":"`...)
	b = append(b, fasthttp.StatusMessage(r.problem.status)...)
	b = append(b, `","status":`...)
	b = strconv.AppendInt(b, int64(r.problem.status), 10)
	b = append(b, `,"code":"`...)
	b = append(b, r.problem.code...)
	b = append(b, `","retryable":`...)
	b = strconv.AppendBool(b, r.problem.retryable)
	if r.detail != "" {
		b = append(b, `,"detail":`...)
		b = appendText(b, r.detail)
	}
	if r.key != "" {
		b = append(b, `,"key":`...)
		b = appendText(b, r.key)
	}
	return append(b, '}')
}
