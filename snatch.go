package hongbao

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"math/rand/v2"
)

// SnatchRequest asks for an envelope.
type SnatchRequest struct {
	Campaign uint32
	UID      uint64
	Key      string // 1-64 printable ASCII bytes, never empty
	KeyIsNew bool   // the server made the key for this request: it can't be a retry
	Now      Time
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

// Snatch asks for an envelope of a campaign. An empty key is replaced by one of 128 random bits, which the answer tells,
// so that every draw can be recomputed. On [ErrUnknown] the result's Key is the one to retry with.
func (s *Service) Snatch(ctx context.Context, campaign uint32, uid uint64, key string) (SnatchResult, error) {
	request := SnatchRequest{Campaign: campaign, UID: uid, Key: key, Now: s.clock.Now()}
	if key == "" {
		request.Key, request.KeyIsNew = newKey(), true
	}
	if err := request.check(); err != nil {
		return SnatchResult{}, err
	}
	result, err := s.engine.Snatch(ctx, request)
	result.Key, result.KeyIsNew = request.Key, request.KeyIsNew
	if err == nil {
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
	for _, c := range []byte(key) {
		if c < ' ' || c > '~' {
			return Invalid("Idempotency-Key", key, "1 to 64 printable ASCII characters")
		}
	}
	if key == "" || len(key) > KeyBytesMax {
		return Invalid("Idempotency-Key", key, "1 to 64 printable ASCII characters")
	}
	return nil
}

// newKey makes a key of 128 bits from the runtime's ChaCha8, which is seeded by the operating system.
func newKey() string {
	var random [16]byte
	binary.NativeEndian.PutUint64(random[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(random[8:], rand.Uint64())
	var text [22]byte
	base64.RawURLEncoding.Encode(text[:], random[:])
	return string(text[:])
}
