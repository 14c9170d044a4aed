package main

import "syscall"

const (
	connectionsMost = 1 << 16
	// filesKept are the descriptors for what is not a player: the views (up to about a thousand files), the journal, the
	// stores of a cluster, administrators.
	filesKept = 1536
)

// connectionsMax is how many connections the player port may have, by how many files the process may open: whoever opens
// connections without end must not take the descriptor that the journal's next file needs, for the engine stops without it.
func connectionsMax() int {
	var files syscall.Rlimit // Go has raised the soft limit to the hard one
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return connectionsMost
	}
	return connectionsWithin(files.Cur)
}

// waitersWithin is how many of so many connections may wait for the lot of a fair start. The others are for those who do not:
// without any, the players of other campaigns and whoever looks at a wallet would be cut off for as long as a lot takes.
func waitersWithin(connections int) int { return connections / 5 * 4 }

func connectionsWithin(files uint64) int {
	return int(min(connectionsMost, max(files/2, files-min(files, filesKept))))
}
