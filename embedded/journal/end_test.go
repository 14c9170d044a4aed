package journal

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// An ending is a journal at rest whose last block takes several sectors.
type ending struct {
	raw    []byte // the only segment
	off    int    // where the last block starts
	size   int    // and what it takes
	blocks []Block
}

const onlySegment = "000000000001.journal"

// endWith makes a journal of two blocks, the last of which holds the event.
func endWith(t testing.TB, event []byte) ending {
	t.Helper()
	files := vfs.NewMem()
	j := start(t, files)
	write(t, j, []byte("the block before"))
	write(t, j, event)
	e := ending{blocks: keep(t, j.Blocks(1))}
	stop(t, j)
	e.raw = content(t, files, onlySegment)
	e.off = segmentHeaderBytes + blockBytes(len(e.blocks[0].Events))
	e.size = blockBytes(len(e.blocks[1].Events))
	return e
}

// folder is a file system that holds the journal with an edited segment.
func (e ending) folder(t testing.TB, edit func(raw []byte) []byte) vfs.FS {
	t.Helper()
	files := vfs.NewMem()
	if err := MakeDir(files, dir); err != nil {
		t.Fatal(err)
	}
	f, err := files.Create(files.PathJoin(dir, onlySegment), vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(edit(bytes.Clone(e.raw))); err != nil {
		t.Fatal(err)
	}
	return files
}

// events of about four sectors, the first of which would look like unwritten disk.
func hardEvents() map[string][]byte {
	return map[string][]byte{
		"zeroes":          make([]byte, 1700),
		"text":            bytes.Repeat([]byte("text"), 425),
		"a lonely byte":   append(make([]byte, 1000), append([]byte{1}, make([]byte, 700)...)...),
		"just one sector": []byte("short"),
	}
}

func TestAnySectorMissingIsTorn(t *testing.T) {
	for name, event := range hardEvents() {
		t.Run(name, func(t *testing.T) {
			e := endWith(t, event)
			sectors := e.size / sectorBytes
			for present := range 1 << sectors {
				files := e.folder(t, func(raw []byte) []byte {
					for s := range sectors {
						if present>>s&1 == 0 {
							clear(raw[e.off+s*sectorBytes:][:sectorBytes])
						}
					}
					return raw
				})
				want := e.blocks[:1]
				if present == 1<<sectors-1 {
					want = e.blocks
				}
				checkRecovers(t, fmt.Sprintf("with sectors %0*b", sectors, present), files, want)
			}
		})
	}
}

// checkRecovers checks that reading leaves the folder alone, that opening recovers exactly the wanted blocks, and that the journal
// goes on behind them.
func checkRecovers(t *testing.T, what string, files vfs.FS, want []Block) {
	t.Helper()
	before := content(t, files, onlySegment)
	if got := keep(t, Read(files, dir, 1)); !slices.EqualFunc(got, want, sameBlock) {
		t.Fatalf("%s: %d blocks are read, not %d", what, len(got), len(want))
	}
	if !bytes.Equal(before, content(t, files, onlySegment)) {
		t.Fatalf("%s: reading has changed the file", what)
	}
	j, err := tryStart(files)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer stop(t, j)
	if got := keep(t, j.Blocks(1)); !slices.EqualFunc(got, want, sameBlock) {
		t.Fatalf("%s: %d blocks are recovered, not %d", what, len(got), len(want))
	}
	if used := j.Segments()[0].Used; !isZero(content(t, files, onlySegment)[used:]) {
		t.Fatalf("%s: the end is not zeroed", what)
	}
	write(t, j, []byte("next"))
	checkChain(t, keep(t, j.Blocks(1)))
}

func TestAnyByteChangedIsDamage(t *testing.T) {
	changes := map[string]func(byte) byte{
		"one bit":  func(b byte) byte { return b ^ 1 },
		"all bits": func(b byte) byte { return ^b },
		"to zero":  func(byte) byte { return 0 },
	}
	for name, event := range hardEvents() {
		for how, change := range changes {
			t.Run(name+", "+how, func(t *testing.T) {
				e := endWith(t, event)
				for at := segmentHeaderBytes; at < e.off+e.size; at++ {
					number := 1
					if at >= e.off {
						number = 2
					}
					if change(e.raw[at]) != e.raw[at] {
						e.checkDamage(t, at, number, change)
					}
				}
			})
		}
	}
}

func (e ending) checkDamage(t *testing.T, at, number int, change func(byte) byte) {
	t.Helper()
	files := e.folder(t, func(raw []byte) []byte {
		raw[at] = change(raw[at])
		return raw
	})
	_, err := tryStart(files)
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), fmt.Sprintf("block %d in %s", number, onlySegment)) {
		t.Fatalf("byte %d of block %d: %v", at, number, err)
	}
}

