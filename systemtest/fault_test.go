package systemtest

import (
	"math/rand/v2"
	"testing"
	"time"
)

// fault is something that happens to a cluster while players rush it. What it breaks it need not mend.
type fault struct {
	name     string
	workers  int                                           // 0: one
	prepare  func(t *testing.T, s *stores) (args []string) // nil: nothing
	do       func(t *testing.T, r *rush, random *rand.Rand)
	sellsOut bool
}

// Keeps G1 to G7 honest over everything that happens to machines: no win that was told is lost, none is given twice, and
// who was told "unknown" learns the truth with the same key.
func TestFaultsOfACluster(t *testing.T) {
	s := openStores(t)
	t.Run("events reach the players of every node", func(t *testing.T) { tellPlayersOfEveryNode(t, s) })
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) { f.run(t, s) })
	}
	t.Run("a program that tells too early is found", func(t *testing.T) { proveUnconfirmed(t, s) })
}

// faults are in an order: the last one leaves records in Kafka that every later audit finds.
func faults() []fault {
	list := []fault{
		{name: "nothing", do: func(*testing.T, *rush, *rand.Rand) {}},
		{name: "kill -9 of a node", do: killNode},
		{name: "kill -9 of the worker", do: killWorker},
		{name: "kill -9 of both", do: killBoth},
		{name: "kill -9 of a Redis master", do: killMaster},
		{name: "kill -9 of Kafka", do: killKafka},
		{name: "kill -9 of MySQL", do: killMySQL},
		{name: "a node and the worker stopped", do: stopNodeAndWorker},
		{name: "a Redis master stopped", do: stopMaster},
		{name: "Kafka and MySQL stopped", do: stopKafkaAndMySQL},
		{name: "a replica lost", do: loseReplica},
		{name: "a replica stopped", do: stopReplica},
		linkFault(),
		{name: "a node paused over a failover", do: pauseOverFailover},
		{name: "a replica promoted that is behind", do: promoteBehind},
		{name: "two workers that both believe they are the one", workers: 2, do: twoWorkers},
		{name: "several at once", do: storm},
		{name: "duplicate and out-of-order records in Kafka", do: disorderKafka},
		{name: "sold out while nodes die", sellsOut: true, do: sellOutWithDeaths},
		{name: "sold out over a failover of the bank", sellsOut: true, do: sellOutOverFailover},
		{name: "an older file restored", do: restoreOlderFile},
		{name: "FLUSHALL", do: flushAll},
	}
	if long() {
		list = append(list, fault{name: "a node stopped", do: stopNode}, fault{name: "the worker stopped", do: stopWorker},
			fault{name: "Kafka stopped", do: stopKafka}, fault{name: "MySQL stopped", do: stopMySQL})
	}
	return append(list, fault{name: "poisoned records in Kafka", do: poisonKafka})
}

// around is how long the rush goes on before and after a fault.
func around() time.Duration {
	if long() {
		return 5 * time.Second
	}
	return 1500 * time.Millisecond
}

// stopped is how long a process is stopped: longer than any timeout of ours.
const stopped = 10 * time.Second

func (f *fault) run(t *testing.T, s *stores) {
	random := newRandom(t)
	s.t = t
	s.heal()
	var args []string
	if f.prepare != nil {
		args = f.prepare(t, s)
	}
	count := 200_000
	if f.sellsOut {
		count = 1500
	}
	r := newRush(newFleet(t, s, 2, max(f.workers, 1), args...), count, int64(count)*100+7)
	r.sellsOut = f.sellsOut
	r.begin(random)
	defer r.end()
	r.awaitWins(100)
	r.step(t, "before", func() { r.play(around()) })
	r.step(t, f.name, func() { f.do(t, r, random) })
	r.recover(random)
	r.step(t, "after", func() { r.play(around()) })
	r.judge(random)
}

func killNode(_ *testing.T, r *rush, _ *rand.Rand) {
	kill9(r.fleet.node(1).server)
	r.play(around())
}

func killWorker(t *testing.T, r *rush, _ *rand.Rand) {
	kill9(r.fleet.worker(0))
	r.playsOn(t, around(), 0, 1, 2, 3)
}

func killBoth(_ *testing.T, r *rush, _ *rand.Rand) {
	all := []*server{r.fleet.worker(0), r.fleet.node(0).server, r.fleet.node(1).server}
	for _, s := range all {
		s.kill()
	}
	for _, s := range all {
		s.wait()
	}
	r.play(around() / 3)
}

// killMaster lets a replica be promoted. It has no replica itself until the killed one comes back, and is busy until then.
func killMaster(t *testing.T, r *rush, _ *rand.Rand) {
	stores := r.fleet.stores
	p := stores.pairOf(1)
	stores.kill(p.master)
	to := stores.awaitFailover(t, 1, p.master)
	if to != p.replica {
		t.Errorf("%s was promoted, and not %s", to, p.replica)
	}
	r.isBusy(t, around(), 1, 2)
	r.playsOn(t, around(), 0, 3)
}

