package hongbao

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"
)

// WalletLimitMax is the largest page of a wallet.
const WalletLimitMax = 200

// WalletRequest asks for a page of a player's envelopes.
type WalletRequest struct {
	UID   uint64
	Limit int    // 1..WalletLimitMax
	After Cursor // zero: from the newest
}

// Wallet is a player's balance and one page of envelopes, ordered by time won and id, newest first.
type Wallet struct {
	BalanceFen int64
	Envelopes  []Envelope
	More       bool // there is a next page, after the last envelope of this one
	AsOf       Time // time of the books that it was read from; 0: it shows all that was told
}

// NewestFirst is the order of the envelopes of a wallet.
func NewestFirst(a, b Envelope) int {
	return cmp.Or(cmp.Compare(b.WonAt, a.WonAt), cmp.Compare(b.ID, a.ID))
}

// Page is the page of a whole wallet that is asked for. It sorts w's envelopes.
func (w Wallet) Page(r WalletRequest) Wallet {
	slices.SortFunc(w.Envelopes, NewestFirst)
	if r.After != (Cursor{}) {
		last := Envelope{ID: r.After.Envelope, WonAt: r.After.WonAt}
		from, found := slices.BinarySearchFunc(w.Envelopes, last, NewestFirst)
		if found {
			from++
		}
		w.Envelopes = w.Envelopes[from:]
	}
	if w.More = len(w.Envelopes) > r.Limit; w.More {
		w.Envelopes = w.Envelopes[:r.Limit]
	}
	return w
}

// Envelope is one envelope of a wallet.
type Envelope struct {
	ID        EnvelopeID
	State     EnvelopeState
	AmountFen int64 // always set; whether the player may see it follows from State and the campaign's reveal
	WonAt     Time
	ExpiresAt Time
	ClosedAt  Time // when it was opened or refunded
	Key       string
}

// EnvelopeState is where an envelope stands.
type EnvelopeState uint8

// The states. StateHeld is the only one that can change.
const (
	StateHeld EnvelopeState = iota
	StateOpened
	StateRefunded
)

func (s EnvelopeState) String() string { return [...]string{"held", "opened", "refunded"}[s] }

// Cursor is the last envelope of a page; the next page continues below it. The zero Cursor is before the first page.
type Cursor struct {
	WonAt    Time
	Envelope EnvelopeID
}

// Next is the cursor that continues after this page, or the zero Cursor after the last.
func (w *Wallet) Next() Cursor {
	if !w.More {
		return Cursor{}
	}
	last := w.Envelopes[len(w.Envelopes)-1]
	return Cursor{last.WonAt, last.ID}
}

// String is the cursor's text in the API: empty for the zero Cursor.
func (c Cursor) String() string {
	if c == (Cursor{}) {
		return ""
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(c.WonAt))
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(b, uint64(c.Envelope)))
}

// ParseCursor reads what [Cursor.String] writes.
func ParseCursor(text string) (Cursor, error) {
	if text == "" {
		return Cursor{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != 16 || int64(binary.BigEndian.Uint64(b)) < 0 {
		return Cursor{}, Invalid("cursor", text, "the next of an earlier page")
	}
	return Cursor{Time(binary.BigEndian.Uint64(b)), EnvelopeID(binary.BigEndian.Uint64(b[8:]))}, nil
}

// Wallet reads a page of a player's wallet.
func (s *Service) Wallet(ctx context.Context, r WalletRequest) (Wallet, error) {
	if err := checkUID(r.UID); err != nil {
		return Wallet{}, err
	}
	if r.Limit < 1 || r.Limit > WalletLimitMax {
		return Wallet{}, Invalid("limit", r.Limit, "from 1 to "+strconv.Itoa(WalletLimitMax))
	}
	return s.engine.Wallet(ctx, r)
}

// Revealed reports whether the player may see the envelope's amount: once opened, or from the start where the
// campaign reveals on snatch.
func (s *Service) Revealed(e *Envelope) bool {
	if e.State == StateOpened {
		return true
	}
	c := find(s.engine.Campaigns(), e.ID.Campaign())
	return c != nil && c.Rules().Reveal == RevealOnSnatch
}
