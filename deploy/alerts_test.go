package deploy

import (
	"fmt"
	"go/ast"
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

// TestAlertsNameWhatIsCounted: a matcher that matches nothing makes an alert silent, or loud, for ever.
func TestAlertsNameWhatIsCounted(t *testing.T) {
	for label, dir := range map[string]string{"reason": "../gate", "outcome": "../gate", "why": "../cmd"} {
		known := map[string]bool{}
		for _, file := range sources(t, dir) {
			ast.Inspect(file, func(node ast.Node) bool {
				if literal, ok := node.(*ast.BasicLit); ok {
					known[textOf(literal)] = true
				}
				return true
			})
		}
		for _, rule := range rules(t, "") {
			for _, value := range matched(t, rule.Expr, label) {
				if !known[value] {
					t.Errorf("%s: %s has no %s %q", rule.Alert, dir, label, value)
				}
			}
		}
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
	`hongbao_player_answers_total{instance="api-1", route="snatch", class="4xx"}`: `0+100x12`,
	`hongbao_player_answers_total{instance="api-1", route="snatch", class="5xx"}`: `7x12`,
	`hongbao_player_answers_total{instance="api-1", route="wallet", class="5xx"}`: `0x12`,
	`hongbao_player_snatch_seconds_bucket{instance="api-1", le="0.5"}`:            `0+6160x12`,
	`hongbao_player_snatch_seconds_bucket{instance="api-1", le="2.5"}`:            `0+6160x12`,
	`hongbao_player_snatch_seconds_bucket{instance="api-1", le="+Inf"}`:           `0+6160x12`,
	`hongbao_player_connections{instance="api-1"}`:                                `30000x12`,
	`hongbao_player_connections_limit{instance="api-1"}`:                          `65536x12`,
	`hongbao_snatches_total{instance="api-1", status="won"}`:                      `0+1000x12`,
	`hongbao_snatches_total{instance="api-1", status="missed"}`:                   `0+5000x12`,
	`hongbao_gate_breaker_open{instance="api-1"}`:                                 `0x12`,
	`hongbao_gate_read_only{instance="api-1"}`:                                    `0x12`,
	`hongbao_gate_lot_waiting{instance="api-1"}`:                                  `0x12`,
	`hongbao_campaign_taken_fen{instance="api-1", campaign="1", name="rain"}`:     `0+100x12`,
	`hongbao_campaign_opened_fen{instance="api-1", campaign="1", name="rain"}`:    `0+50x12`,
	`hongbao_campaign_refunded_fen{instance="api-1", campaign="1", name="rain"}`:  `0x12`,
	`hongbao_campaign_budget_fen{instance="api-1", campaign="1", name="rain"}`:    `1000000x12`,
	`hongbao_live_connections{instance="api-1"}`:                                  `40000x12`,
	`hongbao_live_connections_limit{instance="api-1"}`:                            `65536x12`,
	`hongbao_live_last_event{instance="api-1"}`:                                   `40+1x12`,
	`hongbao_live_delay_seconds{instance="api-1"}`:                                `0.2x12`,
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

	camp:                 `0+1060x12`,
	refused("address"):   `0x12`,
	refused("failures"):  `0x12`,
	refused("denylist"):  `0+5x12`,
	refused("player"):    `0+130x12`,
	refused("read_only"): `0x12`,
	refused("ticket"):    `0+20x12`,
	refused("lot"):       `0+10x12`,
	refused("global"):    `0x12`,
	refused("risk"):      `0+5x12`,
	refused("in_flight"): `40x12`,
	refused("breaker"):   `9x12`,
	checked("answered"):  `0+1000x12`,
	checked("unscored"):  `0+10x12`,

	slowReaders:                  `0+10x12`,
	webhook("lag_seconds"):       `5x12`,
	webhook("failing_campaigns"): `1x12`,
	webhook("parked_campaigns"):  `0x12`,
	webhook("disabled"):          `0x12`,
}

const (
	gone = "" // a series that is not there
	camp = `hongbao_player_answers_total{instance="api-1", route="camp_snatch", class="2xx"}`

	slowReaders = `hongbao_live_connections_dropped_total{instance="api-1", why="slow"}`
)

func refused(reason string) string {
	return fmt.Sprintf(`hongbao_gate_refused_total{instance="api-1", reason=%q}`, reason)
}

func checked(outcome string) string {
	return fmt.Sprintf(`hongbao_gate_risk_total{instance="api-1", outcome=%q}`, outcome)
}

func webhook(figure string) string {
	return fmt.Sprintf(`hongbao_webhook_%s{instance="worker", webhook="payout"}`, figure)
}

// TestAlertsFireForTheirCause evaluates every alert over a healthy cluster, where it must be quiet, and over one
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

		{"a player asks without end on the camp API", map[string]string{
			camp: `0+101060x12`, refused("player"): `0+100130x12`,
		}, []string{"HongbaoFlood"}},
		{"accounts of one address ask without end on /v1", map[string]string{
			`hongbao_player_answers_total{instance="api-1", route="snatch", class="4xx"}`: `0+100100x12`, refused("address"): `0+100000x12`,
		}, []string{"HongbaoFlood"}},
		{"somebody tries tokens", map[string]string{
			`hongbao_player_answers_total{instance="api-1", route="snatch", class="4xx"}`: `0+100100x12`, refused("failures"): `0+100000x12`,
		}, []string{"HongbaoFlood"}},
		{"the crowd is larger than the bucket of all", map[string]string{
			camp: `0+101060x12`, refused("global"): `0+100000x12`,
		}, []string{"HongbaoFlood"}},
		{"one in three is too fast", map[string]string{
			camp: `0+4060x12`, refused("player"): `0+3130x12`,
		}, nil},
		{"somebody tries the limits of a server that is idle", map[string]string{
			`hongbao_player_answers_total{instance="api-1", route="snatch", class="2xx"}`: `0x12`,
			`hongbao_player_answers_total{instance="api-1", route="snatch", class="4xx"}`: `0x12`,
			`hongbao_snatches_total{instance="api-1", status="won"}`:                      `0x12`,
			`hongbao_snatches_total{instance="api-1", status="missed"}`:                   `0x12`,
			camp: `0+50x12`, refused("player"): `0+50x12`,
		}, nil},
		{"most come without a ticket", map[string]string{
			camp: `0+51060x12`, refused("ticket"): `0+50020x12`,
		}, nil},
		{"players tap while they wait for the lot", map[string]string{
			camp: `0+51060x12`, refused("lot"): `0+50010x12`,
		}, nil},
		{"the lot of a fair start makes snatches slow", map[string]string{
			`hongbao_player_snatch_seconds_bucket{instance="api-1", le="0.5"}`: `0+5000x12`,
			`hongbao_gate_lot_waiting{instance="api-1"}`:                       `0x5 9000 0x6`,
		}, nil},
		{"snatches are slow, and nobody waits for a lot", map[string]string{
			`hongbao_player_snatch_seconds_bucket{instance="api-1", le="0.5"}`: `0+5000x12`,
		}, []string{"HongbaoSlowSnatches"}},
		{"the engine fails behind the camp API", map[string]string{
			camp: `0+2060x12`,
		}, []string{"HongbaoCampFailures"}},
		{"the engine is overloaded, on /v1", map[string]string{
			`hongbao_player_answers_total{instance="api-1", route="snatch", class="5xx"}`: `0+1000x12`, refused("in_flight"): `0+1000x12`,
		}, []string{"HongbaoFailures", "HongbaoShedding"}},
		{"the engine is overloaded, on the camp API", map[string]string{
			camp: `0+2060x12`, refused("in_flight"): `0+1000x12`,
		}, []string{"HongbaoCampFailures", "HongbaoShedding"}},
		{"wallets of the camp API are shed, and nothing else", map[string]string{
			refused("in_flight"): `0+50x12`,
		}, []string{"HongbaoShedding"}},
		{"the engine is down, on /v1", map[string]string{
			`hongbao_player_answers_total{instance="api-1", route="snatch", class="5xx"}`: `0+1000x12`, refused("breaker"): `0+900x12`,
			`hongbao_gate_breaker_open{instance="api-1"}`: `0x6 1x6`,
		}, []string{"HongbaoBreakerOpen", "HongbaoFailures"}},
		{"the engine is down, on the camp API", map[string]string{
			camp: `0+2060x12`, refused("breaker"): `0+900x12`,
			`hongbao_gate_breaker_open{instance="api-1"}`: `0x6 1x6`,
		}, []string{"HongbaoBreakerOpen", "HongbaoCampFailures"}},
		{"the breaker is open, and nobody has come since", map[string]string{
			`hongbao_gate_breaker_open{instance="api-1"}`: `0x6 1x6`,
		}, []string{"HongbaoBreakerOpen"}},
		{"the breaker was open between two scrapes", map[string]string{
			refused("breaker"): `9x10 30x2`,
		}, []string{"HongbaoBreakerOpen"}},
		{"the gate is read-only", map[string]string{
			`hongbao_player_answers_total{instance="api-1", route="snatch", class="2xx"}`: `0x12`,
			`hongbao_player_answers_total{instance="api-1", route="snatch", class="5xx"}`: `0+5000x12`,
			`hongbao_snatches_total{instance="api-1", status="won"}`:                      `0x12`,
			`hongbao_snatches_total{instance="api-1", status="missed"}`:                   `0x12`,
			camp: `0+6060x12`, refused("read_only"): `0+11000x12`,
			`hongbao_gate_read_only{instance="api-1"}`: `1x12`,
		}, []string{"HongbaoReadOnly"}},
		{"the gate was read-only a moment ago", map[string]string{
			`hongbao_player_answers_total{instance="api-1", route="snatch", class="5xx"}`: `0+5000x8 40000x4`,
			`hongbao_gate_read_only{instance="api-1"}`:                                    `1x8 0x4`,
		}, nil},
		{"the gate is read-only, and wallets fail", map[string]string{
			`hongbao_player_answers_total{instance="api-1", route="wallet", class="5xx"}`: `0+100x12`,
			`hongbao_gate_read_only{instance="api-1"}`:                                    `1x12`,
		}, []string{"HongbaoFailures", "HongbaoReadOnly"}},
		{"the risk hook is down, and everybody is let in", map[string]string{
			checked("answered"): `5000x12`, checked("unscored"): `0+1000x12`,
		}, []string{"HongbaoRiskUnscored"}},
		{"one answer of the risk hook in ten is late", map[string]string{
			checked("unscored"): `0+100x12`,
		}, []string{"HongbaoRiskUnscored"}},
		{"the risk hook is down, and nobody is let in, on the camp API", map[string]string{
			checked("answered"): `5000x12`, checked("unscored"): `0+1000x12`,
			camp: `0+2060x12`, refused("risk"): `0+1000x12`,
		}, []string{"HongbaoCampFailures", "HongbaoRiskUnscored"}},
		{"the risk hook is there, and nobody plays", map[string]string{
			checked("answered"): `5000x12`, checked("unscored"): `7x12`,
		}, nil},
		{"there is no risk hook", map[string]string{checked("answered"): gone, checked("unscored"): gone}, nil},
		{"connections come near the limit of descriptors", map[string]string{
			`hongbao_player_connections{instance="api-1"}`:       `2300x12`,
			`hongbao_player_connections_limit{instance="api-1"}`: `2560x12`,
		}, []string{"HongbaoManyConnections"}},

		{"events have nearly all the connections that they may have", map[string]string{
			`hongbao_live_connections{instance="api-1"}`: `60000x12`,
		}, []string{"HongbaoManyEventConnections"}},
		{"events have most of the connections that they may have", map[string]string{
			`hongbao_live_connections{instance="api-1"}`: `58000x12`,
		}, nil},
		{"a server keeps no connection for events", map[string]string{
			`hongbao_live_connections{instance="api-1"}`: `0x12`, `hongbao_live_connections_limit{instance="api-1"}`: `0x12`,
			slowReaders: `0x12`,
		}, nil},
		{"a second and a half goes by until the last player is told", map[string]string{
			`hongbao_live_delay_seconds{instance="api-1"}`: `1.5x12`,
		}, []string{"HongbaoEventsLate"}},
		{"one event was late, and the next one in time", map[string]string{
			`hongbao_live_delay_seconds{instance="api-1"}`: `0.2x4 1.5x4 0.2x4`,
		}, nil},
		{"an event was late, and nothing has happened for long", map[string]string{
			`hongbao_live_last_event{instance="api-1"}`: `40x12`, `hongbao_live_delay_seconds{instance="api-1"}`: `1.5x12`,
		}, nil},
		{"a proxy holds frames back", map[string]string{slowReaders: `0+100x12`}, []string{"HongbaoSlowReaders"}},
		{"one reader in two hundred sleeps", map[string]string{slowReaders: `0+16x12`}, nil},
		{"a few of a few readers sleep", map[string]string{
			`hongbao_live_connections{instance="api-1"}`: `20x12`, slowReaders: `0x6 8x6`,
		}, nil},
		{"a receiver is gone, and with it goes all that waits for it", map[string]string{
			webhook("disabled"): `0x6 1x6`, webhook("lag_seconds"): `590+10x12`,
		}, []string{"HongbaoWebhookDisabled"}},
		{"a receiver was gone, and came back", map[string]string{webhook("disabled"): `1x6 0x6`}, nil},
		{"a campaign failed for three days", map[string]string{
			webhook("parked_campaigns"): `0x6 1x6`,
		}, []string{"HongbaoWebhookParked"}},
		{"what was parked is replayed", map[string]string{
			webhook("parked_campaigns"): `1x6 0x6`, webhook("failing_campaigns"): `0x6 1x6`,
		}, nil},
		{"a receiver is down", map[string]string{
			webhook("lag_seconds"): `590+10x12`, webhook("failing_campaigns"): `3x12`,
		}, []string{"HongbaoWebhookLag"}},
		{"a receiver has been down for some minutes", map[string]string{
			webhook("lag_seconds"): `400+10x12`, webhook("failing_campaigns"): `3x12`,
		}, nil},
		{"there is no webhook", map[string]string{
			webhook("lag_seconds"): gone, webhook("failing_campaigns"): gone, webhook("parked_campaigns"): gone, webhook("disabled"): gone,
		}, nil},
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
	for _, rule := range slices.Concat(rules(t, "hongbao-gate"), rules(t, "hongbao-live"), rules(t, "hongbao-cluster")) {
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
