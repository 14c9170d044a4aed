package bench

import (
	"strings"
	"testing"
)

func TestHonestServerPasses(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*Options)
		seen   []string // statuses that must have been told
	}{
		{"rain on v1", func(*Options) {}, []string{"won", "missed", "sold_out", "opened", "wallet"}},
		{"rain on the camp API", func(o *Options) { o.API = Camp }, []string{"won", "missed", "sold_out", "opened", "wallet"}},
		{"rain, closed model", func(o *Options) { o.Rate, o.Closed = 0, 8 }, []string{"won", "opened"}},
		{"rain, Poisson", func(o *Options) { o.Poisson = true }, []string{"won", "opened"}},
		{"rain on tiny wins", func(o *Options) { o.Players = 3 }, []string{"won", "sold_out"}},
		{"bomb, all at once", func(o *Options) { o.Scenario, o.Rate, o.Players = ScenarioBomb, 0, 500 }, []string{"won", "sold_out", "opened"}},
		{"bomb at a rate", func(o *Options) { o.Scenario = ScenarioBomb }, []string{"won", "limit_reached", "opened"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o := startServer(t).options()
			row.change(&o)
			report, err := Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			if err := report.WriteSummary(&text); err != nil {
				t.Fatal(err)
			}
			if !report.OK() {
				t.Error("not OK")
			}
			for _, status := range row.seen {
				if countOf(report, status) == 0 {
					t.Errorf("no answer was %s", status)
				}
			}
			t.Log("\n" + text.String())
		})
	}
}

func countOf(r *Report, status string) uint64 {
	for _, s := range r.Statuses {
		if s.Status == status {
			return s.Count
		}
	}
	return 0
}
