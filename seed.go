package hongbao

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"time"
)

// Secret is what only the server knows: every campaign's seed and the key of its receipts derive from it. Whoever
// holds it can foretell every amount, so it has no textual form; it is kept in a file of mode 0600 and in backups.
type Secret [32]byte

// Seed derives the seed of a campaign: HMAC-SHA256(secret, "seed" ‖ campaign ‖ nonce). The nonce is random and
// recorded with the campaign, so that a campaign made anew under an old id has another seed.
func (s Secret) Seed(campaign uint32, nonce Nonce) Seed {
	var buffer [24]byte
	message := append(buffer[:0], "seed"...)
	message = binary.BigEndian.AppendUint32(message, campaign)
	return mac(s, append(message, nonce[:]...))
}

// ReceiptKey derives the key of the receipts: HMAC-SHA256(secret, "receipt"). It says nothing about any seed.
func (s Secret) ReceiptKey() ReceiptKey {
	return mac(s, []byte("receipt"))
}

// TicketKey derives the key that the gate signs tickets with where none is configured: HMAC-SHA256(secret, "ticket").
// Every node of a cluster derives the same one.
func (s Secret) TicketKey() [32]byte {
	return mac(s, []byte("ticket"))
}

// WebhookKey derives the key that the secrets of webhooks are sealed with in the journal: HMAC-SHA256(secret, "webhook").
func (s Secret) WebhookKey() [32]byte {
	return mac(s, []byte("webhook"))
}

// String hides the secret from logs.
func (Secret) String() string { return "(secret)" }

// Seed decides a campaign's amounts, lucky draws and lottery. Its commitment is published before the campaign opens and the
// seed itself once the campaign is sealed: Keeps G8.
//
// All that derives from a seed is HMAC-SHA256 under it of a label and then integers of fixed width, big endian, with
// at most one text, which comes last. No two derivations share a message.
type Seed [32]byte

// ParseSeed reads the 64 hexadecimal digits that [Seed.String] writes.
func ParseSeed(text string) (Seed, error) {
	var s Seed
	if len(text) != hex.EncodedLen(len(s)) {
		return Seed{}, Invalid("seed", text, "64 hexadecimal digits")
	}
	if _, err := hex.Decode(s[:], []byte(text)); err != nil {
		return Seed{}, Invalid("seed", text, "64 hexadecimal digits")
	}
	return s, nil
}

// String is the seed in hexadecimal; it must not be shown before the campaign is sealed.
func (s Seed) String() string { return hex.EncodeToString(s[:]) }

// MarshalText writes what [ParseSeed] reads.
func (s Seed) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what [Seed.MarshalText] writes.
func (s *Seed) UnmarshalText(b []byte) (err error) {
	*s, err = ParseSeed(string(b))
	return err
}

// Commitment is SHA-256 of seed ‖ the canonical JSON of the campaign's first rules, in hexadecimal.
func (s Seed) Commitment(firstRules []byte) string {
	h := sha256.New()
	h.Write(s[:])
	h.Write(firstRules)
	return hex.EncodeToString(h.Sum(nil))
}

// Draw is the lucky draw of one snatch, for [Chance.Wins]: the first 64 bits, big endian, of
// HMAC-SHA256(seed, "draw" ‖ campaign as uint32 ‖ uid as uint64 ‖ key).
func (s Seed) Draw(campaign uint32, uid uint64, key string) uint64 {
	var buffer [4 + 4 + 8 + 64]byte // a longer key than the API allows would only cost an allocation
	message := append(buffer[:0], "draw"...)
	message = binary.BigEndian.AppendUint32(message, campaign)
	message = binary.BigEndian.AppendUint64(message, uid)
	sum := mac(s, append(message, key...))
	return binary.BigEndian.Uint64(sum[:])
}

// Lot is a player's number in the lottery of a fair start, for [LotDelay]: the first 64 bits, big endian, of
// HMAC-SHA256(seed, "lot" ‖ campaign as uint32 ‖ uid as uint64). No request has a part in it, so that asking again, or
// earlier, draws no other.
func (s Seed) Lot(campaign uint32, uid uint64) uint64 {
	var buffer [3 + 4 + 8]byte
	message := append(buffer[:0], "lot"...)
	message = binary.BigEndian.AppendUint32(message, campaign)
	sum := mac(s, binary.BigEndian.AppendUint64(message, uid))
	return binary.BigEndian.Uint64(sum[:])
}

// LotDelay is how long after the end of a fair start its lottery admits who drew that number: ⌊lot × fairStart / 2⁶⁴⌋
// nanoseconds, which is less than fairStart.
func LotDelay(lot uint64, fairStart Duration) time.Duration {
	delay, _ := bits.Mul64(lot, uint64(fairStart))
	return time.Duration(delay)
}

// cutKey keys the stream that cuts one tranche: HMAC-SHA256(seed, "cut" ‖ campaign ‖ revision ‖ tranche), each uint32.
func (s Seed) cutKey(campaign, revision, tranche uint32) [32]byte {
	var buffer [16]byte
	message := append(buffer[:0], "cut"...)
	message = binary.BigEndian.AppendUint32(message, campaign)
	message = binary.BigEndian.AppendUint32(message, revision)
	message = binary.BigEndian.AppendUint32(message, tranche)
	return mac(s, message)
}

// mac is HMAC-SHA256 (RFC 2104) under a key of 32 bytes. It is spelled out because crypto/hmac allocates seven times
// for each new key and takes twice as long; here all of it stays on the stack.
func mac(key [32]byte, message []byte) (sum [sha256.Size]byte) {
	const inner, outer = 0x36, 0x5c
	var pad [sha256.BlockSize]byte
	copy(pad[:], key[:])
	for i := range pad {
		pad[i] ^= inner
	}
	h := sha256.New()
	h.Write(pad[:])
	h.Write(message)
	h.Sum(sum[:0])
	for i := range pad {
		pad[i] ^= inner ^ outer
	}
	h.Reset()
	h.Write(pad[:])
	h.Write(sum[:])
	h.Sum(sum[:0])
	return sum
}
