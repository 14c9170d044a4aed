package bench

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hongbao/audit"
)

// reports are those that a page must be able to show.
func reports() map[string]*Report {
	timeline := newTimeline(time.Unix(1_800_000_000, 0), 3*time.Second)
	for i := range 300 {
		due := timeline.start.Add(time.Duration(i) * 10 * time.Millisecond)
		timeline.answered(OpSnatch, Result{Outcome: Answered, Label: "won"}, due, due.Add(time.Duration(i)*time.Millisecond))
	}
	full := &Report{
		Setup: []Fact{{"campaign", `<script>alert("1")</script> & 'co'`}}, TookSeconds: 3, Stopped: true,
		Told: Counts{Wins: 300}, Compared: Compared{Wallets: 3, Campaigns: []string{"campaign 1 (<em>): 1 of 1"}},
		Amounts:     Amounts{Known: 3, TotalFen: 600, MinFen: 1, MaxFen: 400, Bars: []AmountsCount{{1, 200, 2}, {201, 400, 1}}},
		Audit:       &audit.Report{Checks: []audit.Check{{Name: "G1", Detail: "<i>over</i>"}, {Name: "G2", OK: true}}},
		Differences: []Difference{{"G4", "player 1", "</td></table><script>"}}, DifferencesTotal: 200, Problems: []string{"<img src=x>"},
	}
	timeline.fill(full)
	return map[string]*Report{"one with everything": full, "an empty one": {Pass: true}}
}

func TestPageIsWellFormedAndNeedsNothingElse(t *testing.T) {
	for name, report := range reports() {
		var page strings.Builder
		if err := report.WriteHTML(&page); err != nil {
			t.Fatal(err)
		}
		checkWellFormed(t, name, page.String())
		for _, foreign := range []string{"<script", "<img", "<em>", "<i>over", "href=", "url(", "@import", "NaN", "Inf", "ZgotmplZ"} {
			if strings.Contains(page.String(), foreign) {
				t.Errorf("the page of %s has %s", name, foreign)
			}
		}
	}
}

// checkWellFormed reads a page as XML, but for the doctype, tags that HTML never closes, and the style sheet.
func checkWellFormed(t *testing.T, name, page string) {
	t.Helper()
	page = regexp.MustCompile(`(?s)<style>.*?</style>`).ReplaceAllString(page, "")
	page = regexp.MustCompile(`<meta ([^>]*)>`).ReplaceAllString(page, "<meta $1/>")
	decoder := xml.NewDecoder(strings.NewReader(strings.TrimPrefix(page, "<!doctype html>")))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("the page of %s: %v", name, err)
		}
	}
}

func TestReportIsWrittenAsJSONAndText(t *testing.T) {
	for name, report := range reports() {
		if _, err := json.Marshal(report); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var text strings.Builder
		if err := report.WriteSummary(&text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if verdict := "\nOK:"; strings.Contains(text.String(), verdict) != report.OK() {
			t.Errorf("%s: the summary says\n%s", name, &text)
		}
	}
}

func TestReportIsWrittenToTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.html")
	if err := (&Report{}).writeFile(path); err != nil {
		t.Fatal(err)
	}
	if page, err := os.ReadFile(path); err != nil || !strings.Contains(string(page), "hongbao bench") {
		t.Error(err)
	}
	if err := (&Report{}).writeFile(filepath.Join(path, "below-a-file")); err == nil {
		t.Error("a report that can't be written must be an error")
	}
}

func TestTicksAreRoundAndReachTheEnds(t *testing.T) {
	for _, high := range []float64{0.01, 1, 3, 7.5, 10, 99, 12345, 1e9} {
		values := roundTicks(0, high, 5)
		if len(values) < 2 || len(values) > 8 || values[0] != 0 || values[len(values)-1] < high*(1-1e-6) {
			t.Errorf("ticks from 0 to %g are %v", high, values)
		}
		logarithmic := decades(high/50, high)
		if logarithmic[0] > high/50 || logarithmic[len(logarithmic)-1] < high {
			t.Errorf("decades around %g are %v", high, logarithmic)
		}
	}
}

func TestPlotsHaveFewEnoughPoints(t *testing.T) {
	for _, d := range []time.Duration{time.Millisecond, time.Second, 10 * time.Second, time.Minute, time.Hour, 24 * time.Hour} {
		if every := intervalFor(d); float64(d)/float64(every) > intervalsMax+1 || every < 100*time.Millisecond {
			t.Errorf("%s in intervals of %s", d, every)
		}
	}
}

func TestFiguresAreReadable(t *testing.T) {
	for _, row := range []struct{ got, want string }{
		{thousands(0), "0"}, {thousands(999), "999"}, {thousands(1234567), "1,234,567"}, {thousands(-1234), "-1,234"}, {thousands(uint64(math.MaxUint64)), "18,446,744,073,709,551,615"},
		{ms(0.85), "850µs"}, {ms(1.254), "1.25ms"}, {ms(12.54), "12.5ms"}, {ms(1234), "1.23s"},
		{yuan(5), "0.05"}, {yuan(123456), "1,234.56"}, {compact(0.5), "0.5"}, {compact(12345), "12.3k"}, {compact(2e6), "2M"},
	} {
		if row.got != row.want {
			t.Errorf("%s, not %s", row.got, row.want)
		}
	}
}

func TestProgressIsPlainLinesWhereThereIsNoTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		p := progress{out: &out, every: printEvery, end: "\n"}
		timeline := newTimeline(time.Now(), time.Minute)
		for range 500 {
			timeline.answered(OpSnatch, Result{Outcome: Answered, Label: "won"}, time.Now(), time.Now().Add(time.Millisecond))
		}
		timeline.notSent(time.Now())
		stopped := make(chan struct{})
		time.AfterFunc(12*time.Second, func() { close(stopped) })
		p.write(timeline, stopped)
		const want = "   5s  100/s  500 won  p99 1ms  0 errors  1 not sent\n" +
			"  10s  0/s  500 won  p99 0s  0 errors  1 not sent\n"
		if out.String() != want {
			t.Errorf("the lines are\n%s", &out)
		}
		if isTerminal(&out) {
			t.Error("a buffer is no terminal")
		}
	})
}
