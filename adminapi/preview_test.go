package adminapi

import (
	"fmt"
	"net/http"
	"reflect"
	"testing"
)

const previewPath = "/admin/v1/campaigns/preview"

// ofBudget is a rain's spec with the budget, as JSON.
func ofBudget(budget string) string {
	return `{"name":"p","kind":"rain","opens_at":"+1h","lasts":"10m","budget":` + budget + `}`
}

func TestAPreviewIsWhatWouldBeCreated(t *testing.T) {
	b := newBed(t)
	var p preview
	b.post(previewPath, goodSpec, "Authorization: Bearer "+viewerToken).must(http.StatusOK).into(&p)
	if n := len(b.service.Campaigns()); n != 0 {
		t.Fatalf("previewing made %d campaigns", n)
	}
	var c campaign
	b.post("/admin/v1/campaigns", goodSpec).must(http.StatusCreated).into(&c)
	if !reflect.DeepEqual(p.Rules, c.Rules) {
		t.Errorf("previewed %+v\ncreated   %+v", p.Rules, c.Rules)
	}
}

func TestAPreviewRefusesWhatCreatingRefuses(t *testing.T) {
	b := newBed(t)
	b.rain("taken", 10)
	for _, spec := range []string{
		``, `[]`, `{}`, `{"nam":"x"}`, ofBudget(`{"total_fen":10,"count":11}`), ofBudget(`{"total_fen":0,"count":0}`),
		ofBudget(`{"total_fen":100,"count":10,"min_fen":11}`), ofBudget(`{"total_fen":100,"count":10,"max_fen":9}`),
		ofBudget(`{"total_fen":100,"count":10,"split":"fair"}`),
		`{"name":"taken","kind":"rain","opens_at":"+1h","lasts":"10m","budget":{"total_fen":100,"count":10}}`,
		`{"name":"late","kind":"rain","opens_at":"2020-01-01T00:00:00Z","lasts":"10m","budget":{"total_fen":100,"count":10}}`,
	} {
		previewed := b.post(previewPath, spec)
		created := b.post("/admin/v1/campaigns", spec)
		if created.status < 400 || previewed.status != created.status || string(previewed.body) != string(created.body) {
			t.Errorf("%s\npreviewed: %d %s\ncreated:   %d %s", spec, previewed.status, previewed.body, created.status, created.body)
		}
	}
}

// The buckets count every envelope once, and their figures are those of amounts that the rules allow.
func TestADistributionAddsUp(t *testing.T) {
	b := newBed(t)
	for _, row := range []struct {
		budget  string
		sampled int
		meanFen float64
	}{
		{`{"total_fen":1,"count":1}`, 1, 1},
		{`{"total_fen":700,"count":7,"split":"equal"}`, 7, 100},
		{`{"total_fen":100000,"count":1000}`, 1000, 100},
		{`{"total_fen":100001,"count":1000,"split":"normal","min_fen":50,"max_fen":150}`, 1000, 100.001},
		{`{"total_fen":1000000,"count":10000,"split":"uniform","max_fen":2000}`, 10000, 100},
		{`{"total_fen":1000000000000,"count":4294967296}`, 65536, 15258789.0 / 65536},
	} {
		var p preview
		b.post(previewPath, ofBudget(row.budget)).must(http.StatusOK).into(&p)
		d, counted := p.Distribution, 0
		from := d.MinFen
		for _, bucket := range d.Buckets {
			if bucket.FromFen != from || bucket.ToFen < bucket.FromFen {
				t.Errorf("%s: the bucket %+v begins elsewhere than at %d", row.budget, bucket, from)
			}
			counted, from = counted+bucket.Count, bucket.ToFen+1
		}
		ascending := []int64{p.Rules.Budget.MinFen, d.MinFen, d.P10Fen, d.P25Fen, d.P50Fen, d.P75Fen, d.P90Fen, d.P99Fen, d.MaxFen, p.Rules.Budget.MaxFen}
		for i := range ascending[1:] {
			if ascending[i] > ascending[i+1] {
				t.Errorf("%s: %d is above what comes after it: %v", row.budget, i, ascending)
			}
		}
		if d.Sampled != row.sampled || counted != d.Sampled || from != d.MaxFen+1 || len(d.Buckets) > amountBucketsMax || d.MeanFen != row.meanFen {
			t.Errorf("%s: %+v", row.budget, d)
		}
	}
}

