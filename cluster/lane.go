package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"hongbao"
)

const (
	laneQueue    = 1 << 14                 // calls that may wait for a server; beyond it they are busy
	groupMax     = 512                     // calls in a group
	groupTimeout = 1500 * time.Millisecond // after which a server is given up
	waitTimeout  = "1000"                  // milliseconds that WAIT waits for the replicas
	dialTimeout  = time.Second
	redialEvery  = 100 * time.Millisecond
)

// lane carries calls to one Redis server in groups: what arrives while one group is under way is the next one. A group
// ends with a write of the lane's own and a WAIT for the replicas, which covers all that the group has seen, whoever
// wrote it: only then is anything told.
//
// A server that can't be reached is a lane that is down: calls are busy at once while it dials in the background.
type lane struct {
	address string
	acks    int64
	shards  string
	options rueidis.ClientOption
	logger  *slog.Logger
	moved   func() // asks for the topology to be looked at again

	calls  chan *call
	stop   chan struct{}
	ended  chan struct{}
	down   atomic.Bool
	group  []*call
	client rueidis.Client
	conn   rueidis.DedicatedClient
	run    string

	groups atomic.Uint64

	waitedNS atomic.Uint64 // nanoseconds from sending groups to their confirmation
}

func newLane(address string, acks int, shards string, options rueidis.ClientOption, logger *slog.Logger, moved func()) *lane {
	options.InitAddress = []string{address}
	options.ForceSingleClient, options.DisableCache, options.DisableRetry, options.DisableAutoPipelining = true, true, true, true
	options.Dialer.Timeout, options.ConnWriteTimeout = dialTimeout, dialTimeout
	l := &lane{
		address: address, acks: int64(acks), shards: shards, options: options, logger: logger, moved: moved,
		calls: make(chan *call, laneQueue), stop: make(chan struct{}), ended: make(chan struct{}),
	}
	go l.serve()
	return l
}

// submit queues a call and waits for its end or the context's.
func (l *lane) submit(ctx context.Context, c *call) error {
	if l.down.Load() {
		return fmt.Errorf("%w: Redis at %s can't be reached", hongbao.ErrBusy, l.address)
	}
	select {
	case l.calls <- c:
	default:
		return fmt.Errorf("%w: %d calls wait for Redis at %s", hongbao.ErrBusy, laneQueue, l.address)
	}
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return c.unconfirmed(ctx.Err().Error())
	case <-l.ended:
		select {
		case <-c.done:
			return c.err
		default:
			return c.unconfirmed("closed")
		}
	}
}

func (l *lane) close() {
	close(l.stop)
	<-l.ended
}

// serve sends group after group until it is stopped.
func (l *lane) serve() {
	defer close(l.ended)
	defer l.hangUp()
	defer l.refuse("is left")
	for {
		if l.conn == nil && !l.connect() {
			l.refuse("can't be reached")
			select {
			case <-time.After(redialEvery):
				continue
			case <-l.stop:
				return
			}
		}
		select {
		case c := <-l.calls:
			l.send(l.gather(c))
		case <-l.stop:
			return
		}
	}
}

// gather takes what waits. Callers just woken by the last group get the processor first, for as long as more of them come:
// larger groups cost everybody less.
func (l *lane) gather(first *call) []*call {
	group := append(l.group[:0], first)
	for yields, before := 0, 0; yields < 3 && len(group) > before; yields++ {
		before = len(group)
		for len(group) < groupMax {
			select {
			case c := <-l.calls:
				group = append(group, c)
				continue
			default:
			}
			break
		}
		runtime.Gosched()
	}
	l.group = group
	return group
}

// connect dials and learns which process answers.
func (l *lane) connect() bool {
	client, err := rueidis.NewClient(l.options)
	if err == nil {
		l.client = client
		l.conn, _ = client.Dedicate()
		l.run, err = l.greet()
	}
	if err != nil {
		if !l.down.Swap(true) {
			l.logger.Warn("Redis can't be reached", "address", l.address, "error", err)
		}
		l.hangUp()
		l.moved()
		return false
	}
	if l.down.Swap(false) {
		l.logger.Info("Redis is reached again", "address", l.address)
	}
	return true
}

// greet loads the scripts and returns the server's run id.
func (l *lane) greet() (run string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
	defer cancel()
	info, err := l.conn.Do(ctx, l.conn.B().Info().Section("server").Build()).ToString()
	if err != nil {
		return "", err
	}
	if run = infoField(info, "run_id"); run == "" {
		return "", errors.New("INFO server tells no run_id")
	}
	return run, l.load(ctx)
}

