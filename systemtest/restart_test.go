package systemtest

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"hongbao"
	"hongbao/bench"
)

// Keeps G3 honest: a day's wins are counted over all bombs, and over every end of the process.
func TestABombPlayersDayIsCountedOverRestarts(t *testing.T) {
	t.Parallel()
	var bombs string
	for _, name := range []string{"a", "b", "c", "d"} {
		bombs += fmt.Sprintf(`{name: bomb-%s, kind: bomb, opens_at: +0s, lasts: 24h, signup: none, budget: {total_fen: 1000, count: 10}}, `, name)
	}
	data := filepath.Join(t.TempDir(), "data")
	start := func() *server {
		return serve(t, "--data", data, "--timezone", zoneAtNoon(time.Now()), "--campaigns", "["+bombs+"]")
	}
	snatch := func(s *server, uid uint64, campaign uint32) bench.Snatched {
		return s.client(1).Snatch(bench.Snatch{UID: uid, Campaign: campaign, Key: "tap"})
	}

	s := start()
	for bomb := range uint32(3) {
		if answer := snatch(s, 7, bomb+1); !answer.Won() {
			t.Fatalf("bomb %d: %+v", bomb+1, answer)
		}
		if bomb == 1 {
			s.stop()
		} else {
			s.kill()
			s.wait()
		}
		s = start()
	}
	if answer := snatch(s, 7, 4); answer.Status != hongbao.DailyLimitReached {
		t.Errorf("the fourth bomb of the day: %+v", answer)
	}
	if answer := snatch(s, 7, 1); !answer.Won() {
		t.Errorf("the first bomb with the key that won it: %+v", answer)
	}
	if answer := snatch(s, 8, 4); !answer.Won() {
		t.Errorf("another player: %+v", answer)
	}
	s.audit()
}

// zoneAtNoon is a zone in which the day does not end soon.
func zoneAtNoon(now time.Time) string {
	east := 12 - now.UTC().Hour()
	if east == 0 {
		return "Etc/GMT"
	}
	return fmt.Sprintf("Etc/GMT%+d", -east) // the sign is POSIX's: west of Greenwich counts up
}
