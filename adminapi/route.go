package adminapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"hongbao"
)

// register adds an operation that only a token of the role may ask for. In is a struct of texts tagged as huma wants
// it, and a RawBody where there is one; whatever is wrong with them, the handler's error says.
func register[In, Out any](s *Server, role Role, op huma.Operation, handler func(context.Context, *In) (*Out, error)) {
	op.SkipValidateParams, op.SkipValidateBody = true, true
	op.Security = security(role)
	op.Middlewares = huma.Middlewares{s.guard(role, max(op.MaxBodyBytes, bodyMax), queryOf(reflect.TypeFor[In]()))}
	body := op.RequestBody
	required := body != nil && body.Required
	huma.Register(s.api, op, func(ctx context.Context, in *In) (*Out, error) {
		out, err := handler(ctx, in)
		if err != nil {
			return nil, s.tell(ctx, op.OperationID, err)
		}
		return out, nil
	})
	if body != nil { // huma has documented RawBody as bytes, and as required
		delete(body.Content, "application/octet-stream")
		body.Required = required
	}
}

// handle adds a route that answers for itself.
func (s *Server) handle(role Role, op huma.Operation, handler http.HandlerFunc) {
	op.Security = security(role)
	s.api.OpenAPI().AddOperation(&op)
	s.mux.HandleFunc(op.Method+" "+op.Path, func(w http.ResponseWriter, r *http.Request) {
		admitted, err := s.admit(w, r, role, bodyMax)
		if err != nil {
			problemOf(err).write(w)
			return
		}
		handler(w, admitted)
	})
}

// guard lets a request through to its handler, with its actor and its whole body, or answers with a problem.
func (s *Server) guard(role Role, bodyMax int64, query []string) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		admitted, err := s.admit(w, r, role, bodyMax)
		if err == nil {
			err = checkQuery(r.URL.RawQuery, query)
		}
		if err != nil {
			problemOf(err).write(w)
			return
		}
		next(humago.NewContext(ctx.Operation(), admitted, w))
	}
}

// admit checks the token before it reads the body, so that a stranger can't make the server hold one.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, role Role, bodyMax int64) (*http.Request, error) {
	r, err := s.authenticate(r, role)
	if err != nil {
		return nil, err
	}
	return r, readBody(w, r, bodyMax)
}

// authenticate returns the request with its actor.
func (s *Server) authenticate(r *http.Request, needed Role) (*http.Request, error) {
	if needed == public {
		return r, nil
	}
	presented := bearer(r.Header.Get("Authorization"))
	k, ok := s.keys.find(presented)
	if !ok {
		k, ok = s.console.find(presented, s.service.Now())
	}
	if !ok {
		p := newProblem(http.StatusUnauthorized, "unauthorised", "a token is needed: Authorization: Bearer <token>")
		p.header.Set("WWW-Authenticate", `Bearer realm="hongbao"`)
		return nil, p
	}
	if !k.role.may(needed) {
		return nil, newProblem(http.StatusForbidden, "denied", fmt.Sprintf("the token %s has the role %s; this needs %s", k.name, k.role, needed))
	}
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, k)), nil
}

type callerKey struct{}

// caller is whose token the request came with.
func caller(ctx context.Context) key {
	k, _ := ctx.Value(callerKey{}).(key)
	return k
}

// actor is the name of the token that the request came with.
func actor(ctx context.Context) string { return caller(ctx).name }

// tell makes a problem of a handler's error, and logs one that is the server's own fault.
func (s *Server) tell(ctx context.Context, operation string, err error) *Problem {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError && ctx.Err() == nil {
		s.logger.Error("an admin request failed", "operation", operation, "status", p.Status, "error", err)
	}
	return p
}

// checkQuery refuses parameters that the operation doesn't know, and those given twice.
func checkQuery(raw string, known []string) error {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return hongbao.Invalid("query", raw, "a well-formed query")
	}
	for name, given := range values {
		if !slices.Contains(known, name) {
			return hongbao.Invalid(name, "(unknown parameter)", orNone(known))
		}
		if len(given) > 1 {
			return hongbao.Invalid(name, strings.Join(given, ", "), "given once")
		}
	}
	return nil
}

func orNone(known []string) string {
	if len(known) == 0 {
		return "left out: there are no parameters here"
	}
	return "one of " + strings.Join(known, " ")
}

// queryOf lists the query parameters of an operation's input.
func queryOf(in reflect.Type) []string {
	var names []string
	for i := range in.NumField() {
		if name := in.Field(i).Tag.Get("query"); name != "" {
			names = append(names, name)
		}
	}
	return names
}
