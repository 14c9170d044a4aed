package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"hongbao"
	"hongbao/scripts/machine"
)

// floodOptions are the flags of gatebench flood.
type floodOptions struct {
	binary, dir, out string
	only             string

	before, during, after time.Duration
	capacity              int // requests a second that the global bucket lets through
	honest                int // players, each about one request a second
	perAddress            int // of them behind one address
	flood                 int // requests a second
	floodAddresses        int
	connections           int // that carry the flood
	slowReaders           int
	halfOpen              int
	giants                int // giant bodies a second
	addressRate           int // of the address bucket, where it is on
	powBits               int
	seed                  uint64
	server                []string // further flags of the servers
}

func (o *floodOptions) parse(args []string) error {
	f := flag.NewFlagSet("gatebench flood", flag.ContinueOnError)
	f.StringVar(&o.binary, "binary", "bin/hongbao", "the server to measure")
	f.StringVar(&o.dir, "dir", "", "where data folders are made; default the system's temporary folder")
	f.StringVar(&o.out, "out", ".cache/bench-flood", "where tables, figures and pictures are left")
	f.StringVar(&o.only, "only", "", "only floods whose name contains this")
	f.DurationVar(&o.before, "before", 10*time.Second, "how long honest players play before the flood")
	f.DurationVar(&o.during, "during", 20*time.Second, "how long the flood lasts")
	f.DurationVar(&o.after, "after", 10*time.Second, "how long they play on after it")
	f.IntVar(&o.capacity, "capacity", 2000, "requests a second that the server may let through: gate.global")
	f.IntVar(&o.honest, "honest", 1000, "honest players, who send about a request a second each")
	f.IntVar(&o.perAddress, "per-address", 4, "honest players behind one address")
	f.IntVar(&o.flood, "flood", 20_000, "requests of the flood a second")
	f.IntVar(&o.floodAddresses, "flood-addresses", 100, "addresses that the flood comes from, where it comes from many")
	f.IntVar(&o.connections, "connections", 64, "connections that carry the flood")
	f.IntVar(&o.slowReaders, "slow-readers", 500, "connections that ask and never read")
	f.IntVar(&o.halfOpen, "half-open", 2000, "connections that send half a request")
	f.IntVar(&o.giants, "giants", 500, "giant bodies a second")
	f.IntVar(&o.addressRate, "address-rate", 8, "rate of gate.address, where it is on; its burst is twice that")
	f.IntVar(&o.powBits, "pow-bits", 12, "bits of work that a ticket asks for, where it is asked for")
	f.Uint64Var(&o.seed, "seed", 1, "of all random choices")
	if err := f.Parse(args); err != nil {
		return err
	}
	o.server = f.Args()
	if o.honest < 1 || o.perAddress < 1 || o.floodAddresses < 1 || o.connections < 1 {
		return errors.New("-honest, -per-address, -flood-addresses and -connections must be at least 1")
	}
	return nil
}

func (o *floodOptions) length() time.Duration { return o.before + o.during + o.after }

// setting is what the server is told.
type setting struct {
	jwt, address, ticket bool
}

func (s setting) String() string {
	var on []string
	for _, each := range []struct {
		name string
		on   bool
	}{{"jwt", s.jwt}, {"gate.address", s.address}, {"ticket with work", s.ticket}} {
		if each.on {
			on = append(on, each.name)
		}
	}
	if on == nil {
		return "trusted, as it is"
	}
	return strings.Join(on, ", ")
}

// flood is one kind of flood, and the setting that it meets.
type flood struct {
	Name    string
	setting setting
	kinds   []kind // all at once; the rate is shared between those that have one
}

func floods() []flood {
	return []flood{
		{"made-up uids", setting{}, []kind{madeUp}},
		{"made-up uids, by address", setting{address: true}, []kind{madeUp}},
		{"made-up uids, ticket", setting{ticket: true}, []kind{madeUp}},
		{"one uid", setting{}, []kind{oneUID}},
		{"one address", setting{}, []kind{oneAddress}},
		{"one address, by address", setting{address: true}, []kind{oneAddress}},
		{"forged tokens", setting{jwt: true}, []kind{forged}},
		{"slow readers", setting{}, []kind{slowReaders}},
		{"half-open connections", setting{}, []kind{halfOpen}},
		{"giant bodies", setting{}, []kind{giants}},
		{"all together", setting{jwt: true, address: true, ticket: true}, []kind{oneUID, oneAddress, forged, slowReaders, halfOpen, giants}},
	}
}

