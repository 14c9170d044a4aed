package cluster

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/go-sql-driver/mysql"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"hongbao"
	"hongbao/cluster/topic"
)

// bed is a place of a test's own on the real services: a database, a topic and a prefix of keys.
type bed struct {
	testing.TB
	options Options
}

// newBed makes a place on the services that the environment names. Without them the test is skipped, or fails where
// services are required.
func newBed(t testing.TB, shards int) *bed {
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
	name := "hbtest_" + hex.EncodeToString(random[:])
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	b := &bed{TB: t, options: Options{
		Redis: Redis{Addrs: strings.Split(redis, ",")}, ReplicasAck: replicas(t),
		Kafka: topic.Options{Brokers: strings.Split(kafka, ","), Topic: name},
		MySQL: newDatabase(t, dsn, name), Shards: shards, Prefix: name, AllowWeak: []Weakness{WeakKafkaReplication},
		Calendar: hongbao.NewCalendar(zone), Now: func() hongbao.Time { return hongbao.TimeOf(time.Now()) },
		Logger: testLogger(t), CacheAge: 10 * time.Millisecond, ProgressAge: -1,
		Broken: func(err error) { t.Error("broken:", err) },
	}}
	t.Cleanup(func() { dropTopic(t, b.options.Kafka) })
	t.Cleanup(b.clear)
	return b
}

// replicas is how many each master has; scripts/services gives one, or none to a single server.
func replicas(t testing.TB) int {
	text := os.Getenv("HONGBAO_CLUSTER__REDIS__REPLICAS_ACK")
	if text == "" {
		return 1
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal("HONGBAO_CLUSTER__REDIS__REPLICAS_ACK:", err)
	}
	return n
}

func testLogger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(b []byte) (int, error) {
	if os.Getenv("HONGBAO_TEST_LOG") != "" {
		os.Stderr.Write(b)
	}
	return len(b), nil
}

func newDatabase(t testing.TB, dsn, name string) string {
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

func dropTopic(t testing.TB, o topic.Options) {
	client, err := kgo.NewClient(kgo.SeedBrokers(o.Brokers...))
	if err != nil {
		t.Error(err)
		return
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := kadm.NewClient(client).DeleteTopic(ctx, o.Topic); err != nil && !strings.Contains(err.Error(), "UNKNOWN_TOPIC") {
		t.Error("delete topic:", err)
	}
}

// open opens a node, and closes it with the test.
func (b *bed) open() *Engine {
	b.Helper()
	e, err := Open(b.Context(), b.options)
	if err != nil {
		b.Fatal("open:", err)
	}
	b.Cleanup(func() { e.Close() })
	return e
}

// work lets a node work until the function that is returned is called, or the test ends.
func (b *bed) work(e *Engine) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		e.Work(ctx)
		close(done)
	}()
	stop = func() { cancel(); <-done }
	b.Cleanup(stop)
	return stop
}

// clear removes the keys of the test, which would only slow the next ones down.
func (b *bed) clear() {
	e := newEngine(b.options)
	defer e.redis.close()
	if err := e.redis.start(context.Background()); err != nil {
		b.Error("clear:", err)
		return
	}
	for _, l := range e.redis.all() {
		if err := unlinkAll(e, l.address, "{"+b.options.Prefix+":*"); err != nil {
			b.Error("clear:", err)
		}
	}
}
