package adminapi

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"hongbao"
)

func (s *Server) previewRoutes() {
	register(s, Viewer, huma.Operation{
		OperationID: "preview-campaign", Method: http.MethodPost, Path: "/admin/v1/campaigns/preview", Tags: []string{tagCampaigns},
		Summary: "Check a campaign and see its amounts, without creating it",
		Description: "It refuses what creating would refuse. The amounts are those of a tranche cut with a seed that is thrown away: the " +
			"campaign's own will be others of the same distribution.",
		RequestBody: jsonBody[campaignSpec](s),
	}, s.previewCampaign)
	register(s, Viewer, huma.Operation{
		OperationID: "preview-revision", Method: http.MethodPost, Path: "/admin/v1/campaigns/{id}/preview", Tags: []string{tagCampaigns},
		Summary: "Check a revision and see its amounts, without revising",
		Description: "It refuses what revising would refuse now. The amounts are those of the envelopes that are not taken yet. In a cluster " +
			"the least figures of budget_below_issued may turn out higher, because envelopes are leased to shards before they are taken.",
		RequestBody: jsonBody[campaignPatch](s),
	}, s.previewRevision)
}

// preview is what a campaign would be.
type preview struct {
	Rules        hongbao.Rules `json:"rules" doc:"Complete: what was left out is filled in"`
	Distribution distribution  `json:"distribution"`
}

// distribution is how the amounts of sampled envelopes lie. The p are percentiles: P10Fen is the amount that a tenth of
// the envelopes don't exceed.
type distribution struct {
	Sampled int            `json:"sampled" doc:"Envelopes: one tranche of at most 65536; 0: there are none left to cut, and all else is 0"`
	MinFen  int64          `json:"min_fen"`
	MaxFen  int64          `json:"max_fen"`
	MeanFen float64        `json:"mean_fen"`
	P10Fen  int64          `json:"p10_fen"`
	P25Fen  int64          `json:"p25_fen"`
	P50Fen  int64          `json:"p50_fen"`
	P75Fen  int64          `json:"p75_fen"`
	P90Fen  int64          `json:"p90_fen"`
	P99Fen  int64          `json:"p99_fen"`
	Buckets []amountBucket `json:"buckets" nullable:"false" doc:"Of equal width, from the least to the largest amount"`
}

// amountBucket counts the envelopes of FromFen to ToFen fen, both inclusive.
type amountBucket struct {
	FromFen int64 `json:"from_fen"`
	ToFen   int64 `json:"to_fen"`
	Count   int   `json:"count"`
}

type previewOutput struct {
	Body preview
}

type previewCampaignInput struct {
	RawBody []byte
}

func (s *Server) previewCampaign(_ context.Context, in *previewCampaignInput) (*previewOutput, error) {
	spec, err := hongbao.ParseSpec(in.RawBody)
	if err != nil {
		return nil, err
	}
	rules, err := spec.Rules(s.service.Now())
	if err != nil {
		return nil, err
	}
	if err := s.checkNameFree(rules.Name); err != nil {
		return nil, err
	}
	b := rules.Budget
	segment := hongbao.Segment{Revision: 1, Count: b.Count, TotalFen: b.TotalFen, MinFen: b.MinFen, MaxFen: b.MaxFen, Split: b.Split}
	return &previewOutput{preview{rules, distributionOf(segment)}}, nil
}

func (s *Server) checkNameFree(name string) error {
	for _, c := range s.service.Campaigns() {
		if c.Rules().Name == name {
			return fmt.Errorf("%w: there is a campaign named %s", hongbao.ErrNameTaken, name)
		}
	}
	return nil
}

type previewRevisionInput struct {
	ID      campaignID `path:"id"`
	IfMatch string     `header:"If-Match" doc:"The revision that the change is made from, in double quotes; left out or *: any" example:"\"3\""`
	RawBody []byte
}

func (s *Server) previewRevision(ctx context.Context, in *previewRevisionInput) (*previewOutput, error) {
	c, err := s.find(in.ID)
	if err != nil {
		return nil, err
	}
	var revision uint32
	if in.IfMatch != "" {
		if revision, err = parseIfMatch(in.IfMatch); err != nil {
			return nil, err
		}
	}
	patch, err := parsePatch(in.RawBody)
	if err != nil {
		return nil, err
	}
	change := hongbao.Change{At: s.service.Now(), Actor: actor(ctx), Campaign: c.ID, IfRevision: revision, Revise: &patch}
	event, _, err := c.Change(change, hongbao.Seed{}, s.service.Progress(c.ID).Taken)
	if err != nil {
		return nil, err
	}
	segment := c.Segment()
	if event.Segment != nil {
		segment = *event.Segment
	}
	return &previewOutput{preview{*event.Rules, distributionOf(segment)}}, nil
}

// distributionOf cuts the segment's first tranche, which bounds the work whatever the budget. Keeps G8: the seed is thrown away, so
// that a preview tells nothing about any campaign's amounts.
func distributionOf(segment hongbao.Segment) distribution {
	d := distribution{Buckets: []amountBucket{}}
	if segment.Count == 0 {
		return d
	}
	var seed hongbao.Seed
	rand.Read(seed[:]) // it never fails
	amounts := segment.Cut(seed, 1, 0)
	slices.Sort(amounts)
	d.Sampled, d.MinFen, d.MaxFen = len(amounts), amounts[0], amounts[len(amounts)-1]
	_, _, totalFen := segment.Tranche(0)
	d.MeanFen = float64(totalFen) / float64(len(amounts))
	d.P10Fen, d.P25Fen, d.P50Fen = percentile(amounts, 10), percentile(amounts, 25), percentile(amounts, 50)
	d.P75Fen, d.P90Fen, d.P99Fen = percentile(amounts, 75), percentile(amounts, 90), percentile(amounts, 99)
	d.Buckets = amountBuckets(amounts)
	return d
}

// percentile is the least amount that p of a hundred amounts, which are sorted, do not exceed (nearest rank).
func percentile(amounts []int64, p int) int64 { return amounts[(len(amounts)*p+99)/100-1] }

const amountBucketsMax = 40

// amountBuckets counts sorted amounts in ranges of equal width.
func amountBuckets(amounts []int64) []amountBucket {
	low, high := amounts[0], amounts[len(amounts)-1]
	width := (high-low)/amountBucketsMax + 1
	var buckets []amountBucket
	for from, counted := low, 0; from <= high; from += width {
		upTo, _ := slices.BinarySearch(amounts, from+width)
		buckets = append(buckets, amountBucket{from, min(from+width-1, high), upTo - counted})
		counted = upTo
	}
	return buckets
}
