package gate

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hongbao"
)

const (
	someTime     = hongbao.Time(1_801_828_800_123)
	lastCampaign = uint32(hongbao.CampaignMax)
	lastUID      = uint64(hongbao.UIDMax)
)

var (
	oldKey = []byte("an old key of 23 bytes.")
	newKey = []byte("a new key, of 24 bytes..")
)

// countingSecret is 00 01 02 … 1f, so that the vectors below can be recomputed by hand.
func countingSecret() (s hongbao.Secret) {
	for i := range s {
		s[i] = byte(i)
	}
	return s
}

func makeTickets(t testing.TB, o TicketOptions) *tickets {
	t.Helper()
	made, err := newTickets(o, countingSecret())
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// header is what an honest client sends.
func header(ticket Ticket) []byte {
	if ticket.Bits == 0 {
		return []byte(ticket.Text)
	}
	return []byte(ticket.Text + "." + SolveWork(ticket.Salt, ticket.Bits))
}

func TestTicketIsPinned(t *testing.T) {
	const want = "AQwBo4VegNuyMdz8aF7Vs-z3ZIU5Io-UpBGJM1YR"
	ticket := makeTickets(t, TicketOptions{PowBits: 12}).issue(lastCampaign, lastUID, someTime)
	if ticket.Text != want {
		t.Errorf("the ticket is %s, must stay %s", ticket.Text, want)
	}
	if ticket.Salt != want[16:] || ticket.Bits != 12 || ticket.ExpiresAt != someTime+60_000 {
		t.Errorf("with it come salt %s, %d bits, expiry %s", ticket.Salt, ticket.Bits, ticket.ExpiresAt)
	}
}

// So that a server's own secret, once configured as a key, admits the tickets made before.
func TestConfiguredKeyStandsWhereTheSecretDoes(t *testing.T) {
	secret := countingSecret()
	derived, configured := makeTickets(t, TicketOptions{}), makeTickets(t, TicketOptions{Keys: [][]byte{secret[:]}})
	if want, got := derived.issue(7, 8, someTime), configured.issue(7, 8, someTime); got != want {
		t.Errorf("with the secret for a key the ticket is %v, without a key %v", got, want)
	}
}

func TestTicketAdmitsItsPlayerToItsCampaignAnyNumberOfTimes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		issuer := makeTickets(t, TicketOptions{PowBits: rapid.IntRange(0, 8).Draw(rt, "bits")})
		campaign := rapid.Uint32Range(1, lastCampaign).Draw(rt, "campaign")
		uid := rapid.Uint64Range(0, lastUID).Draw(rt, "uid")
		now := hongbao.Time(rapid.Int64Range(1, 4_000_000_000_000).Draw(rt, "now"))
		sent := header(issuer.issue(campaign, uid, now))
		for range 3 {
			if err := issuer.check(sent, campaign, uid, now); err != nil {
				rt.Errorf("%s: %v", sent, err)
			}
		}
	})
}

func TestTicketIsOfOnePlayerAndCampaign(t *testing.T) {
	issuer := makeTickets(t, TicketOptions{})
	sent := header(issuer.issue(7, 8, someTime))
	cases := []struct {
		name     string
		campaign uint32
		uid      uint64
		want     error
	}{
		{"its own", 7, 8, nil},
		{"another player", 7, 9, ticketForeign},
		{"another campaign", 8, 8, ticketForeign},
		{"campaign and player exchanged", 8, 7, ticketForeign},
		{"player 0", 7, 0, ticketForeign},
		{"the last of both", lastCampaign, lastUID, ticketForeign},
	}
	for _, c := range cases {
		if err := issuer.check(sent, c.campaign, c.uid, someTime); err != c.want {
			t.Errorf("a ticket used for %s: %v, must be %v", c.name, err, c.want)
		}
	}
}

func TestTicketIsAdmittedUntilASecondAfterItsEnd(t *testing.T) {
	issuer := makeTickets(t, TicketOptions{Lifetime: 5 * time.Second})
	ticket := issuer.issue(7, 8, someTime)
	if ticket.ExpiresAt != someTime+5000 {
		t.Errorf("it expires at %s", ticket.ExpiresAt)
	}
	cases := []struct {
		at   hongbao.Time
		want error
	}{
		{someTime - 3000, nil}, // a node whose clock is behind
		{someTime, nil},
		{ticket.ExpiresAt, nil},
		{ticket.ExpiresAt + 999, nil},
		{ticket.ExpiresAt + 1000, ticketExpired},
		{ticket.ExpiresAt + 1_000_000, ticketExpired},
	}
	for _, c := range cases {
		if err := issuer.check(header(ticket), 7, 8, c.at); err != c.want {
			t.Errorf("%d ms after its end: %v, must be %v", c.at-ticket.ExpiresAt, err, c.want)
		}
	}
}

