package playerapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"hongbao"
)

const rules = `{"name":"r","title":{"zh":"新年 \u0026 雨","en":"New Year"},"rules_text":{},"kind":"rain",` +
	`"budget":{"total_fen":500,"count":10,"min_fen":1,"max_fen":100,"split":"equal"},"opens_at":"2027-02-05T12:00:30Z",` +
	`"closes_at":"2027-02-05T12:10:30Z","open_for":"24h0m0s","chance":1,"pace":"none","wins_max":5,"daily_wins_max":0,` +
	`"signup":"none","reveal":"on_open","paused":false}`

func announced(g *game) *hongbao.Campaign {
	spec := rain("r", 10)
	spec.Title = hongbao.Text{ZH: "新年 & 雨", EN: "New Year"}
	spec.OpensAt = hongbao.AtTime(hongbao.TimeOf(noon.Add(30 * time.Second)))
	return g.create(spec)
}

// A campaign tells its phase and what is left at each time, and its seed only once it is sealed (G8).
func TestCampaignThroughItsPhases(t *testing.T) {
	g := newGame(t)
	c := announced(g)
	object := func(phase, second, left, rest string) string {
		return `{"id":"1","name":"r","title":{"zh":"新年 \u0026 雨","en":"New Year"},"kind":"rain","phase":"` + phase + `",` +
			`"opens_at":"2027-02-05T12:00:30Z","closes_at":"2027-02-05T12:10:30Z","server_time":"2027-02-05T` + second + `Z",` +
			`"left":` + left + `,"wins_max":5,"signup":"none","commitment":"HEX"` + rest + `}`
	}
	list := func(object string) string { return `{"campaigns":[` + object + `]}` }
	expect(t, g.ask("GET /v1/campaigns", ""), 200, list(object("countdown", "12:00:00", "100", "")))
	g.now.Add(30_250)
	g.win(7, 1)
	expect(t, g.ask("GET /v1/campaigns", ""), 200, list(object("open", "12:00:30.25", "90", "")))
	paused := true
	g.revise(c, hongbao.Patch{Paused: &paused})
	expect(t, g.ask("GET /v1/campaigns", ""), 200, list(object("open", "12:00:30.25", "90", `,"paused":true`)))
	expect(t, g.ask("GET /v1/campaigns/1", ""), 200, object("open", "12:00:30.25", "90", `,"paused":true,"revisions":[`+
		`{"revision":1,"at":"2027-02-05T12:00:00Z","rules":`+rules+
		`,"segment":{"revision":1,"first":0,"count":10,"total_fen":500,"min_fen":1,"max_fen":100,"split":"equal"}},`+
		`{"revision":2,"at":"2027-02-05T12:00:30.25Z","rules":`+strings.Replace(rules, `"paused":false`, `"paused":true`, 1)+`}]`))
	g.cancel(c)
	expect(t, g.ask("GET /v1/campaigns", ""), 200,
		list(object("closed", "12:00:30.25", "90", `,"seed":"HEX","paused":true,"cancelled":true`)))
	g.pass(25 * time.Hour)
	if got := g.ask("GET /v1/campaigns", ""); !strings.Contains(got.body, `"phase":"settled"`) {
		t.Error(got.body)
	}
}

// The list says what a player must bring, and when the lot decides, where the campaign asks for it.
func TestCampaignTellsItsTicketAndFairStart(t *testing.T) {
	g := newGame(t)
	spec := rain("r", 10)
	spec.Ticket = true
	g.create(spec)
	spec.Name, spec.Ticket, spec.FairStart = "s", false, hongbao.Duration(250*time.Millisecond)
	g.create(spec)
	spec.Name, spec.Ticket, spec.Paused = "t", true, true
	g.create(spec)
	list := g.ask("GET /v1/campaigns", "").body
	for i, want := range []string{`","ticket":true}`, `","fair_start":"250ms"}`, `","ticket":true,"fair_start":"250ms","paused":true}`} {
		if !strings.Contains(list, want) {
			t.Errorf("the list has no %s: %s", want, list)
		}
		one := g.ask(fmt.Sprint("GET /v1/campaigns/", i+1), "").body
		if !strings.Contains(one, strings.TrimSuffix(want, "}")+`,"revisions":[`) {
			t.Errorf("campaign %d has no %s: %s", i+1, want, one)
		}
	}
}

// Whoever has the answer can check the commitment and recompute every amount: G8.
func TestCampaignIsVerifiableFromItsAnswer(t *testing.T) {
	g := newGame(t)
	c := announced(g)
	count := uint64(20)
	total := int64(1234)
	g.now.Add(30_000)
	g.win(7, 1)
	g.revise(c, hongbao.Patch{Budget: &hongbao.BudgetPatch{Count: &count, TotalFen: &total}})
	won := g.win(8, 1)
	g.cancel(c)
	var told struct {
		Commitment string
		Seed       hongbao.Seed
		Revisions  []struct {
			Rules   json.RawMessage
			Segment *hongbao.Segment
		}
	}
	if err := json.Unmarshal([]byte(g.ask("GET /v1/campaigns/1", "").body), &told); err != nil {
		t.Fatal(err)
	}
	if got := told.Seed.Commitment(told.Revisions[0].Rules); got != told.Commitment {
		t.Errorf("seed and first rules make the commitment %s, and %s was published", got, told.Commitment)
	}
	want := told.Revisions[1].Segment.Cut(told.Seed, 1, 0)[0]
	expect(t, g.ask("POST /v1/envelopes/"+won+"/open", "", "X-Player-Id: 8"), 200,
		fmt.Sprintf(`{"status":"opened","envelope_id":"4294967297","amount_fen":%d,"balance_fen":%d,"first":true}`, want, want))
}

func TestCampaignsShowsAllThatMatterAndTheLatestOfTheRest(t *testing.T) {
	g := newGame(t)
	long := rain("long", 10)
	long.Lasts = hongbao.Duration(48 * time.Hour)
	g.create(long)
	for i := range settledShown + 5 {
		g.create(rain(fmt.Sprint("r", i), 10))
	}
	g.pass(time.Hour)
	var told struct{ Campaigns []struct{ ID, Phase string } }
	if err := json.Unmarshal([]byte(g.ask("GET /v1/campaigns", "").body), &told); err != nil {
		t.Fatal(err)
	}
	if n := len(told.Campaigns); n != 1+settledShown {
		t.Fatalf("%d campaigns are listed", n)
	}
	if first := told.Campaigns[0]; first.ID != "1" || first.Phase != "open" {
		t.Errorf("the first is %+v", first)
	}
	if second, last := told.Campaigns[1].ID, told.Campaigns[settledShown].ID; second != "7" || last != "56" {
		t.Errorf("the settled are from %s to %s", second, last)
	}
}
