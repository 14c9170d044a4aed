package cluster

import (
	"context"
	"fmt"
	"strconv"

	"hongbao"
	"hongbao/cluster/ledger"
)

// command sends a plain command to a shard's server and insists on its being final.
func (r *reconciler) command(ctx context.Context, s *shard, command ...string) (reply []string, err error) {
	err = r.insist(ctx, func() error {
		reply, _, err = r.plain(ctx, s, command...)
		return err
	})
	return reply, err
}

// xrange reads a page of an outbox as sequence and event by turns, whatever the fence.
func (r *reconciler) xrange(ctx context.Context, s *shard, after uint64) ([]string, error) {
	return r.ask(ctx, s, scriptPeek, 0, []string{s.outbox}, formatSeq(after), strconv.Itoa(relayPage))
}

// empty removes all keys of a lost shard: what an old file has may be any state of the past.
func (r *reconciler) empty(ctx context.Context, s *shard) error {
	for cursor := ""; cursor != "0"; {
		if cursor == "" {
			cursor = "0"
		}
		reply, err := r.command(ctx, s, "SCAN", cursor, "MATCH", s.tag+"*", "COUNT", "1000")
		if err != nil {
			return err
		}
		cursor = reply[0]
		if len(reply) > 1 {
			if _, err := r.command(ctx, s, append([]string{"UNLINK"}, reply[1:]...)...); err != nil {
				return err
			}
		}
	}
	return nil
}

// rebuildPlayers writes what the books have of the players of lost shards, and counts it by campaign.
func (r *reconciler) rebuildPlayers(ctx context.Context) error {
	snapshot, err := r.ledger.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	r.counts = map[countKey]*hongbao.Progress{}
	w := newPlayerWriter(r)
	err = snapshot.Players(ctx, func(p *ledger.Player) error {
		s := r.of(p.UID)
		if !r.held[s.index].lost {
			return nil
		}
		r.report.Players++
		r.count(s, p)
		return w.add(ctx, s, r.playerCommand(s, p))
	})
	if err != nil {
		return err
	}
	return w.wait()
}

// playerCommand is what a player's hash must hold.
func (r *reconciler) playerCommand(s *shard, p *ledger.Player) []string {
	command := []string{"HSET", s.player(strconv.FormatUint(p.UID, 10)), "b", strconv.FormatInt(p.BalanceFen, 10)}
	wins := map[uint32]int{}
	type today struct {
		day  int32
		wins int
	}
	days := map[hongbao.Kind]today{}
	for i := range p.Envelopes {
		e := &p.Envelopes[i]
		id, campaign := strconv.FormatUint(uint64(e.ID), 10), e.ID.Campaign()
		won := fmt.Sprintf("%d %d %d %d %d %s", e.AmountFen, e.WonAt, e.ExpiresAt, e.Day, e.Revision, e.Key)
		command = append(command, "e:"+id, won, fmt.Sprintf("k:%d:%s", campaign, e.Key), id)
		switch e.State {
		case hongbao.StateOpened:
			command = append(command, "o:"+id, "o "+formatTime(e.ClosedAt))
		case hongbao.StateRefunded:
			command = append(command, "o:"+id, "r "+formatTime(e.ClosedAt))
		}
		wins[campaign]++
		kind := r.campaigns[campaign-1].Rules().Kind
		known := days[kind]
		if e.Day > known.day {
			known = today{day: e.Day}
		}
		if e.Day == known.day {
			known.wins++
		}
		days[kind] = known
	}
	for campaign, n := range wins {
		command = append(command, fmt.Sprintf("w:%d", campaign), strconv.Itoa(n))
	}
	for kind, known := range days {
		command = append(command, "d:"+string(kind), fmt.Sprintf("%d %d", known.day, known.wins))
	}
	for _, campaign := range p.Signups {
		command = append(command, fmt.Sprintf("s:%d", campaign), "1")
	}
	return command
}

