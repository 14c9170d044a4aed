package cluster

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"hongbao"
)

func TestOutboxEntriesAreEvents(t *testing.T) {
	key := strings.Repeat("k ", 31) + "%~"
	for text, want := range map[string]hongbao.Event{
		"3 w 1800000000000 9007199254740991 9007199254740991 1000000000000 2 1 5 3 0 20833 1800000000001 " + key: {
			Kind: hongbao.EnvelopeWon, At: 1800000000000, Campaign: hongbao.CampaignMax, Envelope: 9007199254740991, UID: hongbao.UIDMax,
			AmountFen: 1_000_000_000_000, Revision: 2, Wins: 1, WinsMax: 5, DayWins: 3, Day: 20833, ExpiresAt: 1800000000001, Key: key,
		},
		"3 o 5 4294967296 0 7 1 9007199254740991": {
			Kind: hongbao.EnvelopeOpened, At: 5, Campaign: 1, Envelope: 4294967296, AmountFen: 7, Revision: 1, BalanceFen: hongbao.UIDMax,
		},
		"3 r 5 4294967297 8 7 1": {Kind: hongbao.EnvelopeRefunded, At: 5, Campaign: 1, Envelope: 4294967297, UID: 8, AmountFen: 7, Revision: 1},
		"3 s 5 9 8 1 an actor":   {Kind: hongbao.PlayerSignedUp, At: 5, Campaign: 9, UID: 8, Revision: 1, Actor: "an actor"},
		"3 s 5 9 8 1 ":           {Kind: hongbao.PlayerSignedUp, At: 5, Campaign: 9, UID: 8, Revision: 1},
	} {
		record, err := parseOutbox(4, "17", text)
		var got hongbao.Event
		if err == nil {
			err = hongbao.DecodeEvent(record.Event, &got)
		}
		if err != nil || !reflect.DeepEqual(got, want) || record.Shard != 4 || record.Epoch != 3 || record.Seq != 17 {
			t.Errorf("%q is %+v, %+v, %v", text, record, got, err)
		}
	}
	for _, text := range []string{"", "3", "x w 1", "3 z 5", "3 w 5 4294967296 1", "3 o 5 4294967296 0 7 1 1.8e+16", "3 r 5 -1 8 7 1"} {
		if _, err := parseOutbox(4, "17", text); !errors.Is(err, hongbao.ErrBroken) {
			t.Errorf("%q is answered with %v", text, err)
		}
	}
}
