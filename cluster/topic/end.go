package topic

import (
	"context"
	"fmt"
)

// tailRecords is how far back from a partition's end Ends looks at least.
const tailRecords = 1_000

// End is where a shard's partition ends.
type End struct {
	Shard  int
	First  int64  // the first offset that is kept; not 0 means that something was deleted
	Offset int64  // the next offset
	Epoch  uint64 // of the record of Seq; of several, the highest
	Seq    uint64 // the highest sequence found; 0 when there is none
}

// Ends returns, by shard, where the partition ends and the record with the highest sequence among the last thousand
// offsets or, where those hold no valid one, in the nearest stretch before them that does; 0 and 0 mean that the
// partition holds none at all. Over epochs the sequence goes on, so the higher sequence is the later record.
//
// The end of a partition may be a repetition: of what a relay sent again after an error, or of what a relay that had
// hung still sent. A repetition longer than a thousand hides what is before it, so Seq is a lower bound and is right
// for a display or to begin from. What must not be below the truth, such as the check before a shard is adopted, uses
// [Topic.EndsFrom].
func (t *Topic) Ends(ctx context.Context) ([]End, error) {
	ends, spans, err := t.ends(ctx)
	if err != nil {
		return nil, err
	}
	for size := int64(tailRecords); ; size *= 4 {
		// Back by size in the shards that have shown nothing yet.
		window, left := make([]span, len(spans)), false
		for shard, s := range spans {
			if ends[shard].Seq == 0 && s.first < s.next {
				window[shard] = span{max(s.first, s.next-size), s.next}
				spans[shard].next = window[shard].first
				left = true
			}
		}
		if !left {
			return ends, nil
		}
		if err := t.highest(ctx, window, ends, make([]uint64, len(spans))); err != nil {
			return nil, err
		}
	}
}

// EndsFrom returns, by shard, where the partition ends and the record with the highest sequence at or after its offset in
// from; 0 and 0 mean that there is none there. With the offsets that the ledger has applied up to, the higher of that and
// of the ledger's own watermark is the highest sequence in the partition, exactly. It reads all that is between, a
// second for some hundred thousand records. An offset that the partition doesn't have is a [RangeError].
//
// Records of an epoch below the shard's in least are passed over: the shard has been made anew since.
func (t *Topic) EndsFrom(ctx context.Context, from []int64, least []uint64) ([]End, error) {
	ends, spans, err := t.ends(ctx)
	if err != nil {
		return nil, err
	}
	if len(from) != len(spans) {
		return nil, fmt.Errorf("topic %s has %d partitions, for %d shards", t.options.Topic, len(spans), len(from))
	}
	for shard, s := range spans {
		if from[shard] < s.first || from[shard] > s.next {
			return nil, &RangeError{Topic: t.options.Topic, Shard: shard, Offset: from[shard], First: s.first, Next: s.next}
		}
		spans[shard].first = from[shard]
	}
	return ends, t.highest(ctx, spans, ends, least)
}

func (t *Topic) ends(ctx context.Context) ([]End, []span, error) {
	spans, err := t.spans(ctx)
	if err != nil {
		return nil, nil, err
	}
	ends := make([]End, len(spans))
	for shard, s := range spans {
		ends[shard] = End{Shard: shard, First: s.first, Offset: s.next}
	}
	return ends, spans, nil
}

// highest raises ends to the highest sequences in the spans.
func (t *Topic) highest(ctx context.Context, spans []span, ends []End, least []uint64) error {
	return t.read(ctx, spans, func(d Delivery) error {
		end := &ends[d.Shard]
		if d.Bad == nil && d.Epoch >= least[d.Shard] && (d.Seq > end.Seq || d.Seq == end.Seq && d.Epoch > end.Epoch) {
			end.Epoch, end.Seq = d.Epoch, d.Seq
		}
		return nil
	})
}
