package bench

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Tickets are what a crowd's page has fetched for one campaign, with their work done. It may be used from any number of
// goroutines; nil where the campaign asks for none.
type Tickets struct {
	client   *Client
	campaign uint32

	mu   sync.Mutex
	held map[uint64]heldTicket // by uid
}

type heldTicket struct {
	Ticket
	solved string
}

// NewTickets begins with none.
func NewTickets(client *Client, campaign uint32) *Tickets {
	return &Tickets{client: client, campaign: campaign, held: map[uint64]heldTicket{}}
}

// Of is what a player sends back; empty without a ticket that is still good.
func (t *Tickets) Of(uid uint64, campaign uint32) string {
	if t == nil || campaign != t.campaign && campaign != 0 {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if held := t.held[uid]; held.valid(time.Now()) {
		return held.solved
	}
	return ""
}

// Fetch asks for a player's ticket and does its work.
func (t *Tickets) Fetch(uid uint64) Result {
	ticket := t.client.Ticket(uid, t.campaign)
	if ticket.Outcome != Answered {
		return ticket.Result
	}
	held := heldTicket{ticket, ticket.Solve()}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held[uid] = held
	return ticket.Result
}

// lacks tells whether a player has to fetch one before anything can be won.
func (t *Tickets) lacks(uid uint64) bool { return t != nil && t.Of(uid, t.campaign) == "" }

// FetchAll fetches a ticket for each player, and tries several times for those who were refused. It is an error if nobody
// was given one, unless ctx ended.
func (t *Tickets) FetchAll(ctx context.Context, uids []uint64) error {
	const rounds = 10
	left := uids
	for range rounds {
		left = t.fetchOnce(ctx, left)
		if len(left) == 0 || !sleep(ctx, 100*time.Millisecond) {
			break
		}
	}
	if ctx.Err() == nil && len(uids) > 0 && len(left) == len(uids) {
		return errors.New("no player was given a ticket")
	}
	return nil
}

// fetchOnce returns the players who were given none.
func (t *Tickets) fetchOnce(ctx context.Context, uids []uint64) (left []uint64) {
	var mu sync.Mutex
	each(ctx, uids, func(uid uint64) {
		if t.Fetch(uid).Outcome != Answered {
			mu.Lock()
			left = append(left, uid)
			mu.Unlock()
		}
	})
	return left
}
