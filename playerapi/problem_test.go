package playerapi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"hongbao"
)

// What the gate refuses is told on both APIs as API.md has it.
func TestRefusalsOfTheGate(t *testing.T) {
	g := newGame(t, withJWT("HS256", secret))
	for _, row := range []struct {
		err               error
		v1, camp          int
		v1Body, campBody  string
		comeBack, whoElse bool // Retry-After is given; the camp API, where it is a 401, asks who else it is
	}{
		{hongbao.ErrTooFast, 429, 200,
			`{"title":"Too Many Requests","status":429,"code":"too_fast","retryable":true,"detail":"nothing happened: gate: too fast"}`, `{"code":6,"msg":"too fast"}`, true, false},
		{hongbao.ErrDenied, 403, 401,
			`{"title":"Forbidden","status":403,"code":"denied","retryable":false}`, `{"code":11,"msg":"denied"}`, false, true},
		{hongbao.ErrTicketRequired, 403, 200,
			`{"title":"Forbidden","status":403,"code":"ticket_required","retryable":false,"detail":"this campaign takes a ticket, in the header Hongbao-Ticket"}`, `{"code":13,"msg":"ticket required"}`, false, false},
		{hongbao.ErrTicketInvalid, 403, 200,
			`{"title":"Forbidden","status":403,"code":"ticket_invalid","retryable":false,"detail":"gate: ticket invalid"}`, `{"code":13,"msg":"ticket invalid"}`, false, false},
		{hongbao.ErrReadOnly, 503, 200,
			`{"title":"Service Unavailable","status":503,"code":"read_only","retryable":true,"detail":"nothing happened: nothing may change at present; try again later"}`, `{"code":9,"msg":"read only"}`, true, false},
		{hongbao.ErrBusy, 503, 200,
			`{"title":"Service Unavailable","status":503,"code":"busy","retryable":true,"detail":"nothing happened: try again"}`, `{"code":9,"msg":"busy"}`, true, false},
	} {
		t.Run(row.err.Error(), func(t *testing.T) {
			for _, api := range []struct {
				route  route
				status int
				body   string
			}{{routeSnatch, row.v1, row.v1Body}, {routeCampSnatch, row.camp, row.campBody}} {
				var ctx fasthttp.RequestCtx
				g.server.fail(&ctx, api.route, fmt.Errorf("gate: %w", row.err))
				if body := string(ctx.Response.Body()); ctx.Response.StatusCode() != api.status || body != api.body {
					t.Errorf("%s: got %d %s\nwant %d %s", api.route, ctx.Response.StatusCode(), body, api.status, api.body)
				}
				after := string(ctx.Response.Header.Peek("Retry-After"))
				if (after != "") != row.comeBack || row.comeBack && !strings.Contains("123", after) {
					t.Errorf("%s: Retry-After is %q", api.route, after)
				}
				asked := len(ctx.Response.Header.Peek("WWW-Authenticate")) > 0
				if asked != (row.whoElse && api.status == 401) {
					t.Errorf("%s: WWW-Authenticate is given: %v", api.route, asked)
				}
			}
		})
	}
	if g.logs.Len() > 0 {
		t.Errorf("a refusal is logged:\n%s", g.logs)
	}
}
