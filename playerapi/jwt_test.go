package playerapi

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"hongbao"
)

var (
	secret  = []byte("a secret of thirty-two bytes, no")
	retired = []byte("the secret of the days before it")
)

func withJWT(alg string, keys ...[]byte) func(*settings) {
	return func(s *settings) {
		s.Auth = AuthJWT
		s.JWT = JWTOptions{Alg: alg, Keys: keys, Now: func() time.Time { return noon }}
	}
}

func sign(t *testing.T, method jwt.SigningMethod, key any, claims jwt.Claims) string {
	t.Helper()
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return "Authorization: Bearer " + token
}

func player(uid string, in time.Duration) jwt.RegisteredClaims {
	return jwt.RegisteredClaims{Subject: uid, ExpiresAt: jwt.NewNumericDate(noon.Add(in))}
}

func publicPEM(t *testing.T, key crypto.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func TestTokens(t *testing.T) {
	hs := jwt.SigningMethodHS256
	good := sign(t, hs, secret, player("7", time.Hour))
	head, signature, _ := cutLast(good)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	unsigned := sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, player("7", time.Hour))
	g := newGame(t, withJWT("HS256", secret, retired))
	for _, row := range []struct {
		name    string
		ok      bool
		headers []string
	}{
		{"a good one", true, []string{good}},
		{"the same, from memory", true, []string{good}},
		{"with a retired key", true, []string{sign(t, hs, retired, player("7", time.Hour))}},
		{"that ended within the leeway", true, []string{sign(t, hs, secret, player("7", -29*time.Second))}},
		{"with the scheme in small letters", true, []string{strings.Replace(good, "Bearer", "bearer", 1)}},
		{"none", false, nil},
		{"two", false, []string{good, good}},
		{"another scheme", false, []string{"Authorization: Basic eA=="}},
		{"empty", false, []string{"Authorization: Bearer "}},
		{"not a token", false, []string{"Authorization: Bearer x.y.z"}},
		{"that ended", false, []string{sign(t, hs, secret, player("7", -31*time.Second))}},
		{"that never ends", false, []string{sign(t, hs, secret, jwt.RegisteredClaims{Subject: "7"})}},
		{"that is not valid yet", false, []string{sign(t, hs, secret, jwt.RegisteredClaims{
			Subject: "7", ExpiresAt: jwt.NewNumericDate(noon.Add(time.Hour)), NotBefore: jwt.NewNumericDate(noon.Add(time.Minute))})}},
		{"with another's key", false, []string{sign(t, hs, []byte("guessed"), player("7", time.Hour))}},
		{"with a changed signature", false, []string{head + "." + strings.ToUpper(signature)}},
		{"without a signature", false, []string{unsigned}},
		{"of a longer hash with the same key", false, []string{sign(t, jwt.SigningMethodHS512, secret, player("7", time.Hour))}},
		{"of another algorithm", false, []string{sign(t, jwt.SigningMethodRS256, rsaKey, player("7", time.Hour))}},
		{"without a subject", false, []string{sign(t, hs, secret, player("", time.Hour))}},
		{"whose subject is a name", false, []string{sign(t, hs, secret, player("alice", time.Hour))}},
		{"whose subject is too large", false, []string{sign(t, hs, secret, player("9007199254740992", time.Hour))}},
		{"and X-Player-Id, which this mode does not read", true, []string{good, "X-Player-Id: 8"}},
		{"X-Player-Id alone", false, []string{"X-Player-Id: 8"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := g.ask("GET /v1/wallet", "", row.headers...)
			if ok := got.status == 200; ok != row.ok {
				t.Errorf("got %d %s", got.status, got.body)
			}
			if !row.ok && (got.status != 401 || got.header["Www-Authenticate"] != "Bearer") {
				t.Errorf("got %d %v", got.status, got.header)
			}
		})
	}
}

func cutLast(token string) (head, signature string, ok bool) {
	i := strings.LastIndexByte(token, '.')
	return token[:i], token[i+1:], true
}

