package adminapi

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"hongbao"
	"hongbao/audit"
)

func TestAuditPassesAndKnowsItsHead(t *testing.T) {
	b := played(t)
	var r audit.Report
	b.post("/admin/v1/audit", "").must(http.StatusOK).into(&r)
	if !r.OK || len(r.Checks) < 8 || r.Head == "" {
		t.Errorf("%+v", r)
	}
	b.snatch(2, 8, "c")
	head := r.Head
	b.post("/admin/v1/audit", `{"head":"`+head+`"}`).must(http.StatusOK).into(&r)
	if !r.OK || r.Head == head {
		t.Errorf("with the head from before: %+v", r)
	}
	if newBed(t).post("/admin/v1/audit", `{"head":"`+head+`"}`).must(http.StatusOK).into(&r); r.OK {
		t.Error("the head of another journal is on this one's chain")
	}
}

func TestOneAuditAtATime(t *testing.T) {
	b := newBed(t)
	begun, end := make(chan struct{}), make(chan struct{})
	b.server.audit = func(context.Context, string) (audit.Report, error) {
		close(begun)
		<-end
		return audit.Report{OK: true}, nil
	}
	first := make(chan answer)
	go func() { first <- b.post("/admin/v1/audit", "") }()
	<-begun
	if p := b.post("/admin/v1/audit", "").must(http.StatusConflict).problem(); p.Code != "audit_running" || !p.Retryable {
		t.Errorf("%+v", p)
	}
	close(end)
	(<-first).must(http.StatusOK)
}

func TestAuditEndsWhenItsClientHangsUp(t *testing.T) {
	b := newBed(t)
	begun, ended := make(chan struct{}), make(chan error)
	b.server.audit = func(ctx context.Context, _ string) (audit.Report, error) {
		close(begun)
		<-ctx.Done()
		ended <- ctx.Err()
		return audit.Report{}, ctx.Err()
	}
	ctx, hangUp := context.WithCancel(t.Context())
	request, _ := http.NewRequestWithContext(ctx, http.MethodPost, b.url+"/admin/v1/audit", strings.NewReader("{}"))
	request.Header.Set("Authorization", "Bearer "+operatorToken)
	go http.DefaultTransport.RoundTrip(request)
	<-begun
	hangUp()
	<-ended
}

func TestBackupGoesWhereItIsTold(t *testing.T) {
	b := newBed(t)
	var gone string
	b.server.backup = func(_ context.Context, to string) error { gone = to; return nil }
	var done backupDone
	here, _ := os.Getwd()
	for to, want := range map[string]string{"/backups/1": "/backups/1", "backups/../2": filepath.Join(here, "2")} {
		if b.post("/admin/v1/backup", `{"to":"`+to+`"}`).must(http.StatusOK).into(&done); done.To != want || gone != want {
			t.Errorf("%s: told %s, went to %s", to, done.To, gone)
		}
	}
	for _, row := range []struct {
		err    error
		status int
		code   string
	}{
		{hongbao.Invalid("to", "/x", "empty"), http.StatusBadRequest, "invalid_request"},
		{&fs.PathError{Op: "mkdir", Path: "/x", Err: fs.ErrPermission}, http.StatusBadRequest, "invalid_request"},
		{errors.New("the disk is full"), http.StatusInternalServerError, "internal"},
	} {
		b.server.backup = func(context.Context, string) error { return row.err }
		if p := b.post("/admin/v1/backup", `{"to":"/x"}`).must(row.status).problem(); p.Code != row.code {
			t.Errorf("%v: %+v", row.err, p)
		}
	}
}

func TestBackupOfTheRealEngine(t *testing.T) {
	b := played(t)
	b.post("/admin/v1/backup", `{"to":"/copy"}`).must(http.StatusOK)
	p := b.post("/admin/v1/backup", `{"to":"/copy"}`).must(http.StatusBadRequest).problem()
	if p.Field != "to" || !strings.Contains(p.Detail, "empty") {
		t.Errorf("%+v", p)
	}
}

func TestStatsTellMoneyLeftAndHead(t *testing.T) {
	b := played(t)
	b.snatch(2, 9, "d")
	var s stats
	b.get("/admin/v1/stats").must(http.StatusOK).into(&s)
	if s.Version != "test" || !s.Healthy || s.Head == "" || s.Events == 0 || s.Groups == 0 || s.Openings != 2 {
		t.Errorf("%+v", s)
	}
	if s.Statuses["won"] != 6 || len(s.Statuses) != hongbao.Statuses {
		t.Errorf("%v", s.Statuses)
	}
	if len(s.Running) != 1 || s.Running[0].Name != "second" {
		t.Fatalf("running: %+v", s.Running)
	}
	r := s.Running[0]
	if r.Taken.Count != 2 || add(r.Taken, r.Left) != r.Budget || r.Budget.TotalFen != 500 {
		t.Errorf("%+v", r)
	}
}

