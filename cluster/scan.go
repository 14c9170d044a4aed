package cluster

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/rueidis"
)

const scanCount = 1000 // keys that a server looks at in one step

// playerScan lists the players of the shards that stand, server by server.
type playerScan struct {
	check   *redisCheck
	pattern string
	servers []string // not yet begun
	client  rueidis.Client
	cursor  uint64
}

func (r *redisCheck) scan() *playerScan {
	e := r.books.engine
	p := &playerScan{check: r, pattern: "{" + e.options.Prefix + ":*}p:*"}
	for _, s := range e.shards {
		if l := e.redis.lane(s); l != nil && r.stands[s.index] && !slices.Contains(p.servers, l.address) {
			p.servers = append(p.servers, l.address)
		}
	}
	return p
}

// page lists the next uids, ascending, each once; more tells whether there are others.
func (p *playerScan) page(ctx context.Context) (uids []uint64, more bool, err error) {
	for len(uids) < p.check.atOnce {
		if p.client == nil {
			if len(p.servers) == 0 {
				break
			}
			if p.client, err = p.check.books.engine.redis.dial(p.servers[0]); err != nil {
				return nil, false, fmt.Errorf("Redis at %s: %w", p.servers[0], err)
			}
			p.servers, p.cursor = p.servers[1:], 0
		}
		entry, err := p.client.Do(ctx, p.client.B().Scan().Cursor(p.cursor).Match(p.pattern).Count(scanCount).Build()).AsScanEntry()
		if err != nil {
			return nil, false, err
		}
		for _, key := range entry.Elements {
			if uid, ok := p.uid(key); ok {
				uids = append(uids, uid)
			}
		}
		if p.cursor = entry.Cursor; p.cursor == 0 {
			p.close()
		}
	}
	slices.Sort(uids)
	return slices.Compact(uids), p.client != nil || len(p.servers) > 0, nil
}

// uid reads a player's key, and notes one that lies in another shard than the player's.
func (p *playerScan) uid(key string) (uint64, bool) {
	r, e := p.check, p.check.books.engine
	tag, text, _ := strings.Cut(strings.TrimPrefix(key, "{"+e.options.Prefix+":"), "}p:")
	index, badTag := strconv.Atoi(tag)
	uid, badUID := strconv.ParseUint(text, 10, 64)
	if badTag != nil || badUID != nil || index < 0 || index >= len(e.shards) || !r.stands[index] {
		return 0, false
	}
	if shardOf(uid, len(e.shards)) != index {
		r.differ(index, uid, "Redis has the player in this shard, whose is another")
		return 0, false
	}
	return uid, true
}

func (p *playerScan) close() {
	if p.client != nil {
		p.client.Close()
		p.client = nil
	}
}
