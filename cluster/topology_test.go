package cluster

import "testing"

func TestSlotsAreRedis(t *testing.T) {
	// From the Redis Cluster specification: CRC16("123456789") is 0x31C3.
	for tag, want := range map[string]uint16{"{123456789}": 0x31C3 % 16384, "{foo}": 12182, "{user1000}": 3443} {
		if got := slotOf(tag); got != want {
			t.Errorf("%s is in slot %d; must be %d", tag, got, want)
		}
	}
}

// TestShardOfNeverChanges pins where players lie, and that they are spread evenly whatever steps uids come in.
func TestShardOfNeverChanges(t *testing.T) {
	for uid, want := range map[uint64]int{0: 0, 1: 44, 7: 29, 1<<53 - 1: 37} {
		if got := shardOf(uid, 64); got != want {
			t.Errorf("player %d is in shard %d; must be %d", uid, got, want)
		}
	}
	for _, step := range []uint64{1, 2, 64, 1000, 1 << 32} {
		var counts [64]int
		for i := range uint64(64_000) {
			counts[shardOf(i*step, 64)]++
		}
		for shard, n := range counts {
			if n < 800 || n > 1200 {
				t.Errorf("in steps of %d, shard %d has %d players of 64,000", step, shard, n)
			}
		}
	}
}
