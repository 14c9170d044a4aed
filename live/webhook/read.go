package webhook

import (
	"context"
	"errors"
	"time"

	"hongbao"
)

// Bounds of one reading of the journal.
const (
	frontItems   = 1000    // events for the front
	laneItems    = 256     // and for a lane, which is what a lane may have waiting
	entriesMax   = 100_000 // of the journal that are looked at
	readingShare = 5       // of the time one part in so many is spent reading
	readingTime  = 30 * time.Second
)

// ask is a request for a reading.
type ask struct {
	number   int // of the courier's readings; each begins after the one before has ended
	after    hongbao.Position
	campaign uint32          // a lane's; 0: the front
	passed   map[uint32]bool // campaigns that the front leaves out
	limit    int
}

// reading is what one found.
type reading struct {
	ask
	items    []item
	end      hongbao.Position // where it stopped
	complete bool             // at the end of the journal as it was
	entries  int
	err      error
}

// read reads the journal for an endpoint. One reading is under way at a time in the process, and then there is a pause
// four times as long: however much there is to read, four fifths of a processor or of a store's time are left to play.
func (s *Sender) read(ctx context.Context, to *Endpoint, a ask) reading {
	r := reading{ask: a, end: a.after}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		r.err = ctx.Err()
		return r
	}
	limited, cancel := context.WithTimeout(ctx, readingTime)
	defer cancel()
	began := time.Now()
	s.walk(limited, to, &r)
	took := time.Since(began)
	time.AfterFunc((readingShare-1)*min(took, time.Second), func() { <-s.turn })
	return r
}

// walk collects what the endpoint asks for.
func (s *Sender) walk(ctx context.Context, to *Endpoint, r *reading) {
	for entry, err := range s.engine.Journal(ctx, r.after) {
		if err != nil {
			r.err = err
			return
		}
		n, ok := noticeOf(entry.Event)
		if ok && r.selects(n) && to.wants(n.event) {
			chosen, known := s.chooses(to, n.campaign)
			if !known {
				r.err = errUnknownCampaign
				return
			}
			if chosen {
				r.items = append(r.items, itemOf(entry, n))
			}
		}
		r.end = entry.Position
		r.entries++
		if len(r.items) == r.limit || r.entries == entriesMax {
			return
		}
	}
	r.complete = true
}

// errUnknownCampaign ends a reading for now.
var errUnknownCampaign = errors.New("this process does not know a campaign yet that the journal has")

func (r *reading) selects(n notice) bool {
	if r.campaign != 0 {
		return n.campaign == r.campaign
	}
	return !r.passed[n.campaign]
}

// chooses reports whether the endpoint asks for the campaign, and whether that can be told.
func (s *Sender) chooses(to *Endpoint, campaign uint32) (chosen, known bool) {
	if len(to.Campaigns) == 0 {
		return true, true
	}
	c, err := s.service.Campaign(campaign)
	if err != nil {
		return false, false
	}
	return to.wantsCampaign(c.Rules().Name), true
}
