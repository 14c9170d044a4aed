package systemtest

import (
	"slices"
	"testing"
	"time"
)

// answeredFor is what players of a shard may be told by their shard: they were served.
var answeredFor = []string{"snatch won", "snatch missed", "snatch limit_reached", "open opened"}

func served(answers map[string]int) (n int) {
	for _, label := range answeredFor {
		n += answers[label]
	}
	return n
}

// playsOn lets the rush go on and checks that players of these shards are served all the time: in each second.
func (r *rush) playsOn(t *testing.T, d time.Duration, shards ...int) {
	t.Helper()
	const pace = 500 * time.Millisecond
	r.fresh()
	unserved := make([]int, r.fleet.stores.shards) // looks in a row
	for until := time.Now().Add(max(d, pace)); time.Now().Before(until); {
		time.Sleep(pace)
		byShard := r.fresh()
		for shard, answers := range byShard {
			if unserved[shard]++; served(answers) > 0 {
				unserved[shard] = 0
			}
			if slices.Contains(shards, shard) && unserved[shard] == 4 {
				t.Errorf("for %s nobody of shard %d was served; it was told:%s", 4*pace, shard, tell(answers))
			}
		}
	}
}

// isBusy waits until nobody of these shards is served any more, and checks that it stays so for a while.
func (r *rush) isBusy(t *testing.T, d time.Duration, shards ...int) {
	t.Helper()
	const pace = 200 * time.Millisecond
	quiet := func() (noise string) {
		r.fresh()
		time.Sleep(pace)
		byShard := r.fresh()
		for _, shard := range shards {
			if served(byShard[shard]) > 0 || len(byShard[shard]) == 0 {
				noise += tell(byShard[shard])
			}
		}
		return noise
	}
	eventually(t, 10*time.Second, "players of shards that can't decide are told so", func() bool { return quiet() == "" })
	for until := time.Now().Add(d); time.Now().Before(until); {
		if noise := quiet(); noise != "" {
			t.Errorf("players of a shard that can't decide were told:%s", noise)
		}
	}
}

// changes counts what a server of Redis has changed since it started.
func (s *stores) changes(server string) string {
	s.t.Helper()
	return infoField(s.mustRedis(server, "info", "persistence"), "rdb_changes_since_last_save")
}
