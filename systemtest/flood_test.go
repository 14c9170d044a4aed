package systemtest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/valyala/fasthttp"

	"hongbao"
)

// siege is a server, honest players who ask about 200 times a second in all, and a flood against them.
type siege struct {
	t        *testing.T
	server   *server
	campaign uint32
	identity func(uid uint64) string // header

	stop     chan struct{} // the flood ends
	flooders sync.WaitGroup
	mu       sync.Mutex
	flood    map[int]int // answers to the flood, by HTTP status
}

// Rates such that honest players fit into what all may ask together, and a flood does not.
var siegeArgs = []string{
	"--player.trusted_peers=127.0.0.1/32", "--gate.global.rate=400", "--gate.global.burst=400",
	"--gate.player.rate=20", "--gate.player.burst=40", "--gate.address.rate=50", "--gate.address.burst=100",
}

func newSiege(t *testing.T, args ...string) *siege {
	t.Helper()
	s := &siege{t: t, server: serve(t, append(siegeArgs, args...)...), stop: make(chan struct{}), flood: map[int]int{}}
	s.identity = func(uid uint64) string { return fmt.Sprintf("X-Player-Id: %d", uid) }
	var spec hongbao.Spec
	parse(t, `{"name": "siege", "kind": "rain", "opens_at": "+0s", "lasts": "1h", "chance": 0.5, "wins_max": 5, "budget": {"total_fen": 1000000000, "count": 1000000}}`, &spec)
	id, err := s.server.admin().Create(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	s.campaign = id
	t.Cleanup(s.end)
	return s
}

// end ends the flood; it may be called again.
func (s *siege) end() {
	select {
	case <-s.stop:
	default:
		close(s.stop)
	}
	s.flooders.Wait()
}

// request is a snatch of a player from an address.
func (s *siege) request(who, from string) []byte {
	return fmt.Appendf(nil, "POST /v1/campaigns/%d/snatch HTTP/1.1\r\nHost: a\r\n%s\r\nX-Forwarded-For: %s\r\nContent-Length: 0\r\n\r\n", s.campaign, who, from)
}

// dial connects with small buffers, until the flood ends.
func (s *siege) dial() (net.Conn, error) {
	dialer := net.Dialer{Timeout: 5 * time.Second, Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(descriptor uintptr) {
			_ = syscall.SetsockoptInt(int(descriptor), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 2<<10)
		})
	}}
	conn, err := dialer.Dial("tcp", strings.TrimPrefix(s.server.Player, "http://"))
	if err != nil {
		return nil, err
	}
	s.flooders.Go(func() {
		<-s.stop
		conn.Close()
	})
	return conn, nil
}

// pour sends requests over several connections, as fast as they are answered.
func (s *siege) pour(make func(n int) []byte) {
	s.t.Helper()
	const connections, piece = 8, 16
	var next atomic.Int64
	for range connections {
		conn, err := s.dial()
		if err != nil {
			s.t.Fatal(err)
		}
		s.flooders.Go(func() {
			reader := bufio.NewReader(conn)
			for {
				var requests []byte
				for range piece {
					requests = append(requests, make(int(next.Add(1)))...)
				}
				if _, err := conn.Write(requests); err != nil {
					return
				}
				for range piece {
					var response fasthttp.Response
					if err := response.Read(reader); err != nil {
						return
					}
					s.mu.Lock()
					s.flood[response.StatusCode()]++
					s.mu.Unlock()
				}
			}
		})
	}
	s.awaitFlood()
}

// awaitFlood waits until the flood is more than the server takes in at once.
func (s *siege) awaitFlood() {
	s.t.Helper()
	eventually(s.t, 30*time.Second, "the flood is there", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		sum := 0
		for _, n := range s.flood {
			sum += n
		}
		return sum > 1000
	})
}

// play lets honest players play, each from an address of its own, and returns how often they asked and how many asked in
// vain: there was no answer, or it was to come again.
func (s *siege) play() (asked, vain int, answers map[string]int) {
	s.t.Helper()
	const players, requests, pace = 10, 20, 50 * time.Millisecond
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: players}}
	defer client.CloseIdleConnections()
	answers = map[string]int{}
	var mu sync.Mutex
	var playing sync.WaitGroup
	for p := range players {
		who := s.identity(uint64(p + 1))
		playing.Go(func() {
			for range requests {
				label, ok := s.ask(client, who, fmt.Sprintf("10.1.0.%d", p))
				mu.Lock()
				asked++
				answers[label]++
				if !ok {
					vain++
				}
				mu.Unlock()
				time.Sleep(pace) // players think
			}
		})
	}
	playing.Wait()
	return asked, vain, answers
}

