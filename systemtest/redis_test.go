package systemtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// redisNames are the servers of the cluster.
var redisNames = []string{"redis-1", "redis-2", "redis-3", "redis-4", "redis-5", "redis-6"}

// coverPart has masters answer while another one is away: without it a master's loss is the loss of all.
func (s *stores) coverPart() {
	s.t.Helper()
	for _, name := range redisNames {
		file, err := os.OpenFile(filepath.Join(s.dir, name, "redis.conf"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			s.t.Fatal(err)
		}
		_, err = file.WriteString("cluster-require-full-coverage no\n")
		if err := errors.Join(err, file.Close()); err != nil {
			s.t.Fatal(err)
		}
		s.mustRedis(name, "config", "set", "cluster-require-full-coverage", "no")
	}
}

// redis asks a server.
func (s *stores) redis(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	args = append([]string{"-e", "-h", "127.0.0.1", "-p", fmt.Sprint(s.number(name, "port"))}, args...)
	out, err := exec.CommandContext(ctx, "redis-cli", args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// mustRedis asks a server that must answer.
func (s *stores) mustRedis(name string, args ...string) string {
	s.t.Helper()
	out, err := s.redis(name, args...)
	if err != nil {
		s.t.Fatalf("%s: %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// redisNode is a server as the others see it.
type redisNode struct {
	name   string
	id     string
	master string // id of the master of a replica
	failed bool
	slots  [][2]int
}

// redisNodes asks the first server that answers.
func (s *stores) redisNodes() (nodes []redisNode) {
	s.t.Helper()
	for _, name := range redisNames {
		if out, err := s.redis(name, "cluster", "nodes"); err == nil {
			for line := range strings.Lines(out) {
				nodes = append(nodes, s.parseRedisNode(strings.Fields(line)))
			}
			return nodes
		}
	}
	s.t.Fatal("no server of Redis answers")
	return nil
}

// parseRedisNode reads: id ip:port@bus flags master ping pong epoch state slots.
func (s *stores) parseRedisNode(f []string) (n redisNode) {
	_, bus, _ := strings.Cut(f[1], "@")
	bus, _, _ = strings.Cut(bus, ",")
	for _, name := range redisNames {
		if fmt.Sprint(s.number(name, "port")+10000) == bus {
			n.name = name
		}
	}
	n.id, n.failed = f[0], strings.Contains(f[2], "fail")
	if n.master = f[3]; n.master == "-" {
		n.master = ""
	}
	for _, text := range f[8:] {
		from, to, ranges := strings.Cut(text, "-")
		if !ranges {
			to = from
		}
		first, err1 := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err1 == nil && err2 == nil {
			n.slots = append(n.slots, [2]int{first, last})
		}
	}
	return n
}

// pair is a master and its replica.
type pair struct{ master, replica string }

// pairOf is who has a shard, once the servers agree on it.
func (s *stores) pairOf(shard int) (p pair) {
	s.t.Helper()
	eventually(s.t, 20*time.Second, fmt.Sprint("shard ", shard, " has a master and a replica"), func() (whole bool) {
		p, whole = s.findPair(shard)
		return whole
	})
	return p
}

func (s *stores) findPair(shard int) (p pair, ok bool) {
	slot := slotOf(fmt.Sprint("hongbao:", shard))
	nodes := s.redisNodes()
	for _, m := range nodes {
		if m.failed || m.master != "" || !slices.ContainsFunc(m.slots, func(r [2]int) bool { return r[0] <= slot && slot <= r[1] }) {
			continue
		}
		p.master = m.name
		for _, r := range nodes {
			if r.master == m.id && !r.failed {
				p.replica = r.name
			}
		}
	}
	return p, p.master != "" && p.replica != ""
}

// shardsOn lists the shards that a master has.
func (s *stores) shardsOn(master string) (list []int) {
	s.t.Helper()
	for shard := range s.shards {
		if s.pairOf(shard).master == master {
			list = append(list, shard)
		}
	}
	return list
}

// awaitFailover waits until another server than one that is away is master of its shards, as the others see it.
func (s *stores) awaitFailover(t testing.TB, shard int, from string) (to string) {
	t.Helper()
	eventually(t, 20*time.Second, "a replica of "+from+" is promoted", func() bool {
		p, _ := s.findPair(shard)
		to = p.master
		return to != "" && to != from
	})
	return to
}

// record is a shard's record, as a server has it.
func (s *stores) record(server string, shard int) string {
	s.t.Helper()
	return s.mustRedis(server, "hgetall", fmt.Sprintf("{hongbao:%d}shard", shard))
}

// slotOf is the slot of a hash tag: CRC16 of 16,384.
func slotOf(tag string) int {
	var crc uint16
	for _, b := range []byte(tag) {
		crc ^= uint16(b) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return int(crc % 16384)
}

// shardOf is the shard of a player, as it must be for ever.
func shardOf(uid uint64, shards int) int {
	uid ^= uid >> 33
	uid *= 0xff51afd7ed558ccd
	uid ^= uid >> 33
	uid *= 0xc4ceb9fe1a85ec53
	uid ^= uid >> 33
	return int(uid % uint64(shards))
}

// infoField finds a field in what INFO answers.
func infoField(info, name string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
			return value
		}
	}
	return ""
}
