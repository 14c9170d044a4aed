package playerapi

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"hongbao"
	"hongbao/gate"
)

// gated is a game whose gate has these settings, behind a proxy on this machine.
func gated(t *testing.T, o gate.Options) *game {
	return newGame(t, func(s *settings) {
		s.gate = o
		s.TrustedPeers = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
}

// change patches the settings of the gate.
func (g *game) change(patch string) {
	g.t.Helper()
	p, err := gate.ParsePatch([]byte(patch))
	if err != nil {
		g.t.Fatal(err)
	}
	if _, err := g.gate.Change(g.t.Context(), p, nil, "ops"); err != nil {
		g.t.Fatal(err)
	}
}

func TestPlayerBucketTellsWhereThePlayerStands(t *testing.T) {
	g := gated(t, gate.Options{Player: gate.Rate{Rate: 0.01, Burst: 2}})
	g.create(rain("r", 10))
	for i, remaining := range []int{1, 0} {
		got := g.ask("POST /v1/campaigns/1/snatch", "", "X-Player-Id: 7")
		want := fmt.Sprintf(`"player";r=%d;t=%d`, remaining, (i+1)*100)
		if got.status != 200 || got.header["RateLimit-Policy"] != `"player";q=2;w=200` || got.header["RateLimit"] != want {
			t.Errorf("request %d: %d %v", i+1, got.status, got.header)
		}
	}
	got := g.ask("POST /v1/campaigns/1/snatch", "", "X-Player-Id: 7")
	expect(t, got, 429, `{"title":"Too Many Requests","status":429,"code":"too_fast","retryable":true,"detail":"nothing happened: you ask more often than is allowed; wait as Retry-After says"}`)
	if got.header["RateLimit"] != `"player";r=0;t=200` {
		t.Errorf("refused: %v", got.header)
	}
	if wait := got.header["Retry-After"]; wait != "100" && wait != "101" && wait != "102" {
		t.Errorf("Retry-After is %s", wait)
	}
	expect(t, g.ask("POST /snatch", `{"uid":7}`), 200, `{"code":6,"msg":"too fast"}`)
	expect(t, g.ask("POST /get_wallet_list", `{"uid":7}`), 200, `{"code":6,"msg":"too fast"}`)
	if got := g.ask("POST /v1/campaigns/1/snatch", "", "X-Player-Id: 8"); got.status != 200 {
		t.Errorf("another player: %d %s", got.status, got.body)
	}
}

func TestAddressBucketIsOfWhomTheProxyTells(t *testing.T) {
	g := gated(t, gate.Options{Address: gate.Rate{Rate: 0.01, Burst: 1}})
	g.create(rain("r", 10))
	from := func(address string, uid int) reply {
		return g.ask("POST /v1/campaigns/1/snatch", "", fmt.Sprint("X-Player-Id: ", uid), "X-Forwarded-For: "+address)
	}
	for _, row := range []struct {
		address string
		status  int
	}{
		{"203.0.113.1", 200}, {"203.0.113.1", 429}, {"203.0.113.2", 200},
		{"198.51.100.7, 203.0.113.1", 429}, // what stands before the proxy's own word is the client's invention
		{"2001:db8::1", 200}, {"2001:db8::2", 429}, {"2001:db8:0:1::1", 200},
	} {
		if got := from(row.address, 7); got.status != row.status {
			t.Errorf("%s: %d %s", row.address, got.status, got.body)
		}
	}
	if got := g.ask("GET /v1/campaigns", "", "X-Forwarded-For: 203.0.113.1"); got.status != 429 {
		t.Errorf("a list from an address over its rate: %d", got.status)
	}
}

// What needs no player is answered whatever the buckets say, and asks nobody who they are.
func TestWhatIsKnownFromMemoryIsAnsweredBeforeAnythingCosts(t *testing.T) {
	g := gated(t, gate.Options{Player: gate.Rate{Rate: 0.01, Burst: 1}})
	later := rain("later", 10)
	later.OpensAt = hongbao.AtTime(hongbao.TimeOf(noon) + 1000)
	g.create(later)
	g.create(rain("sold", 1))
	cancelled := g.create(rain("cancelled", 1))
	g.win(7, 2)
	g.cancel(cancelled)
	g.change(`{"address":{"rate":0.01,"burst":1}}`)
	for range 3 {
		expect(t, g.ask("POST /v1/campaigns/1/snatch", ""), 200, `{"status":"not_open","wins_max":5}`)
		expect(t, g.ask("POST /v1/campaigns/2/snatch", ""), 200, `{"status":"sold_out","wins_max":5}`)
		expect(t, g.ask("POST /v1/campaigns/3/snatch", ""), 200, `{"status":"cancelled","wins_max":5}`)
	}
	g.now.Add(600_000)
	expect(t, g.ask("POST /v1/campaigns/2/snatch", ""), 200, `{"status":"closed","wins_max":5}`)
	if got := g.ask("POST /v1/campaigns/2/snatch", "", "Idempotency-Key: mine"); got.status != 401 {
		t.Errorf("a key may have won: %d %s", got.status, got.body)
	}
}

func TestDeniedPlayersAndAddresses(t *testing.T) {
	g := gated(t, gate.Options{})
	g.create(rain("r", 10))
	g.change(`{"denylist":["7","203.0.113.0/24"]}`)
	denied := `{"title":"Forbidden","status":403,"code":"denied","retryable":false}`
	expect(t, g.ask("POST /v1/campaigns/1/snatch", "", "X-Player-Id: 7"), 403, denied)
	expect(t, g.ask("GET /v1/wallet", "", "X-Player-Id: 8", "X-Forwarded-For: 203.0.113.9"), 403, denied)
	expect(t, g.ask("POST /snatch", `{"uid":7}`), 401, `{"code":11,"msg":"denied"}`)
	if got := g.ask("POST /v1/campaigns/1/snatch", "", "X-Player-Id: 8"); got.status != 200 {
		t.Errorf("another player: %d %s", got.status, got.body)
	}
}

func TestReadOnlyChangesNothing(t *testing.T) {
	g := gated(t, gate.Options{})
	spec := rain("r", 10)
	open := hongbao.SignupOpen
	g.create(spec)
	envelope := g.win(7, 1)
	spec.Name, spec.Signup = "b", &open
	g.create(spec)
	g.change(`{"read_only":true}`)
	refused := `{"title":"Service Unavailable","status":503,"code":"read_only","retryable":true,"detail":"nothing happened: nothing may change at present; try again later"}`
	expect(t, g.ask("POST /v1/campaigns/1/snatch", "", "X-Player-Id: 7"), 503, refused)
	expect(t, g.ask("POST /v1/envelopes/"+envelope+"/open", "", "X-Player-Id: 7"), 503, refused)
	expect(t, g.ask("PUT /v1/campaigns/2/signup", "", "X-Player-Id: 7"), 503, refused)
	expect(t, g.ask("POST /snatch", `{"uid":7}`), 200, `{"code":9,"msg":"read only"}`)
	if got := g.ask("GET /v1/wallet", "", "X-Player-Id: 7"); got.status != 200 || !strings.Contains(got.body, `"held"`) {
		t.Errorf("a wallet is read all the same: %d %s", got.status, got.body)
	}
	g.change(`{"read_only":false}`)
	if got := g.ask("POST /v1/envelopes/"+envelope+"/open", "", "X-Player-Id: 7"); got.status != 200 {
		t.Errorf("afterwards: %d %s", got.status, got.body)
	}
}

func TestGlobalBucketIsOfAll(t *testing.T) {
	g := gated(t, gate.Options{Global: gate.Rate{Rate: 0.01, Burst: 2}})
	g.create(rain("r", 10))
	for uid, status := range []int{200, 200, 429, 429} {
		if got := g.ask("POST /v1/campaigns/1/snatch", "", fmt.Sprint("X-Player-Id: ", uid)); got.status != status {
			t.Errorf("player %d: %d %s", uid, got.status, got.body)
		}
	}
	if got := g.ask("GET /v1/campaigns", ""); got.status != 200 {
		t.Errorf("lists don't come as far as the engine: %d", got.status)
	}
}

func ticketed(name string) hongbao.Spec {
	spec := rain(name, 10)
	spec.Ticket = true
	return spec
}

// ticket asks for one and does its work.
func (g *game) ticket(campaign, uid int) string {
	g.t.Helper()
	got := g.ask(fmt.Sprintf("POST /v1/campaigns/%d/ticket", campaign), "", fmt.Sprint("X-Player-Id: ", uid))
	var told struct {
		Ticket    string       `json:"ticket"`
		ExpiresAt hongbao.Time `json:"expires_at"`
		Pow       struct {
			Salt string `json:"salt"`
			Bits int    `json:"bits"`
		} `json:"pow"`
	}
	if err := json.Unmarshal([]byte(got.body), &told); err != nil || got.status != 200 || told.Ticket == "" {
		g.t.Fatalf("%d %s", got.status, got.body)
	}
	if told.Pow.Bits == 0 {
		return told.Ticket
	}
	return told.Ticket + "." + gate.SolveWork(told.Pow.Salt, told.Pow.Bits)
}

func TestTicketAdmitsItsPlayerToItsCampaign(t *testing.T) {
	for _, bits := range []int{0, 8} {
		g := gated(t, gate.Options{Ticket: gate.TicketOptions{PowBits: bits}})
		g.create(ticketed("a"))
		g.create(ticketed("b"))
		mine := g.ticket(1, 7)
		snatch := func(campaign, uid int, headers ...string) reply {
			return g.ask(fmt.Sprintf("POST /v1/campaigns/%d/snatch", campaign), "", append(headers, fmt.Sprint("X-Player-Id: ", uid))...)
		}
		for _, row := range []struct {
			name   string
			got    reply
			status int
			has    string
		}{
			{"none", snatch(1, 7), 403, `"ticket_required"`},
			{"mine", snatch(1, 7, "Hongbao-Ticket: "+mine), 200, `"won"`},
			{"mine again", snatch(1, 7, "Hongbao-Ticket: "+mine), 200, `"won"`},
			{"somebody else's", snatch(1, 8, "Hongbao-Ticket: "+mine), 403, `"ticket_invalid"`},
			{"another campaign's", snatch(2, 7, "Hongbao-Ticket: "+mine), 403, `"ticket_invalid"`},
			{"nonsense", snatch(1, 7, "Hongbao-Ticket: x"), 403, `"ticket_invalid"`},
		} {
			if row.got.status != row.status || !strings.Contains(row.got.body, row.has) {
				t.Errorf("%d bits, %s: %d %s", bits, row.name, row.got.status, row.got.body)
			}
		}
		if bits > 0 {
			undone, _, _ := strings.Cut(mine, ".")
			if got := snatch(1, 7, "Hongbao-Ticket: "+undone); got.status != 403 {
				t.Errorf("without its work: %d %s", got.status, got.body)
			}
		}
		g.now.Add(62_000)
		if got := snatch(1, 7, "Hongbao-Ticket: "+mine); got.status != 403 {
			t.Errorf("after its end: %d %s", got.status, got.body)
		}
	}
}

func TestCampAPITakesTickets(t *testing.T) {
	g := gated(t, gate.Options{})
	g.create(ticketed("a"))
	expect(t, g.ask("POST /snatch", `{"uid":7}`), 200, `{"code":13,"msg":"ticket required"}`)
	expect(t, g.ask("POST /snatch", `{"uid":7}`, "Hongbao-Ticket: x"), 200, `{"code":13,"msg":"ticket invalid"}`)
	if got := g.ask("POST /snatch", `{"uid":7}`, "Hongbao-Ticket: "+g.ticket(1, 7)); !strings.HasPrefix(got.body, `{"code":0,`) {
		t.Errorf("with a ticket: %s", got.body)
	}
}

// Keeps G7: what was won stays won, whatever has become of the ticket.
func TestAKnownKeyGetsItsWinWithoutATicket(t *testing.T) {
	g := gated(t, gate.Options{})
	g.create(ticketed("a"))
	won := g.ask("POST /v1/campaigns/1/snatch", "", "X-Player-Id: 7", "Idempotency-Key: mine", "Hongbao-Ticket: "+g.ticket(1, 7))
	again := g.ask("POST /v1/campaigns/1/snatch", "", "X-Player-Id: 7", "Idempotency-Key: mine")
	if won.status != 200 || again.status != 200 || again.body != won.body {
		t.Errorf("won %d %s\nagain %d %s", won.status, won.body, again.status, again.body)
	}
	if got := g.ask("POST /v1/campaigns/1/snatch", "", "X-Player-Id: 7", "Idempotency-Key: other"); got.status != 403 {
		t.Errorf("another key wins without a ticket: %d %s", got.status, got.body)
	}
}

func TestTicketsAreGivenFromTheCountdownToTheEnd(t *testing.T) {
	g := gated(t, gate.Options{})
	spec := ticketed("a")
	spec.OpensAt = hongbao.AtTime(hongbao.TimeOf(noon) + 60_001)
	c := g.create(spec)
	ask := func() reply { return g.ask("POST /v1/campaigns/1/ticket", "", "X-Player-Id: 7") }
	expect(t, ask(), 200, `{"status":"not_open"}`)
	g.now.Add(1)
	g.ticket(1, 7)
	g.now.Add(60_000)
	g.ticket(1, 7)
	g.cancel(c)
	expect(t, ask(), 200, `{"status":"cancelled"}`)
	if got := g.ask("POST /v1/campaigns/9/ticket", "", "X-Player-Id: 7"); got.status != 404 {
		t.Errorf("no such campaign: %d %s", got.status, got.body)
	}
	if got := g.ask("POST /v1/campaigns/1/ticket", ""); got.status != 401 {
		t.Errorf("nobody in particular: %d %s", got.status, got.body)
	}
}

// A proxy that is not named is no proxy.
func TestAddressOfAStrangerIsItsOwn(t *testing.T) {
	g := newGame(t, func(s *settings) { s.gate = gate.Options{Address: gate.Rate{Rate: 0.01, Burst: 1}} })
	g.create(rain("r", 10))
	for i, status := range []int{200, 429} {
		peer := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9), Port: 5}
		if got := g.askFrom(peer, "GET /v1/campaigns", "", fmt.Sprint("X-Forwarded-For: 203.0.113.", i)); got.status != status {
			t.Errorf("request %d: %d", i+1, got.status)
		}
	}
}

// A key that has not won is as good as none: whoever brings one without a ticket is told what everybody is told.
func TestAKeyWithoutATicketIsToldThatItIsOver(t *testing.T) {
	g := gated(t, gate.Options{})
	c := g.create(ticketed("a"))
	if got := g.ask("POST /v1/campaigns/1/snatch", "", "X-Player-Id: 7", "Idempotency-Key: mine"); got.status != 403 {
		t.Errorf("while it is open: %d %s", got.status, got.body)
	}
	g.cancel(c)
	expect(t, g.ask("POST /v1/campaigns/1/snatch", "", "X-Player-Id: 7", "Idempotency-Key: mine"), 200, `{"status":"cancelled","wins_max":5}`)
}
