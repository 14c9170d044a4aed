package enginetest

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"hongbao"
)

// scene is an engine in a test, and what its players were told.
type scene struct {
	testing.TB
	*Harness

	mu     sync.Mutex
	wins   []told
	opened map[hongbao.EnvelopeID]hongbao.OpenResult // first openings
	keys   int
}

// told is a win that a player was told of.
type told struct {
	request hongbao.SnatchRequest
	result  hongbao.SnatchResult
}

func newScene(t testing.TB, open Open) *scene {
	return &scene{TB: t, Harness: open(t, start), opened: map[hongbao.EnvelopeID]hongbao.OpenResult{}}
}

// campaign creates a campaign of one hour from start: count envelopes of a yuan on average, without limits unless
// change says otherwise.
func (s *scene) campaign(kind hongbao.Kind, count uint64, change func(*hongbao.Spec)) *hongbao.Campaign {
	s.Helper()
	none, signup := 0, hongbao.SignupNone
	spec := hongbao.Spec{
		Name: fmt.Sprintf("%s-%d", kind, len(s.Engine.Campaigns())+1), Kind: kind, OpensAt: hongbao.AtTime(start), Lasts: hongbao.Duration(time.Hour),
		Budget: hongbao.BudgetSpec{TotalFen: 100 * int64(count), Count: count}, WinsMax: &none, DailyWinsMax: &none, Signup: &signup,
	}
	if change != nil {
		change(&spec)
	}
	rules, err := spec.Rules(start)
	if err != nil {
		s.Fatal(err)
	}
	c, err := s.Engine.Put(s.Context(), hongbao.Change{At: start, Actor: "enginetest", Create: &rules})
	if err != nil {
		s.Fatal("create:", err)
	}
	return c
}

func (s *scene) rain(count uint64) *hongbao.Campaign { return s.campaign(hongbao.Rain, count, nil) }

// put makes a change that must succeed.
func (s *scene) put(change hongbao.Change) *hongbao.Campaign {
	s.Helper()
	change.Actor = "enginetest"
	c, err := s.Engine.Put(s.Context(), change)
	if err != nil {
		s.Error("put:", err)
	}
	return c
}

// key is one that was not used before.
func (s *scene) key() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys++
	return fmt.Sprintf("key-%d", s.keys)
}

// snatch asks with a key of its own, as the server makes them, and remembers a win.
func (s *scene) snatch(c *hongbao.Campaign, uid uint64, now hongbao.Time) hongbao.SnatchResult {
	return s.ask(s.Engine, hongbao.SnatchRequest{Campaign: c.ID, UID: uid, Key: s.key(), KeyIsNew: true, Now: now})
}

// snatchBy asks with a key that the player brings.
func (s *scene) snatchBy(c *hongbao.Campaign, uid uint64, key string, now hongbao.Time) hongbao.SnatchResult {
	return s.ask(s.Engine, hongbao.SnatchRequest{Campaign: c.ID, UID: uid, Key: key, Now: now})
}

func (s *scene) ask(engine hongbao.Engine, r hongbao.SnatchRequest) hongbao.SnatchResult {
	result, err := engine.Snatch(s.Context(), r)
	if err != nil {
		s.Errorf("snatch %+v: %v", r, err)
	}
	if result.Status == hongbao.Won {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.wins = append(s.wins, told{r, result})
	}
	return result
}

// win snatches an envelope that must be won.
func (s *scene) win(c *hongbao.Campaign, uid uint64, now hongbao.Time) hongbao.SnatchResult {
	s.Helper()
	result := s.snatch(c, uid, now)
	if result.Status != hongbao.Won {
		s.Fatalf("player %d is told %s at %s; must win", uid, result.Status, now)
	}
	return result
}

// refused snatches what must be refused.
func (s *scene) refused(want hongbao.Status, c *hongbao.Campaign, uid uint64, now hongbao.Time) {
	s.Helper()
	if result := s.snatch(c, uid, now); result.Status != want {
		s.Errorf("player %d is told %s at %s; must be told %s", uid, result.Status, now, want)
	}
}

// open opens an envelope, and remembers being the first.
func (s *scene) open(uid uint64, id hongbao.EnvelopeID, now hongbao.Time) (hongbao.OpenResult, error) {
	return s.openWith(s.Engine, uid, id, now)
}

func (s *scene) openWith(engine hongbao.Engine, uid uint64, id hongbao.EnvelopeID, now hongbao.Time) (hongbao.OpenResult, error) {
	result, err := engine.Open(s.Context(), hongbao.OpenRequest{UID: uid, Envelope: id, Now: now})
	if err != nil && !errors.Is(err, hongbao.ErrNotFound) {
		s.Errorf("player %d opens %d: %v", uid, id, err)
	}
	if result.First {
		s.mu.Lock()
		defer s.mu.Unlock()
		if before, twice := s.opened[id]; twice {
			s.Errorf("envelope %d is credited twice: %+v and %+v", id, before, result)
		}
		s.opened[id] = result
	}
	return result, err
}

