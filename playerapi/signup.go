package playerapi

import (
	"errors"

	"github.com/valyala/fasthttp"

	"hongbao"
)

// signUp is PUT /v1/campaigns/{id}/signup.
func (s *Server) signUp(ctx *fasthttp.RequestCtx, id []byte) error {
	campaign, err := campaignID(id)
	if err != nil {
		return err
	}
	visitor, err := s.enter(ctx)
	if err != nil {
		return err
	}
	status, err := s.gate.SignUp(s.calls, campaign, visitor.UID)
	if errors.Is(err, hongbao.ErrNotFound) {
		return noCampaign(id)
	}
	if err != nil {
		return err
	}
	b := append(begin(ctx), `{"status":"`...)
	b = append(b, status...)
	answerJSON(ctx, append(b, `"}`...))
	return nil
}
