package playerapi

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/valyala/fasthttp"

	"hongbao"
)

// Auth says how the server learns who plays.
type Auth string

const (
	// AuthTrusted takes X-Player-Id from a gateway in front, and the camp API's uid from the body.
	AuthTrusted Auth = "trusted"
	// AuthJWT takes the subject of a signed token.
	AuthJWT Auth = "jwt"
)

// identity finds out who asks. Given is false when the request does not say; the error is a refusal.
type identity interface {
	player(ctx *fasthttp.RequestCtx) (uid uint64, given bool, err error)
	// challenge tells a 401 how to authenticate.
	challenge(ctx *fasthttp.RequestCtx)
}

func newIdentity(o *Options) (identity, error) {
	switch o.Auth {
	case "":
		o.Auth = AuthTrusted
		fallthrough
	case AuthTrusted:
		return trusted{o.TrustedPeers}, nil
	case AuthJWT:
		return newTokens(o)
	}
	return nil, hongbao.Invalid("player.auth", o.Auth, "one of trusted jwt")
}

// player is who plays on /v1, where every request must say it.
func (s *Server) player(ctx *fasthttp.RequestCtx) (uint64, error) {
	uid, given, err := s.identity.player(ctx)
	if err == nil && !given {
		err = unauthorisedBecause("the header X-Player-Id is missing")
	}
	return uid, err
}

func unauthorisedBecause(detail string) refusal {
	return refusal{problem: &unauthorised, detail: detail}
}

// trusted believes the gateways of these networks; without any, whoever is on this machine.
type trusted struct{ peers proxies }

// player reads X-Player-Id. Two of them could be a player's own beside the gateway's, and neither is believed.
func (t trusted) player(ctx *fasthttp.RequestCtx) (uid uint64, given bool, err error) {
	if from := peer(ctx); !t.believes(from) {
		return 0, false, unauthorisedBecause("players are not believed from " + from.String())
	}
	values := ctx.Request.Header.PeekAll("X-Player-Id")
	if len(values) == 0 {
		return 0, false, nil
	}
	uid, ok := parseDigits(values[0], hongbao.UIDMax)
	if !ok || len(values) > 1 {
		return 0, true, unauthorisedBecause("X-Player-Id must be one whole number from 0 to 9007199254740991")
	}
	return uid, true, nil
}

func (trusted) challenge(*fasthttp.RequestCtx) {}

func (t trusted) believes(from netip.Addr) bool {
	if len(t.peers) == 0 {
		return from.IsLoopback()
	}
	return t.peers.has(from)
}

// CheckListen refuses to listen beyond loopback where whoever connects would be believed: under [AuthTrusted] (or the
// empty Auth) without trusted peers. Addr is host:port as for [net.Listen].
func CheckListen(auth Auth, addr string, peers []netip.Prefix) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return hongbao.Invalid("player.listen", addr, "host:port, such as 127.0.0.1:8080")
	}
	if auth == AuthJWT || len(peers) > 0 || host == "localhost" {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Unmap().IsLoopback() {
		return nil
	}
	return fmt.Errorf("%w; to listen beyond this machine, name the gateways in front in player.trusted_peers "+
		"(such as 10.0.0.0/8), or set player.auth to jwt",
		hongbao.Invalid("player.listen", addr, "a loopback address while player.auth is trusted and player.trusted_peers is empty"))
}
