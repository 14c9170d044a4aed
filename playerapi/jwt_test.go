package playerapi

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var (
	secret  = []byte("a secret of thirty-two bytes, no")
	retired = []byte("the secret of the days before it")
)

// somePublicKey is of EdDSA.
const somePublicKey = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
`

func withJWT(alg string, keys ...[]byte) func(*settings) {
	return func(s *settings) {
		s.Auth = AuthJWT
		s.JWT = JWTOptions{Alg: alg, Keys: keys, Now: func() time.Time { return noon }}
	}
}

// jwtGame is who asks, by tokens, at a time that stands still.
type jwtGame struct {
	t      testing.TB
	now    time.Time
	server *Server
	tokens *tokens
}

func newJWT(t testing.TB, o JWTOptions, set ...func(*Options)) *jwtGame {
	t.Helper()
	j := &jwtGame{t: t, now: noon}
	o.Now = func() time.Time { return j.now }
	options := Options{Auth: AuthJWT, JWT: o, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
	for _, f := range set {
		f(&options)
	}
	var err error
	if j.server, err = New(options); err != nil {
		t.Fatal(err)
	}
	j.tokens = j.server.identity.(*tokens)
	return j
}

// believes asks with a header.
func (j *jwtGame) believes(header string) bool {
	_, err := j.server.player(requestOf(header))
	return err == nil
}

func sign(t testing.TB, method jwt.SigningMethod, key any, claims jwt.Claims) string {
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

func publicPEM(t testing.TB, key crypto.PublicKey) []byte {
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
	strangerKey, err := rsa.GenerateKey(rand.Reader, 2048)
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
		{"EdDSA, unsigned", "EdDSA", edPEM, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, 401},
		{"RS256, unsigned", "RS256", rsaPEM, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, 401},
		{"RS256, signed by another's key", "RS256", rsaPEM, jwt.SigningMethodRS256, strangerKey, 401},
		{"RS256, signed with a key that it does not know by an algorithm that it does not take", "RS256", rsaPEM, jwt.SigningMethodEdDSA, edKey, 401},
		{"RS256, the second of a file", "RS256", slices.Concat([]byte("# of 2026\n"), publicPEM(t, strangerKey.Public()), []byte("\n# of 2027\n"), rsaPEM), jwt.SigningMethodRS256, rsaKey, 200},
		{"EdDSA, the first of a file", "EdDSA", slices.Concat(edPEM, []byte(somePublicKey)), jwt.SigningMethodEdDSA, edKey, 200},
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
		{"a public key as a secret", Options{Auth: AuthJWT, JWT: JWTOptions{Keys: [][]byte{[]byte(somePublicKey)}}}, "player.jwt.alg"},
		{"a key that was cut off", Options{Auth: AuthJWT, JWT: JWTOptions{Alg: "EdDSA", Keys: [][]byte{[]byte(somePublicKey + somePublicKey[:40])}}}, "1 of 2 PEM blocks"},
		{"a key that was cut off early", Options{Auth: AuthJWT, JWT: JWTOptions{Alg: "EdDSA", Keys: [][]byte{[]byte(somePublicKey + somePublicKey[:7])}}}, "1 of 2 PEM blocks"},
		{"a bad key between good ones", Options{Auth: AuthJWT, JWT: JWTOptions{Alg: "EdDSA", Keys: [][]byte{[]byte(somePublicKey + strings.Replace(somePublicKey, "MCow", "????", 1) + somePublicKey)}}}, "2 of 3 PEM blocks"},
		{"a key of another algorithm", Options{Auth: AuthJWT, JWT: JWTOptions{Alg: "RS256", Keys: [][]byte{[]byte(somePublicKey)}}}, "player.jwt: key 1 of 1"},
		{"keys without number", Options{Auth: AuthJWT, JWT: JWTOptions{Alg: "EdDSA", Keys: [][]byte{[]byte(strings.Repeat(somePublicKey, 65))}}}, "at most 64"},
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

// Clocks differ by up to the leeway and no more.
func TestTokensAtTheBoundsOfTime(t *testing.T) {
	at := func(d time.Duration) *jwt.NumericDate { return jwt.NewNumericDate(noon.Add(d)) }
	for _, row := range []struct {
		name   string
		claims jwt.RegisteredClaims
		now    time.Duration // after noon
		ok     bool
	}{
		{"the last moment", jwt.RegisteredClaims{ExpiresAt: at(0)}, 30*time.Second - 1, true},
		{"the end", jwt.RegisteredClaims{ExpiresAt: at(0)}, 30 * time.Second, false},
		{"before the beginning", jwt.RegisteredClaims{ExpiresAt: at(time.Hour), NotBefore: at(0)}, -30*time.Second - 1, false},
		{"the beginning", jwt.RegisteredClaims{ExpiresAt: at(time.Hour), NotBefore: at(0)}, -30 * time.Second, true},
		{"before it was issued", jwt.RegisteredClaims{ExpiresAt: at(time.Hour), IssuedAt: at(0)}, -30*time.Second - 1, false},
		{"when it was issued", jwt.RegisteredClaims{ExpiresAt: at(time.Hour), IssuedAt: at(0)}, -30 * time.Second, true},
		{"issued long ago", jwt.RegisteredClaims{ExpiresAt: at(0), IssuedAt: at(-1e6 * time.Hour)}, 0, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			j := newJWT(t, JWTOptions{Keys: [][]byte{secret}})
			j.now = noon.Add(row.now)
			row.claims.Subject = "7"
			if ok := j.believes(sign(t, jwt.SigningMethodHS256, secret, row.claims)); ok != row.ok {
				t.Errorf("believed: %v, want %v", ok, row.ok)
			}
		})
	}
}

func TestAKnownTokenEndsWhenItEnds(t *testing.T) {
	j := newJWT(t, JWTOptions{Keys: [][]byte{secret}})
	token := sign(t, jwt.SigningMethodHS256, secret, player("7", time.Minute))
	for _, row := range []struct {
		now time.Duration
		ok  bool
	}{{0, true}, {90*time.Second - 1, true}, {90 * time.Second, false}} {
		j.now = noon.Add(row.now)
		if ok := j.believes(token); ok != row.ok {
			t.Errorf("after %s: believed: %v, want %v", row.now, ok, row.ok)
		}
	}
}

// guard is a limit that a test decides for.
type guard struct {
	allow         func() bool
	asked, failed []netip.Addr
}

func (g *guard) Allow(address netip.Addr) bool {
	g.asked = append(g.asked, address)
	return g.allow == nil || g.allow()
}

func (g *guard) Failed(address netip.Addr) { g.failed = append(g.failed, address) }

func TestTokensThatAreNoGoodAreLimitedByAddress(t *testing.T) {
	limit := &guard{}
	g := newGame(t, withJWT("HS256", secret), func(s *settings) {
		s.Failed, s.TrustedPeers = limit, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	good := sign(t, jwt.SigningMethodHS256, secret, player("7", time.Hour))
	other := sign(t, jwt.SigningMethodHS256, secret, player("8", time.Hour))
	const from, player = "X-Forwarded-For: 6.6.6.6, 192.0.2.7", "192.0.2.7"
	ask := func(want int, headers ...string) {
		t.Helper()
		if got := g.ask("GET /v1/wallet", "", append(headers, from)...); got.status != want {
			t.Errorf("got %d %s, want %d", got.status, got.body, want)
		}
	}
	expect := func(what string, asked, failed int) {
		t.Helper()
		if len(limit.asked) != asked || len(limit.failed) != failed {
			t.Errorf("%s: it was asked %d times and told of %d failures, want %d and %d", what, len(limit.asked), len(limit.failed), asked, failed)
		}
	}
	ask(401)
	expect("no token", 0, 0)
	ask(200, good)
	expect("a good one", 1, 0)
	ask(200, good)
	expect("a known one", 1, 0)
	ask(401, good+"x")
	expect("a bad one", 2, 1)

	limit.allow = func() bool { return false }
	ask(200, good)
	expect("a known one, from where too many failed", 2, 1)
	ask(429, other)
	ask(429, good+"x")
	expect("unknown ones", 4, 1)
	for _, address := range append(limit.asked, limit.failed...) {
		if address.String() != player {
			t.Errorf("the address is %s, want %s", address, player)
		}
	}
	got := g.ask("POST /snatch", "", other, from)
	expectDetail(t, got, 200, `{"code":6,"msg":"too fast"}`, "")
	if got.header["Retry-After"] == "" {
		t.Error("it is not told when to come back")
	}
	limit.allow = nil
	ask(200, other)
}
