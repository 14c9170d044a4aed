package playerapi

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"hongbao"
)

func TestWalletOfAPlayerWithoutEnvelopes(t *testing.T) {
	g := newGame(t)
	expect(t, g.ask("GET /v1/wallet", "", "X-Player-Id: 0"), 200, `{"balance_fen":0,"envelopes":[],"next":""}`)
	expect(t, g.ask("POST /get_wallet_list", `{"uid":0}`), 200, `{"code":0,"msg":"success","data":{"amount":0,"envelope_list":[]}}`)
}

// shownWallet is a game in which player 7 has a refunded, a held and an opened envelope, from oldest to newest, the
// last from a campaign that reveals on snatch.
func shownWallet(t *testing.T) *game {
	g := newGame(t)
	short := hongbao.Duration(time.Minute)
	hasty := rain("hasty", 10)
	hasty.Lasts, hasty.OpenFor = short, &short
	g.create(hasty)
	g.create(rain("calm", 10))
	g.win(7, 1)
	g.pass(3 * time.Minute)
	g.win(7, 2)
	g.now.Add(1500)
	spec, reveal := bomb("b", 10), hongbao.RevealOnSnatch
	spec.OpensAt, spec.Reveal = hongbao.AtTime(hongbao.Time(g.now.Load())), &reveal
	g.create(spec)
	g.ask("PUT /v1/campaigns/3/signup", "", "X-Player-Id: 7")
	g.win(7, 3)
	return g
}

func TestWalletNewestFirst(t *testing.T) {
	g := shownWallet(t)
	wallet := func(balance, newest string) string {
		return `{"balance_fen":` + balance + `,"envelopes":[{"id":"12884901888","campaign_id":"3","status":` + newest + `},` +
			`{"id":"8589934592","campaign_id":"2","status":"held","snatched_at":"2027-02-05T12:03:00Z","expires_at":"2027-02-06T12:10:00Z"},` +
			`{"id":"4294967296","campaign_id":"1","status":"refunded","snatched_at":"2027-02-05T12:00:00Z","refunded_at":"2027-02-05T12:03:00Z"}],"next":""}`
	}
	expect(t, g.ask("GET /v1/wallet", "", "X-Player-Id: 7"), 200,
		wallet("0", `"held","amount_fen":50,"snatched_at":"2027-02-05T12:03:01.5Z","expires_at":"2027-02-06T12:13:01.5Z"`))
	g.open(7, "12884901888")
	expect(t, g.ask("GET /v1/wallet?limit=200", "", "X-Player-Id: 7"), 200,
		wallet("50", `"opened","amount_fen":50,"snatched_at":"2027-02-05T12:03:01.5Z","opened_at":"2027-02-05T12:03:01.5Z"`))
}

func TestCampWalletOldestFirstWithValuesOnceOpened(t *testing.T) {
	g := shownWallet(t)
	expect(t, g.ask("POST /get_wallet_list", "uid=7"), 200, `{"code":0,"msg":"success","data":{"amount":0,"envelope_list":[`+
		`{"envelope_id":4294967296,"opened":false,"snatch_time":1801828800},`+
		`{"envelope_id":8589934592,"opened":false,"snatch_time":1801828980},`+
		`{"envelope_id":12884901888,"opened":false,"snatch_time":1801828981}]}}`)
	g.open(7, "12884901888")
	expect(t, g.ask("POST /get_wallet_list", "uid=7"), 200, `{"code":0,"msg":"success","data":{"amount":50,"envelope_list":[`+
		`{"envelope_id":4294967296,"opened":false,"snatch_time":1801828800},`+
		`{"envelope_id":8589934592,"opened":false,"snatch_time":1801828980},`+
		`{"envelope_id":12884901888,"value":50,"opened":true,"snatch_time":1801828981}]}}`)
}

// ofBooks is an engine whose players' shard can't be read: their wallets are those of the books, as the cluster has them.
type ofBooks struct {
	hongbao.Engine
	asOf hongbao.Time
}

func (e ofBooks) Wallet(ctx context.Context, r hongbao.WalletRequest) (hongbao.Wallet, error) {
	w, err := e.Engine.Wallet(ctx, r)
	w.AsOf = e.asOf
	return w, err
}

