package gate

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"hongbao"
)

// TicketOptions are how tickets are made.
type TicketOptions struct {
	Keys     [][]byte      // secrets of at least 16 bytes; the first signs, all verify, so that two are valid while rotating; none: one derived from the server's secret
	Lifetime time.Duration // 0: 60 s; from 1 s to 1 h
	PowBits  int           // zero bits of work; 0: none; at most 30
}

const (
	ticketLifetime    = 60 * time.Second
	ticketLifetimeMin = time.Second
	ticketLifetimeMax = time.Hour
	ticketKeyBytesMin = 16
	ticketKeysMax     = 8

	// ticketSkew is how long after its end a ticket is still admitted, for the clocks of two nodes differ.
	ticketSkew = hongbao.Duration(time.Second)
)

// Ticket is what a player is given.
type Ticket struct {
	Text      string
	ExpiresAt hongbao.Time
	Salt      string // of the work
	Bits      int    // of the work; 0: none
}

// A ticket is 40 characters of base64url. Both parts fill theirs to the last bit, so that no two texts mean the same:
//
//	16 characters  version (8 bits) ‖ bits of work (8) ‖ expiry in Unix milliseconds (48) ‖ id of the key (32)
//	24 characters  HMAC-SHA256(key, the twelve bytes above ‖ campaign as uint32 ‖ uid as uint64), cut to 18 bytes
//
// all big endian. Campaign and uid are not in it: the request says them. The second part is also the salt of the work,
// which no one can foretell, so that no work can be done before the ticket is fetched. A player's tickets of one
// millisecond are the same ticket, with the same work: as a ticket admits any number of taps, a second one is worth nothing.
const (
	ticketVersion    = 1
	ticketHeadBytes  = 12
	ticketMACBytes   = 18
	ticketBytes      = ticketHeadBytes + ticketMACBytes
	ticketTextLen    = ticketBytes / 3 * 4
	ticketSaltAt     = ticketHeadBytes / 3 * 4
	ticketSignedMost = ticketHeadBytes + 4 + 8
)

// ticketFault is why a ticket is refused, for people.
type ticketFault string

const (
	ticketMalformed  ticketFault = "it is not what a ticket looks like"
	ticketUnknownKey ticketFault = "it was made with a key that is no longer used"
	ticketExpired    ticketFault = "it has expired"
	ticketForeign    ticketFault = "it was not given to this player for this campaign"
	ticketBadNonce   ticketFault = "its nonce is not 1 to 32 printable characters without a dot"
	ticketNoWork     ticketFault = "its work is missing"
	ticketWrongWork  ticketFault = "its nonce does not do the work"
)

func (f ticketFault) Error() string { return hongbao.ErrTicketInvalid.Error() + ": " + string(f) }

// Unwrap makes it an [hongbao.ErrTicketInvalid].
func (ticketFault) Unwrap() error { return hongbao.ErrTicketInvalid }

// tickets issues and checks tickets. It remembers none: what a ticket says and the key are enough, so that every node
// with the same key admits it.
type tickets struct {
	keys     []ticketKey // the first signs
	lifetime hongbao.Duration
	bits     int
}

func newTickets(o TicketOptions, secret hongbao.Secret) (*tickets, error) {
	if o.Lifetime == 0 {
		o.Lifetime = ticketLifetime
	}
	if o.Lifetime < ticketLifetimeMin || o.Lifetime > ticketLifetimeMax {
		return nil, hongbao.Invalid("gate.ticket.lifetime", o.Lifetime, "from 1s to 1h")
	}
	if o.PowBits < 0 || o.PowBits > workBitsMax {
		return nil, hongbao.Invalid("gate.ticket.pow_bits", o.PowBits, fmt.Sprintf("from 0 to %d", workBitsMax))
	}
	keys, err := newTicketKeys(o.Keys)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		keys = []ticketKey{newTicketKey(secret.TicketKey())}
	}
	return &tickets{keys: keys, lifetime: hongbao.Duration(o.Lifetime), bits: o.PowBits}, nil
}

