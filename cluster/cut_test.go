package cluster

import (
	"testing"
	"time"

	"hongbao"
)

// TestSumBelowIsTheSumOfAmounts revises a budget twice, near the seam of tranches, and sums up to every kind of place.
func TestSumBelowIsTheSumOfAmounts(t *testing.T) {
	const first, second = hongbao.TrancheSize + 100, hongbao.TrancheSize + 5000
	c := revisedCampaign(t, 3*hongbao.TrancheSize, first, second)
	var total int64
	at := uint64(0)
	for _, number := range []uint64{0, 1, 100, hongbao.TrancheSize - 1, hongbao.TrancheSize, first - 1, first, first + 1, second, second + 1,
		second + hongbao.TrancheSize, c.end() - 1, c.end()} {
		for ; at < number; at++ {
			total += c.amounts(at, 1)[0]
		}
		if got := c.sumBelow(number); got != total {
			t.Errorf("numbers below %d come to %d; must be %d", number, got, total)
		}
	}
	if total != c.Rules().Budget.TotalFen {
		t.Errorf("all come to %d; must be %d", total, c.Rules().Budget.TotalFen)
	}
}

// revisedCampaign is one of count envelopes whose budget was raised when some were issued, and again.
func revisedCampaign(t *testing.T, count uint64, issued ...uint64) *campaign {
	t.Helper()
	at := hongbao.Time(1_800_000_000_000)
	spec := hongbao.Spec{
		Name: "rain", Kind: hongbao.Rain, OpensAt: hongbao.AtTime(at), Lasts: hongbao.Duration(time.Hour),
		Budget: hongbao.BudgetSpec{TotalFen: 100 * int64(count), Count: count},
	}
	rules, err := spec.Rules(at)
	if err != nil {
		t.Fatal(err)
	}
	var seed hongbao.Seed
	event, err := hongbao.Created(1, hongbao.Nonce{}, seed, hongbao.Change{At: at, Create: &rules})
	if err != nil {
		t.Fatal(err)
	}
	made, err := (*hongbao.Campaign)(nil).After(&event)
	if err != nil {
		t.Fatal(err)
	}
	one := newCampaign(made, &life{cuts: cuts{campaign: 1, seed: seed}})
	for _, n := range issued {
		total := one.Rules().Budget.TotalFen + 1000
		change := hongbao.Change{At: at, Campaign: 1, Revise: &hongbao.Patch{Budget: &hongbao.BudgetPatch{TotalFen: &total}}}
		event, _, err := one.Change(change, seed, hongbao.Tally{Count: n, TotalFen: one.sumBelow(n)})
		if err != nil {
			t.Fatal(err)
		}
		next, err := one.After(&event)
		if err != nil {
			t.Fatal(err)
		}
		one = newCampaign(next, one.life)
	}
	return one
}