func (r *reconciler) count(s *shard, p *ledger.Player) {
	of := func(campaign uint32) *hongbao.Progress {
		key := countKey{s.index, campaign}
		if r.counts[key] == nil {
			r.counts[key] = &hongbao.Progress{}
		}
		return r.counts[key]
	}
	for i := range p.Envelopes {
		e := &p.Envelopes[i]
		count := of(e.ID.Campaign())
		count.Taken.Add(e.AmountFen)
		switch e.State {
		case hongbao.StateOpened:
			count.Opened.Add(e.AmountFen)
		case hongbao.StateRefunded:
			count.Refunded.Add(e.AmountFen)
		}
	}
	for _, campaign := range p.Signups {
		of(campaign).SignedUp++
	}
}

// rebuildCounters writes what lost shards count of each campaign, its revision and its seal.
func (r *reconciler) rebuildCounters(ctx context.Context) error {
	for _, s := range r.shards {
		if !r.held[s.index].lost {
			continue
		}
		for _, c := range r.campaigns {
			p := r.counts[countKey{s.index, c.ID}]
			if p == nil {
				p = &hongbao.Progress{}
			}
			command := []string{"HSET", s.campaign(c.texts.id), "rev", c.texts.revision,
				"taken", formatSeq(p.Taken.Count), "taken_fen", strconv.FormatInt(p.Taken.TotalFen, 10),
				"opened", formatSeq(p.Opened.Count), "opened_fen", strconv.FormatInt(p.Opened.TotalFen, 10),
				"refunded", formatSeq(p.Refunded.Count), "refunded_fen", strconv.FormatInt(p.Refunded.TotalFen, 10),
				"signed", formatSeq(p.SignedUp)}
			if seal := c.sealFlag(); seal != "" {
				command = append(command, "seal", seal)
			}
			if _, err := r.command(ctx, s, command...); err != nil {
				return err
			}
		}
	}
	return nil
}

// sealFlag is how shards know of the campaign's seal.
func (c *campaign) sealFlag() string {
	switch {
	case c.Cancelled():
		return sealCancelled
	case c.Seal != nil:
		return sealClosed
	}
	return ""
}

// rebuildHome makes the list of campaigns and the banks anew. A bank goes on at its mark: what lies below it and is not
// won may have been leased. Shards that lost nothing keep what they have leased, under the new incarnation; what they
// were giving back may have been leased again, and is dropped.
func (r *reconciler) rebuildHome(ctx context.Context) error {
	incarnation, err := r.ledger.NextIncarnation(ctx)
	if err != nil {
		return err
	}
	marks, err := r.ledger.BankMarks(ctx)
	if err != nil {
		return err
	}
	home, inc := r.home(), strconv.FormatUint(incarnation, 10)
	// Nodes remember the number of the last change that they know: the new ones must be higher.
	changes := parseUint(r.epoch) * 1_000_000_000
	for i, c := range r.campaigns {
		cursor := min(marks[c.ID], c.end())
		bank := []string{"HSET", home.bank(c.texts.id), "cursor", formatSeq(cursor), "fen", strconv.FormatInt(c.sumBelow(cursor), 10),
			"mark", formatSeq(cursor), "rev", c.texts.revision, "inc", inc}
		if seal := c.sealFlag(); seal != "" {
			bank = append(bank, "stopping", seal, "seal", seal)
		}
		begun, err := r.resumeLeases(ctx, c, inc)
		if err != nil {
			return err
		}
		commands := [][]string{bank,
			{"HSET", home.names(), c.Rules().Name, c.texts.id},
			{"HSET", home.campaigns(), c.texts.id, c.source},
			{"ZADD", home.changes(), formatSeq(changes + uint64(i) + 1), c.texts.id},
		}
		if begun != "" && c.Seal == nil { // a seal that had begun is finished by the worker
			commands = append(commands, []string{"SADD", home.stopping(), c.texts.id},
				[]string{"HSET", home.bank(c.texts.id), "stopping", begun, "actor", "reconcile", "since", formatTime(r.latest())})
		}
		for _, command := range commands {
			if _, err := r.command(ctx, home, command...); err != nil {
				return err
			}
		}
	}
	r.changes = formatSeq(changes + uint64(len(r.campaigns)))
	return nil
}

