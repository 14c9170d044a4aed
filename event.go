package hongbao

// EventKind says what an event records.
type EventKind uint8

// The kinds. Their numbers are stored in journals and never change.
const (
	EnvelopeWon      EventKind = 1
	EnvelopeOpened   EventKind = 2
	EnvelopeRefunded EventKind = 3
	PlayerSignedUp   EventKind = 4
	CampaignCreated  EventKind = 5
	CampaignRevised  EventKind = 6
	CampaignSealed   EventKind = 7
	SystemRecorded   EventKind = 8
)

var eventNames = map[EventKind]string{
	EnvelopeWon: "won", EnvelopeOpened: "opened", EnvelopeRefunded: "refunded", PlayerSignedUp: "signed_up",
	CampaignCreated: "created", CampaignRevised: "revised", CampaignSealed: "sealed", SystemRecorded: "recorded",
}

func (k EventKind) String() string {
	if name, ok := eventNames[k]; ok {
		return name
	}
	return "unknown"
}

// MarshalText writes the name.
func (k EventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the name.
func (k *EventKind) UnmarshalText(b []byte) error {
	for kind, name := range eventNames {
		if name == string(b) {
			*k = kind
			return nil
		}
	}
	return Invalid("kind", string(b), "the name of an event that this version knows")
}

// Event is one change of money or right, as the journal keeps it. It carries everything it was decided under, so that
// a ledger or an audit can judge it without asking. Which fields are used depends on the kind; the others are zero.
type Event struct {
	Kind     EventKind `json:"kind"`
	At       Time      `json:"at"`
	Campaign uint32    `json:"campaign_id,omitzero"`
	Revision uint32    `json:"revision,omitzero"` // in force when it was decided

	// Won, opened, refunded; UID of a sign-up too.
	Envelope  EnvelopeID `json:"envelope_id,omitzero"`
	UID       uint64     `json:"uid"`
	AmountFen int64      `json:"amount_fen,omitzero"`

	// Won.
	Key          string `json:"key,omitzero"`
	Wins         int    `json:"wins,omitzero"` // the player's wins in the campaign, with this one
	WinsMax      int    `json:"wins_max,omitzero"`
	DayWins      int    `json:"day_wins,omitzero"` // and on the day, in all campaigns of the kind
	DailyWinsMax int    `json:"daily_wins_max,omitzero"`
	Day          int32  `json:"day,omitzero"` // days since 1970-01-01 in the server's zone
	ExpiresAt    Time   `json:"expires_at,omitzero"`

	// Opened.
	BalanceFen int64 `json:"balance_fen,omitzero"` // with this one

	// Created, revised, sealed; Actor of an invited sign-up and of a system event too.
	Actor      string   `json:"actor,omitzero"`
	Nonce      Nonce    `json:"nonce,omitzero"`
	Commitment string   `json:"commitment,omitzero"`
	Rules      *Rules   `json:"rules,omitzero"`
	Issued     Tally    `json:"issued,omitzero"` // when a revision took effect
	Segment    *Segment `json:"segment,omitzero"`
	Cancelled  bool     `json:"cancelled,omitzero"`
	Seed       Seed     `json:"seed,omitzero"` // revealed by sealing, never before

	// Recorded.
	Name string `json:"name,omitzero"` // what a system event is about
	Data []byte `json:"data,omitzero"`
}

// LatestForm is the binary form of what [Engine.Record] is given as after for an event of a name: what the latest event of that
// name, in its binary form, must be. It is empty where none may have been recorded.
func LatestForm(name string, after *Event) ([]byte, error) {
	switch {
	case after.Kind == 0:
		return nil, nil
	case after.Kind != SystemRecorded || after.Name != name:
		return nil, Invalid("after", after.Name, "the latest event named "+name+", or none")
	}
	return AppendEvent(nil, after), nil
}

// CheckEventName accepts as the name of a system event 1 to 64 printable ASCII bytes: the latest event of each is kept at
// hand.
func CheckEventName(name string) error {
	if !isPrintable(name, nameBytesMax) {
		return Invalid("name", name, "1 to 64 printable ASCII characters")
	}
	return nil
}
