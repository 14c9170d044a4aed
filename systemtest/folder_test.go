package systemtest

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hongbao"
	"hongbao/bench"
	"hongbao/embedded"
)

// openRain is a campaign that is open for as long as a test runs.
const openRain = `[{name: rain, kind: rain, opens_at: +0s, lasts: 24h, wins_max: 0, budget: {total_fen: 1000000, count: 100000}}]`

// journalFile is the first segment of a folder's journal.
func journalFile(data string) string { return filepath.Join(data, "journal", "000000000001.journal") }

// prepareJournal makes a data folder whose journal begins with a small segment; the next one has the usual size.
func prepareJournal(t *testing.T, dir string) {
	t.Helper()
	engine, err := embedded.Open(embedded.Options{
		Dir: dir, SegmentBytes: 2 << 20, Calendar: hongbao.NewCalendar(time.FixedZone("Asia/Shanghai", 8*3600)),
		Now: hongbao.SystemClock().Now, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Broken: func(err error) { t.Error(err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestANewerFormatIsRefused(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	prepareJournal(t, data)
	alter(t, journalFile(data), func(segment []byte) {
		const version, checksum = 16, 4092 // where they are in a segment's header
		binary.LittleEndian.PutUint32(segment[version:], binary.LittleEndian.Uint32(segment[version:])+1)
		binary.LittleEndian.PutUint32(segment[checksum:], crc32.Checksum(segment[:checksum], crc32.MakeTable(crc32.Castagnoli)))
	})
	for _, args := range [][]string{serveArgs(), {"audit"}, {"export"}} {
		r := run(t, append(args, "--data", data)...)
		if said := r.stdout + r.stderr; r.code != 1 || !strings.Contains(said, "newer format") {
			t.Errorf("%s ends with %d: %s", args[0], r.code, said)
		}
	}
}

func TestAChangedByteIsFoundAndItsBlockNamed(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	play := func() *server {
		s := serve(t, "--data", data, "--campaigns", openRain)
		client := s.client(1)
		for uid := range uint64(30) {
			if answer := client.Snatch(bench.Snatch{UID: uid, Campaign: 1}); !answer.Won() {
				t.Fatalf("a snatch: %+v", answer)
			}
		}
		return s
	}
	play().stop() // which writes a checkpoint
	checkpoint := len(blocksOf(t, data))
	s := play()
	s.kill() // which does not
	s.wait()
	last := len(blocksOf(t, data))
	for _, row := range []struct {
		name   string
		block  int
		starts bool // it may: the start believes the checkpoint, and the scan behind it may find the damage before or after
	}{
		{"the last block", last, false},
		{"a block after the checkpoint", (checkpoint + last) / 2, false},
		{"a block before the checkpoint", checkpoint / 2, true},
	} {
		flip(t, data, row.block)
		named := fmt.Sprintf("block %d ", row.block)
		if r := run(t, "audit", "--data", data); r.code != 1 || !strings.Contains(r.stdout, named) {
			t.Errorf("%s, number %d: the audit ends with %d: %s%s", row.name, row.block, r.code, r.stderr, r.stdout)
		}
		started, ended := serveDamaged(t, data)
		if started && !row.starts || ended.code != 1 || !strings.Contains(ended.stderr, named) {
			t.Errorf("%s, number %d: the server started: %t, and ended with %d: %s", row.name, row.block, started, ended.code, ended.stderr)
		}
		flip(t, data, row.block)
	}
}

// serveDamaged starts a server and waits until it ends by itself.
func serveDamaged(t *testing.T, data string) (started bool, ended result) {
	t.Helper()
	s := launch(t, exec.Command(shipped, serveArgs("--data", data)...))
	_, err := s.stdout.ReadBytes('\n')
	guard := time.AfterFunc(20*time.Second, s.kill)
	defer guard.Stop()
	code := s.wait()
	return err == nil, result{code: code, stderr: s.log.String()}
}

// flip changes a bit in the middle of a block.
func flip(t *testing.T, data string, number int) {
	t.Helper()
	const intoEvents = 70
	at := blocksOf(t, data)[number-1] + intoEvents
	alter(t, journalFile(data), func(segment []byte) { segment[at] ^= 1 })
}

// blocksOf are the places of the blocks in the journal's file, from the first, number 1, on.
func blocksOf(t *testing.T, data string) (offsets []int) {
	t.Helper()
	const header, sector = 4096, 512
	segment := read(t, journalFile(data))
	for at := header; at < len(segment); at += sector {
		if strings.HasPrefix(segment[at:], "HBj{") {
			offsets = append(offsets, at)
		}
	}
	return offsets
}

func alter(t *testing.T, path string, change func([]byte)) {
	t.Helper()
	content := []byte(read(t, path))
	change(content)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
