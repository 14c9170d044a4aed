package main

import (
	"fmt"
	"syscall"

	"hongbao"
)

const (
	connectionsMost = 1 << 16 // of either kind, unless live.connections asks for more
	// filesKept are the descriptors for what is not a player: the views (up to about a thousand files), the journal, the
	// stores of a cluster, administrators.
	filesKept = 1536
	// filesLeast are kept of them where live.connections asks for so many that it must be fewer: whoever sets that knows how
	// many files the views are.
	filesLeast = 768
	// requestsLeast are the connections left for requests then.
	requestsLeast = 100
)

// filesMax is how many files the process may open.
func filesMax() uint64 {
	var files syscall.Rlimit // Go has raised the soft limit to the hard one
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return connectionsMost + filesKept
	}
	return files.Cur
}

// shares are how many connections the player port may have. Whoever opens connections without end must not take the descriptor
// that the journal's next file needs, for the engine stops without it.
type shares struct {
	total    int // of both kinds, at once
	live     int // that are told of events
	requests int // that ask for something else
}

// sharesOf shares the descriptors out; live is what the configuration asks for, 0 if it does not: half then, for a player's page has
// a connection of each kind.
func sharesOf(files uint64, live int) shares {
	total := int(max(files/2, files-min(files, filesKept)))
	requests := min(connectionsMost, total)
	if live == 0 {
		return shares{total: total, live: min(connectionsMost, total/2), requests: requests}
	}
	return shares{total: max(total, live+requestsLeast), live: live, requests: requests}
}

// waiters is how many connections may wait for the lot of a fair start: four fifths of those that there are for requests when all
// others are told of events. The rest is for those who do not wait: without any, the players of other campaigns and whoever
// looks at a wallet would be cut off for as long as a lot takes.
func (s shares) waiters() int { return min(s.requests, s.total-s.live) / 5 * 4 }

// checkShares refuses a live.connections that leaves too few descriptors for all else.
func checkShares(files uint64, live int) error {
	most := max(int64(files)/5*2, int64(files)-filesLeast-requestsLeast)
	if int64(live) <= most {
		return nil
	}
	return hongbao.Invalid("live.connections", live,
		fmt.Sprintf("at most %d: the process may open %d files (ulimit -n), and needs some for all else", most, files))
}

// shares are those of this process.
func (c *Config) shares() shares { return sharesOf(filesMax(), c.Live.Connections) }
