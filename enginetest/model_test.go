package enginetest

import (
	"testing"
	"time"
	_ "time/tzdata"

	"hongbao"
)

// openModelHarness is a harness on the model, which keeps everything over restarts and power cuts.
func openModelHarness(t testing.TB, _ hongbao.Time) *Harness {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	secret, calendar := hongbao.Secret{1, 2, 3}, hongbao.NewCalendar(zone)
	m := NewModel(secret, calendar)
	again := func(hongbao.Time) hongbao.Engine { return m }
	return &Harness{Engine: m, Secret: secret, Calendar: calendar, Restart: again}
}

func TestModelPassesTheSuite(t *testing.T) { Run(t, openModelHarness) }
