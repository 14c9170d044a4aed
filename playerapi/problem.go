package playerapi

import (
	"errors"
	"math/rand/v2"
	"strconv"

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
}

// The one table of errors. Routes that do not exist and wrong methods are answered as on /v1 everywhere.
var (
	//                       code                  /v1  retryable camp (HTTP)
	invalidRequest = problem{"invalid_request", 400, false, 1, 400}
	unauthorised   = problem{"unauthorised", 401, false, 11, 401}
	notFound       = problem{"not_found", 404, false, 7, 200} // a campaign that is not there is 5: see campSnatch
	wrongMethod    = problem{"method_not_allowed", 405, false, 1, 405}
	tooSlow        = problem{"request_timeout", 408, true, 1, 408}
	tooLarge       = problem{"too_large", 413, false, 1, 413}
	headerTooLarge = problem{"too_large", 431, false, 1, 431}
	internal       = problem{"internal", 500, false, 12, 500}
	busy           = problem{"busy", 503, true, 9, 200}
	unknown        = problem{"unknown", 504, true, 12, 200}
)

// problemOf maps the errors of the root package. What has none of them is a bug of ours.
func problemOf(err error) *problem {
	switch {
	case errors.Is(err, hongbao.ErrInvalid):
		return &invalidRequest
	case errors.Is(err, hongbao.ErrNotFound):
		return &notFound
	case errors.Is(err, hongbao.ErrUnknown): // before broken: what broke may have been written
		return &unknown
	case errors.Is(err, hongbao.ErrBusy), errors.Is(err, hongbao.ErrBroken):
		return &busy
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
	var r refusal
	if errors.As(err, &r) {
		return r
	}
	r.problem = problemOf(err)
	switch r.problem {
	case &invalidRequest:
		r.detail = err.Error()
	case &busy:
		r.detail = "nothing happened: try again"
	case &unknown:
		r.detail = "it may have happened: try again with the same key to learn"
	}
	return r
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
	switch r.problem {
	case &busy:
		setRetryAfter(ctx)
	case &unauthorised:
		s.identity.challenge(ctx)
	}
	if route.camp() && r.problem != &wrongMethod {
		refuseCamp(ctx, r)
		return
	}
	answer(ctx, r.problem.status, "application/problem+json", appendProblem(begin(ctx), r))
}

// setRetryAfter spreads those who come back over three seconds.
func setRetryAfter(ctx *fasthttp.RequestCtx) {
	ctx.Response.Header.Set("Retry-After", strconv.Itoa(1+rand.IntN(3)))
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
