package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"hongbao"
)

// store is a test's own way to what the shards hold, beside the engine.
type store struct {
	testing.TB
	engine *Engine
}

// newStore opens an engine with that many shards on a place of its own.
func newStore(t testing.TB, shards int, change func(*Options)) *store {
	b := newBed(t, shards)
	b.options.CacheAge = time.Second
	change(&b.options)
	return &store{t, b.open()}
}

// do sends a plain command to the server of a shard.
func (st *store) do(s *shard, command ...string) []string {
	st.Helper()
	reply, _, err := st.engine.plain(context.Background(), s, command...)
	if err != nil {
		st.Fatalf("%.200q: %v", command, err)
	}
	return reply
}

// commands is a script that runs many commands on the keys of one shard; each has its length in front.
const commands = `
local i = 1
while i <= #ARGV do
  local n = tonumber(ARGV[i])
  redis.call(unpack(ARGV, i + 1, i + n))
  i = i + n + 1
end
return 'ok'`

// write runs commands on the keys of a shard.
func (st *store) write(s *shard, list ...[]string) {
	st.Helper()
	for page := range slices.Chunk(list, 4000) {
		all := []string{"EVAL", commands, "1", s.record}
		for _, command := range page {
			all = append(append(all, strconv.Itoa(len(command))), command...)
		}
		st.do(s, all...)
	}
}

// contents is a script that reads all that keys of any type hold, in a fixed order.
const contents = `
local out = {}
for i, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  local list = {}
  if kind == 'hash' then
    local all = redis.call('HGETALL', key)
    for j = 1, #all, 2 do list[#list + 1] = all[j] .. '\t' .. all[j + 1] end
    table.sort(list)
  elseif kind == 'list' then
    list = redis.call('LRANGE', key, 0, -1)
  elseif kind == 'set' then
    list = redis.call('SMEMBERS', key)
    table.sort(list)
  elseif kind == 'zset' then
    list = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  elseif kind == 'string' then
    list = {redis.call('GET', key)}
  elseif kind == 'stream' then
    for _, entry in ipairs(redis.call('XRANGE', key, '-', '+')) do
      list[#list + 1] = entry[1] .. '\t' .. table.concat(entry[2], '\t')
    end
  end
  out[i] = table.concat(list, '\n')
end
return out`

// read is what keys of a shard hold: a line for each field, entry or member.
func (st *store) read(s *shard, keys ...string) []string {
	st.Helper()
	var all []string
	for page := range slices.Chunk(keys, 4000) {
		all = append(all, st.do(s, append([]string{"EVAL", contents, strconv.Itoa(len(page))}, page...)...)...)
	}
	return all
}

// hash makes the fields of what read has read.
func hash(text string) map[string]string {
	fields := map[string]string{}
	for line := range strings.SplitSeq(text, "\n") {
		if name, value, ok := strings.Cut(line, "\t"); ok {
			fields[name] = value
		}
	}
	return fields
}

// list makes the entries of what read has read.
func list(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// put is the command that makes a hash.
func put(key string, fields map[string]string) []string {
	command := []string{"HSET", key}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		command = append(command, name, fields[name])
	}
	return command
}

// seq is the sequence of a shard and the time of its record.
func (st *store) seq(s *shard) (seq uint64, at hongbao.Time) {
	st.Helper()
	record := st.do(s, "HMGET", s.record, "seq", "at")
	return parseUint(record[0]), parseTime(record[1])
}

// events are those of a shard behind a sequence, which they must follow without a gap.
func (st *store) events(s *shard, after uint64) (events []hongbao.Event, err error) {
	reply, err := st.engine.ask(context.Background(), s, scriptOutbox, 0, []string{s.outbox}, formatSeq(after), "1000000")
	if err != nil {
		return nil, err
	}
	for i := 4; i+1 < len(reply); i += 2 {
		record, err := parseOutbox(s.index, reply[i], reply[i+1])
		if err != nil {
			return nil, err
		}
		if after++; record.Seq != after {
			return nil, fmt.Errorf("shard %d goes on with %d, not %d", s.index, record.Seq, after)
		}
		var event hongbao.Event
		if err := hongbao.DecodeEvent(record.Event, &event); err != nil {
			return nil, err
		}
		events = append(events, event)
	}
	if seq := parseUint(reply[1]); seq != after {
		return nil, fmt.Errorf("shard %d is at %d and has events up to %d", s.index, seq, after)
	}
	return events, nil
}

// sameEvent reports whether two events are written alike.
func sameEvent(a, b *hongbao.Event) bool {
	return string(hongbao.AppendEvent(nil, a)) == string(hongbao.AppendEvent(nil, b))
}

// unlinkAll removes the keys of a pattern from a server.
func unlinkAll(e *Engine, address, pattern string) error {
	client, err := e.redis.dial(address)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx := context.Background()
	for cursor := uint64(0); ; {
		page, err := client.Do(ctx, client.B().Scan().Cursor(cursor).Match(pattern).Count(1000).Build()).AsScanEntry()
		if err != nil {
			return err
		}
		var all rueidis.Commands // each is synced on its own unless they are sent together
		for _, key := range page.Elements {
			all = append(all, client.B().Unlink().Key(key).Build())
		}
		for _, result := range client.DoMulti(ctx, all...) {
			if err := result.Error(); err != nil {
				return fmt.Errorf("unlink: %w", err)
			}
		}
		if cursor = page.Cursor; cursor == 0 {
			return nil
		}
	}
}
