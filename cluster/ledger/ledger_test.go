package ledger

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"hongbao"
)

const start = hongbao.Time(1_800_000_000_000)

// dsnOf is the DSN of the server that tests use.
func dsnOf(t testing.TB) *mysql.Config {
	t.Helper()
	dsn := os.Getenv("HONGBAO_CLUSTER__MYSQL__DSN")
	if dsn == "" {
		const needs = `needs MySQL: eval "$(scripts/services env)"`
		if os.Getenv("HONGBAO_REQUIRE_SERVICES") == "1" {
			t.Fatal(needs)
		}
		t.Skip(needs)
	}
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// newDatabase makes a database that is dropped after the test, and returns its DSN.
func newDatabase(t testing.TB) string {
	t.Helper()
	config := dsnOf(t)
	var random [6]byte
	_, _ = rand.Read(random[:])
	name := "hongbao_test_" + hex.EncodeToString(random[:])
	config.DBName = ""
	admin, err := sql.Open("mysql", config.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("DROP DATABASE " + name); err != nil {
			t.Error(err)
		}
		admin.Close()
	})
	config.DBName = name
	return config.FormatDSN()
}

// openLedger opens the ledger of a DSN and closes it with the test.
func openLedger(t testing.TB, dsn string) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// newLedger is a ledger in a database of its own that has begun with some shards.
func newLedger(t testing.TB, shards int) *Ledger {
	t.Helper()
	l := openLedger(t, newDatabase(t))
	must(t, l.Migrate(t.Context()))
	must(t, l.Begin(t.Context(), Setup{Shards: shards, Timezone: "Asia/Shanghai", Secret: hongbao.Secret{7}, Incarnation: 1}))
	return l
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tamper executes a statement behind the ledger's back.
func (l *Ledger) tamper(t testing.TB, statement string, args ...any) {
	t.Helper()
	result, err := l.db.Exec(statement, args...)
	must(t, err)
	if n, _ := result.RowsAffected(); n != 1 {
		t.Fatalf("%s affected %d rows", statement, n)
	}
}

func TestOpenNamesWhatIsWrong(t *testing.T) {
	for _, dsn := range []string{"", "nonsense", "root@tcp(127.0.0.1:1)/"} {
		if _, err := Open(t.Context(), dsn); !errors.Is(err, hongbao.ErrInvalid) || !strings.Contains(err.Error(), "cluster.mysql.dsn") {
			t.Errorf("%q: %v", dsn, err)
		}
	}
	_, err := Open(t.Context(), "root:geheim@tcp(127.0.0.1:1)/hongbao")
	if !errors.Is(err, hongbao.ErrBusy) || strings.Contains(err.Error(), "geheim") {
		t.Error(err)
	}
}

func TestConnectionsAreStrict(t *testing.T) {
	l := newLedger(t, 1)
	for _, statement := range []string{
		"INSERT INTO wallet (uid, balance_fen) VALUES (-1, 1)",
		"INSERT INTO campaign (id, name, revision, sealed_at, cancelled) VALUES (1, '" + strings.Repeat("n", 65) + "', 1, 0, 0)",
	} {
		if _, err := l.run(t.Context(), statement); !errors.Is(err, hongbao.ErrBroken) {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

func TestMethodsSurviveALostConnection(t *testing.T) {
	l := newLedger(t, 2)
	l.db.SetMaxOpenConns(1)
	var id int64
	_, err := one(t.Context(), l.db, []any{&id}, "SELECT CONNECTION_ID()")
	must(t, err)
	other := openLedger(t, dsnOfLedger(t, l))
	_, err = other.db.Exec("KILL ?", id)
	must(t, err)
	if _, err := l.Marks(t.Context()); err != nil && !errors.Is(err, hongbao.ErrBusy) {
		t.Error(err)
	}
	_, err = l.Marks(t.Context())
	must(t, err)
}

func dsnOfLedger(t testing.TB, l *Ledger) string {
	config := dsnOf(t)
	config.DBName = l.database
	return config.FormatDSN()
}

func TestAnEndedContextIsBusy(t *testing.T) {
	l := newLedger(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Apply(ctx, newScript(1).wins(3)); !errors.Is(err, hongbao.ErrBusy) {
		t.Error(err)
	}
	if _, err := l.Marks(ctx); !errors.Is(err, hongbao.ErrBusy) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestMigrationsMayRunAtOnceAndAgain(t *testing.T) {
	dsn := newDatabase(t)
	errs := make(chan error)
	const processes = 4
	for range processes {
		l := openLedger(t, dsn)
		go func() { errs <- l.Migrate(t.Context()) }()
	}
	for range processes {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	l := openLedger(t, dsn)
	must(t, l.Migrate(t.Context()))
	var versions int
	_, err := one(t.Context(), l.db, []any{&versions}, "SELECT COUNT(*) FROM schema_version")
	must(t, err)
	if versions != 1 {
		t.Errorf("%d versions are recorded", versions)
	}
}

func TestAMigrationThatWasCutOffStartsOver(t *testing.T) {
	l := openLedger(t, newDatabase(t))
	known, err := migrations(schema)
	must(t, err)
	for _, statement := range known[0].statements[:3] {
		_, err := l.run(t.Context(), statement)
		must(t, err)
	}
	must(t, l.Migrate(t.Context()))
	must(t, l.Begin(t.Context(), Setup{Shards: 1, Timezone: "UTC"}))
}

func TestANewerSchemaIsRefused(t *testing.T) {
	l := newLedger(t, 1)
	l.tamper(t, insertVersion, 99, "0099_future")
	if err := l.Migrate(t.Context()); !errors.Is(err, hongbao.ErrBroken) || !strings.Contains(err.Error(), "99") {
		t.Error(err)
	}
}

func TestALockHasOneHolder(t *testing.T) {
	l := newLedger(t, 1)
	other := openLedger(t, dsnOfLedger(t, l))
	elsewhere := newLedger(t, 1)
	for _, name := range []string{"adopt.1", strings.Repeat("long", 40)} {
		lock, err := l.Lock(t.Context(), name)
		must(t, err)
		must(t, lock.Check(t.Context()))
		if _, err := other.Lock(t.Context(), name); !errors.Is(err, hongbao.ErrBusy) {
			t.Error("another process took the lock:", err)
		}
		if _, err := l.Lock(t.Context(), name); !errors.Is(err, hongbao.ErrBusy) {
			t.Error("the same process took the lock again:", err)
		}
		same, err := elsewhere.Lock(t.Context(), name)
		must(t, err) // another database has its own
		same.Release()

		waiting := make(chan error)
		go func() {
			second, err := other.LockWait(t.Context(), name)
			if err == nil {
				err = second.Check(t.Context())
				second.Release()
			}
			waiting <- err
		}()
		lock.Release()
		lock.Release()
		must(t, <-waiting)
		if err := lock.Check(t.Context()); !errors.Is(err, hongbao.ErrBusy) {
			t.Error("a lock that was released is held:", err)
		}
	}
}

func TestALostLockIsNoticed(t *testing.T) {
	l := newLedger(t, 1)
	lock, err := l.Lock(t.Context(), "adopt")
	must(t, err)
	var id int64
	_, err = one(t.Context(), lock.conn, []any{&id}, "SELECT CONNECTION_ID()")
	must(t, err)
	_, err = l.db.Exec("KILL ?", id)
	must(t, err)
	if err := lock.Check(t.Context()); !errors.Is(err, hongbao.ErrBusy) {
		t.Error(err)
	}
	lock.Release()
	again, err := l.LockWait(t.Context(), "adopt")
	must(t, err)
	again.Release()
}

func TestWaitingForALockEndsWithTheContext(t *testing.T) {
	l := newLedger(t, 1)
	lock, err := l.Lock(t.Context(), "adopt")
	must(t, err)
	defer lock.Release()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := l.LockWait(ctx, "adopt"); !errors.Is(err, hongbao.ErrBusy) {
		t.Error(err)
	}
}

func TestSetupIsDecidedOnce(t *testing.T) {
	l := openLedger(t, newDatabase(t))
	must(t, l.Migrate(t.Context()))
	if _, found, err := l.Setup(t.Context()); found || err != nil {
		t.Fatal(found, err)
	}
	if _, err := l.NextEpoch(t.Context()); !errors.Is(err, hongbao.ErrBusy) {
		t.Error("an epoch before the setup:", err)
	}
	want := Setup{Shards: 3, Timezone: "Asia/Shanghai", Secret: hongbao.Secret{1, 0, '\'', '\\', 255}, Incarnation: 5}
	must(t, l.Begin(t.Context(), want))
	if err := l.Begin(t.Context(), want); !errors.Is(err, hongbao.ErrBroken) {
		t.Error("it began twice:", err)
	}
	must(t, l.Complete(t.Context()))
	must(t, l.Complete(t.Context()))
	want.Complete = true
	if got, found, err := l.Setup(t.Context()); got != want || !found || err != nil {
		t.Errorf("%+v, %v, %v; must be %+v", got, found, err, want)
	}
	marks, err := l.Marks(t.Context())
	must(t, err)
	if len(marks) != 3 || marks[2] != (Mark{Shard: 2}) {
		t.Errorf("marks %+v", marks)
	}
	if n, err := l.NextIncarnation(t.Context()); n != 6 || err != nil {
		t.Error(n, err)
	}
}

func TestAJournalWithoutASetupIsNotBegunAgain(t *testing.T) {
	l := newLedger(t, 1)
	_, err := l.Apply(t.Context(), newScript(1).wins(1))
	must(t, err)
	for _, statement := range []string{"DELETE FROM setup", "DELETE FROM shard"} {
		_, err := l.run(t.Context(), statement)
		must(t, err)
	}
	if err := l.Begin(t.Context(), Setup{Shards: 1, Timezone: "UTC"}); !errors.Is(err, hongbao.ErrBroken) {
		t.Error(err)
	}
}

func TestNoEpochIsHandedOutTwice(t *testing.T) {
	l := newLedger(t, 1)
	const callers, each = 4, 25
	epochs := make(chan uint64)
	for range callers {
		go func() {
			for range each {
				n, err := l.NextEpoch(t.Context())
				if err != nil {
					t.Error(err)
				}
				epochs <- n
			}
		}()
	}
	seen := map[uint64]bool{}
	for range callers * each {
		seen[<-epochs] = true
	}
	if len(seen) != callers*each || !seen[1] || !seen[callers*each] {
		t.Errorf("%d epochs in %d calls", len(seen), callers*each)
	}
}

func TestBankMarksAreOnlyRaised(t *testing.T) {
	l := newLedger(t, 1)
	for _, mark := range []uint64{10, 5, 1 << 32, 7} {
		must(t, l.RaiseBankMark(t.Context(), hongbao.CampaignMax, mark))
	}
	marks, err := l.BankMarks(t.Context())
	must(t, err)
	if len(marks) != 1 || marks[hongbao.CampaignMax] != 1<<32 {
		t.Errorf("marks %v", marks)
	}
}
