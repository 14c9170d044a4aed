package playerapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"hongbao"
)

// outcomes are all that can come of a snatch by player 7 with a key of its own, as both APIs tell it.
var outcomes = []struct {
	name  string
	setUp func(g *game)
	v1    string
	camp  string
}{
	{
		"a win tells envelope and receipt",
		func(g *game) { g.create(rain("r", 10)) },
		`200 {"status":"won","campaign_id":"1","envelope_id":"4294967296","wins":1,"wins_max":5,"receipt":"RECEIPT"}`,
		`{"code":0,"msg":"success","data":{"envelope_id":4294967296,"max_count":5,"cur_count":1}}`,
	}, {
		"a win tells its amount where the campaign reveals on snatch",
		func(g *game) {
			spec, reveal := rain("r", 10), hongbao.RevealOnSnatch
			spec.Reveal = &reveal
			g.create(spec)
		},
		`200 {"status":"won","campaign_id":"1","envelope_id":"4294967296","wins":1,"wins_max":5,"receipt":"RECEIPT","amount_fen":50}`,
		`{"code":0,"msg":"success","data":{"envelope_id":4294967296,"max_count":5,"cur_count":1}}`,
	}, {
		"the draw misses",
		func(g *game) {
			spec, chance := rain("r", 10), hongbao.Chance(1)
			spec.Chance = &chance
			g.create(spec)
		},
		`200 {"status":"missed","wins":0,"wins_max":5}`,
		`{"code":3,"msg":"missed"}`,
	}, {
		"all is taken",
		func(g *game) { g.create(rain("r", 1)); g.ask("POST /v1/campaigns/1/snatch", "", "X-Player-Id: 8") },
		`200 {"status":"sold_out","wins":0,"wins_max":5}`,
		`{"code":4,"msg":"sold out"}`,
	}, {
		"it is too early",
		func(g *game) {
			spec := rain("r", 10)
			spec.OpensAt = hongbao.AtTime(hongbao.TimeOf(noon) + 1)
			g.create(spec)
		},
		`200 {"status":"not_open","wins_max":5}`,
		`{"code":5,"msg":"not open"}`,
	}, {
		"it is too late, by the clock",
		func(g *game) { g.create(rain("r", 10)); g.now.Add((10 * time.Minute).Milliseconds()) },
		`200 {"status":"closed","wins":0,"wins_max":5}`,
		`{"code":5,"msg":"closed"}`,
	}, {
		"it is over and settled, so that the engine need not look",
		func(g *game) { g.create(rain("r", 10)); g.pass(10 * time.Minute) },
		`200 {"status":"closed","wins_max":5}`,
		`{"code":5,"msg":"closed"}`,
	}, {
		"it is cancelled",
		func(g *game) {
			c := g.create(rain("r", 10))
			g.ask("POST /v1/campaigns/1/snatch", "", "X-Player-Id: 8")
			g.cancel(c)
		},
		`200 {"status":"cancelled","wins":0,"wins_max":5}`,
		`{"code":5,"msg":"cancelled"}`,
	}, {
		"it is paused",
		func(g *game) { paused := true; g.revise(g.create(rain("r", 10)), hongbao.Patch{Paused: &paused}) },
		`200 {"status":"paused","wins":0,"wins_max":5}`,
		`{"code":5,"msg":"paused"}`,
	}, {
		"the player has not signed up",
		func(g *game) {
			spec, open := rain("r", 10), hongbao.SignupOpen
			spec.Signup = &open
			g.create(spec)
		},
		`200 {"status":"not_signed_up","wins":0,"wins_max":5}`,
		`{"code":10,"msg":"not signed up"}`,
	}, {
		"the player has won enough",
		func(g *game) {
			spec, two := rain("r", 10), 2
			spec.WinsMax = &two
			g.create(spec)
			g.win(7, 1)
			g.win(7, 1)
		},
		`200 {"status":"limit_reached","wins":2,"wins_max":2}`,
		`{"code":2,"msg":"limit reached","data":{"cur_count":2,"max_count":2}}`,
	}, {
		"the player has won enough for the day, in another campaign",
		func(g *game) {
			other, one := rain("other", 10), 1
			other.OpensAt = hongbao.AtTime(hongbao.TimeOf(noon.Add(time.Second)))
			mine := rain("r", 10)
			mine.DailyWinsMax, other.DailyWinsMax = &one, &one
			g.create(mine)
			g.create(other)
			g.now.Add(1000)
			g.win(7, 2)
		},
		`200 {"status":"daily_limit_reached","wins":0,"wins_max":5}`,
		`{"code":2,"msg":"daily limit reached","data":{"cur_count":0,"max_count":5}}`,
	}, {
		"there is no campaign",
		func(g *game) {},
		`404 {"title":"Not Found","status":404,"code":"not_found","retryable":false,"detail":"there is no campaign \"1\""}`,
		`{"code":5,"msg":"not open"}`,
	},
}

