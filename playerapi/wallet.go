package playerapi

import (
	"strconv"

	"github.com/valyala/fasthttp"

	"hongbao"
)

const walletLimit = 50

// wallet is GET /v1/wallet?limit=&cursor=.
func (s *Server) wallet(ctx *fasthttp.RequestCtx) error {
	request, err := walletRequest(ctx)
	if err != nil {
		return err
	}
	visitor, err := s.enter(ctx)
	if err != nil {
		return err
	}
	request.UID = visitor.UID
	wallet, err := s.gate.Wallet(s.calls, request)
	if err != nil {
		return err
	}
	ctx.Response.Header.Set("Cache-Control", "no-store")
	answerJSON(ctx, s.appendWallet(begin(ctx), &wallet))
	return nil
}

func walletRequest(ctx *fasthttp.RequestCtx) (hongbao.WalletRequest, error) {
	request := hongbao.WalletRequest{Limit: walletLimit}
	limit, given, err := parameter(ctx, "limit")
	if err != nil {
		return request, err
	}
	if given {
		n, ok := parseDigits(limit, hongbao.WalletLimitMax)
		if !ok || n == 0 {
			return request, hongbao.Invalid("limit", string(limit), "a whole number from 1 to "+strconv.Itoa(hongbao.WalletLimitMax))
		}
		request.Limit = int(n)
	}
	cursor, _, err := parameter(ctx, "cursor")
	if err != nil {
		return request, err
	}
	request.After, err = hongbao.ParseCursor(string(cursor))
	return request, err
}

func (s *Server) appendWallet(b []byte, w *hongbao.Wallet) []byte {
	b = append(b, `{"balance_fen":`...)
	b = strconv.AppendInt(b, w.BalanceFen, 10)
	b = append(b, `,"envelopes":[`...)
	for i := range w.Envelopes {
		if i > 0 {
			b = append(b, ',')
		}
		b = s.appendEnvelope(b, &w.Envelopes[i])
	}
	b = append(b, `],"next":"`...)
	b = append(b, w.Next().String()...)
	b = append(b, '"')
	if w.AsOf != 0 {
		b = append(b, `,"as_of":`...)
		b = appendTime(b, w.AsOf)
	}
	return append(b, '}')
}

func (s *Server) appendEnvelope(b []byte, e *hongbao.Envelope) []byte {
	b = append(b, `{"id":`...)
	b = appendID(b, uint64(e.ID))
	b = append(b, `,"campaign_id":`...)
	b = appendID(b, uint64(e.ID.Campaign()))
	b = append(b, `,"status":"`...)
	b = append(b, e.State.String()...)
	b = append(b, '"')
	if s.service.Revealed(e) {
		b = append(b, `,"amount_fen":`...)
		b = strconv.AppendInt(b, e.AmountFen, 10)
	}
	b = append(b, `,"snatched_at":`...)
	b = appendTime(b, e.WonAt)
	switch e.State {
	case hongbao.StateHeld:
		b = append(b, `,"expires_at":`...)
		b = appendTime(b, s.expiry(e))
	case hongbao.StateOpened:
		b = append(b, `,"opened_at":`...)
		b = appendTime(b, e.ClosedAt)
	case hongbao.StateRefunded:
		b = append(b, `,"refunded_at":`...)
		b = appendTime(b, e.ClosedAt)
	}
	return append(b, '}')
}

// expiry is when the envelope can no longer be opened, which cancelling its campaign may have moved later.
func (s *Server) expiry(e *hongbao.Envelope) hongbao.Time {
	c, err := s.service.Campaign(e.ID.Campaign())
	if err != nil {
		return e.ExpiresAt
	}
	return c.Expiry(e.ExpiresAt)
}
