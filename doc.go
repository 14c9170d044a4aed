// Package hongbao is the domain of a red-packet campaign server: campaigns and their budgets, how a budget is cut into
// envelopes, who wins one, when it expires, and the events that record all of it. It is pure: it imports only the
// standard library, and time, randomness and storage come in as arguments.
//
// Rules are pure functions here ([Decide], [Segment.Cut], [Campaign.Change]); an [Engine] calls them inside its own
// critical section and remembers the outcome as [Event] values in a journal; [Service] validates what comes in, reads
// the clock and calls the engine. Data flows one way: player API → [Service] → [Engine] → journal.
//
// The guarantees, by the labels that code, tests and the audit use:
//
//	G1 No overspend   what is held never exceeds the budget in force; the last envelope makes it exact
//	G2 One holder     an envelope is held by at most one player, ever
//	G3 Limits hold    wins per campaign and per day never exceed the limits in force
//	G4 Told is kept   what a player was told survives kill -9 and a power cut
//	G5 Credited once  an envelope is opened or refunded, once, never both
//	G6 Books balance  budget = not taken + held + opened + refunded; balance = sum of opened
//	G7 Same key       a retried request gets the same answer and never wins twice
//	G8 Verifiable     amounts and draws are recomputable from the seed and the published rules
//
// It does not pay out: it records what is owed.
package hongbao
