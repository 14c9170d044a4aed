package deploy

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/promqltest"
)

// rules are the alerts of a group of alerts.yaml, or of all, as Prometheus reads them.
func rules(t *testing.T, group string) (found []rulefmt.Rule) {
	t.Helper()
	parsed, errs := rulefmt.ParseFile("alerts.yaml", false, model.UTF8Validation, promQL, slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, g := range parsed.Groups {
		if group == "" || g.Name == group {
			found = append(found, g.Rules...)
		}
	}
	return found
}

func TestAlerts(t *testing.T) {
	known, seen := exported(t), map[string]bool{}
	for _, rule := range rules(t, "") {
		if seen[rule.Alert] || !strings.HasPrefix(rule.Alert, "Hongbao") {
			t.Errorf("%s: the name is there twice, or is nobody's", rule.Alert)
		}
		seen[rule.Alert] = true
		if !slices.Contains([]string{"critical", "warning", "info"}, rule.Labels["severity"]) || rule.Annotations["summary"] == "" {
			t.Errorf("%s: severity %q, summary %q", rule.Alert, rule.Labels["severity"], rule.Annotations["summary"])
		}
		checkMetrics(t, rule.Expr, known)
	}
}

// healthy is a cluster in a rush, by what it exports within two minutes, at one scrape in ten seconds.
var healthy = map[string]string{
	`up{job="hongbao", instance="api-1"}`:                                         `1x12`,
	`up{job="hongbao", instance="worker"}`:                                        `1x12`,
	`process_start_time_seconds{job="hongbao", instance="api-1"}`:                 `1000x12`,
	`hongbao_healthy{instance="api-1"}`:                                           `1x12`,
	`hongbao_books_lag_events{instance="api-1"}`:                                  `900x12`,
	`hongbao_player_answers_total{instance="api-1", route="snatch", class="2xx"}`: `0+5000x12`,
	`hongbao_player_answers_total{instance="api-1", route="snatch", class="5xx"}`: `7x12`,
	`hongbao_snatches_total{instance="api-1", status="won"}`:                      `0+1000x12`,
	`hongbao_snatches_total{instance="api-1", status="missed"}`:                   `0+4000x12`,
	`hongbao_campaign_taken_fen{instance="api-1", campaign="1", name="rain"}`:     `0+100x12`,
	`hongbao_campaign_opened_fen{instance="api-1", campaign="1", name="rain"}`:    `0+50x12`,
	`hongbao_campaign_refunded_fen{instance="api-1", campaign="1", name="rain"}`:  `0x12`,
	`hongbao_campaign_budget_fen{instance="api-1", campaign="1", name="rain"}`:    `1000000x12`,
	`hongbao_cluster_conflicts_total{instance="worker"}`:                          `0x12`,
	`hongbao_cluster_shard_up{instance="api-1", shard="0"}`:                       `1x12`,
	`hongbao_cluster_shard_up{instance="api-1", shard="1"}`:                       `1x12`,
	`hongbao_cluster_shard_up{instance="api-2", shard="0"}`:                       `1x12`,
	`hongbao_cluster_shard_up{instance="api-2", shard="1"}`:                       `1x12`,
	`hongbao_cluster_shard_fenced{instance="worker", shard="0"}`:                  `0x12`,
	`hongbao_cluster_shard_fenced{instance="worker", shard="1"}`:                  `0x12`,
	`hongbao_cluster_outbox_bytes{instance="worker", shard="0"}`:                  `200000x12`,
	`hongbao_cluster_outbox_bytes{instance="worker", shard="1"}`:                  `300000x12`,
	`hongbao_cluster_outbox_limit_bytes{instance="worker"}`:                       `67108864x12`,
	`hongbao_cluster_outbox_events{instance="worker", shard="0"}`:                 `0+100x12`,
	`hongbao_cluster_outbox_events{instance="worker", shard="1"}`:                 `500x12`,
	`hongbao_cluster_relayed_total{instance="worker"}`:                            `0+1500x12`,
	`hongbao_cluster_ledger_events_total{instance="worker"}`:                      `0+1500x12`,
	`hongbao_cluster_ledger_lag_seconds{instance="worker"}`:                       `0.4x12`,
	`hongbao_cluster_worker_active{instance="worker"}`:                            `1x12`,
	`hongbao_cluster_worker_active{instance="worker-2"}`:                          `0x12`,
}

const gone = "" // a series that is not there

// TestAlertsFireForTheirCause evaluates every alert of the cluster over a healthy one, where it must be quiet, and over one
// that differs in the series named, where exactly those named must speak. How long they must go on (for) is not played.
func TestAlertsFireForTheirCause(t *testing.T) {
	fired := map[string]bool{}
	for _, row := range []struct {
		cause string
		from  map[string]string // series that differ from a healthy cluster
		alert []string
	}{
		{"nothing is wrong", nil, nil},
		{"an envelope has a second holder", map[string]string{
			`hongbao_cluster_conflicts_total{instance="worker"}`: `0x6 1x6`,
		}, []string{"HongbaoConflict"}},
		{"a conflict was found by a worker that has started anew", map[string]string{
			`hongbao_cluster_conflicts_total{instance="worker"}`: `2x6 0x6`,
		}, []string{"HongbaoConflict"}},
		{"one node does not reach a shard", map[string]string{
			`hongbao_cluster_shard_up{instance="api-2", shard="1"}`: `1x6 0x6`,
		}, []string{"HongbaoShardUnavailable"}},
		{"a master lost its replica: no node can use its shard", map[string]string{
			`hongbao_cluster_shard_up{instance="api-1", shard="1"}`: `1x6 0x6`,
			`hongbao_cluster_shard_up{instance="api-2", shard="1"}`: `1x6 0x6`,
		}, []string{"HongbaoShardUnavailable", "HongbaoReplicasMissing"}},
		{"a shard's Redis came back as another", map[string]string{
			`hongbao_cluster_shard_up{instance="api-1", shard="1"}`:      `1x6 0x6`,
			`hongbao_cluster_shard_up{instance="api-2", shard="1"}`:      `1x6 0x6`,
			`hongbao_cluster_shard_fenced{instance="worker", shard="1"}`: `0x6 1x6`,
		}, []string{"HongbaoShardUnavailable", "HongbaoShardFenced"}},
		{"no worker was ever started", map[string]string{
			`hongbao_cluster_worker_active{instance="worker"}`:   gone,
			`hongbao_cluster_worker_active{instance="worker-2"}`: gone,
		}, []string{"HongbaoNoWorker"}},
		{"workers run, and none runs the clock", map[string]string{
			`hongbao_cluster_worker_active{instance="worker"}`: `1x6 0x6`,
		}, []string{"HongbaoNoWorker"}},
		{"the ledger stands still for a minute", map[string]string{
			`hongbao_cluster_ledger_lag_seconds{instance="worker"}`: `0+10x12`,
		}, []string{"HongbaoLedgerLag"}},
		{"the ledger is slower than the crowd", map[string]string{
			`hongbao_cluster_outbox_events{instance="worker", shard="0"}`: `300000x12`,
			`hongbao_cluster_outbox_events{instance="worker", shard="1"}`: `300000x12`,
		}, []string{"HongbaoLedgerBehind"}},
		{"Kafka takes nothing", map[string]string{
			`hongbao_cluster_relayed_total{instance="worker"}`: `1500x12`,
		}, []string{"HongbaoRelayStands"}},
		{"nobody plays, and MySQL is down", map[string]string{
			`hongbao_cluster_relayed_total{instance="worker"}`:            `1500x12`,
			`hongbao_cluster_outbox_events{instance="worker", shard="0"}`: `500x12`,
			`hongbao_snatches_total{instance="api-1", status="won"}`:      `1000x12`,
			`hongbao_snatches_total{instance="api-1", status="sold_out"}`: `0+1000x12`,
		}, nil},
		{"Kafka is slower than the crowd", map[string]string{
			`hongbao_cluster_relayed_total{instance="worker"}`:            `0+500x12`,
			`hongbao_cluster_outbox_events{instance="worker", shard="0"}`: `9000+500x12`,
		}, []string{"HongbaoRelayLag"}},
		{"an outbox is half full", map[string]string{
			`hongbao_cluster_outbox_bytes{instance="worker", shard="1"}`: `40000000x12`,
		}, []string{"HongbaoOutboxFilling"}},
		{"an outbox is full", map[string]string{
			`hongbao_cluster_outbox_bytes{instance="worker", shard="1"}`: `67000000x12`,
		}, []string{"HongbaoOutboxFilling", "HongbaoOutboxFull"}},
	} {
		t.Run(row.cause, func(t *testing.T) {
			series := maps.Clone(healthy)
			maps.Copy(series, row.from)
			got := firing(t, series)
			slices.Sort(row.alert)
			if !slices.Equal(got, row.alert) {
				t.Errorf("firing: %q, not %q", got, row.alert)
			}
			for _, alert := range got {
				fired[alert] = true
			}
		})
	}
	for _, rule := range rules(t, "hongbao-cluster") {
		if !fired[rule.Alert] {
			t.Errorf("no row makes %s fire", rule.Alert)
		}
	}
}

// TestAlertsLeaveTheEmbeddedEngineAlone: a server without a cluster exports none of its metrics.
func TestAlertsLeaveTheEmbeddedEngineAlone(t *testing.T) {
	series := maps.Clone(healthy)
	maps.DeleteFunc(series, func(name, _ string) bool { return strings.HasPrefix(name, "hongbao_cluster_") })
	if got := firing(t, series); len(got) > 0 {
		t.Errorf("firing: %q", got)
	}
}

// firing are the alerts whose expressions find something at the end of two minutes of series.
func firing(t *testing.T, series map[string]string) (alerts []string) {
	t.Helper()
	var load strings.Builder
	load.WriteString("load 10s\n")
	for _, name := range slices.Sorted(maps.Keys(series)) {
		if series[name] != gone {
			fmt.Fprintf(&load, "  %s %s\n", name, series[name])
		}
	}
	storage := promqltest.LoadedStorage(t, load.String())
	engine := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
	for _, rule := range rules(t, "") {
		query, err := engine.NewInstantQuery(t.Context(), storage, nil, rule.Expr, time.Unix(120, 0))
		if err != nil {
			t.Fatalf("%s: %v", rule.Alert, err)
		}
		result, err := query.Exec(t.Context()).Vector()
		if err != nil {
			t.Fatalf("%s: %v", rule.Alert, err)
		}
		if len(result) > 0 {
			alerts = append(alerts, rule.Alert)
		}
		query.Close()
	}
	slices.Sort(alerts)
	return alerts
}

func TestPrometheusScrapesEveryProcess(t *testing.T) {
	loaded, err := config.LoadFile("prometheus.yaml", false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	prometheus := service(t, "prometheus")
	for _, file := range loaded.RuleFiles {
		if _, err := os.Stat(file); err != nil || filepath.Base(mount(prometheus, "/etc/prometheus/"+filepath.Base(file))) != filepath.Base(file) {
			t.Errorf("the rules %s are not mounted (%v)", file, err)
		}
	}
	if !slices.Contains(loaded.RuleFiles, "alerts.yaml") {
		t.Errorf("the rules are %q", loaded.RuleFiles)
	}
	if !slices.Contains(prometheus.Command, "--config.file=/etc/prometheus/prometheus.yaml") ||
		filepath.Base(mount(prometheus, "/etc/prometheus/prometheus.yaml")) != "prometheus.yaml" {
		t.Error("Prometheus does not read prometheus.yaml")
	}
	if len(loaded.ScrapeConfigs) != 1 || loaded.ScrapeConfigs[0].JobName != "hongbao" {
		t.Fatal("the alerts expect one job, hongbao")
	}
	job := loaded.ScrapeConfigs[0]
	var targets, want []string
	for _, c := range job.ServiceDiscoveryConfigs {
		for _, group := range c.(discovery.StaticConfig) {
			for _, target := range group.Targets {
				targets = append(targets, string(target["__address__"]))
			}
		}
	}
	for _, name := range hongbaoServices {
		_, port, _ := strings.Cut(env(service(t, name), "HONGBAO_ADMIN__LISTEN"), ":")
		want = append(want, name+":"+port)
	}
	if !slices.Equal(targets, want) {
		t.Errorf("the targets are %q, not %q", targets, want)
	}
	credentials := job.HTTPClientConfig.Authorization
	if credentials == nil || credentials.Type != "Bearer" || !hasSecret(prometheus, credentials.CredentialsFile) {
		t.Fatalf("the token is no secret of Prometheus: %+v", credentials)
	}
	for _, token := range readSettings(t).Admin.Tokens {
		if token.TokenFile == credentials.CredentialsFile && token.Role == "viewer" {
			return
		}
	}
	t.Errorf("the token in %s is no viewer's", credentials.CredentialsFile)
}
