package webhook

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"hongbao"
)

// Spec is an endpoint as an administrator gives it.
type Spec struct {
	URL       string   `json:"url"`
	Secret    Secrets  `json:"secret"` // left out: what the endpoint has, or a new one
	Events    []string `json:"events"`
	Campaigns []string `json:"campaigns"`
	Disabled  bool     `json:"disabled"`
}

// ParseSpec reads one from JSON, strictly.
func ParseSpec(data []byte) (s Spec, err error) {
	err = hongbao.DecodeStrict(data, &s)
	return s, err
}

// Put makes an endpoint, or replaces the one of that name, which goes on from where it is, and tries again at once what
// failed. A new one begins at the end of the journal as it is now. IfRevision refuses with [hongbao.ErrStale] unless the
// endpoint has that revision, 0: that there is none; nil takes any. Of an endpoint of the configuration it is
// [hongbao.ErrDeclared]. The status has the secret where one was made here: nothing shows it again.
func (s *Sender) Put(ctx context.Context, name string, spec Spec, ifRevision *uint64, actor string) (EndpointStatus, error) {
	next, text, err := s.complete(ctx, name, spec)
	if err != nil {
		return EndpointStatus{}, err
	}
	if err := s.checkChange(ctx, name, ifRevision); err != nil {
		return EndpointStatus{}, err // before it is marked in the journal where it would begin
	}
	begin, err := s.end(ctx, name, actor)
	if err != nil {
		return EndpointStatus{}, err
	}
	_, err = s.change(ctx, actor, func(l *list) error {
		if err := s.mayChange(l, name, ifRevision); err != nil {
			return err
		}
		next.Revision = l.Revision
		if known := l.endpoint(name); known == nil {
			l.Endpoints = append(l.Endpoints, next)
		} else {
			if len(spec.Secret) == 0 { // what it has by now, whoever set it meanwhile
				next.Sealed, text = known.Sealed, ""
			}
			*known = next
		}
		if p := l.place(name); p != nil {
			p.Kick = l.Revision
			return nil
		}
		return l.settle(name, begin, s.configured)
	})
	if err != nil {
		return EndpointStatus{}, err
	}
	status, err := s.Status(ctx, name)
	status.Secret = text
	return status, err
}

// complete makes of a spec what is journaled, with the text of its key where it was made here.
func (s *Sender) complete(ctx context.Context, name string, spec Spec) (next stored, text string, err error) {
	keys, err := spec.Secret.Keys("")
	if err != nil {
		return stored{}, "", err
	}
	if len(keys) == 0 {
		if keys, text, err = s.keysOf(ctx, name); err != nil {
			return stored{}, "", err
		}
	}
	e := Endpoint{Name: name, URL: spec.URL, Keys: keys, Events: spec.Events, Campaigns: spec.Campaigns, Disabled: spec.Disabled}
	if err := e.Check(""); err != nil {
		return stored{}, "", err
	}
	return stored{
		Name: name, URL: e.URL, Sealed: s.safe.seal(name, keys), Events: e.Events, Campaigns: e.Campaigns, Disabled: e.Disabled,
	}, text, nil
}

// keysOf are the keys that an endpoint has, or a new one with its text.
func (s *Sender) keysOf(ctx context.Context, name string) (keys [][]byte, text string, err error) {
	l, _, err := s.load(ctx)
	if err != nil {
		return nil, "", err
	}
	if known := l.endpoint(name); known != nil {
		keys, err = s.safe.open(name, known.Sealed)
		return keys, "", err
	}
	key, text := newKey()
	return [][]byte{key}, text, nil
}

func (s *Sender) checkChange(ctx context.Context, name string, ifRevision *uint64) error {
	l, _, err := s.load(ctx)
	if err != nil {
		return err
	}
	return s.mayChange(&l, name, ifRevision)
}

// mayChange refuses what the configuration declares, and a change that was made from another revision.
func (s *Sender) mayChange(l *list, name string, ifRevision *uint64) error {
	if declares(s.configured, name) {
		return fmt.Errorf("%w: the configuration declares the webhook %s: change it there", hongbao.ErrDeclared, name)
	}
	revision := uint64(0)
	if known := l.endpoint(name); known != nil {
		revision = known.Revision
	}
	if ifRevision != nil && *ifRevision != revision {
		return fmt.Errorf("%w: the webhook %s has revision %d, not %d", hongbao.ErrStale, name, revision, *ifRevision)
	}
	return nil
}

// Delete forgets an endpoint and how far it had come. Errors: as those of Put, and ErrNotFound.
func (s *Sender) Delete(ctx context.Context, name string, ifRevision *uint64, actor string) error {
	_, err := s.change(ctx, actor, func(l *list) error {
		if err := s.mayChange(l, name, ifRevision); err != nil {
			return err
		}
		if l.endpoint(name) == nil {
			return notFound(name)
		}
		l.Endpoints = slices.DeleteFunc(l.Endpoints, func(e stored) bool { return e.Name == name })
		l.Places = slices.DeleteFunc(l.Places, func(p place) bool { return p.Name == name })
		return nil
	})
	return err
}

