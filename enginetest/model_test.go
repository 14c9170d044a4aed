package enginetest

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata"

	"hongbao"
)

// openModelHarness is a harness on the model, which keeps everything over restarts.
func openModelHarness(t testing.TB, _ hongbao.Time) *Harness {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	secret, calendar := hongbao.Secret{1, 2, 3}, hongbao.NewCalendar(zone)
	h := &Harness{Engine: NewModel(secret, calendar), Secret: secret, Calendar: calendar}
	h.Restart = func(hongbao.Time) hongbao.Engine { return h.Engine }
	return h
}

func TestModelPassesTheSuite(t *testing.T) { Run(t, openModelHarness) }

// TestShardedModelPassesTheSuite runs it as a cluster does: numbers are leased one at a time, and ahead.
func TestShardedModelPassesTheSuite(t *testing.T) {
	t.Run("Leased", func(t *testing.T) { Run(t, openShards(1)) })
	t.Run("Ahead", func(t *testing.T) { Run(t, openShards(leaseSize)) })
}

// modelOf is the model that a harness is on, with shards before it or not.
func modelOf(h *Harness) *Model {
	if s, ok := h.Engine.(*shards); ok {
		return s.Model
	}
	return h.Engine.(*Model)
}

// TestHistoriesComeUponEverything keeps the random histories from becoming too tame: a few of them are told every
// status and journal every kind of event.
func TestHistoriesComeUponEverything(t *testing.T) {
	told, journaled := &counts{}, map[hongbao.EventKind]int{}
	for seed := range uint64(12) {
		s := newScene(t, openModelHarness)
		model := s.Engine.(*Model)
		told.Engine, s.Engine = s.Engine, told
		h := newHistory(s, rand.New(rand.NewPCG(seed, 0)))
		for range historySteps {
			h.step()
		}
		for _, e := range model.journal {
			journaled[e.Kind]++
		}
	}
	for status, n := range told.statuses {
		if n < 10 {
			t.Errorf("%s is told %d times", hongbao.Status(status), n)
		}
	}
	for kind := hongbao.EnvelopeWon; kind <= hongbao.SystemRecorded; kind++ {
		if journaled[kind] < 10 {
			t.Errorf("%s is journaled %d times", kind, journaled[kind])
		}
	}
}

// counts counts what is told.
type counts struct {
	hongbao.Engine
	statuses [hongbao.Statuses]int
}

func (c *counts) Snatch(ctx context.Context, r hongbao.SnatchRequest) (hongbao.SnatchResult, error) {
	result, err := c.Engine.Snatch(ctx, r)
	c.statuses[result.Status]++
	return result, err
}
