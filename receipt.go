package hongbao

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
)

// Receipt proves that the server gave an envelope to a player at a time: 43 characters of unpadded base64url. Only the
// server can make or check one.
type Receipt string

// receiptLen is the length of 32 bytes in unpadded base64url.
const receiptLen = 43

// ReceiptKey makes and checks receipts; see [Secret.ReceiptKey].
type ReceiptKey [32]byte

// Receipt issues the receipt of a win, with one allocation: base64url of HMAC-SHA256(key, "receipt" ‖ campaign as
// uint32 ‖ envelope id as uint64 ‖ uid as uint64 ‖ time of the win in Unix milliseconds as int64), all big endian.
func (k ReceiptKey) Receipt(campaign uint32, envelope, uid uint64, at Time) Receipt {
	var buffer [receiptLen]byte
	return Receipt(k.Append(buffer[:0], campaign, envelope, uid, at))
}

// Append appends the receipt to dst; with room for 43 bytes it does not allocate.
func (k ReceiptKey) Append(dst []byte, campaign uint32, envelope, uid uint64, at Time) []byte {
	var buffer [40]byte
	message := append(buffer[:0], "receipt"...)
	message = binary.BigEndian.AppendUint32(message, campaign)
	message = binary.BigEndian.AppendUint64(message, envelope)
	message = binary.BigEndian.AppendUint64(message, uid)
	message = binary.BigEndian.AppendUint64(message, uint64(at))
	sum := mac(k, message)
	return base64.RawURLEncoding.AppendEncode(dst, sum[:])
}

// Verify reports whether the receipt is the one of this win, in a time that does not depend on where they differ.
func (k ReceiptKey) Verify(receipt Receipt, campaign uint32, envelope, uid uint64, at Time) bool {
	var buffer [receiptLen]byte
	want := k.Append(buffer[:0], campaign, envelope, uid, at)
	return subtle.ConstantTimeCompare(want, []byte(receipt)) == 1
}

// String hides the key from logs.
func (ReceiptKey) String() string { return "(secret)" }
