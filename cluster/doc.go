// Package cluster is the engine for more than one machine: Redis Cluster decides, Kafka carries, MySQL keeps the books.
// It implements [hongbao.Engine] with what exists; DESIGN.md beside this file says how, and at what price.
//
// Players are spread over logical shards by uid. Whatever one player has lies in one shard, which one Lua script sees and
// changes at a time (scripts/*.lua, a script a transition). Scripts for one Redis server travel in groups with one WAIT
// behind each ([lane]); only what its replicas have confirmed is told. Every change is an event in the shard's outbox, from
// where the worker ([Engine.Work]) moves it to Kafka (cluster/topic) and from there into the ledger (cluster/ledger).
//
// Any number of processes may work on the same stores, and none of them keeps anything. It does not make the stores
// highly available, or set them up: it checks how they are set up, and refuses to start on less than it promises with.
//
// Locks: a campaign's cuts and the maps of the catalog are guarded by one mutex each, and nothing is asked of a store
// while one is held.
package cluster
