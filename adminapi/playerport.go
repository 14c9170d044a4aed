package adminapi

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"hongbao"
)

// The player port answers without huma, for speed: here its operations are only described. What an operation answers
// with is described by a struct of this file.

type snatchAnswer struct {
	Status     string `json:"status" enum:"won,missed,sold_out,not_open,closed,cancelled,paused,not_signed_up,limit_reached,daily_limit_reached"`
	CampaignID string `json:"campaign_id,omitempty" doc:"Won"`
	EnvelopeID string `json:"envelope_id,omitempty" doc:"Won"`
	Wins       int    `json:"wins,omitempty" doc:"The player's wins in the campaign; left out when the engine was not asked"`
	WinsMax    int    `json:"wins_max" doc:"0: no limit"`
	Receipt    string `json:"receipt,omitempty" doc:"Won: proof of it"`
	Key        string `json:"key,omitempty" doc:"Won and missed, when the server chose it"`
	AmountFen  int64  `json:"amount_fen,omitempty" doc:"Won, where the campaign reveals on snatch"`
}

type openAnswer struct {
	Status     string `json:"status" enum:"opened,expired"`
	EnvelopeID string `json:"envelope_id"`
	AmountFen  int64  `json:"amount_fen,omitempty" doc:"Opened"`
	BalanceFen int64  `json:"balance_fen,omitempty" doc:"Opened: of the wallet, with it"`
	First      bool   `json:"first,omitempty" doc:"Opened: by this request, not before"`
}

type walletAnswer struct {
	BalanceFen int64            `json:"balance_fen"`
	Envelopes  []walletEnvelope `json:"envelopes" nullable:"false" doc:"Newest first"`
	Next       string           `json:"next" doc:"The cursor of the next page; empty on the last"`
	AsOf       hongbao.Time     `json:"as_of,omitzero" doc:"Only in a cluster, while the player's shard can't be read: the time of the books that this is from"`
}

type walletEnvelope struct {
	ID         string       `json:"id"`
	CampaignID string       `json:"campaign_id"`
	Status     string       `json:"status" enum:"held,opened,refunded"`
	AmountFen  int64        `json:"amount_fen,omitempty" doc:"Once opened, or from the start where the campaign reveals on snatch"`
	SnatchedAt hongbao.Time `json:"snatched_at"`
	ExpiresAt  hongbao.Time `json:"expires_at,omitzero" doc:"Held"`
	OpenedAt   hongbao.Time `json:"opened_at,omitzero"`
	RefundedAt hongbao.Time `json:"refunded_at,omitzero"`
}

type signUpAnswer struct {
	Status string `json:"status" enum:"signed_up,closed,cancelled,not_required,invited_only"`
}

type ticketAnswer struct {
	Ticket    string       `json:"ticket,omitempty" doc:"Goes into the header Hongbao-Ticket of snatches, until it expires"`
	ExpiresAt hongbao.Time `json:"expires_at,omitzero"`
	Pow       *ticketWork  `json:"pow,omitempty"`
	Status    string       `json:"status,omitempty" enum:"not_open,closed,cancelled" doc:"Why there is no ticket"`
}

type ticketWork struct {
	Salt string `json:"salt"`
	Bits int    `json:"bits" doc:"Above 0: the header must be <ticket>.<nonce> such that SHA-256(salt + nonce) begins with as many zero bits"`
}

type publicCampaigns struct {
	Campaigns []publicCampaign `json:"campaigns" nullable:"false"`
}

type publicCampaign struct {
	ID         string           `json:"id"`
	Name       string           `json:"name"`
	Title      hongbao.Text     `json:"title"`
	Kind       hongbao.Kind     `json:"kind"`
	Phase      hongbao.Phase    `json:"phase"`
	OpensAt    hongbao.Time     `json:"opens_at"`
	ClosesAt   hongbao.Time     `json:"closes_at"`
	ServerTime hongbao.Time     `json:"server_time"`
	Left       int              `json:"left" minimum:"0" maximum:"100" doc:"Share of the envelopes not yet taken, in hundredths"`
	WinsMax    int              `json:"wins_max" doc:"0: no limit"`
	Signup     hongbao.Signup   `json:"signup"`
	Commitment string           `json:"commitment" doc:"Hex SHA-256 of seed and first rules"`
	Seed       string           `json:"seed,omitempty" doc:"Hex, once the campaign is sealed"`
	Ticket     bool             `json:"ticket,omitempty" doc:"A snatch needs a ticket"`
	FairStart  string           `json:"fair_start,omitempty" doc:"Whoever arrives so soon after opens_at is admitted after it, by lot" example:"1s"`
	Paused     bool             `json:"paused,omitempty"`
	Cancelled  bool             `json:"cancelled,omitempty"`
	Revisions  []publicRevision `json:"revisions,omitempty" nullable:"false" doc:"Of one campaign: the published rules; left out in lists"`
}

