// Package live tells players what becomes of campaigns, in time: events, by Server-Sent Events.
//
// An [Announcer] runs where the background work is done. It decides which events are due and journals each one, once, with an
// id that counts 1, 2, 3 …; whatever crashes after that, the event has been told. The latest 256 are kept by the engine under 256
// names, the ring: that is what Last-Event-ID is answered from, and there is no memory of ours to lose. The latest also has
// what has been told of every campaign, which is all that another announcer goes on from.
//
// A [Hub] runs in every process that serves players. It follows the ring and writes each event to every connection. Delivery
// is at least once: whoever reconnects may see an event again, and drops the ids that it knows. No event is skipped and none
// comes before an earlier one; progress is neither journaled nor replayed.
//
// A connection costs no goroutine. Connections are shared out to a few shards, each with a goroutine that writes to all of its
// own and never waits for one: a reader that is so slow that an event does not fit into its send buffer is cut off, and catches
// up when it reconnects. What a connection is told first may wait: its own goroutine, that of the request, writes it and ends.
//
// It does not know HTTP: playerapi reads the request and hands the connection over.
//
// Locks: a shard's, then the ring's.
package live
