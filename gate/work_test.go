package gate

import (
	"crypto/sha256"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The vectors are what every solver must agree with: the first nonce, counting in decimal from 0, that does the work, and
// how many zero bits it gives. The solver in JavaScript is checked against them too.
func TestWorkVectors(t *testing.T) {
	text, err := os.ReadFile("testdata/work.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Salt, Nonce string
		Bits, Zeros int
	}
	if err := json.Unmarshal(text, &vectors); err != nil || len(vectors) == 0 {
		t.Fatalf("%d vectors, %v", len(vectors), err)
	}
	for _, v := range vectors {
		salt, nonce := []byte(v.Salt), []byte(v.Nonce)
		if !workDone(salt, nonce, v.Bits) || !workDone(salt, nonce, v.Zeros) || workDone(salt, nonce, v.Zeros+1) {
			t.Errorf("%s.%s does not begin with %d zero bits", v.Salt, v.Nonce, v.Zeros)
		}
		if nonce := SolveWork(v.Salt, v.Bits); nonce != v.Nonce {
			t.Errorf("the work of %s with %d bits is %s, must stay %s", v.Salt, v.Bits, nonce, v.Nonce)
		}
	}
}

func TestSolvedWorkIsDone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		salt := rapid.StringN(-1, -1, 200).Draw(t, "salt")
		bits := rapid.IntRange(0, 10).Draw(t, "bits")
		nonce := SolveWork(salt, bits)
		sum := sha256.Sum256([]byte(salt + nonce))
		if zeroBits(sum) < bits || !workDone([]byte(salt), []byte(nonce), bits) || !nonceLike([]byte(nonce)) {
			t.Errorf("%q does not do %d bits of work of %q: %x", nonce, bits, salt, sum)
		}
	})
}

func TestZeroBitsAreCountedFromTheFront(t *testing.T) {
	for bit := range 64 {
		var sum [sha256.Size]byte
		sum[bit/8] = 0x80 >> (bit % 8)
		sum[31] = 0xff
		if got := zeroBits(sum); got != bit {
			t.Errorf("%x begins with %d zero bits, counted %d", sum, bit, got)
		}
	}
}

func TestNoncesArePrintable(t *testing.T) {
	for c := range 256 {
		want := c > ' ' && c < 0x7f && c != '.'
		if got := nonceLike([]byte{'0', byte(c)}); got != want {
			t.Errorf("%q in a nonce: %v", rune(c), got)
		}
	}
	for length, want := range map[int]bool{0: false, 1: true, 32: true, 33: false} {
		if got := nonceLike([]byte(strings.Repeat("0", length))); got != want {
			t.Errorf("a nonce of %d bytes: %v", length, got)
		}
	}
}

func BenchmarkSolveWork(b *testing.B) {
	issuer := makeTickets(b, TicketOptions{})
	at, tries := someTime, 0
	b.ReportAllocs()
	for b.Loop() {
		nonce, err := strconv.Atoi(SolveWork(issuer.issue(lastCampaign, lastUID, at).Salt, 12))
		if err != nil {
			b.Fatal(err)
		}
		at++
		tries += nonce + 1
	}
	b.ReportMetric(float64(tries)/b.Elapsed().Seconds(), "tries/s")
}