func TestTicketKeysRotate(t *testing.T) {
	servers := map[string]*tickets{
		"none":     makeTickets(t, TicketOptions{}),
		"old":      makeTickets(t, TicketOptions{Keys: [][]byte{oldKey}}),
		"old, new": makeTickets(t, TicketOptions{Keys: [][]byte{oldKey, newKey}}),
		"new, old": makeTickets(t, TicketOptions{Keys: [][]byte{newKey, oldKey}}),
		"new":      makeTickets(t, TicketOptions{Keys: [][]byte{newKey}}),
	}
	cases := []struct{ issuer, admits, refuses string }{
		{"none", "none", "old|old, new|new, old|new"},
		{"old", "old|old, new|new, old", "none|new"},
		{"old, new", "old|old, new|new, old", "none|new"},
		{"new, old", "new|old, new|new, old", "none|old"},
		{"new", "new|old, new|new, old", "none|old"},
	}
	for _, c := range cases {
		sent := header(servers[c.issuer].issue(7, 8, someTime))
		for name := range strings.SplitSeq(c.admits, "|") {
			if err := servers[name].check(sent, 7, 8, someTime); err != nil {
				t.Errorf("a ticket of keys (%s) on a server with (%s): %v", c.issuer, name, err)
			}
		}
		for name := range strings.SplitSeq(c.refuses, "|") {
			if err := servers[name].check(sent, 7, 8, someTime); err != ticketUnknownKey {
				t.Errorf("a ticket of keys (%s) on a server with (%s): %v", c.issuer, name, err)
			}
		}
	}
}

