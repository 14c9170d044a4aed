package hongbao

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The bounds that ids reach; tests use them, for small ids hide what overflows.
const (
	lastCampaign = CampaignMax
	lastUID      = UIDMax
)

// countingSecret is 00 01 02 … 1f, so that the vectors below can be recomputed by hand.
func countingSecret() (s Secret) {
	for i := range s {
		s[i] = byte(i)
	}
	return s
}

func testSeed() Seed { return Seed(countingSecret()) }

func TestMacIsHMAC(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"))
		message := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "message")
		h := hmac.New(sha256.New, key[:])
		h.Write(message)
		if want, got := hex.EncodeToString(h.Sum(nil)), fmt.Sprintf("%x", mac(key, message)); got != want {
			t.Errorf("mac is %s, crypto/hmac says %s", got, want)
		}
	})
}

func TestSeedDependsOnSecretCampaignAndNonce(t *testing.T) {
	seeds := map[Seed]string{}
	for _, secret := range []Secret{{}, countingSecret()} {
		for _, campaign := range []uint32{1, 2, lastCampaign} {
			for _, nonce := range []Nonce{{}, {15: 1}} {
				name := fmt.Sprintf("secret %x campaign %d nonce %x", secret[:2], campaign, nonce)
				seed := secret.Seed(campaign, nonce)
				if other, taken := seeds[seed]; taken {
					t.Errorf("%s and %s have one seed", name, other)
				}
				seeds[seed] = name
			}
		}
	}
}

func TestSeedIsPinned(t *testing.T) {
	const want = "ac99f0ac329cb1475b5ff1a07991a0b8d2125bc7f41e676fbffe30e8c29cd85d"
	if got := countingSecret().Seed(lastCampaign, Nonce{1, 2, 3}).String(); got != want {
		t.Errorf("the seed is %s, must stay %s", got, want)
	}
}

func TestSeedReadsWhatItWrites(t *testing.T) {
	seed := testSeed()
	if got, err := ParseSeed(seed.String()); err != nil || got != seed {
		t.Errorf("ParseSeed(%s) = %v, %v", seed, got, err)
	}
	var again Seed
	b, err := json.Marshal(seed)
	if err != nil || string(b) != `"`+seed.String()+`"` {
		t.Fatalf("a seed in JSON is %s, %v", b, err)
	}
	if err := json.Unmarshal(b, &again); err != nil || again != seed {
		t.Errorf("read again it is %s, %v", again, err)
	}
}

func TestBadSeedIsAnError(t *testing.T) {
	good := testSeed().String()
	for _, bad := range []string{"", good[1:], good + "00", "g" + good[1:], strings.Repeat(" ", 64)} {
		if _, err := ParseSeed(bad); err == nil {
			t.Errorf("ParseSeed(%q) is no error", bad)
		}
	}
}

func TestCommitmentIsTheHashOfSeedAndRules(t *testing.T) {
	rules := []byte(`{"name":"new-year"}`)
	want := fmt.Sprintf("%x", sha256.Sum256([]byte(string(make([]byte, 32))+string(rules))))
	if got := (Seed{}).Commitment(rules); got != want {
		t.Errorf("the commitment is %s, must be %s", got, want)
	}
}

func TestDrawIsPinned(t *testing.T) {
	cases := []struct {
		campaign uint32
		uid      uint64
		key      string
		want     uint64
	}{
		{1, 0, "a", 0xe4fe2f00ccb971e8},
		{lastCampaign, lastUID, strings.Repeat("~", KeyBytesMax), 0x7fa90997ac830b09},
	}
	for _, c := range cases {
		if got := testSeed().Draw(c.campaign, c.uid, c.key); got != c.want {
			t.Errorf("the draw of campaign %d, uid %d, key %s is %#x, must stay %#x", c.campaign, c.uid, c.key, got, c.want)
		}
	}
}

// TestDrawIsTheDocumentedFormula recomputes a draw as a stranger would, from the formula in the documentation.
func TestDrawIsTheDocumentedFormula(t *testing.T) {
	seed := testSeed()
	h := hmac.New(sha256.New, seed[:])
	h.Write([]byte("draw\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x01\x00tap-1"))
	if got, want := fmt.Sprintf("%016x", seed.Draw(7, 256, "tap-1")), hex.EncodeToString(h.Sum(nil)[:8]); got != want {
		t.Errorf("the draw is %s, the formula says %s", got, want)
	}
}

func TestEveryPartOfADrawMatters(t *testing.T) {
	draws := map[uint64]string{}
	for _, seed := range []Seed{{}, testSeed()} {
		for _, campaign := range []uint32{1, lastCampaign} {
			for _, uid := range []uint64{0, 1, lastUID} {
				for _, key := range []string{"1", "11", "a"} {
					name := fmt.Sprintf("seed %x campaign %d uid %d key %s", seed[:2], campaign, uid, key)
					draw := seed.Draw(campaign, uid, key)
					if other, taken := draws[draw]; taken {
						t.Errorf("%s and %s draw alike", name, other)
					}
					draws[draw] = name
				}
			}
		}
	}
}

func TestDrawsAreUniform(t *testing.T) {
	const draws, cells = 50_000, 50
	counts := make([]int, cells)
	for uid := range uint64(draws) {
		counts[testSeed().Draw(1, uid, "k")/(1<<64/cells+1)]++
	}
	if chiSquareFar(counts, alike(draws, cells)) {
		t.Errorf("draws are not uniform: %v", counts)
	}
}

func TestDrawDoesNotAllocate(t *testing.T) {
	seed, key := testSeed(), strings.Repeat("k", KeyBytesMax)
	if allocs := testing.AllocsPerRun(100, func() { seed.Draw(lastCampaign, lastUID, key) }); allocs != 0 {
		t.Errorf("a draw allocates %v times", allocs)
	}
}

func TestSecretsStayOutOfLogs(t *testing.T) {
	secret := countingSecret()
	for _, verb := range []string{"%v", "%s", "%+v"} {
		if text := fmt.Sprintf(verb+verb, secret, secret.ReceiptKey()); text != "(secret)(secret)" {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	seed, uid := testSeed(), uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		seed.Draw(lastCampaign, uid, "0123456789abcdef0123456789abcdef")
		uid++
	}
}
