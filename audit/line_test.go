package audit_test

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"

	"hongbao"
	"hongbao/audit"
)

// export writes the events of a campaign as lines; 0: of all.
func (p *play) export(campaign uint32) []byte {
	var b bytes.Buffer
	for i := range p.journal.events {
		e := &p.journal.events[i]
		if campaign != 0 && e.Campaign != campaign {
			continue
		}
		if err := audit.WriteLine(&b, hongbao.Entry{Position: position(i), Event: e}); err != nil {
			p.t.Fatal(err)
		}
	}
	return b.Bytes()
}

func collect(entries iter.Seq2[hongbao.Entry, error]) (lines []audit.Line, err error) {
	for entry, err := range entries {
		if err != nil {
			return lines, err
		}
		lines = append(lines, audit.Line{Position: entry.Position, Event: *entry.Event})
	}
	return lines, nil
}

// TestLinesComeBack: every kind of event survives an export, and a file can be read again.
func TestLinesComeBack(t *testing.T) {
	p := history(t, 1)
	entries := audit.ReadLines(bytes.NewReader(p.export(0)))
	for range 2 {
		lines, err := collect(entries)
		if err != nil || len(lines) != len(p.journal.events) {
			t.Fatalf("%d lines of %d: %v", len(lines), len(p.journal.events), err)
		}
		for i, line := range lines {
			if line.Position != position(i) || !reflect.DeepEqual(line.Event, p.journal.events[i]) {
				t.Fatalf("%+v came back as %+v", p.journal.events[i], line)
			}
		}
	}
}

// TestBadLines: the first line that is not an event is named.
func TestBadLines(t *testing.T) {
	const good = `{"position":"1.0","kind":"signed_up","at":"2027-02-05T15:30:00Z","campaign_id":1,"uid":7,"added_later":1}` + "\n"
	for _, c := range []struct{ what, text, saying string }{
		{"no JSON", good + "hello\n", "line 2: line: \"hello\""},
		{"half a line", good + good[:40], "line 2: line:"},
		{"an empty line", good + "\n" + good, "line 2: line: \"\""},
		{"no kind", good + good + "{}\n", "line 3: kind: \"\" is not allowed: must be given"},
		{"an unknown kind", `{"kind":"lost"}`, "line 1: kind: \"lost\""},
		{"a negative uid", `{"kind":"won","uid":-1}`, "line 1: line:"},
		{"a time that is none", `{"kind":"won","at":"noon"}`, "line 1: time: \"noon\""},
		{"an envelope of another campaign", `{"kind":"won","campaign_id":2,"envelope_id":4294967297}`, "line 1: campaign_id: \"2\""},
		{"a line that is too long", good + strings.Repeat("x", 2<<20), "line 2: line: \"(bytes)\" is not allowed: must be at most 1 MiB long"},
	} {
		t.Run(c.what, func(t *testing.T) {
			_, err := collect(audit.ReadLines(strings.NewReader(c.text)))
			if !errors.Is(err, hongbao.ErrInvalid) || !strings.HasPrefix(err.Error(), c.saying) {
				t.Errorf("%v, want %s", err, c.saying)
			}
		})
	}
}

// TestPipesAreReadOnce: what can't be taken back to its start says so.
func TestPipesAreReadOnce(t *testing.T) {
	entries := audit.ReadLines(io.LimitReader(strings.NewReader(""), 1))
	if _, err := collect(entries); err != nil {
		t.Error(err)
	}
	if _, err := collect(entries); !errors.Is(err, hongbao.ErrInvalid) {
		t.Errorf("the second time: %v", err)
	}
}

// FuzzReadLines: whatever is read can be written and comes back the same, unless it has rules without a chance, which
// nobody makes; nothing panics, not even verifying it.
func FuzzReadLines(f *testing.F) {
	p := history(f, 1)
	f.Add(p.export(flood))
	f.Add(p.export(bang)[:4000])
	for _, line := range bytes.SplitAfterN(p.export(0), []byte("\n"), 40) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		lines, _ := collect(audit.ReadLines(bytes.NewReader(text)))
		lines = slices.DeleteFunc(lines, func(l audit.Line) bool { return l.Rules != nil && l.Rules.Chance == 0 })
		var written bytes.Buffer
		for i := range lines {
			if err := audit.WriteLine(&written, hongbao.Entry{Position: lines[i].Position, Event: &lines[i].Event}); err != nil {
				t.Fatalf("%+v can't be written: %v", lines[i], err)
			}
		}
		again, err := collect(audit.ReadLines(&written))
		if err != nil || len(lines) != len(again) || len(lines) > 0 && !reflect.DeepEqual(lines, again) {
			t.Fatalf("%+v came back as %+v (%v)", lines, again, err)
		}
		audit.Verify(audit.ReadLines(bytes.NewReader(text)), audit.VerifyOptions{})
	})
}
