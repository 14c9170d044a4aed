package playerapi

import (
	"errors"
	"strconv"

	"github.com/valyala/fasthttp"

	"hongbao"
)

// open is POST /v1/envelopes/{id}/open. An envelope of somebody else is answered as one that does not exist.
func (s *Server) open(ctx *fasthttp.RequestCtx, id []byte) error {
	envelope, ok := parseDigits(id, envelopeMax)
	if !ok {
		return noEnvelope(id)
	}
	visitor, err := s.enter(ctx)
	if err != nil {
		return err
	}
	result, err := s.gate.Open(s.calls, visitor.UID, hongbao.EnvelopeID(envelope))
	if errors.Is(err, hongbao.ErrNotFound) {
		return noEnvelope(id)
	}
	if err != nil {
		return err
	}
	answerJSON(ctx, appendOpened(begin(ctx), envelope, result))
	return nil
}

func appendOpened(b []byte, envelope uint64, r hongbao.OpenResult) []byte {
	if r.Expired {
		b = append(b, `{"status":"expired","envelope_id":`...)
		return append(appendID(b, envelope), '}')
	}
	b = append(b, `{"status":"opened","envelope_id":`...)
	b = appendID(b, envelope)
	b = append(b, `,"amount_fen":`...)
	b = strconv.AppendInt(b, r.AmountFen, 10)
	b = append(b, `,"balance_fen":`...)
	b = strconv.AppendInt(b, r.BalanceFen, 10)
	b = append(b, `,"first":`...)
	b = strconv.AppendBool(b, r.First)
	return append(b, '}')
}
