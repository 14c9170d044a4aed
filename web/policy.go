package web

import "strings"

// content is what a page may load and run: files of its own server alone. Nothing inline is run or applied, so that markup
// that somebody got into a page does nothing.
const content = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"font-src 'self'; manifest-src 'self'; media-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "

// playerPolicy lets pages of the origins show the player page in a frame. There is no Cross-Origin-Opener-Policy: a page
// elsewhere may open it in a window and give it a token by postMessage.
func playerPolicy(origins []string) []Header {
	return policy(strings.Join(append([]string{"'self'"}, origins...), " "))
}

func consolePolicy() []Header {
	return append(policy("'none'"),
		Header{"X-Frame-Options", "DENY"}, // for browsers that don't know frame-ancestors
		Header{"Cross-Origin-Opener-Policy", "same-origin"},
		Header{"Cross-Origin-Resource-Policy", "same-origin"})
}

func policy(ancestors string) []Header {
	return []Header{
		{"Content-Security-Policy", content + ancestors},
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "no-referrer"}, // tokens come in the fragment, which is never sent; nor is anything else
		{"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
	}
}
