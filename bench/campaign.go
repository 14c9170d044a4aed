package bench

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"hongbao"
)

// Campaign is a campaign as players see it.
type Campaign struct {
	ID         uint32         `json:"id,string"`
	Name       string         `json:"name"`
	Kind       hongbao.Kind   `json:"kind"`
	Phase      hongbao.Phase  `json:"phase"`
	OpensAt    hongbao.Time   `json:"opens_at"`
	ClosesAt   hongbao.Time   `json:"closes_at"`
	ServerTime hongbao.Time   `json:"server_time"` // when it was shown
	Left       int            `json:"left"`        // share not yet taken, in hundredths
	WinsMax    int            `json:"wins_max"`
	Signup     hongbao.Signup `json:"signup"`
	Ticket     bool           `json:"ticket"`    // a snatch must bring one
	Revisions  []Revision     `json:"revisions"` // oldest first; not in lists
	Seed       hongbao.Seed   `json:"seed"`      // zero until it is sealed

	offset time.Duration // of the server's clock against ours when it was shown
}

// Revision is one version of a campaign's rules as it is published.
type Revision struct {
	Number  uint32           `json:"revision"`
	At      hongbao.Time     `json:"at"`
	Rules   hongbao.Rules    `json:"rules"`
	Segment *hongbao.Segment `json:"segment"` // what it cuts, when it changes the budget
}

// Rules are the rules in force.
func (c *Campaign) Rules() *hongbao.Rules { return &c.Revisions[len(c.Revisions)-1].Rules }

// opening is opens_at by our clock.
func (c *Campaign) opening() time.Time { return c.OpensAt.Std().Add(-c.offset) }

// closing is closes_at by our clock.
func (c *Campaign) closing() time.Time { return c.ClosesAt.Std().Add(-c.offset) }

// published is the campaign as the domain knows it, as far as it is published.
func (c *Campaign) published() *hongbao.Campaign {
	published := &hongbao.Campaign{ID: c.ID}
	for _, r := range c.Revisions {
		published.Revisions = append(published.Revisions, hongbao.Revision{Number: r.Number, At: r.At, Rules: r.Rules, Segment: r.Segment})
	}
	return published
}

// Campaigns lists the campaigns that players see.
func (c *Client) Campaigns() ([]Campaign, error) {
	var list struct {
		Campaigns []Campaign `json:"campaigns"`
	}
	err := c.read("/v1/campaigns", 0, &list)
	return list.Campaigns, err
}

// Campaign reads a campaign with all its revisions, and compares clocks.
func (c *Client) Campaign(id uint32) (*Campaign, error) {
	var campaign Campaign
	asked := time.Now()
	if err := c.read("/v1/campaigns/", uint64(id), &campaign); err != nil {
		return nil, err
	}
	halfway := asked.Add(time.Since(asked) / 2)
	campaign.offset = campaign.ServerTime.Std().Sub(halfway)
	if len(campaign.Revisions) == 0 {
		return nil, fmt.Errorf("campaign %d is shown without revisions", id)
	}
	return &campaign, nil
}

// read decodes an answer of /v1 that players do not wait for.
func (c *Client) read(path string, id uint64, into any) error {
	x := c.exchange("GET", V1)
	defer x.release()
	c.path(x, path, id, "")
	if result, ok := c.do(x); !ok {
		return fmt.Errorf("%s%s: %w", path, idText(id), result.Err)
	}
	if err := json.Unmarshal(x.response.Body(), into); err != nil {
		return fmt.Errorf("%s%s: %w", path, idText(id), err)
	}
	return nil
}

func idText(id uint64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatUint(id, 10)
}
