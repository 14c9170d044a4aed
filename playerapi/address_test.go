package playerapi

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// peerOf is the other end of a connection from an address.
func peerOf(address string) net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(address), 50000))
}

// forwarded is a request from a peer with lines of X-Forwarded-For.
func forwarded(from net.Addr, lines ...string) *fasthttp.RequestCtx {
	var r fasthttp.Request
	for _, line := range lines {
		r.Header.Add("X-Forwarded-For", line)
	}
	ctx := &fasthttp.RequestCtx{}
	ctx.Init(&r, from, nil)
	return ctx
}

func networks(texts ...string) (all proxies) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

func TestAddress(t *testing.T) {
	const proxy = "10.0.0.1"
	inFront := networks("10.0.0.0/8", "fd00::/8")
	for _, row := range []struct {
		name    string
		proxies proxies
		peer    string
		lines   []string
		want    string
	}{
		{"a player", inFront, "192.0.2.7", nil, "192.0.2.7"},
		{"a player who says what he is not", inFront, "192.0.2.7", []string{"198.51.100.1"}, "192.0.2.7"},
		{"a player who says that a proxy sent him", inFront, "192.0.2.7", []string{"198.51.100.1, 10.0.0.1"}, "192.0.2.7"},
		{"this machine, where no proxy is named", nil, "127.0.0.1", []string{"198.51.100.1"}, "127.0.0.1"},
		{"this machine, where others are named", inFront, "127.0.0.1", []string{"198.51.100.1"}, "127.0.0.1"},
		{"a proxy that says nothing", inFront, proxy, nil, proxy},
		{"a player behind a proxy", inFront, proxy, []string{"192.0.2.7"}, "192.0.2.7"},
		{"with a lie in front", inFront, proxy, []string{"198.51.100.1, 192.0.2.7"}, "192.0.2.7"},
		{"with a lie in a line of its own", inFront, proxy, []string{"198.51.100.1", "192.0.2.7"}, "192.0.2.7"},
		{"with a proxy's address as the lie", inFront, proxy, []string{"10.9.9.9, 192.0.2.7"}, "192.0.2.7"},
		{"with nonsense in front", inFront, proxy, []string{"<script>, ,, 192.0.2.7"}, "192.0.2.7"},
		{"behind two proxies", inFront, proxy, []string{"198.51.100.1, 192.0.2.7, 10.0.0.2"}, "192.0.2.7"},
		{"behind three, in lines", inFront, proxy, []string{"198.51.100.1", "192.0.2.7,10.0.0.3", "fd00::2"}, "192.0.2.7"},
		{"without blanks", inFront, proxy, []string{"198.51.100.1,192.0.2.7,10.0.0.2"}, "192.0.2.7"},
		{"with many blanks", inFront, proxy, []string{" \t 192.0.2.7 \t , \t10.0.0.2 "}, "192.0.2.7"},
		{"proxies alone", inFront, proxy, []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"with a port", inFront, proxy, []string{"192.0.2.7:567"}, "192.0.2.7"},
		{"behind a proxy with a port", inFront, proxy, []string{"192.0.2.7, 10.0.0.2:80"}, "192.0.2.7"},
		{"IPv6", inFront, proxy, []string{"2001:db8::1"}, "2001:db8::1"},
		{"IPv6 in brackets", inFront, proxy, []string{"[2001:db8::1]"}, "2001:db8::1"},
		{"IPv6 with a port", inFront, proxy, []string{"[2001:db8::1]:443"}, "2001:db8::1"},
		{"IPv6 with a zone", inFront, proxy, []string{"fe80::1%eth0"}, "fe80::1"},
		{"IPv6 with a zone and a port", inFront, proxy, []string{"[fe80::1%eth0]:443"}, "fe80::1"},
		{"a peer with a zone", nil, "fe80::1%eth0", nil, "fe80::1"},
		{"IPv4 in IPv6", inFront, proxy, []string{"::ffff:192.0.2.7"}, "192.0.2.7"},
		{"a proxy's IPv4 in IPv6", inFront, "::ffff:10.0.0.1", []string{"192.0.2.7, [::ffff:10.0.0.2]:80"}, "192.0.2.7"},
		{"not an address", inFront, proxy, []string{"198.51.100.1, unknown"}, proxy},
		{"not an address before a proxy", inFront, proxy, []string{"198.51.100.1, _hidden, 10.0.0.2"}, "10.0.0.2"},
		{"an empty element", inFront, proxy, []string{"198.51.100.1, , 10.0.0.2"}, "10.0.0.2"},
		{"an empty line", inFront, proxy, []string{"198.51.100.1", ""}, proxy},
		{"a name", inFront, proxy, []string{"localhost"}, proxy},
		{"half an address", inFront, proxy, []string{"192.0.2"}, proxy},
		{"a port that is none", inFront, proxy, []string{"192.0.2.7:"}, proxy},
		{"a port too large", inFront, proxy, []string{"192.0.2.7:65536"}, proxy},
		{"text behind brackets", inFront, proxy, []string{"[2001:db8::1]443"}, proxy},
		{"brackets left open", inFront, proxy, []string{"[2001:db8::1"}, proxy},
		{"as many hops as are looked at", inFront, proxy, []string{"192.0.2.7" + strings.Repeat(",10.0.0.2", hopsMax-1)}, "192.0.2.7"},
		{"a hop more", inFront, proxy, []string{"192.0.2.7" + strings.Repeat(",10.0.0.2", hopsMax)}, "10.0.0.2"},
	} {
		t.Run(row.name, func(t *testing.T) {
			for name, mode := range map[string]func(*Options){
				"trusted": func(o *Options) { o.Auth = AuthTrusted },
				"jwt":     func(o *Options) {},
			} {
				s := serverBehind(t, row.proxies, mode)
				if got := s.address(forwarded(peerOf(row.peer), row.lines...)); got.String() != row.want {
					t.Errorf("%s: %s, want %s", name, got, row.want)
				}
			}
		})
	}
}

