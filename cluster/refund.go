package cluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"hongbao"
	"hongbao/cluster/ledger"
)

// refundAfter is how long after expiry an envelope is refunded at the earliest: an opening that was in time is decided
// by then.
const refundAfter = hongbao.Time(5000)

// Refund takes back envelopes that expired. The books say which may be due; each player's shard decides.
func (e *Engine) Refund(ctx context.Context, now hongbao.Time, limit int) (refunded int, err error) {
	now = e.time(now)
	synced := false
	for _, c := range *e.catalog.campaigns.Load() {
		if refunded >= limit {
			break
		}
		if !c.mayBeDue(now) {
			continue
		}
		if p := e.Progress(c.ID); p.Held().Count == 0 {
			continue
		}
		if !synced {
			// What was won last is not in the books yet. A shard that can't be reached holds nobody up: its own come later.
			if err := e.Sync(ctx); err != nil && !errors.Is(err, hongbao.ErrBusy) {
				return refunded, err
			}
			synced = true
		}
		n, err := e.refundCampaign(ctx, c, now, limit-refunded)
		refunded += n
		if err != nil {
			return refunded, err
		}
	}
	return refunded, nil
}

// mayBeDue reports whether envelopes won under the earliest expiry that the campaign ever had are due.
func (c *campaign) mayBeDue(now hongbao.Time) bool {
	earliest := c.Revisions[0].Rules.ExpiresAt()
	for i := range c.Revisions {
		earliest = min(earliest, c.Revisions[i].Rules.ExpiresAt())
	}
	return now >= c.Expiry(earliest)+refundAfter
}

// refundsAtOnce is how many refunds are under way at a time.
const refundsAtOnce = 256

// refundCampaign goes through what the books show as held and expired.
func (e *Engine) refundCampaign(ctx context.Context, c *campaign, now hongbao.Time, limit int) (refunded int, err error) {
	if c.Cancelled() && now < c.Seal.At.Add(c.Rules().OpenFor)+refundAfter {
		return 0, nil
	}
	var after hongbao.EnvelopeID
	for refunded < limit && ctx.Err() == nil {
		page, err := e.ledger.Expired(ctx, c.ID, after, now-refundAfter, min(limit-refunded, refundsAtOnce))
		if err != nil || len(page) == 0 {
			return refunded, err
		}
		n, err := e.refundPage(ctx, c, now, page)
		refunded += n
		if err != nil {
			return refunded, err
		}
		after = page[len(page)-1].ID
	}
	return refunded, nil
}

func (e *Engine) refundPage(ctx context.Context, c *campaign, now hongbao.Time, page []ledger.Held) (int, error) {
	var count atomic.Int64
	errs := make([]error, len(page))
	var all sync.WaitGroup
	for i := range page {
		all.Go(func() {
			is, err := e.refund(ctx, c, now, &page[i])
			if is {
				count.Add(1)
			}
			errs[i] = err
		})
	}
	all.Wait()
	return int(count.Load()), errors.Join(errs...)
}

// refund is the transition of one envelope from held to refunded.
func (e *Engine) refund(ctx context.Context, c *campaign, now hongbao.Time, held *ledger.Held) (bool, error) {
	s, uid, id := e.of(held.UID), strconv.FormatUint(held.UID, 10), strconv.FormatUint(uint64(held.ID), 10)
	seal := ""
	if c.Seal != nil {
		seal = sealClosed
	}
	if c.Cancelled() {
		seal = sealCancelled
	}
	reply, err := e.ask(ctx, s, scriptRefund, now, []string{s.outbox, s.campaign(c.texts.id), s.player(uid)},
		e.reserve, uid, id, c.texts.revision, formatTime(c.Expiry(0)), seal)
	if err != nil {
		return false, err
	}
	switch reply[0] {
	case "refunded":
		e.seen(now)
		return true, nil
	case "kept":
		return false, nil
	case "stale": // it is being sealed: when that is done, the next round knows until when it can be opened
		return false, nil
	}
	return false, fmt.Errorf("%w: refund.lua answers %q", hongbao.ErrUnknown, reply)
}
