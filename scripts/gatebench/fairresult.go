package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// fairResult is what came of a scenario. Shares are in hundredths; times are from the bell, in milliseconds.
type fairResult struct {
	Scenario       scenario       `json:"scenario"`
	People         int            `json:"people"`
	ScriptUIDs     int            `json:"script_uids"`
	ScriptRequests int            `json:"script_requests"`
	Envelopes      int            `json:"envelopes"`
	PeopleWins     int            `json:"people_wins"`
	ScriptWins     int            `json:"script_wins"`
	ScriptShare    float64        `json:"script_share"`
	ScriptUIDShare float64        `json:"script_uid_share"`
	FirstWinMS     float64        `json:"first_win_ms"`
	SoldOutMS      float64        `json:"sold_out_ms"`   // when the last win was told; 0: envelopes are left
	P50MS          float64        `json:"people_p50_ms"` // from a person's tap to the answer on the phone
	P99MS          float64        `json:"people_p99_ms"`
	Late           int            `json:"people_late"` // whose phone was still working when they would have tapped
	PeopleAnswers  map[string]int `json:"people_answers"`
	ScriptAnswers  map[string]int `json:"script_answers"`
	Errors         int            `json:"errors"`           // requests without an answer, busy, or with one that nobody should get
	SentLateMS     float64        `json:"sent_late_p99_ms"` // how late the generator was with sending
	Order          *order         `json:"order,omitempty"`

	shots []*shot // for the picture
}

// judge counts who won, and compares orders where there was a lot.
func (o *fairOptions) judge(ctx context.Context, p *place, st *stage, crowd *crowd) (*fairResult, error) {
	r := &fairResult{
		Scenario: st.scenario, People: len(crowd.people), Envelopes: o.envelopes,
		PeopleAnswers: map[string]int{}, ScriptAnswers: map[string]int{}, shots: crowd.all(),
	}
	r.count()
	seed, err := p.seal(ctx, st.campaign)
	if err != nil {
		return nil, err
	}
	winners, err := p.winners(ctx, st.campaign, r.PeopleWins+r.ScriptWins)
	if err != nil {
		return nil, err
	}
	if told := r.PeopleWins + r.ScriptWins; len(winners) != told && r.Errors == 0 {
		return nil, fmt.Errorf("%d wins were told, and the journal has %d", told, len(winners))
	}
	if st.scenario.FairStart {
		// The embedded engine numbers its envelopes in the order of winning; in a cluster each shard has its own.
		place := func(w winner) float64 { return float64(w.number) }
		if o.cluster {
			place = func(w winner) float64 { return float64(w.at) }
		}
		found := compareOrder(seed, st.campaign, crowd, winners, o.fairStart, place)
		r.Order = &found
	}
	return r, nil
}

func (r *fairResult) count() {
	uids := map[uint64]bool{}
	var answers, lateness, wins []time.Duration
	for _, s := range r.shots {
		lateness = append(lateness, s.sent-s.due)
		won := s.label == "won"
		if won {
			wins = append(wins, s.answered)
		}
		if !s.told || s.label == "busy" || s.label == "unknown" || s.label == "unauthorised" {
			r.Errors++
		}
		if s.script {
			r.ScriptRequests++
			uids[s.uid] = true
			r.ScriptAnswers[s.label]++
			r.ScriptWins += count(won)
			continue
		}
		r.PeopleAnswers[s.label]++
		r.PeopleWins += count(won)
		r.Late += count(s.tapped > reactionMax)
		if s.told {
			answers = append(answers, s.answered+s.latency-s.tapped)
		}
	}
	r.ScriptUIDs = len(uids)
	r.ScriptUIDShare = 100 * float64(len(uids)) / float64(len(uids)+r.People)
	r.ScriptShare = 100 * float64(r.ScriptWins) / float64(max(r.ScriptWins+r.PeopleWins, 1))
	r.P50MS, r.P99MS, r.SentLateMS = percentile(answers, 0.5), percentile(answers, 0.99), percentile(lateness, 0.99)
	if len(wins) > 0 {
		r.FirstWinMS = inMS(slices.Min(wins))
	}
	if len(wins) == r.Envelopes {
		r.SoldOutMS = inMS(slices.Max(wins))
	}
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}
