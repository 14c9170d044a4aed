package playerapi

import (
	"strconv"

	"github.com/valyala/fasthttp"

	"hongbao"
	"hongbao/gate"
)

// snatch is POST /v1/campaigns/{id}/snatch.
func (s *Server) snatch(ctx *fasthttp.RequestCtx, id []byte) error {
	campaign, err := campaignID(id)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(ctx)
	if err != nil {
		return err
	}
	if result, ok := s.gate.Foretell(campaign, key != ""); ok {
		answerJSON(ctx, appendRefusal(begin(ctx), &result))
		return nil
	}
	visitor, err := s.enter(ctx)
	if err != nil {
		return err
	}
	result, err := s.gate.Snatch(s.calls, gate.Snatch{Visitor: visitor, Campaign: campaign, Key: key, Ticket: ticketOf(ctx)})
	if err != nil {
		return withKey(err, result.Key)
	}
	switch result.Status {
	case hongbao.NotFound:
		return noCampaign(id)
	case hongbao.Won:
		answerJSON(ctx, s.appendWin(begin(ctx), visitor.UID, &result))
	default:
		answerJSON(ctx, appendRefusal(begin(ctx), &result))
	}
	return nil
}

func (s *Server) appendWin(b []byte, uid uint64, r *hongbao.SnatchResult) []byte {
	b = append(b, `{"status":"won","campaign_id":`...)
	b = appendID(b, uint64(r.Envelope.Campaign()))
	b = append(b, `,"envelope_id":`...)
	b = appendID(b, uint64(r.Envelope))
	b = appendWins(b, r)
	b = append(b, `,"receipt":"`...)
	b = s.service.AppendReceipt(b, uid, r)
	b = append(b, '"')
	b = appendNewKey(b, r)
	if r.Rules.Reveal == hongbao.RevealOnSnatch {
		b = append(b, `,"amount_fen":`...)
		b = strconv.AppendInt(b, r.AmountFen, 10)
	}
	return append(b, '}')
}

// appendRefusal tells the key of a miss, so that its draw can be recomputed; other refusals drew nothing.
func appendRefusal(b []byte, r *hongbao.SnatchResult) []byte {
	b = append(b, `{"status":"`...)
	b = append(b, r.Status.String()...)
	b = append(b, '"')
	b = appendWins(b, r)
	if r.Status == hongbao.Missed {
		b = appendNewKey(b, r)
	}
	return append(b, '}')
}

func appendWins(b []byte, r *hongbao.SnatchResult) []byte {
	if r.Wins >= 0 {
		b = append(b, `,"wins":`...)
		b = strconv.AppendInt(b, int64(r.Wins), 10)
	}
	b = append(b, `,"wins_max":`...)
	return strconv.AppendInt(b, int64(r.Rules.WinsMax), 10)
}

func appendNewKey(b []byte, r *hongbao.SnatchResult) []byte {
	if !r.KeyIsNew {
		return b
	}
	b = append(b, `,"key":`...)
	return appendText(b, r.Key)
}
