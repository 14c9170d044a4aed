package gate

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"hongbao"
)

// remember puts a score into the table.
func (v *verdicts) remember(who riskCaller, score float64, now time.Duration) {
	v.shard(who).keep(who, verdict{score, now})
}

// size is how many scores the table holds.
func (v *verdicts) size() (n int) {
	for i := range v.shards {
		n += len(v.shards[i].young) + len(v.shards[i].old)
	}
	return n
}

// known looks without asking.
func (v *verdicts) known(who riskCaller, now time.Duration) (float64, bool) {
	return v.shard(who).find(who, now)
}

func TestVerdictIsRememberedForExactlyAMinute(t *testing.T) {
	v := newVerdicts()
	who := newRiskCaller(hongbao.UIDMax, hongbao.CampaignMax, netip.MustParseAddr("203.0.113.9"))
	v.remember(who, 0.25, 5*time.Second)
	for _, row := range []struct {
		after time.Duration
		known bool
	}{{0, true}, {time.Minute - 1, true}, {time.Minute, false}, {time.Hour, false}} {
		if score, known := v.known(who, 5*time.Second+row.after); known != row.known || known && score != 0.25 {
			t.Errorf("after %v the score is %v, %v", row.after, score, known)
		}
	}
}

func TestVerdictIsForOnePlayerCampaignAndAddress(t *testing.T) {
	v := newVerdicts()
	address := netip.MustParseAddr("203.0.113.9")
	v.remember(newRiskCaller(7, 1, address), 0.5, 0)
	for _, other := range []riskCaller{
		newRiskCaller(8, 1, address), newRiskCaller(7, 2, address), newRiskCaller(7, 1, address.Next()),
	} {
		if score, known := v.known(other, 0); known {
			t.Errorf("%v has the score %v of another", other, score)
		}
	}
	if _, known := v.known(newRiskCaller(7, 1, netip.MustParseAddr("::ffff:203.0.113.9")), 0); !known {
		t.Error("the same address in its other form is not known")
	}
}

// Whoever is forgotten is asked about anew; no flood changes a score or makes the table larger.
func TestFloodOfUidsKeepsTheTableBounded(t *testing.T) {
	v := newVerdicts()
	address := netip.MustParseAddr("2001:db8::1")
	const flood = 3 * verdictsMax * verdictShards
	for uid := range uint64(flood) {
		v.remember(newRiskCaller(uid, 1, address), float64(uid%100)/100, 0)
	}
	if n := v.size(); n > 2*verdictsMax*verdictShards || n < verdictsMax*verdictShards {
		t.Errorf("the table holds %d scores after %d", n, flood)
	}
	for uid := range uint64(flood) {
		if score, known := v.known(newRiskCaller(uid, 1, address), 0); known && score != float64(uid%100)/100 {
			t.Fatalf("uid %d has the score %v", uid, score)
		}
	}
}

// The table against a map that forgets nothing: what it knows is the last score and less than a minute old.
func TestVerdictIsAlwaysTheLast(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	v, last := newVerdicts(), map[riskCaller]verdict{}
	address := netip.MustParseAddr("203.0.113.9")
	now := time.Duration(0)
	for range 300_000 {
		now += time.Duration(random.IntN(2)) * time.Millisecond
		who := newRiskCaller(random.Uint64N(200_000), 1, address)
		if score, known := v.known(who, now); known {
			if want := last[who]; score != want.score || now-want.at >= verdictKept {
				t.Fatalf("seed %d: %v at %v is %v; the last was %v", seed, who, now, score, want)
			}
			continue
		}
		last[who] = verdict{random.Float64(), now}
		v.remember(who, last[who].score, now)
	}
}

// An earlier score of the same caller may still stand in the old generation.
func TestLaterVerdictCountsWhereBothGenerationsHaveOne(t *testing.T) {
	v := newVerdicts()
	who := newRiskCaller(7, 1, netip.MustParseAddr("203.0.113.9"))
	s := v.shard(who)
	v.remember(who, 0.25, 0)
	for uid := uint64(8); len(s.old) == 0; uid++ {
		v.remember(newRiskCaller(uid, 1, netip.MustParseAddr("203.0.113.9")), 0, 0)
	}
	if score, known := v.known(who, 1); !known || score != 0.25 {
		t.Fatal("the score is not in the old generation")
	}
	v.remember(who, 0.75, 2*verdictKept)
	if score, known := v.known(who, 2*verdictKept); !known || score != 0.75 {
		t.Errorf("the score is %v, %v", score, known)
	}
}

func TestWhoeverComesMeanwhileSharesTheInquiry(t *testing.T) {
	v := newVerdicts()
	who := newRiskCaller(7, 1, netip.MustParseAddr("203.0.113.9"))
	_, q, first := v.look(who, 0, time.Hour)
	_, same, second := v.look(who, 0, time.Hour)
	if !first || second || q != same {
		t.Fatal("the second caller has an inquiry of its own")
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, told := same.wait(gone); told {
		t.Error("a caller that left was told")
	}
	v.settle(who, q, 0.75, true, 0)
	if score, told := same.wait(gone); !told || score != 0.75 {
		t.Error("an answer that is there is not taken")
	}
	if score, pending, _ := v.look(who, 0, time.Hour); pending != nil || score != 0.75 {
		t.Error("the answer is not remembered")
	}
	if n := len(v.shard(who).underWay); n != 0 {
		t.Errorf("%d inquiries are still under way", n)
	}
}

func TestInquiryEndsWithItsBudget(t *testing.T) {
	v := newVerdicts()
	_, q, _ := v.look(newRiskCaller(7, 1, netip.Addr{}), 0, time.Nanosecond)
	if _, told := q.wait(context.Background()); told { // nobody ever settles it
		t.Error("a score came from nowhere")
	}
}
