package hongbao

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
)

// Service is what the APIs call: it validates, reads the clock, applies the rules that need no engine, and calls the
// engine. Its methods may be called at once from any number of goroutines.
type Service struct {
	engine   Engine
	clock    *Clock
	receipts ReceiptKey
	camp     campChoice
	logger   *slog.Logger

	statuses [Statuses]atomic.Uint64
	openings atomic.Uint64
	jumped   atomic.Bool
}

// Options are what a [Service] is made of; all but CampCampaign are required.
type Options struct {
	Engine       Engine
	Secret       Secret
	Clock        *Clock
	Logger       *slog.Logger
	CampCampaign string // name of the campaign that the camp API plays; empty: the current rain
}

// NewService makes a service on an engine that is ready.
func NewService(o Options) *Service {
	return &Service{
		engine: o.Engine, clock: o.Clock, receipts: o.Secret.ReceiptKey(), logger: o.Logger,
		camp: campChoice{name: o.CampCampaign},
	}
}

// Now is the engine's time: it never goes back.
func (s *Service) Now() Time { return max(s.clock.Now(), s.engine.Health().Now) }

// Engine is the engine below, for what needs the journal itself: exports, audits, reports.
func (s *Service) Engine() Engine { return s.engine }

// Campaigns lists all campaigns by id; the slice and the campaigns are shared and must not be changed.
func (s *Service) Campaigns() []*Campaign { return s.engine.Campaigns() }

// Campaign finds a campaign, or returns ErrNotFound.
func (s *Service) Campaign(id uint32) (*Campaign, error) {
	if c := find(s.engine.Campaigns(), id); c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("%w: there is no campaign %d", ErrNotFound, id)
}

// find looks a campaign up in the engine's list: ids are given 1, 2, 3 …, so that the place is nearly always known.
func find(campaigns []*Campaign, id uint32) *Campaign {
	if i := int(id) - 1; i >= 0 && i < len(campaigns) && campaigns[i].ID == id {
		return campaigns[i]
	}
	return nil
}

// Progress tells how far a campaign has come.
func (s *Service) Progress(campaign uint32) Progress { return s.engine.Progress(campaign) }

// Create makes a campaign of the spec.
func (s *Service) Create(ctx context.Context, spec Spec, actor string) (*Campaign, error) {
	now := s.Now()
	rules, err := spec.Rules(now)
	if err != nil {
		return nil, err
	}
	return s.engine.Put(ctx, Change{At: now, Actor: actor, Create: &rules})
}

// Revise changes the rules of a campaign, at the revision ifRevision.
func (s *Service) Revise(ctx context.Context, campaign, ifRevision uint32, patch Patch, actor string) (*Campaign, error) {
	return s.engine.Put(ctx, Change{At: s.Now(), Actor: actor, Campaign: campaign, IfRevision: ifRevision, Revise: &patch})
}

// Cancel seals a campaign now; it may be repeated.
func (s *Service) Cancel(ctx context.Context, campaign uint32, actor string) (*Campaign, error) {
	return s.engine.Put(ctx, Change{At: s.Now(), Actor: actor, Campaign: campaign, Cancel: true})
}

// Steady reports whether the clock can be trusted. While it cannot, nothing that follows from it alone may be told or done that
// can't be taken back.
func (s *Service) Steady() bool {
	_, ok := s.clock.Jump()
	return ok
}

// Sync returns when everything acknowledged has reached the books.
func (s *Service) Sync(ctx context.Context) error { return s.engine.Sync(ctx) }

// Counts are how often each outcome was told since the start.
type Counts struct {
	Statuses [Statuses]uint64 // by Status
	Openings uint64           // first openings
}

// Counts reads the counters.
func (s *Service) Counts() Counts {
	counts := Counts{Openings: s.openings.Load()}
	for i := range s.statuses {
		counts.Statuses[i] = s.statuses[i].Load()
	}
	return counts
}

// Health tells how the engine fares, and whether the clock jumped.
func (s *Service) Health() Health {
	health := s.engine.Health()
	if jump, ok := s.clock.Jump(); !ok {
		health.Degraded = fmt.Errorf("the wall clock jumped by %s: sealing and settling wait", jump)
	}
	return health
}

func checkUID(uid uint64) error {
	if uid > UIDMax {
		return Invalid("uid", uid, "from 0 to 9007199254740991 (2^53-1)")
	}
	return nil
}
