package playerapi

import (
	"io"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/valyala/fasthttp"
)

// BenchmarkPlayer is who asks, for players that have asked before: what a token costs beside what X-Player-Id does.
func BenchmarkPlayer(b *testing.B) {
	const players = 10000
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	byToken, err := newTokens(&Options{JWT: JWTOptions{Keys: [][]byte{secret}}, Logger: logger})
	if err != nil {
		b.Fatal(err)
	}
	claims := jwt.RegisteredClaims{ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Hour)), IssuedAt: jwt.NewNumericDate(time.Now()), Issuer: "https://login.example.com"}
	headers, tokens := make([]string, players), make([]string, players)
	for i := range players {
		claims.Subject = strconv.Itoa(1000000 + i)
		headers[i] = "X-Player-Id: " + claims.Subject
		if tokens[i], err = jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(secret); err != nil {
			b.Fatal(err)
		}
		tokens[i] = "Authorization: Bearer " + tokens[i]
	}
	b.Logf("a token has %d bytes", len(tokens[0])-len("Authorization: Bearer "))
	for _, row := range []struct {
		name    string
		by      identity
		headers []string
	}{{"trusted", trusted{}, headers}, {"jwt", byToken, tokens}} {
		for _, crowd := range []int{1, players} {
			requests := make([]*fasthttp.RequestCtx, crowd)
			for i := range requests {
				requests[i] = requestOf(row.headers[i])
				if _, _, err := row.by.player(requests[i]); err != nil {
					b.Fatal(err)
				}
			}
			b.Run(row.name+"/players="+strconv.Itoa(crowd), func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if _, _, err := row.by.player(requests[i%crowd]); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(row.name+"/crowd", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				requests := make([]*fasthttp.RequestCtx, 1000)
				for i := range requests {
					requests[i] = requestOf(row.headers[i])
				}
				for i := 0; pb.Next(); i++ {
					if _, _, err := row.by.player(requests[i%len(requests)]); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
	b.Run("jwt/unknown", func(b *testing.B) {
		b.ReportAllocs()
		token := strings.TrimPrefix(tokens[0], "Authorization: Bearer ")
		for b.Loop() {
			if _, _, err := byToken.verify(byToken.keys.Load(), token); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// requestOf is a request of this machine with "Name: value" headers.
func requestOf(headers ...string) *fasthttp.RequestCtx {
	var r fasthttp.Request
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	ctx := &fasthttp.RequestCtx{}
	ctx.Init(&r, loopback, nil)
	return ctx
}
