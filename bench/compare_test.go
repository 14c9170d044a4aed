package bench

import (
	"strings"
	"testing"

	"hongbao"
)

// chronicle is a small journal of campaign 7: two players, three wins, one opening, one refund; 30 fen in 3 envelopes.
func chronicle() []JournalEntry {
	rules := hongbao.Rules{Name: "small", Budget: hongbao.Budget{TotalFen: 30, Count: 3, MinFen: 5, MaxFen: 20}}
	segment := hongbao.Segment{Revision: 1, Count: 3, TotalFen: 30, MinFen: 5, MaxFen: 20}
	return []JournalEntry{
		{Kind: "created", At: 100, Campaign: 7, Revision: 1, Rules: &rules, Segment: &segment},
		{Kind: "won", At: 101, Campaign: 7, Envelope: id(0), UID: 1, AmountFen: 5, Wins: 1, Key: "a"},
		{Kind: "won", At: 102, Campaign: 7, Envelope: id(1), UID: 2, AmountFen: 10, Wins: 1, Key: "b"},
		{Kind: "won", At: 103, Campaign: 7, Envelope: id(2), UID: 1, AmountFen: 15, Wins: 2, Key: "c"},
		{Kind: "opened", At: 104, Campaign: 7, Envelope: id(0), UID: 1, AmountFen: 5},
		{Kind: "sealed", At: 105, Campaign: 7},
		{Kind: "refunded", At: 106, Campaign: 7, Envelope: id(1), UID: 2, AmountFen: 10},
	}
}

// toldOf is what the players of the chronicle were told.
func toldOf() story {
	s := story{NewTold(0)}
	s.win(1, "a", 0, 1)
	s.win(2, "b", 1, 1)
	s.win(1, "c", 2, 2)
	s.open(1, 0, 5, 5, true)
	s.refuse(3, "", hongbao.SoldOut, 0)
	return s
}

// check holds a journal against what was told.
func check(t *testing.T, s story, entries []JournalEntry) []Difference {
	t.Helper()
	j := newJournalCheck(s.told, 7)
	for i := range entries {
		if err := j.entry(&entries[i]); err != nil {
			t.Fatal(err)
		}
	}
	j.end()
	listed, _ := s.told.Differences()
	return listed
}

func TestAnHonestJournalIsNoDifference(t *testing.T) {
	if found := check(t, toldOf(), chronicle()); len(found) > 0 {
		t.Error(found)
	}
}

func TestEachLieOfTheJournalIsADifference(t *testing.T) {
	type entries = []JournalEntry
	for _, row := range []struct {
		lie  string
		bend func(s story, j entries) entries
		want string
	}{
		{"a win left out", func(_ story, j entries) entries { return append(j[:3:3], j[4:]...) }, "G4 player 1, envelope 30064771074: won, and not in the journal"},
		{"an opening left out", func(_ story, j entries) entries { return append(j[:4:4], j[5:]...) }, "G4 player 1, envelope 30064771072: told opened"},
		{"another holder", func(_ story, j entries) entries { j[3].UID = 2; return j }, "G2 player 2, envelope 30064771074"},
		{"another amount", func(_ story, j entries) entries { j[1].AmountFen, j[4].AmountFen = 6, 6; return j }, "G5 player 1, envelope 30064771072"},
		{"another number of the win", func(_ story, j entries) entries { j[3].Wins = 1; return j }, "G3 player 1"},
		{"another key", func(_ story, j entries) entries { j[3].Key = "d"; return j }, "G7 player 1"},
		{"a win twice", func(_ story, j entries) entries { return append(j, j[3]) }, "G2 player 1"},
		{"an opening twice", func(_ story, j entries) entries { return append(j, j[4]) }, "G5 player 1"},
		{"opened and refunded", func(_ story, j entries) entries { j[6].Envelope, j[6].UID, j[6].AmountFen = id(0), 1, 5; return j }, "G5 player 1"},
		{"opened for another player", func(_ story, j entries) entries { j[4].UID = 2; return j }, "G5 player 2"},
		{"opened with another amount", func(_ story, j entries) entries { j[4].AmountFen = 7; return j }, "G5 player 1"},
		{"opened although nobody asked", func(_ story, j entries) entries { j[6].Kind = "opened"; return j }, "G5 player 2"},
		{"opened and never won", func(_ story, j entries) entries { j[4].Envelope = id(9); return j }, "G5 player 1, envelope 30064771081"},
		{"a win that nobody was told of", func(_ story, j entries) entries {
			return append(j, JournalEntry{Kind: "won", At: 107, Campaign: 7, Envelope: id(3), UID: 3, AmountFen: 5})
		}, "G1 player 3"},
		{"a win that the player was never told of", func(s story, j entries) entries {
			j[0].Segment.Count, j[0].Rules.Budget.Count, j[0].Rules.Budget.TotalFen = 4, 4, 35
			return append(j, JournalEntry{Kind: "won", At: 107, Campaign: 7, Envelope: id(3), UID: 3, AmountFen: 5})
		}, "G4 player 3"},
		{"an amount out of bounds", func(_ story, j entries) entries { j[0].Segment.MaxFen = 12; return j }, "G1 player 1, envelope 30064771074: 15 fen"},
		{"more than the budget", func(_ story, j entries) entries { j[0].Rules.Budget.TotalFen = 29; return j }, "G1 player 1, envelope 30064771074: with it 3 envelopes of 30 fen"},
		{"sold out below the budget", func(_ story, j entries) entries { j[0].Rules.Budget.TotalFen = 31; return j }, "G1 campaign 7: all 3"},
		{"sold out told too soon", func(_ story, j entries) entries {
			j[0].Segment.Count, j[0].Rules.Budget.Count = 9, 9
			return j
		}, "API campaign 7: sold_out"},
	} {
		t.Run(row.lie, func(t *testing.T) {
			s := toldOf()
			found := check(t, s, row.bend(s, chronicle()))
			if len(found) == 0 || !strings.HasPrefix(found[0].String(), row.want) {
				t.Errorf("the differences are %v, and must begin with %s", found, row.want)
			}
		})
	}
}

