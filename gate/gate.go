package gate

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"hongbao"
)

// Sizes of the tables: 4 million cells of players in 32 MiB, a million of addresses in 8 MiB, and as many of addresses that
// tokens failed from in 1 MiB.
const (
	playerBits  = 22
	addressBits = 20
	failureBits = 17
)

// waitersMax is how many may wait for the lots of all campaigns: fewer than the player port has connections at best, of which
// each of them holds one.
const waitersMax = 50_000

// Options are what a [Gate] is made of. Service, Secret and Logger are required.
type Options struct {
	Service *hongbao.Service
	Secret  hongbao.Secret // tickets and lots derive from it
	Logger  *slog.Logger

	Global, Player, Address Rate // until an administrator sets others; the zero value is no limit
	InFlight                int  // requests in the engine: 0 adapts to latency, above 0 is fixed, below 0 is no limit
	Waiters                 int  // for lots, at once; 0, and above 50,000: 50,000
	Ticket                  TicketOptions
	Risk                    RiskOptions
}

// Gate decides whether a request reaches the engine. Its methods may be called at once from any number of goroutines.
type Gate struct {
	service    *hongbao.Service
	logger     *slog.Logger
	started    time.Time
	configured Settings

	changing sync.Mutex // the settings
	force    atomic.Pointer[force]

	failures     *table
	failureLimit *limit

	tickets  *tickets
	lots     *lots
	risk     *risk
	inFlight *inFlight
	breaker  *breaker
	refused  [reasons]atomic.Uint64

	unread bool // the settings could not be read when they were looked at last
}

// failureRate is how often tokens that don't verify may come from one address, for each costs the check of a signature. It
// is generous: behind a carrier's address are thousands of players, of whom some have tokens that have just ended.
var failureRate = Rate{Rate: 50, Burst: 200}

// Check says which option is wrong, with nothing but the options.
func (o *Options) Check() error {
	if _, err := newForce("gate.", o.settings()); err != nil {
		return err
	}
	if _, err := newTickets(o.Ticket, hongbao.Secret{}); err != nil {
		return err
	}
	hook, err := newRisk(o.Risk, slog.New(slog.DiscardHandler))
	if err == nil {
		hook.close()
	}
	return err
}

// settings are those that hold until an administrator sets others.
func (o *Options) settings() Settings {
	return Settings{Global: o.Global, Player: o.Player, Address: o.Address}
}

func (o *Options) waiters() int {
	if o.Waiters == 0 {
		return waitersMax
	}
	return min(o.Waiters, waitersMax)
}

// New makes a gate with the settings that were journaled last, or says which option is wrong.
func New(ctx context.Context, o Options) (*Gate, error) {
	first, err := newForce("gate.", o.settings())
	if err != nil {
		return nil, err
	}
	g := &Gate{
		service: o.Service, logger: o.Logger, started: time.Now(), configured: first.settings,
		failures: newTable(failureBits), failureLimit: newLimit("failure", failureRate),
		inFlight: newInFlight(o.InFlight), breaker: newBreaker(o.Logger),
	}
	first.succeed(&force{})
	g.force.Store(first)
	g.lots = newLots(o.Service.Now, lotOf(o.Secret), o.waiters())
	if g.tickets, err = newTickets(o.Ticket, o.Secret); err != nil {
		return nil, err
	}
	if g.risk, err = newRisk(o.Risk, o.Logger); err != nil {
		return nil, err
	}
	return g, g.refresh(ctx)
}

// lotOf finds the number of a player in a campaign's lot.
func lotOf(secret hongbao.Secret) draw {
	return func(c *hongbao.Campaign, uid uint64) uint64 {
		return secret.Seed(c.ID, c.Nonce).Lot(c.ID, uid)
	}
}

// Run keeps the gate's settings up with those that other processes journal, and logs when requests begin and cease to be
// shed, until ctx ends.
func (g *Gate) Run(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for shedding := false; ; {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		g.follow(ctx)
		if now := g.inFlight.state().shedding; now != shedding {
			shedding = now
			g.logger.Warn("shedding", "now", now, "limit", g.inFlight.state().limit)
		}
	}
}

// lookEvery is how often settings are looked at again: another process may have changed them.
const lookEvery = time.Second

// Stop lets nobody wait any longer: whoever waits for a lot is told busy, and nothing has happened. Everything else goes on.
func (g *Gate) Stop() { g.lots.stop() }

// Close ends what the gate has under way itself, once no more requests come.
func (g *Gate) Close() { g.risk.close() }

// Visitor is who asks, and from where.
type Visitor struct {
	UID     uint64
	Address netip.Addr
}

// Arrive takes a request that came from an address at a time, before it is known who asks. Errors: ErrTooFast, with the
// quota.
func (g *Gate) Arrive(address netip.Addr, at time.Time) (Quota, error) {
	f := g.force.Load()
	if f.address == nil {
		return Quota{}, nil
	}
	return g.counted(byAddress, f.addresses.ofAddress(address).take(f.address, g.since(at)))
}

// Admit takes a request of a player that came at a time. Errors: ErrDenied; ErrTooFast, with the quota.
func (g *Gate) Admit(v Visitor, at time.Time) (Quota, error) {
	f := g.force.Load()
	if f.denied.denies(v.UID, v.Address) {
		g.refused[byDenylist].Add(1)
		return Quota{}, hongbao.ErrDenied
	}
	if f.player == nil {
		return Quota{}, nil
	}
	return g.counted(byPlayer, f.players.ofPlayer(v.UID).take(f.player, g.since(at)))
}

// counted makes an error of a refusal; it is always the same one, so that refusing costs no memory.
func (g *Gate) counted(r reason, q Quota) (Quota, error) {
	if q.RetryAfter == 0 {
		return q, nil
	}
	g.refused[r].Add(1)
	return q, hongbao.ErrTooFast
}

// since is a time as buckets count it.
func (g *Gate) since(at time.Time) int64 { return int64(at.Sub(g.started)) }

func (g *Gate) now() int64 { return g.since(time.Now()) }

// Allow reports whether a token from the address may be verified: where too many failed, no more of them are. It counts
// nothing.
func (g *Gate) Allow(address netip.Addr) bool {
	if g.failures.ofAddress(address).full(g.failureLimit, g.now()) {
		g.refused[byFailures].Add(1)
		return false
	}
	return true
}

// Failed counts a token from the address that did not verify.
func (g *Gate) Failed(address netip.Addr) {
	g.failures.ofAddress(address).take(g.failureLimit, g.now())
}

// Foretell answers a snatch out of memory, before anything is known of its player; see [hongbao.Service.Foretell].
func (g *Gate) Foretell(campaign uint32, keyed bool) (hongbao.SnatchResult, bool) {
	return g.service.Foretell(campaign, keyed)
}