// newTicketKeys derives a key from each secret as [hongbao.Secret.TicketKey] does from the server's. Its errors tell the
// place and the length of a secret, never the secret.
func newTicketKeys(secrets [][]byte) ([]ticketKey, error) {
	const field = "gate.ticket.keys"
	if len(secrets) > ticketKeysMax {
		return nil, hongbao.Invalid(field, fmt.Sprintf("%d keys", len(secrets)), fmt.Sprintf("at most %d keys", ticketKeysMax))
	}
	var keys []ticketKey
	for i, secret := range secrets {
		if len(secret) < ticketKeyBytesMin {
			return nil, hongbao.Invalid(field, fmt.Sprintf("key %d, of %d bytes", i+1, len(secret)), fmt.Sprintf("of at least %d bytes", ticketKeyBytesMin))
		}
		h := hmac.New(sha256.New, secret)
		h.Write([]byte("ticket"))
		key := newTicketKey([32]byte(h.Sum(nil)))
		for j := range keys {
			if keys[j].id == key.id {
				return nil, hongbao.Invalid(field, fmt.Sprintf("keys %d and %d, the same", j+1, i+1), "keys that differ")
			}
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// issue makes the ticket of a player for a campaign.
func (t *tickets) issue(campaign uint32, uid uint64, now hongbao.Time) Ticket {
	key := &t.keys[0]
	expiresAt := now.Add(t.lifetime)
	var buffer [ticketBytes]byte
	raw := binary.BigEndian.AppendUint64(buffer[:0], ticketVersion<<56|uint64(t.bits)<<48|uint64(expiresAt))
	raw = binary.BigEndian.AppendUint32(raw, key.id)
	mac := key.sign([ticketHeadBytes]byte(raw), campaign, uid)
	raw = append(raw, mac[:]...)
	text := base64.RawURLEncoding.EncodeToString(raw)
	return Ticket{Text: text, ExpiresAt: expiresAt, Salt: text[ticketSaltAt:], Bits: t.bits}
}

// check tells why a request with this header value may not play, or nil: [hongbao.ErrTicketRequired] without a ticket,
// otherwise [hongbao.ErrTicketInvalid] with a reason for people. A ticket is admitted until a second after it expires.
//
// What costs nothing comes first. The MAC comes before the work: the text says itself how many bits it owes, so that a
// made-up one would owe none, and checking work first would turn nobody away. Once the MAC holds, that number is ours.
func (t *tickets) check(text []byte, campaign uint32, uid uint64, now hongbao.Time) error {
	if len(text) == 0 {
		return hongbao.ErrTicketRequired
	}
	ticket, nonce, worked := bytes.Cut(text, []byte{'.'})
	var raw [ticketBytes]byte
	if !decodeTicket(&raw, ticket) {
		return ticketMalformed
	}
	key := t.key(binary.BigEndian.Uint32(raw[8:]))
	if key == nil {
		return ticketUnknownKey
	}
	says := binary.BigEndian.Uint64(raw[:])
	expiresAt, owed := hongbao.Time(says&(1<<48-1)), int(says>>48&0xff)
	if now >= expiresAt.Add(ticketSkew) {
		return ticketExpired
	}
	if worked && !nonceLike(nonce) {
		return ticketBadNonce
	}
	mac := key.sign([ticketHeadBytes]byte(raw[:]), campaign, uid)
	if subtle.ConstantTimeCompare(mac[:], raw[ticketHeadBytes:]) == 0 {
		return ticketForeign
	}
	return checkWork(ticket[ticketSaltAt:], nonce, owed)
}

// checkWork tells whether a genuine ticket's work is done. Where none is owed a nonce is let pass: a client need not
// know the difference.
func checkWork(salt, nonce []byte, owed int) error {
	switch {
	case owed == 0:
		return nil
	case len(nonce) == 0:
		return ticketNoWork
	case !workDone(salt, nonce, owed):
		return ticketWrongWork
	}
	return nil
}

// decodeTicket reports whether text has the form of a ticket of this version.
func decodeTicket(raw *[ticketBytes]byte, text []byte) bool {
	if len(text) != ticketTextLen {
		return false
	}
	n, err := base64.RawURLEncoding.Decode(raw[:], text)
	return err == nil && n == ticketBytes && raw[0] == ticketVersion // n: the decoder skips line ends
}

// key finds a key by its id, so that a ticket costs one MAC however many keys there are, and one of an unknown key none.
func (t *tickets) key(id uint32) *ticketKey {
	for i := range t.keys {
		if t.keys[i].id == id {
			return &t.keys[i]
		}
	}
	return nil
}

// ticketKey signs tickets. It holds the key as HMAC (RFC 2104) uses it: xored with the inner and the outer pad.
type ticketKey struct {
	id           uint32 // the first 32 bits of HMAC-SHA256(key, "id"): of the key, not of its place in the list
	inner, outer [sha256.BlockSize]byte
}

func newTicketKey(key [32]byte) (k ticketKey) {
	copy(k.inner[:], key[:])
	copy(k.outer[:], key[:])
	for i := range k.inner {
		k.inner[i] ^= 0x36
		k.outer[i] ^= 0x5c
	}
	id := k.mac([]byte("id"))
	k.id = binary.BigEndian.Uint32(id[:])
	return k
}

// sign is a ticket's MAC.
func (k *ticketKey) sign(head [ticketHeadBytes]byte, campaign uint32, uid uint64) [ticketMACBytes]byte {
	var buffer [ticketSignedMost]byte
	message := append(buffer[:0], head[:]...)
	message = binary.BigEndian.AppendUint32(message, campaign)
	message = binary.BigEndian.AppendUint64(message, uid)
	sum := k.mac(message)
	return [ticketMACBytes]byte(sum[:])
}

// mac is HMAC-SHA256 of a message of at most ticketSignedMost bytes. It is spelled out because crypto/hmac allocates.
func (k *ticketKey) mac(message []byte) [sha256.Size]byte {
	var inner [sha256.BlockSize + ticketSignedMost]byte
	sum := sha256.Sum256(append(append(inner[:0], k.inner[:]...), message...))
	var outer [sha256.BlockSize + sha256.Size]byte
	return sha256.Sum256(append(append(outer[:0], k.outer[:]...), sum[:]...))
}
