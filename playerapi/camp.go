package playerapi

import (
	"errors"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"hongbao"
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
	uid, key, err := s.campRequest(ctx, fields[:])
	if err != nil {
		return err
	}
	campaign := s.service.CampCampaign()
	if campaign == 0 {
		answerJSON(ctx, append(appendCamp(begin(ctx), 5, "not open"), '}'))
		return nil
	}
	result, err := s.service.Snatch(s.calls, campaign, uid, key)
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
	uid, _, err := s.campRequest(ctx, fields[:])
	if err != nil {
		return err
	}
	envelope := &fields[1]
	if !envelope.given {
		return hongbao.Invalid("envelope_id", "", "given")
	}
	result, err := s.service.Open(s.calls, uid, hongbao.EnvelopeID(envelope.value))
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

// campRequest reads the body's fields, the first of which is uid, and the header of the key, and finds out who asks.
// Under [AuthTrusted] it is the body's uid, which X-Player-Id must not contradict; under [AuthJWT] the token's, which
// the body may leave out and must not contradict.
func (s *Server) campRequest(ctx *fasthttp.RequestCtx, fields []campField) (uid uint64, key string, err error) {
	if err := parseCampBody(ctx.PostBody(), fields); err != nil {
		return 0, "", err
	}
	key, err = idempotencyKey(ctx)
	if err != nil {
		return 0, "", err
	}
	claimed := &fields[0]
	if !claimed.given && s.auth == AuthTrusted {
		return 0, "", hongbao.Invalid("uid", "", "given")
	}
	uid, given, err := s.identity.player(ctx)
	switch {
	case err != nil:
		return 0, "", err
	case !given:
		return claimed.value, key, nil
	case claimed.given && claimed.value != uid:
		return 0, "", unauthorisedBecause("uid is another player's")
	}
	return uid, key, nil
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
	body := appendCamp(begin(ctx), r.problem.camp, strings.ReplaceAll(r.problem.code, "_", " "))
	answer(ctx, r.problem.campStatus, "application/json", append(body, '}'))
}
