package cluster

import (
	"fmt"
	"strconv"
	"strings"

	"hongbao"
	"hongbao/cluster/ledger"
)

// The outbox holds events as the scripts can write them: the shard's epoch, a letter, and the fields in a fixed order,
// with spaces between them and a text that may have spaces at the end. What Go decided has the letter b and the binary
// form. parseOutbox makes the one form of it that Kafka, ledger and audit know.
func parseOutbox(shard int, seq, text string) (ledger.Record, error) {
	record := ledger.Record{Shard: shard}
	var err error
	if record.Seq, err = strconv.ParseUint(seq, 10, 64); err != nil {
		return record, brokenOutbox(shard, seq, text)
	}
	epoch, rest, _ := strings.Cut(text, " ")
	letter, fields, _ := strings.Cut(rest, " ")
	if record.Epoch, err = strconv.ParseUint(epoch, 10, 64); err != nil {
		return record, brokenOutbox(shard, seq, text)
	}
	if letter == "b" {
		record.Event = []byte(fields)
		return record, nil
	}
	f := fieldReader{rest: fields}
	event := f.event(letter)
	if f.bad {
		return record, brokenOutbox(shard, seq, text)
	}
	record.Event = hongbao.AppendEvent(nil, &event)
	return record, nil
}

func brokenOutbox(shard int, seq, text string) error {
	return fmt.Errorf("%w: shard %d has the entry %s in its outbox, which is no event: %q", hongbao.ErrBroken, shard, seq, text)
}

// fieldReader takes fields off the front of an entry.
type fieldReader struct {
	rest string
	bad  bool
}

func (f *fieldReader) number() uint64 {
	text, rest, _ := strings.Cut(f.rest, " ")
	n, err := strconv.ParseUint(text, 10, 64)
	f.rest, f.bad = rest, f.bad || err != nil
	return n
}

func (f *fieldReader) event(letter string) hongbao.Event {
	e := hongbao.Event{At: hongbao.Time(f.number())}
	switch letter {
	case "w":
		e.Kind = hongbao.EnvelopeWon
		f.envelope(&e)
		e.Wins, e.WinsMax = int(f.number()), int(f.number())
		e.DayWins, e.DailyWinsMax = int(f.number()), int(f.number())
		e.Day, e.ExpiresAt = int32(f.number()), hongbao.Time(f.number())
		e.Key = f.rest
	case "o":
		e.Kind = hongbao.EnvelopeOpened
		f.envelope(&e)
		e.BalanceFen = int64(f.number())
	case "r":
		e.Kind = hongbao.EnvelopeRefunded
		f.envelope(&e)
	case "s":
		e.Kind = hongbao.PlayerSignedUp
		e.Campaign, e.UID, e.Revision = uint32(f.number()), f.number(), uint32(f.number())
		e.Actor = f.rest
	default:
		f.bad = true
	}
	return e
}

func (f *fieldReader) envelope(e *hongbao.Event) {
	e.Envelope = hongbao.EnvelopeID(f.number())
	e.Campaign = e.Envelope.Campaign()
	e.UID, e.AmountFen, e.Revision = f.number(), int64(f.number()), uint32(f.number())
}
