package embedded

import (
	"context"

	"hongbao"
)

// Foretell answers what no player can change, once it is durable.
func (e *Engine) Foretell(r hongbao.SnatchRequest) (result hongbao.SnatchResult, ok bool) {
	c := e.registry.find(r.Campaign)
	if c == nil {
		return result, false
	}
	at, issued, now := e.look(c, r.Now)
	status, ok := now.Foretell(at, issued, r.KeyIsNew)
	if !ok || status == hongbao.SoldOut && c.lastWin.Load() > e.journal.Head().Block {
		return result, false // Keeps G4: a crash could still take the last win back
	}
	return hongbao.SnatchResult{Status: status, Wins: -1, Rules: now.Rules()}, true
}

// look reads what a refusal rests on, without the campaign's lock: time and what is issued before the rules, see
// [hongbao.Campaign.Foretell]. By the rules before and the wins after, a budget that is raised and an envelope that is won
// in between would be sold out, although there was always one left. The block of the last win is to be read after that: it is
// written before.
func (e *Engine) look(c *campaign, now hongbao.Time) (at hongbao.Time, issued uint64, rules *hongbao.Campaign) {
	at, issued = e.time(now), c.issued.Load()
	return at, issued, c.now.Load()
}

// Snatch decides a snatch. A win is told once its group is durable, a refusal that rests on a win once that one's is.
func (e *Engine) Snatch(_ context.Context, r hongbao.SnatchRequest) (hongbao.SnatchResult, error) {
	result, block, err := e.snatch(r)
	if err != nil {
		return hongbao.SnatchResult{}, err
	}
	if err := e.durable(block); err != nil {
		return hongbao.SnatchResult{}, err
	}
	return result, nil
}

// snatch decides in memory and returns the block that the answer must wait for; 0 when it rests on nothing. Whoever has
// another way to wait than a goroutine (an event loop, say) answers from a completion behind this.
func (e *Engine) snatch(r hongbao.SnatchRequest) (result hongbao.SnatchResult, block uint64, err error) {
	c := e.registry.find(r.Campaign)
	if c == nil {
		return hongbao.SnatchResult{Status: hongbao.NotFound, Wins: -1}, 0, nil
	}
	s := e.players.of(r.UID)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !r.KeyIsNew {
		result, block, err = e.replay(s, c, r)
		if err != nil || result.Status == hongbao.Won {
			return result, block, err
		}
	}
	if r.ReplayOnly {
		return hongbao.SnatchResult{Status: hongbao.Closed, Wins: -1, Rules: c.now.Load().Rules()}, 0, nil
	}
	return e.decide(s, c, r)
}

// decide looks first without the campaign's lock, which refusals never take, and again with it when the player would
// win: only that decision counts.
func (e *Engine) decide(s *shard, c *campaign, r hongbao.SnatchRequest) (hongbao.SnatchResult, uint64, error) {
	key := rightKey{r.UID, r.Campaign}
	w := win{shard: s, campaign: c, request: &r, key: key, right: s.rights[key], player: s.players[r.UID]}
	at, issued, now := e.look(c, r.Now)
	facts := e.facts(&w, now, at)
	facts.Issued = issued
	status := hongbao.Decide(facts)
	if status == hongbao.Won {
		facts.Draw = w.luck(facts.Rules)
		status = hongbao.Decide(facts)
	}
	if status == hongbao.Won {
		return e.win(&w)
	}
	return w.refusal(status, facts.Rules), w.restsOn(status), nil
}

// win is a snatch on its way to an envelope.
type win struct {
	shard    *shard
	campaign *campaign
	request  *hongbao.SnatchRequest
	key      rightKey
	right    right
	player   player
	draw     uint64
	drawn    bool
}

// luck is the lucky draw, made once and only where the rules ask for it: the chance may be revised between the two looks.
func (w *win) luck(rules *hongbao.Rules) uint64 {
	if rules.Chance == hongbao.ChanceCertain {
		return 0
	}
	if !w.drawn {
		w.draw, w.drawn = w.campaign.seed.Draw(w.key.campaign, w.key.uid, w.request.Key), true
	}
	return w.draw
}

func (e *Engine) facts(w *win, now *hongbao.Campaign, at hongbao.Time) hongbao.Facts {
	rules := now.Rules()
	return hongbao.Facts{
		Rules: rules, Now: at, Cancelled: now.Cancelled(), Sealed: now.Seal != nil,
		SignedUp: w.right.signedUp, Wins: int(w.right.wins), DayWins: w.player.winsOn(e.calendar.Day(at), rules.Kind),
		Allowed: now.Allowed(at),
	}
}

func (w *win) refusal(status hongbao.Status, rules *hongbao.Rules) hongbao.SnatchResult {
	wins := int(w.right.wins)
	if w.campaign.settled.Load() {
		wins = -1
	}
	return hongbao.SnatchResult{Status: status, Wins: wins, Rules: rules}
}

// restsOn is the block that a refusal waits for: every one tells the player's wins, and that the campaign is sold out
// tells of somebody's last win.
func (w *win) restsOn(status hongbao.Status) uint64 {
	if status == hongbao.SoldOut {
		return max(w.player.block, w.campaign.lastWin.Load())
	}
	return w.player.block
}

