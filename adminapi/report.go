package adminapi

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hongbao"
)

func (s *Server) reportRoute() {
	register(s, Viewer, huma.Operation{
		OperationID: "report-campaign", Method: http.MethodGet, Path: "/admin/v1/campaigns/{id}/report", Tags: []string{tagBooks},
		Summary: "Report on a campaign, from the journal",
		Description: "Budget = not_taken + held + opened + refunded, to the fen. Minutes are those in which something happened; amounts " +
			"are the wins by amount, in up to 20 ranges of equal width over what the rules allowed.",
	}, s.reportCampaign)
}

// campaignReport is what became of a campaign's budget.
type campaignReport struct {
	CampaignID string         `json:"campaign_id"`
	Name       string         `json:"name"`
	Budget     hongbao.Tally  `json:"budget"`
	NotTaken   hongbao.Tally  `json:"not_taken"`
	Taken      hongbao.Tally  `json:"taken"`
	Held       hongbao.Tally  `json:"held" doc:"Taken, and neither opened nor refunded"`
	Opened     hongbao.Tally  `json:"opened"`
	Refunded   hongbao.Tally  `json:"refunded"`
	SignedUp   uint64         `json:"signed_up"`
	Players    uint64         `json:"players" doc:"Distinct winners"`
	FirstWinAt hongbao.Time   `json:"first_win_at,omitzero"`
	LastWinAt  hongbao.Time   `json:"last_win_at,omitzero"`
	Minutes    []minuteReport `json:"minutes" nullable:"false"`
	Amounts    []amountReport `json:"amounts" nullable:"false"`
}

// minuteReport is what happened within one minute.
type minuteReport struct {
	At       hongbao.Time  `json:"at" doc:"When the minute begins"`
	Won      hongbao.Tally `json:"won"`
	Opened   hongbao.Tally `json:"opened"`
	Refunded hongbao.Tally `json:"refunded"`
}

// amountReport counts the wins of FromFen to ToFen fen, both inclusive.
type amountReport struct {
	FromFen int64         `json:"from_fen"`
	ToFen   int64         `json:"to_fen"`
	Won     hongbao.Tally `json:"won"`
}

type reportOutput struct {
	Body campaignReport
}

func (s *Server) reportCampaign(ctx context.Context, in *campaignInput) (*reportOutput, error) {
	c, err := s.find(in.ID)
	if err != nil {
		return nil, err
	}
	r := newReporter(c)
	for entry, err := range s.service.Engine().Journal(ctx, "") {
		if err != nil {
			return nil, err
		}
		if entry.Event.Campaign == c.ID {
			r.add(entry.Event)
		}
	}
	return &reportOutput{r.report()}, nil
}

// reporter adds up a campaign's events. It grows with the minutes in which something happened, not with the players.
type reporter struct {
	told    campaignReport
	minutes map[hongbao.Time]*minuteReport
}

func newReporter(c *hongbao.Campaign) *reporter {
	return &reporter{
		told: campaignReport{
			CampaignID: strconv.FormatUint(uint64(c.ID), 10), Name: c.Rules().Name, Amounts: amountRanges(c),
		},
		minutes: map[hongbao.Time]*minuteReport{},
	}
}

func (r *reporter) add(e *hongbao.Event) {
	switch e.Kind {
	case hongbao.EnvelopeWon:
		r.won(e)
	case hongbao.EnvelopeOpened:
		r.told.Opened.Add(e.AmountFen)
		r.minute(e.At).Opened.Add(e.AmountFen)
	case hongbao.EnvelopeRefunded:
		r.told.Refunded.Add(e.AmountFen)
		r.minute(e.At).Refunded.Add(e.AmountFen)
	case hongbao.PlayerSignedUp:
		r.told.SignedUp++
	case hongbao.CampaignCreated, hongbao.CampaignRevised:
		r.told.Budget = hongbao.Tally{Count: e.Rules.Budget.Count, TotalFen: e.Rules.Budget.TotalFen}
	}
}

func (r *reporter) won(e *hongbao.Event) {
	r.told.Taken.Add(e.AmountFen)
	r.minute(e.At).Won.Add(e.AmountFen)
	if e.Wins == 1 { // a player's first win in the campaign
		r.told.Players++
	}
	if r.told.FirstWinAt == 0 {
		r.told.FirstWinAt = e.At
	}
	r.told.LastWinAt = e.At
	i, _ := slices.BinarySearchFunc(r.told.Amounts, e.AmountFen, func(a amountReport, amountFen int64) int {
		return cmp.Compare(a.ToFen, amountFen)
	})
	r.told.Amounts[i].Won.Add(e.AmountFen)
}

func (r *reporter) minute(at hongbao.Time) *minuteReport {
	at -= at % hongbao.Time(time.Minute.Milliseconds())
	m := r.minutes[at]
	if m == nil {
		m = &minuteReport{At: at}
		r.minutes[at] = m
	}
	return m
}

// report closes the books. Keeps G6 visible: what is not taken is what the budget leaves, and nothing else.
func (r *reporter) report() campaignReport {
	told := r.told
	told.NotTaken = less(told.Budget, told.Taken)
	told.Held = less(less(told.Taken, told.Opened), told.Refunded)
	told.Minutes = []minuteReport{}
	for _, at := range slices.Sorted(maps.Keys(r.minutes)) {
		told.Minutes = append(told.Minutes, *r.minutes[at])
	}
	return told
}

func less(a, b hongbao.Tally) hongbao.Tally {
	return hongbao.Tally{Count: a.Count - b.Count, TotalFen: a.TotalFen - b.TotalFen}
}

const amountRangesMax = 20

// amountRanges are ranges of equal width over all amounts that some revision of the campaign allowed.
func amountRanges(c *hongbao.Campaign) []amountReport {
	low, high := c.Rules().Budget.MinFen, c.Rules().Budget.MaxFen
	for _, revision := range c.Revisions {
		low, high = min(low, revision.Rules.Budget.MinFen), max(high, revision.Rules.Budget.MaxFen)
	}
	width := (high-low)/amountRangesMax + 1
	var ranges []amountReport
	for from := low; from <= high; from += width {
		ranges = append(ranges, amountReport{FromFen: from, ToFen: min(from+width-1, high)})
	}
	return ranges
}
