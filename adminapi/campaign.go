package adminapi

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"hongbao"
)

// campaign is a campaign as the API tells it: the keys of the config file with what was left out filled in, and how
// far it has come.
type campaign struct {
	ID       string        `json:"id"`
	Revision uint32        `json:"revision" doc:"Of the rules in force; also the ETag, in double quotes"`
	Phase    hongbao.Phase `json:"phase"`
	hongbao.Rules
	Commitment string             `json:"commitment" doc:"Hex SHA-256 of seed and first rules"`
	Seed       hongbao.Seed       `json:"seed,omitzero" doc:"Hex, once the campaign is sealed"`
	Cancelled  bool               `json:"cancelled"`
	CreatedAt  hongbao.Time       `json:"created_at"`
	SealedAt   hongbao.Time       `json:"sealed_at,omitzero"`
	Taken      hongbao.Tally      `json:"taken"`
	Opened     hongbao.Tally      `json:"opened"`
	Refunded   hongbao.Tally      `json:"refunded"`
	SignedUp   uint64             `json:"signed_up"`
	Revisions  []hongbao.Revision `json:"revisions,omitempty" nullable:"false" doc:"Oldest first; left out in lists"`
}

func (s *Server) campaign(c *hongbao.Campaign) campaign {
	progress := s.service.Progress(c.ID)
	told := campaign{
		ID: strconv.FormatUint(uint64(c.ID), 10), Revision: c.Revision(),
		Phase: c.Phase(s.service.Now(), progress.Held().Count), Rules: *c.Rules(),
		Commitment: c.Commitment, Cancelled: c.Cancelled(), CreatedAt: c.Revisions[0].At,
		Taken: progress.Taken, Opened: progress.Opened, Refunded: progress.Refunded, SignedUp: progress.SignedUp,
	}
	if c.Seal != nil {
		told.Seed, told.SealedAt = c.Seal.Seed, c.Seal.At
	}
	return told
}

// campaignOutput is one campaign with all its revisions.
type campaignOutput struct {
	ETag string `header:"ETag" doc:"The revision in double quotes, for If-Match"`
	Body campaign
}

func (s *Server) campaignOutput(c *hongbao.Campaign) *campaignOutput {
	told := s.campaign(c)
	told.Revisions = c.Revisions
	return &campaignOutput{ETag: strconv.Quote(strconv.FormatUint(uint64(c.Revision()), 10)), Body: told}
}

func (s *Server) campaignRoutes() {
	register(s, Operator, huma.Operation{
		OperationID: "create-campaign", Method: http.MethodPost, Path: "/admin/v1/campaigns", Tags: []string{tagCampaigns},
		Summary:       "Create a campaign",
		Description:   "The body has the keys that a campaign has in the config file. 409 name_taken: a campaign of that name exists.",
		DefaultStatus: http.StatusCreated, RequestBody: jsonBody[campaignSpec](s),
	}, s.createCampaign)
	register(s, Viewer, huma.Operation{
		OperationID: "list-campaigns", Method: http.MethodGet, Path: "/admin/v1/campaigns", Tags: []string{tagCampaigns},
		Summary: "List campaigns, newest first",
	}, s.listCampaigns)
	register(s, Viewer, huma.Operation{
		OperationID: "read-campaign", Method: http.MethodGet, Path: "/admin/v1/campaigns/{id}", Tags: []string{tagCampaigns},
		Summary: "Read a campaign with its revisions",
	}, s.readCampaign)
	register(s, Operator, huma.Operation{
		OperationID: "revise-campaign", Method: http.MethodPatch, Path: "/admin/v1/campaigns/{id}", Tags: []string{tagCampaigns},
		Summary: "Revise a campaign; pause and resume it",
		Description: "What is left out stays. 428 precondition_required: If-Match is missing. 412 stale_revision: another revision is " +
			"in force. 422 budget_below_issued: the smallest figures allowed come with it. 409 campaign_over: it is sealed.",
		RequestBody: jsonBody[campaignPatch](s),
	}, s.reviseCampaign)
	register(s, Operator, huma.Operation{
		OperationID: "cancel-campaign", Method: http.MethodPost, Path: "/admin/v1/campaigns/{id}/cancel", Tags: []string{tagCampaigns},
		Summary:     "Cancel a campaign, for good",
		Description: "Nothing can be won after it; envelopes held can still be opened. It may be repeated. 409 campaign_over: it ran to its end.",
	}, s.cancelCampaign)
}

type createCampaignInput struct {
	RawBody []byte
}

type createCampaignOutput struct {
	ETag     string `header:"ETag" doc:"The revision in double quotes, for If-Match"`
	Location string `header:"Location" doc:"Where the campaign is read"`
	Body     campaign
}

func (s *Server) createCampaign(ctx context.Context, in *createCampaignInput) (*createCampaignOutput, error) {
	spec, err := hongbao.ParseSpec(in.RawBody)
	if err != nil {
		return nil, err
	}
	c, err := s.service.Create(ctx, spec, actor(ctx))
	if err != nil {
		return nil, err
	}
	out := s.campaignOutput(c)
	return &createCampaignOutput{ETag: out.ETag, Location: "/admin/v1/campaigns/" + out.Body.ID, Body: out.Body}, nil
}

type campaignInput struct {
	ID campaignID `path:"id"`
}

func (s *Server) readCampaign(_ context.Context, in *campaignInput) (*campaignOutput, error) {
	c, err := s.find(in.ID)
	if err != nil {
		return nil, err
	}
	return s.campaignOutput(c), nil
}

