package bench

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// liar stands between the crowd and an honest server, and bends answers now and then.
type liar struct {
	*httptest.Server
	mu   sync.Mutex
	seen int    // answers that could have been bent
	kept string // what an earlier answer said
}

// bend changes the body of an answer, or returns it as it is.
type bend func(l *liar, path, body string) string

// every tells the truth four times out of five.
func (l *liar) every() bool {
	l.seen++
	return l.seen%5 == 0
}

func startLiar(t *testing.T, server string, change bend) *liar {
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	l := &liar{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(r *http.Response) error {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			l.mu.Lock()
			bent := change(l, r.Request.URL.Path, string(body))
			l.mu.Unlock()
			if bent == hangUp {
				panic(http.ErrAbortHandler)
			}
			r.Body = io.NopCloser(bytes.NewReader([]byte(bent)))
			r.ContentLength = int64(len(bent))
			r.Header.Set("Content-Length", strconv.Itoa(len(bent)))
			return nil
		},
	}
	l.Server = httptest.NewServer(proxy)
	t.Cleanup(l.Close)
	return l
}

// hangUp, instead of a body, breaks the connection off.
const hangUp = "(hang up)"

var (
	envelopeText = regexp.MustCompile(`"envelope_id":"\d+"`)
	amountText   = regexp.MustCompile(`"amount_fen":\d+`)
	balanceText  = regexp.MustCompile(`"balance_fen":\d+`)
	receiptText  = regexp.MustCompile(`"receipt":"[^"]*"`)
	shownText    = regexp.MustCompile(`\{"id":"\d+","campaign_id":"\d+","status":"held"[^}]*\},?`)
)

func won(body string) bool { return strings.HasPrefix(body, `{"status":"won"`) }

func TestALyingServerIsFound(t *testing.T) {
	for _, row := range []struct {
		lie    string
		change bend
		want   string // a guarantee among the differences
	}{
		{"a win is hidden from its player", func(l *liar, _, body string) string {
			if won(body) && l.every() {
				return `{"status":"sold_out","wins_max":5}`
			}
			return body
		}, "G4"},
		{"one envelope is given to many", func(l *liar, _, body string) string {
			if !won(body) {
				return body
			}
			if envelope := envelopeText.FindString(body); l.kept == "" {
				l.kept = envelope
			} else if l.every() {
				return strings.Replace(body, envelope, l.kept, 1)
			}
			return body
		}, "G2"},
		{"an amount is changed", func(l *liar, path, body string) string {
			if strings.HasSuffix(path, "/open") && l.every() {
				return amountText.ReplaceAllString(body, `"amount_fen":1`)
			}
			return body
		}, "G5"},
		{"a retry gets another receipt", func(l *liar, _, body string) string {
			l.seen++
			return receiptText.ReplaceAllString(body, fmt.Sprintf(`"receipt":"%043d"`, l.seen))
		}, "G7"},
		{"an envelope is left out of wallets", func(l *liar, path, body string) string {
			if strings.HasSuffix(path, "/wallet") && shownText.MatchString(body) && l.every() {
				return strings.Replace(shownText.ReplaceAllString(body, ""), ",]", "]", 1)
			}
			return body
		}, "G4"},
		{"balances are short", func(l *liar, path, body string) string {
			if strings.HasSuffix(path, "/wallet") {
				return balanceText.ReplaceAllString(body, `"balance_fen":7`)
			}
			return body
		}, "G6"},
		{"an undocumented status", func(l *liar, _, body string) string {
			return strings.Replace(body, `"status":"missed"`, `"status":"unlucky"`, 1)
		}, "API"},
		{"half an answer", func(l *liar, path, body string) string {
			if won(body) && l.every() {
				return body[:len(body)/2]
			}
			return body
		}, "API"},
	} {
		t.Run(row.lie, func(t *testing.T) {
			t.Parallel()
			report := runBehind(t, row.change)
			if report.OK() {
				t.Fatal("a lying server passes")
			}
			for _, d := range report.Differences {
				if d.Guarantee == row.want {
					return
				}
			}
			t.Errorf("no difference is about %s: %v", row.want, report.Differences)
		})
	}
}

func runBehind(t *testing.T, change bend) *Report {
	t.Helper()
	server := startServer(t)
	o := server.options()
	o.PlayerURL = startLiar(t, server.player, change).URL
	o.Timeout = 20 * time.Second
	report, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// A network that breaks connections off is no liar: what was lost is asked for again and learnt.
func TestLostAnswersAreLearntAndAreNoDifference(t *testing.T) {
	report := runBehind(t, func(l *liar, path, body string) string {
		if (strings.HasSuffix(path, "/snatch") || strings.HasSuffix(path, "/open")) && l.every() {
			return hangUp
		}
		return body
	})
	if !report.OK() {
		t.Error(report.Differences, report.Problems)
	}
	if countOf(report, "connection lost") == 0 {
		t.Error("no answer was lost")
	}
}
