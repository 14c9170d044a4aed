package hongbao

import (
	"encoding/base64"
	"strings"
	"testing"
)

const (
	lastEnvelope = lastCampaign<<32 | (CountMax - 1)
	someTime     = Time(1_801_828_800_123)
)

func TestReceiptIsPinned(t *testing.T) {
	const want = "UXM3hIShlRq0zNzZ3rcX5nkImON2dkCaOtzYcEqCBj8"
	if got := countingSecret().ReceiptKey().Receipt(lastCampaign, lastEnvelope, lastUID, someTime); got != want {
		t.Errorf("the receipt is %s, must stay %s", got, want)
	}
}

func TestReceiptHoldsForItsWinOnly(t *testing.T) {
	key := countingSecret().ReceiptKey()
	other := Secret{}.ReceiptKey()
	receipt := key.Receipt(7, 7<<32, 8, someTime)
	last := receipt[len(receipt)-1:]
	cases := []struct {
		name string
		ok   bool
		want bool
	}{
		{"its own win", key.Verify(receipt, 7, 7<<32, 8, someTime), true},
		{"another server", other.Verify(receipt, 7, 7<<32, 8, someTime), false},
		{"another campaign", key.Verify(receipt, 8, 7<<32, 8, someTime), false},
		{"another envelope", key.Verify(receipt, 7, 7<<32+1, 8, someTime), false},
		{"another player", key.Verify(receipt, 7, 7<<32, 9, someTime), false},
		{"another time", key.Verify(receipt, 7, 7<<32, 8, someTime+1), false},
		{"uid and envelope exchanged", key.Verify(receipt, 7, 8, 7<<32, someTime), false},
		{"nothing", key.Verify("", 7, 7<<32, 8, someTime), false},
		{"cut short", key.Verify(receipt[:42], 7, 7<<32, 8, someTime), false},
		{"something behind it", key.Verify(receipt+"=", 7, 7<<32, 8, someTime), false},
		{"other letter case", key.Verify(Receipt(strings.ToLower(string(receipt))), 7, 7<<32, 8, someTime), false},
		{"the last character's unused bits", key.Verify(receipt[:42]+nextLetter(last), 7, 7<<32, 8, someTime), false},
	}
	for _, c := range cases {
		if c.ok != c.want {
			t.Errorf("a receipt checked against %s: %v, must be %v", c.name, c.ok, c.want)
		}
	}
}

// nextLetter differs from a receipt's last character in the two bits that encode nothing.
func nextLetter(last Receipt) Receipt { return Receipt(last[0] + 1) }

func TestReceiptIs43CharactersOfBase64URL(t *testing.T) {
	receipt := countingSecret().ReceiptKey().Receipt(1, 1<<32, 0, 0)
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(string(receipt)); err != nil || len(raw) != 32 || len(receipt) != receiptLen {
		t.Errorf("receipt %q: %d bytes, %v", receipt, len(raw), err)
	}
}

func TestReceiptAllocatesOnlyItself(t *testing.T) {
	key := countingSecret().ReceiptKey()
	receipt := key.Receipt(1, 1<<32, 0, someTime)
	var buffer [receiptLen]byte
	cases := []struct {
		name string
		most float64
		do   func()
	}{
		{"issuing", 1, func() { key.Receipt(1, 1<<32, 0, someTime) }},
		{"appending", 0, func() { key.Append(buffer[:0], 1, 1<<32, 0, someTime) }},
		{"verifying", 0, func() { key.Verify(receipt, 1, 1<<32, 0, someTime) }},
	}
	for _, c := range cases {
		if allocs := testing.AllocsPerRun(100, c.do); allocs > c.most {
			t.Errorf("%s a receipt allocates %v times, at most %v", c.name, allocs, c.most)
		}
	}
}

func BenchmarkReceipt(b *testing.B) {
	key, uid := countingSecret().ReceiptKey(), uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		key.Receipt(lastCampaign, lastEnvelope, uid, someTime)
		uid++
	}
}
