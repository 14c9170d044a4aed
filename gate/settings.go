package gate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"hongbao"
)

// Settings are what an administrator turns while the server runs.
type Settings struct {
	Revision uint64   `json:"revision"` // 0 while all is as configured; each change is one more
	Global   Rate     `json:"global"`   // of all requests that come as far as the engine
	Player   Rate     `json:"player"`   // of each player
	Address  Rate     `json:"address"`  // of each address, IPv6 by /64
	Denylist []string `json:"denylist"` // uids, addresses and networks that may not play
	ReadOnly bool     `json:"read_only"`
}

// Patch changes settings: what is left out stays, and null takes back what the configuration has.
type Patch struct {
	global, player, address setting[Rate]
	denylist                setting[[]string]
	readOnly                setting[bool]
}

// setting is a value that was given, or null.
type setting[T any] struct {
	given bool
	value *T
}

// ParsePatch reads a patch from JSON, strictly.
func ParsePatch(data []byte) (p Patch, err error) {
	var given struct {
		Global   json.RawMessage `json:"global"`
		Player   json.RawMessage `json:"player"`
		Address  json.RawMessage `json:"address"`
		Denylist json.RawMessage `json:"denylist"`
		ReadOnly json.RawMessage `json:"read_only"`
	}
	var values struct {
		Global   *givenRate `json:"global"`
		Player   *givenRate `json:"player"`
		Address  *givenRate `json:"address"`
		Denylist *[]string  `json:"denylist"`
		ReadOnly *bool      `json:"read_only"`
	}
	if err := hongbao.DecodeStrict(data, &values); err != nil {
		return Patch{}, err
	}
	if err := hongbao.DecodeStrict(data, &given); err != nil { // which knows a null from what is left out
		return Patch{}, err
	}
	for _, bucket := range []struct {
		name    string
		text    json.RawMessage
		value   *givenRate
		setting *setting[Rate]
	}{
		{"global", given.Global, values.Global, &p.global},
		{"player", given.Player, values.Player, &p.player},
		{"address", given.Address, values.Address, &p.address},
	} {
		rate, err := bucket.value.rate(bucket.name)
		if err != nil {
			return Patch{}, err
		}
		*bucket.setting = setting[Rate]{bucket.text != nil, rate}
	}
	p.denylist = setting[[]string]{given.Denylist != nil, values.Denylist}
	p.readOnly = setting[bool]{given.ReadOnly != nil, values.ReadOnly}
	if p == (Patch{}) {
		return p, hongbao.Invalid("body", string(bytes.TrimSpace(data)), "a change of at least one of global, player, address, denylist, read_only")
	}
	return p, nil
}

// givenRate is a [Rate] as it is given, whole: a burst alone would be no limit.
type givenRate struct {
	Rate  *float64 `json:"rate"`
	Burst int      `json:"burst"`
}

func (r *givenRate) rate(field string) (*Rate, error) {
	switch {
	case r == nil:
		return nil, nil
	case r.Rate == nil:
		return nil, hongbao.Invalid(field+".rate", "", "given; 0 is no limit")
	}
	return &Rate{*r.Rate, r.Burst}, nil
}

// eventName is the system event that changes of the settings are journaled as.
const eventName = "gate"

// recorded is what is journaled: all that differs from the configuration, whole, so that the latest event is enough.
type recorded struct {
	Revision uint64    `json:"revision"`
	Global   *Rate     `json:"global,omitempty"`
	Player   *Rate     `json:"player,omitempty"`
	Address  *Rate     `json:"address,omitempty"`
	Denylist *[]string `json:"denylist,omitempty"`
	ReadOnly *bool     `json:"read_only,omitempty"`
}

func (r *recorded) apply(p Patch) {
	assign(&r.Global, p.global)
	assign(&r.Player, p.player)
	assign(&r.Address, p.address)
	assign(&r.Denylist, p.denylist)
	assign(&r.ReadOnly, p.readOnly)
	r.Revision++
}

func assign[T any](field **T, s setting[T]) {
	if s.given {
		*field = s.value
	}
}

// over lays what was recorded over the configuration.
func (r *recorded) over(configured Settings) Settings {
	s := configured
	s.Revision = r.Revision
	override(&s.Global, r.Global)
	override(&s.Player, r.Player)
	override(&s.Address, r.Address)
	override(&s.Denylist, r.Denylist)
	override(&s.ReadOnly, r.ReadOnly)
	return s
}

