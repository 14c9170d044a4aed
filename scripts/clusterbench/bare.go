package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// bare is the snatch script alone, on a shard of its own that nobody else knows, driven by redis-benchmark.
type bare struct {
	address string
	client  rueidis.Client
	sha     string
	run     string
	given   int // envelopes that were put into the supply so far
}

const bareShard = "{clusterbench}"

// openBare loads the very script and makes the shard's record.
func openBare(ctx context.Context, address string) (*bare, error) {
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{address}, ForceSingleClient: true, DisableCache: true})
	if err != nil {
		return nil, err
	}
	b := &bare{address: address, client: client}
	text, err := scriptText("fence", "snatch")
	if err != nil {
		return nil, err
	}
	if b.sha, err = client.Do(ctx, client.B().ScriptLoad().Script(text).Build()).ToString(); err != nil {
		return nil, err
	}
	info, err := client.Do(ctx, client.B().Info().Section("server").Build()).ToString()
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(info, "run_id:")
	b.run, _, _ = strings.Cut(rest, "\r")
	return b, client.Do(ctx, client.B().Arbitrary("HSET", bareShard+"shard", "run", b.run, "epoch", "1", "shards", "16",
		"at", "0", "seq", "0", "sum", "0", "trimmed", "0").Build()).Error()
}

// scriptText is a script as the engine loads it: heads and other comments left out.
func scriptText(names ...string) (string, error) {
	var code strings.Builder
	for _, name := range names {
		text, err := os.ReadFile("cluster/scripts/" + name + ".lua")
		if err != nil {
			return "", err
		}
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(strings.TrimSpace(line), "--") {
				code.WriteString(line)
			}
		}
	}
	return code.String(), nil
}

// fill puts envelopes into the supply until it has so many.
func (b *bare) fill(ctx context.Context, count int) error {
	supply := bareShard + "s:1"
	left, err := b.client.Do(ctx, b.client.B().Llen().Key(supply).Build()).AsInt64()
	for err == nil && left < int64(count) {
		const piece = 2048
		entries := make([]string, piece)
		for i := range entries {
			entries[i] = strconv.FormatUint(1<<32+uint64(b.given+i), 10) + " 100"
		}
		b.given += piece
		left, err = b.client.Do(ctx, b.client.B().Rpush().Key(supply).Element(entries...).Build()).AsInt64()
	}
	return err
}

var benchmarkLine = regexp.MustCompile(`([\d.]+) requests per second, p50=([\d.]+) msec`)

// snatch runs redis-benchmark: that many calls by random players with random keys. It returns wins a second.
func (b *bare) snatch(ctx context.Context, o options, connections, calls int) (rate float64, err error) {
	if err := b.fill(ctx, calls); err != nil {
		return 0, err
	}
	before, err := b.taken(ctx)
	if err != nil {
		return 0, err
	}
	host, port, _ := strings.Cut(b.address, ":")
	now := time.Now()
	at := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).UnixMilli(), 10) }
	out, err := output(exec.CommandContext(ctx, "redis-benchmark", "-h", host, "-p", port, "-c", strconv.Itoa(connections), "-n", strconv.Itoa(calls),
		"-r", strconv.Itoa(o.players), "-q", "EVALSHA", b.sha, "5",
		bareShard+"shard", bareShard+"outbox", bareShard+"c:1", bareShard+"s:1", bareShard+"p:__rand_int__",
		b.run, "1", "16", at(0),
		strconv.Itoa(1<<40), "1", "__rand_int__", "kkkkkkkkkk__rand_int__", "1", "1", at(-time.Hour), at(24*time.Hour), "0", "0", "0", "0",
		"rain", now.Format(time.DateOnly), at(48*time.Hour), "1", at(96*time.Hour), "0"))
	if err != nil {
		return 0, err
	}
	match := benchmarkLine.FindAllStringSubmatch(out, -1)
	if match == nil {
		return 0, fmt.Errorf("redis-benchmark printed something else: %s", out)
	}
	after, err := b.taken(ctx)
	if err != nil {
		return 0, err
	}
	if after-before != int64(calls) {
		return 0, fmt.Errorf("only %d of %d calls won", after-before, calls)
	}
	// What nobody relays must not become the weight that the next run carries.
	if err := b.client.Do(ctx, b.client.B().Del().Key(bareShard+"outbox").Build()).Error(); err != nil {
		return 0, err
	}
	return strconv.ParseFloat(match[len(match)-1][1], 64)
}

func (b *bare) taken(ctx context.Context) (int64, error) {
	n, err := b.client.Do(ctx, b.client.B().Hget().Key(bareShard+"c:1").Field("taken").Build()).AsInt64()
	if rueidis.IsRedisNil(err) {
		return 0, nil
	}
	return n, err
}
