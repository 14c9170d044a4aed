package audit_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hongbao"
	"hongbao/audit"
)

// lottery is a history of a rain with a fair start of two seconds, in which 100 players win when the lottery admits them:
// the first of them early by a time.
func lottery(t *testing.T, early hongbao.Time) *play {
	p := newPlay(t, 1)
	s := p.create(`{"name":"fair","kind":"rain","opens_at":"+1s","lasts":"10m","fair_start":"2s","budget":{"total_fen":10000,"count":200}}`)
	type entry struct {
		uid uint64
		at  hongbao.Time
	}
	var entries []entry
	for uid := range uint64(100) {
		delay := hongbao.LotDelay(s.seed.Lot(s.ID, uid), s.Rules().FairStart)
		entries = append(entries, entry{uid, s.Rules().OpensAt + 2*second + hongbao.Time(delay/time.Millisecond)})
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.at, b.at) })
	for i, e := range entries {
		if p.now = e.at; i == 0 {
			p.now -= early
		}
		if status := p.snatch(s, e.uid); status != hongbao.Won {
			t.Fatalf("player %d: %s", e.uid, status)
		}
	}
	p.now = s.Rules().OpensAt + 4*second
	for uid := range uint64(100) { // later nobody waits
		p.snatch(s, 1000+uid)
	}
	return p
}

func TestWinsInTheOrderOfTheLotteryPass(t *testing.T) {
	p := lottery(t, 0)
	if r := p.audit(audit.Options{Secret: &p.secret}); !r.OK {
		t.Errorf("%+v", r)
	}
}

func TestAWinAheadOfTheLotteryIsFound(t *testing.T) {
	for early, says := range map[hongbao.Time]string{
		1:          "by the lottery the player is admitted at",
		2 * second: "its fair start admits nobody before",
	} {
		p := lottery(t, early)
		if found := fmt.Sprint(p.audit(audit.Options{Secret: &p.secret})); !strings.Contains(found, says) {
			t.Errorf("%d ms early: %s", early, found)
		}
	}
}