func TestAWinWhoseAnswerWasLostIsNoDifference(t *testing.T) {
	for _, row := range []struct {
		name string
		key  string
	}{{"with a key of the player's", "d"}, {"with a key of the server's", ""}} {
		t.Run(row.name, func(t *testing.T) {
			s := toldOf()
			s.told.campaigns[7].soldOutAt = 0
			s.lose(3, row.key)
			j := chronicle()
			j[0].Segment.Count, j[0].Rules.Budget.Count, j[0].Rules.Budget.TotalFen = 9, 9, 90
			won := JournalEntry{Kind: "won", At: 107, Campaign: 7, Envelope: id(3), UID: 3, AmountFen: 5}
			j = append(j, won)
			if found := check(t, s, j); len(found) > 0 {
				t.Error(found)
			}
			won.Envelope = id(4)
			if found := check(t, s, append(j, won)); len(found) != 1 || found[0].Guarantee != "G4" {
				t.Error("two wins for one lost answer:", found)
			}
		})
	}
}

func TestUntoldEnvelopeInTheWalletIsADifference(t *testing.T) {
	for _, row := range []struct {
		name string
		tell func(s story)
		at   hongbao.Time
		want int
	}{
		{"won in the run, and never told", func(story) {}, 1000, 1},
		{"won before the run", func(story) {}, 999, 0},
		{"won by a request whose answer was lost", func(s story) { s.lose(1, "") }, 1000, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := story{NewTold(1000)}
			s.refuse(1, "", hongbao.Missed, 0)
			row.tell(s)
			s.told.compareWallet(1, &Wallet{Envelopes: []Envelope{{ID: id(5), SnatchedAt: row.at}}})
			if listed, _ := s.told.Differences(); len(listed) != row.want {
				t.Error(listed)
			}
		})
	}
}

func TestPublishedRulesAreHeldAgainstWhatWasTold(t *testing.T) {
	campaign := func(left int) *Campaign {
		segment := hongbao.Segment{Count: 3, TotalFen: 30, MinFen: 5, MaxFen: 20}
		rules := hongbao.Rules{Budget: hongbao.Budget{TotalFen: 30, Count: 3}}
		return &Campaign{ID: 7, Left: left, Revisions: []Revision{{Number: 1, Rules: rules, Segment: &segment}}}
	}
	for _, row := range []struct {
		name string
		tell func(s story)
		left int
		want string // beginning of the difference; empty: none
	}{
		{"all is well", func(s story) { s.win(1, "a", 0, 1); s.open(1, 0, 10, 10, true) }, 67, ""},
		{"an amount above the largest", func(s story) { s.win(1, "a", 0, 1); s.open(1, 0, 21, 21, true) }, 67, "G1 player 1"},
		{"an envelope beyond the budget", func(s story) { s.win(1, "a", 3, 1) }, 67, "G1 player 1"},
		{"more told than there is", func(s story) {
			s.win(1, "a", 0, 1)
			s.win(1, "b", 1, 2)
			s.open(1, 0, 20, 20, true)
			s.open(1, 1, 20, 40, true)
		}, 33, "G1 campaign 7"},
		{"sold out, with some left", func(s story) { s.refuse(1, "", hongbao.SoldOut, 0) }, 1, "API campaign 7"},
		{"a win after sold out", func(s story) { s.refuse(1, "", hongbao.SoldOut, 0); s.win(1, "a", 0, 1) }, 0, "API campaign 7"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := story{NewTold(0)}
			row.tell(s)
			s.told.judgeCampaign(campaign(row.left))
			listed, total := s.told.Differences()
			if (row.want == "") != (total == 0) || total > 0 && !strings.HasPrefix(listed[0].String(), row.want) {
				t.Errorf("the differences are %v, and must begin with %q", listed, row.want)
			}
		})
	}
}