func (l *lane) load(ctx context.Context) error {
	var commands rueidis.Commands
	for _, s := range allScripts {
		commands = append(commands, l.conn.B().ScriptLoad().Script(s.body).Build())
	}
	for i, result := range l.conn.DoMulti(ctx, commands...) {
		if err := result.Error(); err != nil {
			return fmt.Errorf("load %s.lua: %w", allScripts[i].name, err)
		}
	}
	return nil
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

func (l *lane) hangUp() {
	if l.conn != nil {
		l.conn.Close()
		l.conn = nil
	}
	if l.client != nil {
		l.client.Close()
		l.client = nil
	}
}

// refuse tells all who wait that nothing happened.
func (l *lane) refuse(why string) {
	for {
		select {
		case c := <-l.calls:
			c.finish(nil, fmt.Errorf("%w: Redis at %s %s", hongbao.ErrBusy, l.address, why))
		default:
			return
		}
	}
}

// send sends a group and finishes its calls.
func (l *lane) send(group []*call) {
	commands := make(rueidis.Commands, 0, len(group)+2)
	for _, c := range group {
		name, keys, args := c.command(l.run, l.shards)
		c.run = l.run
		commands = append(commands, l.conn.B().Arbitrary(name...).Args(keys...).Args(args...).Build())
	}
	if l.acks > 0 {
		commands = append(commands,
			l.conn.B().Arbitrary("SET", group[0].shard.tick, "1").Build(),
			l.conn.B().Arbitrary("WAIT").Args(fmt.Sprint(l.acks), waitTimeout).Blocking())
	}
	ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
	began := time.Now()
	results := l.conn.DoMulti(ctx, commands...)
	cancel()
	l.waitedNS.Add(uint64(time.Since(began)))
	l.groups.Add(1)
	final := l.confirmed(results[len(group):])
	for i, c := range group {
		l.finish(c, results[i], final)
	}
	if err := results[0].NonRedisError(); err != nil && !rueidis.IsRedisNil(err) {
		l.logger.Warn("connection to Redis lost", "address", l.address, "error", err)
		l.hangUp()
		l.moved()
	}
}

// confirmed returns nil when the replicas have all that the group saw and did. The write before WAIT must have succeeded:
// WAIT waits for the connection's last write, and another one would say nothing.
func (l *lane) confirmed(results []rueidis.RedisResult) error {
	if l.acks == 0 {
		return nil
	}
	if err := results[0].Error(); err != nil {
		return err
	}
	acks, err := results[1].AsInt64()
	if err == nil && acks < l.acks {
		err = fmt.Errorf("confirmed by %d replicas of %d", acks, l.acks)
	}
	return err
}

func (l *lane) finish(c *call, result rueidis.RedisResult, final error) {
	reply, err := texts(result)
	var fromRedis *rueidis.RedisError
	switch {
	case errors.As(err, &fromRedis):
		text := fromRedis.Error()
		switch {
		case strings.HasPrefix(text, "MOVED"), strings.HasPrefix(text, "READONLY"), strings.HasPrefix(text, "CLUSTERDOWN"):
			l.moved()
		case strings.HasPrefix(text, "NOSCRIPT"):
			ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
			err := l.load(ctx)
			cancel()
			l.logger.Warn("Redis had forgotten the scripts", "address", l.address, "error", err)
		}
		c.finish(nil, c.redisError(text))
	case err != nil:
		c.finish(nil, c.unconfirmed(err.Error()))
	case final != nil && !harmless(c, reply):
		c.finish(nil, c.unconfirmed(final.Error()))
	case final != nil:
		c.finish(nil, fmt.Errorf("%w: shard %d: %w", hongbao.ErrBusy, c.shard.index, final))
	default:
		c.finish(reply, nil)
	}
}

// harmless reports whether a reply says that the script changed nothing, so that what is not confirmed is only what it saw.
func harmless(c *call, reply []string) bool {
	if !c.mayHaveWritten() {
		return true
	}
	switch reply[0] {
	case "won", "first", "refunded", "added", "ok":
		return false
	}
	return true
}

// texts are the strings of a reply, lists within it laid flat; what is missing is empty.
func texts(result rueidis.RedisResult) ([]string, error) {
	message, err := result.ToMessage()
	if rueidis.IsRedisNil(err) {
		return []string{""}, nil
	}
	if err != nil {
		return nil, err
	}
	return appendTexts(nil, &message)
}

func appendTexts(list []string, m *rueidis.RedisMessage) ([]string, error) {
	switch {
	case m.IsNil():
		return append(list, ""), nil
	case m.IsInt64():
		n, err := m.AsInt64()
		return append(list, strconv.FormatInt(n, 10)), err
	case m.IsMap():
		fields, err := m.AsStrMap()
		for name, value := range fields {
			list = append(list, name, value)
		}
		return list, err
	case !m.IsArray():
		text, err := m.ToString()
		return append(list, text), err
	}
	elements, err := m.ToArray()
	if err != nil {
		return list, err
	}
	if list == nil {
		list = make([]string, 0, len(elements))
	}
	for i := range elements {
		if list, err = appendTexts(list, &elements[i]); err != nil {
			return list, err
		}
	}
	return list, nil
}
