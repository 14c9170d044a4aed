package hongbao

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// pinnedEvents are events and their bytes. Journals hold such bytes: they never change, and a kind that is told in
// another way gets a number of its own.
func pinnedEvents() []pinnedEvent {
	id := NewEnvelopeID(CampaignMax, math.MaxUint32)
	rules := someRules()
	rules.Title = Text{"新年", "New <year>"}
	fair := rules
	fair.Ticket, fair.FairStart = true, Duration(1500*time.Millisecond)
	segment := rules.Budget.segment(1, 0)
	const rulesJSON = `{"name":"some-rain","title":{"zh":"新年","en":"New \u003cyear\u003e"},"rules_text":{},"kind":"rain",` +
		`"budget":{"total_fen":10000,"count":100,"min_fen":1,"max_fen":200,"split":"double_mean"},` +
		`"opens_at":"2027-02-05T12:00:00Z","closes_at":"2027-02-05T13:00:00Z","open_for":"24h0m0s","chance":1,"pace":"none",` +
		`"wins_max":5,"daily_wins_max":0,"signup":"none","reveal":"on_open","paused":false}`
	return []pinnedEvent{
		{"won", Event{
			Kind: EnvelopeWon, At: opensAt, Campaign: CampaignMax, Revision: 3, Envelope: id, UID: UIDMax, AmountFen: TotalFenMax,
			Key: strings.Repeat("~", KeyBytesMax), Wins: 5, WinsMax: WinsMaxMax, DayWins: 6, DailyWinsMax: 7, Day: 20819, ExpiresAt: opensAt + hour,
		}, "0180acf6aab834ffffffffffffff0fffffffffffffff0f80a094a58d1d0305904e0607d3a2018089d2acb83440" + strings.Repeat("7e", 64)},
		{"won before 1970", Event{
			Kind: EnvelopeWon, At: 1, Campaign: 1, Revision: 1, Envelope: NewEnvelopeID(1, 0), AmountFen: 1,
			Key: "k", Wins: 1, DayWins: 1, Day: -1, ExpiresAt: 2,
		}, "010180808080100001010100" + "0100" + "ffffffff0f" + "02" + "016b"},
		{"opened", Event{
			Kind: EnvelopeOpened, At: opensAt, Campaign: CampaignMax, Revision: 3, Envelope: id, UID: UIDMax, AmountFen: 50, BalanceFen: UIDMax,
		}, "0280acf6aab834ffffffffffffff0fffffffffffffff0f3203ffffffffffffff0f"},
		{"refunded", Event{
			Kind: EnvelopeRefunded, At: opensAt, Campaign: 1, Revision: 1, Envelope: NewEnvelopeID(1, 7), UID: 0, AmountFen: 50,
		}, "0380acf6aab8348780808010003201"},
		{"signed up", Event{
			Kind: PlayerSignedUp, At: opensAt, Campaign: 1, Revision: 2, UID: 123, Actor: "ann",
		}, "0480acf6aab834017b0203616e6e"},
		{"created", Event{
			Kind: CampaignCreated, At: opensAt, Campaign: 1, Revision: 1, Actor: "ann", Nonce: Nonce{1, 2}, Commitment: "c0ffee", Rules: &rules, Segment: &segment,
		}, "0580acf6aab8340101" + "ce04" + asHex(`{"actor":"ann","nonce":"01020000000000000000000000000000","commitment":"c0ffee","rules":`+
			rulesJSON+`,"segment":{"revision":1,"first":0,"count":100,"total_fen":10000,"min_fen":1,"max_fen":200,"split":"double_mean"}}`)},
		{"revised", Event{
			Kind: CampaignRevised, At: opensAt, Campaign: 1, Revision: 2, Actor: "bob", Rules: &rules, Issued: Tally{40, 3000},
		}, "0680acf6aab8340102" + "c303" + asHex(`{"actor":"bob","rules":`+rulesJSON+`,"issued":{"count":40,"total_fen":3000}}`)},
		{"revised, with a ticket and a fair start", Event{
			Kind: CampaignRevised, At: opensAt, Campaign: 1, Revision: 2, Actor: "bob", Rules: &fair, Issued: Tally{40, 3000},
		}, "0680acf6aab8340102" + "e503" + asHex(`{"actor":"bob","rules":`+
			strings.Replace(rulesJSON, `"paused"`, `"ticket":true,"fair_start":"1.5s","paused"`, 1)+`,"issued":{"count":40,"total_fen":3000}}`)},
		{"sealed", Event{
			Kind: CampaignSealed, At: opensAt, Campaign: 1, Revision: 2, Actor: "clock", Cancelled: true, Seed: Seed{0xAB},
		}, "0780acf6aab8340102" + "6c" + asHex(`{"actor":"clock","cancelled":true,"seed":"ab`+strings.Repeat("00", 31)+`"}`)},
		{"recorded", Event{
			Kind: SystemRecorded, At: opensAt, Campaign: 1, Name: "countdown", Actor: "live", Data: []byte{0, 0xFF},
		}, "0880acf6aab8340109636f756e74646f776e046c6976650200ff"},
	}
}

