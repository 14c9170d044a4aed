package hongbao

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// paced is a campaign under linear pace, as it was created.
func paced(count uint64, opens, closes Time) *Campaign {
	rules := Rules{OpensAt: opens, ClosesAt: closes, Pace: PaceLinear, Budget: Budget{Count: count}}
	return &Campaign{ID: CampaignMax, Revisions: []Revision{{Number: 1, At: opens - 1, Rules: rules}}}
}

// exactPace is ⌊rest × min(1, elapsed / (0.95 × window))⌋ in arithmetic that can't overflow.
func exactPace(rest uint64, elapsed, window Time) uint64 {
	if elapsed <= 0 {
		return 0
	}
	product := new(big.Int).Mul(new(big.Int).SetUint64(rest), big.NewInt(int64(elapsed)*100))
	product.Quo(product, big.NewInt(int64(window)*95))
	if !product.IsUint64() {
		return rest
	}
	return min(rest, product.Uint64())
}

func TestPaceIsTheFormulaAtEveryMillisecondOfSmallCampaigns(t *testing.T) {
	for count := uint64(1); count <= 7; count++ {
		for window := Time(1); window <= 60; window++ {
			c := paced(count, 1000, 1000+window)
			for now := Time(995); now <= 1005+window; now++ {
				if got, want := c.Allowed(now), exactPace(count, now-1000, window); got != want {
					t.Fatalf("%d envelopes in %d ms: %d are allowed after %d ms; must be %d", count, window, got, now-1000, want)
				}
			}
		}
	}
}

func TestPaceNeverOverflowsAndNeverFalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.Uint64Range(1, CountMax).Draw(t, "count")
		window := Time(rapid.Int64Range(1, windowMax.Milliseconds()).Draw(t, "window"))
		elapsed := Time(rapid.Int64Range(0, int64(window)).Draw(t, "elapsed"))
		c := paced(count, opensAt, opensAt+window)
		got := c.Allowed(opensAt + elapsed)
		if want := exactPace(count, elapsed, window); got != want {
			t.Fatalf("%d are allowed; must be %d", got, want)
		}
		if later := c.Allowed(opensAt + elapsed + 1); later < got {
			t.Fatalf("%d are allowed, and a millisecond later %d", got, later)
		}
	})
}

func TestPaceAllowsAllFromNineteenTwentiethsOfTheWindow(t *testing.T) {
	c := paced(CountMax, opensAt, opensAt+100*minute)
	if got := c.Allowed(opensAt + 95*minute); got != CountMax {
		t.Errorf("at 95 %% %d are allowed", got)
	}
	if got := c.Allowed(opensAt + 95*minute - 1); got >= CountMax {
		t.Errorf("a millisecond before, %d are", got)
	}
}

func TestWithoutPaceAllAreAllowed(t *testing.T) {
	c := paced(7, opensAt, opensAt+hour)
	c.Revisions[0].Rules.Pace = PaceNone
	if got := c.Allowed(opensAt); got != 7 {
		t.Errorf("%d are allowed", got)
	}
}

func TestRevisionRestartsPaceOnWhatRemains(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.Uint64Range(1, CountMax).Draw(t, "count")
		issued := rapid.Uint64Range(0, count).Draw(t, "issued")
		window := Time(rapid.Int64Range(2, windowMax.Milliseconds()).Draw(t, "window"))
		revised := Time(rapid.Int64Range(1, int64(window)-1).Draw(t, "revised after"))
		elapsed := Time(rapid.Int64Range(-1, int64(window-revised)).Draw(t, "elapsed since"))

		c := paced(count, opensAt, opensAt+window)
		rules := *c.Rules()
		c.Revisions = append(c.Revisions, Revision{Number: 2, At: opensAt + revised, Rules: rules, Issued: issued})
		got := c.Allowed(opensAt + revised + elapsed)
		if want := issued + exactPace(count-issued, elapsed, window-revised); got != want {
			t.Fatalf("%d are allowed; must be %d", got, want)
		}
	})
}

func TestRevisionBeforeOpeningDoesNotStartPace(t *testing.T) {
	c := paced(100, opensAt, opensAt+hour)
	c.Revisions = append(c.Revisions, Revision{Number: 2, At: opensAt - minute, Rules: *c.Rules()})
	if got := c.Allowed(opensAt); got != 0 {
		t.Errorf("at opens_at %d are allowed", got)
	}
}
