package enginetest

import (
	"strings"
	"testing"

	"hongbao"
)

// leasedJournal is a short history of two shards that lease three numbers at a time: 0 to 2 to that of player 0, 3 to 5
// to that of player 1, which are all. Then the budget is doubled and the limit lifted, and player 1 wins three more before
// the shard of player 0 has heard of it.
func leasedJournal(t *testing.T) (*Harness, []hongbao.Event) {
	s := newScene(t, openShards(3))
	shards := s.Engine.(*shards)
	shards.deaf = true
	limit, none, count, total := 4, 0, uint64(12), int64(1200)
	c := s.campaign(hongbao.Rain, 6, func(spec *hongbao.Spec) { spec.WinsMax = &limit })
	win := func(uid uint64, n int) {
		for range n {
			s.win(c, uid, start)
		}
	}
	win(0, 1)
	win(1, 3)
	s.put(hongbao.Change{At: start, Campaign: c.ID, Revise: &hongbao.Patch{
		WinsMax: &none, Budget: &hongbao.BudgetPatch{Count: &count, TotalFen: &total},
	}})
	win(1, 3)
	win(0, 2)
	return s.Harness, shards.journal
}

// TestAdoptedMustBePossible forges events of a journal that is as it should be; what a shard may not do is refused.
func TestAdoptedMustBePossible(t *testing.T) {
	const created, firstOf0, firstOf1, revised, fourthOf1, fifthOf1, secondOf0 = 0, 1, 2, 5, 6, 7, 9
	forgeries := []struct {
		name, refused string
		forge         func(events []hongbao.Event)
	}{
		{"as it should be", "", func([]hongbao.Event) {}},
		{"a number won twice", "is won by 0 already", func(e []hongbao.Event) { e[secondOf0].Envelope = e[firstOf0].Envelope }},
		{"a number of no budget", "beyond the budget", func(e []hongbao.Event) { e[secondOf0].Envelope = hongbao.NewEnvelopeID(1, 12) }},
		{"a number of a later budget", "cut by revision 2", func(e []hongbao.Event) { e[fourthOf1].Revision = 1 }},
		{"a win above the limit of its revision", "limit_reached", func(e []hongbao.Event) { e[fifthOf1].Revision = 1 }},
		{"a win under a revision to come", "it must be", func(e []hongbao.Event) { e[firstOf0].Revision = 2 }},
		{"a win under no revision", "it must be", func(e []hongbao.Event) { e[firstOf0].Revision = 0 }},
		{"an amount of another number", "it must be", func(e []hongbao.Event) { e[firstOf1].AmountFen++ }},
		{"a time that goes back", "it must be", func(e []hongbao.Event) { e[secondOf0].At-- }},
		{"issued behind taken", "behind", func(e []hongbao.Event) { e[revised].Issued.Count = 3 }},
		{"issued beyond the budget", "more is issued", func(e []hongbao.Event) { e[revised].Issued.Count = 7 }},
		{"issued of another amount", "that many numbers have", func(e []hongbao.Event) { e[revised].Issued.TotalFen++ }},
	}
	for _, f := range forgeries {
		t.Run(f.name, func(t *testing.T) {
			h, events := leasedJournal(t)
			if len(events) != 11 || events[created].Kind != hongbao.CampaignCreated || events[revised].Kind != hongbao.CampaignRevised {
				t.Fatalf("the journal is %+v", events)
			}
			f.forge(events)
			_, err := Replay(t.Context(), h)
			if refused := err != nil; refused != (f.refused != "") || refused && !strings.Contains(err.Error(), f.refused) {
				t.Errorf("it is answered with %v; must be %q", err, f.refused)
			}
		})
	}
}
