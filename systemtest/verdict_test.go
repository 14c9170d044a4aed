package systemtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"hongbao"
	"hongbao/audit"
	"hongbao/bench"
)

// recoverMax is how long everything may take to play again once nothing is broken any more.
const recoverMax = 40 * time.Second

// judge ends a rush over a fault: everything that was broken is mended, every request that was not answered is asked again,
// and what players were told is held against audit, export and wallets.
func (r *rush) judge(random *rand.Rand) {
	r.t.Helper()
	r.recover(random)
	r.end()
	r.settle()
	if r.forgot == 0 {
		r.replay(random, 200)
	}
	for _, problem := range r.auditProblems() {
		r.t.Error(problem)
	}
	report(r.t, r.found())
	counts := r.told.Counts()
	r.t.Logf("told: %+v", counts)
	if counts.Wins < 100 || counts.Openings < 10 || counts.Replays < 10 {
		r.t.Error("that was no rush")
	}
}

// found is what is wrong with what players were told.
func (r *rush) found() []string {
	r.t.Helper()
	x, b := r.export(), r.budget()
	found, lost := r.noted.compare(x, b)
	if r.sellsOut && x.total != b.Tally {
		found = append(found, fmt.Sprintf("G1: it is sold out, and %+v of %+v are taken", x.total, b.Tally))
	}
	if r.forgot != 0 {
		r.t.Logf("%d wins and openings had not left Redis when it forgot", len(lost))
		return append(found, r.noted.beforeKept(lost, x, r.forgot, r.fleet.stores.shards)...)
	}
	for _, l := range lost {
		found = append(found, fmt.Sprintf("G4: %s was told to player %d, and is not in the export", l.what, l.uid))
	}
	return append(found, r.differences()...)
}

// report fails the test with the first of what was found.
func report(t testing.TB, found []string) {
	t.Helper()
	const shown = 20
	for i, text := range found {
		if i == shown {
			t.Errorf("and %d more", len(found)-shown)
			return
		}
		t.Error(text)
	}
}

// recover starts what has ended, and waits until every node tells of wins in every shard again.
func (r *rush) recover(random *rand.Rand) {
	r.t.Helper()
	began := time.Now()
	r.fleet.stores.heal()
	r.fleet.heal()
	mended := time.Now()
	r.awaitShards(random)
	r.t.Logf("mended within %s; every shard plays %s later", since(began, mended), since(mended, time.Now()))
}

func since(from, to time.Time) time.Duration { return to.Sub(from).Round(10 * time.Millisecond) }

// awaitShards waits until each node tells somebody of each shard of a win.
func (r *rush) awaitShards(random *rand.Rand) {
	r.t.Helper()
	for i := range r.fleet.nodes {
		r.awaitShardsBy(random, i)
	}
}

func (r *rush) awaitShardsBy(random *rand.Rand, node int) {
	r.t.Helper()
	for shard := range r.fleet.stores.shards {
		var last bench.Snatched
		ok := within(recoverMax, func() bool {
			last = r.probe(random, node, shard)
			return last.Won() || r.sellsOut && last.Status == hongbao.SoldOut
		})
		if !ok {
			r.t.Fatalf("node %d tells nobody of shard %d of a win; the last answer is %s %v", node, shard, last.Label, last.Err)
		}
	}
}

// probe snatches for a player of a shard who has not played yet.
func (r *rush) probe(random *rand.Rand, node, shard int) bench.Snatched {
	for {
		uid := r.first + players + random.Uint64N(500_000)
		if shardOf(uid, r.fleet.stores.shards) != shard {
			continue
		}
		return r.snatch(r.fleet.node(node), bench.Snatch{UID: uid, Campaign: r.campaign, Key: fmt.Sprint("probe-", random.Uint64())})
	}
}

// within waits until something holds, and reports whether it did in time.
func within(d time.Duration, holds func() bool) bool {
	for deadline := time.Now().Add(d); !holds(); {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(20 * time.Millisecond)
	}
	return true
}

// settle learns what became of every request whose outcome was not told. No answer may stay unknown.
func (r *rush) settle() {
	r.t.Helper()
	if left := r.settleWithin(recoverMax); left > 0 {
		r.t.Errorf("%d requests stay unknown", left)
	}
}

