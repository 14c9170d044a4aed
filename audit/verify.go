package audit

import (
	"fmt"
	"iter"

	"hongbao"
)

// VerifyOptions say what is verified, and against what.
type VerifyOptions struct {
	Campaign   uint32 // 0: the only one that the export has
	Commitment string // the one noted before the campaign opened; empty: the one in the export
	// DifferencesMax is as in [Options].
	DifferencesMax int
}

// VerifyReport is the outcome of verifying one sealed campaign.
type VerifyReport struct {
	OK         bool         `json:"ok"`
	Checks     []Check      `json:"checks"`
	Commitment string       `json:"commitment"` // published before it opened
	Seed       hongbao.Seed `json:"seed"`       // revealed by its seal
	Totals
}

// Verify recomputes a sealed campaign from the seed that its seal reveals: the commitment, every amount, every draw, and
// by the rules of each revision the limits, the window and the budget. It needs no secret, so anyone can do it. The
// entries are those of the campaign, or of a journal that it is part of; they are ranged over twice.
//
// Errors: what reading the entries returns; ErrNotFound and ErrInvalid for a campaign that is not there, not sealed, or
// not told among several.
func Verify(entries iter.Seq2[hongbao.Entry, error], o VerifyOptions) (VerifyReport, error) {
	a := newAuditor(Options{DifferencesMax: o.DifferencesMax})
	a.alone = true
	var err error
	if a.seeds, err = revealed(entries); err != nil {
		return VerifyReport{}, err
	}
	id, err := choose(a.seeds, o.Campaign)
	if err != nil {
		return VerifyReport{}, err
	}
	for entry, err := range entries {
		if err != nil {
			return VerifyReport{}, err
		}
		if e := entry.Event; e.Campaign == id || e.Name == timezone {
			a.position = entry.Position
			a.apply(e)
		}
	}
	c := a.campaign(id)
	if c == nil || c.Seal == nil {
		return VerifyReport{}, fmt.Errorf("%w: campaign %d changed while it was read", hongbao.ErrBusy, id)
	}
	if o.Commitment != "" && o.Commitment != c.Commitment {
		a.note(checkG8, fmt.Sprintf("campaign %d: the commitment noted before is %s, and that of the export %s", id, o.Commitment, c.Commitment))
	}
	return a.verified(c), nil
}

// choose is the campaign to verify.
func choose(seeds map[uint32]*hongbao.Seed, id uint32) (uint32, error) {
	if id == 0 && len(seeds) > 1 {
		return 0, hongbao.Invalid("campaign", "", fmt.Sprintf("given, because there are %d", len(seeds)))
	}
	for only := range seeds {
		if id == 0 {
			id = only
		}
	}
	seed, found := seeds[id]
	switch {
	case !found:
		return 0, fmt.Errorf("%w: there is no campaign %d to verify", hongbao.ErrNotFound, id)
	case seed == nil:
		return 0, hongbao.Invalid("campaign", id, "one that is sealed: its seed is revealed then")
	}
	return id, nil
}

// verified is the report. Balances, wins of a day over several campaigns, and the hash chain are not in an export of one.
func (a *auditor) verified(c *campaign) VerifyReport {
	r := VerifyReport{OK: true, Commitment: c.Commitment, Seed: c.Seal.Seed, Totals: c.totals()}
	for _, which := range []check{checkOrder, checkG1, checkG2, checkG3, checkG5, checkG7, checkG8} {
		result := a.result(which, "")
		r.OK = r.OK && result.OK
		r.Checks = append(r.Checks, result)
	}
	return r
}

// CheckReceipt finds the win of an envelope and checks the receipt for it: proof that the server told the winner of it.
// Errors: ErrNotFound when nobody won the envelope; ErrInvalid when the receipt is not the one of this win; what reading
// the entries returns.
func CheckReceipt(entries iter.Seq2[hongbao.Entry, error], key hongbao.ReceiptKey, envelope hongbao.EnvelopeID, receipt hongbao.Receipt) (hongbao.Event, error) {
	for entry, err := range entries {
		if err != nil {
			return hongbao.Event{}, err
		}
		e := entry.Event
		if e.Kind != hongbao.EnvelopeWon || e.Envelope != envelope {
			continue
		}
		if !key.Verify(receipt, e.Campaign, uint64(envelope), e.UID, e.At) {
			return *e, hongbao.Invalid("receipt", receipt, fmt.Sprintf("that of envelope %d, won by uid %d at %s", envelope, e.UID, e.At))
		}
		return *e, nil
	}
	return hongbao.Event{}, fmt.Errorf("%w: nobody has won envelope %d", hongbao.ErrNotFound, envelope)
}
