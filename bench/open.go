package bench

import (
	"strconv"

	"hongbao"
)

// Opened is the answer to opening an envelope. All but Result is set only where Outcome is Answered.
type Opened struct {
	Result
	Expired    bool // too late, or refunded; nothing else is set
	AmountFen  int64
	BalanceFen int64 // after it; -1 on the camp API, which does not tell
	First      bool  // credited by this request; on the camp API, which does not tell, always false
	TellsFirst bool  // whether the API tells First
}

// Open asks to credit an envelope and reads the answer strictly. An envelope that is not the player's is Refused with
// the label not_found.
func (c *Client) Open(uid uint64, envelope hongbao.EnvelopeID) Opened {
	x := c.exchange("POST", c.api)
	defer x.release()
	if c.api == Camp {
		c.path(x, "/open", 0, "")
		x.campBody(uid, uint64(envelope))
	} else {
		c.path(x, "/v1/envelopes/", uint64(envelope), "/open")
		x.player(uid)
	}
	answer := Opened{BalanceFen: -1}
	result, ok := c.do(x)
	switch {
	case !ok:
		answer.Result = result
	case c.api == Camp:
		answer.Result = answer.readCamp(x)
	default:
		answer.Result = answer.readV1(x.response.Body(), envelope)
	}
	return answer
}

func (o *Opened) readV1(body []byte, asked hongbao.EnvelopeID) Result {
	var status string
	var envelope uint64
	err := parse(body, func(in *scanner, name []byte) {
		switch string(name) {
		case "status":
			status = string(in.text())
		case "envelope_id":
			envelope = in.id()
		case "amount_fen":
			o.AmountFen = in.integer()
		case "balance_fen":
			o.BalanceFen = in.integer()
		case "first":
			o.First, o.TellsFirst = in.boolean(), true
		default:
			in.skip()
		}
	})
	o.Expired = status == "expired"
	switch {
	case err != nil:
		return wrong("%w", err)
	case !o.Expired && status != "opened":
		return wrong("the undocumented status %q", status)
	case hongbao.EnvelopeID(envelope) != asked:
		return wrong("envelope %d, where %d was asked", envelope, asked)
	case !o.Expired && (o.AmountFen < 1 || o.BalanceFen < o.AmountFen || !o.TellsFirst):
		return wrong("opened with amount_fen %d, balance_fen %d, first told: %t", o.AmountFen, o.BalanceFen, o.TellsFirst)
	}
	return Result{Outcome: Answered, Label: status}
}

func (o *Opened) readCamp(x exchange) Result {
	answer, err := parseCamp(x.response.Body(), func(in *scanner) {
		in.object(func(in *scanner, name []byte) {
			if string(name) != "value" {
				in.fail("value")
				return
			}
			o.AmountFen = in.integer()
		})
	})
	switch {
	case err != nil:
		return wrong("%w", err)
	case answer.code == 8:
		o.Expired = true
	case answer.code != 0:
		return campError(answer.code, answer.msg, x.response.StatusCode())
	}
	if answer.data == o.Expired || !o.Expired && (o.AmountFen < 1 || answer.msg != "success") {
		return wrong("code %d (%s) with the value %d", answer.code, answer.msg, o.AmountFen)
	}
	data := `{"value":` + strconv.FormatInt(o.AmountFen, 10) + `}`
	if result, ok := checkCampBytes(x.response, answer, []byte(data)); !ok {
		return result
	}
	if o.Expired {
		return Result{Outcome: Answered, Label: "expired"}
	}
	return Result{Outcome: Answered, Label: "opened"}
}
