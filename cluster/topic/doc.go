// Package topic is the cluster engine's journal on Kafka: one topic, one partition for each shard, the events of a shard
// in the order of its sequence.
//
// The relay produces, the ledger writer consumes from offsets that the ledger keeps (there is no consumer group, and
// nothing is committed to Kafka), the audit reads everything.
//
// Promises, for one shard, whoever produces: what [Topic.Produce] has reported as nil is on every in-sync replica, and a
// producer that goes on from its first unacknowledged record, as the relay does, never leaves a gap. So every prefix of a
// partition holds an unbroken run of sequences, in which any may come again later: after an error the relay sends again,
// and two relays may each believe that they are the one. Who reads skips what it has. [Consumer] delivers every offset,
// once and in order, or says which shard and offsets are missing.
//
// It does not look inside events, does not know what a reader has applied, and drops nothing: what is not ours is
// delivered as bad, for the reader to count.
package topic
