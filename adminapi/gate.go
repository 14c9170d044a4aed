package adminapi

import (
	"context"
	"math"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"hongbao/gate"
)

// gateBodyMax has room for the longest denylist, in JSON that is indented.
const gateBodyMax = 512 << 10

func (s *Server) gateRoutes() {
	register(s, Viewer, huma.Operation{
		OperationID: "read-gate", Method: http.MethodGet, Path: "/admin/v1/gate", Tags: []string{tagServer},
		Summary: "Read the settings of the gate that are in force",
	}, s.readGate)
	register(s, Operator, huma.Operation{
		OperationID: "change-gate", Method: http.MethodPatch, Path: "/admin/v1/gate", Tags: []string{tagServer},
		Summary: "Turn the gate: rates, denylist, read-only",
		Description: "It is in force at once, in a cluster on every node within 2 s, and kept over restarts. What is left out stays; null " +
			"takes back what the configuration has. The denylist is replaced whole. Rates are per process. 412 stale_revision: " +
			"If-Match is given and another revision is in force.",
		RequestBody: jsonBody[gatePatch](s), MaxBodyBytes: gateBodyMax,
	}, s.changeGate)
}

// gatePatch describes [gate.Patch], which reads it.
type gatePatch struct {
	_        struct{} `additionalProperties:"false"`
	Global   rateBody `json:"global,omitempty" doc:"Of all requests that come as far as the engine"`
	Player   rateBody `json:"player,omitempty" doc:"Of each player"`
	Address  rateBody `json:"address,omitempty" doc:"Of each address, IPv6 by /64"`
	Denylist []string `json:"denylist,omitempty" maxItems:"5000" nullable:"true" doc:"Uids, addresses and networks that may not play"`
	ReadOnly bool     `json:"read_only,omitempty" doc:"Refuses whatever changes something"`
}

// rateBody describes [gate.Rate].
type rateBody struct {
	_     struct{} `additionalProperties:"false"`
	Rate  float64  `json:"rate" minimum:"0" maximum:"10000000" doc:"A second in the long run; 0: no limit"`
	Burst int      `json:"burst,omitempty" minimum:"0" maximum:"10000000" doc:"At once; left out: twice the rate"`
}

type gateOutput struct {
	ETag string `header:"ETag" doc:"The revision in double quotes, for If-Match"`
	Body gate.Settings
}

func gateOutputOf(s gate.Settings) *gateOutput {
	return &gateOutput{ETag: strconv.Quote(strconv.FormatUint(s.Revision, 10)), Body: s}
}

func (s *Server) readGate(context.Context, *struct{}) (*gateOutput, error) {
	return gateOutputOf(s.gate.Settings()), nil
}

type changeGateInput struct {
	IfMatch string `header:"If-Match" doc:"The revision that the change was made from, in double quotes; left out or *: any" example:"\"3\""`
	RawBody []byte
}

func (s *Server) changeGate(ctx context.Context, in *changeGateInput) (*gateOutput, error) {
	revision, err := parseIfRevision(in.IfMatch)
	if err != nil {
		return nil, err
	}
	patch, err := gate.ParsePatch(in.RawBody)
	if err != nil {
		return nil, err
	}
	settings, err := s.gate.Change(ctx, patch, revision, actor(ctx))
	if err != nil {
		return nil, err
	}
	return gateOutputOf(settings), nil
}

// parseIfRevision reads a revision, which may be 0; nil is any.
func parseIfRevision(text string) (*uint64, error) {
	if text == "" || text == "*" {
		return nil, nil
	}
	revision, err := parseETag(text, 0, math.MaxUint64)
	return &revision, err
}