func (s *Server) find(text campaignID) (*hongbao.Campaign, error) {
	id, err := text.parse()
	if err != nil {
		return nil, err
	}
	return s.service.Campaign(id)
}

func (s *Server) cancelCampaign(ctx context.Context, in *campaignInput) (*campaignOutput, error) {
	id, err := in.ID.parse()
	if err != nil {
		return nil, err
	}
	c, err := s.service.Cancel(ctx, id, actor(ctx))
	if err != nil {
		return nil, err
	}
	return s.campaignOutput(c), nil
}

type reviseCampaignInput struct {
	ID      campaignID `path:"id"`
	IfMatch string     `header:"If-Match" required:"true" doc:"The revision that the change was made from, in double quotes; * takes any" example:"\"3\""`
	RawBody []byte
}

func (s *Server) reviseCampaign(ctx context.Context, in *reviseCampaignInput) (*campaignOutput, error) {
	id, err := in.ID.parse()
	if err != nil {
		return nil, err
	}
	revision, err := parseIfMatch(in.IfMatch)
	if err != nil {
		return nil, err
	}
	patch, err := parsePatch(in.RawBody)
	if err != nil {
		return nil, err
	}
	c, err := s.service.Revise(ctx, id, revision, patch, actor(ctx))
	if err != nil {
		return nil, err
	}
	return s.campaignOutput(c), nil
}

func parsePatch(body []byte) (hongbao.Patch, error) {
	patch, err := hongbao.ParsePatch(body)
	if err == nil && patch == (hongbao.Patch{}) {
		err = hongbao.Invalid("body", strings.TrimSpace(string(body)), "a revision of at least one field")
	}
	return patch, err
}

// parseIfMatch reads a revision in double quotes; 0 is any.
func parseIfMatch(text string) (uint32, error) {
	if text == "" {
		return 0, newProblem(http.StatusPreconditionRequired, "precondition_required",
			`If-Match is missing: send the campaign's ETag, such as If-Match: "3"`)
	}
	if text == "*" {
		return 0, nil
	}
	revision, err := parseETag(text, 1, math.MaxUint32)
	return uint32(revision), err
}

// parseETag reads an If-Match that is the ETag of a revision from least to most.
func parseETag(text string, least, most uint64) (uint64, error) {
	quoted, begins := strings.CutPrefix(text, `"`)
	digits, ends := strings.CutSuffix(quoted, `"`)
	revision, err := strconv.ParseUint(digits, 10, 64)
	if !begins || !ends || err != nil || revision < least || revision > most {
		return 0, hongbao.Invalid("If-Match", text, `a revision in double quotes, such as "3"`)
	}
	return revision, nil
}

type listCampaignsInput struct {
	Phase  string    `query:"phase" enum:"scheduled,countdown,open,closed,settled" doc:"Only campaigns in this phase"`
	Limit  pageLimit `query:"limit"`
	Cursor string    `query:"cursor" doc:"The next of the page before"`
	Search string    `query:"search" doc:"Only campaigns whose name or title contains this, in whatever case"`
}

// campaignPage is a page of campaigns.
type campaignPage struct {
	Campaigns []campaign `json:"campaigns" nullable:"false"`
	Next      string     `json:"next" doc:"The cursor of the next page; empty on the last"`
}

type listCampaignsOutput struct {
	Body campaignPage
}

func (s *Server) listCampaigns(_ context.Context, in *listCampaignsInput) (*listCampaignsOutput, error) {
	limit, err := in.Limit.parse()
	if err != nil {
		return nil, err
	}
	before, err := parseBefore(in.Cursor)
	if err != nil {
		return nil, err
	}
	if in.Phase != "" {
		if _, err := hongbao.ParsePhase(in.Phase); err != nil {
			return nil, err
		}
	}
	return &listCampaignsOutput{s.campaignPage(hongbao.Phase(in.Phase), strings.ToLower(in.Search), before, limit)}, nil
}

// campaignPage lists campaigns with ids below before, newest first.
func (s *Server) campaignPage(phase hongbao.Phase, search string, before uint32, limit int) campaignPage {
	page := campaignPage{Campaigns: []campaign{}}
	for _, c := range slices.Backward(s.service.Campaigns()) {
		if c.ID >= before || !isCalled(c.Rules(), search) {
			continue
		}
		told := s.campaign(c)
		if phase != "" && told.Phase != phase {
			continue
		}
		if len(page.Campaigns) == limit {
			page.Next = page.Campaigns[limit-1].ID
			break
		}
		page.Campaigns = append(page.Campaigns, told)
	}
	return page
}

// isCalled reports whether a name or title contains the search, which is in lower case.
func isCalled(r *hongbao.Rules, search string) bool {
	for _, text := range []string{r.Name, r.Title.ZH, r.Title.EN} {
		if strings.Contains(strings.ToLower(text), search) {
			return true
		}
	}
	return false
}

// parseBefore reads a cursor: the id of the last campaign of the page before.
func parseBefore(cursor string) (uint32, error) {
	if cursor == "" {
		return hongbao.CampaignMax + 1, nil
	}
	before, err := parseInteger("cursor", cursor, 1, hongbao.CampaignMax)
	if err != nil {
		return 0, hongbao.Invalid("cursor", cursor, "the next of an earlier page")
	}
	return uint32(before), nil
}
