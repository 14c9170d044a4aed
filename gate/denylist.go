package gate

import (
	"net/netip"
	"strconv"

	"hongbao"
)

// deniedMax is how many entries a denylist may have. It is journaled whole with each change, and the longest of so many must
// fit into an event of either engine: 256 KiB.
const deniedMax = 5000

// denylist is who may not play. Networks are found by their length first, of which there are few.
type denylist struct {
	players  map[uint64]bool
	networks map[netip.Prefix]bool
	lengths  []int // of the networks, each once; those of IPv6 are negative
}

// parseDenylist reads entries, each a uid in digits, an address or a network.
func parseDenylist(entries []string) (*denylist, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	if len(entries) > deniedMax {
		return nil, hongbao.Invalid("denylist", strconv.Itoa(len(entries))+" entries", "at most 5000 entries")
	}
	d := &denylist{players: map[uint64]bool{}, networks: map[netip.Prefix]bool{}}
	for i, entry := range entries {
		if err := d.add(entry); err != nil {
			return nil, hongbao.Invalid("denylist["+strconv.Itoa(i)+"]", entry, "a uid from 0 to 9007199254740991, an address, or a network such as 203.0.113.0/24")
		}
	}
	return d, nil
}

func (d *denylist) add(entry string) error {
	if uid, err := strconv.ParseUint(entry, 10, 64); err == nil && uid <= hongbao.UIDMax {
		d.players[uid] = true
		return nil
	}
	network, err := parseNetwork(entry)
	if err != nil {
		return err
	}
	if length := lengthOf(network); !d.networks[network] {
		d.networks[network] = true
		d.lengths = appendNew(d.lengths, length)
	}
	return nil
}

// mappedBits is how long the prefix of ::ffff:0:0/96 is, under which IPv6 has the addresses of IPv4.
const mappedBits = 96

// parseNetwork reads a network, or an address as one of its own, in the form in which requests have theirs: IPv4 where it
// can be. A zone means something on one machine alone and is refused.
func parseNetwork(entry string) (netip.Prefix, error) {
	network, err := netip.ParsePrefix(entry)
	if address, bare := netip.ParseAddr(entry); bare == nil && address.Zone() == "" {
		network, err = netip.PrefixFrom(address, address.BitLen()), nil
	}
	if network.Addr().Is4In6() && network.Bits() >= mappedBits {
		network = netip.PrefixFrom(network.Addr().Unmap(), network.Bits()-mappedBits)
	}
	return network.Masked(), err
}

func lengthOf(network netip.Prefix) int {
	if network.Addr().Is4() {
		return network.Bits()
	}
	return -1 - network.Bits()
}

func appendNew(lengths []int, length int) []int {
	for _, known := range lengths {
		if known == length {
			return lengths
		}
	}
	return append(lengths, length)
}

// denies reports whether the player, or whoever plays from the address, may not play. The nil list denies nobody.
func (d *denylist) denies(uid uint64, address netip.Addr) bool {
	return d != nil && (d.players[uid] || d.deniesAddress(address))
}

func (d *denylist) deniesAddress(address netip.Addr) bool {
	for _, length := range d.lengths {
		bits := length
		if length < 0 {
			bits = -1 - length
		}
		if address.Is4() != (length >= 0) {
			continue
		}
		if network, err := address.Prefix(bits); err == nil && d.networks[network] {
			return true
		}
	}
	return false
}
