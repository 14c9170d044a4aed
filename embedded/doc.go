// Package embedded is the default engine: one process, a journal file that is the truth, and views of it in Pebble
// that reads are answered from.
//
// A transition is decided in memory, joins the open group of the journal, and is told once the group is durable. The
// feeder applies durable blocks to the views in batches; what a player did since is kept beside the player until the
// views have it, so that reads see it at once.
//
// Promises: everything that [hongbao.Engine] says; G1-G3 and G5-G7 by deciding under the player's lock and the
// campaign's; G4 by answering only behind a group commit. It does not replicate: what survives a lost disk is the last
// backup.
//
// Locks, in the order in which they are taken: registry (creating campaigns) → shard of a player → campaign → journal.
// Answers wait for the disk with none held; a campaign's lock is held over the commit of its own revision, so that
// nothing is decided under rules that could be lost.
package embedded
