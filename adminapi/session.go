package adminapi

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hongbao"
)

const (
	consoleActor  = "console" // whom the journal names for a change made in a session
	codeLasts     = hongbao.Duration(24 * time.Hour)
	sessionLasts  = hongbao.Duration(12 * time.Hour)
	wrongCodesMax = 10 // a minute; then none is looked at until it is over
)

// console lets the console's page in by a code that works once. One code is good at a time, and one session: whoever else
// comes signs in with a token of the configuration.
type console struct {
	mu         sync.Mutex
	code       [sha256.Size]byte
	codeUntil  hongbao.Time // 0 once the code is used
	session    key
	expiresAt  hongbao.Time // of the session; 0: there is none
	wrong      int          // codes
	wrongSince hongbao.Time
}

// session is whom a token lets in.
type session struct {
	Name       string       `json:"name" doc:"The actor in the journal"`
	Role       Role         `json:"role" enum:"viewer,operator"`
	Timezone   string       `json:"timezone" doc:"IANA name of the zone that the server's calendar days are in"`
	ServerTime hongbao.Time `json:"server_time"`
	ExpiresAt  hongbao.Time `json:"expires_at,omitzero" doc:"Left out for a token of the configuration, which does not end"`
}

func (s *Server) session(k key, expiresAt hongbao.Time) session {
	return session{Name: k.name, Role: k.role, Timezone: s.timezone, ServerTime: s.service.Now(), ExpiresAt: expiresAt}
}

func (s *Server) sessionRoutes() {
	register(s, public, huma.Operation{
		OperationID: "begin-session", Method: http.MethodPost, Path: "/admin/v1/session", Tags: []string{tagServer},
		Summary: "Sign in with the code of the link that the server printed at its start",
		Description: "The code works once, within 24 hours. The token has the role operator and the name console, and ends after 12 hours " +
			"or with the process. 401 unauthorised: the code is wrong, used or too old. 429 too_fast: ten codes within a minute were wrong.",
		RequestBody: jsonBody[sessionOrder](s),
	}, s.beginSession)
	register(s, Viewer, huma.Operation{
		OperationID: "read-session", Method: http.MethodGet, Path: "/admin/v1/session", Tags: []string{tagServer},
		Summary: "Read name and role of the token that asks",
	}, s.readSession)
	register(s, Viewer, huma.Operation{
		OperationID: "end-session", Method: http.MethodDelete, Path: "/admin/v1/session", Tags: []string{tagServer},
		Summary:       "Sign out: the session's token is good for nothing any more",
		Description:   "A token of the configuration stays good.",
		DefaultStatus: http.StatusNoContent,
	}, s.endSession)
}

// ConsoleCode makes the code that the console's link carries, in place of the one before: 128 random bits.
func (s *Server) ConsoleCode() string {
	code := randomText(16)
	s.console.mu.Lock()
	defer s.console.mu.Unlock()
	s.console.code, s.console.codeUntil = sha256.Sum256([]byte(code)), s.service.Now().Add(codeLasts)
	return code
}

// sessionOrder is the body of a sign-in.
type sessionOrder struct {
	_    struct{} `additionalProperties:"false"`
	Code string   `json:"code" doc:"What stands after #code= in the link"`
}

type beginSessionInput struct {
	RawBody []byte
}

// sessionBegun is a session with its token.
type sessionBegun struct {
	Token string `json:"token" doc:"For Authorization: Bearer"`
	session
}

type beginSessionOutput struct {
	Body sessionBegun
}

func (s *Server) beginSession(_ context.Context, in *beginSessionInput) (*beginSessionOutput, error) {
	var order sessionOrder
	if err := hongbao.DecodeStrict(in.RawBody, &order); err != nil {
		return nil, err
	}
	token, expiresAt, err := s.console.begin(order.Code, s.service.Now())
	if err != nil {
		return nil, err
	}
	s.logger.Info("a console session began", "expires_at", expiresAt)
	return &beginSessionOutput{sessionBegun{token, s.session(key{name: consoleActor, role: Operator}, expiresAt)}}, nil
}

// begin takes the code for a session's token. The code is compared in a time that does not depend on where it differs.
func (c *console) begin(code string, now hongbao.Time) (token string, expiresAt hongbao.Time, err error) {
	hash := sha256.Sum256([]byte(code))
	c.mu.Lock()
	defer c.mu.Unlock()
	if now >= c.wrongSince.Add(hongbao.Duration(time.Minute)) {
		c.wrong, c.wrongSince = 0, now
	}
	if c.wrong == wrongCodesMax {
		return "", 0, tooManyCodes(c.wrongSince.Add(hongbao.Duration(time.Minute)) - now)
	}
	if same := subtle.ConstantTimeCompare(hash[:], c.code[:]) == 1; !same || now >= c.codeUntil {
		c.wrong++
		return "", 0, newProblem(http.StatusUnauthorized, "unauthorised",
			"the code is wrong, used or too old: take the link of the latest start, or sign in with a token")
	}
	token = randomText(32)
	c.codeUntil = 0
	c.session, c.expiresAt = key{sha256.Sum256([]byte(token)), consoleActor, Operator}, now.Add(sessionLasts)
	return token, c.expiresAt, nil
}

func tooManyCodes(wait hongbao.Time) *Problem {
	p := newProblem(http.StatusTooManyRequests, "too_fast", "too many wrong codes; sign in with a token, or wait a minute")
	p.Retryable = true
	p.header.Set("Retry-After", strconv.FormatInt((int64(wait)+999)/1000, 10))
	return p
}

// find looks a presented token up among the sessions.
func (c *console) find(presented string, now hongbao.Time) (found key, ok bool) {
	hash := sha256.Sum256([]byte(presented))
	c.mu.Lock()
	defer c.mu.Unlock()
	same := subtle.ConstantTimeCompare(hash[:], c.session.hash[:]) == 1
	return c.session, same && now < c.expiresAt
}

type sessionOutput struct {
	Body session
}

func (s *Server) readSession(ctx context.Context, _ *struct{}) (*sessionOutput, error) {
	k := caller(ctx)
	return &sessionOutput{s.session(k, s.console.expiryOf(k))}, nil
}

func (c *console) expiryOf(k key) hongbao.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.hash != c.session.hash {
		return 0
	}
	return c.expiresAt
}

func (s *Server) endSession(ctx context.Context, _ *struct{}) (*struct{}, error) {
	s.console.end(caller(ctx))
	return nil, nil
}

func (c *console) end(k key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.hash == c.session.hash {
		c.session, c.expiresAt = key{}, 0
	}
}

// randomText is that many random bytes in base64url.
func randomText(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // it never fails
	return base64.RawURLEncoding.EncodeToString(b)
}