type pinnedEvent struct {
	name  string
	event Event
	hex   string
}

func asHex(text string) string { return hex.EncodeToString([]byte(text)) }

func TestBinaryFormOfEventsIsPinned(t *testing.T) {
	for _, p := range pinnedEvents() {
		if got := hex.EncodeToString(AppendEvent(nil, &p.event)); got != p.hex {
			t.Errorf("%s is written as\n%s; must be\n%s", p.name, got, p.hex)
		}
		b, err := hex.DecodeString(p.hex)
		if err != nil {
			t.Fatal(err)
		}
		var got Event
		if err := DecodeEvent(b, &got); err != nil || !reflect.DeepEqual(got, p.event) {
			t.Errorf("%s is read as %+v, %v; must be %+v", p.name, got, err, p.event)
		}
	}
}

func TestEventKindsAreNumberedForGood(t *testing.T) {
	want := []string{"unknown", "won", "opened", "refunded", "signed_up", "created", "revised", "sealed", "recorded", "unknown"}
	for number, name := range want {
		if got := EventKind(number).String(); got != name {
			t.Errorf("kind %d is %s; must be %s", number, got, name)
		}
	}
}

func TestEveryEventReadsAsItWasWritten(t *testing.T) {
	for kind := EnvelopeWon; kind <= SystemRecorded; kind++ {
		t.Run(kind.String(), rapid.MakeCheck(func(t *rapid.T) {
			want := anyEvent(t, kind)
			b := AppendEvent([]byte("before"), &want)
			got := Event{Kind: EnvelopeWon, Key: "left over", Rules: &Rules{}}
			if err := DecodeEvent(b[len("before"):], &got); err != nil {
				t.Fatal(err)
			}
			if string(b[:len("before")]) != "before" || !reflect.DeepEqual(got, want) {
				t.Fatalf("%+v is read as %+v", want, got)
			}
		}))
	}
}

// anyEvent is an event of the kind with every field that the kind uses.
func anyEvent(t *rapid.T, kind EventKind) Event {
	e := Event{Kind: kind, At: Time(rapid.Int64Min(0).Draw(t, "at")), Campaign: rapid.Uint32Range(0, CampaignMax).Draw(t, "campaign")}
	if kind == SystemRecorded {
		e.Name, e.Actor = rapid.String().Draw(t, "name"), rapid.String().Draw(t, "actor")
		e.Data = rapid.SliceOf(rapid.Byte()).Draw(t, "data")
		return e
	}
	e.Revision = rapid.Uint32().Draw(t, "revision")
	switch kind {
	case EnvelopeWon, EnvelopeOpened, EnvelopeRefunded:
		e.Envelope = NewEnvelopeID(e.Campaign, uint64(rapid.Uint32().Draw(t, "number")))
		e.UID, e.AmountFen = rapid.Uint64Range(0, UIDMax).Draw(t, "uid"), rapid.Int64Range(1, TotalFenMax).Draw(t, "amount")
	case PlayerSignedUp:
		e.UID, e.Actor = rapid.Uint64Range(0, UIDMax).Draw(t, "uid"), rapid.String().Draw(t, "actor")
	default:
		anyChange(t, &e)
	}
	if kind == EnvelopeWon {
		limit := rapid.IntRange(0, WinsMaxMax)
		e.Key = rapid.StringMatching(`[ -~]{1,64}`).Draw(t, "key")
		e.Wins, e.WinsMax, e.DayWins, e.DailyWinsMax = limit.Draw(t, "wins"), limit.Draw(t, "max"), limit.Draw(t, "day wins"), limit.Draw(t, "daily max")
		e.Day, e.ExpiresAt = rapid.Int32().Draw(t, "day"), Time(rapid.Int64Min(0).Draw(t, "expires"))
	}
	if kind == EnvelopeOpened {
		e.BalanceFen = rapid.Int64Range(1, UIDMax).Draw(t, "balance")
	}
	return e
}

