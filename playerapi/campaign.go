package playerapi

import (
	"slices"
	"strconv"

	"github.com/valyala/fasthttp"

	"hongbao"
)

// settledShown is how many of the campaigns that are settled the list still shows.
const settledShown = 50

// campaigns is GET /v1/campaigns: by id, all that are not settled and the latest that are.
func (s *Server) campaigns(ctx *fasthttp.RequestCtx) error {
	leave, err := s.look(ctx)
	if err != nil {
		return err
	}
	defer leave()
	views := s.listed()
	b := append(begin(ctx), `{"campaigns":[`...)
	for i := range views {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(views[i].append(b), '}')
	}
	ctx.Response.Header.Set("Cache-Control", "no-store")
	answerJSON(ctx, append(b, `]}`...))
	return nil
}

func (s *Server) listed() []campaignView {
	var views []campaignView
	now, settled := s.service.Now(), 0
	for _, c := range slices.Backward(s.service.Campaigns()) {
		view := s.view(c, now)
		if view.phase == hongbao.PhaseSettled {
			if settled++; settled > settledShown {
				continue
			}
		}
		views = append(views, view)
	}
	slices.Reverse(views)
	return views
}

// campaign is GET /v1/campaigns/{id}: the list's object with the published rules of every revision.
func (s *Server) campaign(ctx *fasthttp.RequestCtx, id []byte) error {
	number, err := campaignID(id)
	if err != nil {
		return err
	}
	leave, err := s.look(ctx)
	if err != nil {
		return err
	}
	defer leave()
	c, err := s.service.Campaign(number)
	if err != nil {
		return noCampaign(id)
	}
	view := s.view(c, s.service.Now())
	b := appendRevisions(view.append(begin(ctx)), c.Revisions)
	ctx.Response.Header.Set("Cache-Control", "no-store")
	answerJSON(ctx, append(b, '}'))
	return nil
}

// campaignView is a campaign as players see it at one time.
type campaignView struct {
	campaign *hongbao.Campaign
	phase    hongbao.Phase
	now      hongbao.Time
	left     uint64 // share not yet taken, in hundredths
}

func (s *Server) view(c *hongbao.Campaign, now hongbao.Time) campaignView {
	progress := s.service.Progress(c.ID)
	return campaignView{
		campaign: c, now: now,
		phase: c.Phase(now, progress.Held().Count),
		left:  progress.Left(c.Rules().Budget.Count),
	}
}

// append appends the object without its closing brace.
func (v *campaignView) append(b []byte) []byte {
	rules := v.campaign.Rules()
	b = append(b, `{"id":`...)
	b = appendID(b, uint64(v.campaign.ID))
	b = append(b, `,"name":`...)
	b = appendText(b, rules.Name)
	b = append(b, `,"title":`...)
	b = appendJSON(b, rules.Title)
	b = append(b, `,"kind":"`...)
	b = append(b, rules.Kind...)
	b = append(b, `","phase":"`...)
	b = append(b, v.phase...)
	b = append(b, `","opens_at":`...)
	b = appendTime(b, rules.OpensAt)
	b = append(b, `,"closes_at":`...)
	b = appendTime(b, rules.ClosesAt)
	b = append(b, `,"server_time":`...)
	b = appendTime(b, v.now)
	b = append(b, `,"left":`...)
	b = strconv.AppendUint(b, v.left, 10)
	b = append(b, `,"wins_max":`...)
	b = strconv.AppendInt(b, int64(rules.WinsMax), 10)
	b = append(b, `,"signup":"`...)
	b = append(b, rules.Signup...)
	b = append(b, `","commitment":"`...)
	b = append(b, v.campaign.Commitment...)
	b = append(b, '"')
	return appendState(b, v.campaign)
}

// appendState tells what does not hold of most campaigns. Keeps G8: the seed is shown once it is sealed, never before.
func appendState(b []byte, c *hongbao.Campaign) []byte {
	if c.Seal != nil {
		b = append(b, `,"seed":`...)
		b = appendText(b, c.Seal.Seed.String())
	}
	rules := c.Rules()
	if rules.Ticket {
		b = append(b, `,"ticket":true`...)
	}
	if rules.FairStart != 0 {
		b = append(b, `,"fair_start":`...)
		b = appendText(b, rules.FairStart.String())
	}
	if rules.Paused {
		b = append(b, `,"paused":true`...)
	}
	if c.Cancelled() {
		b = append(b, `,"cancelled":true`...)
	}
	return b
}

// appendRevisions publishes what the amounts and draws follow from: the rules as the commitment was taken over them,
// and the segment where a revision cuts one.
func appendRevisions(b []byte, revisions []hongbao.Revision) []byte {
	b = append(b, `,"revisions":[`...)
	for i, r := range revisions {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"revision":`...)
		b = strconv.AppendUint(b, uint64(r.Number), 10)
		b = append(b, `,"at":`...)
		b = appendTime(b, r.At)
		b = append(b, `,"rules":`...)
		b = append(b, hongbao.CanonicalRules(r.Rules)...)
		if r.Segment != nil {
			b = append(b, `,"segment":`...)
			b = appendJSON(b, r.Segment)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}
