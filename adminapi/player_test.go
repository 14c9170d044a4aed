package adminapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestWalletShowsEveryAmount(t *testing.T) {
	b := played(t)
	var all playerWallet
	b.get("/admin/v1/players/7/wallet").must(http.StatusOK).into(&all)
	var told []string
	sum := int64(0)
	for _, e := range all.Envelopes {
		told = append(told, e.CampaignID+" "+e.Status+" "+e.Key+" "+fmt.Sprint(e.Revealed))
		if e.Status == "opened" {
			sum += e.AmountFen
		}
		if e.AmountFen <= 0 || (e.OpenedAt != 0) != (e.Status == "opened") || e.ExpiresAt == 0 {
			t.Errorf("%+v", e)
		}
	}
	if got := strings.Join(told, ", "); got != "2 held b false, 1 opened =evil() true, 1 opened a true" || all.BalanceFen != sum || all.UID != "7" {
		t.Errorf("%s; balance %d, sum of opened %d", got, all.BalanceFen, sum)
	}
	var paged []envelope
	for path := "/admin/v1/players/7/wallet?limit=2&cursor="; ; {
		var page playerWallet
		b.get(path).must(http.StatusOK).into(&page)
		if paged = append(paged, page.Envelopes...); page.Next == "" {
			break
		}
		path = "/admin/v1/players/7/wallet?limit=2&cursor=" + page.Next
	}
	if fmt.Sprint(paged) != fmt.Sprint(all.Envelopes) {
		t.Errorf("by pages of 2: %+v", paged)
	}
	var none playerWallet
	if b.get("/admin/v1/players/99/wallet").must(http.StatusOK).into(&none); none.Envelopes == nil || len(none.Envelopes) > 0 {
		t.Errorf("%+v", none)
	}
}

func TestCancellingMovesTheExpiryShown(t *testing.T) {
	b := newBed(t)
	b.rain("r", 5)
	b.snatch(1, 7, "a")
	b.ask("PATCH", "/admin/v1/campaigns/1", `{"closes_at":"2027-01-20T00:00:00Z"}`, "If-Match: *").must(http.StatusOK)
	b.pass(time.Hour)
	b.post("/admin/v1/campaigns/1/cancel", "").must(http.StatusOK)
	var w playerWallet
	b.get("/admin/v1/players/7/wallet").into(&w)
	if got := w.Envelopes[0].ExpiresAt.String(); got != "2027-01-16T09:00:00Z" {
		t.Errorf("expires at %s, want a day after the cancelling", got)
	}
}

func TestHistoryIsInTheOrderOfTime(t *testing.T) {
	b := played(t)
	var h playerHistory
	b.get("/admin/v1/players/7/history").must(http.StatusOK).into(&h)
	var told []string
	for i, e := range h.Events {
		told = append(told, e.Kind+" "+e.CampaignID)
		if i > 0 && e.At < h.Events[i-1].At {
			t.Errorf("%+v before %+v", h.Events[i-1], e)
		}
	}
	if got := strings.Join(told, ", "); got != "won 1, won 1, opened 1, opened 1, won 2" || h.Truncated {
		t.Error(got)
	}
	b.get("/admin/v1/players/8/history").must(http.StatusOK).into(&h)
	if len(h.Events) != 2 || h.Events[1].Kind != "refunded" {
		t.Errorf("%+v", h)
	}
}
