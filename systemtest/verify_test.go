package systemtest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hongbao"
	"hongbao/audit"
)

// A campaign is revised twice while it is played, closes, and is recomputed from nothing but its export and the
// commitment noted before. Keeps G8 honest: what was altered is found.
func TestACampaignRevisedTwiceVerifies(t *testing.T) {
	t.Parallel()
	s := serve(t, "--campaigns", `[{name: rain, kind: rain, opens_at: +0s, lasts: 24h, chance: 0.5, wins_max: 4,
		budget: {total_fen: 100000, count: 1000, split: uniform}}]`)
	before := published(t, s)
	c := newCrowd(1, 400)
	playRevised(t, s, c)
	after := before
	eventually(t, 20*time.Second, "the campaign is sealed", func() bool {
		after = published(t, s)
		return after.Seed != ""
	})
	if before.Seed != "" || after.Commitment != before.Commitment || len(after.Revisions) != 4 {
		t.Errorf("before: %+v\nafter: %+v", before, after)
	}
	export := succeed(t, "export", "--campaign", "1", "--admin", s.Admin, "--data", s.Data)
	checkExport(t, export, before.Commitment, c.told.Counts().Wins)
	checkReceipts(t, s, c)
	c.judge(s)
}

// campaign is what is published of one.
type campaign struct {
	Commitment string
	Seed       string
	Revisions  []json.RawMessage
}

func published(t *testing.T, s *server) (c campaign) {
	t.Helper()
	_, body := s.ask("GET", s.Player+"/v1/campaigns/1", "")
	parse(t, body, &c)
	return c
}

// playRevised plays while the budget is raised, and then chance and limit, and until the campaign closes, sooner than was
// planned.
func playRevised(t *testing.T, s *server, c *crowd) {
	t.Helper()
	fen, count, most := int64(150_000), uint64(1200), int64(300)
	chance, winsMax := hongbao.ChanceCertain/10*8, 5
	closes := hongbao.TimeOf(time.Now().Add(3 * time.Second))
	revisions := map[int64]hongbao.Patch{
		300:  {Budget: &hongbao.BudgetPatch{TotalFen: &fen, Count: &count, MaxFen: &most}},
		900:  {Chance: &chance, WinsMax: &winsMax},
		1500: {ClosesAt: &closes},
	}
	admin := s.admin()
	c.rush(s, newRandom(t), func(answer int64) bool {
		if patch, due := revisions[answer]; due {
			if err := admin.Revise(context.Background(), 1, patch); err != nil {
				t.Error(err)
			}
		}
		return answer >= 2500
	})
}

func checkExport(t *testing.T, export, commitment string, wins uint64) {
	t.Helper()
	verify := func(export string) result {
		return run(t, "verify", "--json", "--campaign", "1", "--commitment", commitment, "--export", write(t, "export.ndjson", export))
	}
	var report audit.VerifyReport
	r := verify(export)
	if parse(t, r.stdout, &report); r.code != 0 || !report.OK || report.Opened.Count+report.Held.Count != wins {
		t.Errorf("it exits with %d, and %d wins were told: %s", r.code, wins, r.stdout)
	}
	for _, a := range alterations {
		r := verify(a.of(t, export))
		var report audit.VerifyReport
		if parse(t, r.stdout, &report); r.code != 1 || !strings.Contains(failed(&report), a.found) {
			t.Errorf("%s: it exits with %d, and names %q, want %s: %s", a.name, r.code, failed(&report), a.found, r.stderr)
		}
	}
}

// failed names the checks that failed.
func failed(report *audit.VerifyReport) (names string) {
	for _, check := range report.Checks {
		if !check.OK {
			names += check.Name + " "
		}
	}
	return names
}

// alterations are what somebody who hands out an export might try.
var alterations = []alteration{
	{"an amount of another size", "G8", `"kind":"won"`, set("amount_fen", 299)},
	{"a win left out", "order", `"kind":"won"`, func(map[string]any) int { return 0 }},
	{"a win told twice", "G2", `"kind":"won"`, func(map[string]any) int { return 2 }},
	{"a win moved to another player", "G3", `"wins":2`, set("uid", hongbao.UIDMax)},
	{"an opening of another envelope", "G5", `"kind":"opened"`, set("envelope_id", 1<<32+999)},
	{"a revision left out", "order", `"kind":"revised"`, func(map[string]any) int { return 0 }},
	{"another seed", "G8", `"kind":"sealed"`, set("seed", strings.Repeat("0", 64))},
	{"another commitment", "G8", `"kind":"created"`, set("commitment", strings.Repeat("0", 64))},
	{"a higher chance from the beginning", "G8", `"kind":"created"`, func(event map[string]any) int {
		event["rules"].(map[string]any)["chance"] = 0.9
		return 1
	}},
}

// alteration changes the first line of an export that has a text.
type alteration struct {
	name  string
	found string // the check that fails
	first string
	event func(map[string]any) (copies int)
}

// set gives a field another value.
func set(field string, value any) func(map[string]any) int {
	return func(event map[string]any) int {
		event[field] = value
		return 1
	}
}

// of is the export with the alteration.
func (a *alteration) of(t *testing.T, export string) string {
	t.Helper()
	lines := strings.SplitAfter(export, "\n")
	i := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, a.first) })
	if i < 0 {
		t.Fatalf("%s: the export has no %s", a.name, a.first)
	}
	decoder := json.NewDecoder(strings.NewReader(lines[i]))
	decoder.UseNumber()
	var event map[string]any
	if err := decoder.Decode(&event); err != nil {
		t.Fatal(err)
	}
	copies := a.event(event)
	line, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	lines[i] = strings.Repeat(string(line)+"\n", copies)
	return strings.Join(lines, "")
}

// checkReceipts checks that receipts are proof of the wins they were told with, and of no other.
func checkReceipts(t *testing.T, s *server, c *crowd) {
	t.Helper()
	check := func(receipt string, envelope hongbao.EnvelopeID) result {
		return run(t, "verify", "--receipt="+receipt, "--envelope", fmt.Sprint(uint64(envelope)), "--data", s.Data, "--admin", s.Admin)
	}
	mine, other := c.held[0], c.held[1]
	if r := check(mine.receipt, mine.envelope); r.code != 0 || !strings.Contains(r.stdout, fmt.Sprintf("won by uid %d ", mine.uid)) {
		t.Errorf("a receipt: exit %d: %s%s", r.code, r.stdout, r.stderr)
	}
	if r := check(mine.receipt, other.envelope); r.code != 1 && mine.envelope != other.envelope {
		t.Errorf("the receipt of another win: exit %d: %s%s", r.code, r.stdout, r.stderr)
	}
}