// The public key of RS256 is no secret: signing with it as if it were one of HS256 must not work.
func TestTokensOfPublicKeys(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	edPublic, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaPEM, edPEM := publicPEM(t, rsaKey.Public()), publicPEM(t, edPublic)
	for _, row := range []struct {
		name, alg string
		pem       []byte
		method    jwt.SigningMethod
		key       any
		status    int
	}{
		{"RS256", "RS256", rsaPEM, jwt.SigningMethodRS256, rsaKey, 200},
		{"EdDSA", "EdDSA", edPEM, jwt.SigningMethodEdDSA, edKey, 200},
		{"RS256, signed with the public key", "RS256", rsaPEM, jwt.SigningMethodHS256, rsaPEM, 401},
		{"EdDSA, signed with the public key", "EdDSA", edPEM, jwt.SigningMethodHS256, edPEM, 401},
		{"RS256, where PS256 is not pinned", "RS256", rsaPEM, jwt.SigningMethodPS256, rsaKey, 401},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := newGame(t, withJWT(row.alg, row.pem))
			got := g.ask("GET /v1/wallet", "", sign(t, row.method, row.key, player("7", time.Hour)))
			if got.status != row.status {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
}

func TestCampUIDAgainstToken(t *testing.T) {
	g := newGame(t, withJWT("", secret))
	g.create(rain("r", 10))
	good := sign(t, jwt.SigningMethodHS256, secret, player("7", time.Hour))
	for _, row := range []struct {
		name, body string
		headers    []string
		status     int
		code       string
	}{
		{"the token's", `{"uid":7}`, []string{good}, 200, `{"code":0,`},
		{"left out", ``, []string{good}, 200, `{"code":0,`},
		{"another's", `{"uid":8}`, []string{good}, 401, `{"code":11,`},
		{"without a token", `{"uid":7}`, nil, 401, `{"code":11,`},
		{"malformed", `{"uid":-7}`, []string{good}, 400, `{"code":1,`},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := g.ask("POST /snatch", row.body, row.headers...)
			if got.status != row.status || !strings.HasPrefix(got.body, row.code) {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
	if got := g.campListOf(good); len(got) != 2 {
		t.Errorf("player 7 holds %v", got)
	}
}

func (g *game) campListOf(token string) []string {
	g.t.Helper()
	body := g.ask("POST /get_wallet_list", "", token).body
	return strings.Split(body, `"envelope_id":`)[1:]
}

func TestBadOptionsAreRefusedByName(t *testing.T) {
	for _, row := range []struct {
		name    string
		options Options
		names   string
	}{
		{"another mode", Options{Auth: "basic"}, "player.auth"},
		{"tokens without a key", Options{Auth: AuthJWT}, "player.jwt.key"},
		{"an empty key", Options{Auth: AuthJWT, JWT: JWTOptions{Keys: [][]byte{{}}}}, "player.jwt.key"},
		{"no algorithm of tokens", Options{Auth: AuthJWT, JWT: JWTOptions{Alg: "none", Keys: [][]byte{secret}}}, "player.jwt.alg"},
		{"a key that is not PEM", Options{Auth: AuthJWT, JWT: JWTOptions{Alg: "RS256", Keys: [][]byte{secret}}}, "player.jwt: key 1 of 1"},
		{"an origin with a path", Options{CORSOrigins: []string{"https://play.example.com/"}}, "player.cors_origins"},
		{"any origin", Options{CORSOrigins: []string{"*"}}, "player.cors_origins"},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.options.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
			if _, err := New(row.options); err == nil || !strings.Contains(err.Error(), row.names) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestTokenCacheIsBoundedAndForgetsWhatEnded(t *testing.T) {
	const limit = 100
	c := newTokenCache(limit)
	hash := func(i int) tokenHash { return sha256.Sum256([]byte{byte(i), byte(i >> 8)}) }
	for i := range 10 * limit {
		c.add(hash(i), uint64(i), noon)
		if known := len(c.young) + len(c.old); known > limit {
			t.Fatalf("%d tokens are known", known)
		}
		if uid, ok := c.find(hash(i), noon.Add(-1)); !ok || uid != uint64(i) {
			t.Fatalf("token %d is not known right after it was added", i)
		}
		if _, ok := c.find(hash(0), noon.Add(-1)); !ok {
			t.Fatalf("a token that is asked for all the time was forgotten after %d others", i)
		}
	}
	if _, ok := c.find(hash(0), noon); ok {
		t.Error("a token is known beyond its end")
	}
	if _, ok := c.find(hash(hongbao.CampaignMax), noon.Add(-1)); ok {
		t.Error("a token is known that was never added")
	}
}
