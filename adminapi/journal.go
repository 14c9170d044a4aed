package adminapi

import (
	"bufio"
	"context"
	"encoding/csv"
	"io"
	"iter"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"hongbao"
	"hongbao/audit"
)

const (
	journalDefault = 1_000
	journalMax     = 100_000
)

// journalLimit is how many events an export has at most.
type journalLimit string

// Schema describes it.
func (journalLimit) Schema(huma.Registry) *huma.Schema {
	schema := integerSchema("events at most; for the next ones ask again from the last position", 1, journalMax)
	schema.Default = journalDefault
	return schema
}

func (l journalLimit) parse() (int, error) { return parseLimit(string(l), journalDefault, journalMax) }

func (s *Server) journalRoute() {
	register(s, Viewer, huma.Operation{
		OperationID: "export-journal", Method: http.MethodGet, Path: "/admin/v1/journal", Tags: []string{tagBooks},
		Summary: "Export the journal",
		Description: "The events after a position in the order of the journal, one a line. A seed is in the event that seals its campaign, " +
			"never before. CSV is for spreadsheets: it has the envelopes' columns, and leaves out keys, which players choose and a " +
			"spreadsheet might run as a formula; ndjson has everything.",
		Responses: streamOf(map[string]*huma.Schema{
			"application/x-ndjson": schemaOf[audit.Line](s), "text/csv": {Type: huma.TypeString},
		}),
	}, s.exportJournal)
}

type journalInput struct {
	From     string       `query:"from" doc:"The position after which to begin; empty: at the first event"`
	Campaign string       `query:"campaign" doc:"Only events of the campaign with this id"`
	Limit    journalLimit `query:"limit"`
	Format   string       `query:"format" enum:"ndjson,csv" default:"ndjson"`
}

func (s *Server) exportJournal(ctx context.Context, in *journalInput) (*huma.StreamResponse, error) {
	limit, err := in.Limit.parse()
	if err != nil {
		return nil, err
	}
	campaign, err := s.chosen(in.Campaign)
	if err != nil {
		return nil, err
	}
	write, kind := writeNDJSON, "application/x-ndjson"
	switch in.Format {
	case "ndjson":
	case "csv":
		write, kind = WriteJournalCSV, "text/csv; charset=utf-8"
	default:
		return nil, hongbao.Invalid("format", in.Format, "one of ndjson csv")
	}
	entries := s.service.Engine().Journal(ctx, hongbao.Position(in.From))
	return stream(selected(entries, campaign, limit), kind, write)
}

// chosen is the id of the campaign that an export is limited to; 0 is any.
func (s *Server) chosen(text string) (uint32, error) {
	if text == "" {
		return 0, nil
	}
	id, err := parseInteger("campaign", text, 1, hongbao.CampaignMax)
	if err != nil {
		return 0, err
	}
	_, err = s.service.Campaign(uint32(id))
	return uint32(id), err
}

// selected are the first limit entries of a campaign; 0 is any campaign.
func selected(entries iter.Seq2[hongbao.Entry, error], campaign uint32, limit int) iter.Seq2[hongbao.Entry, error] {
	return func(yield func(hongbao.Entry, error) bool) {
		left := limit
		for entry, err := range entries {
			if err == nil && campaign != 0 && entry.Event.Campaign != campaign {
				continue
			}
			left--
			if !yield(entry, err) || err != nil || left == 0 {
				return
			}
		}
	}
}

// stream answers with what write makes of the entries. An error of the first becomes a problem; one later on breaks the
// connection off.
func stream(
	entries iter.Seq2[hongbao.Entry, error], kind string, write func(io.Writer, iter.Seq2[hongbao.Entry, error]) error,
) (*huma.StreamResponse, error) {
	next, stop := iter.Pull2(entries)
	first, err, some := next()
	if err != nil {
		stop()
		return nil, err
	}
	all := func(yield func(hongbao.Entry, error) bool) {
		for entry, err, ok := first, error(nil), some; ok && yield(entry, err); {
			entry, err, ok = next()
		}
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer stop()
		_, w := humago.Unwrap(ctx)
		w.Header().Set("Content-Type", kind)
		buffered := bufio.NewWriterSize(w, 64<<10)
		err := write(buffered, all)
		if err == nil {
			err = buffered.Flush()
		}
		if err != nil {
			panic(http.ErrAbortHandler) // the status has gone out: a broken answer is all that can still tell
		}
	}}, nil
}

func writeNDJSON(w io.Writer, entries iter.Seq2[hongbao.Entry, error]) error {
	for entry, err := range entries {
		if err != nil {
			return err
		}
		if err := audit.WriteLine(w, entry); err != nil {
			return err
		}
	}
	return nil
}

var journalHeader = []string{
	"position", "kind", "at", "campaign_id", "revision", "envelope_id", "uid", "amount_fen", "wins", "day_wins", "expires_at",
	"balance_fen", "actor",
}

// WriteJournalCSV writes entries for a spreadsheet: the columns of envelopes, without keys.
func WriteJournalCSV(w io.Writer, entries iter.Seq2[hongbao.Entry, error]) error {
	lines := csv.NewWriter(w)
	if err := lines.Write(journalHeader); err != nil {
		return err
	}
	for entry, err := range entries {
		if err != nil {
			return err
		}
		if err := lines.Write(journalRecord(entry)); err != nil {
			return err
		}
	}
	lines.Flush()
	return lines.Error()
}

// journalRecord leaves empty what the kind of event doesn't have.
func journalRecord(entry hongbao.Entry) []string {
	e := entry.Event
	record := make([]string, len(journalHeader))
	record[0], record[1], record[2] = string(entry.Position), e.Kind.String(), instant(e.At)
	record[3], record[4] = digits(e.Campaign), digits(e.Revision)
	switch e.Kind {
	case hongbao.EnvelopeWon, hongbao.EnvelopeOpened, hongbao.EnvelopeRefunded:
		record[5], record[6], record[7] = digits(e.Envelope), digits(e.UID), digits(e.AmountFen)
	case hongbao.PlayerSignedUp:
		record[6] = digits(e.UID)
	}
	switch e.Kind {
	case hongbao.EnvelopeWon:
		record[8], record[9], record[10] = digits(e.Wins), digits(e.DayWins), instant(e.ExpiresAt)
	case hongbao.EnvelopeOpened:
		record[11] = digits(e.BalanceFen)
	}
	record[12] = e.Actor
	return record
}

// instant is a time in a table; one that is unset is empty.
func instant(t hongbao.Time) string {
	if t == 0 {
		return ""
	}
	return t.String()
}

func digits[N ~int | ~int64 | ~uint32 | ~uint64](n N) string { return strconv.FormatInt(int64(n), 10) }