// win takes the next envelope, if the decision still stands under the campaign's lock, and counts it for the player.
//
// Keeps G1, G2 and G3: deciding, taking and counting happen under the player's lock, the first two also under the
// campaign's.
func (e *Engine) win(w *win) (hongbao.SnatchResult, uint64, error) {
	event, rules, status, block, err := e.issue(w)
	if err != nil || status != hongbao.Won {
		return w.refusal(status, rules), w.restsOn(status), err
	}
	w.remember(&event, rules.Kind, block, e.applied.Load())
	return hongbao.SnatchResult{
		Status: hongbao.Won, Envelope: event.Envelope, AmountFen: event.AmountFen,
		WonAt: event.At, ExpiresAt: event.ExpiresAt, Wins: event.Wins, Rules: rules,
	}, block, nil
}

// issue takes the number and joins the open group in one critical section, so that a crash leaves a prefix of the
// numbers without holes.
func (e *Engine) issue(w *win) (event hongbao.Event, rules *hongbao.Rules, status hongbao.Status, block uint64, err error) {
	c := w.campaign
	c.mu.Lock()
	defer c.mu.Unlock()
	tranche := c.supply.ready()
	group, err := e.begin()
	if err != nil {
		return event, nil, status, 0, err
	}
	defer e.journal.Unlock()
	now := c.now.Load()
	facts := e.facts(w, now, e.time(w.request.Now))
	facts.Issued, facts.Draw = c.supply.next, w.luck(facts.Rules)
	if status = hongbao.Decide(facts); status != hongbao.Won {
		return event, facts.Rules, status, 0, nil
	}
	event = w.take(tranche, &facts, now.Revision(), e.calendar.Day(facts.Now))
	e.join(group, &event)
	c.issuedFen += event.AmountFen
	c.lastEvent.Store(group.Block)
	c.lastWin.Store(group.Block)
	c.issued.Store(c.supply.next) // behind the block: whoever sees that it is sold out knows what to wait for
	return event, facts.Rules, status, group.Block, nil
}

// take gives the next number and makes the event of it, which carries what it was decided under.
func (w *win) take(t *tranche, facts *hongbao.Facts, revision uint32, day int32) hongbao.Event {
	c, rules := w.campaign, facts.Rules
	number := c.supply.take(t, w.key.uid)
	return hongbao.Event{
		Kind: hongbao.EnvelopeWon, At: facts.Now, Campaign: w.key.campaign, Revision: revision,
		Envelope: hongbao.NewEnvelopeID(w.key.campaign, number), UID: w.key.uid, AmountFen: t.amount(number), Key: w.request.Key,
		Wins: facts.Wins + 1, WinsMax: rules.WinsMax, DayWins: facts.DayWins + 1, DailyWinsMax: rules.DailyWinsMax, Day: day,
		ExpiresAt: rules.ExpiresAt(),
	}
}

// remember counts the win for all that is decided of the player after it. The player's lock is held.
func (w *win) remember(e *hongbao.Event, kind hongbao.Kind, block, applied uint64) {
	w.right.wins++
	w.shard.rights[w.key] = w.right
	w.player.countWin(e.Day, kind)
	w.player.block = block
	w.shard.players[e.UID] = w.player
	w.shard.recent.add(change{block: block, uid: e.UID, envelope: hongbao.Envelope{
		ID: e.Envelope, AmountFen: e.AmountFen, WonAt: e.At, ExpiresAt: e.ExpiresAt, Key: e.Key,
	}}, applied)
}

// replay finds the win that a key has won before. Its status is Won when there is one; the player's lock is held.
//
// Keeps G7.
func (e *Engine) replay(s *shard, c *campaign, r hongbao.SnatchRequest) (result hongbao.SnatchResult, block uint64, err error) {
	right := s.rights[rightKey{r.UID, r.Campaign}]
	settled := c.settled.Load()
	if right.wins == 0 && !settled {
		return result, 0, nil
	}
	block = s.players[r.UID].block
	envelope, found := hongbao.Envelope{}, false
	if block > e.applied.Load() {
		envelope, found = s.recent.keyed(r.UID, r.Campaign, r.Key)
	}
	if !found {
		envelope, found, err = e.views.keyed(r.UID, r.Campaign, r.Key)
	}
	if err != nil || !found {
		return result, 0, err
	}
	wins := int(right.wins)
	if settled {
		wins = -1
	}
	return hongbao.SnatchResult{
		Status: hongbao.Won, Envelope: envelope.ID, AmountFen: envelope.AmountFen,
		WonAt: envelope.WonAt, ExpiresAt: envelope.ExpiresAt, Wins: wins, Rules: c.now.Load().Rules(),
	}, block, nil
}

func (r *recent) keyed(uid uint64, campaign uint32, key string) (hongbao.Envelope, bool) {
	for i := range r.changes {
		change := &r.changes[i]
		if change.uid == uid && change.envelope.Key == key && change.envelope.ID.Campaign() == campaign {
			return change.envelope, true
		}
	}
	return hongbao.Envelope{}, false
}
