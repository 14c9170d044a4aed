package bench

import (
	"time"

	"hongbao"
	"hongbao/gate"
)

// Ticket is the answer to asking for a ticket. All but Result is set only where Outcome is Answered.
type Ticket struct {
	Result
	Text      string // what is sent back, where it needs no work
	ExpiresAt hongbao.Time
	Salt      string
	Bits      int // zero bits that SHA-256 of salt and nonce must begin with; 0: no work
}

// Ticket asks for a ticket to a campaign, on /v1 whatever the client's API: the camp API has no such route and takes the
// same tickets.
func (c *Client) Ticket(uid uint64, campaign uint32) Ticket {
	x := c.exchange("POST", V1)
	defer x.release()
	c.path(x, "/v1/campaigns/", uint64(campaign), "/ticket")
	x.player(uid)
	var ticket Ticket
	result, ok := c.do(x)
	if !ok {
		ticket.Result = result
		return ticket
	}
	ticket.Result = ticket.read(x.response.Body())
	return ticket
}

func (t *Ticket) read(body []byte) Result {
	work := false
	err := parse(body, func(in *scanner, name []byte) {
		switch string(name) {
		case "ticket":
			t.Text = string(in.text())
		case "expires_at":
			t.ExpiresAt = readTime(in)
		case "pow":
			work = true
			in.object(t.readWork)
		default:
			in.skip()
		}
	})
	const bitsMax = 64 // more is nobody's work
	switch {
	case err != nil:
		return wrong("%w", err)
	case t.Text == "" || t.ExpiresAt == 0 || !work:
		return wrong("a ticket without ticket, expires_at or pow")
	case t.Bits < 0 || t.Bits > bitsMax || t.Bits > 0 && t.Salt == "":
		return wrong("a ticket that asks for %d bits over the salt %q", t.Bits, t.Salt)
	}
	return Result{Outcome: Answered, Label: "ticket"}
}

func (t *Ticket) readWork(in *scanner, name []byte) {
	switch string(name) {
	case "salt":
		t.Salt = string(in.text())
	case "bits":
		t.Bits = int(in.integer())
	default:
		in.skip()
	}
}

// Solve does the ticket's work, if it asks for any, and returns what is sent back.
func (t *Ticket) Solve() string {
	if t.Bits == 0 {
		return t.Text
	}
	return t.Text + "." + gate.SolveWork(t.Salt, t.Bits)
}

// valid tells whether the server would still take it; a little earlier than it ends, for the way there.
func (t *Ticket) valid(now time.Time) bool {
	const onTheWay = time.Second
	return t.Outcome == Answered && now.Add(onTheWay).Before(t.ExpiresAt.Std())
}
