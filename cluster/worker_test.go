package cluster

import (
	"context"
	"database/sql"
	"testing"
	"time"
)

// shift is a job of which a test sees when it begins and ends.
type shift struct {
	testing.TB
	began, ended chan int // which node
}

// put lets a node work with the job until the function that is returned is called, or the test ends.
func (s *shift) put(node int, e *Engine) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	job := func(ctx context.Context) {
		s.began <- node
		<-ctx.Done()
		s.ended <- node
	}
	go func() {
		e.Work(ctx, job, func(ctx context.Context) { <-ctx.Done() })
		close(done)
	}()
	stop = func() { cancel(); <-done }
	s.Cleanup(stop)
	return stop
}

func (s *shift) next(from chan int, what string) int {
	s.Helper()
	select {
	case node := <-from:
		return node
	case <-time.After(20 * time.Second):
		s.Fatal("no job ", what)
		return 0
	}
}

// loseLock ends the connection that holds the worker's lock, as MySQL does when it is restarted.
func (b *bed) loseLock() {
	b.Helper()
	db, err := sql.Open("mysql", b.options.MySQL)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	var holder int64
	if err := db.QueryRow("SELECT IS_USED_LOCK(CONCAT('hongbao.', DATABASE(), '.worker'))").Scan(&holder); err != nil {
		b.Fatal(err)
	}
	if _, err := db.Exec("KILL ?", holder); err != nil {
		b.Fatal(err)
	}
}

func TestJobsRunInOneProcessAndEndWithItsLock(t *testing.T) {
	b := newBed(t, 1)
	s := &shift{t, make(chan int, 100), make(chan int, 100)}
	var stops []func()
	for node := range 2 {
		stops = append(stops, s.put(node, b.open()))
	}
	first := s.next(s.began, "begins")
	b.loseLock()
	if node := s.next(s.ended, "ends when the lock is lost"); node != first {
		t.Errorf("the job of node %d has ended, not that of node %d", node, first)
	}
	second := s.next(s.began, "begins again")
	if len(s.began) > 0 || len(s.ended) > 0 {
		t.Errorf("it began %d times and ended %d times without a reason", len(s.began), len(s.ended))
	}
	stops[second]()
	if node := s.next(s.ended, "ends with its node"); node != second {
		t.Errorf("the job of node %d has ended, not that of node %d", node, second)
	}
	if node := s.next(s.began, "begins elsewhere"); node == second {
		t.Errorf("the job begins on node %d, which was stopped", node)
	}
}