func TestTicketIsAdmittedByEveryNodeOfOneSecret(t *testing.T) {
	sent := header(makeTickets(t, TicketOptions{PowBits: 6}).issue(lastCampaign, lastUID, someTime))
	if err := makeTickets(t, TicketOptions{}).check(sent, lastCampaign, lastUID, someTime); err != nil {
		t.Errorf("a node of the same secret, that asks no work itself: %v", err)
	}
	stranger, err := newTickets(TicketOptions{}, hongbao.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	if err := stranger.check(sent, lastCampaign, lastUID, someTime); err != ticketUnknownKey {
		t.Errorf("a node of another secret: %v", err)
	}
}

func TestTicketWithOneByteChangedIsRefused(t *testing.T) {
	issuer := makeTickets(t, TicketOptions{Keys: [][]byte{newKey, oldKey}})
	sent := header(issuer.issue(7, 8, someTime))
	for at, was := range sent {
		for change := range 256 {
			if byte(change) == was {
				continue
			}
			sent[at] = byte(change)
			if err := issuer.check(sent, 7, 8, someTime); !errors.Is(err, hongbao.ErrTicketInvalid) {
				t.Errorf("%q admitted: %v", sent, err)
			}
		}
		sent[at] = was
	}
}

func TestTicketOfAnotherLengthIsRefused(t *testing.T) {
	issuer := makeTickets(t, TicketOptions{})
	sent := header(issuer.issue(7, 8, someTime))
	for length := 1; length < len(sent); length++ {
		if err := issuer.check(sent[:length], 7, 8, someTime); err != ticketMalformed {
			t.Errorf("cut to %d bytes: %v", length, err)
		}
	}
	for _, more := range []string{"A", "=", "\n", " ", strings.Repeat("A", 4000)} {
		for _, text := range []string{string(sent) + more, more + string(sent)} {
			if err := issuer.check([]byte(text), 7, 8, someTime); err != ticketMalformed {
				t.Errorf("with %.5q added: %v", more, err)
			}
		}
	}
	for _, empty := range [][]byte{nil, {}} {
		if err := issuer.check(empty, 7, 8, someTime); err != hongbao.ErrTicketRequired {
			t.Errorf("no ticket: %v", err)
		}
	}
}

// A client cannot owe less, later or to another key than the ticket says.
func TestTicketHeadIsSigned(t *testing.T) {
	issuer := makeTickets(t, TicketOptions{PowBits: 20, Keys: [][]byte{newKey, oldKey}})
	ticket := issuer.issue(7, 8, someTime)
	cases := []struct {
		name   string
		change func(raw []byte)
	}{
		{"no work", func(raw []byte) { raw[1] = 0 }},
		{"a bit less work", func(raw []byte) { raw[1]-- }},
		{"more work", func(raw []byte) { raw[1] = 255 }},
		{"a later end", func(raw []byte) { raw[7]++ }},
		{"no end", func(raw []byte) { copy(raw[2:8], "\xff\xff\xff\xff\xff\xff") }},
		{"the other key", func(raw []byte) { binary.BigEndian.PutUint32(raw[8:], issuer.keys[1].id) }},
	}
	for _, c := range cases {
		raw, err := base64.RawURLEncoding.DecodeString(ticket.Text)
		if err != nil {
			t.Fatal(err)
		}
		c.change(raw)
		text := base64.RawURLEncoding.EncodeToString(raw)
		for _, sent := range []string{text, text + "." + SolveWork(ticket.Salt, 8)} {
			if err := issuer.check([]byte(sent), 7, 8, someTime); err != ticketForeign {
				t.Errorf("a ticket that says %s: %v", c.name, err)
			}
		}
	}
}

func TestTicketOfAnotherVersionIsRefused(t *testing.T) {
	issuer := makeTickets(t, TicketOptions{})
	raw, err := base64.RawURLEncoding.DecodeString(issuer.issue(7, 8, someTime).Text)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []byte{0, 2, 255} {
		raw[0] = version
		mac := issuer.keys[0].sign([ticketHeadBytes]byte(raw), 7, 8)
		text := base64.RawURLEncoding.EncodeToString(append(raw[:ticketHeadBytes], mac[:]...))
		if err := issuer.check([]byte(text), 7, 8, someTime); err != ticketMalformed {
			t.Errorf("a ticket of version %d, signed: %v", version, err)
		}
	}
}

func TestTicketAsksItsWork(t *testing.T) {
	issuer := makeTickets(t, TicketOptions{PowBits: 12})
	ticket := issuer.issue(7, 8, someTime)
	nonce := SolveWork(ticket.Salt, 12)
	other := SolveWork(issuer.issue(7, 8, someTime+1).Salt, 12)
	cases := []struct {
		name, sent string
		want       error
	}{
		{"done", "." + nonce, nil},
		{"missing", "", ticketNoWork},
		{"empty", ".", ticketBadNonce},
		{"another number", "." + nonce + "0", ticketWrongWork},
		{"that of the player's ticket a millisecond later", "." + other, ticketWrongWork},
		{"too long", "." + strings.Repeat("0", 33), ticketBadNonce},
		{"the longest", "." + strings.Repeat("0", 32), ticketWrongWork},
		{"with a dot", "." + nonce + ".", ticketBadNonce},
		{"with a space", ". " + nonce, ticketBadNonce},
		{"with a control character", "." + nonce + "\x7f", ticketBadNonce},
		{"with a letter beyond ASCII", "." + nonce + "é", ticketBadNonce},
	}
	for _, c := range cases {
		if err := issuer.check([]byte(ticket.Text+c.sent), 7, 8, someTime); err != c.want {
			t.Errorf("work %s: %v, must be %v", c.name, err, c.want)
		}
	}
}

func TestTicketThatOwesNoWorkLetsANoncePass(t *testing.T) {
	issuer := makeTickets(t, TicketOptions{})
	ticket := issuer.issue(7, 8, someTime)
	if err := issuer.check([]byte(ticket.Text+"."+SolveWork(ticket.Salt, 0)), 7, 8, someTime); err != nil {
		t.Error(err)
	}
	if err := issuer.check([]byte(ticket.Text+". "), 7, 8, someTime); err != ticketBadNonce {
		t.Errorf("what is no nonce: %v", err)
	}
}

func TestChangedWorkLeavesTicketsThatAreOut(t *testing.T) {
	was, is := makeTickets(t, TicketOptions{PowBits: 4}), makeTickets(t, TicketOptions{PowBits: 10})
	for _, ticket := range []Ticket{was.issue(7, 8, someTime), is.issue(7, 8, someTime)} {
		for _, server := range []*tickets{was, is} {
			if err := server.check(header(ticket), 7, 8, someTime); err != nil {
				t.Errorf("a ticket of %d bits: %v", ticket.Bits, err)
			}
		}
	}
}

func TestTicketsHaveSaltsOfTheirOwn(t *testing.T) {
	salts := map[string]string{}
	for _, keys := range [][][]byte{nil, {oldKey}} {
		for _, bits := range []int{0, 1} {
			issuer := makeTickets(t, TicketOptions{Keys: keys, PowBits: bits})
			for _, campaign := range []uint32{1, 2, lastCampaign} {
				for _, uid := range []uint64{0, 1, 2, lastUID} {
					for _, at := range []hongbao.Time{someTime, someTime + 1, someTime + 1000} {
						name := fmt.Sprintf("%d keys, %d bits, campaign %d, uid %d, at %s", len(keys), bits, campaign, uid, at)
						salt := issuer.issue(campaign, uid, at).Salt
						if other, taken := salts[salt]; taken {
							t.Errorf("(%s) and (%s) have one salt", name, other)
						}
						salts[salt] = name
					}
				}
			}
		}
	}
}

func TestTicketIsShortAndSafeInHeadersAndURLs(t *testing.T) {
	ticket := makeTickets(t, TicketOptions{PowBits: workBitsMax}).issue(lastCampaign, lastUID, someTime)
	longest := ticket.Text + "." + strings.Repeat("9", nonceBytesMax)
	if len(longest) > 90 {
		t.Errorf("%d bytes", len(longest))
	}
	const safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
	if at := strings.IndexFunc(longest, func(r rune) bool { return !strings.ContainsRune(safe, r) }); at >= 0 {
		t.Errorf("%q in %s", longest[at], longest)
	}
}

func TestTicketOptionsAreChecked(t *testing.T) {
	sixteen := bytes.Repeat([]byte{'k'}, 16)
	cases := []struct {
		name    string
		options TicketOptions
		field   string // empty: allowed
	}{
		{"the defaults", TicketOptions{}, ""},
		{"the shortest lifetime", TicketOptions{Lifetime: time.Second}, ""},
		{"the longest lifetime", TicketOptions{Lifetime: time.Hour}, ""},
		{"too short a lifetime", TicketOptions{Lifetime: time.Second - 1}, "gate.ticket.lifetime"},
		{"too long a lifetime", TicketOptions{Lifetime: time.Hour + 1}, "gate.ticket.lifetime"},
		{"a negative lifetime", TicketOptions{Lifetime: -time.Second}, "gate.ticket.lifetime"},
		{"the most work", TicketOptions{PowBits: 30}, ""},
		{"too much work", TicketOptions{PowBits: 31}, "gate.ticket.pow_bits"},
		{"negative work", TicketOptions{PowBits: -1}, "gate.ticket.pow_bits"},
		{"the shortest key", TicketOptions{Keys: [][]byte{sixteen}}, ""},
		{"a long key", TicketOptions{Keys: [][]byte{bytes.Repeat(sixteen, 100)}}, ""},
		{"too short a key", TicketOptions{Keys: [][]byte{oldKey, sixteen[1:]}}, "gate.ticket.keys"},
		{"an empty key", TicketOptions{Keys: [][]byte{{}}}, "gate.ticket.keys"},
		{"one key twice", TicketOptions{Keys: [][]byte{oldKey, newKey, oldKey}}, "gate.ticket.keys"},
		{"too many keys", TicketOptions{Keys: make([][]byte, 9)}, "gate.ticket.keys"},
	}
	for _, c := range cases {
		_, err := newTickets(c.options, countingSecret())
		var wrong *hongbao.FieldError
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.field != "" && (!errors.As(err, &wrong) || wrong.Field != c.field):
			t.Errorf("%s: %v, must be about %s", c.name, err, c.field)
		}
	}
}

