package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"hongbao"
)

const (
	lookEvery = 100 * time.Millisecond // how often the announcer looks what is due
	tracksMax = 8192                   // campaigns that events are told of at once: the record of each event names them all
)

// AnnouncerOptions are what an [Announcer] is made of. Service and Logger are required.
type AnnouncerOptions struct {
	Service *hongbao.Service
	Logger  *slog.Logger
	Call    func(ctx context.Context) error // tells the hubs that there is news; nil: they look once a second
}

// Announcer decides which events are due and journals each, once.
//
// Of several at a time, in this process or others, one wins each event: an event is recorded only where the one that it takes
// the place of is still there ([hongbao.Engine.Record]). A loser reads again what has been told. An event whose recording
// has an unknown outcome is decided anew, from what was in fact recorded.
type Announcer struct {
	service *hongbao.Service
	logger  *slog.Logger
	call    func(ctx context.Context) error
	room    int // for tracks

	// What the latest record tells; nothing until it has been read.
	read   bool
	last   uint64
	seen   uint32  // the highest campaign of which anything was told
	tracks []track // of the campaigns that are not over, by id

	// The ring as it was when that had been told: each event takes the place of one of these. To read them one by one would be to
	// wait for the engine's views with every event.
	ring   [ringLength]hongbao.Event
	until  uint64 // the last event that takes the place of one that was read
	missed bool   // a call failed, and that was logged
}

// NewAnnouncer makes an announcer.
func NewAnnouncer(o AnnouncerOptions) *Announcer {
	a := &Announcer{service: o.Service, logger: o.Logger, call: o.Call, room: tracksMax}
	if a.call == nil {
		a.call = func(context.Context) error { return nil }
	}
	return a
}

// Run announces until ctx ends. It may be run again, after another process has announced.
func (a *Announcer) Run(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	a.read = false
	failing := false
	for ctx.Err() == nil {
		err := a.Look(ctx)
		if failed := err != nil && ctx.Err() == nil; failed != failing {
			failing = failed
			if failed {
				a.logger.Error("announcing events failed; it is tried again", "error", err)
			} else {
				a.logger.Info("announcing events works again")
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

// Look does one round of what [Announcer.Run] repeats: it tells what is due.
func (a *Announcer) Look(ctx context.Context) error {
	if err := a.catchUp(ctx); err != nil {
		return err
	}
	err := a.tellAll(ctx)
	if err != nil {
		a.read = false // whatever came of it is in the ring
	}
	if errors.Is(err, hongbao.ErrStale) {
		return nil // another announcer was first: there will be time to look again
	}
	return err
}

// catchUp reads what has been told, unless that is known.
func (a *Announcer) catchUp(ctx context.Context) error {
	if a.read {
		return nil
	}
	latest, err := a.readRing(ctx)
	if err != nil {
		return err
	}
	a.read, a.last, a.seen, a.tracks = true, latest.ID, latest.Seen, nil
	for _, state := range latest.State {
		a.tracks = append(a.tracks, track{state[0], state[1], told(state[2])})
	}
	return nil
}

// readRing reads the ring and returns its latest record.
func (a *Announcer) readRing(ctx context.Context) (latest Record, err error) {
	entries, err := readRing(ctx, a.service.Engine())
	if err != nil {
		return latest, err
	}
	a.ring = [ringLength]hongbao.Event{}
	for _, e := range entries {
		a.ring[e.ID%ringLength], latest = e.event, e.Record
	}
	a.until = latest.ID + ringLength
	return latest, nil
}

// place is the event whose place one is to take, as the engine has it; the zero event, if it has none.
func (a *Announcer) place(ctx context.Context, id uint64) (hongbao.Event, error) {
	if id > a.until {
		latest, err := a.readRing(ctx)
		if err != nil {
			return hongbao.Event{}, err
		}
		if latest.ID != a.last {
			return hongbao.Event{}, fmt.Errorf("%w: another announcer has told the event %d", hongbao.ErrStale, latest.ID)
		}
	}
	return a.ring[id%ringLength], nil
}

// tellAll tells what is due of the campaigns that have been told of, and then of new ones: these are told of in the order of
// their ids and wait while there is no room.
func (a *Announcer) tellAll(ctx context.Context) error {
	for i := 0; i < len(a.tracks); {
		over, err := a.tell(ctx, i)
		if err != nil {
			return err
		}
		if !over {
			i++
		}
	}
	campaigns := a.service.Campaigns()
	for int(a.seen) < len(campaigns) && len(a.tracks) < a.room {
		a.tracks = append(a.tracks, track{campaign: campaigns[a.seen].ID})
		if _, err := a.tell(ctx, len(a.tracks)-1); err != nil {
			return err
		}
	}
	return nil
}

// tell tells what is due of a tracked campaign. When it is over it is not tracked any more.
func (a *Announcer) tell(ctx context.Context, i int) (over bool, err error) {
	for {
		t := a.tracks[i]
		c, err := a.service.Campaign(t.campaign)
		if err != nil {
			return false, nil // this process has yet to hear of it
		}
		m, due := t.next(situation{
			campaign: c, now: a.service.Now(), steady: a.service.Steady(),
			soldOut: func() bool { return a.soldOut(c.ID) },
		})
		if !due {
			return false, nil
		}
		a.tracks[i] = m.after
		if m.over {
			a.tracks = append(a.tracks[:i], a.tracks[i+1:]...)
		}
		a.seen = max(a.seen, c.ID)
		if err := a.record(ctx, &m); err != nil {
			return false, err
		}
		if m.over {
			return true, nil
		}
	}
}

// soldOut asks as a snatch does. Adding up what is taken would not do: in a cluster the sum may be of a moment at which another
// budget was in force, and after the loss of a store it may never reach the budget although nothing is left.
func (a *Announcer) soldOut(campaign uint32) bool {
	request := hongbao.SnatchRequest{Campaign: campaign, KeyIsNew: true, Now: a.service.Now()}
	result, known := a.service.Engine().Foretell(request)
	return known && result.Status == hongbao.SoldOut
}

// record journals an event and calls the hubs. When it fails, what the announcer holds for told is not, and must be read
// again.
func (a *Announcer) record(ctx context.Context, m *moment) error {
	id := a.last + 1
	before, err := a.place(ctx, id)
	if err != nil {
		return err
	}
	now := a.service.Now()
	record := Record{
		ID: id, Event: m.event, Seen: a.seen, State: a.state(),
		Data: encode(newNotice(m.campaign, a.service.Progress(m.campaign.ID), now)),
	}
	event := hongbao.Event{At: now, Actor: actor, Name: nameOf(id), Data: encode(record)}
	if _, err := a.service.Engine().Record(ctx, event, &before); err != nil {
		return fmt.Errorf("record the event %d (%s of campaign %d): %w", id, m.event, m.campaign.ID, err)
	}
	a.last = id
	a.callHubs(ctx)
	return nil
}

func (a *Announcer) state() [][3]uint32 {
	state := make([][3]uint32, len(a.tracks))
	for i, t := range a.tracks {
		state[i] = [3]uint32{t.campaign, t.revision, uint32(t.told)}
	}
	return state
}

// callHubs tells the hubs that there is news. They look once a second whether they are called or not.
func (a *Announcer) callHubs(ctx context.Context) {
	err := a.call(ctx)
	if failed := err != nil && ctx.Err() == nil; failed != a.missed {
		a.missed = failed
		if failed {
			a.logger.Warn("calling the other processes failed; events reach players up to a second late", "error", err)
		}
	}
}
