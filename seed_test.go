package hongbao

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

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

func TestTicketKeyIsPinned(t *testing.T) {
	const want = "a570dd28956e2d95b01f7e2f568f2d9f5b4e4b16d980bba85495c536d742415e"
	if got := fmt.Sprintf("%x", countingSecret().TicketKey()); got != want {
		t.Errorf("the key of tickets is %s, must stay %s", got, want)
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

// TestLotIsPinned holds lots, and the delays that follow from them, to what Python computes: with the seed's 32 bytes,
//
//	n = int.from_bytes(hmac.digest(seed, b"lot" + struct.pack(">IQ", campaign, uid), "sha256")[:8], "big")
//	n * fair_start_in_ns >> 64
//
// and the last two lots to what openssl does: printf 'lot…' | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f.
func TestLotIsPinned(t *testing.T) {
	cases := []struct {
		campaign                 uint32
		uid, lot                 uint64
		second, quarter, longest time.Duration
	}{
		{1, 0, 0xc73eb7478887ef83, 778300719, 194575179, 23349021576},
		{1, 1, 0x8d9674101d68c150, 553076986, 138269246, 16592309587},
		{7, 256, 0x88e14744410bcbc8, 534687475, 133671868, 16040624260},
		{lastCampaign, lastUID, 0x39ead7a9ebcdad94, 226239661, 56559915, 6787189836},
	}
	for _, c := range cases {
		lot := testSeed().Lot(c.campaign, c.uid)
		if lot != c.lot {
			t.Errorf("the lot of campaign %d, uid %d is %#x, must stay %#x", c.campaign, c.uid, lot, c.lot)
		}
		for fairStart, want := range map[time.Duration]time.Duration{time.Second: c.second, time.Second / 4: c.quarter, fairStartMax: c.longest} {
			if got := LotDelay(lot, Duration(fairStart)); got != want {
				t.Errorf("of %s it is admitted %d ns later, must stay %d", fairStart, got, want)
			}
		}
	}
}

// TestLotIsTheDocumentedFormula recomputes a lot as a stranger would, from the formula in the documentation.
func TestLotIsTheDocumentedFormula(t *testing.T) {
	seed := testSeed()
	h := hmac.New(sha256.New, seed[:])
	h.Write([]byte("lot\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x01\x00"))
	if got, want := fmt.Sprintf("%016x", seed.Lot(7, 256)), hex.EncodeToString(h.Sum(nil)[:8]); got != want {
		t.Errorf("the lot is %s, the formula says %s", got, want)
	}
}

func TestEveryPartOfALotMatters(t *testing.T) {
	lots := map[uint64]string{}
	for _, seed := range []Seed{{}, testSeed()} {
		for _, campaign := range []uint32{1, 2, lastCampaign} {
			for _, uid := range []uint64{0, 1, 1 << 32, lastUID} {
				name := fmt.Sprintf("seed %x campaign %d uid %d", seed[:2], campaign, uid)
				lot := seed.Lot(campaign, uid)
				if other, taken := lots[lot]; taken {
					t.Errorf("%s and %s draw one lot", name, other)
				}
				lots[lot] = name
			}
		}
	}
}

// TestLotDelayIsTheExactFractionOfTheFairStart compares with exact arithmetic: below fairStart, in the order of the lots.
func TestLotDelayIsTheExactFractionOfTheFairStart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lot := rapid.Uint64().Draw(t, "lot")
		fairStart := Duration(rapid.Int64Range(1, int64(fairStartMax)).Draw(t, "fair start"))
		exact := new(big.Int).SetUint64(lot)
		exact.Rsh(exact.Mul(exact, big.NewInt(int64(fairStart))), 64)
		if got := LotDelay(lot, fairStart); int64(got) != exact.Int64() || got >= time.Duration(fairStart) {
			t.Fatalf("it is %s; must be %s ns", got, exact)
		}
		if after := rapid.Uint64Min(lot).Draw(t, "a later lot"); LotDelay(after, fairStart) < LotDelay(lot, fairStart) {
			t.Fatalf("lot %d overtakes lot %d", after, lot)
		}
	})
	if first, last := LotDelay(0, Duration(time.Second)), LotDelay(math.MaxUint64, Duration(time.Second)); first != 0 || last != time.Second-1 {
		t.Errorf("a second's lots are from %s to %s", first, last)
	}
	if got := LotDelay(math.MaxUint64, 0); got != 0 {
		t.Errorf("without a fair start it waits %s", got)
	}
}

// TestLotDelayTurnsAtItsExactLimit is what floating point gets wrong.
func TestLotDelayTurnsAtItsExactLimit(t *testing.T) {
	for _, delay := range []time.Duration{1, 333_333_333, 999_999_999} {
		// The first lot of that delay in a second is ⌈delay × 2⁶⁴ / 10⁹⌉.
		limit := new(big.Int).Lsh(big.NewInt(int64(delay)), 64)
		limit.Add(limit, big.NewInt(int64(time.Second)-1)).Div(limit, big.NewInt(int64(time.Second)))
		first := limit.Uint64()
		if at, before := LotDelay(first, Duration(time.Second)), LotDelay(first-1, Duration(time.Second)); at != delay || before != delay-1 {
			t.Errorf("lot %d waits %d ns and the one before %d; must be %d and one less", first, at, before, delay)
		}
	}
}

// TestDelaysOfTheLotAreUniform draws for neighbouring players, as a crowd that signed up together has neighbouring uids.
func TestDelaysOfTheLotAreUniform(t *testing.T) {
	const players, cells = 50_000, 50
	random := rand.Uint64()
	seed := Seed(mac(testSeed(), binary.BigEndian.AppendUint64(nil, random)))
	counts := make([]int, cells)
	for uid := range uint64(players) {
		counts[LotDelay(seed.Lot(1, uid), Duration(time.Second))/(time.Second/cells)]++
	}
	if chiSquareFar(counts, alike(players, cells)) {
		t.Errorf("the delays of the seed made from %#x are not uniform: %v", random, counts)
	}
}

func TestLotDoesNotAllocate(t *testing.T) {
	seed := testSeed()
	if allocs := testing.AllocsPerRun(100, func() { LotDelay(seed.Lot(lastCampaign, lastUID), Duration(time.Second)) }); allocs != 0 {
		t.Errorf("a lot allocates %v times", allocs)
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

func BenchmarkLot(b *testing.B) {
	seed, uid := testSeed(), uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		LotDelay(seed.Lot(lastCampaign, uid), Duration(time.Second))
		uid++
	}
}
