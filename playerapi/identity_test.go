package playerapi

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

func unauthorisedProblem(detail string) string {
	return `{"title":"Unauthorized","status":401,"code":"unauthorised","retryable":false,"detail":"` + detail + `"}`
}

func TestTrustedPlayer(t *testing.T) {
	const malformed = "X-Player-Id must be one whole number from 0 to 9007199254740991"
	g := newGame(t)
	for _, row := range []struct {
		name    string
		headers []string
		refused string // empty: believed
	}{
		{"zero is a player", []string{"X-Player-Id: 0"}, ""},
		{"the largest", []string{"X-Player-Id: 9007199254740991"}, ""},
		{"missing", nil, "the header X-Player-Id is missing"},
		{"empty", []string{"X-Player-Id: "}, malformed},
		{"too large", []string{"X-Player-Id: 9007199254740992"}, malformed},
		{"larger than any integer", []string{"X-Player-Id: 99999999999999999999999"}, malformed},
		{"negative", []string{"X-Player-Id: -1"}, malformed},
		{"with a sign", []string{"X-Player-Id: +1"}, malformed},
		{"with zeros in front", []string{"X-Player-Id: 007"}, malformed},
		{"fractional", []string{"X-Player-Id: 1.5"}, malformed},
		{"with an exponent", []string{"X-Player-Id: 1e3"}, malformed},
		{"a word", []string{"X-Player-Id: alice"}, malformed},
		{"not ASCII", []string{"X-Player-Id: １"}, malformed},
		{"two that differ", []string{"X-Player-Id: 1", "X-Player-Id: 2"}, malformed},
		{"two alike", []string{"X-Player-Id: 1", "X-Player-Id: 1"}, malformed},
		{"a token, which this mode does not read", []string{"Authorization: Bearer x"}, "the header X-Player-Id is missing"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := g.ask("GET /v1/wallet", "", row.headers...)
			if row.refused == "" {
				expect(t, got, 200, `{"balance_fen":0,"envelopes":[],"next":""}`)
				return
			}
			expect(t, got, 401, unauthorisedProblem(row.refused))
		})
	}
}

func TestOnlyTrustedPeersAreBelieved(t *testing.T) {
	gateway := netip.MustParsePrefix("10.1.0.0/16")
	sixth := netip.MustParsePrefix("fd00::/8")
	for _, row := range []struct {
		name     string
		peers    []netip.Prefix
		from     net.Addr
		believed bool
	}{
		{"this machine, by default", nil, loopback, true},
		{"this machine over IPv6", nil, &net.TCPAddr{IP: net.IPv6loopback}, true},
		{"a socket of this machine", nil, &net.UnixAddr{Name: "@", Net: "unix"}, true},
		{"another machine", nil, &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3)}, false},
		{"the gateway", []netip.Prefix{sixth, gateway}, &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3)}, true},
		{"the gateway, mapped into IPv6", []netip.Prefix{gateway}, &net.TCPAddr{IP: net.ParseIP("::ffff:10.1.2.3")}, true},
		{"the gateway over IPv6", []netip.Prefix{sixth, gateway}, &net.TCPAddr{IP: net.ParseIP("fd00::1")}, true},
		{"this machine, when only the gateway is named", []netip.Prefix{gateway}, loopback, false},
		{"a stranger beside the gateway", []netip.Prefix{gateway}, &net.TCPAddr{IP: net.IPv4(10, 2, 2, 3)}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := newGame(t, func(s *settings) { s.TrustedPeers = row.peers })
			v1 := g.askFrom(row.from, "GET /v1/wallet", "", "X-Player-Id: 7", "X-Forwarded-For: 127.0.0.1")
			camp := g.askFrom(row.from, "POST /get_wallet_list", "uid=7")
			if believed := v1.status == 200; believed != row.believed {
				t.Errorf("/v1 said %d %s", v1.status, v1.body)
			}
			if believed := strings.HasPrefix(camp.body, `{"code":0,`); believed != row.believed || !believed && camp.status != 401 {
				t.Errorf("the camp API said %d %s", camp.status, camp.body)
			}
		})
	}
}

func TestCampUIDAgainstPlayerHeader(t *testing.T) {
	g := newGame(t)
	for _, row := range []struct {
		name, body string
		headers    []string
		status     int
		want       string
		detail     string
	}{
		{"the body alone", `{"uid":7}`, nil, 200, `{"code":5,"msg":"not open"}`, ""},
		{"both alike", `{"uid":7}`, []string{"X-Player-Id: 7"}, 200, `{"code":5,"msg":"not open"}`, ""},
		{"another", `{"uid":7}`, []string{"X-Player-Id: 8"}, 401, `{"code":11,"msg":"unauthorised"}`, "uid is another player's"},
		{"malformed", `{"uid":7}`, []string{"X-Player-Id: x"}, 401,
			`{"code":11,"msg":"unauthorised"}`, "X-Player-Id must be one whole number from 0 to 9007199254740991"},
		{"the header alone", `{}`, []string{"X-Player-Id: 7"}, 400,
			`{"code":1,"msg":"invalid request"}`, `uid: "" is not allowed: must be given`},
	} {
		t.Run(row.name, func(t *testing.T) {
			expectDetail(t, g.ask("POST /snatch", row.body, row.headers...), row.status, row.want, row.detail)
		})
	}
}

func TestCheckListen(t *testing.T) {
	peers := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, row := range []struct {
		name  string
		auth  Auth
		addr  string
		peers []netip.Prefix
		ok    bool
	}{
		{"loopback", AuthTrusted, "127.0.0.1:8080", nil, true},
		{"another loopback", "", "127.9.9.9:8080", nil, true},
		{"loopback over IPv6", AuthTrusted, "[::1]:8080", nil, true},
		{"localhost", AuthTrusted, "localhost:8080", nil, true},
		{"every address", AuthTrusted, ":8080", nil, false},
		{"every address, by its number", AuthTrusted, "0.0.0.0:8080", nil, false},
		{"every address over IPv6", AuthTrusted, "[::]:8080", nil, false},
		{"a name", AuthTrusted, "example.com:8080", nil, false},
		{"every address, with a gateway named", AuthTrusted, ":8080", peers, true},
		{"every address, with tokens", AuthJWT, ":8080", nil, true},
		{"no port", AuthJWT, "127.0.0.1", nil, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := CheckListen(row.auth, row.addr, row.peers)
			if (err == nil) != row.ok {
				t.Errorf("%s: %v", row.addr, err)
			}
			if err != nil && !strings.Contains(err.Error(), "player.listen") {
				t.Errorf("the error does not name the setting: %v", err)
			}
		})
	}
}