func TestTicketErrorsTellNoKey(t *testing.T) {
	secret := []byte("hunter2hunter22")
	for _, keys := range [][][]byte{{secret}, {append(secret, '2'), append(secret, '2')}} {
		_, err := newTickets(TicketOptions{Keys: keys}, countingSecret())
		if text := fmt.Sprintf("%v %+v %q", err, err, err); err == nil || strings.Contains(text, "hunter") || strings.Contains(text, fmt.Sprint(secret)) {
			t.Error(text)
		}
	}
}

func TestTicketFaultsHaveReasons(t *testing.T) {
	for _, fault := range []ticketFault{ticketMalformed, ticketUnknownKey, ticketExpired, ticketForeign, ticketBadNonce, ticketNoWork, ticketWrongWork} {
		if !errors.Is(fault, hongbao.ErrTicketInvalid) || !strings.HasPrefix(fault.Error(), "ticket invalid: it") {
			t.Errorf("%v", fault)
		}
	}
}

func TestTicketChecksWithoutAllocating(t *testing.T) {
	for _, bits := range []int{0, 8} {
		issuer := makeTickets(t, TicketOptions{Keys: [][]byte{newKey, oldKey}, PowBits: bits})
		sent := header(issuer.issue(7, 8, someTime))
		foreign := header(issuer.issue(7, 9, someTime))
		cases := []struct {
			name string
			most float64
			do   func()
		}{
			{"admitting", 0, func() { _ = issuer.check(sent, 7, 8, someTime) }},
			{"refusing", 0, func() { _ = issuer.check(foreign, 7, 8, someTime) }},
			{"issuing", 2, func() { issuer.issue(7, 8, someTime) }},
		}
		for _, c := range cases {
			if allocs := testing.AllocsPerRun(100, c.do); allocs > c.most {
				t.Errorf("%s a ticket of %d bits allocates %v times, at most %v", c.name, bits, allocs, c.most)
			}
		}
	}
}

