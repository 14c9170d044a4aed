package adminapi

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"hongbao/live/webhook"
)

const tagWebhooks = "webhooks"

func (s *Server) webhookRoutes() {
	const all, one = "/admin/v1/webhooks", "/admin/v1/webhooks/{name}"
	register(s, Viewer, huma.Operation{
		OperationID: "list-webhooks", Method: http.MethodGet, Path: all, Tags: []string{tagWebhooks},
		Summary: "List the webhooks and how they fare",
	}, s.listWebhooks)
	register(s, Viewer, huma.Operation{
		OperationID: "read-webhook", Method: http.MethodGet, Path: one, Tags: []string{tagWebhooks},
		Summary: "Read a webhook and how it fares",
	}, s.readWebhook)
	register(s, Operator, huma.Operation{
		OperationID: "put-webhook", Method: http.MethodPut, Path: one, Tags: []string{tagWebhooks},
		Summary: "Make a webhook, or replace it",
		Description: "A new one begins with what is journaled from now on. One that is replaced goes on from where it is, and tries " +
			"at once what failed. Without a secret it keeps those that it has; a new one gets one that this answer shows, and nothing " +
			"again. 409 declared: the configuration has a webhook of this name. 412 stale_revision: If-Match is given and the webhook " +
			"has another revision.",
		RequestBody: jsonBody[webhookSpec](s),
	}, s.putWebhook)
	register(s, Operator, huma.Operation{
		OperationID: "delete-webhook", Method: http.MethodDelete, Path: one, Tags: []string{tagWebhooks},
		Summary: "Delete a webhook, and how far it has come", DefaultStatus: http.StatusNoContent,
		Description: "Errors as those of a PUT.",
	}, s.deleteWebhook)
	register(s, Operator, huma.Operation{
		OperationID: "test-webhook", Method: http.MethodPost, Path: one + "/test", Tags: []string{tagWebhooks},
		Summary: "Send a test to a webhook, now and from here",
		Description: "A signed webhook.test, beside the events in their order. Where it is accepted, a webhook that had answered 410 " +
			"goes on.",
	}, s.testWebhook)
	register(s, Operator, huma.Operation{
		OperationID: "replay-webhook", Method: http.MethodPost, Path: one + "/replay", Tags: []string{tagWebhooks},
		Summary: "Have a webhook go on from another place in the journal",
		Description: "What was sent is sent again, under the same webhook-id. What was parked is tried again, also in a webhook that had " +
			"answered 410.",
	}, s.replayWebhook)
}

// webhookSpec describes [webhook.Spec], which reads it.
type webhookSpec struct {
	_         struct{} `additionalProperties:"false"`
	URL       string   `json:"url" format:"uri" maxLength:"1024" doc:"http or https, without user and password; a public address, or one in webhook.private_networks"`
	Secret    []string `json:"secret,omitempty" minItems:"1" maxItems:"2" nullable:"false" doc:"whsec_ and the base64 of 24 to 64 bytes; two while they are changed. One alone may be a string. Left out: those it has, or a new one"`
	Events    []string `json:"events,omitempty" nullable:"true" doc:"created revised countdown open sold_out closed cancelled paused resumed envelope.won envelope.opened envelope.refunded; empty: all"`
	Campaigns []string `json:"campaigns,omitempty" maxItems:"32" nullable:"true" doc:"Names, which need not exist yet; empty: all"`
	Disabled  bool     `json:"disabled,omitempty" default:"false" doc:"Nothing is sent; what happens meanwhile is sent later"`
}

// webhookName is the name of a webhook in a path.
type webhookName string

// Schema describes it.
func (webhookName) Schema(huma.Registry) *huma.Schema {
	most := 40
	return &huma.Schema{Type: huma.TypeString, Description: "name of a webhook", MaxLength: &most, Pattern: "^[A-Za-z0-9._-]+$"}
}

type webhookList struct {
	Webhooks []webhook.EndpointStatus `json:"webhooks"`
}

type webhooksOutput struct{ Body webhookList }

func (s *Server) listWebhooks(ctx context.Context, _ *struct{}) (*webhooksOutput, error) {
	all, err := s.webhooks.Statuses(ctx)
	if err != nil {
		return nil, err
	}
	return &webhooksOutput{webhookList{all}}, nil
}

type webhookOutput struct {
	ETag string `header:"ETag" doc:"The revision in double quotes, for If-Match"`
	Body webhook.EndpointStatus
}

func webhookOutputOf(status webhook.EndpointStatus, err error) (*webhookOutput, error) {
	if err != nil {
		return nil, err
	}
	return &webhookOutput{ETag: strconv.Quote(strconv.FormatUint(status.Revision, 10)), Body: status}, nil
}

type webhookInput struct {
	Name webhookName `path:"name"`
}

func (s *Server) readWebhook(ctx context.Context, in *webhookInput) (*webhookOutput, error) {
	return webhookOutputOf(s.webhooks.Status(ctx, string(in.Name)))
}

type putWebhookInput struct {
	Name    webhookName `path:"name"`
	IfMatch string      `header:"If-Match" doc:"The revision that the change was made from, in double quotes, 0 for a new one; left out or *: any" example:"\"3\""`
	RawBody []byte
}

func (s *Server) putWebhook(ctx context.Context, in *putWebhookInput) (*webhookOutput, error) {
	revision, err := parseIfRevision(in.IfMatch)
	if err != nil {
		return nil, err
	}
	spec, err := webhook.ParseSpec(in.RawBody)
	if err != nil {
		return nil, err
	}
	return webhookOutputOf(s.webhooks.Put(ctx, string(in.Name), spec, revision, actor(ctx)))
}

type deleteWebhookInput struct {
	Name    webhookName `path:"name"`
	IfMatch string      `header:"If-Match" doc:"As of a PUT"`
}

func (s *Server) deleteWebhook(ctx context.Context, in *deleteWebhookInput) (*struct{}, error) {
	revision, err := parseIfRevision(in.IfMatch)
	if err != nil {
		return nil, err
	}
	return nil, s.webhooks.Delete(ctx, string(in.Name), revision, actor(ctx))
}

type testWebhookOutput struct{ Body webhook.TestResult }

func (s *Server) testWebhook(ctx context.Context, in *webhookInput) (*testWebhookOutput, error) {
	result, err := s.webhooks.Test(ctx, string(in.Name), actor(ctx))
	if err != nil {
		return nil, err
	}
	return &testWebhookOutput{result}, nil
}

type replayWebhookInput struct {
	Name webhookName `path:"name"`
	From string      `query:"from" doc:"A position that the journal told, after which it goes on; start, or left out: at the first event; parked: each campaign where it stopped"`
}

func (s *Server) replayWebhook(ctx context.Context, in *replayWebhookInput) (*webhookOutput, error) {
	return webhookOutputOf(s.webhooks.Replay(ctx, string(in.Name), in.From, actor(ctx)))
}
