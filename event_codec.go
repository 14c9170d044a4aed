package hongbao

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// The binary form of an event, as journals hold it: the kind in one byte, then the kind's fields in a fixed order,
// integers as uvarints, texts with their length in front. A kind's
// fields never change: what must be told in another way gets a kind of its own, so that an old journal stays readable.

// AppendEvent appends the binary form of e to b. It allocates only to grow b, and for a campaign's rules.
func AppendEvent(b []byte, e *Event) []byte {
	b = append(b, byte(e.Kind))
	b = binary.AppendUvarint(b, uint64(e.At))
	switch e.Kind {
	case EnvelopeWon:
		return appendWon(b, e)
	case EnvelopeOpened:
		return appendUvarints(b, uint64(e.Envelope), e.UID, uint64(e.AmountFen), uint64(e.Revision), uint64(e.BalanceFen))
	case EnvelopeRefunded:
		return appendUvarints(b, uint64(e.Envelope), e.UID, uint64(e.AmountFen), uint64(e.Revision))
	case PlayerSignedUp:
		return appendText(appendUvarints(b, uint64(e.Campaign), e.UID, uint64(e.Revision)), e.Actor)
	case CampaignCreated, CampaignRevised, CampaignSealed:
		return appendCampaign(b, e)
	case SystemRecorded:
		b = binary.AppendUvarint(b, uint64(e.Campaign))
		return appendText(appendText(appendText(b, e.Name), e.Actor), string(e.Data))
	}
	panic("hongbao: an event of kind " + e.Kind.String() + " has no binary form")
}

func appendWon(b []byte, e *Event) []byte {
	b = appendUvarints(b, uint64(e.Envelope), e.UID, uint64(e.AmountFen), uint64(e.Revision), uint64(e.Wins), uint64(e.WinsMax),
		uint64(e.DayWins), uint64(e.DailyWinsMax), uint64(uint32(e.Day)), uint64(e.ExpiresAt))
	return appendText(b, e.Key)
}

// appendCampaign writes a campaign's change as JSON: it is rare, and whoever reads a journal by eye is glad of it.
func appendCampaign(b []byte, e *Event) []byte {
	data, err := json.Marshal(e.change())
	if err != nil {
		panic("hongbao: a campaign's change that was validated can't be written: " + err.Error())
	}
	return appendText(appendUvarints(b, uint64(e.Campaign), uint64(e.Revision)), string(data))
}

func appendUvarints(b []byte, values ...uint64) []byte {
	for _, v := range values {
		b = binary.AppendUvarint(b, v)
	}
	return b
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// campaignChange is the JSON inside the events of a campaign.
type campaignChange struct {
	Actor      string   `json:"actor"`
	Nonce      Nonce    `json:"nonce,omitzero"`
	Commitment string   `json:"commitment,omitzero"`
	Rules      *Rules   `json:"rules,omitzero"`
	Issued     Tally    `json:"issued,omitzero"`
	Segment    *Segment `json:"segment,omitzero"`
	Cancelled  bool     `json:"cancelled,omitzero"`
	Seed       Seed     `json:"seed,omitzero"`
}

func (e *Event) change() campaignChange {
	return campaignChange{e.Actor, e.Nonce, e.Commitment, e.Rules, e.Issued, e.Segment, e.Cancelled, e.Seed}
}

func (e *Event) setChange(c campaignChange) {
	e.Actor, e.Nonce, e.Commitment, e.Rules = c.Actor, c.Nonce, c.Commitment, c.Rules
	e.Issued, e.Segment, e.Cancelled, e.Seed = c.Issued, c.Segment, c.Cancelled, c.Seed
}

// DecodeEvent reads the binary form into e, replacing all of it. It copies what it keeps: b may be reused.
func DecodeEvent(b []byte, e *Event) error {
	*e = Event{}
	r := reader{rest: b}
	e.Kind = EventKind(r.byte())
	e.At = Time(r.uvarint())
	switch e.Kind {
	case EnvelopeWon:
		r.won(e)
	case EnvelopeOpened:
		r.envelope(e)
		e.BalanceFen = int64(r.uvarint())
	case EnvelopeRefunded:
		r.envelope(e)
	case PlayerSignedUp:
		e.Campaign, e.UID, e.Revision = uint32(r.uvarint()), r.uvarint(), uint32(r.uvarint())
		e.Actor = r.text()
	case CampaignCreated, CampaignRevised, CampaignSealed:
		r.campaign(e)
	case SystemRecorded:
		e.Campaign = uint32(r.uvarint())
		e.Name, e.Actor = r.text(), r.text()
		e.Data = []byte(r.text())
	default:
		return fmt.Errorf("%w: an event of kind %d, which this version does not know", ErrBroken, e.Kind)
	}
	if r.bad || len(r.rest) > 0 {
		return fmt.Errorf("%w: an event of kind %s with %d bytes is malformed", ErrBroken, e.Kind, len(b))
	}
	return nil
}

// reader takes fields off the front of an event; after the first that is malformed all are zero and bad is set.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.bad = true
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return ""
	}
	text := string(r.rest[:n])
	r.rest = r.rest[n:]
	return text
}

func (r *reader) envelope(e *Event) {
	e.Envelope, e.UID = EnvelopeID(r.uvarint()), r.uvarint()
	e.Campaign = e.Envelope.Campaign()
	e.AmountFen, e.Revision = int64(r.uvarint()), uint32(r.uvarint())
}

func (r *reader) won(e *Event) {
	r.envelope(e)
	e.Wins, e.WinsMax = int(r.uvarint()), int(r.uvarint())
	e.DayWins, e.DailyWinsMax = int(r.uvarint()), int(r.uvarint())
	e.Day, e.ExpiresAt = int32(r.uvarint()), Time(r.uvarint())
	e.Key = r.text()
}

func (r *reader) campaign(e *Event) {
	e.Campaign, e.Revision = uint32(r.uvarint()), uint32(r.uvarint())
	var change campaignChange
	err := json.Unmarshal([]byte(r.text()), &change)
	if sealed := e.Kind == CampaignSealed; err != nil || sealed != (change.Rules == nil) {
		r.bad = true
		return
	}
	e.setChange(change)
}
