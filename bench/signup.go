package bench

import (
	"slices"

	"hongbao"
)

// SignedUp is the answer to a sign-up.
type SignedUp struct {
	Result
	Status hongbao.SignUpStatus // where Outcome is Answered
}

// SignUp signs a player up for a campaign, on /v1 whatever the client's API: the camp API has none.
func (c *Client) SignUp(uid uint64, campaign uint32) SignedUp {
	x := c.exchange("PUT", V1)
	defer x.release()
	c.path(x, "/v1/campaigns/", uint64(campaign), "/signup")
	x.player(uid)
	var answer SignedUp
	result, ok := c.do(x)
	if !ok {
		answer.Result = result
		return answer
	}
	err := parse(x.response.Body(), func(in *scanner, name []byte) {
		if string(name) == "status" {
			answer.Status = hongbao.SignUpStatus(in.text())
			return
		}
		in.skip()
	})
	switch {
	case err != nil:
		answer.Result = wrong("%w", err)
	case !slices.Contains(signUpStatuses, answer.Status):
		answer.Result = wrong("the undocumented status %q", answer.Status)
	default:
		answer.Result = Result{Outcome: Answered, Label: string(answer.Status)}
	}
	return answer
}

var signUpStatuses = []hongbao.SignUpStatus{
	hongbao.SignedUp, hongbao.SignUpClosed, hongbao.SignUpCancelled, hongbao.SignUpNotRequired, hongbao.SignUpInvitedOnly,
}