func TestAnyByteChangedInASegmentHeaderStopsTheStart(t *testing.T) {
	e := endWith(t, nil)
	for at := range segmentHeaderBytes {
		_, err := tryStart(e.folder(t, func(raw []byte) []byte {
			raw[at] ^= 1
			return raw
		}))
		if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewerFormat) {
			t.Fatalf("byte %d: %v", at, err)
		}
	}
}

func TestEndings(t *testing.T) {
	e := endWith(t, make([]byte, 1700))
	last := func(raw []byte) []byte { return raw[e.off : e.off+e.size] }
	after := e.off + e.size
	for _, row := range []struct {
		name  string
		edit  func(raw []byte) []byte
		wants error
		text  string
	}{
		{"the first sector is missing, the others are there", func(raw []byte) []byte {
			clear(last(raw)[:sectorBytes])
			return raw
		}, nil, ""},
		{"the first sector is missing, and a byte of another is changed in its mark", func(raw []byte) []byte {
			clear(last(raw)[:sectorBytes])
			last(raw)[2*sectorBytes]++
			return raw
		}, ErrDamaged, "block 2 in"},
		{"a sector is missing, and a byte of the header is changed", func(raw []byte) []byte {
			clear(last(raw)[sectorBytes:][:sectorBytes])
			last(raw)[16]++
			return raw
		}, ErrDamaged, "block 2 in"},
		{"a sector is missing, and something stands behind the block", func(raw []byte) []byte {
			clear(last(raw)[sectorBytes:][:sectorBytes])
			copy(raw[after:], nextMark)
			return raw
		}, ErrDamaged, "block 2 in"},
		{"a sector is missing, and a good block follows", func(raw []byte) []byte {
			clear(last(raw)[sectorBytes:][:sectorBytes])
			e.next(3, Hash{}).place(raw, after)
			return raw
		}, ErrDamaged, "block 2 in"},
		{"all of the last block is missing, and a good block follows", func(raw []byte) []byte {
			clear(last(raw))
			e.next(3, e.blocks[1].Hash).place(raw, after)
			return raw
		}, ErrDamaged, "block 2 in"},
		{"a good block follows at an odd byte", func(raw []byte) []byte {
			clear(last(raw)[:sectorBytes])
			e.next(3, e.blocks[1].Hash).place(raw, after+777)
			return raw
		}, ErrDamaged, "block 2 in"},
		{"the first sector is missing, and a good block is among the others", func(raw []byte) []byte {
			clear(last(raw))
			e.next(3, e.blocks[1].Hash).place(raw, e.off+sectorBytes)
			return raw
		}, ErrDamaged, "block 2 in"},
		{"the first sector is missing, and a good block is hidden inside the others", func(raw []byte) []byte {
			clear(last(raw)[:sectorBytes])
			event := append(make([]byte, sectorBytes-100-headerBytes-2), nextMark...) // the mark of the sector it reaches into
			e.holding(3, e.blocks[1].Hash, event).place(raw, e.off+sectorBytes+100)
			return raw
		}, ErrDamaged, "block 2 in"},
		{"a byte far behind the end is changed", func(raw []byte) []byte {
			raw[len(raw)-1] = 1
			return raw
		}, ErrDamaged, "block 3 in"},
		{"a good block with another number follows", func(raw []byte) []byte {
			e.next(4, e.blocks[1].Hash).place(raw, after)
			return raw
		}, ErrDamaged, "block 3 in"},
		{"a good block with another previous hash follows", func(raw []byte) []byte {
			e.next(3, e.blocks[0].Hash).place(raw, after)
			return raw
		}, ErrDamaged, "block 3 in"},
		{"half of a block with another number follows", func(raw []byte) []byte {
			e.next(4, e.blocks[1].Hash).place(raw, after)
			clear(raw[after+sectorBytes : after+2*sectorBytes])
			return raw
		}, ErrDamaged, "block 3 in"},
		{"a block whose events do not split follows", func(raw []byte) []byte {
			b := e.next(3, e.blocks[1].Hash)
			b.Count++
			b.place(raw, after)
			return raw
		}, ErrDamaged, "block 3 in"},
		{"the file is cut short within the last block", func(raw []byte) []byte { return raw[:e.off+sectorBytes] }, ErrDamaged, "the file has"},
		{"the file is cut short behind it", func(raw []byte) []byte { return raw[:after] }, ErrDamaged, "the file has"},
		{"the file is cut short in its header", func(raw []byte) []byte { return raw[:100] }, ErrDamaged, "ends within"},
		{"the file is empty", func([]byte) []byte { return nil }, ErrDamaged, "ends within"},
		{"the file has grown", func(raw []byte) []byte { return append(raw, make([]byte, 4096)...) }, ErrDamaged, "the file has"},
		{"the format is newer", func(raw []byte) []byte {
			raw[16] = 7
			return raw
		}, ErrNewerFormat, "version 7, this program knows up to 1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			files := e.folder(t, row.edit)
			if row.wants == nil {
				checkRecovers(t, row.name, files, e.blocks[:1])
				return
			}
			var read error
			for _, read = range Read(files, dir, 1) {
			}
			_, opened := tryStart(files)
			for _, err := range []error{read, opened} {
				if !errors.Is(err, row.wants) || !strings.Contains(err.Error(), row.text) {
					t.Errorf("%v", err)
				}
			}
		})
	}
}

