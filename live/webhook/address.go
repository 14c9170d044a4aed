package webhook

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"
)

// guard refuses to connect to addresses that are not on the public Internet, beside those that the configuration allows.
// It is asked about the address that is being dialled, after names were resolved, so that no answer of a name server gets
// past it.
type guard struct{ allowed []netip.Prefix }

// control is a [net.Dialer.Control].
func (g guard) control(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s is no address that may be dialled", address)
	}
	return g.check(target.Addr())
}

func (g guard) check(address netip.Addr) error {
	address = address.Unmap().WithZone("")
	in := func(p netip.Prefix) bool { return p.Contains(address) }
	if slices.ContainsFunc(g.allowed, in) {
		return nil
	}
	if !address.IsGlobalUnicast() || slices.ContainsFunc(special, in) {
		return fmt.Errorf("the address %s is not public, and not in webhook.private_networks", address)
	}
	return nil
}

// special are the networks that are no place for a webhook, after the IANA special-purpose registries: private, shared and
// local ones, those for tests and documentation, and those that carry an IPv4 address inside, which may be any of these.
var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"168.63.129.16/32", // a cloud's own, for its virtual machines
	"::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16",
	"3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}
