package playerapi

import (
	"errors"
	"strconv"

	"github.com/valyala/fasthttp"

	"hongbao"
	"hongbao/gate"
)

// campOutcome is a status of a snatch as the camp API tells it.
type campOutcome struct {
	code int
	msg  string
}

// campOutcomes is by [hongbao.Status].
var campOutcomes = [hongbao.Statuses]campOutcome{
	hongbao.NotFound:          {5, "not found"},
	hongbao.Cancelled:         {5, "cancelled"},
	hongbao.NotOpen:           {5, "not open"},
	hongbao.Closed:            {5, "closed"},
	hongbao.Paused:            {5, "paused"},
	hongbao.NotSignedUp:       {10, "not signed up"},
	hongbao.LimitReached:      {2, "limit reached"},
	hongbao.DailyLimitReached: {2, "daily limit reached"},
	hongbao.SoldOut:           {4, "sold out"},
	hongbao.Missed:            {3, "missed"},
	hongbao.Won:               {0, "success"},
}

// campExpired is the code of an envelope that can no longer be opened.
const campExpired = 8

// campSnatch is POST /snatch. Under both limits cur_count is the player's wins in the campaign and max_count its
// wins_max, 0 for no limit. A key that won in a campaign whose counts are forgotten by now is told this win alone.
func (s *Server) campSnatch(ctx *fasthttp.RequestCtx) error {
	fields := [...]campField{{name: "uid", limit: hongbao.UIDMax}}
	key, err := s.campFields(ctx, fields[:])
	if err != nil {
		return err
	}
	campaign := s.service.CampCampaign()
	if result, ok := s.gate.Foretell(campaign, key != ""); ok {
		answerJSON(ctx, appendCampSnatch(begin(ctx), &result))
		return nil
	}
	visitor, err := s.campEnter(ctx, &fields[0])
	if err != nil {
		return err
	}
	if campaign == 0 {
		answerJSON(ctx, append(appendCamp(begin(ctx), 5, "not open"), '}'))
		return nil
	}
	result, err := s.gate.Snatch(s.calls, gate.Snatch{Visitor: visitor, Campaign: campaign, Key: key, Ticket: ticketOf(ctx)})
	if result.KeyIsNew && (errors.Is(err, hongbao.ErrUnknown) || err == nil && result.Status >= hongbao.Missed) {
		ctx.Response.Header.Set("Idempotency-Key", result.Key)
	}
	if err != nil {
		return err
	}
	answerJSON(ctx, appendCampSnatch(begin(ctx), &result))
	return nil
}

func appendCampSnatch(b []byte, r *hongbao.SnatchResult) []byte {
	outcome := campOutcomes[r.Status]
	b = appendCamp(b, outcome.code, outcome.msg)
	switch r.Status {
	case hongbao.Won:
		b = append(b, `,"data":{"envelope_id":`...)
		b = strconv.AppendUint(b, uint64(r.Envelope), 10)
		b = append(b, `,"max_count":`...)
		b = strconv.AppendInt(b, int64(r.Rules.WinsMax), 10)
		b = append(b, `,"cur_count":`...)
		b = strconv.AppendInt(b, int64(max(r.Wins, 1)), 10)
		b = append(b, '}')
	case hongbao.LimitReached, hongbao.DailyLimitReached:
		b = append(b, `,"data":{"cur_count":`...)
		b = strconv.AppendInt(b, int64(r.Wins), 10)
		b = append(b, `,"max_count":`...)
		b = strconv.AppendInt(b, int64(r.Rules.WinsMax), 10)
		b = append(b, '}')
	}
	return append(b, '}')
}

// campOpen is POST /open.
func (s *Server) campOpen(ctx *fasthttp.RequestCtx) error {
	fields := [...]campField{{name: "uid", limit: hongbao.UIDMax}, {name: "envelope_id", limit: envelopeMax}}
	if _, err := s.campFields(ctx, fields[:]); err != nil {
		return err
	}
	envelope := &fields[1]
	if !envelope.given {
		return hongbao.Invalid("envelope_id", "", "given")
	}
	visitor, err := s.campEnter(ctx, &fields[0])
	if err != nil {
		return err
	}
	result, err := s.gate.Open(s.calls, visitor.UID, hongbao.EnvelopeID(envelope.value))
	if err != nil {
		return err
	}
	if result.Expired {
		answerJSON(ctx, append(appendCamp(begin(ctx), campExpired, "expired"), '}'))
		return nil
	}
	b := append(appendCamp(begin(ctx), 0, "success"), `,"data":{"value":`...)
	b = strconv.AppendInt(b, result.AmountFen, 10)
	answerJSON(ctx, append(b, `}}`...))
	return nil
}

// campFields reads the body's fields, the first of which is uid, and the header of the key.
func (s *Server) campFields(ctx *fasthttp.RequestCtx, fields []campField) (key string, err error) {
	if err := parseCampBody(ctx.PostBody(), fields); err != nil {
		return "", err
	}
	if !fields[0].given && s.auth == AuthTrusted {
		return "", hongbao.Invalid("uid", "", "given")
	}
	return idempotencyKey(ctx)
}

// campEnter does what [Server.enter] does on /v1. Under [AuthTrusted] the player is the body's, whom X-Player-Id must not
// contradict; under [AuthJWT] the token's, whom the body may leave out and must not contradict.
func (s *Server) campEnter(ctx *fasthttp.RequestCtx, claimed *campField) (gate.Visitor, error) {
	address, err := s.arrive(ctx)
	if err != nil {
		return gate.Visitor{}, err
	}
	uid, given, err := s.identity.player(ctx)
	switch {
	case err != nil:
		return gate.Visitor{}, err
	case !given:
		uid = claimed.value
	case claimed.given && claimed.value != uid:
		return gate.Visitor{}, unauthorisedBecause("uid is another player's")
	}
	v := gate.Visitor{UID: uid, Address: address}
	quota, err := s.gate.Admit(v, began(ctx))
	if err != nil {
		tellRetry(ctx, &quota)
	}
	return v, err
}

// appendCamp appends an answer without its data and closing brace.
func appendCamp(b []byte, code int, msg string) []byte {
	b = append(b, `{"code":`...)
	b = strconv.AppendInt(b, int64(code), 10)
	b = append(b, `,"msg":"`...)
	b = append(b, msg...)
	return append(b, '"')
}

// refuseCamp answers an error in the camp API's form, which has no place for a reason: where the request is at fault it
// stands in a header.
func refuseCamp(ctx *fasthttp.RequestCtx, r refusal) {
	if r.detail != "" && r.problem.campStatus != fasthttp.StatusOK {
		ctx.Response.Header.Set("Error-Detail", r.detail)
	}
	body := appendCamp(begin(ctx), r.problem.camp, r.problem.campMsg)
	answer(ctx, r.problem.campStatus, "application/json", append(body, '}'))
}
