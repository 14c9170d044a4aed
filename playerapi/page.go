package playerapi

import (
	"bytes"

	"github.com/valyala/fasthttp"
)

// isPage tells the paths of the player page and its files.
func isPage(path []byte) bool {
	switch string(path) {
	case "/", "/favicon.ico", "/favicon.svg":
		return true
	}
	return bytes.HasPrefix(path, []byte("/player/")) || bytes.HasPrefix(path, []byte("/vendor/"))
}

// page answers one of the files that package web has.
func (s *Server) page(ctx *fasthttp.RequestCtx) error {
	given := &ctx.Request.Header
	a, ok := s.site.Answer(string(ctx.Path()), string(given.Peek("If-None-Match")), string(given.Peek("Accept-Encoding")))
	if !ok {
		return refusal{problem: &notFound, detail: "there is no such file"}
	}
	ctx.SetStatusCode(a.Status)
	for _, h := range a.Header {
		ctx.Response.Header.Add(h.Name, h.Value) // cors has written a Vary of its own
	}
	ctx.Response.SetBodyRaw(a.Body)
	return nil
}
