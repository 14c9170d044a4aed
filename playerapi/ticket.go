package playerapi

import (
	"strconv"

	"github.com/valyala/fasthttp"

	"hongbao"
	"hongbao/gate"
)

// ticket is POST /v1/campaigns/{id}/ticket. A campaign that is not yet in its countdown, or over, is told as a snatch would
// be.
func (s *Server) ticket(ctx *fasthttp.RequestCtx, id []byte) error {
	campaign, err := campaignID(id)
	if err != nil {
		return err
	}
	visitor, err := s.enter(ctx)
	if err != nil {
		return err
	}
	ticket, status := s.gate.Ticket(campaign, visitor.UID)
	switch {
	case ticket.Text != "":
		ctx.Response.Header.Set("Cache-Control", "no-store")
		answerJSON(ctx, appendTicket(begin(ctx), &ticket))
	case status == hongbao.NotFound:
		return noCampaign(id)
	default:
		b := append(begin(ctx), `{"status":"`...)
		b = append(b, status.String()...)
		answerJSON(ctx, append(b, `"}`...))
	}
	return nil
}

func appendTicket(b []byte, t *gate.Ticket) []byte {
	b = append(b, `{"ticket":`...)
	b = appendText(b, t.Text)
	b = append(b, `,"expires_at":`...)
	b = appendTime(b, t.ExpiresAt)
	b = append(b, `,"pow":{"salt":`...)
	b = appendText(b, t.Salt)
	b = append(b, `,"bits":`...)
	b = strconv.AppendInt(b, int64(t.Bits), 10)
	return append(b, `}}`...)
}
