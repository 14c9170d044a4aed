package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
	"hongbao/embedded"
)

// Most tests run in a bubble of testing/synctest: time passes only when nothing else is left to do, an hour takes no time,
// and synctest.Wait returns when everything that can happen has happened. Engine, HTTP client and HTTP servers are the real
// ones; the network between them is pipes.

// bed is a sender on a real engine in memory.
type bed struct {
	t       *testing.T
	files   *vfs.MemFS
	engine  *embedded.Engine
	service *hongbao.Service
	sender  *Sender
	network *network
	logs    *bytes.Buffer
	halt    func() // ends Run
}

// inBubble runs a test in a bubble, in which time begins at midnight of 2000-01-01.
func inBubble(t *testing.T, test func(*testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

func newBed(t *testing.T, configured ...Endpoint) *bed {
	t.Helper()
	b := &bed{t: t, files: vfs.NewCrashableMem(), network: &network{hosts: map[string]*pipes{}}, logs: &bytes.Buffer{}}
	b.open(configured...)
	t.Cleanup(b.close)
	return b
}

// open starts engine and sender on what the files hold.
func (b *bed) open(configured ...Endpoint) {
	b.t.Helper()
	logger := slog.New(slog.NewTextHandler(b.logs, nil))
	clock := hongbao.SystemClock()
	var err error
	b.engine, err = embedded.Open(embedded.Options{
		Dir: "data", FS: b.files, Calendar: hongbao.NewCalendar(time.UTC), SegmentBytes: 1 << 20, Now: clock.Now, Logger: logger,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.service = hongbao.NewService(hongbao.Options{Engine: b.engine, Secret: b.engine.Secret(), Clock: clock, Logger: logger})
	b.sender = b.newSender(configured...)
}

// newSender makes one more sender on the engine, as another process has it.
func (b *bed) newSender(configured ...Endpoint) *Sender {
	b.t.Helper()
	s, err := New(Options{
		Service: b.service, Secret: b.engine.Secret(), Logger: slog.New(slog.NewTextHandler(b.logs, nil)), Endpoints: configured,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	s.post.client.Transport.(*http.Transport).DialContext = b.network.dial
	return s
}

// run begins to deliver.
func (b *bed) run() { b.halt = b.runs(b.sender) }

// runs has a sender deliver, and returns what ends it.
func (b *bed) runs(s *Sender) (halt func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx)
	}()
	return func() { cancel(); <-ended }
}

// stop ends the deliveries.
func (b *bed) stop() {
	if b.halt != nil {
		b.halt()
		b.halt = nil
	}
}

func (b *bed) close() {
	b.stop()
	b.network.close()
	b.sender.post.close()
	if err := b.engine.Close(); err != nil {
		b.t.Error(err)
	}
}

// crash goes on with what a crash at this moment leaves of the files: what was synced.
func (b *bed) crash(configured ...Endpoint) {
	b.t.Helper()
	left := b.files.CrashClone(vfs.CrashCloneCfg{})
	b.stop()
	if err := b.engine.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.files = left
	b.open(configured...)
}

// rain makes a campaign that is open now.
func (b *bed) rain(name string, count int64) uint32 {
	b.t.Helper()
	equal, unlimited := hongbao.Equal, 0
	c, err := b.service.Create(b.t.Context(), hongbao.Spec{
		Name: name, Kind: hongbao.Rain, OpensAt: hongbao.AtTime(b.service.Now()), Lasts: hongbao.Duration(80 * 24 * time.Hour),
		Budget: hongbao.BudgetSpec{TotalFen: 50 * count, Count: uint64(count), Split: &equal}, WinsMax: &unlimited,
	}, "ann")
	if err != nil {
		b.t.Fatal(err)
	}
	return c.ID
}

func (b *bed) win(campaign uint32, uid uint64) hongbao.EnvelopeID {
	b.t.Helper()
	r, err := b.service.Snatch(b.t.Context(), hongbao.SnatchRequest{Campaign: campaign, UID: uid})
	if err != nil || r.Status != hongbao.Won {
		b.t.Fatalf("snatch: %+v, %v", r, err)
	}
	return r.Envelope
}

func (b *bed) wins(campaign uint32, n int) {
	b.t.Helper()
	for i := range n {
		b.win(campaign, uint64(i))
	}
}

// live journals an event as the announcer does.
func (b *bed) live(id int, event string, campaign uint32) {
	b.t.Helper()
	data := fmt.Sprintf(`{"id":%d,"event":%q,"data":{"campaign_id":"%d","server_time":"2000-01-01T00:00:00Z"},"state":[]}`, id, event, campaign)
	_, err := b.engine.Record(b.t.Context(), hongbao.Event{At: b.service.Now(), Actor: "server", Name: fmt.Sprintf("live.%d", id%256), Data: []byte(data)}, nil)
	if err != nil {
		b.t.Fatal(err)
	}
}

// put makes an endpoint for everything.
func (b *bed) put(name, url string, secrets ...string) EndpointStatus {
	b.t.Helper()
	status, err := b.sender.Put(b.t.Context(), name, Spec{URL: url, Secret: secrets}, nil, "ann")
	if err != nil {
		b.t.Fatal(err)
	}
	return status
}

func (b *bed) status(name string) EndpointStatus {
	b.t.Helper()
	status, err := b.sender.Status(b.t.Context(), name)
	if err != nil {
		b.t.Fatal(err)
	}
	return status
}

// journaled are the ids of what an endpoint for everything gets, by campaign, in the order of the journal.
func (b *bed) journaled() map[uint32][]string {
	b.t.Helper()
	ids := map[uint32][]string{}
	for entry, err := range b.engine.Journal(b.t.Context(), "") {
		if err != nil {
			b.t.Fatal(err)
		}
		if n, ok := noticeOf(entry.Event); ok {
			ids[n.campaign] = append(ids[n.campaign], entry.ID)
		}
	}
	return ids
}

// network is the hosts there are.
type network struct {
	mu    sync.Mutex
	hosts map[string]*pipes
}

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	host := n.hosts[address]
	n.mu.Unlock()
	if host == nil {
		return nil, errors.New("connection refused")
	}
	ours, theirs := net.Pipe()
	select {
	case host.conns <- theirs:
		return ours, nil
	case <-host.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (n *network) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, host := range n.hosts {
		host.stop()
	}
}

// pipes is a [net.Listener] of a host.
type pipes struct {
	conns   chan net.Conn
	closed  chan struct{}
	closing sync.Once
	stop    func()
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.closing.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// receiver is a company's server.
type receiver struct {
	t    *testing.T
	url  string
	host *pipes

	mu     sync.Mutex
	got    []message
	answer func(http.ResponseWriter, message)
	keys   [][]byte // of which one must have signed
}

// message is one request.
type message struct {
	id, kind, campaign string
	at                 time.Time
	accepted           bool
	header             http.Header
	body               string
	data               map[string]any
}

// receive starts a server. A nil answer accepts.
func (b *bed) receive(host string, answer func(http.ResponseWriter, message)) *receiver {
	r := &receiver{t: b.t, url: "http://" + host + "/hook", answer: answer}
	r.host = &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: r, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		server.Serve(r.host)
	}()
	r.host.stop = func() { server.Close(); <-ended }
	b.network.mu.Lock()
	b.network.hosts[host+":80"] = r.host
	b.network.mu.Unlock()
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return
	}
	m := message{id: request.Header.Get("webhook-id"), at: time.Now(), header: request.Header, body: string(body)}
	var told struct {
		Type      string         `json:"type"`
		Timestamp hongbao.Time   `json:"timestamp"`
		Data      map[string]any `json:"data"`
	}
	if err := json.Unmarshal(body, &told); err != nil || told.Timestamp == 0 {
		r.t.Errorf("the body %s: %v", body, err)
	}
	m.kind, m.data = told.Type, told.Data
	m.campaign, _ = told.Data["campaign_id"].(string)
	r.mu.Lock()
	answer, keys := r.answer, r.keys
	r.mu.Unlock()
	if keys != nil && !verifies(m, keys) {
		r.t.Errorf("%s is not signed: %v", m.id, m.header)
	}
	recorded := &recorder{ResponseWriter: w, status: http.StatusOK}
	defer func() {
		m.accepted = recorded.status/100 == 2
		r.mu.Lock()
		r.got = append(r.got, m)
		r.mu.Unlock()
	}()
	if answer != nil {
		answer(recorded, m)
	}
}

// verifies checks a signature as https://www.standardwebhooks.com says, from the headers alone: "v1," and the base64 of
// HMAC-SHA256 over id.timestamp.body, of which a list is separated by spaces.
func verifies(m message, keys [][]byte) bool {
	stamp := m.header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if away := m.at.Sub(time.Unix(seconds, 0)).Abs(); err != nil || away > 5*time.Minute {
		return false
	}
	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%s.%s", m.id, stamp, m.body)
		want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		for _, signature := range strings.Split(m.header.Get("webhook-signature"), " ") {
			if hmac.Equal([]byte(signature), []byte(want)) {
				return true
			}
		}
	}
	return false
}

type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// answers changes what the receiver does.
func (r *receiver) answers(answer func(http.ResponseWriter, message)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// with answers every request with a status.
func with(status int) func(http.ResponseWriter, message) {
	return func(w http.ResponseWriter, _ message) { w.WriteHeader(status) }
}

func (r *receiver) messages() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]message(nil), r.got...)
}

// firsts are the ids that were accepted, by campaign, each when it came first.
func (r *receiver) firsts() map[uint32][]string {
	seen, ids := map[string]bool{}, map[uint32][]string{}
	for _, m := range r.messages() {
		if m.accepted && !seen[m.id] {
			seen[m.id] = true
			campaign, _ := strconv.ParseUint(m.campaign, 10, 32)
			ids[uint32(campaign)] = append(ids[uint32(campaign)], m.id)
		}
	}
	return ids
}

// mustAllow lets loopback be dialled, for tests with sockets.
func loopback() []netip.Prefix { return prefixes("127.0.0.0/8", "::1/128") }
