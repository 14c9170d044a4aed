package systemtest

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
)

// workerLock is the lock in MySQL by which one process is the worker.
const workerLock = "hongbao.hongbao.worker"

// lockHolder is the connection that has the worker's lock; 0: nobody has it.
func lockHolder(db *sql.DB) (connection int64, err error) {
	var id sql.NullInt64
	err = db.QueryRow("SELECT IS_USED_LOCK(?)", workerLock).Scan(&id)
	return id.Int64, err
}

// takeLock takes the lock away from who has it, and returns when another connection has it.
func takeLock(t *testing.T, db *sql.DB) {
	t.Helper()
	var from int64
	eventually(t, 10*time.Second, "somebody is the worker", func() bool {
		id, err := lockHolder(db)
		from = id
		return err == nil && id != 0
	})
	if _, err := db.Exec(fmt.Sprint("KILL ", from)); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "another connection is the worker's", func() bool {
		id, err := lockHolder(db)
		return err == nil && id != 0 && id != from
	})
}

// adminOf is the admin port that a worker says it has.
func adminOf(t *testing.T, s *server) string {
	t.Helper()
	for text := range strings.Lines(s.log.String()) {
		var said struct{ Admin string }
		if strings.Contains(text, `"standing by to work"`) && json.Unmarshal([]byte(text), &said) == nil {
			return said.Admin
		}
	}
	t.Fatalf("the worker does not say where it is: %s", &s.log)
	return ""
}

// isActive reports whether a process says that it is the worker.
func (f *fleet) isActive(t *testing.T, i int) bool {
	t.Helper()
	return f.metric(adminOf(t, f.worker(i)), "hongbao_cluster_worker_active") == "1"
}

// twoWorkers takes the lock away again and again: who had it goes on working for half a second, and another works, too. Then
// it stops each of them for so long that the other takes over, and lets it go on as if nothing had been.
func twoWorkers(t *testing.T, r *rush, random *rand.Rand) {
	db, err := sql.Open("mysql", r.fleet.stores.dsn())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	times := 6
	if long() {
		times = 60
	}
	for range times {
		takeLock(t, db)
		time.Sleep(time.Duration(random.Int64N(int64(600 * time.Millisecond)))) // any moment will do
	}
	began := 0
	for i := range 2 {
		began += strings.Count(r.fleet.worker(i).log.String(), `"working: relay`)
	}
	if began <= times {
		t.Errorf("the lock was taken away %d times, and somebody began to work %d times", times, began)
	}
	for range 2 {
		eventually(t, 5*time.Second, "one of them is the worker", func() bool { return r.fleet.isActive(t, 0) != r.fleet.isActive(t, 1) })
		active := 0
		if r.fleet.isActive(t, 1) {
			active = 1
		}
		r.fleet.worker(active).pause()
		takeLock(t, db)
		eventually(t, 5*time.Second, "the other one has taken over", func() bool { return r.fleet.isActive(t, 1-active) })
		r.playsOn(t, around(), 0, 1, 2, 3)
		r.fleet.worker(active).goOn()
		eventually(t, 5*time.Second, "the one that was stopped has noticed", func() bool { return !r.fleet.isActive(t, active) })
	}
}
