package playerapi

import (
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"hongbao"
)

// hot is a request that is asked again and again in one context, as a connection does.
type hot struct {
	game *game
	ctx  *fasthttp.RequestCtx
}

func (g *game) hot(uri, body string, headers ...string) *hot {
	var r fasthttp.Request
	r.Header.SetMethod("POST")
	r.SetRequestURI(uri)
	r.SetBodyString(body)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	h := &hot{g, &fasthttp.RequestCtx{}}
	h.ctx.Init(&r, loopback, nil)
	return h
}

func (h *hot) ask() {
	h.ctx.Response.Reset()
	h.game.server.handle(h.ctx)
}

// crowded is a game with a rain that never ends (1) and, since a refusal needs another, one that is sold out (2), one
// that misses (3) and one that opens later (4).
func crowded(t testing.TB) *game {
	g := newGame(t, func(s *settings) { s.camp = "endless" })
	unlimited, never := 0, hongbao.Chance(1)
	endless, sold, missing, later := rain("endless", 1<<30), rain("sold", 1), rain("missing", 10), rain("later", 10)
	endless.WinsMax, missing.Chance = &unlimited, &never
	later.OpensAt = hongbao.AtTime(hongbao.TimeOf(noon) + 1000)
	for _, spec := range []hongbao.Spec{endless, sold, missing, later} {
		g.create(spec)
	}
	g.win(1, 2)
	return g
}

// The bounds are the whole request's: parsing, who asks, the engine's decision, the answer.
func TestSnatchAllocates(t *testing.T) {
	g := crowded(t)
	player := []string{"X-Player-Id", "123456789"}
	for _, row := range []struct {
		name string
		hot  *hot
		want string // what the answer contains
		most float64
	}{
		{"a win", g.hot("/v1/campaigns/1/snatch", "", player...), `"won"`, 4},
		{"a win on the camp API", g.hot("/snatch", `{"uid":123456789}`), `"code":0`, 4},
		{"sold out", g.hot("/v1/campaigns/2/snatch", "", player...), `"sold_out"`, 2},
		{"sold out, with a key", g.hot("/v1/campaigns/2/snatch", "", "X-Player-Id", "123456789", "Idempotency-Key", "mine"), `"sold_out"`, 2},
		{"missed", g.hot("/v1/campaigns/3/snatch", "", player...), `"missed"`, 2},
		{"not open", g.hot("/v1/campaigns/4/snatch", "", player...), `"not_open"`, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := testing.AllocsPerRun(1000, row.hot.ask)
			if body := string(row.hot.ctx.Response.Body()); !strings.Contains(body, row.want) {
				t.Fatalf("got %s", body)
			}
			if got > row.most {
				t.Errorf("%v allocations, at most %v are promised", got, row.most)
			}
			t.Logf("%v allocations", got)
		})
	}
}

func BenchmarkHandler(b *testing.B) {
	g := crowded(b)
	for _, row := range []struct {
		name string
		hot  *hot
	}{
		{"win", g.hot("/v1/campaigns/1/snatch", "", "X-Player-Id", "123456789")},
		{"sold_out", g.hot("/v1/campaigns/2/snatch", "", "X-Player-Id", "123456789")},
		{"missed", g.hot("/v1/campaigns/3/snatch", "", "X-Player-Id", "123456789")},
		{"camp_win_json", g.hot("/snatch", `{"uid":123456789}`)},
		{"camp_win_form", g.hot("/snatch", `uid=123456789`)},
		{"wallet_of_none", g.hotGet("/v1/wallet", "X-Player-Id", "5")},
		{"campaigns", g.hotGet("/v1/campaigns")},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				row.hot.ask()
			}
		})
	}
}

func (g *game) hotGet(uri string, headers ...string) *hot {
	h := g.hot(uri, "", headers...)
	h.ctx.Request.Header.SetMethod("GET")
	return h
}
