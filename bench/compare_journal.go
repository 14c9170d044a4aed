package bench

import (
	"context"
	"fmt"

	"hongbao"
)

// journalCheck reads the journal of a campaign beside what players were told: every win and opening told must be in it,
// with the same holder and amount, nothing in it may contradict them, and the sums must stay within the budget.
type journalCheck struct {
	told      *Told
	id        uint32
	campaign  *hongbao.Campaign // as far as it has been read
	envelopes map[hongbao.EnvelopeID]*journaled
	taken     hongbao.Tally
	untold    map[uint64]int // wins that nobody was told of, by player
	entries   uint64
}

// journaled is an envelope as the journal has it.
type journaled struct {
	uid       uint64
	amountFen int64
	closed    string // "", "opened" or "refunded"
}

func newJournalCheck(t *Told, id uint32) *journalCheck {
	return &journalCheck{told: t, id: id, envelopes: map[hongbao.EnvelopeID]*journaled{}, untold: map[uint64]int{}}
}

// String is how the campaign stands at the end of what was read.
func (j *journalCheck) String() string {
	if j.campaign == nil {
		return whereCampaign(j.id)
	}
	budget := j.campaign.Rules().Budget
	return fmt.Sprintf("campaign %d (%s): %d of %d envelopes, %d of %d fen",
		j.id, j.campaign.Rules().Name, j.taken.Count, budget.Count, j.taken.TotalFen, budget.TotalFen)
}

func (j *journalCheck) read(ctx context.Context, admin *Admin) error {
	for entry, err := range admin.Journal(ctx, j.id) {
		if err != nil {
			return err
		}
		if entry.Campaign != j.id {
			continue
		}
		j.entries++
		if err := j.entry(&entry); err != nil {
			return fmt.Errorf("the journal at %s: %w", entry.Position, err)
		}
	}
	if j.campaign == nil {
		return fmt.Errorf("the journal does not know campaign %d", j.id)
	}
	j.end()
	return nil
}

func (j *journalCheck) entry(e *JournalEntry) error {
	j.told.mu.Lock()
	defer j.told.mu.Unlock()
	switch e.Kind {
	case hongbao.CampaignCreated.String(), hongbao.CampaignRevised.String(), hongbao.CampaignSealed.String():
		return j.changed(e)
	case hongbao.EnvelopeWon.String():
		j.won(e)
	case hongbao.EnvelopeOpened.String(), hongbao.EnvelopeRefunded.String():
		j.closed(e)
	}
	return nil
}

func (j *journalCheck) changed(e *JournalEntry) (err error) {
	kinds := map[string]hongbao.EventKind{
		"created": hongbao.CampaignCreated, "revised": hongbao.CampaignRevised, "sealed": hongbao.CampaignSealed,
	}
	if e.Kind != "created" && j.campaign == nil || e.Kind != "sealed" && e.Rules == nil {
		return fmt.Errorf("campaign %d is %s without a beginning or without rules", j.id, e.Kind)
	}
	j.campaign, err = j.campaign.After(&hongbao.Event{
		Kind: kinds[e.Kind], At: e.At, Campaign: j.id, Revision: e.Revision, Rules: e.Rules, Issued: e.Issued,
		Segment: e.Segment, Cancelled: e.Cancelled,
	})
	return err
}

// won checks one win against the budget, and against what its player was told.
func (j *journalCheck) won(e *JournalEntry) {
	id, uid := e.Envelope, e.UID
	if earlier := j.envelopes[id]; earlier != nil {
		j.differ("G2", e, "won again in the journal: player %d holds it", earlier.uid)
		return
	}
	j.envelopes[id] = &journaled{uid: uid, amountFen: e.AmountFen}
	j.taken.Add(e.AmountFen)
	j.checkBudget(e)
	h := j.told.envelopes[id]
	switch {
	case h == nil:
		j.checkUntold(e)
	case h.uid != uid:
		j.differ("G2", e, "player %d was told to hold it", h.uid)
	case h.amountFen != 0 && h.amountFen != e.AmountFen:
		j.differ("G5", e, "%d fen were told, and the journal has %d", h.amountFen, e.AmountFen)
	case h.wins != 0 && e.Wins != 0 && h.wins != e.Wins:
		j.differ("G3", e, "told as win number %d, and the journal has %d", h.wins, e.Wins)
	case h.key != "" && e.Key != "" && h.key != e.Key:
		j.differ("G7", e, "won by the key %q, and the journal has %q", h.key, e.Key)
	}
}

