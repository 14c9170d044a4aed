package cluster

import (
	"strconv"
	"sync/atomic"
)

// shard is one logical shard: the names of its keys, which share a hash tag and so lie on one server, and what this
// process knows of it.
type shard struct {
	index int
	text  string // index
	tag   string // begins every key
	// Keys of the shard itself.
	record string
	outbox string
	tick   string

	epoch  atomic.Pointer[string]
	fenced atomic.Bool // as it answered last

	// As they were seen last.
	answers atomic.Bool   // its server and replicas, when it was asked for its sequence
	seq     atomic.Uint64 // of the last event
	bytes   atomic.Int64  // in the outbox
	acked   atomic.Uint64 // sequence that Kafka has acknowledged
	trimmed atomic.Uint64 // sequence that the outbox was trimmed to
}

func newShard(prefix string, index int) *shard {
	text := strconv.Itoa(index)
	tag := "{" + prefix + ":" + text + "}"
	s := &shard{index: index, text: text, tag: tag, record: tag + "shard", outbox: tag + "outbox", tick: tag + "tick"}
	s.epoch.Store(new(string))
	return s
}

func (s *shard) player(uid string) string     { return s.tag + "p:" + uid }
func (s *shard) campaign(id string) string    { return s.tag + "c:" + id }
func (s *shard) supply(id string) string      { return s.tag + "s:" + id }
func (s *shard) returning(id string) string   { return s.tag + "g:" + id }
func (s *shard) bank(id string) string        { return s.tag + "b:" + id }
func (s *shard) free(id string) string        { return s.tag + "f:" + id }
func (s *shard) leases(id string) string      { return s.tag + "l:" + id }
func (s *shard) registry(which string) string { return s.tag + which }
func (s *shard) names() string                { return s.registry("names") }
func (s *shard) campaigns() string            { return s.registry("campaigns") }
func (s *shard) changes() string              { return s.registry("changes") }
func (s *shard) stopping() string             { return s.registry("stopping") }
func (s *shard) recorded() string             { return s.registry("recorded") }

// shardOf spreads players over shards (the finalizer of MurmurHash3). It never changes: what a player has lies there.
func shardOf(uid uint64, shards int) int {
	uid ^= uid >> 33
	uid *= 0xff51afd7ed558ccd
	uid ^= uid >> 33
	uid *= 0xc4ceb9fe1a85ec53
	uid ^= uid >> 33
	return int(uid % uint64(shards))
}
