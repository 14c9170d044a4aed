package hongbao

import "strings"

// Status is the outcome of a snatch. The order of the values is the order of decision: the first that applies is told.
type Status uint8

// The statuses, in the order in which [Decide] considers them.
const (
	NotFound Status = iota
	Cancelled
	NotOpen
	Closed
	Paused
	NotSignedUp
	LimitReached
	DailyLimitReached
	SoldOut
	Missed
	Won
)

// Statuses is how many there are.
const Statuses = int(Won) + 1

var statusNames = [Statuses]string{
	"not_found", "cancelled", "not_open", "closed", "paused", "not_signed_up",
	"limit_reached", "daily_limit_reached", "sold_out", "missed", "won",
}

func (s Status) String() string { return statusNames[s] }

// Words is the status with spaces, as the camp API's msg has it.
func (s Status) Words() string { return strings.ReplaceAll(s.String(), "_", " ") }

// Facts are all that a snatch is decided on.
type Facts struct {
	Rules     *Rules // nil: no such campaign
	Now       Time
	Replayed  bool // the key has won before
	Cancelled bool
	Sealed    bool
	SignedUp  bool
	Wins      int    // the player's wins in this campaign
	DayWins   int    // and today in all campaigns of the kind
	Issued    uint64 // envelopes given out
	Allowed   uint64 // envelopes that the pace allows by now; see Campaign.Allowed
	Draw      uint64 // the lucky draw, see Seed.Draw; 0 wins whatever the chance
}

// Decide decides a snatch: the first status that applies, in the order of the enumeration, except that a key that has
// won before is answered as won whatever has happened since.
//
// Keeps G1 (sold out), G3 (limits) and G7 (replay), when the caller holds the player's lock and the campaign's.
func Decide(f Facts) Status {
	switch {
	case f.Rules == nil:
		return NotFound
	case f.Replayed:
		return Won
	case f.Cancelled:
		return Cancelled
	case f.Now < f.Rules.OpensAt && !f.Sealed:
		return NotOpen
	case f.Sealed || f.Now >= f.Rules.ClosesAt:
		return Closed
	case f.Rules.Paused:
		return Paused
	case f.Rules.Signup != SignupNone && !f.SignedUp:
		return NotSignedUp
	case reached(f.Wins, f.Rules.WinsMax):
		return LimitReached
	case reached(f.DayWins, f.Rules.DailyWinsMax):
		return DailyLimitReached
	case f.Issued >= f.Rules.Budget.Count:
		return SoldOut
	case !f.Rules.Chance.Wins(f.Draw) || f.Issued >= f.Allowed:
		return Missed
	}
	return Won
}

// Foretell is [Decide] for whoever asks: it decides as if nothing spoke against the player, and tells whether that is the
// answer whatever the player has done. A campaign that has not opened was never won in, so that NotOpen is told to all; that
// it was cancelled, has closed or is sold out is told only where the key is new, because another may have won before. issued
// counts the envelopes that are given out for good.
//
// Whoever reads time and issued before the campaign's rules may tell what comes out: both only grow, so that it was true
// when the rules were read. The other way round a budget that was raised in between would be sold out, and a window that
// was extended in between be closed, without ever having been.
func (c *Campaign) Foretell(now Time, issued uint64, keyIsNew bool) (status Status, ok bool) {
	rules := c.Rules()
	status = Decide(Facts{
		Rules: rules, Now: now, Cancelled: c.Cancelled(), Sealed: c.Seal != nil, SignedUp: true,
		Issued: issued, Allowed: rules.Budget.Count,
	})
	switch status {
	case NotOpen:
		return status, true
	case Cancelled, Closed, SoldOut:
		return status, keyIsNew
	}
	return status, false
}

func reached(wins, limit int) bool { return limit > 0 && wins >= limit }
