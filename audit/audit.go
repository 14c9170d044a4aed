package audit

import (
	"context"
	"errors"
	"hash/maphash"
	"iter"
	"time"

	"hongbao"
)

// Source is the journal that an audit reads.
type Source interface {
	// Journal walks the events after a position (empty: from the first) and verifies the hash chain as it goes. A
	// damaged place is an error, which names it and ends the walk. An entry's event is valid until the next step.
	Journal(ctx context.Context, after hongbao.Position) iter.Seq2[hongbao.Entry, error]
	// CheckHead returns nil when the head, noted at some time before, is part of this journal, and ErrInvalid when it is
	// not a head at all.
	CheckHead(ctx context.Context, head string) error
	// Head is the head of the journal now.
	Head() string
}

// Books are what reads are answered from, frozen at one position of the journal.
type Books interface {
	// Position is that of the last event in the books; empty when they hold none.
	Position() hongbao.Position
	// Wallets visits every player by ascending uid, each wallet whole, its envelopes by ascending id. The wallet is
	// valid during the visit. An error of visit ends it and is returned.
	Wallets(ctx context.Context, visit func(uid uint64, w *hongbao.Wallet) error) error
}

// Options are what an audit can be given beyond the journal. The zero value audits a journal in strict order.
type Options struct {
	Books Books  // nil: not compared
	Head  string // a head noted before, or empty: not asked for
	// Secret lets the amounts and draws of campaigns that are not sealed yet be recomputed. Without it the journal is
	// read twice, first for the seeds that seals reveal.
	Secret *hongbao.Secret
	// Leased is set for a journal of several shards, which lease numbers and revise at different moments: times and
	// numbers need not ascend.
	Leased bool
	// DifferencesMax is how many differences of each check are described, beyond which they are only counted; 0: 20.
	DifferencesMax int
}

const differencesMax = 20

// Run audits a journal up to its end. Differences are in the report, and so is a damaged journal, whose undamaged
// beginning is audited. Errors are those of the context and of reading the books, and ErrInvalid for Options.Head.
func Run(ctx context.Context, s Source, o Options) (Report, error) {
	a := newAuditor(o)
	head := s.Head()
	if o.Secret == nil {
		a.seeds, _ = revealed(s.Journal(ctx, "")) // what can't be read is a finding of the walk, which stumbles there too
	}
	if err := a.checkHead(ctx, s); err != nil {
		return Report{}, err
	}
	if err := a.walk(ctx, s.Journal(ctx, "")); err != nil {
		return Report{}, err
	}
	a.balance()
	return a.report(head), nil
}

// auditor is the state of one pass: what the journal says so far, counted anew.
type auditor struct {
	findings
	options Options
	seeds   map[uint32]*hongbao.Seed // revealed by seals, when there is no secret
	alone   bool                     // one campaign of a journal: what it shares with others can't be judged

	position hongbao.Position // of the event at hand
	event    *hongbao.Event
	events   uint64
	now      hongbao.Time

	calendar  *hongbao.Calendar // nil until the journal tells the zone
	campaigns []*campaign       // by id less 1; nil where there is none
	names     map[string]bool
	players   players
	cuts      cuts
	random    maphash.Seed
	compared  bool
}

func newAuditor(o Options) *auditor {
	if o.DifferencesMax == 0 {
		o.DifferencesMax = differencesMax
	}
	return &auditor{
		options: o, findings: findings{most: o.DifferencesMax}, names: map[string]bool{},
		cuts: cuts{known: map[cutKey]*cut{}}, random: maphash.MakeSeed(),
	}
}

func (a *auditor) checkHead(ctx context.Context, s Source) error {
	if a.options.Head == "" {
		return nil
	}
	switch err := s.CheckHead(ctx, a.options.Head); {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, hongbao.ErrInvalid):
		return err
	case err != nil:
		a.note(checkHead, err.Error())
	}
	return nil
}

// walk applies every event and compares the books at the moment they are frozen at.
func (a *auditor) walk(ctx context.Context, entries iter.Seq2[hongbao.Entry, error]) error {
	frozen, err := a.compareEmpty(ctx)
	if err != nil {
		return err
	}
	for entry, err := range entries {
		if err != nil {
			if ctx.Err() == nil {
				a.note(checkChain, err.Error())
			}
			return ctx.Err()
		}
		a.position = entry.Position
		a.apply(entry.Event)
		if entry.Position == frozen && a.options.Books != nil {
			if err := a.compare(ctx); err != nil {
				return err
			}
		}
	}
	if a.options.Books != nil && !a.compared {
		a.note(checkBooks, "the books are at position "+string(frozen)+", which the journal does not have")
	}
	return nil
}

func (a *auditor) apply(e *hongbao.Event) {
	a.event = e
	a.events++
	if e.At < a.now && !a.options.Leased {
		a.fail(checkOrder, "its time %s is before %s, that of an event before it", e.At, a.now)
	}
	a.now = max(a.now, e.At)
	switch e.Kind {
	case hongbao.CampaignCreated:
		a.created(e)
	case hongbao.SystemRecorded:
		a.recorded(e)
	default:
		if c := a.campaign(e.Campaign); c != nil {
			a.happened(c, e)
		} else {
			a.fail(checkOrder, "there is no such campaign yet")
		}
	}
}

// happened applies an event of a campaign that exists.
func (a *auditor) happened(c *campaign, e *hongbao.Event) {
	switch e.Kind {
	case hongbao.EnvelopeWon:
		a.won(c, e)
	case hongbao.EnvelopeOpened:
		a.opened(c, e)
	case hongbao.EnvelopeRefunded:
		a.refunded(c, e)
	case hongbao.PlayerSignedUp:
		a.signedUp(c, e)
	case hongbao.CampaignRevised:
		a.revised(c, e)
	case hongbao.CampaignSealed:
		a.sealed(c, e)
	}
}

// timezone is the name of the system event that carries the server's zone.
const timezone = "timezone"

func (a *auditor) recorded(e *hongbao.Event) {
	if e.Name != timezone {
		return
	}
	zone, err := time.LoadLocation(string(e.Data))
	switch {
	case err != nil:
		a.fail(checkOrder, "the zone is unknown: %s", err)
	case a.calendar != nil && a.calendar.Zone() != zone.String():
		a.fail(checkOrder, "the zone becomes %s, and was %s", zone, a.calendar.Zone())
	default:
		a.calendar = hongbao.NewCalendar(zone)
	}
}

func (a *auditor) campaign(id uint32) *campaign {
	if id == 0 || int(id) > len(a.campaigns) {
		return nil
	}
	return a.campaigns[id-1]
}

// revealed reads the seeds that seals reveal, by campaign; nil for one that is not sealed. It ends at what it can't
// read.
func revealed(entries iter.Seq2[hongbao.Entry, error]) (map[uint32]*hongbao.Seed, error) {
	seeds := map[uint32]*hongbao.Seed{}
	for entry, err := range entries {
		if err != nil {
			return seeds, err
		}
		switch e := entry.Event; e.Kind {
		case hongbao.CampaignCreated:
			seeds[e.Campaign] = nil
		case hongbao.CampaignSealed:
			seed := e.Seed
			seeds[e.Campaign] = &seed
		}
	}
	return seeds, nil
}
