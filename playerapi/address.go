package playerapi

import (
	"bytes"
	"net"
	"net/netip"
	"strconv"
	"unsafe"

	"github.com/valyala/fasthttp"
)

// proxies are the networks of the proxies in front. What they say of a request's origin is believed, and nobody else's
// word is.
type proxies []netip.Prefix

// hopsMax bounds how far X-Forwarded-For is followed. Players write to it what they like; proxies in a row are few.
const hopsMax = 32

// address is where a request comes from: the peer, or, where that is a proxy, the last address in X-Forwarded-For
// that is no proxy. What stands left of it was there when the request reached the outermost proxy, and may be a lie.
func (s *Server) address(ctx *fasthttp.RequestCtx) netip.Addr { return s.proxies.address(ctx) }

func (p proxies) address(ctx *fasthttp.RequestCtx) netip.Addr {
	from := peer(ctx)
	if !p.has(from) {
		return from
	}
	lines := ctx.Request.Header.PeekAll("X-Forwarded-For")
	hops := hopsMax
	for i := len(lines) - 1; i >= 0; i-- {
		for rest, more := lines[i], true; more; hops-- {
			var hop []byte
			rest, hop, more = cutHop(rest)
			address, ok := parseHop(hop)
			if !ok || hops == 0 {
				// The last proxy took this from whom it does not tell. To look further left would be to take the word
				// of a stranger; the proxy that wrote it down, or passed it on, answers for it.
				return from
			}
			if from = address; !p.has(from) {
				return from
			}
		}
	}
	return from
}

func (p proxies) has(address netip.Addr) bool {
	for _, network := range p {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// cutHop takes the last element off a list.
func cutHop(list []byte) (rest, hop []byte, more bool) {
	comma := bytes.LastIndexByte(list, ',')
	if comma >= 0 {
		rest = list[:comma]
	}
	return rest, bytes.Trim(list[comma+1:], " \t"), comma >= 0
}

// parseHop reads an address as proxies write it: bare, in brackets, with a port.
func parseHop(text []byte) (netip.Addr, bool) {
	host, port := text, []byte(nil)
	if colon := bytes.IndexByte(text, ':'); len(text) > 0 && text[0] == '[' {
		end := bytes.IndexByte(text, ']')
		if end < 0 {
			return netip.Addr{}, false
		}
		host, port = text[1:end], text[end+1:]
	} else if colon >= 0 && colon == bytes.LastIndexByte(text, ':') {
		host, port = text[:colon], text[colon:]
	}
	host, _, _ = bytes.Cut(host, []byte("%")) // a zone means something on the proxy alone
	// The text is read where it lies. It is not kept: an address without a zone is made of numbers.
	address, err := netip.ParseAddr(unsafe.String(unsafe.SliceData(host), len(host)))
	return address.Unmap(), err == nil && isPort(port)
}

// isPort reports whether text is what may follow a host: nothing, or ":443".
func isPort(text []byte) bool {
	if len(text) == 0 {
		return true
	}
	_, err := strconv.ParseUint(string(text[1:]), 10, 16)
	return text[0] == ':' && err == nil
}

// peer is the other end of the connection. One that is not TCP begins on this machine.
func peer(ctx *fasthttp.RequestCtx) netip.Addr {
	if tcp, ok := ctx.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}