func anyChange(t *rapid.T, e *Event) {
	e.Actor = rapid.String().Draw(t, "actor")
	if e.Kind == CampaignSealed {
		e.Cancelled = rapid.Bool().Draw(t, "cancelled")
		copy(e.Seed[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed"))
		return
	}
	rules := someRules()
	rules.Title.ZH = rapid.StringN(0, titleRunesMax, -1).Draw(t, "title")
	rules.Chance = Chance(rapid.Uint32Range(1, uint32(ChanceCertain)).Draw(t, "chance"))
	rules.OpenFor = Duration(rapid.Int64Range(60_000, 7_776_000_000).Draw(t, "open for") * 1e6)
	rules.ClosesAt = rules.OpensAt + Time(rapid.Int64Range(1, windowMax.Milliseconds()).Draw(t, "window"))
	e.Rules = &rules
	if e.Kind == CampaignCreated {
		copy(e.Nonce[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "nonce"))
		e.Commitment = e.Nonce.String()
	} else {
		e.Issued = Tally{rapid.Uint64Range(0, CountMax).Draw(t, "issued"), rapid.Int64Range(0, TotalFenMax).Draw(t, "issued fen")}
	}
	if rapid.Bool().Draw(t, "a segment") {
		segment := rules.Budget.segment(e.Revision, e.Issued.Count)
		e.Segment = &segment
	}
}

func TestEventCutShortOrWithBytesAfterItIsBroken(t *testing.T) {
	for _, p := range pinnedEvents() {
		whole := AppendEvent(nil, &p.event)
		var e Event
		for n := range whole {
			if err := DecodeEvent(whole[:n], &e); !errors.Is(err, ErrBroken) {
				t.Errorf("%s: the first %d of %d bytes are read as %+v, %v", p.name, n, len(whole), e, err)
			}
		}
		if err := DecodeEvent(append(whole, 0), &e); !errors.Is(err, ErrBroken) {
			t.Errorf("%s: a byte after it is not noticed: %v", p.name, err)
		}
	}
}

func TestUnknownKindOfEventIsBroken(t *testing.T) {
	for _, kind := range []byte{0, 9, 255} {
		if err := DecodeEvent([]byte{kind, 0}, &Event{}); !errors.Is(err, ErrBroken) {
			t.Errorf("kind %d: the error is %v", kind, err)
		}
	}
}

func TestDecodedEventDoesNotReferToItsBytes(t *testing.T) {
	for _, p := range pinnedEvents() {
		b := AppendEvent(nil, &p.event)
		var got Event
		if err := DecodeEvent(b, &got); err != nil {
			t.Fatal(err)
		}
		for i := range b {
			b[i] = 0xEE
		}
		if !reflect.DeepEqual(got, p.event) {
			t.Errorf("%s changed with the bytes it was read from", p.name)
		}
	}
}

func TestWritingAWinDoesNotAllocate(t *testing.T) {
	win := pinnedEvents()[0].event
	buffer := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { AppendEvent(buffer, &win) }); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}

// FuzzDecodeEvent keeps: no bytes make it panic, and neither does folding what it accepts; what it accepts is written
// and read again as the same.
func FuzzDecodeEvent(f *testing.F) {
	for _, p := range pinnedEvents() {
		f.Add(AppendEvent(nil, &p.event))
	}
	f.Add([]byte("\x05\x01\x01\x01\x02{}"))
	f.Add([]byte("\x06\x01\x01\x02\x0c{\"rules\":{}}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var first, second Event
		if DecodeEvent(b, &first) != nil {
			return
		}
		created(t, someRules()).After(&first)
		if first.Rules != nil && first.Rules.validateTerms() != nil {
			return
		}
		written := AppendEvent(nil, &first)
		if err := DecodeEvent(written, &second); err != nil || !reflect.DeepEqual(first, second) {
			t.Fatalf("%+v is read again as %+v, %v", first, second, err)
		}
		if again := AppendEvent(nil, &second); !bytes.Equal(again, written) {
			t.Fatalf("%x is written again as %x", written, again)
		}
	})
}