// win makes a player win once more.
func (g *game) win(uid, campaign int) (envelope string) {
	g.t.Helper()
	got := g.ask(fmt.Sprintf("POST /v1/campaigns/%d/snatch", campaign), "", fmt.Sprint("X-Player-Id: ", uid))
	var won struct {
		Status   string
		Envelope string `json:"envelope_id"`
	}
	if err := json.Unmarshal([]byte(got.body), &won); err != nil || won.Status != "won" {
		g.t.Fatalf("player %d did not win: %d %s", uid, got.status, got.body)
	}
	return won.Envelope
}

func TestSnatchOutcomes(t *testing.T) {
	for _, outcome := range outcomes {
		t.Run(outcome.name, func(t *testing.T) {
			g := newGame(t)
			outcome.setUp(g)
			got := g.ask("POST /v1/campaigns/1/snatch", "", "X-Player-Id: 7", "Idempotency-Key: mine")
			if told := fmt.Sprint(got.status, " ", masked(got.body)); told != outcome.v1 {
				t.Errorf("got  %s\nwant %s", told, outcome.v1)
			}
		})
	}
}

func TestCampSnatchOutcomes(t *testing.T) {
	for _, outcome := range outcomes {
		t.Run(outcome.name, func(t *testing.T) {
			g := newGame(t)
			outcome.setUp(g)
			got := g.ask("POST /snatch", `{"uid":7}`, "Idempotency-Key: mine")
			expect(t, got, 200, outcome.camp)
			if _, told := got.header["Idempotency-Key"]; told {
				t.Error("a key that the client chose was told back")
			}
		})
	}
}