// A preview that cut with the seed that the campaign will have would foretell its amounts.
func TestPreviewsAreCutWithSeedsOfTheirOwn(t *testing.T) {
	b := newBed(t)
	spec := ofBudget(`{"total_fen":100000000,"count":10000}`)
	var one, two preview
	b.post(previewPath, spec).must(http.StatusOK).into(&one)
	b.post(previewPath, spec).must(http.StatusOK).into(&two)
	if reflect.DeepEqual(one.Distribution, two.Distribution) {
		t.Error("two previews have the same amounts")
	}
}

func TestPercentilesAreOfNearestRank(t *testing.T) {
	amounts := []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for p, want := range map[int]int64{1: 1, 10: 1, 11: 2, 50: 5, 90: 9, 91: 10, 100: 10} {
		if got := percentile(amounts, p); got != want {
			t.Errorf("p%d is %d, want %d", p, got, want)
		}
	}
}

func TestARevisionIsPreviewed(t *testing.T) {
	b := newBed(t)
	b.rain("r", 10)
	issued := b.snatch(1, 7, "a").AmountFen
	const path = "/admin/v1/campaigns/1/preview"
	var p preview
	b.post(path, `{"budget":{"total_fen":20000,"count":101}}`, "Authorization: Bearer "+viewerToken).must(http.StatusOK).into(&p)
	if d := p.Distribution; p.Rules.Budget.Count != 101 || d.Sampled != 100 || d.MeanFen != float64(20000-issued)/100 {
		t.Errorf("%+v", p)
	}
	b.post(path, `{"paused":true}`).must(http.StatusOK).into(&p)
	if !p.Rules.Paused || p.Rules.Budget.Count != 10 || p.Distribution.Sampled == 0 {
		t.Errorf("without a change of the budget: %+v", p)
	}
	b.post(path, fmt.Sprintf(`{"budget":{"total_fen":%d,"count":1}}`, issued)).must(http.StatusOK).into(&p)
	if p.Distribution.Sampled != 0 || len(p.Distribution.Buckets) != 0 {
		t.Errorf("with nothing left to cut: %+v", p.Distribution)
	}
	if c, err := b.service.Campaign(1); err != nil || c.Revision() != 1 {
		t.Errorf("previewing revised it: %v, %v", c.Revision(), err)
	}
}

func TestAPreviewedRevisionIsRefusedAsTheRevision(t *testing.T) {
	b := newBed(t)
	b.rain("r", 10)
	b.snatch(1, 7, "a")
	b.snatch(1, 7, "b")
	for _, row := range [][2]string{
		{`{"budget":{"count":1}}`, `"1"`}, {`{"wins_max":-1}`, `"1"`}, {`{}`, `"1"`}, {`{"paused":true}`, `"2"`}, {`{"paused":true}`, `2`},
		{`{"opens_at":"2030-01-01T00:00:00Z"}`, `"1"`},
	} {
		previewed := b.post("/admin/v1/campaigns/1/preview", row[0], "If-Match: "+row[1])
		revised := b.ask("PATCH", "/admin/v1/campaigns/1", row[0], "If-Match: "+row[1])
		if revised.status < 400 || previewed.status != revised.status || string(previewed.body) != string(revised.body) {
			t.Errorf("%s\npreviewed: %d %s\nrevised:   %d %s", row, previewed.status, previewed.body, revised.status, revised.body)
		}
	}
	b.post("/admin/v1/campaigns/2/preview", `{"paused":true}`).must(http.StatusNotFound)
	b.post("/admin/v1/campaigns/1/cancel", "").must(http.StatusOK)
	if p := b.post("/admin/v1/campaigns/1/preview", `{"paused":true}`).must(http.StatusConflict).problem(); p.Code != "campaign_over" {
		t.Errorf("%+v", p)
	}
}
