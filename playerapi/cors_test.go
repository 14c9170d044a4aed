package playerapi

import "testing"

const page = "https://play.example.com"

func TestCORS(t *testing.T) {
	allowed := newGame(t, func(s *settings) { s.CORSOrigins = []string{"http://localhost:3000", page} })
	closed := newGame(t)
	preflight := []string{"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-player-id"}
	for _, row := range []struct {
		name, request, origin string
		game                  *game
		headers               []string
		status                int
		origins, methods      string // Access-Control-Allow-…
		vary                  string
	}{
		{"a preflight of a known page", "OPTIONS /v1/campaigns/1/snatch", page, allowed, preflight, 204, page, "GET, POST, PUT", "Origin"},
		{"a preflight for the camp API", "OPTIONS /snatch", page, allowed, preflight, 204, page, "GET, POST, PUT", "Origin"},
		{"a preflight of a strange page", "OPTIONS /snatch", "https://evil.example.com", allowed, preflight, 204, "", "", "Origin"},
		{"a preflight where no page is known", "OPTIONS /snatch", page, closed, preflight, 204, "", "", ""},
		{"a preflight for nothing", "OPTIONS /v2/snatch", page, allowed, preflight, 404, page, "", "Origin"},
		{"an answer to a known page", "GET /v1/campaigns", page, allowed, nil, 200, page, "", "Origin"},
		{"a refusal to a known page", "GET /v1/wallet", page, allowed, nil, 401, page, "", "Origin"},
		{"an answer to a strange page", "GET /v1/campaigns", "https://play.example.com.evil.com", allowed, nil, 200, "", "", "Origin"},
		{"an answer to no page", "GET /v1/campaigns", "", allowed, nil, 200, "", "", "Origin"},
	} {
		t.Run(row.name, func(t *testing.T) {
			headers := row.headers
			if row.origin != "" {
				headers = append(headers, "Origin: "+row.origin)
			}
			got := row.game.ask(row.request, "", headers...)
			if got.status != row.status || got.header["Access-Control-Allow-Origin"] != row.origins ||
				got.header["Access-Control-Allow-Methods"] != row.methods || got.header["Vary"] != row.vary {
				t.Errorf("got %d %v", got.status, got.header)
			}
			if exposed := got.header["Access-Control-Expose-Headers"]; row.origins != "" && exposed != "Error-Detail, Idempotency-Key, RateLimit, RateLimit-Policy, Retry-After" {
				t.Errorf("exposes %q", exposed)
			}
			if sendable := got.header["Access-Control-Allow-Headers"]; row.methods != "" && sendable != "Idempotency-Key, Authorization, Content-Type, Hongbao-Ticket, Last-Event-ID, X-Player-Id" {
				t.Errorf("the page may send %q", sendable)
			}
		})
	}
}