func notFound(name string) error {
	return fmt.Errorf("%w: there is no webhook %q", hongbao.ErrNotFound, name)
}

// Where a replay may begin, beside a position of the journal.
const (
	FromStart  = "start"  // at the first event
	FromParked = "parked" // each campaign where it stopped: what failed, and what is parked, is tried at once
)

// Replay has an endpoint go on from a position, with all its campaigns, or from where it stopped.
func (s *Sender) Replay(ctx context.Context, name, from, actor string) (EndpointStatus, error) {
	begin := hongbao.Position(from)
	switch from {
	case FromParked:
	case FromStart, "":
		begin = ""
	default:
		if err := s.reached(ctx, begin, name, actor); err != nil {
			return EndpointStatus{}, err
		}
	}
	_, err := s.change(ctx, actor, func(l *list) error {
		if !s.has(l, name) {
			return notFound(name)
		}
		p := l.place(name)
		switch {
		case p != nil && from == FromParked:
			p.Kick = l.Revision
		case p != nil:
			p.Generation, p.Begin = l.Revision, begin
		case from == FromParked:
			return hongbao.Invalid("from", from, "a position or start: nothing has been delivered yet")
		default:
			return l.settle(name, begin, s.configured)
		}
		return nil
	})
	if err != nil {
		return EndpointStatus{}, err
	}
	return s.Status(ctx, name)
}

// reached refuses a position that the journal has yet to come to: what happens until then would never be told. Where nothing
// follows it, it may be the journal's end; then a mark that is journaled now does.
func (s *Sender) reached(ctx context.Context, position hongbao.Position, name, actor string) error {
	if is, err := s.isFollowed(ctx, position); is || err != nil {
		return err
	}
	if _, err := s.end(ctx, name, actor); err != nil {
		return err
	}
	if err := s.engine.Sync(ctx); err != nil {
		return err
	}
	if is, err := s.isFollowed(ctx, position); is || err != nil {
		return err
	}
	return hongbao.Invalid("from", position, "a position that the journal has come to")
}

func (s *Sender) isFollowed(ctx context.Context, position hongbao.Position) (bool, error) {
	for _, err := range s.engine.Journal(ctx, position) {
		return err == nil, err
	}
	return false, nil
}

func (s *Sender) has(l *list, name string) bool {
	return declares(s.configured, name) || l.endpoint(name) != nil
}

// TestResult is what became of a test.
type TestResult struct {
	Accepted  bool   `json:"accepted"`
	ID        string `json:"id" doc:"The webhook-id that was sent"`
	Status    int    `json:"status,omitempty" doc:"Of the answer; left out where there was none"`
	LatencyMS int64  `json:"latency_ms"`
	Error     string `json:"error,omitempty" doc:"Why it was not accepted"`
}

// testData is what a test sends.
type testData struct {
	Webhook string `json:"webhook"`
	Actor   string `json:"actor"`
}

// Test sends a signed message now, from this process. Where it is accepted, an endpoint that had answered 410 goes on.
func (s *Sender) Test(ctx context.Context, name, actor string) (TestResult, error) {
	l, _, err := s.load(ctx)
	if err != nil {
		return TestResult{}, err
	}
	e, err := s.find(&l, name)
	if err != nil {
		return TestResult{}, err
	}
	began := time.Now()
	at := hongbao.TimeOf(began)
	m := item{id: "test_" + rand.Text(), event: eventTest, at: at, body: encode(envelope{eventTest, at, testData{name, actor}})}
	status, why := s.post.send(ctx, &e.Endpoint, &m)
	result := TestResult{Accepted: why == nil, ID: m.id, Status: status, LatencyMS: time.Since(began).Milliseconds()}
	if why != nil {
		result.Error = why.reason
		return result, nil
	}
	return result, s.revive(ctx, &l, name, actor)
}

// revive lets an endpoint go on that had answered 410.
func (s *Sender) revive(ctx context.Context, l *list, name, actor string) error {
	p := l.place(name)
	if p == nil {
		return nil
	}
	c, _, found, err := s.readCursor(ctx, *p)
	if err != nil || !found || c.Gone == nil || c.Kick < p.Kick {
		return err
	}
	_, err = s.change(ctx, actor, func(l *list) error {
		if p := l.place(name); p != nil {
			p.Kick = l.Revision
		}
		return nil
	})
	return err
}

// find is the endpoint of that name, with keys that can be read.
func (s *Sender) find(l *list, name string) (listed, error) {
	for _, e := range s.endpoints(l) {
		if e.Name == name {
			return e, e.broken
		}
	}
	return listed{}, notFound(name)
}