func override[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// force is the settings in force, ready for requests.
type force struct {
	settings                Settings
	source                  string // as journaled
	global, player, address *limit
	denied                  *denylist

	// Where callers stand with these limits.
	all                *cell
	players, addresses *table
}

// newForce checks the settings; prefix is what their names begin with.
func newForce(prefix string, s Settings) (*force, error) {
	var err error
	for _, bucket := range []struct {
		name string
		rate *Rate
	}{{"global", &s.Global}, {"player", &s.Player}, {"address", &s.Address}} {
		if *bucket.rate, err = bucket.rate.Complete(prefix + bucket.name); err != nil {
			return nil, err
		}
	}
	if s.Denylist == nil {
		s.Denylist = []string{}
	}
	f := &force{
		settings: s, global: newLimit("global", s.Global), player: newLimit("player", s.Player), address: newLimit("address", s.Address),
	}
	f.denied, err = parseDenylist(s.Denylist)
	return f, err
}

// succeed makes the settings ready to follow others: callers stand where they stood with a limit that is as before, and afresh
// with one that is not. What they owe was counted at the old rate, in time: whoever had used up a burst of a thousand at one a
// second would wait for a quarter of an hour although it is a thousand a second now.
func (f *force) succeed(before *force) {
	f.all, f.players, f.addresses = before.all, before.players, before.addresses
	if !f.global.same(before.global) {
		f.all = &cell{}
	}
	if !f.player.same(before.player) {
		f.players = newTable(playerBits)
	}
	if !f.address.same(before.address) {
		f.addresses = newTable(addressBits)
	}
}

// Settings are those in force.
func (g *Gate) Settings() Settings { return g.force.Load().settings }

// changeTries is how often a change is decided again because another process changed the settings meanwhile.
const changeTries = 20

// Change journals changed settings and puts them in force. IfRevision refuses with [hongbao.ErrStale] unless that revision
// is in force; nil takes any.
func (g *Gate) Change(ctx context.Context, p Patch, ifRevision *uint64, actor string) (Settings, error) {
	g.changing.Lock()
	defer g.changing.Unlock()
	for range changeTries {
		changed, err := g.tryChange(ctx, p, ifRevision, actor)
		if ifRevision != nil || !errors.Is(err, hongbao.ErrStale) {
			return changed, err
		}
	}
	return Settings{}, fmt.Errorf("%w: others keep changing the gate's settings", hongbao.ErrBusy)
}

// tryChange decides on what is journaled and journals the outcome behind it, or is stale.
func (g *Gate) tryChange(ctx context.Context, p Patch, ifRevision *uint64, actor string) (Settings, error) {
	latest, known, err := g.recorded(ctx)
	if err != nil {
		return Settings{}, err
	}
	if ifRevision != nil && *ifRevision != known.Revision {
		return Settings{}, fmt.Errorf("%w: revision %d of the gate's settings is in force, not %d", hongbao.ErrStale, known.Revision, *ifRevision)
	}
	known.apply(p)
	next, err := newForce("", known.over(g.configured))
	if err != nil {
		return Settings{}, err
	}
	data, err := json.Marshal(known)
	if err != nil {
		return Settings{}, err
	}
	event := hongbao.Event{At: g.service.Now(), Actor: actor, Name: eventName, Data: data}
	if _, err := g.service.Engine().Record(ctx, event, &latest); err != nil {
		return Settings{}, err
	}
	next.source = string(data)
	g.putInForce(next)
	return next.settings, nil
}

// recorded reads the settings that were journaled last, and the event; both are zero where none were.
func (g *Gate) recorded(ctx context.Context) (event hongbao.Event, r recorded, err error) {
	event, err = g.service.Engine().Recorded(ctx, eventName)
	if errors.Is(err, hongbao.ErrNotFound) {
		return hongbao.Event{}, recorded{}, nil
	}
	if err != nil {
		return hongbao.Event{}, recorded{}, err
	}
	if err := json.Unmarshal(event.Data, &r); err != nil {
		return hongbao.Event{}, recorded{}, fmt.Errorf("%w: the gate's settings in the journal: %w", hongbao.ErrBroken, err)
	}
	return event, r, nil
}

// refresh puts in force what was journaled last, here or by another process.
func (g *Gate) refresh(ctx context.Context) error {
	g.changing.Lock()
	defer g.changing.Unlock()
	latest, known, err := g.recorded(ctx)
	source := string(latest.Data)
	if err != nil || source == g.force.Load().source {
		return err
	}
	next, err := newForce("", known.over(g.configured))
	if err != nil {
		return err
	}
	next.source = source
	g.putInForce(next)
	return nil
}

func (g *Gate) putInForce(next *force) {
	next.succeed(g.force.Load())
	g.force.Store(next)
	s := next.settings
	g.logger.Info("gate", "revision", s.Revision, "global", s.Global, "player", s.Player, "address", s.Address,
		"denied", len(s.Denylist), "read_only", s.ReadOnly)
}

// follow takes over what other processes have journaled. While the settings can't be read, those that are known stay in
// force.
func (g *Gate) follow(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, lookEvery)
	defer cancel()
	err := g.refresh(limited)
	if err != nil && !g.unread && ctx.Err() == nil {
		g.logger.Warn("the gate's settings can't be read; those known stay in force", "error", err)
	}
	g.unread = err != nil
}
