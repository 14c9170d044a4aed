package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"hongbao"
)

// JournalEntry is one line of the journal's export: what the checks here need of an event.
type JournalEntry struct {
	Position  string             `json:"position"`
	Kind      string             `json:"kind"` // as hongbao.EventKind prints it
	At        hongbao.Time       `json:"at"`
	Campaign  uint32             `json:"campaign_id"`
	Revision  uint32             `json:"revision"`
	Envelope  hongbao.EnvelopeID `json:"envelope_id"`
	UID       uint64             `json:"uid"`
	AmountFen int64              `json:"amount_fen"`
	Key       string             `json:"key"`
	Wins      int                `json:"wins"`
	Rules     *hongbao.Rules     `json:"rules"`
	Issued    hongbao.Tally      `json:"issued"`
	Segment   *hongbao.Segment   `json:"segment"`
	Cancelled bool               `json:"cancelled"`
}

// Journal walks the journal's export of a campaign (0: of all), from the first event to the end, page by page.
func (a *Admin) Journal(ctx context.Context, campaign uint32) iter.Seq2[JournalEntry, error] {
	return func(yield func(JournalEntry, error) bool) {
		for after := ""; ; {
			last, lines, err := a.journalPage(ctx, campaign, after, yield)
			switch {
			case errors.Is(err, errStopped), err == nil && lines == 0:
				return
			case err != nil:
				yield(JournalEntry{}, err)
				return
			}
			after = last
		}
	}
}

const (
	journalPage    = 100_000
	journalLineMax = 1 << 20
)

// errStopped says that whoever walks the journal has seen enough.
var errStopped = errors.New("stopped")

// journalPage yields the entries after a position and returns the last one's position and how many there were.
func (a *Admin) journalPage(ctx context.Context, campaign uint32, after string, yield func(JournalEntry, error) bool) (last string, lines int, err error) {
	query := url.Values{"format": {"ndjson"}, "limit": {strconv.Itoa(journalPage)}}
	if campaign != 0 {
		query.Set("campaign", strconv.FormatUint(uint64(campaign), 10))
	}
	if after != "" {
		query.Set("from", after)
	}
	response, err := a.send(ctx, http.MethodGet, "/admin/v1/journal?"+query.Encode(), nil)
	if err != nil {
		return "", 0, err
	}
	defer response.Body.Close()
	in := bufio.NewScanner(response.Body)
	in.Buffer(nil, journalLineMax)
	for in.Scan() {
		var entry JournalEntry
		if err := json.Unmarshal(in.Bytes(), &entry); err != nil {
			return "", 0, fmt.Errorf("the journal's export, after %s: %w", last, err)
		}
		last, lines = entry.Position, lines+1
		if !yield(entry, nil) {
			return last, lines, errStopped
		}
	}
	return last, lines, in.Err()
}
