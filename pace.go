package hongbao

import "math/bits"

// Allowed is how many envelopes of the campaign may be issued by now under its pace. Linear pace allows
// ⌊rest · min(1, elapsed / (0.95 · window))⌋ on top of what was issued when the revision in force took effect: a
// revision restarts it on what remains over what remains of the window.
func (c *Campaign) Allowed(now Time) uint64 {
	revision := &c.Revisions[len(c.Revisions)-1]
	rules := &revision.Rules
	if rules.Pace != PaceLinear {
		return rules.Budget.Count
	}
	from := max(revision.At, rules.OpensAt)
	if now <= from {
		return revision.Issued
	}
	rest := rules.Budget.Count - revision.Issued
	elapsed, window := uint64(now-from)*100, uint64(rules.ClosesAt-from)*95
	if elapsed >= window {
		return rules.Budget.Count
	}
	high, low := bits.Mul64(rest, elapsed)
	share, _ := bits.Div64(high, low, window)
	return revision.Issued + share
}