func serverBehind(t *testing.T, p proxies, mode func(*Options)) *Server {
	t.Helper()
	o := Options{Auth: AuthJWT, JWT: JWTOptions{Keys: [][]byte{secret}}, TrustedPeers: p}
	mode(&o)
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAddressOfASocket(t *testing.T) {
	ctx := forwarded(&net.UnixAddr{Name: "@", Net: "unix"}, "192.0.2.7")
	if got := networks("127.0.0.1/32").address(ctx); got.String() != "192.0.2.7" {
		t.Errorf("behind a proxy of this machine: %s", got)
	}
	if got := proxies(nil).address(ctx); got.String() != "127.0.0.1" {
		t.Errorf("with no proxy named: %s", got)
	}
}

// What a player writes into X-Forwarded-For stands left of what proxies add, and never changes where he is.
func FuzzAddress(f *testing.F) {
	f.Add("198.51.100.1", "192.0.2.7, 10.0.0.2")
	f.Add("10.0.0.9, [::1]:1", "[2001:db8::1]:443")
	f.Add("", "fe80::1%eth0, ::ffff:10.0.0.1")
	f.Add("127.0.0.1", "192.0.2.7"+strings.Repeat(",10.0.0.2", hopsMax))
	inFront := networks("10.0.0.0/8", "fd00::/8")
	f.Fuzz(func(t *testing.T, lie, written string) {
		proxy, player := peerOf("10.0.0.1"), peerOf("192.0.2.7")
		if got := inFront.address(forwarded(player, lie, written)); got.String() != "192.0.2.7" {
			t.Errorf("a player is believed to be %s", got)
		}
		got := inFront.address(forwarded(proxy, written))
		if !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Errorf("%v is no address", got)
		}
		if inFront.has(got) {
			return // no player is named
		}
		for _, lines := range [][]string{{lie, written}, {lie + "," + written}} {
			if lied := inFront.address(forwarded(proxy, lines...)); lied != got {
				t.Errorf("with %q in front %s becomes %s", lie, got, lied)
			}
		}
	})
}

// BenchmarkAddress is where a request comes from, for each request that is let in.
func BenchmarkAddress(b *testing.B) {
	inFront := networks("10.0.0.0/8", "fd00::/8")
	for _, row := range []struct {
		name string
		ctx  *fasthttp.RequestCtx
	}{
		{"peer", forwarded(peerOf("192.0.2.7"))},
		{"proxy", forwarded(peerOf("10.0.0.1"), "198.51.100.1, 192.0.2.7, 10.0.0.2")},
		{"proxy_ipv6", forwarded(peerOf("10.0.0.1"), "[2001:db8:1234:5678::1]:443")},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				inFront.address(row.ctx)
			}
		})
	}
}