func runFlood(ctx context.Context, args []string) error {
	var o floodOptions
	if err := o.parse(args); err != nil {
		return err
	}
	limit := descriptors()
	if need := o.honest + o.connections + o.slowReaders + o.halfOpen + 500; need > limit {
		return fmt.Errorf("%d descriptors are too few, %d are needed: take fewer connections", limit, need)
	}
	out, err := openResults(o.out)
	if err != nil {
		return err
	}
	var played []*floodResult
	for _, fl := range slices.DeleteFunc(floods(), func(fl flood) bool { return !strings.Contains(fl.Name, o.only) }) {
		result, failed := o.play(ctx, fl)
		if failed != nil {
			err = fmt.Errorf("%s: %w", fl.Name, failed)
			break
		}
		fmt.Fprintf(os.Stderr, "%s: %.1f %% of honest requests at the first try (before: %.1f %%); %.0f of the flood a second; load %s\n",
			fl.Name, result.During.First, result.Before.First, result.FloodRate, machine.Load())
		played = append(played, result)
	}
	if len(played) == 0 {
		return err
	}
	return errors.Join(err, out.writeFlood(o, played))
}

// ground is a server under a flood, and what everybody needs to know about it.
type ground struct {
	options  *floodOptions
	setting  setting
	place    *place
	campaign uint32
	player   string // address
	key      []byte // of tokens
	start    time.Time
}

func (g *ground) end() time.Time { return g.start.Add(g.options.length()) }

// play lets honest players play, and lets the flood come and go.
func (o *floodOptions) play(ctx context.Context, fl flood) (*floodResult, error) {
	g := &ground{options: o, setting: fl.setting, key: []byte("a-key-of-the-company-that-nobody-else-has")}
	var err error
	if g.place, err = openPlace(ctx, o.dir, o.binary, false, g.serverArgs()...); err != nil {
		return nil, err
	}
	defer g.place.close()
	g.player = g.place.nodes[0].player
	if g.campaign, err = g.place.create(ctx, g.spec()); err != nil {
		return nil, err
	}
	time.Sleep(500 * time.Millisecond) // it opens
	people, err := g.gatherHonest()
	if err != nil {
		return nil, err
	}
	g.start = time.Now()
	m := newMeter(g)
	m.run(ctx, people, fl.kinds)
	return m.result(fl), ctx.Err()
}

func (g *ground) serverArgs() []string {
	o := g.options
	args := []string{
		"--player.trusted_peers=127.0.0.1/32",
		fmt.Sprintf("--gate.global.rate=%d", o.capacity), fmt.Sprintf("--gate.global.burst=%d", o.capacity),
	}
	if g.setting.address {
		args = append(args, fmt.Sprintf("--gate.address.rate=%d", o.addressRate), fmt.Sprintf("--gate.address.burst=%d", 2*o.addressRate))
	}
	if g.setting.ticket {
		args = append(args, fmt.Sprintf("--gate.ticket.pow_bits=%d", o.powBits), "--gate.ticket.lifetime=10m")
	}
	if g.setting.jwt {
		args = append(args, "--player.auth=jwt", "--player.jwt.alg=HS256", "--player.jwt.key="+string(g.key))
	}
	return append(args, o.server...)
}

// spec is a rain that lasts: more envelopes than anybody can take, three taps in ten win.
func (g *ground) spec() hongbao.Spec {
	chance, winsMax := 3*hongbao.ChanceCertain/10, 10
	return hongbao.Spec{
		Name: fmt.Sprintf("flood-%d", time.Now().UnixNano()), Kind: hongbao.Rain, OpensAt: hongbao.InFuture(0), Lasts: hongbao.Duration(time.Hour),
		Budget: hongbao.BudgetSpec{TotalFen: 1_000_000_000, Count: 10_000_000}, Chance: &chance, WinsMax: &winsMax, Ticket: g.setting.ticket,
	}
}
