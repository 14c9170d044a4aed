package webhook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"time"

	"hongbao"
)

// Options are what a [Sender] is made of. Service, Secret and Logger are required.
type Options struct {
	Service         *hongbao.Service
	Secret          hongbao.Secret // what keys in the journal are sealed with derives from it
	Logger          *slog.Logger
	Endpoints       []Endpoint     // those of the configuration, which the API shows and does not change
	PrivateNetworks []netip.Prefix // where endpoints may be, beside the public Internet
}

// Sender shows, changes and tests endpoints in every process, and delivers in the one where [Sender.Run] runs.
type Sender struct {
	service    *hongbao.Service
	engine     hongbao.Engine
	logger     *slog.Logger
	configured []Endpoint
	safe       safe
	post       *post

	look   time.Duration // lookEvery
	turn   chan struct{} // one reading of the journal at a time
	poked  chan struct{} // the list was changed here
	meters meters
}

// Check says which endpoint of the configuration is wrong.
func Check(endpoints []Endpoint) error {
	if len(endpoints) > EndpointsMax {
		return hongbao.Invalid("webhooks", len(endpoints), fmt.Sprintf("at most %d", EndpointsMax))
	}
	for i, e := range endpoints {
		path := fmt.Sprintf("webhooks[%d].", i)
		if err := e.Check(path); err != nil {
			return err
		}
		if declares(endpoints[:i], e.Name) {
			return hongbao.Invalid(path+"name", e.Name, "a name that no other webhook has")
		}
	}
	return nil
}

// New makes a sender, or says which option is wrong.
func New(o Options) (*Sender, error) {
	if err := Check(o.Endpoints); err != nil {
		return nil, err
	}
	safe, err := newSafe(o.Secret)
	if err != nil {
		return nil, err
	}
	return &Sender{
		service: o.Service, engine: o.Service.Engine(), logger: o.Logger, configured: o.Endpoints, safe: safe,
		post: newPost(o.PrivateNetworks), look: lookEvery,
		turn: make(chan struct{}, 1), poked: make(chan struct{}, 1),
	}, nil
}

const (
	lookEvery   = 100 * time.Millisecond // at what the engine says of the journal's end, which costs nothing
	followEvery = time.Second            // what others have changed
)

// Run delivers until ctx ends: one process does at a time. Of two that both believe to be the one, each event still arrives
// in order from each, and one of them finds out within seconds.
func (s *Sender) Run(ctx context.Context) {
	couriers := crew{sender: s, working: map[string]*shift{}}
	defer couriers.dismiss()
	ticker := time.NewTicker(s.look)
	defer ticker.Stop()
	followed := time.Time{}
	for head := ""; ; {
		if now := time.Now(); now.Sub(followed) >= followEvery {
			followed = now
			couriers.follow(ctx)
		}
		if now := s.engine.Health().Head; now != head {
			head = now
			couriers.hear()
		}
		select {
		case <-ticker.C:
		case <-s.poked:
			followed = time.Time{}
		case <-ctx.Done():
			return
		}
	}
}

// poke has the list looked at.
func (s *Sender) poke() {
	select {
	case s.poked <- struct{}{}:
	default:
	}
}

// crew are the couriers at work.
type crew struct {
	sender  *Sender
	working map[string]*shift // by endpoint
	trouble string            // why the list can't be followed, as it was logged
}

// shift is a courier at work.
type shift struct {
	endpoint Endpoint
	place    place
	news     chan struct{}
	end      context.CancelFunc
	ended    chan struct{}
}

// follow has couriers for the endpoints as they are now. One whose endpoint has changed is relieved: it ends first.
func (w *crew) follow(ctx context.Context) {
	wanted, err := w.sender.assign(ctx)
	if w.note(ctx, err); err != nil {
		return
	}
	for name, s := range w.working {
		now, still := wanted[name]
		if !still || !reflect.DeepEqual(now.endpoint, s.endpoint) || now.place != s.place {
			s.end()
		}
		select {
		case <-s.ended:
			delete(w.working, name)
		default:
		}
	}
	for name, a := range wanted {
		if w.working[name] == nil {
			w.working[name] = w.begin(ctx, a)
		}
	}
	w.sender.meters.keep(wanted)
}

