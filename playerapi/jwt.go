package playerapi

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/valyala/fasthttp"

	"hongbao"
)

// JWTOptions are how tokens are verified.
type JWTOptions struct {
	Alg  string           // HS256 (also when empty), RS256 or EdDSA; a token of another is refused
	Keys [][]byte         // HS256: the secrets as they are; otherwise public keys in PEM. Several while rotating.
	Now  func() time.Time // nil: time.Now
}

const (
	tokenLeeway     = 30 * time.Second
	tokensKnownMax  = 1 << 16
	secretBytesGood = 32 // RFC 7518: as long as the hash
)

// tokens verifies bearer tokens: `sub` is the uid in decimal digits, `exp` must be there, for a token without an end
// could never be taken back.
type tokens struct {
	parser *jwt.Parser
	keys   jwt.VerificationKeySet
	now    func() time.Time
	known  *tokenCache
}

func newTokens(o JWTOptions, logger *slog.Logger) (*tokens, error) {
	if o.Alg == "" {
		o.Alg = "HS256"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if len(o.Keys) == 0 {
		return nil, hongbao.Invalid("player.jwt.key", "", "given while player.auth is jwt")
	}
	t := &tokens{now: o.Now, known: newTokenCache(tokensKnownMax)}
	for i, text := range o.Keys {
		key, err := parseKey(o.Alg, text)
		if err != nil {
			return nil, fmt.Errorf("player.jwt: key %d of %d: %w", i+1, len(o.Keys), err)
		}
		if o.Alg == "HS256" && len(text) < secretBytesGood {
			logger.Warn("player.jwt.key is short: 32 random bytes are what HS256 asks for", "bytes", len(text))
		}
		t.keys.Keys = append(t.keys.Keys, key)
	}
	t.parser = jwt.NewParser(jwt.WithValidMethods([]string{o.Alg}), jwt.WithExpirationRequired(),
		jwt.WithLeeway(tokenLeeway), jwt.WithTimeFunc(o.Now))
	return t, nil
}

func parseKey(alg string, text []byte) (jwt.VerificationKey, error) {
	switch alg {
	case "HS256":
		if len(text) == 0 {
			return nil, hongbao.Invalid("player.jwt.key", "", "a secret of at least a byte, better 32")
		}
		return text, nil
	case "RS256":
		return jwt.ParseRSAPublicKeyFromPEM(text)
	case "EdDSA":
		return jwt.ParseEdPublicKeyFromPEM(text)
	}
	return nil, hongbao.Invalid("player.jwt.alg", alg, "one of HS256 RS256 EdDSA")
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
	sum := sha256.Sum256(token)
	if uid, ok := t.known.find(sum, t.now()); ok {
		return uid, true, nil
	}
	uid, until, err := t.verify(string(token))
	if err != nil {
		return 0, true, unauthorisedBecause(err.Error())
	}
	t.known.add(sum, uid, until)
	return uid, true, nil
}

// verify checks the signature and the claims of a token, and tells until when it is good.
func (t *tokens) verify(token string) (uid uint64, until time.Time, err error) {
	var claims jwt.RegisteredClaims
	_, err = t.parser.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return t.keys, nil })
	if err != nil {
		return 0, time.Time{}, err
	}
	uid, ok := parseDigits([]byte(claims.Subject), hongbao.UIDMax)
	if !ok {
		return 0, time.Time{}, hongbao.Invalid("sub", claims.Subject, "the uid in digits, from 0 to 9007199254740991")
	}
	return uid, claims.ExpiresAt.Add(tokenLeeway), nil
}