func TestWalletOfTheBooksSaysOfWhenItIs(t *testing.T) {
	g := newGame(t, func(s *settings) {
		s.engine = func(e hongbao.Engine) hongbao.Engine { return ofBooks{e, hongbao.TimeOf(noon)} }
	})
	g.create(rain("r", 10))
	g.win(7, 1)
	expect(t, g.ask("GET /v1/wallet", "", "X-Player-Id: 7"), 200, `{"balance_fen":0,"envelopes":[{"id":"4294967296","campaign_id":"1",`+
		`"status":"held","snatched_at":"2027-02-05T12:00:00Z","expires_at":"2027-02-06T12:10:00Z"}],"next":"","as_of":"2027-02-05T12:00:00Z"}`)
	expect(t, g.ask("POST /get_wallet_list", "uid=7"), 200, `{"code":9,"msg":"busy"}`)
}

// Cancelling gives everybody open_for from then on; what was told never becomes earlier.
func TestWalletTellsTheExpiryThatCancellingMoved(t *testing.T) {
	g := newGame(t)
	c := g.create(rain("r", 10))
	g.win(7, 1)
	closes := hongbao.TimeOf(noon.Add(5 * time.Hour))
	g.revise(c, hongbao.Patch{ClosesAt: &closes})
	told := func(expires string) {
		t.Helper()
		expect(t, g.ask("GET /v1/wallet", "", "X-Player-Id: 7"), 200, `{"balance_fen":0,"envelopes":[{"id":"4294967296","campaign_id":"1",`+
			`"status":"held","snatched_at":"2027-02-05T12:00:00Z","expires_at":"`+expires+`"}],"next":""}`)
	}
	told("2027-02-06T12:10:00Z")
	g.now.Add((3 * time.Hour).Milliseconds())
	g.cancel(c)
	told("2027-02-06T15:00:00Z")
}

// A player with more envelopes than a page holds sees each once, in order, whatever the page's size.
func TestWalletPagesJoin(t *testing.T) {
	const wins = 450 // more than two pages of the camp's list
	g := newGame(t)
	spec, unlimited := rain("r", 1000), 0
	spec.WinsMax = &unlimited
	g.create(spec)
	var newestFirst []string
	for i := range wins {
		newestFirst = slices.Insert(newestFirst, 0, g.win(7, 1))
		g.now.Add(int64(i % 2)) // some share a millisecond
	}
	for _, limit := range []int{1, 50, 200} {
		t.Run(fmt.Sprint("of ", limit), func(t *testing.T) {
			if got := g.walk(limit); !slices.Equal(got, newestFirst) {
				t.Errorf("got %v\nwant %v", got, newestFirst)
			}
		})
	}
	slices.Reverse(newestFirst)
	if got := g.campList(7); !slices.Equal(got, newestFirst) {
		t.Errorf("the camp's list has %v\nwant %v", got, newestFirst)
	}
}

func (g *game) walk(limit int) (ids []string) {
	g.t.Helper()
	for cursor := ""; ; {
		var page struct {
			Envelopes []struct{ ID string }
			Next      string
		}
		got := g.ask(fmt.Sprintf("GET /v1/wallet?limit=%d&cursor=%s", limit, cursor), "", "X-Player-Id: 7")
		if err := json.Unmarshal([]byte(got.body), &page); err != nil || len(page.Envelopes) > limit {
			g.t.Fatalf("%d %s", got.status, got.body)
		}
		for _, e := range page.Envelopes {
			ids = append(ids, e.ID)
		}
		if cursor = page.Next; cursor == "" {
			return ids
		}
	}
}

func (g *game) campList(uid int) (ids []string) {
	g.t.Helper()
	var list struct {
		Data struct {
			Envelopes []struct {
				ID uint64 `json:"envelope_id"`
			} `json:"envelope_list"`
		}
	}
	got := g.ask("POST /get_wallet_list", fmt.Sprintf(`{"uid":%d}`, uid))
	if err := json.NewDecoder(strings.NewReader(got.body)).Decode(&list); err != nil {
		g.t.Fatalf("%d %s", got.status, got.body)
	}
	for _, e := range list.Data.Envelopes {
		ids = append(ids, strconv.FormatUint(e.ID, 10))
	}
	return ids
}
