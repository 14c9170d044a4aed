package gate

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestDenylistKnowsPlayersAddressesAndNetworks(t *testing.T) {
	d, err := parseDenylist([]string{"7", "203.0.113.9", "198.51.100.0/24", "2001:db8:1::/48", "2001:db8:2::5", "::ffff:192.0.2.1", "::ffff:192.0.3.0/120"})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		uid     uint64
		address string
		denied  bool
	}{
		{7, "192.0.2.7", true},
		{8, "192.0.2.7", false},
		{8, "203.0.113.9", true},
		{8, "203.0.113.8", false},
		{8, "198.51.100.255", true},
		{8, "198.51.101.0", false},
		{8, "2001:db8:1:ffff::1", true},
		{8, "2001:db8:2::5", true},
		{8, "2001:db8:2::6", false},
		{8, "192.0.2.1", true},
		{8, "192.0.3.255", true},
		{8, "192.0.4.0", false},
	} {
		if got := d.denies(row.uid, netip.MustParseAddr(row.address)); got != row.denied {
			t.Errorf("player %d at %s is denied: %v", row.uid, row.address, got)
		}
	}
}

func TestDenylistNamesTheEntryThatIsNone(t *testing.T) {
	for _, entry := range []string{"", "x", "-1", "9007199254740992", "203.0.113.0/33", "1.2.3", "fe80::1%eth0"} {
		_, err := parseDenylist([]string{"7", entry})
		if field := fieldOf(err); field != "denylist[1]" {
			t.Errorf("%q: the error is about %q: %v", entry, field, err)
		}
	}
	if _, err := parseDenylist(strings.Split(strings.Repeat("7 ", deniedMax)+"7", " ")); fieldOf(err) != "denylist" {
		t.Errorf("more entries than are kept: %v", err)
	}
}

// 256 KiB are what a system event may have in either engine; name and actor are among them.
func TestTheLongestDenylistFitsIntoAnEvent(t *testing.T) {
	longest := []string{strings.Repeat("0000:", 6) + "255.255.255.255/128"}
	if _, err := parseDenylist(longest); err != nil {
		t.Fatal(err)
	}
	denied := slices.Repeat(longest, deniedMax)
	rate := &Rate{Rate: 1234567.12345678, Burst: 10_000_000}
	data, err := json.Marshal(recorded{Revision: 1 << 63, Global: rate, Player: rate, Address: rate, Denylist: &denied, ReadOnly: new(bool)})
	if err != nil || len(data) > 256<<10-512 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}

func TestAnEmptyDenylistDeniesNobody(t *testing.T) {
	if d, err := parseDenylist(nil); err != nil || d.denies(7, netip.MustParseAddr("203.0.113.9")) {
		t.Errorf("%v", err)
	}
}
