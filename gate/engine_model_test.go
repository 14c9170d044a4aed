package gate

import (
	"math/rand/v2"
	"sync"
	"time"
)

// modelEngine is how an engine takes time; call returns when the answer is there.
type modelEngine interface{ call() }

// groupEngine commits in groups: everybody in flight waits for the current sync, and the next group takes all who have
// come meanwhile. A sync takes 0.2 to 1 ms, and each of its requests so much more.
type groupEngine struct {
	random *rand.Rand
	each   time.Duration

	lock    sync.Mutex
	next    chan struct{} // closed when the group that gathers is done
	size    int
	syncing bool
}

func newGroupEngine(seed uint64, each time.Duration) *groupEngine {
	return &groupEngine{random: rand.New(rand.NewPCG(seed, 1)), each: each, next: make(chan struct{})}
}

func (e *groupEngine) call() {
	e.lock.Lock()
	done := e.next
	e.size++
	if !e.syncing {
		e.syncing = true
		go e.commit()
	}
	e.lock.Unlock()
	<-done
}

// commit writes groups until nobody has come.
func (e *groupEngine) commit() {
	for {
		e.lock.Lock()
		if e.size == 0 {
			e.syncing = false
			e.lock.Unlock()
			return
		}
		done, size := e.next, e.size
		e.next, e.size = make(chan struct{}), 0
		took := 200*time.Microsecond + time.Duration(e.random.Int64N(int64(800*time.Microsecond)))
		e.lock.Unlock()
		time.Sleep(took + time.Duration(size)*e.each)
		close(done)
	}
}

// serverEngine has a fixed capacity: so many servers, each request takes one of them for so long, first come first
// served.
type serverEngine struct {
	servers chan struct{}
	takes   time.Duration
}

func newServerEngine(servers int, takes time.Duration) *serverEngine {
	return &serverEngine{servers: make(chan struct{}, servers), takes: takes}
}

func (e *serverEngine) call() {
	e.servers <- struct{}{}
	time.Sleep(e.takes)
	<-e.servers
}