func (w *crew) note(ctx context.Context, err error) {
	trouble := ""
	if err != nil {
		trouble = err.Error()
	}
	if trouble != w.trouble && ctx.Err() == nil {
		if w.trouble = trouble; err != nil {
			w.sender.logger.Error("the list of webhooks can't be followed; it is tried again", "error", err)
		} else {
			w.sender.logger.Info("the list of webhooks is followed again")
		}
	}
}

func (w *crew) begin(ctx context.Context, a assignment) *shift {
	ctx, end := context.WithCancel(ctx)
	s := &shift{a.endpoint, a.place, make(chan struct{}, 1), end, make(chan struct{})}
	c := &courier{
		sender: w.sender, endpoint: a.endpoint, place: a.place, news: s.news,
		log: log{sender: w.sender, name: slotName(a.place.Slot)}, meter: w.sender.meters.of(a.endpoint.Name),
		outcomes: make(chan outcome), found: make(chan reading), written: make(chan error),
	}
	go func() {
		defer w.sender.poke() // so that it is relieved at once
		defer close(s.ended)
		defer end()
		if err := c.run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			w.sender.logger.Warn("a webhook's deliveries begin again", "webhook", a.endpoint.Name, "error", err)
			<-w.sender.pause(ctx)
		}
	}()
	return s
}

// pause ends after followEvery, or with ctx.
func (s *Sender) pause(ctx context.Context) <-chan struct{} {
	ctx, cancel := context.WithTimeout(ctx, followEvery)
	context.AfterFunc(ctx, cancel)
	return ctx.Done()
}

// hear tells all couriers that the journal has grown.
func (w *crew) hear() {
	for _, s := range w.working {
		select {
		case s.news <- struct{}{}:
		default:
		}
	}
}

// dismiss returns when all have stopped.
func (w *crew) dismiss() {
	for _, s := range w.working {
		s.end()
	}
	for _, s := range w.working {
		<-s.ended
	}
	w.sender.post.close()
	w.sender.meters.keep(nil)
}

// assignment is an endpoint with its place.
type assignment struct {
	endpoint Endpoint
	place    place
}

// assign is what is to be delivered where, by name. Endpoints of the configuration that come for the first time get their
// place here.
func (s *Sender) assign(ctx context.Context) (map[string]assignment, error) {
	l, _, err := s.load(ctx)
	if err != nil {
		return nil, err
	}
	for _, e := range s.configured {
		if l.place(e.Name) == nil {
			if l, err = s.settleNow(ctx, e.Name, "config"); err != nil {
				return nil, err
			}
		}
	}
	wanted := map[string]assignment{}
	for _, e := range s.endpoints(&l) {
		if p := l.place(e.Name); p != nil && e.broken == nil && !e.Disabled {
			wanted[e.Name] = assignment{e.Endpoint, *p}
		}
	}
	return wanted, nil
}

// settleNow gives an endpoint its place, at the journal's end.
func (s *Sender) settleNow(ctx context.Context, name, actor string) (list, error) {
	begin, err := s.end(ctx, name, actor)
	if err != nil {
		return list{}, err
	}
	return s.change(ctx, actor, func(l *list) error {
		if l.place(name) != nil {
			return nil
		}
		return l.settle(name, begin, s.configured)
	})
}

// listed is an endpoint with where it comes from.
type listed struct {
	Endpoint
	revision uint64 // of the API's; 0: the configuration's
	broken   error  // why its keys can't be read
}

// endpoints are all, by name. Where the configuration and the API have one of the same name, it is the configuration's.
func (s *Sender) endpoints(l *list) []listed {
	var all []listed
	for _, e := range s.configured {
		all = append(all, listed{Endpoint: e})
	}
	for _, e := range l.Endpoints {
		if declares(s.configured, e.Name) {
			continue
		}
		keys, err := s.safe.open(e.Name, e.Sealed)
		all = append(all, listed{
			Endpoint: Endpoint{Name: e.Name, URL: e.URL, Keys: keys, Events: e.Events, Campaigns: e.Campaigns, Disabled: e.Disabled},
			revision: e.Revision, broken: err,
		})
	}
	slices.SortFunc(all, func(a, b listed) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// meters are the counters of the endpoints at work.
type meters struct {
	mu sync.Mutex
	by map[string]*meter
}
