package systemtest

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// promoteBehind lets a replica be promoted that lacks what its master has: min-replicas-to-write is taken away, the replica
// killed, and then, with the worker stopped so that nothing has left Redis, the master. What was decided meanwhile was not
// confirmed by a replica, so that nobody may have been told.
func promoteBehind(t *testing.T, r *rush, _ *rand.Rand) {
	s := r.fleet.stores
	p := s.pairOf(1)
	r.fleet.worker(0).pause()
	s.mustRedis(p.master, "config", "set", "min-replicas-to-write", "0")
	s.kill(p.replica)
	before := s.changes(p.master)
	r.play(2 * around())
	if s.changes(p.master) == before {
		t.Error("nothing was decided that a replica might lack")
	}
	s.kill(p.master)
	s.launch(p.replica)
	s.awaitFailover(t, 1, p.master)
	s.start(p.master)
	r.fleet.worker(0).goOn()
}

// The proof of all faults: a program that tells what no replica has confirmed loses wins by the same fault, and they are
// found by both records of what was told.
func proveUnconfirmed(t *testing.T, s *stores) {
	random := newRandom(t)
	s.t = t
	s.heal()
	liar := buildBroken(t, edit{"cluster/lane.go", `err = fmt.Errorf("confirmed by %d replicas of %d", acks, l.acks)`, `err = nil`})
	r := newRush(newFleetOf(t, s, liar, 2, 1), 200_000, 20_000_000)
	r.begin(random)
	defer r.end()
	r.awaitWins(100)
	promoteBehind(t, r, random)
	r.recover(random)
	r.end()
	r.settleWithin(5 * time.Second) // what such a program has lost may stay unknown
	found, lost := r.noted.compare(r.export(), r.budget())
	differences := strings.Join(r.differences(), "\n")
	t.Logf("%d wins and openings were lost, and %d other things are wrong:\n%.500s", len(lost), len(found), differences)
	if len(lost)+len(found) == 0 || !strings.Contains(differences, "G2") && !strings.Contains(differences, "G4") {
		t.Errorf("wins were lost, and what is found is only: %+v %q\n%s", lost, found, differences)
	}
	report(t, r.auditProblems())
}
