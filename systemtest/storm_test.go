package systemtest

import (
	"database/sql"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"
)

// storm lets several of the faults happen at once, at any moment, for a while: what one of them leaves half done meets the
// next one.
func storm(t *testing.T, r *rush, random *rand.Rand) {
	s := r.fleet.stores
	db, err := sql.Open("mysql", s.dsn())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	lasts := 12 * time.Second
	if long() {
		lasts = 2 * time.Minute
	}
	for until := time.Now().Add(lasts); time.Now().Before(until); {
		switch what := random.IntN(7); what {
		case 0:
			i := random.IntN(2)
			kill9(r.fleet.node(i).server)
			r.fleet.startNode(i)
		case 1:
			kill9(r.fleet.worker(0))
			r.fleet.startWorker(0)
		case 2: // a failover, when the last one is over
			if p, whole := s.findPair(random.IntN(s.shards)); whole {
				s.kill(p.master)
				time.Sleep(time.Duration(random.Int64N(int64(3 * time.Second)))) // before or after it
				s.start(p.master)
			}
		case 3:
			if p, whole := s.findPair(random.IntN(s.shards)); whole {
				name := []string{p.master, p.replica}[random.IntN(2)]
				s.signal(name, syscall.SIGSTOP)
				time.Sleep(time.Duration(random.Int64N(int64(3 * time.Second))))
				s.signal(name, syscall.SIGCONT)
			}
		case 4:
			if id, err := lockHolder(db); err == nil && id != 0 {
				_, _ = db.Exec("KILL ?", id) // it may be gone
			}
		case 5:
			s.signal("mysql", syscall.SIGSTOP)
			time.Sleep(time.Duration(random.Int64N(int64(2 * time.Second))))
			s.signal("mysql", syscall.SIGCONT)
		case 6:
			s.signal("kafka", syscall.SIGSTOP)
			time.Sleep(time.Duration(random.Int64N(int64(2 * time.Second))))
			s.signal("kafka", syscall.SIGCONT)
		}
		time.Sleep(time.Duration(random.Int64N(int64(300 * time.Millisecond))))
	}
}