// next is a good block of some sectors that could follow.
func (e ending) next(number uint64, prev Hash) *Block {
	return e.holding(number, prev, make([]byte, 1000))
}

func (e ending) holding(number uint64, prev Hash, event []byte) *Block {
	g := &Group{}
	g.Begin()
	g.Events = append(g.Events, event...)
	g.End()
	return &Block{Number: number, Prev: prev, Count: 1, Events: g.Events}
}

func (b *Block) place(raw []byte, at int) { copy(raw[at:], b.encode(nil)) }

func TestTornEndInAnEarlierSegmentIsDamage(t *testing.T) {
	files := vfs.NewMem()
	j := start(t, files, func(o *Options) { o.SegmentBytes = 20 << 10 }) // which blocks of three sectors do not fill
	for range 40 {
		write(t, j, bytes.Repeat([]byte("e"), 1200))
	}
	stop(t, j)
	segments := j.Segments()
	for _, row := range []struct {
		name string
		edit func(raw []byte)
	}{
		{"its last block lacks a sector", func(raw []byte) {
			at := bytes.LastIndex(raw, []byte(nextMark))
			clear(raw[at : at+sectorBytes])
		}},
		{"its last block lacks all", func(raw []byte) {
			clear(raw[bytes.LastIndex(raw, []byte(startMark)):])
		}},
		{"something stands behind its last block", func(raw []byte) { raw[len(raw)-1] = 1 }},
	} {
		t.Run(row.name, func(t *testing.T) {
			whole := content(t, files, segments[0].Name)
			change(t, files, segments[0].Name, row.edit)
			if _, err := tryStart(files); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "in "+segments[0].Name) {
				t.Errorf("Open: %v", err)
			}
			change(t, files, segments[0].Name, func(raw []byte) { copy(raw, whole) })
		})
	}
}

func TestSegmentsThatDoNotFitTogether(t *testing.T) {
	for _, row := range []struct {
		name string
		edit func(t *testing.T, files vfs.FS, names []string)
		text string
	}{
		{"the first is missing", func(t *testing.T, files vfs.FS, names []string) {
			remove(t, files, names[0])
		}, "block 1 is missing"},
		{"one in the middle is missing", func(t *testing.T, files vfs.FS, names []string) {
			remove(t, files, names[1])
		}, "in " + onlySegment},
		{"one has another's name", func(t *testing.T, files vfs.FS, names []string) {
			if err := files.Rename(files.PathJoin(dir, names[2]), files.PathJoin(dir, names[1])); err != nil {
				t.Fatal(err)
			}
		}, "its header says that it begins with block"},
		{"the hash in the header is another", func(t *testing.T, files vfs.FS, names []string) {
			change(t, files, names[1], func(raw []byte) {
				info := SegmentInfo{First: parseFirst(t, files, names[1]), Bytes: small}
				copy(raw, encodeSegmentHeader(info, Hash{1}))
			})
		}, "is not that of the block before it"},
		{"the hash in the last header is another", func(t *testing.T, files vfs.FS, names []string) {
			last := names[len(names)-1]
			change(t, files, last, func(raw []byte) {
				clear(raw)
				copy(raw, encodeSegmentHeader(SegmentInfo{First: parseFirst(t, files, last), Bytes: small}, Hash{1}))
			})
		}, "is not that of the block before it"},
		{"the first header names a block before", func(t *testing.T, files vfs.FS, names []string) {
			change(t, files, names[0], func(raw []byte) {
				copy(raw, encodeSegmentHeader(SegmentInfo{First: 1, Bytes: small}, Hash{1}))
			})
		}, "there is no block before it"},
	} {
		t.Run(row.name, func(t *testing.T) {
			files := vfs.NewMem()
			j := start(t, files)
			for range 60 {
				write(t, j, bytes.Repeat([]byte("e"), 700))
			}
			stop(t, j)
			var names []string
			for _, s := range j.Segments() {
				names = append(names, s.Name)
			}
			row.edit(t, files, names)
			if _, err := tryStart(files); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), row.text) {
				t.Errorf("Open: %v", err)
			}
		})
	}
}

func remove(t *testing.T, files vfs.FS, name string) {
	t.Helper()
	if err := files.Remove(files.PathJoin(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func parseFirst(t *testing.T, files vfs.FS, name string) uint64 {
	t.Helper()
	segments, err := list(files, dir)
	if err != nil {
		t.Fatal(err)
	}
	return segments[slices.IndexFunc(segments, func(s SegmentInfo) bool { return s.Name == name })].First
}
