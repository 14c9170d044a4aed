package main

import "testing"

func TestConnectionsLeaveFilesForTheRest(t *testing.T) {
	for _, row := range []struct {
		files uint64
		live  int
		want  shares
	}{
		{files: 100, want: shares{total: 50, live: 25, requests: 50}},
		{files: 300, want: shares{total: 150, live: 75, requests: 150}},
		{files: 1024, want: shares{total: 512, live: 256, requests: 512}},
		{files: 3072, want: shares{total: 1536, live: 768, requests: 1536}},
		{files: 20_000, want: shares{total: 18_464, live: 9_232, requests: 18_464}},
		{files: 20_000, live: 100, want: shares{total: 18_464, live: 100, requests: 18_464}},
		{files: 20_000, live: 19_000, want: shares{total: 19_100, live: 19_000, requests: 18_464}},
		{files: 70_000, want: shares{total: 68_464, live: 34_232, requests: 65_536}},
		{files: 1 << 20, want: shares{total: 1<<20 - filesKept, live: 65_536, requests: 65_536}},
		{files: 1 << 20, live: 800_000, want: shares{total: 1<<20 - filesKept, live: 800_000, requests: 65_536}},
	} {
		if got := sharesOf(row.files, row.live); got != row.want {
			t.Errorf("of %d files, with %d asked for, the connections are %+v, want %+v", row.files, row.live, got, row.want)
		}
	}
}

func TestALotLeavesConnectionsForTheOthers(t *testing.T) {
	for files, waiters := range map[uint64]int{1 << 20: 52_428, 70_000: 27_384, 20_000: 7_384, 1024: 204} {
		if got := sharesOf(files, 0).waiters(); got != waiters {
			t.Errorf("of %d files %d connections may wait, not %d", files, got, waiters)
		}
	}
}

func TestLiveConnectionsLeaveFilesForTheRest(t *testing.T) {
	for _, row := range []struct {
		files uint64
		live  int
		ok    bool
	}{{20_000, 0, true}, {20_000, 19_132, true}, {20_000, 19_133, false}, {100, 40, true}, {100, 41, false}} {
		if err := checkShares(row.files, row.live); (err == nil) != row.ok {
			t.Errorf("of %d files, %d for events: %v", row.files, row.live, err)
		}
	}
}
