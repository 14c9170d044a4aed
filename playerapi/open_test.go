package playerapi

import (
	"testing"
	"time"

	"hongbao"
)

func TestOpen(t *testing.T) {
	const mine = "4294967296" // won by player 7 and not yet opened
	missing := func(id string) string {
		return `{"title":"Not Found","status":404,"code":"not_found","retryable":false,"detail":"there is no envelope \"` + id + `\", or it is not this player's"}`
	}
	const goneCamp = `{"code":7,"msg":"not found"}`
	for _, row := range []struct {
		name, envelope string
		setUp          func(g *game)
		status         int
		v1, camp       string
	}{
		{
			"credits the envelope", mine, nil, 200,
			`{"status":"opened","envelope_id":"4294967296","amount_fen":50,"balance_fen":50,"first":true}`,
			`{"code":0,"msg":"success","data":{"value":50}}`,
		}, {
			"tells the same again", mine, func(g *game) { g.open(7, mine) }, 200,
			`{"status":"opened","envelope_id":"4294967296","amount_fen":50,"balance_fen":50,"first":false}`,
			`{"code":0,"msg":"success","data":{"value":50}}`,
		}, {
			"tells the same after everything is over", mine,
			func(g *game) { g.open(7, mine); g.pass(48 * time.Hour) }, 200,
			`{"status":"opened","envelope_id":"4294967296","amount_fen":50,"balance_fen":50,"first":false}`,
			`{"code":0,"msg":"success","data":{"value":50}}`,
		}, {
			"is too late", mine, func(g *game) { g.now.Add((24*time.Hour + 10*time.Minute).Milliseconds()) }, 200,
			`{"status":"expired","envelope_id":"4294967296"}`, `{"code":8,"msg":"expired"}`,
		}, {
			"is too late for one that was refunded", mine, func(g *game) { g.pass(25 * time.Hour) }, 200,
			`{"status":"expired","envelope_id":"4294967296"}`, `{"code":8,"msg":"expired"}`,
		}, {
			"has until open_for after cancelling", mine,
			func(g *game) { g.cancel(g.service.Campaigns()[0]); g.now.Add((23 * time.Hour).Milliseconds()) }, 200,
			`{"status":"opened","envelope_id":"4294967296","amount_fen":50,"balance_fen":50,"first":true}`,
			`{"code":0,"msg":"success","data":{"value":50}}`,
		},
		{"hides another player's", "4294967297", nil, 404, missing("4294967297"), goneCamp},
		{"does not find a number not given out", "4294967300", nil, 404, missing("4294967300"), goneCamp},
		{"does not find a campaign that is not there", "9007199254740991", nil, 404, missing("9007199254740991"), goneCamp},
		{"does not find zero", "0", nil, 404, missing("0"), goneCamp},
	} {
		for _, api := range []string{"v1", "camp"} {
			t.Run(row.name+" on "+api, func(t *testing.T) {
				g := newGame(t)
				g.create(rain("r", 10))
				g.win(7, 1)
				g.win(8, 1)
				if row.setUp != nil {
					row.setUp(g)
				}
				if api == "v1" {
					expect(t, g.ask("POST /v1/envelopes/"+row.envelope+"/open", "", "X-Player-Id: 7"), row.status, row.v1)
				} else {
					expect(t, g.ask("POST /open", `{"uid":7,"envelope_id":`+row.envelope+`}`), 200, row.camp)
				}
			})
		}
	}
}

// open opens an envelope that can be opened.
func (g *game) open(uid uint64, envelope string) {
	g.t.Helper()
	id, _ := parseDigits([]byte(envelope), envelopeMax)
	result, err := g.service.Open(g.t.Context(), uid, hongbao.EnvelopeID(id))
	if err != nil || result.Expired {
		g.t.Fatalf("player %d can't open %s: %+v, %v", uid, envelope, result, err)
	}
}
