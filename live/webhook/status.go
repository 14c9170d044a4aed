package webhook

import (
	"context"
	"slices"

	"hongbao"
)

// EndpointStatus is an endpoint and how it fares, as the process that delivers has journaled it: a second or so ago.
type EndpointStatus struct {
	Name      string   `json:"name"`
	Source    string   `json:"source" enum:"api,config"`
	Revision  uint64   `json:"revision" doc:"For If-Match; 0 for one of the configuration"`
	URL       string   `json:"url"`
	Secrets   int      `json:"secrets" doc:"How many it is signed with: two while they are changed"`
	Secret    string   `json:"secret,omitempty" doc:"Only in the answer to the PUT that had the server make it"`
	Events    []string `json:"events" doc:"Those that are sent; empty: all"`
	Campaigns []string `json:"campaigns" doc:"Names of those whose events are sent; empty: all"`
	Disabled  bool     `json:"disabled"`

	State       State            `json:"state" enum:"starting,ok,failing,parked,disabled,gone,broken"`
	Position    hongbao.Position `json:"position" doc:"Of the journal, up to which everything was accepted but for the campaigns below"`
	WaitingFrom hongbao.Time     `json:"waiting_from,omitzero" doc:"When the oldest event happened that waits to be accepted, where one is known, without parked campaigns"`
	Accepted    hongbao.Time     `json:"last_accepted,omitzero"`
	Failure     *DeliveryFailure `json:"last_failure,omitempty"`
	Gone        *DeliveryFailure `json:"gone,omitempty" doc:"It answered 410; a PUT, a test that is accepted, or a replay lets it go on"`
	Behind      []CampaignBehind `json:"behind" doc:"Campaigns that are further back than position"`
}

// State sums an endpoint up.
type State string

// The states.
const (
	StateStarting State = "starting" // nobody has delivered for it yet
	StateOK       State = "ok"
	StateFailing  State = "failing"  // a campaign fails, and is tried again
	StateParked   State = "parked"   // a campaign is parked
	StateDisabled State = "disabled" // by an administrator
	StateGone     State = "gone"     // by the receiver
	StateBroken   State = "broken"   // its secret can't be read
)

// DeliveryFailure is a delivery that was not accepted.
type DeliveryFailure struct {
	At       hongbao.Time `json:"at"`
	Campaign string       `json:"campaign_id,omitempty"`
	Reason   string       `json:"reason"`
}

// CampaignBehind is how far an endpoint is with a campaign that it has not all accepted of.
type CampaignBehind struct {
	ID           string           `json:"campaign_id"`
	Position     hongbao.Position `json:"position"`
	WaitingFrom  hongbao.Time     `json:"waiting_from,omitzero"`
	FailingSince hongbao.Time     `json:"failing_since,omitzero"`
	Failures     int              `json:"failures,omitempty" doc:"In sequence"`
	NextTry      hongbao.Time     `json:"next_try,omitzero"`
	Reason       string           `json:"reason,omitempty" doc:"Of the last failure"`
	Parked       hongbao.Time     `json:"parked,omitzero" doc:"Since when it is no longer tried"`
}

// Statuses are all endpoints, by name.
func (s *Sender) Statuses(ctx context.Context) ([]EndpointStatus, error) {
	l, _, err := s.load(ctx)
	if err != nil {
		return nil, err
	}
	all := []EndpointStatus{}
	for _, e := range s.endpoints(&l) {
		status, err := s.status(ctx, e, l.place(e.Name))
		if err != nil {
			return nil, err
		}
		all = append(all, status)
	}
	return all, nil
}

// Status is one endpoint, or ErrNotFound.
func (s *Sender) Status(ctx context.Context, name string) (EndpointStatus, error) {
	l, _, err := s.load(ctx)
	if err != nil {
		return EndpointStatus{}, err
	}
	for _, e := range s.endpoints(&l) {
		if e.Name == name {
			return s.status(ctx, e, l.place(name))
		}
	}
	return EndpointStatus{}, notFound(name)
}

func (s *Sender) status(ctx context.Context, e listed, p *place) (EndpointStatus, error) {
	status := EndpointStatus{
		Name: e.Name, Source: "api", Revision: e.revision, URL: e.URL, Secrets: len(e.Keys),
		Events: orEmpty(e.Events), Campaigns: orEmpty(e.Campaigns), Disabled: e.Disabled, State: StateStarting, Behind: []CampaignBehind{},
	}
	if e.revision == 0 {
		status.Source = "config"
	}
	if p != nil {
		saved, _, found, err := s.readCursor(ctx, *p)
		if err != nil {
			return EndpointStatus{}, err
		}
		status.tell(cursorOf(*p, saved, found))
		if found {
			status.State = status.sum()
		}
	}
	switch {
	case e.broken != nil:
		status.State = StateBroken
	case e.Disabled:
		status.State = StateDisabled
	}
	return status, nil
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func (s *EndpointStatus) tell(c cursor) {
	s.Position, s.Accepted = c.Front, c.Accepted
	s.Failure, s.Gone = failureOf(c.Fault), failureOf(c.Gone)
	slices.SortFunc(c.Lanes, func(a, b laneCursor) int { return int(a.Campaign) - int(b.Campaign) })
	for _, l := range c.Lanes {
		if l.Parked == 0 && l.Oldest != 0 && (s.WaitingFrom == 0 || l.Oldest < s.WaitingFrom) {
			s.WaitingFrom = l.Oldest
		}
		s.Behind = append(s.Behind, CampaignBehind{
			ID: digits(uint64(l.Campaign)), Position: l.Position, WaitingFrom: l.Oldest, FailingSince: l.Since,
			Failures: l.Tries, NextTry: l.Next, Reason: l.Reason, Parked: l.Parked,
		})
	}
}

func failureOf(f *fault) *DeliveryFailure {
	if f == nil {
		return nil
	}
	told := &DeliveryFailure{At: f.At, Reason: f.Reason}
	if f.Campaign != 0 {
		told.Campaign = digits(uint64(f.Campaign))
	}
	return told
}

func (s *EndpointStatus) sum() State {
	state := StateOK
	for _, c := range s.Behind {
		switch {
		case c.Parked != 0:
			state = StateParked
		case c.Failures > 0 && state == StateOK:
			state = StateFailing
		}
	}
	if s.Gone != nil {
		return StateGone
	}
	return state
}
