package bench

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"hongbao"
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

// A crowd that plays a campaign again holds what it won before; that is no difference.
func TestTheSamePlayersMayPlayACampaignAgain(t *testing.T) {
	for _, api := range []string{V1, Camp} {
		t.Run(api, func(t *testing.T) {
			t.Parallel()
			server := startServer(t)
			o := server.options()
			spec := hongbao.Spec{Name: "twice", Kind: hongbao.Rain, OpensAt: hongbao.InFuture(0), Lasts: hongbao.Duration(time.Hour)}
			spec.Budget = hongbao.BudgetSpec{TotalFen: 100_000, Count: 1000}
			campaign, err := server.service.Create(t.Context(), spec, "test")
			if err != nil {
				t.Fatal(err)
			}
			o.API, o.Campaign, o.Players = api, strconv.Itoa(int(campaign.ID)), 50
			for range 2 { // with the same random choices
				report, err := Run(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				if !report.OK() || countOf(report, "limit_reached") == 0 {
					t.Error(report.Differences, report.Problems, report.Statuses)
				}
			}
			if campaign, err = server.service.Campaign(campaign.ID); err != nil || campaign.Seal != nil {
				t.Error("a campaign that is not the run's own must go on:", campaign.Seal, err)
			}
		})
	}
}

func TestAnInterruptedRunStillVerifiesAndEndsItsCampaign(t *testing.T) {
	server := startServer(t)
	o := server.options()
	o.Duration = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress, o.Connections = nil, 4
	time.AfterFunc(1500*time.Millisecond, cancel)
	report, err := Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if !report.OK() || !report.Stopped || report.Compared.JournalEntries == 0 || report.Audit == nil {
		t.Errorf("%+v", report)
	}
	if campaign, err := server.service.Campaign(1); err != nil || !campaign.Cancelled() {
		t.Error("its campaign must be cancelled", err)
	}
}

func TestWithoutATokenTheCurrentCampaignIsPlayed(t *testing.T) {
	server := startServer(t)
	o := server.options()
	o.AdminToken = ""
	if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "no rain to play") {
		t.Error("with no campaign the error is", err)
	}
	spec := hongbao.Spec{Name: "current", Kind: hongbao.Rain, OpensAt: hongbao.InFuture(0), Lasts: hongbao.Duration(time.Second)}
	spec.Budget = hongbao.BudgetSpec{TotalFen: 10_000, Count: 100}
	if _, err := server.service.Create(t.Context(), spec, "test"); err != nil {
		t.Fatal(err)
	}
	report, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if !report.OK() || report.Compared.Wallets == 0 || report.Audit != nil {
		t.Errorf("%+v", report)
	}
}

func TestAServerThatIsNotThereIsAnError(t *testing.T) {
	listener := listen(t)
	listener.Close()
	o := Options{PlayerURL: "http://" + listener.Addr().String()}
	if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), listener.Addr().String()) {
		t.Error(err)
	}
}
