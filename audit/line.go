package audit

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"hongbao"
)

// Line is one event of a journal's export: a JSON object on a line of its own, with the event's position.
type Line struct {
	Position hongbao.Position `json:"position"`
	hongbao.Event
}

// lineMax is the longest line that is read; the longest that is written is the event of a campaign, under 100 KiB.
const lineMax = 1 << 20

// WriteLine writes an entry as one line.
func WriteLine(w io.Writer, entry hongbao.Entry) error {
	line, err := json.Marshal(Line{entry.Position, *entry.Event})
	if err == nil {
		_, err = w.Write(append(line, '\n'))
	}
	return err
}

// ReadLines reads what WriteLine wrote. An entry's event is valid until the next step. The first line that is not an
// event ends it with an [hongbao.ErrInvalid] that names the line; unknown keys are ignored, as exports gain fields. To
// be ranged over again, r must be an [io.Seeker], which is taken back to its start.
func ReadLines(r io.Reader) iter.Seq2[hongbao.Entry, error] {
	again := false
	return func(yield func(hongbao.Entry, error) bool) {
		if again {
			if err := rewind(r); err != nil {
				yield(hongbao.Entry{}, err)
				return
			}
		}
		again = true
		readLines(r, yield)
	}
}

func rewind(r io.Reader) error {
	seeker, ok := r.(io.Seeker)
	if !ok {
		return fmt.Errorf("%w: an export that can be read only once", hongbao.ErrInvalid)
	}
	_, err := seeker.Seek(0, io.SeekStart)
	return err
}

func readLines(r io.Reader, yield func(hongbao.Entry, error) bool) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, lineMax)
	number := 1
	for ; lines.Scan(); number++ {
		line, err := readLine(lines.Bytes())
		if err != nil {
			yield(hongbao.Entry{}, fmt.Errorf("line %d: %w", number, err))
			return
		}
		if !yield(hongbao.Entry{Position: line.Position, Event: &line.Event}, nil) {
			return
		}
	}
	err := lines.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		err = hongbao.Invalid("line", "(bytes)", "at most 1 MiB long")
	}
	if err != nil {
		yield(hongbao.Entry{}, fmt.Errorf("line %d: %w", number, err))
	}
}

func readLine(text []byte) (line Line, err error) {
	err = json.Unmarshal(text, &line)
	switch e := &line.Event; {
	case errors.Is(err, hongbao.ErrInvalid):
		return line, err
	case err != nil:
		return line, hongbao.Invalid("line", string(text), "an event of an export in JSON: "+err.Error())
	case e.Kind == 0:
		return line, hongbao.Invalid("kind", "", "given")
	case e.Envelope != 0 && e.Envelope.Campaign() != e.Campaign:
		return line, hongbao.Invalid("campaign_id", e.Campaign, fmt.Sprintf("that of the envelope (%d)", e.Envelope.Campaign()))
	}
	return line, nil
}