// refund takes back all that can be, in batches.
func (s *scene) refund(now hongbao.Time, batch int) (refunded int) {
	s.Helper()
	for {
		n, err := s.Engine.Refund(s.Context(), now, batch)
		if err != nil || n > batch {
			s.Fatalf("a refund of up to %d did %d: %v", batch, n, err)
		}
		refunded += n
		if n == 0 {
			return refunded
		}
	}
}

// wallet reads a whole wallet, page by page.
func (s *scene) wallet(engine hongbao.Engine, uid uint64, limit int) (whole hongbao.Wallet) {
	s.Helper()
	var after hongbao.Cursor
	for {
		page, err := engine.Wallet(s.Context(), hongbao.WalletRequest{UID: uid, Limit: limit, After: after})
		if err != nil {
			s.Fatalf("wallet of %d: %v", uid, err)
		}
		if len(page.Envelopes) > limit || page.More && len(page.Envelopes) < limit {
			s.Fatalf("a page of up to %d envelopes has %d, more: %t", limit, len(page.Envelopes), page.More)
		}
		whole.BalanceFen = page.BalanceFen
		whole.Envelopes = append(whole.Envelopes, page.Envelopes...)
		if !page.More {
			return whole
		}
		if before := after; page.Next() == before {
			s.Fatalf("the page after %+v ends where it began", before)
		}
		after = page.Next()
	}
}

// crowd runs act once for each of n goroutines, all at one moment, and waits for them.
func crowd(n int, act func(i int)) {
	var all sync.WaitGroup
	gate := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-gate
			act(i)
		})
	}
	close(gate)
	all.Wait()
}

// sync waits until whoever reads the journal is shown everything.
func (s *scene) sync() {
	s.Helper()
	if err := s.Engine.Sync(s.Context()); err != nil {
		s.Fatal("sync:", err)
	}
}

// check holds everything against everything: the journal against the rules, what the engine shows against the journal,
// and what players were told against both.
func (s *scene) check() *Model {
	s.Helper()
	model, err := Replay(s.Context(), s.Harness)
	if err != nil {
		s.Fatalf("the journal breaks a rule: %v", err)
	}
	s.same(model)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checkTold(model, s.wins, s.opened)
	return model
}

// same compares all that an engine shows with the model.
func (s *scene) same(model *Model) {
	s.Helper()
	if got, want := s.Engine.Campaigns(), model.Campaigns(); len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
		s.Errorf("campaigns are %s; must be %s", show(got), show(want))
	}
	for _, c := range model.Campaigns() {
		if got, want := s.Engine.Progress(c.ID), model.Progress(c.ID); got != want {
			s.Errorf("progress of campaign %d is %+v; must be %+v", c.ID, got, want)
		}
	}
	for uid := range model.holdings {
		if got, want := s.wallet(s.Engine, uid, hongbao.WalletLimitMax), s.wallet(model, uid, hongbao.WalletLimitMax); !reflect.DeepEqual(got, want) {
			s.Errorf("wallet of %d is %+v; must be %+v", uid, got, want)
		}
	}
}

// checkTold fails unless the model bears out what players were told.
func (s *scene) checkTold(model *Model, wins []told, opened map[hongbao.EnvelopeID]hongbao.OpenResult) {
	s.Helper()
	for _, w := range wins {
		r := w.result
		known := model.keys[keyed{right{w.request.UID, w.request.Campaign}, w.request.Key}]
		if known == nil || known.ID != r.Envelope || known.AmountFen != r.AmountFen || known.WonAt != r.WonAt || known.ExpiresAt != r.ExpiresAt {
			s.Errorf("player %d was told of %+v by the key %s; the journal has %+v", w.request.UID, r, w.request.Key, known)
		}
	}
	for id, r := range opened {
		if known := model.envelopes[id]; known == nil || known.State != hongbao.StateOpened || known.AmountFen != r.AmountFen {
			s.Errorf("envelope %d was opened, %+v; the journal has %+v", id, r, known)
		}
	}
}

// show prints campaigns with what their pointers lead to.
func show(campaigns []*hongbao.Campaign) (text string) {
	for _, c := range campaigns {
		text += fmt.Sprintf("\n%d %s %s seal %+v", c.ID, c.Nonce, c.Commitment, c.Seal)
		for _, r := range c.Revisions {
			text += fmt.Sprintf("\n  %+v segment %+v", r, r.Segment)
		}
	}
	return text
}
