package topic

import (
	"slices"
	"testing"
)

func TestEndsSeesPastPoisonAndRepetitions(t *testing.T) {
	topic := made(t, 6)
	ctx := timed(t)
	garbage := slices.Repeat([][]byte{[]byte("garbage")}, 20)
	// Shard 0 is empty; 1 holds only poison; 2 has poison at its end; 3 a short repetition; 4 a new epoch and a
	// repetition of the old; 5 one longer than Ends looks back.
	raw(t, topic, 1, garbage...)
	produce(t, topic, run(2, 1, 1, 3000))
	raw(t, topic, 2, garbage...)
	produce(t, topic, slices.Concat(run(3, 1, 1, 3000), run(3, 1, 2500, 2800)))
	produce(t, topic, slices.Concat(run(4, 1, 1, 10), run(4, 2, 11, 12), run(4, 1, 5, 10)))
	produce(t, topic, slices.Concat(run(5, 1, 1, 3000), run(5, 1, 1, 1500)))

	got, err := topic.Ends(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := []End{
		{Shard: 0},
		{Shard: 1, Offset: 20},
		{Shard: 2, Offset: 3020, Epoch: 1, Seq: 3000},
		{Shard: 3, Offset: 3301, Epoch: 1, Seq: 3000},
		{Shard: 4, Offset: 18, Epoch: 2, Seq: 12},
		{Shard: 5, Offset: 4500, Epoch: 1, Seq: 1500}, // a lower bound, as it says
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}

	want[5].Seq = 3000 // exact
	want[4] = End{Shard: 4, Offset: 18, Epoch: 1, Seq: 10}
	want[2] = End{Shard: 2, Offset: 3020}
	if got, err = topic.EndsFrom(ctx, []int64{0, 20, 3000, 2999, 12, 2999}, make([]uint64, 6)); err != nil || !slices.Equal(got, want) {
		t.Errorf("from: %+v, %v; want %+v", got, err, want)
	}
}

func TestEndsGoesBackAsFarAsNeeded(t *testing.T) {
	topic := made(t, 1)
	produce(t, topic, run(0, 1, 1, 5))
	// Records of another shard, many of them, in this shard's partition.
	poison := run(1, 1, 1, 4*tailRecords)
	values := make([][]byte, len(poison))
	for i, record := range poison {
		values[i] = record.appendTo(nil)
	}
	rawBatch(t, topic, 0, values)
	got, err := topic.Ends(timed(t))
	if want := (End{Offset: 5 + 4*tailRecords, Epoch: 1, Seq: 5}); err != nil || got[0] != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}
