package webhook

import (
	"encoding/json"
	"slices"
	"strconv"

	"hongbao"
	"hongbao/live"
)

// item is an event on its way to an endpoint.
type item struct {
	id       string           // the webhook-id
	event    string           // "envelope.won"
	campaign uint32           // whose lane it takes
	at       hongbao.Time     // when it happened
	after    hongbao.Position // the place behind it
	body     []byte           // as it is sent
}

// envelope is the body of every request, as Standard Webhooks has it.
type envelope struct {
	Type      string       `json:"type"`
	Timestamp hongbao.Time `json:"timestamp"`
	Data      any          `json:"data"`
}

// wonData, openedData and refundedData are the data of the envelopes' events. The receiver is the company, whose money
// it is: the amount is told where the player does not know it yet.
type wonData struct {
	Campaign  string       `json:"campaign_id"`
	Envelope  string       `json:"envelope_id"`
	UID       string       `json:"uid"`
	AmountFen int64        `json:"amount_fen"`
	Wins      int          `json:"wins"`
	WonAt     hongbao.Time `json:"won_at"`
	ExpiresAt hongbao.Time `json:"expires_at"`
}

type openedData struct {
	Campaign   string       `json:"campaign_id"`
	Envelope   string       `json:"envelope_id"`
	UID        string       `json:"uid"`
	AmountFen  int64        `json:"amount_fen"`
	BalanceFen int64        `json:"balance_fen"`
	OpenedAt   hongbao.Time `json:"opened_at"`
}

type refundedData struct {
	Campaign   string       `json:"campaign_id"`
	Envelope   string       `json:"envelope_id"`
	UID        string       `json:"uid"`
	AmountFen  int64        `json:"amount_fen"`
	RefundedAt hongbao.Time `json:"refunded_at"`
}

// notice is what an event of the journal is to endpoints.
type notice struct {
	event    string
	campaign uint32
	live     json.RawMessage // its data, where that is journaled as it is sent
}

// noticeOf tells what an event is called outside; ok is false for what is not told.
func noticeOf(e *hongbao.Event) (n notice, ok bool) {
	switch e.Kind {
	case hongbao.EnvelopeWon:
		return notice{event: eventWon, campaign: e.Campaign}, true
	case hongbao.EnvelopeOpened:
		return notice{event: eventOpened, campaign: e.Campaign}, true
	case hongbao.EnvelopeRefunded:
		return notice{event: eventRefunded, campaign: e.Campaign}, true
	case hongbao.SystemRecorded:
		return liveNotice(e)
	}
	return notice{}, false
}

func liveNotice(e *hongbao.Event) (n notice, ok bool) {
	if !live.IsRecord(e.Name) {
		return notice{}, false
	}
	record, err := live.ParseRecord(e)
	if err != nil || !slices.Contains(live.Events(), record.Event) {
		return notice{}, false
	}
	var of struct {
		Campaign uint32 `json:"campaign_id,string"`
	}
	err = json.Unmarshal(record.Data, &of)
	return notice{record.Event, of.Campaign, record.Data}, err == nil
}

// itemOf makes what is sent of an entry.
func itemOf(entry hongbao.Entry, n notice) item {
	e := entry.Event
	body := envelope{Type: n.event, Timestamp: e.At}
	campaign, id, uid := digits(uint64(e.Campaign)), digits(uint64(e.Envelope)), digits(e.UID)
	switch e.Kind {
	case hongbao.EnvelopeWon:
		body.Data = wonData{campaign, id, uid, e.AmountFen, e.Wins, e.At, e.ExpiresAt}
	case hongbao.EnvelopeOpened:
		body.Data = openedData{campaign, id, uid, e.AmountFen, e.BalanceFen, e.At}
	case hongbao.EnvelopeRefunded:
		body.Data = refundedData{campaign, id, uid, e.AmountFen, e.At}
	default:
		body.Data = n.live
	}
	return item{
		id: entry.ID, event: n.event, campaign: n.campaign, at: e.At, after: entry.Position, body: encode(body),
	}
}

func encode(body envelope) []byte {
	data, err := json.Marshal(body)
	if err != nil {
		panic("webhook: an event of the journal can't be written: " + err.Error())
	}
	return data
}

func digits(n uint64) string { return strconv.FormatUint(n, 10) }
