package bench

import (
	"crypto/sha256"
	"math/bits"
	"strings"
	"testing"
	"time"
)

const ticketV1 = `{"ticket":"abc","expires_at":"2027-02-05T12:00:00Z","pow":{"salt":"salt","bits":10}}`

func TestTicketsAreReadStrictly(t *testing.T) {
	for _, row := range []struct {
		name    string
		answer  canned
		outcome Outcome
		label   string
	}{
		{"a ticket with work", canned{status: 200, body: ticketV1}, Answered, "ticket"},
		{"a ticket without work", canned{status: 200, body: `{"ticket":"abc","expires_at":"2027-02-05T12:00:00Z","pow":{"salt":"","bits":0}}`}, Answered, "ticket"},
		{"with fields of a later version", canned{status: 200, body: `{"later":{"a":1},` + ticketV1[1:]}, Answered, "ticket"},
		{"without an end", canned{status: 200, body: `{"ticket":"abc","pow":{"salt":"","bits":0}}`}, Wrong, "wrong"},
		{"that says nothing of work", canned{status: 200, body: `{"ticket":"abc","expires_at":"2027-02-05T12:00:00Z"}`}, Wrong, "wrong"},
		{"more work than there is", canned{status: 200, body: strings.Replace(ticketV1, "10", "65", 1)}, Wrong, "wrong"},
		{"too fast", canned{429, problem, [2]string{"Retry-After", "1"}, `{"code":"too_fast","retryable":true}`}, Busy, "too_fast"},
		{"denied", canned{status: 403, contentType: problem, body: `{"code":"denied","retryable":false}`}, Barred, "denied"},
	} {
		if row.answer.contentType == "" {
			row.answer.contentType = "application/json"
		}
		if ticket := row.answer.client(t, V1).Ticket(7, 1); ticket.Outcome != row.outcome || ticket.Label != row.label {
			t.Errorf("%s is %s (%s): %v", row.name, ticket.Outcome, ticket.Label, ticket.Err)
		}
	}
}

func TestWorkIsDoneAndSentBack(t *testing.T) {
	ticket := Ticket{Text: "abc", Salt: "salt", Bits: 10}
	text, nonce, _ := strings.Cut(ticket.Solve(), ".")
	if sum := sha256.Sum256([]byte("salt" + nonce)); text != "abc" || bits.LeadingZeros16(uint16(sum[0])<<8|uint16(sum[1])) < 10 {
		t.Errorf("%q with %q does not do it", text, nonce)
	}
	ticket.Bits = 0
	if got := ticket.Solve(); got != "abc" {
		t.Errorf("without work %q is sent back", got)
	}
}

func TestATicketIsHeldUntilItEnds(t *testing.T) {
	answer := canned{status: 200, contentType: "application/json", body: strings.Replace(ticketV1, "2027-02-05T12:00:00Z", time.Now().Add(time.Hour).UTC().Format(time.RFC3339), 1)}
	tickets := NewTickets(answer.client(t, V1), 3)
	if !tickets.lacks(7) {
		t.Error("there is one before it was fetched")
	}
	if result := tickets.Fetch(7); result.Outcome != Answered {
		t.Fatal(result.Err)
	}
	if tickets.lacks(7) || !strings.HasPrefix(tickets.Of(7, 3), "abc.") || tickets.Of(7, 4) != "" || tickets.Of(8, 3) != "" {
		t.Error("it is not held, or others hold it too:", tickets.Of(7, 3))
	}
	answer.body = ticketV1[:strings.Index(ticketV1, "2027")] + "2020-01-01T00:00:00Z" + ticketV1[strings.Index(ticketV1, "Z")+1:]
	tickets = NewTickets(answer.client(t, V1), 3)
	if result := tickets.Fetch(7); result.Outcome != Answered || !tickets.lacks(7) {
		t.Error("one that has ended is held:", tickets.Of(7, 3), result.Err)
	}
	var none *Tickets
	if none.lacks(7) || none.Of(7, 3) != "" {
		t.Error("a campaign without tickets wants one")
	}
}
