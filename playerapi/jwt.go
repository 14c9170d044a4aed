package playerapi

import (
	"bytes"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/valyala/fasthttp"

	"hongbao"
)

// JWTOptions are how tokens are verified.
type JWTOptions struct {
	Alg  string           // HS256 (also when empty), RS256 or EdDSA; a token of another is refused
	Keys [][]byte         // HS256: the secrets as they are; otherwise public keys in PEM, one or more in each. Any of them will do.
	Now  func() time.Time // nil: time.Now

	Reload      func() ([][]byte, error) // the keys as they are now, for [Server.Watch]; nil: they never change
	ReloadEvery time.Duration            // how often; 0: 1 s
}

const (
	tokenLeeway    = 30 * time.Second
	tokensKnownMax = 1 << 17 // 2 MiB of slots; 37 MiB when full of tokens of 200 bytes, 140 MiB of the longest
)

// tokens verifies bearer tokens: `sub` is the uid in decimal digits, `exp` must be there, for a token without an end
// could never be taken back. `kid` is not read: keys are few, and each is tried.
type tokens struct {
	alg         string
	parser      *jwt.Parser
	now         func() time.Time
	failed      FailureLimit
	proxies     proxies
	logger      *slog.Logger
	reload      func() ([][]byte, error)
	reloadEvery time.Duration

	keys  atomic.Pointer[tokenKeys]
	state keyState
}

func newTokens(o *Options) (*tokens, error) {
	t := &tokens{
		alg: o.JWT.Alg, now: o.JWT.Now, failed: o.Failed, proxies: o.TrustedPeers, logger: o.Logger,
		reload: o.JWT.Reload, reloadEvery: orDefault(o.JWT.ReloadEvery, time.Second),
	}
	if t.alg == "" {
		t.alg = "HS256"
	}
	if t.now == nil {
		t.now = time.Now
	}
	if t.failed == nil {
		t.failed = unlimited{}
	}
	t.parser = jwt.NewParser(jwt.WithValidMethods([]string{t.alg}), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
		jwt.WithLeeway(tokenLeeway), jwt.WithTimeFunc(t.now))
	return t, t.use(o.JWT.Keys)
}

func (t *tokens) challenge(ctx *fasthttp.RequestCtx) {
	ctx.Response.Header.Set("WWW-Authenticate", "Bearer")
}

func (t *tokens) player(ctx *fasthttp.RequestCtx) (uid uint64, given bool, err error) {
	values := ctx.Request.Header.PeekAll("Authorization")
	if len(values) != 1 {
		return 0, false, unauthorisedBecause("one header Authorization: Bearer <token> is needed")
	}
	scheme, token, _ := bytes.Cut(values[0], []byte(" "))
	if !bytes.EqualFold(scheme, []byte("Bearer")) {
		return 0, false, unauthorisedBecause("Authorization must be Bearer <token>")
	}
	keys, now := t.keys.Load(), t.now()
	if uid, ok := keys.known.find(token, now); ok {
		return uid, true, nil
	}
	uid, err = t.verifyLimited(ctx, keys, string(token), now)
	return uid, true, err
}

// verifyLimited verifies a token that is not known. What it finds it tells those alone who ask of the same keys: when
// they were replaced meanwhile, the token is verified again.
func (t *tokens) verifyLimited(ctx *fasthttp.RequestCtx, keys *tokenKeys, token string, now time.Time) (uint64, error) {
	from := t.proxies.address(ctx)
	if !t.failed.Allow(from) {
		return 0, fmt.Errorf("%w: too many tokens from this address were no good", hongbao.ErrTooFast)
	}
	uid, until, err := t.verify(keys, token)
	if err != nil {
		t.failed.Failed(from)
		return 0, unauthorisedBecause(err.Error())
	}
	keys.known.add(token, uid, until, now)
	return uid, nil
}

// verify checks the signature and the claims of a token, and tells until when it is good.
func (t *tokens) verify(keys *tokenKeys, token string) (uid uint64, until time.Time, err error) {
	var claims jwt.RegisteredClaims
	_, err = t.parser.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return keys.set, nil })
	if err != nil {
		return 0, time.Time{}, err
	}
	uid, ok := parseDigits([]byte(claims.Subject), hongbao.UIDMax)
	if !ok {
		return 0, time.Time{}, hongbao.Invalid("sub", claims.Subject, "the uid in digits, from 0 to 9007199254740991")
	}
	return uid, claims.ExpiresAt.Add(tokenLeeway), nil
}
