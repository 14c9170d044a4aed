package cluster

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"time"

	"hongbao"
)

// Put creates, revises, cancels or closes a campaign. A change is answered when no node uses older rules any more.
func (e *Engine) Put(ctx context.Context, change hongbao.Change) (*hongbao.Campaign, error) {
	if change.Create != nil {
		return e.create(ctx, change)
	}
	if err := e.catalog.refresh(ctx); err != nil {
		return nil, err
	}
	c := e.catalog.find(change.Campaign)
	if c == nil {
		return nil, fmt.Errorf("%w: there is no campaign %d", hongbao.ErrNotFound, change.Campaign)
	}
	var err error
	if change.Revise != nil {
		err = e.revise(ctx, c, change)
	} else {
		err = e.seal(ctx, c, change)
	}
	if known := e.catalog.find(change.Campaign); known != nil {
		c = known
	}
	return c.Campaign, err
}

func (e *Engine) create(ctx context.Context, change hongbao.Change) (*hongbao.Campaign, error) {
	var nonce hongbao.Nonce
	rand.Read(nonce[:]) // never fails
	for began := time.Now(); ; {
		if err := e.catalog.refresh(ctx); err != nil {
			return nil, err
		}
		id := uint32(len(e.Campaigns()) + 1)
		change.At = e.time(change.At)
		event, err := hongbao.Created(id, nonce, e.secret.Seed(id, nonce), change)
		if err != nil {
			return nil, err
		}
		reply, err := e.askCreate(ctx, &event, change.Create.Name)
		if err != nil {
			return nil, err
		}
		switch reply[0] {
		case "ok":
			e.seen(event.At)
			if err := e.catalog.refresh(ctx); err != nil {
				return (*hongbao.Campaign)(nil).After(&event)
			}
			return e.catalog.find(id).Campaign, nil
		case "taken":
			return nil, fmt.Errorf("%w: there is a campaign named %s", hongbao.ErrNameTaken, change.Create.Name)
		case "time":
			e.seen(parseTime(reply[1]))
		}
		if !again(ctx, began) {
			return nil, fmt.Errorf("%w: other campaigns are being made", hongbao.ErrBusy)
		}
	}
}

func (e *Engine) askCreate(ctx context.Context, event *hongbao.Event, name string) ([]string, error) {
	home, id := e.home(), strconv.FormatUint(uint64(event.Campaign), 10)
	return e.ask(ctx, home, scriptCreate, event.At,
		[]string{home.outbox, home.bank(id), home.names(), home.campaigns(), home.changes()},
		e.limit, id, name, string(hongbao.AppendEvent(nil, event)), e.incarnation)
}

// holdFor is how long leases wait for a revision that is being decided, in milliseconds.
const holdFor = 200

// revise decides a revision on what is leased by now, and makes every shard know it.
func (e *Engine) revise(ctx context.Context, c *campaign, change hongbao.Change) error {
	for began := time.Now(); ; {
		b, err := e.bank(ctx, c, holdFor)
		if err != nil {
			return err
		}
		if b.revision != c.Revision() || b.sealed && c.Seal == nil {
			if err := e.catalog.refresh(ctx); err != nil {
				return err
			}
			c = e.catalog.find(c.ID)
		}
		e.seen(b.at)
		change.At = e.time(change.At)
		event, _, err := c.Change(change, c.life.seed, b.issued())
		if err != nil {
			return err
		}
		reply, err := e.askChange(ctx, c, b, &event, "")
		if err != nil {
			return err
		}
		switch reply[0] {
		case "ok":
			e.seen(event.At)
			return e.spread(ctx, c.ID)
		case "over":
			return fmt.Errorf("%w: it is being sealed", hongbao.ErrCampaignOver)
		case "time":
			e.seen(parseTime(reply[1]))
		}
		if !again(ctx, began) {
			return fmt.Errorf("%w: campaign %d keeps changing", hongbao.ErrBusy, c.ID)
		}
	}
}

func (e *Engine) askChange(ctx context.Context, c *campaign, b *bank, event *hongbao.Event, seal string) ([]string, error) {
	home, id := e.home(), c.texts.id
	return e.ask(ctx, home, scriptChange, event.At,
		[]string{home.outbox, home.bank(id), home.campaigns(), home.changes(), home.stopping()},
		e.limit, id, string(hongbao.AppendEvent(nil, event)), c.texts.revision, strconv.FormatUint(b.cursor, 10),
		strconv.FormatUint(uint64(event.Revision), 10), seal, flag(event.Segment != nil))
}

// spread makes every shard know the revision in force, and waits until no cache is older. What it can't reach learns the
// revision from the first that snatches there.
func (e *Engine) spread(ctx context.Context, id uint32) error {
	caches := time.NewTimer(e.options.CacheAge)
	defer caches.Stop()
	if err := e.catalog.refresh(ctx); err != nil {
		return fmt.Errorf("%w: campaign %d was revised, and can't be read", hongbao.ErrUnknown, id)
	}
	c := e.catalog.find(id)
	err := e.everyShard(func(s *shard) error {
		_, err := e.ask(ctx, s, scriptApply, 0, []string{s.campaign(c.texts.id)}, c.texts.revision)
		return err
	})
	if err != nil {
		e.logger.Warn("a revision has not reached every shard", "campaign", id, "revision", c.Revision(), "error", err)
	}
	select {
	case <-caches.C:
	case <-ctx.Done():
	}
	return nil
}
