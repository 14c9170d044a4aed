package cluster

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"hongbao"
	"hongbao/cluster/topic"
)

// playedBed is a cluster of four shards, in which thirty players have won two envelopes each, and opened one. The books
// have all of it, and nobody works any more.
func playedBed(t *testing.T) (*bed, *Engine) {
	t.Helper()
	b := newBed(t, 4)
	e := b.open()
	stop := b.work(e)
	ctx, now := t.Context(), b.options.Now()
	campaign := b.create(e, now)
	if _, err := e.SignUp(ctx, hongbao.SignUpRequest{Now: now, Campaign: campaign, UIDs: []uint64{1000}}); err != nil {
		t.Fatal(err)
	}
	for uid := range uint64(30) {
		for n := range 2 {
			r, err := e.Snatch(ctx, hongbao.SnatchRequest{Now: now, Campaign: campaign, UID: uid, Key: fmt.Sprint("key ", n)})
			if err != nil || r.Status != hongbao.Won {
				t.Fatalf("snatch: %v, %v", r.Status, err)
			}
			if n == 0 {
				if _, err := e.Open(ctx, hongbao.OpenRequest{Now: now, UID: uid, Envelope: r.Envelope}); err != nil {
					t.Fatal("open:", err)
				}
			}
		}
	}
	if err := e.Sync(ctx); err != nil {
		t.Fatal("sync:", err)
	}
	stop()
	return b, e
}

func (b *bed) create(e *Engine, now hongbao.Time) uint32 {
	b.Helper()
	lasts := hongbao.Duration(time.Hour)
	spec := hongbao.Spec{
		Name: "rain", Kind: hongbao.Rain, OpensAt: hongbao.AtTime(now), Lasts: lasts,
		Budget: hongbao.BudgetSpec{TotalFen: 100_000, Count: 1000},
	}
	rules, err := spec.Rules(now)
	if err != nil {
		b.Fatal(err)
	}
	c, err := e.Put(b.Context(), hongbao.Change{At: now, Actor: "test", Create: &rules})
	if err != nil {
		b.Fatal("create:", err)
	}
	return c.ID
}

// compare opens the books as an audit does, and returns the checks by name.
func (b *bed) compare() map[string]Check {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 20*time.Second)
	defer cancel()
	books, err := OpenBooks(ctx, b.options)
	if err != nil {
		b.Fatal(err)
	}
	defer books.Close()
	checks, err := books.Compare(ctx)
	if err != nil {
		b.Fatal(err)
	}
	byName := map[string]Check{}
	for _, c := range checks {
		byName[c.Name] = c
	}
	return byName
}

func TestStoresThatAgreeAreFoundToAgree(t *testing.T) {
	b, e := playedBed(t)
	for name, c := range b.compare() {
		if !c.OK || c.Detail != "" {
			t.Errorf("%s: %+v", name, c)
		}
	}
	books, err := e.Books(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer books.Close()
	var last hongbao.Position
	for entry, err := range books.Journal(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		last = entry.Position
	}
	if last != books.Position() || books.Head() != e.Head() {
		t.Errorf("the journal ends at %s, the books are at %s; head %s, the engine's %s", last, books.Position(), books.Head(), e.Head())
	}
}

func TestEveryDifferenceBetweenTheStoresIsFound(t *testing.T) {
	b, e := playedBed(t)
	redis := func(command ...string) func() {
		return func() {
			uid := command[1]
			s := e.of(parseUint(uid))
			if uid == "elsewhere" {
				s, uid = e.shards[(e.of(3).index+1)%4], "3"
			}
			command := slices.Concat(command[:1], []string{s.player(uid)}, command[2:])
			if _, _, err := e.plain(t.Context(), s, command...); err != nil {
				t.Fatal(err)
			}
		}
	}
	envelope := func(uid uint64) string {
		w, err := e.Wallet(t.Context(), hongbao.WalletRequest{UID: uid, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(uint64(w.Envelopes[0].ID))
	}
	for _, row := range []struct {
		name, check, want string
		damage            func()
	}{
		{"another balance", "redis", "uid 1: the balance is", redis("HINCRBY", "1", "b", "1")},
		{"an envelope that was lost", "redis", "uid 2: Redis lacks envelope " + envelope(2), redis("HDEL", "2", "e:"+envelope(2))},
		{"another time", "redis", "uid 4: Redis has what became of envelope", redis("HSET", "4", "o:"+envelope(4), "o 1")},
		{"a win that does not count", "redis", "uid 5: the wins in campaign 1 is", redis("HSET", "5", "w:1", "1")},
		{"a sign-up that was lost", "redis", "uid 1000: Redis lacks the sign-up", redis("DEL", "1000")},
		{"a player who was made up", "redis", "uid 77: Redis has the player, and the books do not", redis("HSET", "77", "b", "5")},
		{"a player in another shard", "redis", "uid 3: Redis has the player in this shard", redis("HSET", "elsewhere", "b", "5")},
		{"a second holder", "conflicts", "second_holder, envelope 5, uid 6", b.conflict},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.damage()
			c := b.compare()[row.check]
			if c.OK || !slices.ContainsFunc(c.Differences, func(d string) bool { return strings.Contains(d, row.want) }) {
				t.Errorf("not found: %q in %+v", row.want, c)
			}
		})
	}
	t.Run("a record that is none is remarked on", func(t *testing.T) {
		b.produce()
		if c := b.compare()["kafka"]; !c.OK || !strings.Contains(c.Detail, "is none of the journal's (not a record of the journal)") {
			t.Errorf("%+v", c)
		}
	})
}

// produce writes what is no event into the topic.
func (b *bed) produce() {
	b.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.options.Kafka.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	record := &kgo.Record{Topic: b.options.Kafka.Topic, Partition: 2, Value: []byte("nonsense")}
	if err := client.ProduceSync(b.Context(), record).FirstErr(); err != nil {
		b.Fatal(err)
	}
}

// conflict writes what a second holder would leave in the ledger.
func (b *bed) conflict() {
	b.Helper()
	b.execute("INSERT INTO conflict (shard, seq, envelope, uid, what, at) VALUES (1, 2, 5, 6, 'second_holder', 7)")
}

func (b *bed) execute(statement string) {
	b.Helper()
	config, err := mysql.ParseDSN(b.options.MySQL)
	if err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("mysql", config.FormatDSN())
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		b.Fatal(err)
	}
}

