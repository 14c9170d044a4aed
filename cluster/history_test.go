package cluster

import (
	"errors"
	"slices"
	"testing"

	"hongbao"
	"hongbao/cluster/ledger"
)

func TestPositionsAreReadBack(t *testing.T) {
	for _, seqs := range [][]uint64{{0}, {1, 2, 3}, {1 << 40, 0, 127, 128}} {
		got, err := parsePosition(positionText(seqs), len(seqs))
		if err != nil || !slices.Equal(got, seqs) {
			t.Errorf("%v is read back as %v, %v", seqs, got, err)
		}
	}
	if got, err := parsePosition("", 3); err != nil || !slices.Equal(got, []uint64{0, 0, 0}) {
		t.Errorf("the empty position is %v, %v", got, err)
	}
	for _, text := range []hongbao.Position{"made up", "AA", positionText([]uint64{1, 2}), positionText([]uint64{1, 2, 3, 4}), positionText([]uint64{1, 2, 3}) + "A", "17.0"} {
		if _, err := parsePosition(text, 3); !errors.Is(err, hongbao.ErrInvalid) {
			t.Errorf("%q is answered with %v", text, err)
		}
	}
}

func TestHeadsAreReadBack(t *testing.T) {
	marks := []ledger.Mark{{Shard: 0, Seq: 7, Chain: [32]byte{1}}, {Shard: 1}}
	head := headText(marks)
	seqs, hash, err := parseHead(head, 2)
	if err != nil || !slices.Equal(seqs, []uint64{7, 0}) || len(hash) != 64 {
		t.Errorf("%s is read back as %v, %s, %v", head, seqs, hash, err)
	}
	marks[1].Chain[31] = 1
	if headText(marks) == head {
		t.Error("another chain has the same head")
	}
	if headText(make([]ledger.Mark, 2)) != "" {
		t.Error("an empty journal has a head")
	}
	for _, bad := range []string{"", "7.0", "7.0-abc", "7-" + hash, "7.0.0-" + hash, "x.0-" + hash} {
		if _, _, err := parseHead(bad, 2); !errors.Is(err, hongbao.ErrInvalid) {
			t.Errorf("%q is answered with %v", bad, err)
		}
	}
}
