package hongbao

import (
	"errors"
	"fmt"
	"strconv"
)

// The errors every layer speaks, each declared once here, wrapped with %w on the way and mapped to HTTP in one table
// at the edge. A refusal (sold out, limit reached) is a [Status], not an error.
var (
	// ErrInvalid is the caller's fault; nothing happened. A [FieldError] says what is wrong.
	ErrInvalid = errors.New("invalid request")
	// ErrNotFound means that no such campaign or envelope exists for this caller.
	ErrNotFound = errors.New("not found")
	// ErrNameTaken means that a campaign of that name exists.
	ErrNameTaken = errors.New("name taken")
	// ErrStale means that what the caller decided on has changed: the campaign has another revision than it expected, or
	// another event of the name was recorded. Nothing happened.
	ErrStale = errors.New("stale")
	// ErrDeclared means that the configuration declares what the caller would change.
	ErrDeclared = errors.New("declared by the configuration")
	// ErrCampaignOver means that the campaign has closed or was cancelled and can't be revised.
	ErrCampaignOver = errors.New("campaign over")
	// ErrBelowIssued means that a revised budget is below what is issued; [BelowIssuedError] has the figures.
	ErrBelowIssued = errors.New("budget below issued")
	// ErrBusy means that nothing happened and that the caller may retry.
	ErrBusy = errors.New("busy")
	// ErrUnknown means that it may have happened: the caller must retry with the same key to learn.
	ErrUnknown = errors.New("unknown outcome")
	// ErrTooFast means that the caller asks more often than its rate allows; nothing happened.
	ErrTooFast = errors.New("too fast")
	// ErrReadOnly means that nothing may change at present; nothing happened.
	ErrReadOnly = errors.New("read only")
	// ErrDenied means that this caller may not play.
	ErrDenied = errors.New("denied")
	// ErrTicketRequired means that the campaign asks for a ticket and the request has none.
	ErrTicketRequired = errors.New("ticket required")
	// ErrTicketInvalid means that the request's ticket is not one of this player and campaign, has ended, or lacks its work.
	ErrTicketInvalid = errors.New("ticket invalid")
	// ErrBroken means that a guarantee is violated or the disk has failed: the process must stop.
	ErrBroken = errors.New("broken")
)

// FieldError is an [ErrInvalid] about one field.
type FieldError struct {
	Field   string // path of the field as the caller wrote it, such as "budget.total_fen"
	Value   string // what was given, shortened
	Allowed string // what is allowed, as a phrase: "from 1 to 10000"
}

// Invalid makes a [FieldError]; value is shown as fmt.Sprint does, cut to 100 bytes.
func Invalid(field string, value any, allowed string) *FieldError {
	text := fmt.Sprint(value)
	if len(text) > 100 {
		text = text[:100] + "…"
	}
	return &FieldError{Field: field, Value: text, Allowed: allowed}
}

// Error names the field, the value and what is allowed.
func (e *FieldError) Error() string {
	return fmt.Sprintf("%s: %s is not allowed: must be %s", e.Field, strconv.Quote(e.Value), e.Allowed)
}

// Unwrap makes it an [ErrInvalid].
func (e *FieldError) Unwrap() error { return ErrInvalid }

// BelowIssuedError is an [ErrBelowIssued] with the smallest budget that would be accepted.
type BelowIssuedError struct {
	LeastTotalFen int64  // smallest total for the count that was asked for, or for LeastCount if that is larger
	LeastCount    uint64 // envelopes issued already
}

// Error names the smallest allowed figures.
func (e *BelowIssuedError) Error() string {
	return fmt.Sprintf("budget below what is issued: total_fen must be at least %d and count at least %d", e.LeastTotalFen, e.LeastCount)
}

// Unwrap makes it an [ErrBelowIssued].
func (e *BelowIssuedError) Unwrap() error { return ErrBelowIssued }
