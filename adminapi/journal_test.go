package adminapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hongbao"
	"hongbao/audit"
)

// played is a bed on which two campaigns were played: of the first's 5 envelopes 4 were won by three players, 2 opened
// and 2 refunded, with a revision in between; the second's was won and is held.
func played(t *testing.T) *bed {
	b := newBed(t)
	b.rain("first", 5)
	a := b.snatch(1, 7, "a")
	b.pass(time.Minute)
	c := b.snatch(1, 7, "=evil()")
	b.ask("PATCH", "/admin/v1/campaigns/1", `{"budget":{"total_fen":600}}`, `If-Match: "1"`).must(http.StatusOK)
	b.snatch(1, 8, "a")
	b.open(7, a.Envelope)
	b.pass(time.Minute)
	b.open(7, c.Envelope)
	b.snatch(1, hongbao.UIDMax, "z")
	b.pass(24*time.Hour + 10*time.Minute)
	b.tend()
	b.rain("second", 5)
	b.snatch(2, 7, "b")
	b.tend()
	return b
}

func (b *bed) lines(query string) []audit.Line {
	b.t.Helper()
	var lines []audit.Line
	for entry, err := range audit.ReadLines(bytes.NewReader(b.get("/admin/v1/journal" + query).must(http.StatusOK).body)) {
		if err != nil {
			b.t.Fatal(err)
		}
		lines = append(lines, audit.Line{Position: entry.Position, Event: *entry.Event})
	}
	return lines
}

func TestJournalReadsOnFromAnyPosition(t *testing.T) {
	b := played(t)
	all := b.lines("")
	if len(all) < 12 {
		t.Fatalf("%d events", len(all))
	}
	for i, line := range all {
		rest := b.lines("?from=" + string(line.Position))
		if fmt.Sprint(kinds(rest)) != fmt.Sprint(kinds(all[i+1:])) {
			t.Errorf("after %s: %v, want %v", line.Position, kinds(rest), kinds(all[i+1:]))
		}
	}
	var paged []audit.Line
	for from := ""; ; {
		page := b.lines("?limit=3&from=" + from)
		if paged = append(paged, page...); len(page) < 3 {
			break
		}
		from = string(page[2].Position)
	}
	if fmt.Sprint(kinds(paged)) != fmt.Sprint(kinds(all)) {
		t.Errorf("by pages of 3: %v", kinds(paged))
	}
}

func kinds(lines []audit.Line) (names []string) {
	for _, line := range lines {
		names = append(names, line.Kind.String())
	}
	return names
}

func TestJournalOfOneCampaign(t *testing.T) {
	b := played(t)
	got := strings.Join(kinds(b.lines("?campaign=1")), " ")
	if got != "created won won revised won opened opened won sealed refunded refunded" {
		t.Error(got)
	}
	if got := strings.Join(kinds(b.lines("?campaign=1&limit=2")), " "); got != "created won" {
		t.Error(got)
	}
}

// Keeps G8: nobody can foretell amounts from an export.
func TestNoSeedBeforeTheSeal(t *testing.T) {
	b := newBed(t)
	b.rain("r", 5)
	b.snatch(1, 1, "a")
	c, _ := b.service.Campaign(1)
	seed := b.engine.Secret().Seed(1, c.Nonce).String()
	told := func() (n int) {
		for _, path := range []string{"/admin/v1/journal", "/admin/v1/journal?format=csv", "/admin/v1/campaigns", "/admin/v1/campaigns/1", "/admin/v1/campaigns/1/report", "/admin/v1/stats"} {
			n += bytes.Count(b.get(path).must(http.StatusOK).body, []byte(seed))
		}
		return n
	}
	if told() != 0 {
		t.Error("the seed is told before the seal")
	}
	b.post("/admin/v1/campaigns/1/cancel", "").must(http.StatusOK)
	if told() < 3 {
		t.Error("the seed is not told after the seal")
	}
}

func TestJournalForSpreadsheetsHasNoKeys(t *testing.T) {
	b := played(t)
	answer := b.get("/admin/v1/journal?format=csv").must(http.StatusOK)
	if kind := answer.header.Get("Content-Type"); kind != "text/csv; charset=utf-8" {
		t.Error(kind)
	}
	if bytes.Contains(answer.body, []byte("evil")) {
		t.Error("a key that a player chose is in a file for spreadsheets")
	}
	records, err := csv.NewReader(bytes.NewReader(answer.body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	lines := b.lines("")
	if len(records) != len(lines)+1 || fmt.Sprint(records[0]) != fmt.Sprint(journalHeader) {
		t.Fatalf("%d records of %d events: %v", len(records), len(lines), records[0])
	}
	for i, line := range lines {
		record := records[i+1]
		if record[0] != string(line.Position) || record[1] != line.Kind.String() || line.Envelope != 0 && record[5] != fmt.Sprint(line.Envelope) {
			t.Errorf("%v for %+v", record, line)
		}
	}
}

func TestExportEndsWithItsClient(t *testing.T) {
	ctx, hangUp := context.WithCancel(t.Context())
	written := 0
	endless := func(yield func(hongbao.Entry, error) bool) {
		for yield(hongbao.Entry{Position: "1", Event: &hongbao.Event{Kind: hongbao.EnvelopeWon}}, ctx.Err()) && ctx.Err() == nil {
			if written++; written == 1000 {
				hangUp()
			}
		}
	}
	err := writeNDJSON(io.Discard, selected(endless, 0, 1<<30))
	if err != context.Canceled || written != 1000 {
		t.Errorf("%v after %d events", err, written)
	}
}

func TestExportThatFailsBreaksTheConnectionOff(t *testing.T) {
	b := newBed(t)
	broken := func(yield func(hongbao.Entry, error) bool) {
		_ = yield(hongbao.Entry{Position: "1", Event: &hongbao.Event{Kind: hongbao.EnvelopeWon}}, nil) &&
			yield(hongbao.Entry{}, hongbao.ErrBroken)
	}
	b.server.handleStream("/broken", broken)
	request, _ := http.NewRequest(http.MethodGet, b.url+"/broken", nil)
	request.Header.Set("Authorization", "Bearer "+viewerToken)
	response, err := http.DefaultTransport.RoundTrip(request)
	if err == nil {
		defer response.Body.Close()
		_, err = io.ReadAll(bufio.NewReader(response.Body))
	}
	if err == nil {
		t.Error("a part was taken for the whole")
	}
}

// handleStream adds a route that exports the entries.
func (s *Server) handleStream(path string, entries iter.Seq2[hongbao.Entry, error]) {
	register(s, Viewer, huma.Operation{OperationID: path, Method: http.MethodGet, Path: path}, func(context.Context, *struct{}) (*huma.StreamResponse, error) {
		return stream(entries, "application/x-ndjson", writeNDJSON)
	})
}
