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

func reached(wins, limit int) bool { return limit > 0 && wins >= limit }
