package journal

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	version            = 1
	segmentHeaderBytes = 4096
	segmentMagic       = "hongbao journal\n"
	segmentSuffix      = ".journal"
	spareName          = "next.tmp" // a segment that is being prepared
)

// SegmentInfo is one segment file.
type SegmentInfo struct {
	Name  string
	First uint64 // number of its first block
	Bytes int64  // size of the file
	Used  int64  // bytes up to the end of the last durable block; in all but the last segment it is Bytes
}

func segmentName(first uint64) string { return fmt.Sprintf("%012d%s", first, segmentSuffix) }

// list finds the segments of a folder, in order, by their names. Other files are left alone.
func list(files vfs.FS, dir string) ([]SegmentInfo, error) {
	names, err := files.List(dir)
	if err != nil {
		return nil, fmt.Errorf("list journal folder: %w", err)
	}
	var segments []SegmentInfo
	for _, name := range names {
		first, err := strconv.ParseUint(strings.TrimSuffix(name, segmentSuffix), 10, 64)
		if err != nil || name != segmentName(first) {
			continue
		}
		info, err := files.Stat(files.PathJoin(dir, name))
		if err != nil {
			return nil, fmt.Errorf("look at segment: %w", err)
		}
		segments = append(segments, SegmentInfo{Name: name, First: first, Bytes: info.Size(), Used: info.Size()})
	}
	slices.SortFunc(segments, func(a, b SegmentInfo) int { return cmp.Compare(a.First, b.First) })
	if len(segments) > 0 && segments[0].First != 1 {
		return nil, fmt.Errorf("%w: block 1 is missing: the first segment is %s", ErrDamaged, segments[0].Name)
	}
	return segments, nil
}

// encodeSegmentHeader makes the first 4096 bytes of a segment: magic, format version, size of the file, number of the first
// block, hash of the block before it, and a checksum over all of them at the end.
func encodeSegmentHeader(s SegmentInfo, prev Hash) []byte {
	raw := make([]byte, segmentHeaderBytes)
	copy(raw, segmentMagic)
	binary.LittleEndian.PutUint32(raw[16:], version)
	binary.LittleEndian.PutUint64(raw[24:], uint64(s.Bytes))
	binary.LittleEndian.PutUint64(raw[32:], s.First)
	copy(raw[40:], prev[:])
	sum := raw[segmentHeaderBytes-4:]
	binary.LittleEndian.PutUint32(sum, checksum(raw[:segmentHeaderBytes-4]))
	return raw
}

// parseSegmentHeader checks a segment's header against name and size of the file, and returns the hash of the block before
// its first.
func parseSegmentHeader(raw []byte, s SegmentInfo) (prev Hash, err error) {
	if string(raw[:len(segmentMagic)]) != segmentMagic {
		return Hash{}, segmentDamage(s, "it is not a journal segment")
	}
	if v := binary.LittleEndian.Uint32(raw[16:]); v > version {
		return Hash{}, fmt.Errorf("%w: %s has version %d, this program knows up to %d", ErrNewerFormat, s.Name, v, version)
	}
	if binary.LittleEndian.Uint32(raw[segmentHeaderBytes-4:]) != checksum(raw[:segmentHeaderBytes-4]) {
		return Hash{}, segmentDamage(s, "the checksum of its header does not match")
	}
	if size := int64(binary.LittleEndian.Uint64(raw[24:])); size != s.Bytes || size%sectorBytes != 0 {
		return Hash{}, segmentDamage(s, fmt.Sprintf("the file has %d bytes, its header says %d", s.Bytes, size))
	}
	if first := binary.LittleEndian.Uint64(raw[32:]); first != s.First {
		return Hash{}, segmentDamage(s, fmt.Sprintf("its header says that it begins with block %d", first))
	}
	return Hash(raw[40 : 40+len(prev)]), nil
}

func segmentDamage(s SegmentInfo, why string) error {
	return fmt.Errorf("%w: block %d, start of segment %s: %w", ErrDamaged, s.First, s.Name, flaw(why))
}

// MakeDir makes a folder, with those above it, so that it survives a crash: each folder in which a name is new is synced.
func MakeDir(files vfs.FS, dir string) error {
	if _, err := files.Stat(dir); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := files.PathDir(dir)
	if err := MakeDir(files, parent); err != nil {
		return err
	}
	if err := files.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return syncDir(files, parent)
}

func syncDir(files vfs.FS, dir string) error {
	d, err := files.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// removeSpare removes what a crash left of a segment in preparation.
func removeSpare(files vfs.FS, dir string) error {
	err := files.Remove(files.PathJoin(dir, spareName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
