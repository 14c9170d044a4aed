package playerapi

import "net/netip"

// FailureLimit slows down who guesses tokens, by where the requests come from. It is asked by many at once.
type FailureLimit interface {
	// Allow reports whether a token from address may be verified. Tokens that are known are not asked about.
	Allow(address netip.Addr) bool
	// Failed takes note of a token from address that was verified and is no good.
	Failed(address netip.Addr)
}

// unlimited is the [FailureLimit] where there is none.
type unlimited struct{}

// Allow allows everything.
func (unlimited) Allow(netip.Addr) bool { return true }

// Failed takes no note.
func (unlimited) Failed(netip.Addr) {}
