package main

import "testing"

func TestConnectionsLeaveFilesForTheRest(t *testing.T) {
	for files, want := range map[uint64]int{
		100: 50, 1024: 512, 3072: 1536, 4096: 2560, 20_000: 18_464, 70_000: 65_536, 1 << 40: 65_536,
	} {
		if got := connectionsWithin(files); got != want {
			t.Errorf("with %d files there are %d connections, want %d", files, got, want)
		}
	}
}

func TestALotLeavesConnectionsForTheOthers(t *testing.T) {
	for connections, waiters := range map[int]int{connectionsMost: 52_428, 18_464: 14_768, 512: 408} {
		if got := waitersWithin(connections); got != waiters {
			t.Errorf("of %d connections %d may wait, not %d", connections, got, waiters)
		}
	}
}