func TestRatesAreOverTheirWindow(t *testing.T) {
	var m meter
	begin := time.Unix(0, 0)
	at := func(second int, wins uint64) sample {
		return sample{at: begin.Add(time.Duration(second) * time.Second), snatches: 2 * wins, wins: wins, openings: wins / 2}
	}
	if r := m.rate(at(0, 5), time.Minute); r != (pace{}) {
		t.Errorf("without samples: %+v", r)
	}
	for second := range 200 { // 10 wins a second, and 100 in the last 10
		m.add(at(second, uint64(10*second+90*max(0, second-189))))
	}
	now := at(200, 10*200+90*11)
	if r := m.rate(now, 10*time.Second); r != (pace{Snatches: 200, Wins: 100, Openings: 50}) {
		t.Errorf("10 s: %+v", r)
	}
	if r := m.rate(now, time.Minute); r.Wins != 10+90*11.0/60 {
		t.Errorf("1 min: %+v", r)
	}
	if len(m.samples) > samplesMax {
		t.Errorf("%d samples", len(m.samples))
	}
}

func TestHealth(t *testing.T) {
	b := newBed(t)
	says := func(path string, status int, want health) {
		t.Helper()
		var h health
		if b.get(path, "Authorization: ").must(status).into(&h); h != want {
			t.Errorf("%s: %+v, want %+v", path, h, want)
		}
	}
	says("/healthz", http.StatusOK, health{Status: "ok"})
	says("/readyz", http.StatusOK, health{Status: "ok"})
	stopping := errors.New("stopping")
	b.ready.Store(&stopping)
	says("/healthz", http.StatusOK, health{Status: "ok"})
	says("/readyz", http.StatusServiceUnavailable, health{"unavailable", "stopping"})
}

func TestReadinessSurvivesAClockThatJumped(t *testing.T) {
	b := newBed(t)
	steady := func() time.Duration { return 0 }
	clock := hongbao.NewClock(func() time.Time { return start.Std().Add(b.sinceStart()) }, steady)
	b.server.service = hongbao.NewService(hongbao.Options{Engine: b.engine, Clock: clock})
	b.pass(2 * time.Minute)
	var h health
	b.get("/readyz").must(http.StatusOK).into(&h)
	if h.Status != "degraded" || !strings.Contains(h.Reason, "jumped") {
		t.Errorf("%+v", h)
	}
}

func TestMetricsParseAndNameNoPlayer(t *testing.T) {
	b := played(t)
	text := b.get("/metrics", "Authorization: ").must(http.StatusOK).body
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(text)))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for name, want := range map[string]float64{
		"hongbao_openings_total": 2, "hongbao_healthy": 1, "hongbao_player_connections": 3,
	} {
		family := families[name]
		if family == nil {
			t.Errorf("%s is missing", name)
			continue
		}
		if m := family.Metric[0]; m.GetCounter().GetValue()+m.GetGauge().GetValue() != want {
			t.Errorf("%s is %v, want %v", name, m, want)
		}
	}
	if n := len(families["hongbao_snatches_total"].Metric); n != hongbao.Statuses {
		t.Errorf("%d statuses", n)
	}
	h := families["hongbao_player_snatch_seconds"].Metric[0].GetHistogram()
	if h.GetSampleCount() != 9 || h.GetSampleSum() != 4 || h.Bucket[1].GetCumulativeCount() != 8 {
		t.Errorf("%v", h)
	}
	taken := families["hongbao_campaign_taken_envelopes"].Metric
	if len(taken) != 1 || taken[0].Label[0].GetValue() != "2" || taken[0].GetGauge().GetValue() != 1 {
		t.Errorf("only the campaign that is not settled: %v", taken)
	}
	for name, family := range families {
		for _, m := range family.Metric {
			for _, label := range m.Label {
				if strings.Contains(label.GetName(), "uid") || label.GetValue() == "9007199254740991" {
					t.Errorf("%s has the label %v", name, label)
				}
			}
		}
	}
}

func TestMetricsNeedATokenBeyondLoopback(t *testing.T) {
	b := newBed(t)
	b.get("/metrics", "Authorization: ", "X-Forwarded-For: 192.0.2.1").must(http.StatusUnauthorized).problem()
	b.get("/metrics", "Authorization: ", "Forwarded: for=192.0.2.1").must(http.StatusUnauthorized)
	b.get("/metrics", "X-Forwarded-For: 192.0.2.1", "Authorization: Bearer "+viewerToken).must(http.StatusOK)
	for address, loopback := range map[string]bool{
		"127.0.0.1:1": true, "127.9.9.9:1": true, "[::1]:1": true, "192.0.2.1:1": false, "[2001:db8::1]:1": false, "[::ffff:127.0.0.1]:1": true, "x": false,
	} {
		if fromLoopback(&http.Request{RemoteAddr: address}) != loopback {
			t.Errorf("%s: loopback is %t", address, !loopback)
		}
	}
}
