// Package gate decides whether a request reaches the engine at all: who gets in, fairly, and what happens when too many
// come. It stands between the player port and [hongbao.Service], and keeps nothing that money or rights rest on.
//
// It promises that what it refuses has changed nothing, that its memory is bounded whoever comes, and that a flood resets
// nobody's bucket. A snatch goes through it in this order; each stage is cheaper than those behind it, and its file has its
// name:
//
//	Foretell              not open, over, sold out: answered out of memory
//	Arrive                the bucket of the address             bucket.go, rate.go
//	Allow, Failed         tokens that did not verify, by address
//	Admit                 the denylist, the player's bucket     denylist.go
//	Snatch                read-only                             settings.go
//	                      the campaign's ticket                 ticket.go, work.go
//	                      its fair start                        lot.go
//	                      the bucket of all
//	                      the risk hook                         risk.go, riskhook.go, verdict.go
//	                      the limit in flight                   inflight.go, queue.go, sampler.go
//	                      the breaker                           breaker.go
//
// Openings, sign-ups and wallets go through those of the stages that are not about snatches alone. Rates are per process.
//
// What an administrator turns is journaled as a system event, so that it is kept over restarts and reaches the other nodes.
//
// Locks: none is held while another is taken, but for changing (the settings), under which the engine is called.
package gate
