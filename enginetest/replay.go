package enginetest

import (
	"context"
	"fmt"
	"reflect"

	"hongbao"
)

// Replay makes the model that an engine's journal amounts to after Sync. Every event is decided again, and must come out
// as it stands in the journal: the next number, its amount, the counts and limits it was decided under, the balance after
// it.
//
// Where numbers are leased, three things are the engine's, within what is possible: a win may have any number that is cut
// and not won yet; a revision may find more issued than is taken; and a shard may have decided under an earlier revision
// than the one in force, whose limits and times the event must then keep.
func Replay(ctx context.Context, h *Harness) (*Model, error) {
	if err := h.Engine.Sync(ctx); err != nil {
		return nil, fmt.Errorf("sync: %w", err)
	}
	m := NewModel(h.Secret, h.Calendar)
	for entry, err := range h.Engine.Journal(ctx, "") {
		if err != nil {
			return nil, fmt.Errorf("read journal: %w", err)
		}
		if h.Leased {
			m.adopt(entry.Event)
		}
		if err := m.Apply(ctx, entry.Event); err != nil {
			return nil, fmt.Errorf("%s: %w", entry.Position, err)
		}
	}
	return m, nil
}

// adopt makes what the model decides next the event's, where it leases numbers.
func (m *Model) adopt(e *hongbao.Event) {
	m.supply = adopted{m, e.Envelope.Number(), e.Issued, e.Segment != nil, e.Revision}
}

// Apply decides an event again.
func (m *Model) Apply(ctx context.Context, e *hongbao.Event) error {
	before := len(m.journal)
	outcome, err := m.again(ctx, e)
	if err != nil {
		return fmt.Errorf("%+v: refused: %w", *e, err)
	}
	if len(m.journal) != before+1 {
		return fmt.Errorf("%+v: it must have no effect: the model answers %+v", *e, outcome)
	}
	want := m.journal[before]
	if e.Kind == hongbao.EnvelopeOpened || e.Kind == hongbao.EnvelopeRefunded {
		want.Revision = min(want.Revision, e.Revision) // the campaign may have been revised while it was decided
	}
	if !reflect.DeepEqual(want, *e) {
		return fmt.Errorf("%+v: it must be %+v", *e, want)
	}
	return nil
}

// again does what led to the event, at its time.
func (m *Model) again(ctx context.Context, e *hongbao.Event) (outcome any, err error) {
	switch e.Kind {
	case hongbao.EnvelopeWon:
		return m.Snatch(ctx, hongbao.SnatchRequest{Campaign: e.Campaign, UID: e.UID, Key: e.Key, Now: e.At})
	case hongbao.EnvelopeOpened:
		return m.Open(ctx, hongbao.OpenRequest{UID: e.UID, Envelope: e.Envelope, Now: e.At})
	case hongbao.EnvelopeRefunded:
		return m.refundAgain(e)
	case hongbao.PlayerSignedUp:
		return m.SignUp(ctx, hongbao.SignUpRequest{Campaign: e.Campaign, UIDs: []uint64{e.UID}, Actor: e.Actor, Now: e.At})
	case hongbao.SystemRecorded:
		return m.Record(ctx, *e, nil)
	case hongbao.CampaignCreated:
		m.nonce = func() hongbao.Nonce { return e.Nonce }
		return m.Put(ctx, hongbao.Change{At: e.At, Actor: e.Actor, Create: e.Rules})
	case hongbao.CampaignRevised:
		return m.Put(ctx, hongbao.Change{At: e.At, Actor: e.Actor, Campaign: e.Campaign, IfRevision: e.Revision - 1, Revise: patchTo(e.Rules)})
	}
	return m.Put(ctx, hongbao.Change{At: e.At, Actor: e.Actor, Campaign: e.Campaign, Cancel: e.Cancelled, Close: !e.Cancelled})
}

// refundAgain refunds the envelope that the event names, whichever the model would have come to first.
func (m *Model) refundAgain(e *hongbao.Event) (outcome any, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.envelopes[e.Envelope]
	if known == nil || known.State != hongbao.StateHeld || m.time(e.At) < m.expiry(known)+refundAfter {
		return fmt.Sprintf("%+v can't be refunded", known), nil
	}
	m.refund(known, m.time(e.At))
	return "", nil
}

// patchTo is the revision that leads to these rules.
func patchTo(r *hongbao.Rules) *hongbao.Patch {
	b := &r.Budget
	return &hongbao.Patch{
		Budget:  &hongbao.BudgetPatch{TotalFen: &b.TotalFen, Count: &b.Count, MinFen: &b.MinFen, MaxFen: &b.MaxFen},
		OpensAt: &r.OpensAt, ClosesAt: &r.ClosesAt, Chance: &r.Chance, Pace: &r.Pace,
		WinsMax: &r.WinsMax, DailyWinsMax: &r.DailyWinsMax, Paused: &r.Paused,
	}
}
