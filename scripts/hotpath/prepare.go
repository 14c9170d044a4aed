package main

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"hongbao"
	"hongbao/embedded"
)

// prepare starts the servers and puts each into the state that its variant needs.
func prepare(o options) (*field, error) {
	f := &field{}
	for _, kind := range []string{"nethttp", "fasthttp"} {
		p, err := startBaseline(kind)
		if err != nil {
			return f, err
		}
		f.servers = append(f.servers, p)
		f.variants = append(f.variants, &variant{name: "empty " + kind, server: p, baseline: true, script: post("/snatch", random(o.players))})
	}
	fill := filler{o: o}
	err := errors.Join(
		fill.add(f, "sold out", "sold_out", rules{count: 1, wins: 1}),
		fill.add(f, "limit reached", "limit_reached", rules{count: 1 << 20, winsMax: 1, wins: 1000, players: 1000}),
		fill.add(f, "missed", "missed", rules{count: 1 << 20, chance: 1}),
		fill.addTooFast(f),
		fill.add(f, "durable wins", "won", rules{count: 1 << 30}),
		fill.addOpenings(f),
	)
	return f, err
}

func random(players int) string {
	return fmt.Sprintf(`'{"uid":' .. math.random(0, %d) .. '}'`, players-1)
}

// rules are what a variant's campaign is about: fen a piece, count, and how many are won before, by so many players.
type rules struct {
	count   uint64
	winsMax int
	chance  hongbao.Chance // in parts per billion; 0: certain
	wins    int
	players int
	rate    string // of each player; empty: fast
}

// fast is a player's rate that nobody reaches, so that the bucket is asked and lets everybody through.
const fast = "10000000"

// filler makes data folders in which a campaign has been played as far as a variant needs.
type filler struct{ o options }

// add measures snatches that end in a status.
func (b filler) add(f *field, name, status string, r rules) error {
	if r.players == 0 {
		r.players = b.o.players
	}
	server, _, err := b.fill(f, name, r)
	if err != nil {
		return err
	}
	f.variants = append(f.variants, &variant{
		name: name, server: server, script: post("/snatch", random(r.players)),
		asked: func(s stats) uint64 { return s.Statuses[status] },
	})
	return nil
}

// addTooFast measures what the bucket of the player refuses.
func (b filler) addTooFast(f *field) error {
	const players = 1000
	server, _, err := b.fill(f, "too fast", rules{count: 1 << 20, chance: 1, rate: "0.01", players: players})
	if err != nil {
		return err
	}
	f.variants = append(f.variants, &variant{
		name: "too fast", server: server, script: post("/snatch", random(players)),
		asked: func(s stats) uint64 { return s.Refused["player"] + s.Statuses["missed"] },
	})
	return nil
}

// addOpenings measures openings and wallet reads over envelopes that are held already. Each is opened once: the script
// goes through them from an offset that moves on from run to run.
func (b filler) addOpenings(f *field) error {
	server, holders, err := b.fill(f, "openings", rules{count: uint64(b.o.opened), wins: b.o.opened, players: b.o.players})
	if err != nil {
		return err
	}
	path := filepath.Join(b.o.dir, "holders")
	if err := os.WriteFile(path, holders, 0o600); err != nil {
		return err
	}
	opened := func(s stats) uint64 { return s.Openings }
	next := func(int) uint64 {
		s, _ := server.stats()
		return s.Openings
	}
	script := fmt.Sprintf(`
function prepare() local f = io.open(%q, "rb"); holders = f:read("*a"); f:close() end
function body()
  local number = offset + count * 2 + id
  count = count + 1
  local a, b, c, d = holders:byte(number * 4 + 1, number * 4 + 4)
  return '{"uid":' .. (a + b * 256 + c * 65536 + d * 16777216) .. ',"envelope_id":' .. string.format("%%.0f", 4294967296 + number) .. '}'
end
`, path) + post("/open", "body()")
	f.variants = append(f.variants,
		&variant{name: "openings", server: server, script: script, asked: opened, offset: next},
		&variant{name: "wallet reads", server: server, script: post("/get_wallet_list", random(b.o.players))},
	)
	return nil
}

// fill plays a campaign in a new data folder through the engine, and starts the server on it. It returns each
// envelope's holder, 4 bytes little endian.
func (b filler) fill(f *field, name string, r rules) (*process, []byte, error) {
	dir := filepath.Join(b.o.dir, "data-"+name)
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		return nil, nil, err
	}
	now := func() hongbao.Time { return hongbao.TimeOf(time.Now()) }
	engine, err := embedded.Open(embedded.Options{
		Dir: dir, Calendar: hongbao.NewCalendar(zone), Now: now, Logger: slog.New(slog.DiscardHandler), Broken: func(err error) { panic(err) },
	})
	if err != nil {
		return nil, nil, err
	}
	spec := hongbao.Spec{
		Name: "hotpath", Kind: hongbao.Rain, OpensAt: hongbao.AtTime(now()), Lasts: hongbao.Duration(24 * time.Hour),
		Budget: hongbao.BudgetSpec{TotalFen: int64(r.count) * 100, Count: r.count}, WinsMax: &r.winsMax,
	}
	if r.chance != 0 {
		spec.Chance = &r.chance
	}
	complete, err := spec.Rules(now())
	if err != nil {
		return nil, nil, err
	}
	if _, err := engine.Put(context.Background(), hongbao.Change{At: now(), Actor: "hotpath", Create: &complete}); err != nil {
		return nil, nil, err
	}
	holders, err := win(engine, r, now)
	if err := errors.Join(err, engine.Close()); err != nil {
		return nil, nil, err
	}
	server, err := startServer(b.o.binary, dir, "--gate.player.rate", cmp.Or(r.rate, fast))
	if err != nil {
		return nil, nil, err
	}
	f.servers = append(f.servers, server)
	return server, holders, nil
}

// win has the players win envelopes in turn, many at once.
func win(engine *embedded.Engine, r rules, now func() hongbao.Time) ([]byte, error) {
	holders := make([]byte, 4*r.wins)
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var callers sync.WaitGroup
	for range min(1024, r.wins) {
		callers.Go(func() {
			for i := next.Add(1) - 1; i < int64(r.wins); i = next.Add(1) - 1 {
				uid := uint64(i) % uint64(r.players)
				result, err := engine.Snatch(context.Background(), hongbao.SnatchRequest{
					Campaign: 1, UID: uid, Key: fmt.Sprintf("%022d", i), KeyIsNew: true, Now: now(),
				})
				if err == nil && result.Status != hongbao.Won {
					err = fmt.Errorf("player %d: %s", uid, result.Status)
				}
				if err != nil {
					failed.Store(&err)
					return
				}
				binary.LittleEndian.PutUint32(holders[4*result.Envelope.Number():], uint32(uid))
			}
		})
	}
	callers.Wait()
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	return holders, nil
}