func TestEventsThatKafkaLacksAreFound(t *testing.T) {
	b, _ := playedBed(t)
	dropTopic(t, b.options.Kafka)
	b.createTopic()
	c := b.compare()["kafka"]
	if c.OK || !strings.Contains(c.Detail, "shard 0: Kafka has none of its") || c.Failures != 4 {
		t.Errorf("%+v", c)
	}
}

// createTopic makes the topic again.
func (b *bed) createTopic() {
	b.Helper()
	again, err := topic.Open(b.Context(), b.options.Kafka)
	if err != nil {
		b.Fatal(err)
	}
	defer again.Close()
	for d := (topic.Description{Exists: true}); d.Exists; {
		if d, err = again.Describe(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	if err := again.Create(b.Context(), b.options.Shards, true); err != nil {
		b.Fatal(err)
	}
}

func TestABeginningThatKafkaDeletedIsTold(t *testing.T) {
	b, _ := playedBed(t)
	client, err := kgo.NewClient(kgo.SeedBrokers(b.options.Kafka.Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	until := kadm.Offsets{}
	until.AddOffset(b.options.Kafka.Topic, 1, 3, -1)
	until.AddOffset(b.options.Kafka.Topic, 2, -1, -1) // all
	if _, err := kadm.NewClient(client).DeleteRecords(t.Context(), until); err != nil {
		t.Fatal(err)
	}
	c := b.compare()["kafka"]
	if !c.OK || !strings.Contains(c.Detail, "shard 1 is in Kafka from offset 3 on, event 4") || !strings.Contains(c.Detail, "shard 2 was deleted in Kafka") {
		t.Errorf("%+v", c)
	}
}

// Players in Redis that do not fit into memory at once are compared part by part.
func TestPlayersInRedisAreComparedPartByPart(t *testing.T) {
	_, e := playedBed(t)
	for _, uid := range []uint64{50, 60, 70} {
		s := e.of(uid)
		if _, _, err := e.plain(t.Context(), s, "HSET", s.player(fmt.Sprint(uid)), "b", "5"); err != nil {
			t.Fatal(err)
		}
	}
	books, err := e.Books(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer books.Close()
	for _, most := range []int{1, 7, 1000} {
		r := newRedisCheck(books)
		r.atOnce = most
		if err := r.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		var found []string
		for i := range r.found {
			found = append(found, r.found[i].Differences...)
		}
		if len(found) != 3 {
			t.Errorf("%d at once: found %q", most, found)
		}
	}
}

func TestAShardThatMovedOnIsNotCompared(t *testing.T) {
	b, e := playedBed(t)
	r, err := e.Snatch(t.Context(), hongbao.SnatchRequest{Now: b.options.Now(), Campaign: 1, UID: 7, Key: "later"})
	if err != nil || r.Status != hongbao.Won {
		t.Fatalf("snatch: %v, %v", r.Status, err)
	}
	shard := e.of(7).index
	c := b.compare()["redis"]
	if want := fmt.Sprint("not compared, for they moved on: shards ", shard); !c.OK || c.Detail != want {
		t.Errorf("%+v, want %q", c, want)
	}
	books, err := e.Books(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer books.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := books.Wait(ctx); !errors.Is(err, hongbao.ErrBusy) || !strings.Contains(err.Error(), fmt.Sprint("of shard ", shard)) {
		t.Errorf("without a worker: %v", err)
	}
}
