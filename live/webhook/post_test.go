package webhook

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// These tests talk over sockets.

func testEndpoint(url string) *Endpoint {
	return &Endpoint{Name: "crm", URL: url, Keys: [][]byte{make([]byte, 32)}}
}

func testItem() *item {
	return &item{id: "1.0", event: eventWon, campaign: 1, at: 946684800000, body: []byte(`{"type":"envelope.won"}`)}
}

// hijack takes the connection of a request and writes to it.
func hijack(write func(net.Conn)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			write(conn)
			conn.Close()
		}
	}
}

func TestWhatReceiversAnswer(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	never := make(chan struct{})
	for _, row := range []struct {
		name   string
		answer http.HandlerFunc
		reason string // empty: accepted
	}{
		{"200", func(http.ResponseWriter, *http.Request) {}, ""},
		{"204", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, ""},
		{"something else than was asked for", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "image/png")
			fmt.Fprint(w, "\x89PNG")
		}, ""},
		{"a body without an end", func(w http.ResponseWriter, r *http.Request) {
			for page := make([]byte, 64<<10); r.Context().Err() == nil; {
				if _, err := w.Write(page); err != nil {
					return
				}
			}
		}, ""},
		{"a body that never comes", hijack(func(c net.Conn) {
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
			<-never
		}), ""},
		{"a body that is cut off", hijack(func(c net.Conn) {
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
			c.(*net.TCPConn).SetLinger(0)
		}), ""},
		{"500", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "answered 500 Internal Server Error"},
		{"a status that nobody knows", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(799) }, "answered 799"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, 307) }, "answered 307 Temporary Redirect: redirects are not followed"},
		{"304", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) }, "answered 304 Not Modified: redirects are not followed"},
		{"410", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(410) }, "answered 410 Gone"},
		{"a connection that is cut off", hijack(func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }), "connection reset|EOF"},
		{"something that is no HTTP", hijack(func(c net.Conn) { fmt.Fprint(c, "SSH-2.0-OpenSSH\r\n\r\n") }), "malformed HTTP"},
		{"a header without an end", hijack(func(c net.Conn) {
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nX-Long: "+strings.Repeat("a", headerMax+4096)+"\r\n\r\n")
		}), "header"},
		{"nothing", hijack(func(net.Conn) { <-never }), "no answer within 300ms"},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := httptest.NewServer(row.answer)
			p := newPost(loopback())
			p.patience = 10 * time.Second
			if strings.HasPrefix(row.reason, "no answer") {
				p.patience = 300 * time.Millisecond
			}
			_, why := p.send(t.Context(), testEndpoint(server.URL), testItem())
			switch {
			case row.reason == "" && why != nil:
				t.Errorf("it is refused: %s", why.reason)
			case row.reason != "" && why == nil:
				t.Errorf("it is accepted")
			case row.reason != "" && !says(why.reason, row.reason):
				t.Errorf("the reason is %q; must be %q", why.reason, row.reason)
			}
			p.close()
			if row.name == "nothing" {
				close(never)
			}
			server.CloseClientConnections()
			server.Close()
		})
	}
}

func says(reason, any string) bool {
	for _, one := range strings.Split(any, "|") {
		if strings.Contains(reason, one) {
			return true
		}
	}
	return false
}

func TestReasonsShowNoAddress(t *testing.T) {
	p := newPost(loopback())
	_, why := p.send(t.Context(), testEndpoint("http://127.0.0.1:1/hook?token=topsecret"), testItem())
	if why == nil || strings.Contains(why.reason, "topsecret") {
		t.Errorf("%+v", why)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2027, 2, 5, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, "-1": 0, "soon": 0, "99999999999999": 0,
		"Fri, 05 Feb 2027 12:00:30 GMT": 30 * time.Second, "Fri, 05 Feb 2027 11:00:00 GMT": 0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q is %s; must be %s", text, got, want)
		}
	}
	for status, counts := range map[int]bool{429: true, 503: true, 500: false} {
		why := judge(&http.Response{StatusCode: status, Header: http.Header{"Retry-After": {"60"}}}, now)
		if (why.wait == time.Minute) != counts {
			t.Errorf("with %d it waits %s", status, why.wait)
		}
	}
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	for _, text := range []string{
		"127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1",
		"100.100.100.200", "100.127.255.255", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
		"240.0.0.1", "255.255.255.255", "168.63.129.16", "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
		"::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "fc00::1", "fd00:ec2::254",
		"fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
	} {
		if err := (guard{}).check(netip.MustParseAddr(text)); err == nil {
			t.Errorf("%s is dialled", text)
		}
	}
	for _, text := range []string{"1.1.1.1", "100.63.255.255", "100.128.0.1", "172.32.0.1", "::ffff:1.1.1.1", "2606:4700::1111", "2a00::1", "2003::1"} {
		if err := (guard{}).check(netip.MustParseAddr(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	allowed := guard{prefixes("10.1.0.0/16", "fd00:1::/32")}
	for text, may := range map[string]bool{"10.1.2.3": true, "::ffff:10.1.2.3": true, "10.2.0.1": false, "fd00:1::5": true, "fd00:2::5": false, "127.0.0.1": false} {
		if err := allowed.check(netip.MustParseAddr(text)); (err == nil) != may {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A name is looked at as what it has become when it is dialled: what it was before does not help.
func TestANameThatLeadsInsideIsRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was reached") }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for _, host := range []string{"localhost", "127.0.0.1", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "127.1", "0"} {
		p := newPost(nil)
		_, why := p.send(t.Context(), testEndpoint("http://"+host+":"+port+"/"), testItem())
		if why == nil {
			t.Errorf("%s was reached", host)
		}
		if host == "localhost" && (why == nil || !strings.Contains(why.reason, "is not public")) {
			t.Errorf("%s: %+v", host, why)
		}
		p.close()
	}
}

func TestProxiesOfTheEnvironmentAreNotUsed(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was sent to a proxy") }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	p := newPost(loopback())
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	p.send(ctx, testEndpoint("http://127.0.0.2:1/"), testItem())
	p.close()
}
