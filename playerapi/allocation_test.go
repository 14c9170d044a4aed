//go:build !race

package playerapi

import (
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/valyala/fasthttp"

	"hongbao"
	"hongbao/gate"
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

// crowded is a game with a rain that does not run dry (1), one that is sold out (2), one that misses (3) and one that
// opens later (4).
func crowded(t testing.TB, camp string, files vfs.FS) *game {
	g := newGame(t, func(s *settings) {
		s.camp, s.files = camp, files
		s.gate.Player, s.gate.Address = gate.Rate{Rate: 10_000_000}, gate.Rate{Rate: 10_000_000}
	})
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

// The bounds are the whole request's (the race detector has its own): parsing, the gate, who asks, the engine's decision, the
// answer. What is known from memory costs nothing; of what comes as far as the engine, the gate may cost one.
func TestRefusalAllocatesHardly(t *testing.T) {
	g := crowded(t, "missing", vfs.NewMem())
	for _, row := range []struct {
		name, uri, body string
		key, want       string
		most            float64
	}{
		{"sold out", "/v1/campaigns/2/snatch", "", "", `"sold_out"`, 0},
		{"sold out, with a key", "/v1/campaigns/2/snatch", "", "mine", `"sold_out"`, 3},
		{"missed", "/v1/campaigns/3/snatch", "", "", `"missed"`, 3},
		{"not open", "/v1/campaigns/4/snatch", "", "", `"not_open"`, 0},
		{"missed, on the camp API", "/snatch", `{"uid":123456789}`, "", `"missed"`, 3},
		{"missed, on the camp API with a form", "/snatch", `uid=123456789`, "", `"missed"`, 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := g.hot(row.uri, row.body, "X-Player-Id", "123456789")
			if row.key != "" {
				h.ctx.Request.Header.Set("Idempotency-Key", row.key)
			}
			got := testing.AllocsPerRun(1000, h.ask)
			if body := string(h.ctx.Response.Body()); !strings.Contains(body, row.want) {
				t.Fatalf("got %s", body)
			}
			if got > row.most {
				t.Errorf("%v allocations, more than %v", got, row.most)
			}
		})
	}
}

// Wins come in a crowd and to a disk that takes its time, for what a group commit allocates is shared by all who are in
// it.
func TestWinAllocatesAtMostFiveTimes(t *testing.T) {
	slow := errorfs.InjectorFunc(func(op errorfs.Op) error {
		if isSync(op) {
			time.Sleep(130 * time.Microsecond)
		}
		return nil
	})
	g := crowded(t, "endless", errorfs.Wrap(vfs.NewMem(), slow))
	for _, row := range []struct{ name, uri, body, want string }{
		{"on /v1", "/v1/campaigns/1/snatch", "", `"won"`},
		{"on the camp API", "/snatch", `{"uid":123456789}`, `"code":0`},
	} {
		t.Run(row.name, func(t *testing.T) {
			var crowd [64]*hot
			for i := range crowd {
				crowd[i] = g.hot(row.uri, row.body, "X-Player-Id", "123456789")
			}
			allocationsEach(crowd[:], 20) // makes the buffers that each connection keeps
			got := allocationsEach(crowd[:], 200)
			for _, h := range crowd {
				if body := string(h.ctx.Response.Body()); !strings.Contains(body, row.want) {
					t.Fatalf("got %s", body)
				}
			}
			if got > 5 {
				t.Errorf("%.2f allocations", got)
			}
		})
	}
}

// allocationsEach lets all of the crowd ask at once, again and again, and counts what a request allocates.
func allocationsEach(crowd []*hot, times int) float64 {
	var before, after runtime.MemStats
	var all sync.WaitGroup
	runtime.ReadMemStats(&before)
	for _, h := range crowd {
		all.Go(func() {
			for range times {
				h.ask()
			}
		})
	}
	all.Wait()
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(len(crowd)*times)
}

func BenchmarkHandler(b *testing.B) {
	g := crowded(b, "endless", vfs.NewMem())
	strict := newGame(b, func(s *settings) { s.gate.Player = gate.Rate{Rate: 0.01, Burst: 1} })
	strict.create(rain("rain", 1000))
	strict.win(123456789, 1)
	soldOut := newGame(b)
	soldOut.create(rain("rain", 1))
	soldOut.win(123456789, 1)
	for _, row := range []struct {
		name string
		hot  *hot
	}{
		{"win", g.hot("/v1/campaigns/1/snatch", "", "X-Player-Id", "123456789")},
		{"sold_out", g.hot("/v1/campaigns/2/snatch", "", "X-Player-Id", "123456789")},
		{"sold_out_keyed", g.hot("/v1/campaigns/2/snatch", "", "X-Player-Id", "123456789", "Idempotency-Key", "mine")},
		{"too_fast", strict.hot("/v1/campaigns/1/snatch", "", "X-Player-Id", "123456789")},
		{"camp_too_fast", strict.hot("/snatch", `{"uid":123456789}`)},
		{"camp_sold_out", soldOut.hot("/snatch", `{"uid":123456789}`)},
		{"missed", g.hot("/v1/campaigns/3/snatch", "", "X-Player-Id", "123456789")},
		{"camp_win_json", g.hot("/snatch", `{"uid":123456789}`)},
		{"camp_win_form", g.hot("/snatch", `uid=123456789`)},
		{"wallet_of_none", g.hotGet("/v1/wallet", "X-Player-Id", "5")},
		{"campaigns", g.hotGet("/v1/campaigns")},
		{"page_module", g.hotGet("/vendor/preact.mjs", "Accept-Encoding", "gzip")},
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
