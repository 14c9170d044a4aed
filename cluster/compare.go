package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"hongbao"
	"hongbao/cluster/ledger"
	"hongbao/cluster/topic"
)

// Check is one comparison of the stores with each other; its fields are those of a check of an audit.
type Check struct {
	Name        string
	OK          bool
	Detail      string // the first difference, or what is to be known of a check that passed
	Failures    uint64
	Differences []string // the first ones
}

// differencesMax is how many differences of a check are described, beyond which they are only counted.
const differencesMax = 20

func (c *Check) differ(format string, args ...any) {
	c.Failures++
	if len(c.Differences) < differencesMax {
		c.Differences = append(c.Differences, fmt.Sprintf(format, args...))
	}
}

// told is the check as it is told; detail is for one that passed.
func (c *Check) told(detail string) Check {
	c.OK, c.Detail = c.Failures == 0, detail
	if !c.OK {
		c.Detail = c.Differences[0]
	}
	return *c
}

// Compare holds the books as they are frozen against the conflicts that were found when they were written, against Kafka
// and against Redis. A store that can't be read fails its check. The error is the context's.
func (b *Books) Compare(ctx context.Context) ([]Check, error) {
	checks := []Check{b.compareConflicts(ctx), b.compareKafka(ctx), b.compareRedis(ctx)}
	return checks, ctx.Err()
}

// compareConflicts tells of events that contradict the books: they were journaled and never paid.
func (b *Books) compareConflicts(ctx context.Context) Check {
	c := Check{Name: "conflicts"}
	list, err := b.engine.ledger.ConflictList(ctx, differencesMax)
	if err != nil {
		c.differ("they can't be read: %s", err)
	}
	for _, f := range list {
		c.differ("shard %d, event %d: %s, envelope %d, uid %d, at %s", f.Shard, f.Seq, f.What, f.Envelope, f.UID, f.At)
	}
	if n, err := b.engine.ledger.Conflicts(ctx); err == nil && len(list) > 0 {
		c.Failures = max(c.Failures, n)
	}
	return c.told("")
}

// compareKafka looks for every event of the books in Kafka. What Kafka has beyond is on its way to them.
func (b *Books) compareKafka(ctx context.Context) Check {
	c := Check{Name: "kafka"}
	if err := b.reachKafka(ctx); err != nil {
		c.differ("it can't be read: %s", err)
		return c.told("")
	}
	ends, err := b.engine.topic.Ends(ctx)
	if err != nil {
		c.differ("it can't be read: %s", err)
		return c.told("")
	}
	if len(ends) != len(b.snapshot.Marks()) {
		c.differ("it has %d partitions, for %d shards", len(ends), len(b.snapshot.Marks()))
		return c.told("")
	}
	var remarks []string
	for i, mark := range b.snapshot.Marks() {
		k := kafkaCheck{Check: &c, mark: mark, end: ends[i]}
		if err := k.run(ctx, b); err != nil {
			c.differ("shard %d can't be read: %s", mark.Shard, err)
		}
		remarks = append(remarks, k.remark...)
	}
	return c.told(strings.Join(remarks, "; "))
}

// kafkaCheck walks one shard's journal in the books and in Kafka side by side. Kafka may have events more than once, and
// in the wrong place what a relay that had hung sent later; the books took each where it came next.
type kafkaCheck struct {
	*Check
	mark   ledger.Mark
	end    topic.End
	remark []string

	foreign int // records that are none of the journal's
	books   func() (ledger.Entry, error, bool)
	want    uint64 // sequence that comes next
	begun   bool
	event   []byte
}

func (k *kafkaCheck) run(ctx context.Context, b *Books) error {
	after := make([]uint64, len(b.snapshot.Marks()))
	for i, mark := range b.snapshot.Marks() {
		after[i] = mark.Seq // nothing of the others
	}
	after[k.mark.Shard] = 0
	next, stop := iter.Pull2(b.snapshot.Entries(ctx, after))
	defer stop()
	k.books, k.want = next, 1
	if err := b.engine.topic.ReadAll(ctx, k.mark.Shard, k.visit); err != nil {
		return err
	}
	if k.foreign > differencesMax {
		k.remark = append(k.remark, fmt.Sprintf("%d others of shard %d are none either", k.foreign-differencesMax, k.mark.Shard))
	}
	switch {
	case k.want > k.mark.Seq:
	case !k.begun && k.end.First > 0:
		k.remark = append(k.remark, fmt.Sprintf("shard %d was deleted in Kafka before offset %d, with all events of the books", k.mark.Shard, k.end.First))
	case !k.begun:
		k.differ("shard %d: Kafka has none of its %d events", k.mark.Shard, k.mark.Seq)
	default:
		k.differ("shard %d: Kafka lacks event %d of %d", k.mark.Shard, k.want, k.mark.Seq)
	}
	return nil
}