// FuzzTicket sends whatever comes: no panic, and nothing is admitted but what was issued, with work that is done.
func FuzzTicket(f *testing.F) {
	issuer := makeTickets(f, TicketOptions{Keys: [][]byte{newKey, oldKey}, PowBits: 4})
	free := makeTickets(f, TicketOptions{Keys: [][]byte{oldKey, newKey}})
	asks, owesNone := issuer.issue(lastCampaign, lastUID, someTime), free.issue(lastCampaign, lastUID, someTime)
	for _, ticket := range []Ticket{asks, owesNone} {
		f.Add(header(ticket), int64(0))
		f.Add([]byte(ticket.Text+"."), int64(61_000))
		f.Add([]byte(ticket.Text[:39]), int64(-1))
		f.Add([]byte(ticket.Text+".0.0"), int64(1))
	}
	f.Add([]byte(nil), int64(0))
	f.Add([]byte("."), int64(0))
	f.Fuzz(func(t *testing.T, text []byte, after int64) {
		err := issuer.check(text, lastCampaign, lastUID, someTime+hongbao.Time(after))
		if err != nil {
			if !errors.Is(err, hongbao.ErrTicketInvalid) && !errors.Is(err, hongbao.ErrTicketRequired) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		ticket, nonce, _ := strings.Cut(string(text), ".")
		switch {
		case ticket == asks.Text && len(nonce) > 0 && len(nonce) <= 32 && workDone([]byte(asks.Salt), []byte(nonce), 4):
		case ticket == owesNone.Text && len(nonce) <= 32:
		default:
			t.Fatalf("%q admitted", text)
		}
		if someTime+hongbao.Time(after) >= asks.ExpiresAt+1000 {
			t.Fatalf("%q admitted %d ms after it was issued", text, after)
		}
	})
}

func BenchmarkTicketCheck(b *testing.B) {
	for _, bits := range []int{0, 8} {
		issuer := makeTickets(b, TicketOptions{Keys: [][]byte{newKey, oldKey}, PowBits: bits})
		sent := header(issuer.issue(lastCampaign, lastUID, someTime))
		b.Run(fmt.Sprintf("bits=%d", bits), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := issuer.check(sent, lastCampaign, lastUID, someTime); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What a flood of made-up tickets costs: the worst that can be made up has the right key id.
func BenchmarkTicketRefusal(b *testing.B) {
	issuer := makeTickets(b, TicketOptions{})
	foreign := header(issuer.issue(lastCampaign, 1, someTime))
	unknown := header(makeTickets(b, TicketOptions{Keys: [][]byte{oldKey}}).issue(lastCampaign, 1, someTime))
	for name, sent := range map[string][]byte{"foreign": foreign, "unknown key": unknown} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := issuer.check(sent, lastCampaign, lastUID, someTime); err == nil {
					b.Fatal("admitted")
				}
			}
		})
	}
}

func BenchmarkTicketIssue(b *testing.B) {
	issuer := makeTickets(b, TicketOptions{})
	b.ReportAllocs()
	for b.Loop() {
		issuer.issue(lastCampaign, lastUID, someTime)
	}
}