func TestSnatchTellsTheKeyThatTheServerChose(t *testing.T) {
	chance := hongbao.Chance(1)
	spec := rain("never", 10)
	spec.Chance = &chance
	g := newGame(t)
	g.create(rain("always", 1))
	g.create(spec)
	for _, row := range []struct{ name, campaign, body string }{
		{"in a win", "1", `{"status":"won","campaign_id":"1","envelope_id":"4294967296","wins":1,"wins_max":5,"receipt":"RECEIPT","key":"KEY"}`},
		{"in a miss", "2", `{"status":"missed","wins":0,"wins_max":5,"key":"KEY"}`},
		{"not in another refusal, which drew nothing", "1", `{"status":"sold_out","wins_max":5}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			expect(t, g.ask("POST /v1/campaigns/"+row.campaign+"/snatch", "", "X-Player-Id: 7"), 200, row.body)
		})
	}
}

func TestCampTellsTheKeyThatTheServerChose(t *testing.T) {
	for _, row := range []struct {
		outcome string
		told    bool
	}{{"a win tells envelope and receipt", true}, {"the draw misses", true}, {"all is taken", false}, {"it is too early", false}} {
		t.Run(row.outcome, func(t *testing.T) {
			g := newGame(t)
			for _, outcome := range outcomes {
				if outcome.name == row.outcome {
					outcome.setUp(g)
				}
			}
			key := g.ask("POST /snatch", "uid=7").header["Idempotency-Key"]
			if row.told != (len(key) == 22) {
				t.Errorf("the key in the header is %q", key)
			}
		})
	}
}

// G7: the same key gets the same envelope and receipt, whatever has happened since, on both APIs.
func TestSameKeySameAnswer(t *testing.T) {
	g := newGame(t)
	c := g.create(rain("r", 2))
	ask := func(uid string) reply {
		return g.ask("POST /v1/campaigns/1/snatch", "", "X-Player-Id: "+uid, `Idempotency-Key: "my\key"`)
	}
	first := ask("7")
	g.win(7, 1)
	again := ask("7")
	if wins := strings.Replace(first.body, `"wins":1`, `"wins":2`, 1); again.body != wins {
		t.Errorf("first %s\nagain %s", first.body, again.body)
	}
	expect(t, ask("8"), 200, `{"status":"sold_out","wins":0,"wins_max":5}`)
	g.cancel(c)
	g.now.Add(1000)
	if later := ask("7"); later.body != again.body {
		t.Errorf("after cancelling: %s", later.body)
	}
	expect(t, g.ask("POST /snatch", `{"uid":"7"}`, `Idempotency-Key: "my\key"`), 200,
		`{"code":0,"msg":"success","data":{"envelope_id":4294967296,"max_count":5,"cur_count":2}}`)
}

// Once a campaign is settled its counts are forgotten, but no win is.
func TestSameKeySameAnswerAfterSettling(t *testing.T) {
	g := newGame(t)
	g.create(rain("r", 2))
	first := g.ask("POST /v1/campaigns/1/snatch", "", "X-Player-Id: 7", "Idempotency-Key: k")
	g.pass(25 * time.Hour)
	again := g.ask("POST /v1/campaigns/1/snatch", "", "X-Player-Id: 7", "Idempotency-Key: k")
	if without := strings.Replace(first.body, `"wins":1,`, "", 1); again.body != without {
		t.Errorf("first %s\nagain %s", first.body, again.body)
	}
	expect(t, g.ask("POST /snatch", "uid=7", "Idempotency-Key: k"), 200,
		`{"code":0,"msg":"success","data":{"envelope_id":4294967296,"max_count":5,"cur_count":1}}`)
	expect(t, g.ask("POST /snatch", "uid=7", "Idempotency-Key: another"), 200, `{"code":5,"msg":"closed"}`)
}

func TestReceiptIsTheServers(t *testing.T) {
	g := newGame(t)
	g.create(rain("r", 2))
	got := g.ask("POST /v1/campaigns/1/snatch", "", "X-Player-Id: 9007199254740991")
	var won struct{ Receipt hongbao.Receipt }
	if err := json.Unmarshal([]byte(got.body), &won); err != nil {
		t.Fatal(err)
	}
	key := g.engine.Secret().ReceiptKey()
	if !key.Verify(won.Receipt, 1, 1<<32, hongbao.UIDMax, hongbao.TimeOf(noon)) {
		t.Errorf("the receipt %q is not of this win", won.Receipt)
	}
}

func TestSnatchOnTheLastCampaignFitsItsIDs(t *testing.T) {
	r := hongbao.SnatchResult{
		Status: hongbao.Won, Envelope: envelopeMax, Wins: 10000,
		Rules: &hongbao.Rules{WinsMax: 10000, Reveal: hongbao.RevealOnSnatch}, AmountFen: hongbao.TotalFenMax, Key: "k", KeyIsNew: true,
	}
	got := masked(string(newGame(t).server.appendWin(nil, hongbao.UIDMax, &r)))
	want := `{"status":"won","campaign_id":"2097151","envelope_id":"9007199254740991","wins":10000,"wins_max":10000,` +
		`"receipt":"RECEIPT","key":"k","amount_fen":1000000000000}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestWinsAreLeftOutWhenTheEngineWasNotAsked(t *testing.T) {
	r := hongbao.SnatchResult{Status: hongbao.NotOpen, Wins: -1, Rules: &hongbao.Rules{WinsMax: 5}}
	if got, want := string(appendRefusal(nil, &r)), `{"status":"not_open","wins_max":5}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestCampMessagesAreTheStatusesInWords(t *testing.T) {
	for i, outcome := range campOutcomes {
		if status := hongbao.Status(i); status != hongbao.Won && outcome.msg != status.Words() {
			t.Errorf("%s is told as %q", status, outcome.msg)
		}
	}
}