func (k *kafkaCheck) visit(d topic.Delivery) error {
	if d.Bad != nil {
		// It can't be taken out of Kafka any more, and the books passed over it: to be known, and no difference.
		if k.foreign++; k.foreign <= differencesMax {
			k.remark = append(k.remark, fmt.Sprintf("shard %d, offset %d is none of the journal's (%s)", d.Shard, d.Offset, d.Bad))
		}
		return nil
	}
	if !k.begun && d.Offset > 0 && d.Seq <= k.mark.Seq {
		k.remark = append(k.remark, fmt.Sprintf("shard %d is in Kafka from offset %d on, event %d: the beginning was deleted", d.Shard, d.Offset, d.Seq))
		if err := k.skip(d.Seq); err != nil {
			return err
		}
	}
	k.begun = true
	if d.Seq != k.want || d.Seq > k.mark.Seq {
		return nil
	}
	entry, err := k.next()
	if err != nil {
		return err
	}
	k.event = hongbao.AppendEvent(k.event[:0], entry.Event)
	if entry.Epoch != d.Epoch || !bytes.Equal(k.event, d.Event) {
		k.differ("shard %d, offset %d: event %d is another than in the books", d.Shard, d.Offset, d.Seq)
	}
	return nil
}

// skip passes over what is before an event of the books.
func (k *kafkaCheck) skip(until uint64) error {
	for k.want < until {
		if _, err := k.next(); err != nil {
			return err
		}
	}
	return nil
}

func (k *kafkaCheck) next() (ledger.Entry, error) {
	entry, err, ok := k.books()
	if err == nil && (!ok || entry.Shard != k.mark.Shard || entry.Seq != k.want) {
		err = errors.New("the books go on elsewhere")
	}
	k.want++
	return entry, err
}

// compareRedis holds every player of the books against Redis, and the players in Redis against the books, in the shards
// that stand still at the event that the books have.
func (b *Books) compareRedis(ctx context.Context) Check {
	c := Check{Name: "redis"}
	if err := b.reachRedis(ctx); err != nil {
		c.differ("it can't be read: %s", err)
		return c.told("")
	}
	r := newRedisCheck(b)
	r.see(ctx)
	if err := r.run(ctx); err != nil {
		c.differ("it can't be read to the end: %s", err)
	}
	r.see(ctx)
	var moved []int
	for i := range r.found {
		if !r.stands[i] {
			moved = append(moved, i)
			continue
		}
		c.Failures += r.found[i].Failures
		c.Differences = append(c.Differences, r.found[i].Differences...)
	}
	c.Differences = c.Differences[:min(len(c.Differences), differencesMax)]
	if len(moved) == 0 {
		return c.told("")
	}
	return c.told("not compared, for they moved on: " + shardList(moved))
}

func shardList(shards []int) string {
	const shown = 16
	if len(shards) > shown {
		return fmt.Sprintf("%d shards", len(shards))
	}
	return "shards " + strings.Trim(fmt.Sprint(shards), "[]")
}

// redisCheck collects differences by shard, for a shard that moves on meanwhile is not to be judged.
type redisCheck struct {
	books  *Books
	stands []bool // by shard: it is still at the event that the books have
	found  []Check
	batch  []ledger.Player
	atOnce int // uids in Redis that are kept at a time
}

func newRedisCheck(b *Books) *redisCheck {
	n := len(b.engine.shards)
	return &redisCheck{books: b, stands: slices.Repeat([]bool{true}, n), found: make([]Check, n), atOnce: uidsAtOnce}
}

// see notes which shards have moved on.
func (r *redisCheck) see(ctx context.Context) {
	_ = r.books.engine.everyShard(func(s *shard) error {
		reply, err := r.books.engine.ask(ctx, s, scriptOutbox, 0, []string{s.outbox}, "0", "0")
		if err != nil || parseUint(reply[1]) != r.books.snapshot.Marks()[s.index].Seq {
			r.stands[s.index] = false
		}
		return nil
	})
}

// differ notes a difference of a player.
func (r *redisCheck) differ(shard int, uid uint64, text string) {
	r.found[shard].differ("shard %d, uid %d: %s", shard, uid, text)
}

// run compares. Of the players in Redis it keeps so many at a time that memory stays bounded, and goes through the books
// again for more.
func (r *redisCheck) run(ctx context.Context) error {
	if !slices.Contains(r.stands, true) {
		return nil
	}
	scan := r.scan()
	defer scan.close()
	for first := true; ; first = false {
		uids, more, err := scan.page(ctx)
		if err == nil {
			err = r.walk(ctx, uids, first)
		}
		if err != nil || !more {
			return err
		}
	}
}

