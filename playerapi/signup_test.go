package playerapi

import (
	"testing"
	"time"

	"hongbao"
)

func TestSignUp(t *testing.T) {
	of := func(signup hongbao.Signup) func(g *game) *hongbao.Campaign {
		return func(g *game) *hongbao.Campaign {
			spec := bomb("b", 10)
			spec.Signup = &signup
			return g.create(spec)
		}
	}
	for _, row := range []struct {
		name, status string
		setUp        func(g *game)
	}{
		{"registers a player", "signed_up", func(g *game) { of(hongbao.SignupOpen)(g) }},
		{"may be repeated", "signed_up", func(g *game) {
			of(hongbao.SignupOpen)(g)
			g.ask("PUT /v1/campaigns/1/signup", "", "X-Player-Id: 7")
		}},
		{"is not needed", "not_required", func(g *game) { of(hongbao.SignupNone)(g) }},
		{"is by invitation only", "invited_only", func(g *game) { of(hongbao.SignupInvited)(g) }},
		{"is too late", "closed", func(g *game) { of(hongbao.SignupOpen)(g); g.pass(time.Hour) }},
		{"is for a campaign that was cancelled", "cancelled", func(g *game) { g.cancel(of(hongbao.SignupOpen)(g)) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := newGame(t)
			row.setUp(g)
			expect(t, g.ask("PUT /v1/campaigns/1/signup", "", "X-Player-Id: 7"), 200, `{"status":"`+row.status+`"}`)
		})
	}
	t.Run("is for a campaign that is not there", func(t *testing.T) {
		g := newGame(t)
		expect(t, g.ask("PUT /v1/campaigns/1/signup", "", "X-Player-Id: 7"), 404,
			`{"title":"Not Found","status":404,"code":"not_found","retryable":false,"detail":"there is no campaign \"1\""}`)
	})
	t.Run("lets a player win", func(t *testing.T) {
		g := newGame(t)
		of(hongbao.SignupOpen)(g)
		g.ask("PUT /v1/campaigns/1/signup", "", "X-Player-Id: 7")
		g.win(7, 1)
	})
}
