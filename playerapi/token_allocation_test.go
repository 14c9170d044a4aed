//go:build !race

package playerapi

import (
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestWhoAsksAgainAllocatesNothing(t *testing.T) {
	j := newJWT(t, JWTOptions{Keys: [][]byte{secret}})
	again := requestOf(sign(t, jwt.SigningMethodHS256, secret, player("7", time.Hour)))
	inFront := networks("10.0.0.0/8")
	direct := forwarded(peerOf("192.0.2.7"), "198.51.100.1")
	proxied := forwarded(peerOf("10.0.0.1"), "198.51.100.1", "[2001:db8:1234:5678::1]:443, 10.0.0.2:80")
	for _, row := range []struct {
		name string
		ask  func()
	}{
		{"a known token", func() { _, _ = j.server.player(again) }},
		{"a peer's address", func() { inFront.address(direct) }},
		{"an address behind proxies", func() { inFront.address(proxied) }},
	} {
		if n := testing.AllocsPerRun(1000, row.ask); n != 0 {
			t.Errorf("%s: %v allocations", row.name, n)
		}
	}
	if uid, err := j.server.player(again); uid != 7 || err != nil {
		t.Errorf("player %d, %v", uid, err)
	}
}