type publicRevision struct {
	Revision uint32           `json:"revision"`
	At       hongbao.Time     `json:"at"`
	Rules    hongbao.Rules    `json:"rules"`
	Segment  *hongbao.Segment `json:"segment,omitempty" doc:"What the revision cuts, when it changes the budget"`
}

type campUID struct {
	UID uidOrDigits `json:"uid"`
}

type campUIDEnvelope struct {
	UID        uidOrDigits `json:"uid"`
	EnvelopeID uidOrDigits `json:"envelope_id"`
}

type campSnatchAnswer struct {
	Code int             `json:"code" doc:"0 success, 1 bad request, 2 limit reached, 3 missed, 4 sold out, 5 not open, over, cancelled or paused, 6 too fast, 9 busy, 10 not signed up, 11 unauthorised, 12 unknown: retry, 13 ticket"`
	Msg  string          `json:"msg"`
	Data *campSnatchData `json:"data,omitempty" doc:"Codes 0 and 2"`
}

type campSnatchData struct {
	EnvelopeID uint64 `json:"envelope_id,omitempty" doc:"Code 0"`
	MaxCount   int    `json:"max_count"`
	CurCount   int    `json:"cur_count"`
}

type campOpenAnswer struct {
	Code int           `json:"code" doc:"0 success, 1 bad request, 6 too fast, 7 no such envelope, 8 expired or refunded, 9 busy, 11 unauthorised, 12 unknown: retry"`
	Msg  string        `json:"msg"`
	Data *campOpenData `json:"data,omitempty" doc:"Code 0"`
}

type campOpenData struct {
	Value int64 `json:"value" doc:"In fen"`
}

type campWalletAnswer struct {
	Code int             `json:"code" doc:"0 success, 1 bad request, 6 too fast, 9 busy (in a cluster also while the player's shard can't be read), 11 unauthorised"`
	Msg  string          `json:"msg"`
	Data *campWalletData `json:"data,omitempty" doc:"Code 0"`
}

type campWalletData struct {
	Amount       int64          `json:"amount" doc:"Balance in fen"`
	EnvelopeList []campEnvelope `json:"envelope_list" nullable:"false" doc:"Oldest first"`
}

type campEnvelope struct {
	EnvelopeID uint64 `json:"envelope_id"`
	Value      int64  `json:"value,omitempty" doc:"In fen, once opened"`
	Opened     bool   `json:"opened"`
	SnatchTime int64  `json:"snatch_time" doc:"Unix seconds"`
}

