package playerapi

import (
	"net/url"

	"github.com/valyala/fasthttp"

	"hongbao"
)

// cors lets pages of these origins call.
type cors struct{ origins []string }

func newCORS(origins []string) (cors, error) {
	for _, origin := range origins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || origin != u.Scheme+"://"+u.Host {
			return cors{}, hongbao.Invalid("player.cors_origins", origin, "an origin such as https://play.example.com: scheme, host and port alone")
		}
	}
	return cors{origins}, nil
}

// allow lets the page that asked read the answer. Caches keep the answers of different origins apart.
func (c cors) allow(ctx *fasthttp.RequestCtx) {
	if len(c.origins) == 0 {
		return
	}
	header := &ctx.Response.Header
	header.Set("Vary", "Origin")
	if origin, ok := c.known(ctx); ok {
		header.Set("Access-Control-Allow-Origin", origin)
		header.Set("Access-Control-Expose-Headers", "Error-Detail, Idempotency-Key, RateLimit, RateLimit-Policy, Retry-After")
	}
}

func (c cors) known(ctx *fasthttp.RequestCtx) (origin string, ok bool) {
	given := ctx.Request.Header.Peek("Origin")
	for _, origin := range c.origins {
		if string(given) == origin {
			return origin, true
		}
	}
	return "", false
}

// preflight answers OPTIONS: to a browser that asks for a page of a known origin, what the page may send.
func (c cors) preflight(ctx *fasthttp.RequestCtx, route route) {
	header := &ctx.Response.Header
	ctx.SetStatusCode(fasthttp.StatusNoContent)
	header.Set("Allow", route.allow())
	if _, ok := c.known(ctx); !ok || len(ctx.Request.Header.Peek("Access-Control-Request-Method")) == 0 {
		return
	}
	header.Set("Access-Control-Allow-Methods", "GET, POST, PUT")
	header.Set("Access-Control-Allow-Headers", "Idempotency-Key, Authorization, Content-Type, Hongbao-Ticket, Last-Event-ID, X-Player-Id")
	header.Set("Access-Control-Max-Age", "3600")
}
