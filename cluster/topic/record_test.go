package topic

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"testing"
)

func TestRecordComesBackAsItWasWritten(t *testing.T) {
	for _, want := range []Record{
		{Shard: 0, Epoch: 1, Seq: 1, Event: []byte("event")},
		{Shard: 255, Epoch: 300, Seq: 1 << 40, Event: bytes.Repeat([]byte{0xB0}, 1000)},
		{Shard: math.MaxInt32, Epoch: math.MaxUint64, Seq: math.MaxUint64, Event: []byte{}},
	} {
		got, err := decode(want.Shard, want.appendTo([]byte("before"))[6:])
		if err != nil {
			t.Fatal(err)
		}
		if got.Shard != want.Shard || got.Epoch != want.Epoch || got.Seq != want.Seq || !bytes.Equal(got.Event, want.Event) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

func TestRecordFormatStays(t *testing.T) {
	b := Record{Shard: 7, Epoch: 2, Seq: 300, Event: []byte("event")}.appendTo(nil)
	if got, want := hex.EncodeToString(b), "b00102ac026576656e74d3423fbe"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWhatTheRelayDidNotWriteThereIsBad(t *testing.T) {
	good := Record{Shard: 3, Epoch: 1, Seq: 9, Event: []byte("event")}.appendTo(nil)
	// sealed is a value whose sum is right.
	sealed := func(body ...byte) []byte {
		s := sum(body, 3)
		return append(body, byte(s>>24), byte(s>>16), byte(s>>8), byte(s))
	}
	for _, row := range []struct {
		name  string
		value []byte
		want  error
	}{
		{"nothing", nil, errNotOurs},
		{"garbage", []byte("a message of somebody else"), errNotOurs},
		{"only a magic", good[:1], errNotOurs},
		{"cut at the end", good[:len(good)-1], errDamaged},
		{"cut to the header", good[:6], errDamaged},
		{"something behind it", append(bytes.Clone(good), 0), errDamaged},
		{"of a newer version", append([]byte{magic, 2}, good[2:]...), errVersion},
		{"of another shard", Record{Shard: 4, Epoch: 1, Seq: 9, Event: []byte("event")}.appendTo(nil), errDamaged},
		{"without a sequence", sealed(magic, version, 1), errNotOurs},
		{"of sequence 0", sealed(magic, version, 1, 0), errNotOurs},
		{"of a number too long", sealed(magic, version, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1), errNotOurs},
	} {
		if _, err := decode(3, row.value); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
	for i := range good {
		for bit := range 8 {
			flipped := bytes.Clone(good)
			flipped[i] ^= 1 << bit
			if _, err := decode(3, flipped); err == nil {
				t.Errorf("byte %d with bit %d flipped is taken for good", i, bit)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(3, Record{Shard: 3, Epoch: 1, Seq: 9, Event: []byte("event")}.appendTo(nil))
	f.Fuzz(func(t *testing.T, shard int, b []byte) {
		if r, err := decode(shard, b); err == nil && r.Seq == 0 {
			t.Error("sequence 0")
		}
	})
}
