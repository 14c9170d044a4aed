package hongbao

import (
	"cmp"
	"context"
	"iter"
)

// Engine decides and remembers. Each operation is one atomic transition, linearizable per player and per envelope;
// time is an argument, and the engine uses the later of it and the last time committed.
//
// What an operation reports has become durable before it returns. Errors: [ErrBusy] when nothing happened, [ErrUnknown]
// when it may have happened (retrying with the same key tells), [ErrBroken] when the process must stop. A context that
// ends while a write is under way makes the outcome unknown. Strings and slices in results belong to the caller;
// [Campaign] values are shared and must not be changed.
type Engine interface {
	// Put applies a change of a campaign and returns the campaign after it. Errors: ErrNotFound, ErrNameTaken,
	// ErrStale, ErrCampaignOver, ErrBelowIssued, ErrInvalid. Sealing what is sealed changes nothing and is no error.
	Put(ctx context.Context, change Change) (*Campaign, error)
	// Campaigns lists all campaigns by id. The slice is shared: it costs nothing and must not be changed.
	Campaigns() []*Campaign
	// Progress tells how far a campaign has come; the zero value for one that does not exist.
	Progress(campaign uint32) Progress
	// SignUp registers players for a campaign and counts those that were not registered before. Errors: ErrNotFound,
	// ErrCampaignOver.
	SignUp(ctx context.Context, s SignUpRequest) (added int, err error)
	// Foretell answers a snatch out of memory as far as it can be decided without its player, whose uid need not be known
	// yet. It tells NotOpen to whoever asks; Cancelled, Closed and SoldOut only where KeyIsNew: a key that the player brings
	// may have won before. What it tells is true, and rests on nothing that a crash could take back; Wins is -1. Of all else,
	// and now and then of these too, ok is false: then Snatch decides. It does not block, lock or allocate. Where the
	// background work is done, SoldOut is told within a second, whether or not anybody snatches.
	Foretell(s SnatchRequest) (result SnatchResult, ok bool)
	// Snatch decides a snatch and, when it wins, takes the next envelope. Refusals are results, not errors. Where ReplayOnly,
	// nothing is taken: a key that has won before is answered as ever, and any other status says no more than that this one
	// has not.
	Snatch(ctx context.Context, s SnatchRequest) (SnatchResult, error)
	// Open credits a held envelope to its holder, once. An envelope of somebody else is ErrNotFound.
	Open(ctx context.Context, o OpenRequest) (OpenResult, error)
	// Refund takes back up to limit envelopes that expired at least 5 s before now and returns how many it did.
	Refund(ctx context.Context, now Time, limit int) (refunded int, err error)
	// Wallet reads a page of a player's wallet, newest first.
	Wallet(ctx context.Context, w WalletRequest) (Wallet, error)
	// Journal walks the events after a position (empty: from the first) to the end that has reached the journal's
	// readers; after Sync that is everything acknowledged before it. An entry's event is only valid until the next step.
	Journal(ctx context.Context, after Position) iter.Seq2[Entry, error]
	// Record journals a system event: a name and a payload that the engine does not interpret. The journal goes on after
	// the position without that event, and with every one recorded later. A name must pass [CheckEventName].
	//
	// With after, it is journaled only if that is the event of its name that was recorded last, as Recorded told it; the zero
	// Event: if none was. Otherwise nothing happens, and the error is ErrStale: of those who decide on the same ground one is
	// heard, and Recorded tells the others what was. After ErrUnknown the same may be asked again: where that is stale,
	// Recorded tells whose came first. A nil after asks for nothing.
	Record(ctx context.Context, e Event, after *Event) (Position, error)
	// Recorded is the event of that name that was recorded last, or ErrNotFound. Whatever Record returned before is seen by
	// every process. The engine's own events are not told.
	Recorded(ctx context.Context, name string) (Event, error)
	// Sync returns when everything acknowledged before it has reached the books that reads and audits use, and the
	// journal's readers.
	Sync(ctx context.Context) error
	// Health tells how the engine fares; it does not block.
	Health() Health
	// Close makes everything acknowledged durable and releases the store.
	Close() error
}

// Trouble is what somebody should look at, or nil.
func (h Health) Trouble() error { return cmp.Or(h.Err, h.Degraded) }

// Position is a place in the journal, opaque and ordered as the engine orders it.
type Position string

// Entry is one event of the journal with its position.
type Entry struct {
	Position Position
	// ID is what the event is known by outside: of this journal no other event has it, and it is the same from wherever the
	// journal is walked. It is printable ASCII without spaces, and tells nothing of the order.
	ID    string
	Event *Event
}

// Health is what an engine reports of itself.
type Health struct {
	Err      error  // why it can't serve now, or nil
	Degraded error  // why it serves less than it should, or nil
	Head     string // hash-chained head of the journal, to hold a restored folder against
	Lag      uint64 // events that are durable and not yet in the books
	Events   uint64 // events journaled since the start
	Groups   uint64 // group commits since the start
	SyncedNS uint64 // nanoseconds spent in syncs since the start
	Now      Time   // last time committed
}
