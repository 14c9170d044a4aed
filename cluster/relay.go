package cluster

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"hongbao/cluster/ledger"
	"hongbao/cluster/topic"
)

const (
	relayPage    = 1000 // events of a shard in one round
	relayIdleMax = 50 * time.Millisecond
	relayPace    = 10 * time.Millisecond // between rounds that are not full: few large rounds cost every store less than many small ones
)

func formatSeq(seq uint64) string { return strconv.FormatUint(seq, 10) }

// relay moves what is final in the outboxes to Kafka, in order. It begins behind what Kafka has, and sends again whatever
// it is not sure of: the ledger skips what it has.
func (e *Engine) relay(ctx context.Context) {
	var after []uint64
	e.repeat(ctx, redialEvery, "relaying", func(ctx context.Context) (err error) {
		if after == nil {
			if after, err = e.relayFrom(ctx); err != nil {
				after = nil
				return err
			}
		}
		for idle := time.Millisecond; ctx.Err() == nil; {
			moved, err := e.relayRound(ctx, after)
			if err != nil {
				return err
			}
			if moved >= relayPage {
				continue
			}
			if moved > 0 {
				idle = time.Millisecond
				pause(ctx, relayPace)
				continue
			}
			pause(ctx, idle)
			idle = min(2*idle, relayIdleMax)
		}
		return nil
	})
}

// relayFrom is the sequence of each shard behind which relaying begins: the highest that books or Kafka have.
func (e *Engine) relayFrom(ctx context.Context) ([]uint64, error) {
	marks, err := e.ledger.Marks(ctx)
	if err != nil {
		return nil, err
	}
	after, err := e.reached(ctx, marks)
	return after, err
}

// reached is the highest sequence of each shard that books or Kafka have.
func (e *Engine) reached(ctx context.Context, marks []ledger.Mark) ([]uint64, error) {
	offsets, epochs := make([]int64, len(marks)), make([]uint64, len(marks))
	for i, mark := range marks {
		offsets[i], epochs[i] = mark.Offset, mark.Epoch
	}
	ends, err := e.topic.EndsFrom(ctx, offsets, epochs)
	if err != nil {
		return nil, err
	}
	seqs := make([]uint64, len(marks))
	for i, mark := range marks {
		seqs[i] = max(mark.Seq, ends[i].Seq)
	}
	return seqs, nil
}

// relayRound moves a page of every shard and returns how many events there were.
func (e *Engine) relayRound(ctx context.Context, after []uint64) (moved int, err error) {
	pages := make([][]topic.Record, len(e.shards))
	var mu sync.Mutex
	failed := e.everyShard(func(s *shard) error {
		if again := e.work.rewind[s.index].Swap(-1); again >= 0 {
			after[s.index] = min(after[s.index], uint64(again))
		}
		page, err := e.readOutbox(ctx, s, after[s.index])
		mu.Lock()
		defer mu.Unlock()
		pages[s.index] = page
		return err
	})
	var all []topic.Record
	for _, page := range pages {
		all = append(all, page...)
	}
	if len(all) > 0 {
		if err := e.topic.Produce(ctx, all); err != nil {
			return 0, err
		}
	}
	for i, page := range pages {
		if len(page) > 0 {
			after[i] = page[len(page)-1].Seq
			e.shards[i].acked.Store(after[i])
		}
	}
	e.work.relayed.Add(uint64(len(all)))
	if len(all) > 0 {
		return len(all), nil // shards that can't be read now hold nobody up
	}
	return 0, failed
}

// readOutbox reads a page of a shard's outbox: all of it is final, because the lane's group was confirmed.
func (e *Engine) readOutbox(ctx context.Context, s *shard, after uint64) ([]topic.Record, error) {
	reply, err := e.ask(ctx, s, scriptOutbox, 0, []string{s.outbox}, formatSeq(after), strconv.Itoa(relayPage))
	if err != nil {
		return nil, err
	}
	s.seq.Store(parseUint(reply[1]))
	s.bytes.Store(int64(parseUint(reply[3])))
	var page []topic.Record
	for i := 4; i+1 < len(reply); i += 2 {
		record, err := parseOutbox(s.index, reply[i], reply[i+1])
		if err != nil {
			return nil, err
		}
		if record.Seq != after+1+uint64(len(page)) {
			return nil, fmt.Errorf("the outbox of shard %d goes on with %d behind %d", s.index, record.Seq, after+uint64(len(page)))
		}
		page = append(page, topic.Record(record))
	}
	return page, nil
}