// rebuildRecorded writes the latest system event of each name, all of which the first shard records.
func (r *reconciler) rebuildRecorded(ctx context.Context) error {
	home := r.home()
	latest, err := r.ledger.Recorded(ctx, home.index, r.marks[home.index].Seq)
	if err != nil {
		return err
	}
	for name := range latest {
		e := latest[name]
		if _, err := r.command(ctx, home, "HSET", home.recorded(), name, string(hongbao.AppendEvent(nil, &e))); err != nil {
			return err
		}
	}
	return nil
}

func (r *reconciler) latest() (at hongbao.Time) {
	for _, mark := range r.marks {
		at = max(at, mark.At)
	}
	return at
}

// resumeLeases takes the shards that lost nothing over into a new incarnation of a campaign's leases, and returns the seal
// that any of them knows.
func (r *reconciler) resumeLeases(ctx context.Context, c *campaign, inc string) (seal string, err error) {
	for _, s := range r.shards {
		if r.held[s.index].lost {
			continue
		}
		reply, err := r.command(ctx, s, "HMGET", s.campaign(c.texts.id), "seal", "inc")
		if err != nil {
			return "", err
		}
		if reply[0] != "" {
			seal = reply[0]
		}
		if _, err := r.command(ctx, s, "HSET", s.campaign(c.texts.id), "inc", inc, "in", "0", "out", "0"); err != nil {
			return "", err
		}
		if _, err := r.command(ctx, s, "DEL", s.returning(c.texts.id)); err != nil {
			return "", err
		}
	}
	return seal, nil
}

// matchLeases makes the lost shards go on with the bank, which lost nothing: their last lease and return are the bank's.
func (r *reconciler) matchLeases(ctx context.Context) error {
	home := r.home()
	for _, c := range r.campaigns {
		for _, s := range r.shards {
			if !r.held[s.index].lost {
				continue
			}
			reply, err := r.command(ctx, home, "HMGET", home.bank(c.texts.id), "last:"+s.text, "back:"+s.text, "inc", "stopping")
			if err != nil {
				return err
			}
			if _, err := r.command(ctx, home, "HDEL", home.leases(c.texts.id), s.text); err != nil {
				return err
			}
			fields := []string{"HSET", s.campaign(c.texts.id), "in", orZero(reply[0]), "out", orZero(reply[1]), "inc", reply[2]}
			if reply[3] != "" {
				fields = append(fields, "seal", reply[3])
			}
			if _, err := r.command(ctx, s, fields...); err != nil {
				return err
			}
		}
	}
	return nil
}

func orZero(text string) string {
	if text == "" {
		return "0"
	}
	return text
}

// sumBelow is what the numbers below one come to, of whatever segments they are.
func (c *campaign) sumBelow(number uint64) (total int64) {
	var segments []hongbao.Segment
	for i := range c.Revisions {
		if s := c.Revisions[i].Segment; s != nil {
			segments = append(segments, *s)
		}
	}
	for i, s := range segments {
		until := min(number, s.First+s.Count)
		if i+1 < len(segments) {
			until = min(until, segments[i+1].First)
		}
		for at := s.First; at < until; {
			j := int((at - s.First) / hongbao.TrancheSize)
			first, count, fen := s.Tranche(j)
			if next := first + uint64(count); next <= until {
				total, at = total+fen, next
				continue
			}
			total += sum(c.life.cuts.of(s, j)[:until-first])
			at = until
		}
	}
	return total
}

// playerWriter sends commands to lost shards, some at a time.
type playerWriter struct {
	r      *reconciler
	places chan struct{}
	failed chan error
}

const writesAtOnce = 512

func newPlayerWriter(r *reconciler) *playerWriter {
	return &playerWriter{r: r, places: make(chan struct{}, writesAtOnce), failed: make(chan error, 1)}
}

func (w *playerWriter) add(ctx context.Context, s *shard, command []string) error {
	select {
	case err := <-w.failed:
		return err
	case w.places <- struct{}{}:
	}
	go func() {
		defer func() { <-w.places }()
		if _, err := w.r.command(ctx, s, command...); err != nil {
			select {
			case w.failed <- err:
			default:
			}
		}
	}()
	return nil
}

func (w *playerWriter) wait() error {
	for range writesAtOnce {
		w.places <- struct{}{}
	}
	select {
	case err := <-w.failed:
		return err
	default:
		return nil
	}
}