func killKafka(t *testing.T, r *rush, _ *rand.Rand) {
	s := r.fleet.stores
	s.kafkaBehindProxy(func() {}) // it is going to be started anew
	s.kill("kafka")
	r.playsOn(t, around(), 0, 1, 2, 3)
}

func killMySQL(t *testing.T, r *rush, _ *rand.Rand) {
	r.fleet.stores.kill("mysql")
	r.playsOn(t, around(), 0, 1, 2, 3)
}

func stopNode(t *testing.T, r *rush, _ *rand.Rand) {
	s := r.fleet.node(1).server
	s.pause()
	defer s.goOn()
	r.play(answerMax + time.Second) // until all have noticed
	r.playsOn(t, stopped-answerMax-time.Second, 0, 1, 2, 3)
}

func stopWorker(t *testing.T, r *rush, _ *rand.Rand) {
	s := r.fleet.worker(0)
	s.pause()
	defer s.goOn()
	r.playsOn(t, stopped, 0, 1, 2, 3)
}

// stopMaster stops a master for so long that its replica is promoted; then it goes on as if nothing had been.
func stopMaster(t *testing.T, r *rush, _ *rand.Rand) {
	stores := r.fleet.stores
	p, began := stores.pairOf(1), time.Now()
	goOn := stores.stop(t, p.master)
	stores.awaitFailover(t, 1, p.master)
	r.isBusy(t, around(), 1, 2)
	r.playsOn(t, stopped-time.Since(began), 0, 3)
	goOn()
}

// stopNodeAndWorker and stopKafkaAndMySQL save ten seconds: neither of the two needs the other one to be there.
func stopNodeAndWorker(t *testing.T, r *rush, random *rand.Rand) {
	worker := r.fleet.worker(0)
	worker.pause()
	defer worker.goOn()
	stopNode(t, r, random)
}

func stopKafkaAndMySQL(t *testing.T, r *rush, random *rand.Rand) {
	goOn := r.fleet.stores.stop(t, "mysql")
	stopKafka(t, r, random)
	goOn()
}

func stopKafka(t *testing.T, r *rush, _ *rand.Rand) {
	goOn := r.fleet.stores.stop(t, "kafka")
	r.playsOn(t, stopped, 0, 1, 2, 3)
	goOn()
}

func stopMySQL(t *testing.T, r *rush, _ *rand.Rand) {
	goOn := r.fleet.stores.stop(t, "mysql")
	r.playsOn(t, stopped, 0, 1, 2, 3)
	goOn()
}

// loseReplica leaves a master alone: it answers busy and changes nothing.
func loseReplica(t *testing.T, r *rush, _ *rand.Rand) {
	stores := r.fleet.stores
	p := stores.pairOf(1)
	stores.kill(p.replica)
	r.isBusy(t, 0, 1, 2)
	before := stores.changes(p.master)
	r.isBusy(t, around(), 1, 2)
	if after := stores.changes(p.master); after != before {
		t.Errorf("without its replica a master has changed: %s, and then %s", before, after)
	}
	r.playsOn(t, around(), 0, 3)
}

// stopReplica stops a replica for longer than the master believes in it, so that the first are told "unknown" and the next
// "busy".
func stopReplica(t *testing.T, r *rush, _ *rand.Rand) {
	stores := r.fleet.stores
	p := stores.pairOf(1)
	goOn := stores.stop(t, p.replica)
	r.isBusy(t, around(), 1, 2)
	r.playsOn(t, around(), 0, 3)
	goOn()
}

// pauseOverFailover lets a node and its Redis master sleep while others go on; then both go on where they stopped: the node
// writes to a server that believes to be master still. Then again, with a master that has died meanwhile.
func pauseOverFailover(t *testing.T, r *rush, random *rand.Rand) {
	s, sleeper := r.fleet.stores, r.fleet.node(1).server
	p := s.pairOf(1)
	sleeper.pause()
	goOn := s.stop(t, p.master)
	s.awaitFailover(t, 1, p.master)
	sleeper.goOn()
	goOn()
	r.awaitShards(random)

	p = s.pairOf(1)
	sleeper.pause()
	s.kill(p.master)
	s.awaitFailover(t, 1, p.master)
	s.start(p.master)
	r.awaitShardsBy(random, 0) // adopted
	sleeper.goOn()
	r.play(around())
}

// sellOutWithDeaths kills nodes while the last leases are given out and given back.
func sellOutWithDeaths(t *testing.T, r *rush, random *rand.Rand) {
	for i := 0; !r.isSoldOut(); i++ {
		time.Sleep(time.Duration(random.Int64N(int64(time.Second)))) // any moment will do
		kill9(r.fleet.node(i % 2).server)
		r.fleet.startNode(i % 2)
	}
}

func sellOutOverFailover(t *testing.T, r *rush, random *rand.Rand) {
	s := r.fleet.stores
	p := s.pairOf(0)
	s.kill(p.master)
	s.awaitFailover(t, 0, p.master)
	s.start(p.master)
	eventually(t, time.Minute, "it is sold out", r.isSoldOut)
}

// isSoldOut reports whether players were told so since the last step.
func (r *rush) isSoldOut() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.answers["snatch sold_out"] > 0
}
