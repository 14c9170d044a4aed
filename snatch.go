package hongbao

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"math/rand/v2"
)

// SnatchRequest asks for an envelope.
type SnatchRequest struct {
	Campaign   uint32
	UID        uint64
	Key        string // 1-64 printable ASCII bytes, never empty
	KeyIsNew   bool   // the server made the key for this request: it can't be a retry
	ReplayOnly bool   // nothing may be won: only a key that has won before is answered as won
	Now        Time   // for [Service.Snatch]: not before it
}

// SnatchResult is the outcome of a snatch. Envelope, AmountFen, WonAt and ExpiresAt are set when it won.
type SnatchResult struct {
	Status    Status
	Envelope  EnvelopeID
	AmountFen int64
	WonAt     Time
	ExpiresAt Time
	Wins      int    // the player's wins in the campaign; -1 when the engine did not look
	Rules     *Rules // in force; nil when there is no such campaign
	Key       string // what the request is known by
	KeyIsNew  bool   // and that the server made it
}

// Foretell answers a snatch of a campaign before it is known whose it is, if it can be: see [Engine.Foretell]. keyed says
// whether the request brings a key of its own.
func (s *Service) Foretell(campaign uint32, keyed bool) (SnatchResult, bool) {
	result, ok := s.engine.Foretell(SnatchRequest{Campaign: campaign, KeyIsNew: !keyed, Now: s.clock.Now()})
	if ok {
		s.statuses[result.Status].Add(1)
	}
	return result, ok
}

// Snatch asks for an envelope, at the time that it is now, or at the request's if that is later. An empty key is replaced by a [NewKey], which the answer tells,
// so that every draw can be recomputed; one with KeyIsNew is taken as made by the server already. On [ErrUnknown] the
// result's Key is the one to retry with.
func (s *Service) Snatch(ctx context.Context, r SnatchRequest) (SnatchResult, error) {
	r.Now = max(r.Now, s.clock.Now())
	if r.Key == "" {
		r.Key, r.KeyIsNew = NewKey(), true
	}
	if err := r.check(); err != nil {
		return SnatchResult{}, err
	}
	result, err := s.engine.Snatch(ctx, r)
	result.Key, result.KeyIsNew = r.Key, r.KeyIsNew
	if err == nil && (!r.ReplayOnly || result.Status == Won) {
		s.statuses[result.Status].Add(1)
	}
	return result, err
}

// AppendReceipt appends the receipt of a win: proof that this server told this player of it.
func (s *Service) AppendReceipt(b []byte, uid uint64, r *SnatchResult) []byte {
	return s.receipts.Append(b, r.Envelope.Campaign(), uint64(r.Envelope), uid, r.WonAt)
}

func (r *SnatchRequest) check() error {
	if err := CheckKey(r.Key); err != nil {
		return err
	}
	return checkUID(r.UID)
}

// CheckKey accepts 1 to 64 printable ASCII bytes.
func CheckKey(key string) error {
	if !isPrintable(key, KeyBytesMax) {
		return Invalid("Idempotency-Key", key, "1 to 64 printable ASCII characters")
	}
	return nil
}

// isPrintable reports whether a text has at least one byte and at most so many, all printable ASCII.
func isPrintable(text string, bytesMax int) bool {
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return text != "" && len(text) <= bytesMax
}

// NewKey makes a key of 128 bits from the runtime's ChaCha8, which is seeded by the operating system.
func NewKey() string {
	var random [16]byte
	binary.NativeEndian.PutUint64(random[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(random[8:], rand.Uint64())
	var text [22]byte
	base64.RawURLEncoding.Encode(text[:], random[:])
	return string(text[:])
}
