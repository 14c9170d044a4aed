package gate

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"strconv"
)

const (
	workBitsMax   = 30 // about a billion tries
	nonceBytesMax = 32
)

// SolveWork finds a nonce such that SHA-256(salt + nonce) begins with that many zero bits: the decimal digits of the
// smallest number that does it. It takes 2^bits tries on average, each one block of SHA-256, for a ticket's salt and the
// nonce fit into one; there is nothing to resume from. It does not end with more than 64 bits, and no server asks more
// than 30.
func SolveWork(salt string, bits int) (nonce string) {
	buffer := make([]byte, len(salt), len(salt)+nonceBytesMax)
	copy(buffer, salt)
	for try := uint64(0); ; try++ {
		message := strconv.AppendUint(buffer, try, 10)
		if zeroBits(sha256.Sum256(message)) >= bits {
			return string(message[len(salt):])
		}
	}
}

// workDone reports whether the nonce, of at most nonceBytesMax bytes, does the work of a ticket's salt.
func workDone(salt, nonce []byte, bits int) bool {
	var buffer [ticketTextLen - ticketSaltAt + nonceBytesMax]byte
	return zeroBits(sha256.Sum256(append(append(buffer[:0], salt...), nonce...))) >= bits
}

// zeroBits counts the zero bits that the sum begins with, to 64.
func zeroBits(sum [sha256.Size]byte) int {
	return bits.LeadingZeros64(binary.BigEndian.Uint64(sum[:]))
}

// nonceLike reports whether a nonce has the form of one, whatever it does.
func nonceLike(nonce []byte) bool {
	for _, c := range nonce {
		if c <= ' ' || c > '~' || c == '.' {
			return false
		}
	}
	return len(nonce) >= 1 && len(nonce) <= nonceBytesMax
}