// settleWithin asks again for as long as that, and returns how many requests stay unknown.
func (r *rush) settleWithin(d time.Duration) (left int) {
	r.t.Helper()
	before, _ := r.told.Unknown()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	left = r.witness(r.fleet.node(0)).Settle(ctx)
	r.t.Logf("%d requests were unknown, and were asked again with the same keys; %d stay unknown", before, left)
	return left
}

// replay asks for wins again, on any node: the answer must be the same, which told and noted check.
func (r *rush) replay(random *rand.Rand, most int) {
	for range most {
		w, any := r.noted.some(random)
		if !any {
			return
		}
		answer := r.snatch(r.fleet.some(random), bench.Snatch{UID: w.uid, Campaign: r.campaign, Key: w.key})
		if !answer.Won() {
			r.t.Errorf("the key %s of player %d had won envelope %d, and is answered %s %v", w.key, w.uid, w.envelope, answer.Label, answer.Err)
		}
	}
}

// auditWants are the checks of an audit of a cluster.
var auditWants = []string{"chain", "order", "G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "books", "conflicts", "kafka", "redis"}

// auditProblems is what hongbao audit finds on the stores. It waits for the books.
func (r *rush) auditProblems() []string {
	r.t.Helper()
	ended := r.fleet.command("audit", "--json", "--wait", recoverMax.String())
	var report audit.Report
	if ended.stdout == "" {
		return []string{fmt.Sprintf("the audit exits with %d: %s", ended.code, ended.stderr)}
	}
	parse(r.t, ended.stdout, &report)
	return judgeAudit(&report, ended.code, r.fleet.stores.poison)
}

// judgeAudit is what is wrong with the report of an audit. The records that a test put into Kafka itself are to be remarked
// on, and no others.
func judgeAudit(report *audit.Report, code int, poison map[string]bool) (problems []string) {
	if !report.OK || code != 0 {
		problems = append(problems, fmt.Sprintf("the audit exits with %d and says ok: %t", code, report.OK))
	}
	checked := map[string]bool{}
	for _, check := range report.Checks {
		checked[check.Name] = true
		if !check.OK {
			problems = append(problems, fmt.Sprintf("audit: %s: %d differences: %s", check.Name, check.Failures, strings.Join(check.Differences, "; ")))
		}
		if check.Name == "kafka" {
			problems = append(problems, judgePoison(check.Detail, poison)...)
		}
		if check.Name == "redis" && check.Detail != "" && check.OK {
			problems = append(problems, "audit: redis was not compared: "+check.Detail)
		}
	}
	for _, name := range auditWants {
		if !checked[name] {
			problems = append(problems, "the audit does not check "+name)
		}
	}
	return problems
}

func judgePoison(detail string, poison map[string]bool) (problems []string) {
	const foreign = " is none of the journal's"
	if n := strings.Count(detail, foreign); n != len(poison) {
		problems = append(problems, fmt.Sprintf("audit: kafka: %d records are none of the journal's, where a test put %d: %s", n, len(poison), detail))
	}
	for where := range poison {
		if !strings.Contains(detail, where+foreign) {
			problems = append(problems, "audit: kafka: nothing is said of "+where)
		}
	}
	return problems
}

// export is the campaign's journal, by hongbao export on the stores.
func (r *rush) export() *exported {
	r.t.Helper()
	ended := r.fleet.command("export", "--campaign", fmt.Sprint(r.campaign))
	if ended.code != 0 {
		r.t.Fatalf("the export exits with %d: %s", ended.code, ended.stderr)
	}
	return readExport(ended.stdout, r.campaign)
}

func (r *rush) budget() budget {
	r.t.Helper()
	c, err := r.fleet.node(0).client.Campaign(r.campaign)
	if err != nil {
		r.t.Fatal(err)
	}
	b := c.Revisions[len(c.Revisions)-1].Rules.Budget
	return budget{hongbao.Tally{Count: b.Count, TotalFen: b.TotalFen}, winsMax}
}

// differences is what bench finds: what was told while it was told, and against wallets and journal now.
func (r *rush) differences() (found []string) {
	r.t.Helper()
	n := r.fleet.node(len(r.fleet.nodes) - 1)
	if _, err := r.told.Compare(context.Background(), n.client, n.admin()); err != nil {
		found = append(found, err.Error())
	}
	listed, _ := r.told.Differences()
	for _, d := range listed {
		found = append(found, d.String())
	}
	return found
}