// walk goes through the players of the books and finds those uids, which are in Redis and in order, that they do not have.
func (r *redisCheck) walk(ctx context.Context, uids []uint64, compare bool) error {
	unknown := func(until uint64) {
		for len(uids) > 0 && uids[0] < until {
			r.differ(shardOf(uids[0], len(r.found)), uids[0], "Redis has the player, and the books do not")
			uids = uids[1:]
		}
	}
	err := r.books.snapshot.Players(ctx, func(p *ledger.Player) error {
		unknown(p.UID)
		if len(uids) > 0 && uids[0] == p.UID {
			uids = uids[1:]
		}
		if !compare || !r.stands[shardOf(p.UID, len(r.found))] {
			return nil
		}
		return r.take(ctx, p)
	})
	if err != nil {
		return err
	}
	unknown(hongbao.UIDMax + 1)
	return r.flush(ctx)
}

const (
	comparedAtOnce = 512     // players
	uidsAtOnce     = 1 << 22 // 32 MiB
)

// take adds a player to the batch.
func (r *redisCheck) take(ctx context.Context, p *ledger.Player) error {
	copied := *p
	copied.Envelopes, copied.Signups = slices.Clone(p.Envelopes), slices.Clone(p.Signups)
	if r.batch = append(r.batch, copied); len(r.batch) < comparedAtOnce {
		return nil
	}
	return r.flush(ctx)
}

// flush reads the players of the batch in Redis, all at once, and compares them.
func (r *redisCheck) flush(ctx context.Context) error {
	e := r.books.engine
	replies := make([]chan []string, len(r.batch))
	for i := range r.batch {
		uid := r.batch[i].UID
		replies[i] = make(chan []string, 1)
		go func() {
			s := e.of(uid)
			reply, err := e.ask(ctx, s, scriptWallet, 0, []string{s.player(fmt.Sprint(uid))})
			if err != nil {
				reply = nil
			}
			replies[i] <- reply
		}()
	}
	for i := range r.batch {
		p := &r.batch[i]
		shard := shardOf(p.UID, len(r.found))
		reply := <-replies[i]
		if reply == nil {
			r.stands[shard] = false // it can't be read, or is fenced
			continue
		}
		comparePlayer(p, reply[1:], func(text string) { r.differ(shard, p.UID, text) })
	}
	r.batch = r.batch[:0]
	return ctx.Err()
}

// comparePlayer holds the fields of a player's hash against those that the books would make. How often a player won on a
// day is not compared: the books do not count it.
func comparePlayer(p *ledger.Player, fields []string, differ func(string)) {
	wanted := playerFields(p)
	for i := 0; i+1 < len(fields); i += 2 {
		name, value := fields[i], fields[i+1]
		want, known := wanted[name]
		delete(wanted, name)
		switch {
		case strings.HasPrefix(name, "d:"), value == want, name == "b" && value == "0" && !known:
		case !known:
			differ(fmt.Sprintf("Redis has %s (%s), and the books do not", fieldText(name), value))
		default:
			differ(fmt.Sprintf("%s is %q in Redis, by the books %q", fieldText(name), value, want))
		}
	}
	for name, want := range wanted {
		differ(fmt.Sprintf("Redis lacks %s (%s)", fieldText(name), want))
	}
}

// playerFields are the fields of a player's hash, as snatch.lua describes it, but those of days.
func playerFields(p *ledger.Player) map[string]string {
	fields := map[string]string{}
	wins := map[uint32]int{}
	for i := range p.Envelopes {
		e := &p.Envelopes[i]
		id, campaign := fmt.Sprint(uint64(e.ID)), e.ID.Campaign()
		wins[campaign]++
		fields["e:"+id] = fmt.Sprintf("%d %d %d %d %d %s", e.AmountFen, int64(e.WonAt), int64(e.ExpiresAt), e.Day, e.Revision, e.Key)
		fields[fmt.Sprintf("k:%d:%s", campaign, e.Key)] = id
		switch e.State {
		case hongbao.StateOpened:
			fields["o:"+id] = fmt.Sprintf("o %d", int64(e.ClosedAt))
			fields["b"] = "" // set below
		case hongbao.StateRefunded:
			fields["o:"+id] = fmt.Sprintf("r %d", int64(e.ClosedAt))
		}
	}
	if _, opened := fields["b"]; opened || p.BalanceFen != 0 {
		fields["b"] = fmt.Sprint(p.BalanceFen)
	}
	for campaign, n := range wins {
		fields[fmt.Sprint("w:", campaign)] = fmt.Sprint(n)
	}
	for _, campaign := range p.Signups {
		fields[fmt.Sprint("s:", campaign)] = "1"
	}
	return fields
}

func fieldText(name string) string {
	kind, rest, _ := strings.Cut(name, ":")
	word, known := map[string]string{
		"b": "the balance", "e": "envelope", "o": "what became of envelope", "k": "the key", "w": "the wins in campaign", "s": "the sign-up for campaign",
	}[kind]
	if !known {
		return "the field " + name
	}
	return strings.TrimSpace(word + " " + rest)
}
