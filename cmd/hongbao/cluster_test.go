package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"hongbao/audit"
)

// clusterPlace makes a place of the test's own on the services that the environment names, for the processes that it
// starts, and returns the flags that lead there. Without services the test is skipped, or fails where they are required.
func clusterPlace(t *testing.T) []string {
	t.Helper()
	redis, kafka, dsn := os.Getenv("HONGBAO_CLUSTER__REDIS__ADDRS"), os.Getenv("HONGBAO_CLUSTER__KAFKA__BROKERS"), os.Getenv("HONGBAO_CLUSTER__MYSQL__DSN")
	if redis == "" || kafka == "" || dsn == "" {
		const how = `needs Redis, Kafka and MySQL: scripts/services up && eval "$(scripts/services env)"`
		if os.Getenv("HONGBAO_REQUIRE_SERVICES") != "" {
			t.Fatal(how)
		}
		t.Skip(how)
	}
	var random [6]byte
	rand.Read(random[:]) // never fails
	place := "hbtest_" + hex.EncodeToString(random[:])
	t.Setenv(inPlace, place)
	t.Cleanup(func() { dropTopic(t, kafka, place) })
	return []string{
		"--engine=cluster", "--cluster.redis.shards=4", "--cluster.allow_weak=kafka_replication",
		"--cluster.mysql.dsn=" + newDatabase(t, dsn, place),
	}
}

func newDatabase(t *testing.T, dsn, name string) string {
	t.Helper()
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := db.Exec("DROP DATABASE " + name); err != nil {
			t.Error(err)
		}
		db.Close()
	})
	config.DBName = name
	return config.FormatDSN()
}

func dropTopic(t *testing.T, brokers, topic string) {
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(brokers, ",")...))
	if err != nil {
		t.Error(err)
		return
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := kadm.NewClient(client).DeleteTopic(ctx, topic); err != nil && !strings.Contains(err.Error(), "UNKNOWN_TOPIC") {
		t.Error("delete topic:", err)
	}
}

// with is a command line with further flags; the slice that it begins with stays as it is.
func with(args []string, more ...string) []string { return append(args[:len(args):len(args)], more...) }

func TestTwoNodesAndAWorkerPlayOneCampaign(t *testing.T) {
	place := clusterPlace(t)
	one := serve(t, with(place, "--campaigns", openRain)...)
	two := serve(t, with(place, "--campaigns", openRain)...)
	if _, body := two.ask("GET", two.Player+"/v1/campaigns", ""); strings.Count(body, `"id"`) != 1 {
		t.Fatalf("two nodes declare a campaign each: %s", body)
	}
	status, envelope, receipt := one.snatch(1, 7) // before there is a worker
	if status != "won" {
		t.Fatalf("snatch: %s", status)
	}
	worker := begin(t, with(place, "worker")...)
	if status, body := two.ask("POST", two.Player+"/v1/envelopes/"+envelope+"/open", "", "X-Player-Id: 7"); status != http.StatusOK {
		t.Errorf("open on the other node: %d %s", status, body)
	}
	beside, direct := with([]string{"audit", "--json", "--admin", one.Admin, "--data", one.Data}), with(place, "audit", "--json")
	for where, args := range map[string][]string{"beside a node": beside, "in the stores": direct} {
		var report audit.Report
		parse(t, succeed(t, args...), &report)
		var names []string
		for _, check := range report.Checks {
			names = append(names, check.Name)
		}
		if got := strings.Join(names[len(names)-4:], " "); got != "books conflicts kafka redis" || report.Campaigns[0].Opened.Count != 1 {
			t.Errorf("%s it checks %s: %+v", where, got, report)
		}
	}
	export := succeed(t, with(place, "export")...)
	if beside := succeed(t, "export", "--admin", two.Admin, "--data", two.Data); export != beside {
		t.Errorf("from the stores:\n%s\nfrom a node:\n%s", export, beside)
	}
	succeed(t, with(place, "verify", "--receipt="+receipt, "--envelope", envelope)...)
	if status, body := one.administer("POST", "/admin/v1/backup", `{"to":"x"}`); status != http.StatusBadRequest || !strings.Contains(body, "MySQL") {
		t.Errorf("a backup is answered %d %s", status, body)
	}
	if status, body := two.administer("POST", "/admin/v1/campaigns/1/cancel", ""); status != http.StatusOK {
		t.Errorf("cancel: %d %s", status, body)
	}
	succeed(t, beside...) // it waits for the seal to reach the books
	succeed(t, with(place, "verify", "--campaign", "1")...)
	for _, p := range []*process{one, two, worker} {
		if code := p.stop(); code != exitOK {
			t.Errorf("it ended with %d: %s", code, &p.stderr)
		}
	}
}

func TestAWorkerAnswersThoseWhoWatchAlone(t *testing.T) {
	worker := begin(t, with(clusterPlace(t), "worker")...)
	for path, want := range map[string]int{
		"/healthz": 200, "/readyz": 200, "/metrics": 200, "/admin/v1/stats": 404, "/openapi.json": 404, "/debug/pprof/": 404, "/": 404,
	} {
		if status, body := worker.ask("GET", worker.Admin+path, ""); status != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	eventually(t, 10*time.Second, "it is the one that works", func() bool {
		_, metrics := worker.ask("GET", worker.Admin+"/metrics", "")
		return strings.Contains(metrics, "\nhongbao_cluster_worker_active 1\n")
	})
	if worker.Player != "" || worker.Data != "" {
		t.Errorf("it tells a player port %s and a folder %s", worker.Player, worker.Data)
	}
}

func TestServeMayWorkToo(t *testing.T) {
	p := serve(t, with(clusterPlace(t), "--worker", "--campaigns", openRain)...)
	if status, _, _ := p.snatch(1, 7); status != "won" {
		t.Fatalf("snatch: %s", status)
	}
	var report audit.Report
	parse(t, succeed(t, p.args("audit", "--json")...), &report)
	if report.Events < 3 { // zone, created, won, and what players are told of
		t.Errorf("%d events reached the books", report.Events)
	}
}

func TestAnAuditWaitsForTheBooksAndNamesTheShard(t *testing.T) {
	place := clusterPlace(t)
	serve(t, with(place, "--campaigns", openRain)...) // and no worker
	r := run(t, with(place, "audit", "--wait", "500ms")...)
	if r.code != exitFailed || !strings.Contains(r.stderr, "the books have not reached event 2 of shard 0") {
		t.Errorf("exit %d: %s%s", r.code, r.stdout, r.stderr)
	}
}

func TestAStoreThatIsNotThereIsNamedWithItsSetting(t *testing.T) {
	place := clusterPlace(t)
	const nobody = "127.0.0.1:9" // the discard port
	for flag, value := range map[string]string{
		"cluster.redis.addrs": nobody, "cluster.kafka.brokers": nobody, "cluster.mysql.dsn": "root@tcp(" + nobody + ")/x",
	} {
		for _, command := range []string{"worker", "serve"} {
			r := run(t, with(place, command, "--player.listen=127.0.0.1:0", "--admin.listen=127.0.0.1:0", "--"+flag, value)...)
			if r.code != exitFailed || !strings.HasPrefix(r.stderr, "hongbao: "+flag+": ") {
				t.Errorf("%s without %s: exit %d, %s", command, flag, r.code, r.stderr)
			}
		}
	}
	if r := run(t, with(place, "audit")...); r.code != exitUsage || !strings.Contains(r.stderr, "cluster that was begun") {
		t.Errorf("an audit of nothing: exit %d, %s", r.code, r.stderr)
	}
}
