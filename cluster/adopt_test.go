package cluster

import (
	"errors"
	"testing"
	"time"

	"hongbao"
)

// spoil changes a field of shards' records, as a server that was restarted, or an old file, would have it.
func spoil(t *testing.T, e *Engine, field, value string, shards ...*shard) {
	t.Helper()
	for _, s := range shards {
		if _, _, err := e.plain(t.Context(), s, "HSET", s.record, field, value); err != nil {
			t.Fatal(err)
		}
	}
}

// snatchNow asks for an envelope with a key that was not used before.
func snatchNow(t *testing.T, e *Engine, c *hongbao.Campaign, uid uint64) (hongbao.SnatchResult, error) {
	t.Helper()
	return e.Snatch(t.Context(), hongbao.SnatchRequest{Campaign: c.ID, UID: uid, Key: time.Now().String(), KeyIsNew: true, Now: now()})
}

// TestAdoption restarts, so to speak, every server while nobody works: a node starts all the same, with the campaigns that
// the books have, players are busy, and a worker makes the shards work again under a higher epoch.
func TestAdoption(t *testing.T) {
	b := newBed(t, 3)
	e := b.open()
	stop := b.work(e)
	c := rain(t, e, 100)
	if won, err := snatchNow(t, e, c, 1); err != nil || won.Status != hongbao.Won {
		t.Fatal(won, err)
	}
	if err := e.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop()
	before := *e.home().epoch.Load()
	spoil(t, e, "run", "another process", e.shards...)

	started := b.open()
	if len(started.Campaigns()) != 1 {
		t.Errorf("it starts with %d campaigns", len(started.Campaigns()))
	}
	if won, err := snatchNow(t, started, c, 2); !errors.Is(err, hongbao.ErrBusy) {
		t.Errorf("a player of a fenced shard is told %+v, %v", won, err)
	}
	b.work(started)
	for uid := uint64(2); uid < 20; uid++ {
		if err := started.insist(t.Context(), func() error { _, err := snatchNow(t, started, c, uid); return err }); err != nil {
			t.Fatal(err)
		}
	}
	if after := *started.home().epoch.Load(); parseUint(after) <= parseUint(before) {
		t.Errorf("the epoch was %s and is %s", before, after)
	}
	// The node that knew only the old epoch learns the new one.
	if won, err := snatchNow(t, e, c, 30); err != nil || won.Status != hongbao.Won {
		t.Errorf("through the other node a player is told %+v, %v", won, err)
	}
	auditAll(t, started)
}

// TestAShardThatIsBehindIsNotAdopted puts back an older sequence: whatever the worker does, its players stay busy, others
// play on, and reconcile mends it. Keeps G2.
func TestAShardThatIsBehindIsNotAdopted(t *testing.T) {
	b := newBed(t, 3)
	e := b.open()
	stop := b.work(e)
	c := rain(t, e, 1000)
	for uid := range uint64(60) {
		if won, err := snatchNow(t, e, c, uid); err != nil || won.Status != hongbao.Won {
			t.Fatal(won, err)
		}
	}
	if err := e.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	behind := e.shards[2]
	spoil(t, e, "seq", "3", behind)
	spoil(t, e, "run", "another process", behind)
	if err := e.adoptAll(t.Context()); err == nil {
		t.Error("adopting says nothing")
	}
	for uid := uint64(100); uid < 130; uid++ {
		won, err := snatchNow(t, e, c, uid)
		if of := e.of(uid); of == behind != errors.Is(err, hongbao.ErrBusy) || of != behind && won.Status != hongbao.Won {
			t.Errorf("player %d of shard %d is told %+v, %v", uid, of.index, won, err)
		}
	}
	stop()
	report, err := Reconcile(t.Context(), b.options)
	if err != nil || len(report.Rebuilt) != 1 || report.Rebuilt[0] != 2 {
		t.Fatalf("%+v, %v", report, err)
	}
	b.work(e)
	for uid := uint64(100); uid < 130; uid++ {
		if _, err := snatchNow(t, e, c, uid); err != nil {
			t.Errorf("afterwards player %d is told %v", uid, err)
		}
	}
	auditAll(t, e)
}
