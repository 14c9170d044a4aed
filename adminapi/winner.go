package adminapi

import (
	"context"
	"encoding/csv"
	"io"
	"iter"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"hongbao"
)

func (s *Server) winnerRoute() {
	register(s, Viewer, huma.Operation{
		OperationID: "export-winners", Method: http.MethodGet, Path: "/admin/v1/campaigns/{id}/winners.csv", Tags: []string{tagBooks},
		Summary: "Export a campaign's winners",
		Description: "One line an envelope won, in the order of the journal, as of the moment of asking: envelope_id, number, uid, " +
			"amount_fen, status, revision, won_at, expires_at, opened_at, refunded_at.",
		Responses: streamOf(map[string]*huma.Schema{"text/csv": {Type: huma.TypeString}}),
	}, s.exportWinners)
}

var winnerHeader = []string{
	"envelope_id", "number", "uid", "amount_fen", "status", "revision", "won_at", "expires_at", "opened_at", "refunded_at",
}

// exportWinners walks the journal twice: to learn what became of each envelope, which takes eight bytes an envelope that
// was opened or refunded, and to write the wins. Both walks end at the same event.
func (s *Server) exportWinners(ctx context.Context, in *campaignInput) (*huma.StreamResponse, error) {
	c, err := s.find(in.ID)
	if err != nil {
		return nil, err
	}
	ends, last, err := s.endings(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	journal := s.service.Engine().Journal(ctx, "")
	return stream(wins(journal, c.ID, last), "text/csv; charset=utf-8", func(w io.Writer, won iter.Seq2[hongbao.Entry, error]) error {
		return writeWinners(w, won, c, ends)
	})
}

// endings are when the envelopes of a campaign were opened, by number; the negative of it where they were refunded.
type endings []hongbao.Time

func (e *endings) set(number uint64, at hongbao.Time) {
	for uint64(len(*e)) <= number {
		*e = append(*e, 0)
	}
	(*e)[number] = at
}

func (e endings) of(number uint64) (state hongbao.EnvelopeState, at hongbao.Time) {
	switch {
	case number >= uint64(len(e)) || e[number] == 0:
		return hongbao.StateHeld, 0
	case e[number] < 0:
		return hongbao.StateRefunded, -e[number]
	}
	return hongbao.StateOpened, e[number]
}

// endings walks the journal and returns the position of its last event too.
func (s *Server) endings(ctx context.Context, campaign uint32) (ends endings, last hongbao.Position, err error) {
	for entry, err := range s.service.Engine().Journal(ctx, "") {
		if err != nil {
			return nil, "", err
		}
		last = entry.Position
		switch e := entry.Event; {
		case e.Campaign != campaign:
		case e.Kind == hongbao.EnvelopeOpened:
			ends.set(e.Envelope.Number(), e.At)
		case e.Kind == hongbao.EnvelopeRefunded:
			ends.set(e.Envelope.Number(), -e.At)
		}
	}
	return ends, last, nil
}

// wins are the wins of a campaign up to the event at last.
func wins(journal iter.Seq2[hongbao.Entry, error], campaign uint32, last hongbao.Position) iter.Seq2[hongbao.Entry, error] {
	return func(yield func(hongbao.Entry, error) bool) {
		for entry, err := range journal {
			won := err == nil && entry.Event.Kind == hongbao.EnvelopeWon && entry.Event.Campaign == campaign
			if (won || err != nil) && !yield(entry, err) || entry.Position == last {
				return
			}
		}
	}
}

func writeWinners(w io.Writer, won iter.Seq2[hongbao.Entry, error], c *hongbao.Campaign, ends endings) error {
	lines := csv.NewWriter(w)
	if err := lines.Write(winnerHeader); err != nil {
		return err
	}
	for entry, err := range won {
		if err != nil {
			return err
		}
		if err := lines.Write(winnerRecord(entry.Event, c, ends)); err != nil {
			return err
		}
	}
	lines.Flush()
	return lines.Error()
}

func winnerRecord(e *hongbao.Event, c *hongbao.Campaign, ends endings) []string {
	state, at := ends.of(e.Envelope.Number())
	record := []string{
		digits(e.Envelope), digits(e.Envelope.Number()), digits(e.UID), digits(e.AmountFen), state.String(), digits(e.Revision),
		e.At.String(), c.Expiry(e.ExpiresAt).String(), "", "",
	}
	switch state {
	case hongbao.StateOpened:
		record[8] = at.String()
	case hongbao.StateRefunded:
		record[9] = at.String()
	}
	return record
}