func (j *journalCheck) checkBudget(e *JournalEntry) {
	if j.campaign == nil {
		j.differ("G1", e, "won before its campaign was created")
		return
	}
	segment := j.campaign.SegmentOf(e.Envelope.Number())
	if segment.Count == 0 || e.AmountFen < segment.MinFen || e.AmountFen > segment.MaxFen {
		j.differ("G1", e, "%d fen, where %d to %d are allowed", e.AmountFen, segment.MinFen, segment.MaxFen)
	}
	if budget := j.campaign.Rules().Budget; j.taken.Count > budget.Count || j.taken.TotalFen > budget.TotalFen {
		j.differ("G1", e, "with it %d envelopes of %d fen are taken, of a budget of %d and %d",
			j.taken.Count, j.taken.TotalFen, budget.Count, budget.TotalFen)
	}
}

// checkUntold accepts a win that nobody was told of where the answer was lost, and where it is not of this crowd.
func (j *journalCheck) checkUntold(e *JournalEntry) {
	uid := e.UID
	p := j.told.players[uid]
	if p == nil || e.At < j.told.since {
		return
	}
	if j.untold[uid]++; j.untold[uid] > p.unknown {
		j.differ("G4", e, "won in the journal, and the player was never told")
	}
}

func (j *journalCheck) closed(e *JournalEntry) {
	id := e.Envelope
	won := j.envelopes[id]
	switch {
	case won == nil:
		j.differ("G5", e, "%s in the journal, and never won", e.Kind)
		return
	case won.closed != "":
		j.differ("G5", e, "%s in the journal after it was %s", e.Kind, won.closed)
	case won.uid != e.UID:
		j.differ("G5", e, "%s in the journal for another player than %d, who won it", e.Kind, won.uid)
	case won.amountFen != e.AmountFen:
		j.differ("G5", e, "%s with %d fen in the journal, and won with %d", e.Kind, e.AmountFen, won.amountFen)
	}
	won.closed = e.Kind
	if h := j.told.envelopes[id]; h != nil && h.opens == 0 && e.Kind == "opened" && e.At >= j.told.since {
		j.differ("G5", e, "opened in the journal, although nobody asked")
	}
}

// end checks that all that was told is there, and that a campaign that is sold out gave its budget to the fen.
func (j *journalCheck) end() {
	t := j.told
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, h := range t.envelopes {
		if id.Campaign() != j.id {
			continue
		}
		won := j.envelopes[id]
		if won == nil {
			t.differences.add("G4", whereEnvelope(h.uid, id), "won, and not in the journal")
			continue
		}
		if h.openedAt != 0 && won.closed != "opened" {
			t.differences.add("G4", whereEnvelope(h.uid, id), "told opened, and not opened in the journal")
		}
		t.learnAmount(h, won.amountFen, "the journal")
	}
	budget := j.campaign.Rules().Budget
	if j.taken.Count == budget.Count && j.taken.TotalFen != budget.TotalFen {
		t.differences.add("G1", whereCampaign(j.id), "all %d envelopes are taken, and sum to %d fen of %d", budget.Count, j.taken.TotalFen, budget.TotalFen)
	}
	if t.campaign(j.id).soldOutAt != 0 && len(j.campaign.Revisions) == 1 && j.taken.Count < budget.Count {
		t.differences.add("API", whereCampaign(j.id), "sold_out was told, and %d of %d envelopes are taken", j.taken.Count, budget.Count)
	}
}

func (j *journalCheck) differ(guarantee string, e *JournalEntry, what string, details ...any) {
	where := whereEnvelope(e.UID, e.Envelope)
	j.told.differences.add(guarantee, where, what, details...)
}
