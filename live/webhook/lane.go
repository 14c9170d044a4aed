package webhook

import (
	"slices"
	"time"

	"hongbao"
)

// lanesMax is how many campaigns of an endpoint may be on their way or behind at once. Where there are as many, a few more
// may be on their way if the front waits for them: they can't fall behind. So the front goes on, slowly, as long as those few
// are accepted, and with it the campaigns that wait for it to join it.
const (
	lanesMax   = 64
	holdersMax = requestsMax
)

// lane is what is on its way to an endpoint of one campaign: one request at a time, in order. A lane comes into being with
// an event at the front, and ends when it has nothing more.
//
// A lane that fails, or whose queue is full, falls behind: the front passes its events over, and it reads them itself. It
// joins the front again with a reading that came to the journal's end. Positions can't be compared, and in a cluster no two
// readings end alike: so what that reading brought, which may lie before the front or after it, is remembered by its ids
// until the front has gone beyond it, and not taken from the front again. That is all that may come twice, if the lane's
// reading began from where the front had been already: readings are numbered, and a front that came to the journal's end in
// between says so. Where a lane falls behind again before that, in a cluster, an event may be sent twice; none is passed
// over.
type lane struct {
	campaign uint32
	accepted hongbao.Position // everything of the campaign up to here was accepted
	queue    []item           // what comes next

	behind bool             // the journal may have more after read
	read   hongbao.Position // where its own next reading begins
	since  int              // the number of the reading that read is known from
	idle   bool             // it came to the end, and waits for the front
	seen   map[string]bool  // ids that the front may bring again
	seenBy int              // the number of the reading that found them

	holds bool // the front waits for it

	busy    bool // a request is under way
	started int  // when that was, by count of requests: who waited longest is first
	fails   laneFailure
	oldest  hongbao.Time // when what is next happened, where that is known
}

// laneFailure is how a lane fails; the zero value is one that doesn't.
type laneFailure struct {
	since, next time.Time
	tries       int
	reason      string
	parked      time.Time
}

func (f *laneFailure) failing() bool  { return f.tries > 0 }
func (f *laneFailure) isParked() bool { return !f.parked.IsZero() }

// due reports whether the lane may be tried at a time.
func (f *laneFailure) due(now time.Time) bool { return !f.isParked() && !now.Before(f.next) }

// fail counts a failure, and parks what has failed for long.
func (f *laneFailure) fail(why *failure, now time.Time) {
	if !f.failing() {
		f.since = now
	}
	f.tries++
	f.reason = why.reason
	f.next = now.Add(backoff(f.tries, why.wait))
	if now.Sub(f.since) >= parkAfter {
		f.parked = now
	}
}

// fallBehind leaves to the lane's own readings what comes after its queue, of which it keeps n. What the queue has is known
// from no later reading than number.
func (l *lane) fallBehind(keep, number int) {
	for _, i := range l.queue[keep:] {
		delete(l.seen, i.id) // it is to be read again
	}
	l.queue = slices.Clone(l.queue[:keep]) // so that the rest is let go
	l.read = l.accepted
	if keep > 0 {
		l.read = l.queue[keep-1].after
	}
	l.behind, l.idle, l.since = true, false, number
}

// done reports whether the lane has nothing more.
func (l *lane) done() bool {
	return len(l.queue) == 0 && !l.behind && !l.busy && len(l.seen) == 0
}

// take adds what a reading of the lane's own found. frontAt is the number of the last reading of the front that came to the
// journal's end.
func (l *lane) take(r reading, frontAt int) {
	for _, i := range r.items {
		if !l.seen[i.id] {
			l.queue = append(l.queue, i)
		}
	}
	joins := r.complete && frontAt > l.since
	l.read, l.since, l.idle = r.end, r.number, r.complete
	if len(l.queue) == 0 {
		l.accepted, l.oldest = r.end, 0
	}
	if r.complete {
		l.seen = nil
	}
	if joins {
		l.join(r)
	}
}

// join gives the lane back to the front.
func (l *lane) join(r reading) {
	l.behind, l.idle = false, false
	l.seen, l.seenBy = make(map[string]bool, len(r.items)), r.number
	for _, i := range r.items {
		l.seen[i.id] = true
	}
}

// forget drops the ids that the front has gone beyond, with a reading of its own that came to the end, and so has the lane:
// what waits may lie before some of them.
func (l *lane) forget(frontAt int) {
	if !l.behind && len(l.queue) == 0 && l.seenBy < frontAt {
		l.seen = nil
	}
}

// accept takes note that the first of the queue was accepted.
func (l *lane) accept() {
	l.accepted = l.queue[0].after
	l.queue[0] = item{}
	l.queue = l.queue[1:]
	l.fails = laneFailure{}
}

// waitsSince is when what is next happened, where that is known.
func (l *lane) waitsSince() hongbao.Time {
	if len(l.queue) > 0 {
		return l.queue[0].at
	}
	return l.oldest
}

// laneOf restores a lane from the journal.
func laneOf(c laneCursor) *lane {
	l := &lane{campaign: c.Campaign, accepted: c.Position, read: c.Position, behind: true, oldest: c.Oldest}
	l.fails = laneFailure{since: std(c.Since), next: std(c.Next), tries: c.Tries, reason: c.Reason, parked: std(c.Parked)}
	return l
}

// cursor is the lane as it is journaled.
func (l *lane) cursor() laneCursor {
	f := &l.fails
	return laneCursor{
		Campaign: l.campaign, Position: l.accepted, Oldest: l.waitsSince(),
		Since: timeOf(f.since), Tries: f.tries, Next: timeOf(f.next), Reason: f.reason, Parked: timeOf(f.parked),
	}
}

// std and timeOf convert times of which zero is unset.
func std(t hongbao.Time) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return t.Std()
}

func timeOf(t time.Time) hongbao.Time {
	if t.IsZero() {
		return 0
	}
	return hongbao.TimeOf(t)
}
