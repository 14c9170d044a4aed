package hongbao

import "testing"

// timed is a campaign of that kind and window; sealed at a time other than 0 it was cancelled then.
func timed(id uint32, kind Kind, name string, opens, closes, sealed Time) *Campaign {
	c := &Campaign{ID: id, Revisions: []Revision{{Number: 1, Rules: Rules{Name: name, Kind: kind, OpensAt: opens, ClosesAt: closes}}}}
	if sealed != 0 {
		c.Seal = &Seal{At: sealed, Cancelled: true}
	}
	return c
}

func TestCampAPIPlaysTheRainOfTheMoment(t *testing.T) {
	early, late := timed(1, Rain, "early", 100, 200, 0), timed(2, Rain, "late", 150, 300, 0)
	cases := []struct {
		name      string
		campaigns []*Campaign
		chosen    string // configured
		now       Time
		want      uint32
	}{
		{"there is none", nil, "", 150, 0},
		{"only one to come", []*Campaign{early}, "", 99, 0},
		{"at opens_at it is open", []*Campaign{early}, "", 100, 1},
		{"a millisecond before closes_at it is open", []*Campaign{early}, "", 199, 1},
		{"at closes_at it has ended, and is the last", []*Campaign{early}, "", 200, 1},
		{"two are open: the one that opened first", []*Campaign{early, late}, "", 160, 1},
		{"two are open: the one that opened first, whatever its id", []*Campaign{timed(1, Rain, "a", 150, 300, 0), timed(2, Rain, "b", 100, 300, 0)}, "", 160, 2},
		{"two opened at once: the lowest id", []*Campaign{timed(1, Rain, "a", 100, 200, 0), timed(2, Rain, "b", 100, 300, 0)}, "", 160, 1},
		{"the first has ended", []*Campaign{early, late}, "", 200, 2},
		{"both have ended: the last to end", []*Campaign{early, late}, "", 300, 2},
		{"both have ended: the last to end, whatever its id", []*Campaign{timed(1, Rain, "a", 100, 300, 0), early}, "", 400, 1},
		{"one has ended and one is to come", []*Campaign{early, timed(2, Rain, "b", 500, 600, 0)}, "", 300, 1},
		{"a bomb is no rain", []*Campaign{timed(1, Bomb, "bomb", 100, 200, 0)}, "", 150, 0},
		{"a bomb beside a rain", []*Campaign{timed(1, Bomb, "bomb", 100, 200, 0), late}, "", 160, 2},
		{"cancelled is ended", []*Campaign{timed(1, Rain, "a", 100, 200, 120), late}, "", 160, 2},
		{"cancelled, and no other", []*Campaign{timed(1, Rain, "a", 100, 200, 120)}, "", 130, 1},
		{"cancelled before it opened, beside one that ended since", []*Campaign{timed(1, Rain, "a", 500, 600, 120), early}, "", 300, 2},
		{"configured by name, to come", []*Campaign{early, late}, "late", 120, 2},
		{"configured by name, ended", []*Campaign{early, late}, "early", 250, 1},
		{"configured by name, a bomb", []*Campaign{early, timed(2, Bomb, "bomb", 100, 200, 0)}, "bomb", 150, 2},
		{"configured by a name that is not there", []*Campaign{early, late}, "other", 160, 0},
	}
	for _, c := range cases {
		if c.campaigns != nil {
			for i := range c.campaigns {
				c.campaigns[i].ID = uint32(i + 1)
			}
		}
		if got := chooseCamp(c.campaigns, c.chosen, c.now).id; got != c.want {
			t.Errorf("%s: it is %d; must be %d", c.name, got, c.want)
		}
	}
}

// TestCampChoiceHoldsUntilAWindowBeginsOrEnds keeps what is remembered from being told too long: within its span the
// choice is the same as one made anew.
func TestCampChoiceHoldsUntilAWindowBeginsOrEnds(t *testing.T) {
	campaigns := []*Campaign{
		timed(1, Rain, "a", 100, 200, 0), timed(2, Rain, "b", 150, 300, 250), timed(3, Rain, "c", 120, 130, 0), timed(4, Bomb, "d", 110, 400, 0),
		timed(5, Rain, "e", 280, 290, 0),
	}
	for made := Time(90); made < 310; made++ {
		chosen := chooseCamp(campaigns, "", made)
		if made < chosen.from || made >= chosen.until {
			t.Fatalf("made at %d, it holds in [%d, %d)", made, chosen.from, chosen.until)
		}
		for now := made; now < min(chosen.until, 320); now++ {
			if again := chooseCamp(campaigns, "", now).id; again != chosen.id {
				t.Fatalf("made at %d it is %d until %d; at %d it is %d", made, chosen.id, chosen.until, now, again)
			}
		}
	}
}
