package cluster

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"hongbao"
)

// call is one script on its way to a shard, and its reply.
type call struct {
	shard  *shard
	script *script  // nil: raw
	raw    []string // a plain command
	keys   []string // after the shard's record
	now    hongbao.Time
	args   []string // after run, epoch, shards and now

	reply []string
	err   error
	run   string // run id of the server that answered
	done  chan struct{}
}

// command is the call as Redis takes it, for a server of that run id.
func (c *call) command(run, shards string) (name []string, keys []string, args []string) {
	if c.script == nil {
		return c.raw, nil, nil
	}
	c.run = run
	head := []string{"EVALSHA", c.script.sha, strconv.Itoa(1 + len(c.keys)), c.shard.record}
	if c.script.bare {
		return head, c.keys, append([]string{run}, c.args...)
	}
	fence := make([]string, 4, 4+len(c.args))
	fence[0], fence[1], fence[2], fence[3] = run, *c.shard.epoch.Load(), shards, strconv.FormatInt(int64(c.now), 10)
	return head, c.keys, append(fence, c.args...)
}

// mayHaveWritten reports whether a call whose outcome is not confirmed may have changed what players have.
func (c *call) mayHaveWritten() bool { return c.script != nil && c.script.writes }

// finish ends the call; whoever waits for it reads reply and err behind done.
func (c *call) finish(reply []string, err error) {
	c.reply, c.err = reply, err
	c.done <- struct{}{}
}

// unconfirmed is the error of a call that was sent, and of which it is not known that what it did or saw is final.
func (c *call) unconfirmed(why string) error {
	if c.mayHaveWritten() {
		return fmt.Errorf("%w: shard %d: %s", hongbao.ErrUnknown, c.shard.index, why)
	}
	return fmt.Errorf("%w: shard %d: %s", hongbao.ErrBusy, c.shard.index, why)
}

// refused lists the beginnings of Redis' errors that say that a command was not begun.
var refused = []string{
	"NOREPLICAS", "MISCONF", "OOM", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "READONLY", "MOVED", "ASK", "TRYAGAIN", "BUSY",
	"NOSCRIPT", "NOAUTH", "NOPERM", "ERR max number of clients",
}

// redisError turns an error that Redis answered into one of ours.
func (c *call) redisError(text string) error {
	for _, prefix := range refused {
		if strings.HasPrefix(text, prefix) {
			return fmt.Errorf("%w: shard %d: %s", hongbao.ErrBusy, c.shard.index, text)
		}
	}
	what := "a command"
	if c.script != nil {
		what = c.script.name
	}
	return c.unconfirmed(what + " failed: " + text)
}

// fencedError means that a shard waits for adoption or reconciling; nothing happened.
func fencedError(s *shard) error {
	return fmt.Errorf("%w: shard %d is fenced: it waits for a worker to adopt it", hongbao.ErrBusy, s.index)
}

// ask sends a script to a shard and returns its reply. An answer of 'fenced' is tried once more with the shard's epoch as
// it is now. Errors: ErrBusy when nothing happened, ErrUnknown when it may have.
func (e *Engine) ask(ctx context.Context, s *shard, script *script, now hongbao.Time, keys []string, args ...string) ([]string, error) {
	reply, err := e.send(ctx, s, script, now, keys, args)
	if err == nil && reply[0] == "fenced" {
		if !e.learnEpoch(ctx, s) {
			return nil, fencedError(s)
		}
		if reply, err = e.send(ctx, s, script, now, keys, args); err == nil && reply[0] == "fenced" {
			err = fencedError(s)
		}
	}
	if err != nil {
		return nil, err
	}
	if reply[0] == "full" {
		return nil, fmt.Errorf("%w: the outbox of shard %d is full", hongbao.ErrBusy, s.index)
	}
	return reply, nil
}

func (e *Engine) send(ctx context.Context, s *shard, script *script, now hongbao.Time, keys, args []string) ([]string, error) {
	c := &call{shard: s, script: script, now: now, keys: keys, args: args, done: make(chan struct{}, 1)}
	if err := e.redis.submit(ctx, c); err != nil {
		return nil, err
	}
	return c.reply, nil
}

// plain sends a plain command to the server of a shard and returns its reply and the server's run id.
func (e *Engine) plain(ctx context.Context, s *shard, command ...string) (reply []string, run string, err error) {
	c := &call{shard: s, raw: command, done: make(chan struct{}, 1)}
	if err := e.redis.submit(ctx, c); err != nil {
		return nil, "", err // the lane may still have the call
	}
	return c.reply, c.run, nil
}

// learnEpoch reads a shard's record and reports whether the server that has it was adopted under it.
func (e *Engine) learnEpoch(ctx context.Context, s *shard) bool {
	record, run, err := e.plain(ctx, s, "HMGET", s.record, "run", "epoch", "shards")
	ok := err == nil && record[0] == run && record[2] == e.redis.shards
	if ok {
		s.epoch.Store(&record[1])
	}
	s.fenced.Store(err == nil && !ok)
	return ok
}
