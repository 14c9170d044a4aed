package journal

import (
	"bytes"
	"testing"
)

// FuzzBlock feeds the decoder any bytes: it must not panic, and what it accepts is exactly what encode makes.
func FuzzBlock(f *testing.F) {
	for _, n := range []int{0, 1, 400, 2000} {
		g := &Group{}
		g.Begin()
		g.Events = append(g.Events, make([]byte, n)...)
		g.End()
		b := Block{Number: 9, AtMS: 1, Prev: Hash{1}, Count: 1, Events: g.Events}
		f.Add(b.encode(nil))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := decode(raw, nil)
		if err != nil {
			return
		}
		n := 0
		for i, event := range Events(b) {
			if i != n || len(event) > len(b.Events) {
				t.Errorf("event %d of %d bytes where %d was due", i, len(event), n)
			}
			n++
		}
		if n != b.Count {
			t.Errorf("%d events, not %d", n, b.Count)
		}
		again := b
		if encoded := again.encode(nil); again.Hash == b.Hash && !bytes.Equal(encoded, raw[:len(encoded)]) {
			t.Error("two blocks have one hash")
		}
	})
}

// FuzzTornEnd feeds the judge of the journal's end any bytes: it must not panic, and calls nothing torn that holds a good block.
func FuzzTornEnd(f *testing.F) {
	b := Block{Number: 1, Events: make([]byte, 2000), Count: 2000}
	f.Add(b.encode(nil))
	f.Fuzz(func(t *testing.T, tail []byte) {
		tail = tail[:len(tail)/sectorBytes*sectorBytes]
		if len(tail) == 0 {
			return
		}
		torn, ok := tear(tail, Block{})
		if ok && (holdsBlock(tail) || torn > len(tail) || !isZero(tail[torn:])) {
			t.Errorf("%d bytes are called torn", torn)
		}
	})
}

func TestEverySectorOfABlockSurvivesTheChangeOfAByte(t *testing.T) {
	for n := range 2000 {
		b := Block{Number: 1, Events: make([]byte, n)}
		raw := b.encode(bytes.Repeat([]byte{0xff}, 4096))
		if len(raw)%sectorBytes != 0 || len(raw) != blockBytes(n) {
			t.Fatalf("%d bytes of events take %d", n, len(raw))
		}
		for at := 0; at < len(raw); at += sectorBytes {
			if set := len(raw[at:at+sectorBytes]) - bytes.Count(raw[at:at+sectorBytes], []byte{0}); set < 2 {
				t.Fatalf("%d bytes of events: the sector at %d has %d bytes that are not zero", n, at, set)
			}
		}
	}
}