// describePlayerPort adds the player port's operations to the document.
func (s *Server) describePlayerPort() {
	s.describePlayer(huma.Operation{
		OperationID: "snatch", Method: http.MethodPost, Path: "/v1/campaigns/{id}/snatch", Summary: "Ask for an envelope",
		Description: "Refusals are answers, with 200. 403 ticket_required and ticket_invalid: see take-ticket. 429 too_fast, 503 busy and read_only: " +
			"nothing happened; Retry-After says when to come back. 504 unknown: it may have; retry with the key that comes with it.",
		Parameters: []*huma.Param{pathParam("id"), keyParam(), ticketParam()}, Responses: answerOf[snatchAnswer](s, "What came of it"),
	})
	s.describePlayer(huma.Operation{
		OperationID: "open-envelope", Method: http.MethodPost, Path: "/v1/envelopes/{id}/open", Summary: "Credit a held envelope to the wallet",
		Description: "It may be repeated: the amount stays. 404: there is no such envelope, or it is not this player's.",
		Parameters:  []*huma.Param{pathParam("id")}, Responses: answerOf[openAnswer](s, "What came of it"),
	})
	s.describePlayer(huma.Operation{
		OperationID: "read-wallet", Method: http.MethodGet, Path: "/v1/wallet", Summary: "Read the player's wallet",
		Parameters: []*huma.Param{
			{Name: "limit", In: "query", Schema: pageLimit("").Schema(nil)},
			{Name: "cursor", In: "query", Description: "The next of the page before", Schema: &huma.Schema{Type: huma.TypeString}},
		},
		Responses: answerOf[walletAnswer](s, "A page of the wallet"),
	})
	s.describePlayer(huma.Operation{
		OperationID: "sign-up", Method: http.MethodPut, Path: "/v1/campaigns/{id}/signup", Summary: "Sign up for a campaign, until it closes",
		Parameters: []*huma.Param{pathParam("id")}, Responses: answerOf[signUpAnswer](s, "What came of it"),
	})
	s.describePlayer(huma.Operation{
		OperationID: "take-ticket", Method: http.MethodPost, Path: "/v1/campaigns/{id}/ticket", Summary: "Take a ticket for a campaign, in its countdown or while it is open",
		Parameters: []*huma.Param{pathParam("id")}, Responses: answerOf[ticketAnswer](s, "A ticket, or why there is none"),
	})
	s.describePlayer(huma.Operation{
		OperationID: "list-public-campaigns", Method: http.MethodGet, Path: "/v1/campaigns", Summary: "List campaigns, as players see them",
		Description: "All that are not settled, and the latest that are.",
		Security:    security(public), Responses: answerOf[publicCampaigns](s, "The campaigns by id"),
	})
	s.describePlayer(huma.Operation{
		OperationID: "read-public-campaign", Method: http.MethodGet, Path: "/v1/campaigns/{id}", Summary: "Read a campaign with its published rules",
		Security: security(public), Parameters: []*huma.Param{pathParam("id")}, Responses: answerOf[publicCampaign](s, "The campaign"),
	})
	s.describePlayer(huma.Operation{
		OperationID: "follow-events", Method: http.MethodGet, Path: "/v1/events", Summary: "Be told of events, as Server-Sent Events",
		Description: "They are described in /asyncapi.json. 503 busy: there are as many connections as there may be.",
		Security:    security(public),
		Parameters: []*huma.Param{
			{Name: "Last-Event-ID", In: "header", Description: "The last event that the client knows; what came after it is told first", Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: "last_event_id", In: "query", Description: "The same, for clients that can't send the header", Schema: &huma.Schema{Type: huma.TypeString}},
		},
		Responses: streamOf(map[string]*huma.Schema{"text/event-stream": {Type: huma.TypeString}}),
	})
	describeCamp[campUID, campSnatchAnswer](s, "/snatch", "camp-snatch", "Ask for an envelope of the current rain")
	describeCamp[campUIDEnvelope, campOpenAnswer](s, "/open", "camp-open", "Credit a held envelope to the wallet")
	describeCamp[campUID, campWalletAnswer](s, "/get_wallet_list", "camp-wallet", "Read a player's wallet")
}

func (s *Server) describePlayer(op huma.Operation) {
	if op.Tags == nil {
		op.Tags = []string{tagPlayer}
	}
	if op.Security == nil {
		op.Security = []map[string][]string{{playerToken: {}}, {playerID: {}}}
	}
	op.Servers = []*huma.Server{{
		URL: "{player}", Description: "The player port",
		Variables: map[string]*huma.ServerVariable{"player": {Default: "http://127.0.0.1:8080"}},
	}}
	s.api.OpenAPI().AddOperation(&op)
}

// describeCamp adds an operation of the camp API, whose outcomes are codes within 200.
func describeCamp[Body, Answer any](s *Server, path, id, summary string) {
	body := jsonBody[Body](s)
	body.Content["application/x-www-form-urlencoded"] = body.Content["application/json"]
	answers := answerOf[Answer](s, "The outcome is in the code")
	delete(answers, "default")
	answers["400"] = &huma.Response{Description: "Code 1: a bad request", Content: answers["200"].Content}
	answers["401"] = &huma.Response{Description: "Code 11: unauthorised", Content: answers["200"].Content}
	answers["413"] = &huma.Response{Description: "Code 1: too large", Content: answers["200"].Content}
	s.describePlayer(huma.Operation{
		OperationID: id, Method: http.MethodPost, Path: path, Summary: summary, Tags: []string{tagCamp},
		Security: []map[string][]string{{playerToken: {}}, {}}, Parameters: []*huma.Param{keyParam(), ticketParam()},
		RequestBody: body, Responses: answers,
	})
}

func pathParam(name string) *huma.Param {
	return &huma.Param{Name: name, In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString, Pattern: "^[0-9]+$"}}
}

func ticketParam() *huma.Param {
	return &huma.Param{
		Name: "Hongbao-Ticket", In: "header", Description: "Where the campaign asks for one",
		Schema: &huma.Schema{Type: huma.TypeString},
	}
}

func keyParam() *huma.Param {
	low, high := 1, hongbao.KeyBytesMax
	return &huma.Param{
		Name: "Idempotency-Key", In: "header", Description: "What the request is known by when it is retried: printable ASCII",
		Schema: &huma.Schema{Type: huma.TypeString, MinLength: &low, MaxLength: &high},
	}
}
