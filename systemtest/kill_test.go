package systemtest

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// game is a rush that is killed again and again, and its campaigns, which sell out in the end.
type game struct {
	name      string
	campaigns []string // JSON
	players   uint64
	signsUp   bool
	kills     int
}

func games() []game {
	kills, much := 6, 1
	if long() {
		kills, much = 120, 20
	}
	rain := fmt.Sprintf(`{"name": "rain", "kind": "rain", "opens_at": "+0s", "lasts": "24h", "chance": 0.5, "wins_max": 30,
		"budget": {"total_fen": %d, "count": %d}}`, 300_007*much, 3000*much)
	var bombs []string
	for _, name := range []string{"a", "b", "c", "d"} {
		bombs = append(bombs, fmt.Sprintf(`{"name": "bomb-%s", "kind": "bomb", "opens_at": "+0s", "lasts": "24h",
			"budget": {"total_fen": %d, "count": %d}}`, name, 50_003*much, 500*much))
	}
	return []game{
		{"rain", []string{rain}, uint64(200 * much), false, kills},
		{"bombs with sign-ups", bombs, uint64(1500 * much), true, kills},
	}
}

// Keeps G4 honest: what players were told of is there after every kill, and nothing else.
func TestToldIsKeptOverKills(t *testing.T) {
	t.Parallel()
	for _, g := range games() {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			random := newRandom(t)
			crowd, s := g.play(t, shipped, random)
			crowd.sellOut(s, random)
			crowd.judge(s)
			checkExact(t, s)
			counts := crowd.told.Counts()
			t.Logf("told: %+v", counts)
			if counts.Wins == 0 || counts.Openings == 0 || counts.Replays == 0 || counts.Wallets == 0 || g.signsUp && counts.SignUps == 0 {
				t.Error("that was no rush")
			}
			s.stop()
			succeed(t, "audit", "--data", s.Data)
		})
	}
}

// The proof of the test above: a server that answers before it has written loses wins, and they are found.
func TestKillFindsALostWin(t *testing.T) {
	t.Parallel()
	liar := buildBroken(t,
		edit{"embedded/commit.go", "err := e.journal.Wait(block)", "var err error"},
		edit{"embedded/journal/committer.go", "if _, err := j.file.WriteAt(", "time.Sleep(5 * time.Millisecond)\n\tif _, err := j.file.WriteAt("},
	)
	g := games()[0]
	g.kills = 3
	crowd, s := g.play(t, liar, newRandom(t))
	differences := strings.Join(crowd.differences(s), "\n")
	if !strings.Contains(differences, "G4") {
		t.Errorf("wins were lost, and what is found is only:\n%s", differences)
	}
}

// play rushes servers on one folder, ends each in the middle of it, all but the last with kill -9, and returns one more,
// alive.
func (g *game) play(t *testing.T, program string, random *rand.Rand) (*crowd, *server) {
	t.Helper()
	c := newCrowd(uint32(len(g.campaigns)), g.players)
	c.signsUp = g.signsUp
	data := filepath.Join(t.TempDir(), "data")
	start := func() *server {
		args := serveArgs("--data", data, "--campaigns", "["+strings.Join(g.campaigns, ",")+"]")
		return launch(t, exec.Command(program, args...))
	}
	s := start().ready()
	for i := range g.kills {
		if last := i == g.kills-1; last {
			c.rushAndEnd(s, random, s.terminate, 0)
		} else {
			c.rushAndEnd(s, random, s.kill, -1)
		}
		if random.IntN(3) == 0 {
			killEarly(start(), random)
		}
		s = start().ready()
		c.settle(s)
	}
	return c, s
}

// rushAndEnd ends the server at one of the next answers, in the middle of all others.
func (c *crowd) rushAndEnd(s *server, random *rand.Rand, end func(), code int) {
	s.t.Helper()
	last := 1 + random.Int64N(1500)
	answers := c.rush(s, random, func(answer int64) bool {
		if answer == last {
			end()
		}
		return false
	})
	if answers < last {
		s.t.Fatalf("the server has gone by itself after %d answers: %s", answers, &s.log)
	}
	if got := s.wait(); got != code {
		s.t.Errorf("it ended with %d: %s", got, &s.log)
	}
}

// killEarly kills a server while it starts, or a little later.
func killEarly(s *server, random *rand.Rand) {
	time.Sleep(time.Duration(random.Int64N(int64(100 * time.Millisecond)))) // any moment will do
	s.kill()
	s.wait()
}

// checkExact checks that every campaign has given its whole budget away. Keeps G1 honest.
func checkExact(t *testing.T, s *server) {
	t.Helper()
	report := s.audit()
	for _, c := range report.Campaigns {
		if c.NotTaken.Count != 0 || c.NotTaken.TotalFen != 0 {
			t.Errorf("%s is sold out, and %d envelopes of %d fen are not taken", c.Name, c.NotTaken.Count, c.NotTaken.TotalFen)
		}
	}
}