func (s *siege) ask(client *http.Client, who, from string) (label string, ok bool) {
	request, err := http.NewRequest("POST", fmt.Sprintf("%s/v1/campaigns/%d/snatch", s.server.Player, s.campaign), http.NoBody)
	if err != nil {
		return err.Error(), false
	}
	name, value, _ := strings.Cut(who, ": ")
	request.Header.Set(name, value)
	request.Header.Set("X-Forwarded-For", from)
	answer, err := client.Do(request)
	if err != nil {
		return err.Error(), false
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.Status, answer.StatusCode == http.StatusOK
}

// stand checks that honest players are served all the same.
func (s *siege) stand() {
	s.t.Helper()
	asked, vain, answers := s.play()
	if 100*vain > 5*asked {
		s.t.Errorf("%d of %d honest requests were in vain: %v; the flood: %v", vain, asked, answers, s.answered())
	}
}

func (s *siege) answered() map[int]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := map[int]int{}
	for status, n := range s.flood {
		counts[status] = n
	}
	return counts
}

// bounded checks that no more of the flood was let through than a bucket of that rate and burst gives away.
func (s *siege) bounded(began time.Time, rate, burst int) {
	s.t.Helper()
	s.end()
	most := burst + int(time.Since(began).Seconds()*float64(rate)) + 1
	if let := s.flood[http.StatusOK]; let > most || s.flood[http.StatusTooManyRequests] == 0 {
		s.t.Errorf("a bucket of %d a second let %d through, at most %d: %v", rate, let, most, s.flood)
	}
}

func TestOneLoudPlayerIsNotInTheWayOfOthers(t *testing.T) {
	t.Parallel()
	s := newSiege(t)
	began := time.Now()
	s.pour(func(n int) []byte { return s.request(s.identity(7777), fmt.Sprintf("10.2.%d.%d", n>>8&255, n&255)) })
	s.stand()
	s.bounded(began, 20, 40)
}

func TestOneLoudAddressIsNotInTheWayOfOthers(t *testing.T) {
	t.Parallel()
	s := newSiege(t)
	began := time.Now()
	s.pour(func(n int) []byte { return s.request(s.identity(uint64(1_000_000+n)), "10.3.0.1") })
	s.stand()
	s.bounded(began, 50, 100)
}

func TestForgedTokensDoNotGetIn(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("k", 32)
	s := newSiege(t, "--player.auth=jwt", "--player.jwt.alg=HS256", "--player.jwt.key="+key)
	s.identity = func(uid uint64) string { return "Authorization: Bearer " + mint(t, key, uid) }
	const prepared = 2000
	var forged [][]byte
	for n := range prepared {
		bearer := "Authorization: Bearer " + mint(t, strings.Repeat("f", 32), uint64(n%20))
		forged = append(forged, s.request(bearer, fmt.Sprintf("10.2.0.%d", n%200)))
	}
	s.pour(func(n int) []byte { return forged[n%prepared] })
	s.stand()
	s.end()
	for status, n := range s.flood {
		if status != http.StatusUnauthorized && status != http.StatusTooManyRequests {
			t.Errorf("%d forged tokens were answered %d", n, status)
		}
	}
}

func mint(t *testing.T, key string, uid uint64) string {
	t.Helper()
	claims := jwt.RegisteredClaims{Subject: fmt.Sprint(uid), ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Hour))}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestConnectionsThatDoNotReadOrEndAreNotInTheWay(t *testing.T) {
	t.Parallel()
	s := newSiege(t)
	lists := bytes.Repeat([]byte("GET /v1/campaigns HTTP/1.1\r\nHost: a\r\n\r\n"), 64)
	half := []byte("POST /v1/campaigns/1/snatch HTTP/1.1\r\nHost: a\r\nX-Slow: ")
	for n := range 200 {
		conn, err := s.dial()
		if err != nil {
			t.Fatal(err)
		}
		if n%10 != 0 {
			if _, err := conn.Write(half); err != nil {
				t.Fatal(err)
			}
			continue
		}
		s.flooders.Go(func() {
			for err := error(nil); err == nil; { // until nobody takes any more
				_, err = conn.Write(lists)
			}
		})
	}
	s.stand()
}
