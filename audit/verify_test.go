package audit_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"hongbao"
	"hongbao/audit"
)

func (p *play) verify(campaign uint32, o audit.VerifyOptions) (audit.VerifyReport, error) {
	return audit.Verify(audit.ReadLines(bytes.NewReader(p.export(campaign))), o)
}

// TestSealedCampaignsVerify: from its export alone, or out of the whole journal's; the first of them had its budget
// revised twice.
func TestSealedCampaignsVerify(t *testing.T) {
	p := history(t, 1)
	for id := uint32(spring); id <= forgotten; id++ {
		s := p.stages[id-1]
		whole, err := p.verify(0, audit.VerifyOptions{Campaign: id})
		if err != nil || !whole.OK {
			t.Errorf("campaign %d out of the journal: %+v, %v", id, whole, err)
		}
		report, err := p.verify(id, audit.VerifyOptions{Commitment: s.Commitment})
		if err != nil || !report.OK || len(report.Checks) == 0 {
			t.Errorf("campaign %d: %+v, %v", id, report, err)
		}
		if report.Seed != s.seed || report.Commitment != s.Commitment || report.Name != s.Rules().Name || report.Campaign != id {
			t.Errorf("campaign %d: %+v", id, report)
		}
	}
}

// TestAlteredExportsDoNotVerify: each thing that seed and rules determine is recomputed.
func TestAlteredExportsDoNotVerify(t *testing.T) {
	for _, c := range []struct {
		what     string
		campaign uint32
		alter    func(p *play)
		fails    string
		saying   string
	}{
		{"an amount", forgotten, func(p *play) { p.lastHeld(forgotten).AmountFen -= 2 }, "G8", "by the seed, and it says"},
		{"an amount of the first budget", spring, func(p *play) { p.first(spring, hongbao.EnvelopeWon).AmountFen++ }, "G1 G5 G8", ""},
		{"an amount of the last budget", spring, func(p *play) { p.last(spring, hongbao.EnvelopeWon).AmountFen++ }, "G5 G8", ""},
		{"the seed", spring, func(p *play) { p.last(spring, hongbao.CampaignSealed).Seed[31]++ }, "G8", "do not make the commitment"},
		{"the commitment", spring, func(p *play) { p.last(spring, hongbao.CampaignCreated).Commitment = "00" }, "G8", "do not make the commitment"},
		{"the first rules", flood, func(p *play) { reRule(p.last(flood, hongbao.CampaignCreated)).RulesText.EN = "Fair" }, "G8", "do not make the commitment"},
		{"a revision's chance", spring, func(p *play) { reRule(p.last(spring, hongbao.CampaignRevised)).Chance = 1 }, "G8", "does not win at chance"},
		{"a revision's limit", spring, func(p *play) { reRule(p.last(spring, hongbao.CampaignRevised)).WinsMax++ }, "G3", "wins_max is 5 by the rules"},
		{"a revision's budget", spring, func(p *play) { reRule(p.last(spring, hongbao.CampaignRevised)).Budget.MaxFen++ }, "G1 G8", ""},
		{"the key of a draw", spring, func(p *play) { p.loseDraw(p.last(spring, hongbao.EnvelopeWon)) }, "G8", "does not win at chance 0.25"},
		{"a win left out", forgotten, func(p *play) { p.remove(p.lastHeld(forgotten)) }, "order", "comes now, not"},
		{"a second win of an envelope", forgotten, func(p *play) { p.lastHeld(forgotten).Envelope = hongbao.NewEnvelopeID(forgotten, 0) }, "order G2", ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			p := history(t, 1)
			c.alter(p)
			report, err := p.verify(c.campaign, audit.VerifyOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(failed(report.Checks), " "); got != c.fails || report.OK {
				t.Errorf("%s failed, want %s: %+v", got, c.fails, report.Checks)
			}
			if !strings.Contains(fmt.Sprint(report.Checks), c.saying) {
				t.Errorf("nothing says %q: %+v", c.saying, report.Checks)
			}
		})
	}
}

// TestVerifyHoldsANotedCommitment: an export that is sound in itself may still not be what was published.
func TestVerifyHoldsANotedCommitment(t *testing.T) {
	p := history(t, 1)
	report, err := p.verify(spring, audit.VerifyOptions{Commitment: p.stages[flood-1].Commitment})
	if err != nil || report.OK || strings.Join(failed(report.Checks), " ") != "G8" {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestVerifyAsksForASealedCampaign: what can't be verified is an error that says why.
func TestVerifyAsksForASealedCampaign(t *testing.T) {
	p := history(t, 1)
	for _, c := range []struct {
		what     string
		export   uint32
		campaign uint32
		want     error
		saying   string
	}{
		{"which of several", 0, 0, hongbao.ErrInvalid, "given, because there are 10"},
		{"one that is not there", spring, 99, hongbao.ErrNotFound, "no campaign 99"},
		{"one that is not sealed", late, 0, hongbao.ErrInvalid, "sealed: its seed is revealed then"},
	} {
		_, err := p.verify(c.export, audit.VerifyOptions{Campaign: c.campaign})
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.saying) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	if _, err := audit.Verify(audit.ReadLines(strings.NewReader("")), audit.VerifyOptions{}); !errors.Is(err, hongbao.ErrNotFound) {
		t.Errorf("an empty export: %v", err)
	}
}

// TestReceipts: a receipt is good for its win alone.
func TestReceipts(t *testing.T) {
	p := history(t, 1)
	entries := audit.ReadLines(bytes.NewReader(p.export(0)))
	win := p.last(spring, hongbao.EnvelopeWon)
	key := p.secret.ReceiptKey()
	receipt := key.Receipt(spring, uint64(win.Envelope), win.UID, win.At)
	if e, err := audit.CheckReceipt(entries, key, win.Envelope, receipt); err != nil || e.UID != win.UID || e.AmountFen != win.AmountFen {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := audit.CheckReceipt(entries, key, win.Envelope-1, receipt); !errors.Is(err, hongbao.ErrInvalid) {
		t.Errorf("for another envelope: %v", err)
	}
	if _, err := audit.CheckReceipt(entries, key, hongbao.NewEnvelopeID(spring, 999), receipt); !errors.Is(err, hongbao.ErrNotFound) {
		t.Errorf("for an envelope that nobody won: %v", err)
	}
}
