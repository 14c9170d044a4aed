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

	"hongbao/scripts/machine"
)

// fairOptions are the flags of gatebench fair.
type fairOptions struct {
	binary, dir, out string
	cluster          bool
	only             string

	people, scripts int
	requests, uids  int // of a script: with one uid, and how many uids it holds elsewhere
	envelopes       int
	fairStart       time.Duration
	countdown       time.Duration
	reaction        string
	scriptSpacing   time.Duration
	realBits        int
	phoneRate       float64
	scriptRate      float64
	seed            uint64
	server          []string // further flags of the servers
}

func (o *fairOptions) parse(args []string) error {
	f := flag.NewFlagSet("gatebench fair", flag.ContinueOnError)
	f.StringVar(&o.binary, "binary", "bin/hongbao", "the server to measure")
	f.StringVar(&o.dir, "dir", "", "where data folders are made; default the system's temporary folder")
	f.StringVar(&o.out, "out", ".cache/bench-fair", "where tables, figures and pictures are left")
	f.BoolVar(&o.cluster, "cluster", false, "two nodes with services of their own, the crowd split between them")
	f.StringVar(&o.only, "only", "", "only scenarios whose name contains this")
	f.IntVar(&o.people, "people", 10_000, "people")
	f.IntVar(&o.scripts, "scripts", 200, "hosts that run a script")
	f.IntVar(&o.requests, "requests", 20, "requests that a script with one uid fires")
	f.IntVar(&o.uids, "uids", 20, "uids that a script holds, in the scenarios with many")
	f.IntVar(&o.envelopes, "envelopes", 1000, "envelopes to be won, one a uid")
	f.DurationVar(&o.fairStart, "fair-start", time.Second, "fair_start, where there is one")
	f.DurationVar(&o.countdown, "countdown", 12*time.Second, "how long before the bell the crowd gathers; it stands for the last 60 s")
	f.StringVar(&o.reaction, "reaction", "lognormal", "people's reaction to the bell, 150 to 600 ms: lognormal or uniform")
	f.DurationVar(&o.scriptSpacing, "spacing", 2*time.Millisecond, "between the requests of a script; 0: all at once")
	f.IntVar(&o.realBits, "real-bits", 8, "bits of work that are really asked for and done where the model says more")
	f.Float64Var(&o.phoneRate, "phone-rate", 300_000, "tries a second of a person's phone")
	f.Float64Var(&o.scriptRate, "script-rate", 5_000_000, "tries a second of a script's host, which has one core")
	f.Uint64Var(&o.seed, "seed", 1, "of all random choices")
	if err := f.Parse(args); err != nil {
		return err
	}
	o.server = f.Args()
	if o.reaction != "lognormal" && o.reaction != "uniform" {
		return fmt.Errorf("-reaction %s: lognormal or uniform", o.reaction)
	}
	return nil
}

// fit makes the crowd fit the descriptors that there are: each request has a connection of its own, at both ends. It
// returns by how much.
func (o *fairOptions) fit(limit int) (share float64) {
	const others = 500
	nodes := 1
	if o.cluster {
		nodes = 2
	}
	hosts := o.scripts * max(o.requests, o.uids)
	need := max(o.people+hosts, (o.people+hosts)/nodes) + others
	if need <= limit {
		return 1
	}
	share = float64(limit-others) / float64(need-others)
	for _, n := range []*int{&o.people, &o.scripts, &o.envelopes} {
		*n = max(1, int(float64(*n)*share))
	}
	return share
}

// scenario is a crowd and the rules that it meets.
type scenario struct {
	Name      string `json:"name"`
	ManyUIDs  bool   `json:"many_uids"`  // each script holds many, and sends one request for each; else one uid and many requests
	AtTheEnd  bool   `json:"at_the_end"` // scripts arrive at the end of the lot, and of the second after it; else at the bell
	FairStart bool   `json:"fair_start"`
	Ticket    bool   `json:"ticket"`
	Bits      int    `json:"pow_bits"` // as the model counts work
	Prepared  bool   `json:"prepared"` // scripts fetch tickets in the countdown, like everybody; else when the bell has rung
}

func scenarios() []scenario {
	list := []scenario{
		{Name: "one uid a script, at the bell"},
		{Name: "one uid a script, at the bell, fair start", FairStart: true},
		{Name: "one uid a script, at the end of the lot", AtTheEnd: true},
		{Name: "one uid a script, at the end of the lot, fair start", AtTheEnd: true, FairStart: true},
		{Name: "many uids, at the bell", ManyUIDs: true},
		{Name: "many uids, at the bell, fair start", ManyUIDs: true, FairStart: true},
		{Name: "many uids, at the end of the lot, fair start", ManyUIDs: true, AtTheEnd: true, FairStart: true},
	}
	for _, bits := range []int{0, 16, 18, 20} {
		for _, prepared := range []bool{false, true} {
			s := scenario{ManyUIDs: true, FairStart: true, Ticket: true, Bits: bits, Prepared: prepared}
			s.Name = fmt.Sprintf("many uids, fair start, ticket, %d bits, scripts come at the bell", bits)
			if prepared {
				s.Name = fmt.Sprintf("many uids, fair start, ticket, %d bits, scripts prepare", bits)
			}
			list = append(list, s)
		}
	}
	return list
}

func runFair(ctx context.Context, args []string) error {
	var o fairOptions
	if err := o.parse(args); err != nil {
		return err
	}
	limit := descriptors()
	if share := o.fit(limit); share < 1 {
		fmt.Fprintf(os.Stderr, "%d descriptors are too few: %.0f %% of the crowd play, for as large a share of the envelopes\n", limit, 100*share)
	}
	out, err := openResults(o.out)
	if err != nil {
		return err
	}
	chosen := slices.DeleteFunc(scenarios(), func(s scenario) bool { return !strings.Contains(s.Name, o.only) })
	played, err := o.playAll(ctx, chosen)
	if len(played) == 0 {
		return err
	}
	return errors.Join(err, out.writeFair(o, played))
}

// playAll plays the scenarios, first those without work and then those with it: how much work tickets ask for is a
// server's setting.
func (o *fairOptions) playAll(ctx context.Context, chosen []scenario) (played []*fairResult, err error) {
	for _, work := range []bool{false, true} {
		group := slices.DeleteFunc(slices.Clone(chosen), func(s scenario) bool { return (s.Bits > 0) != work })
		results, err := o.playGroup(ctx, group, work)
		if played = append(played, results...); err != nil {
			return played, err
		}
	}
	return played, nil
}

func (o *fairOptions) playGroup(ctx context.Context, group []scenario, work bool) (played []*fairResult, err error) {
	if len(group) == 0 {
		return nil, nil
	}
	args := append([]string{"--player.trusted_peers=127.0.0.1/32", "--live.connections=100"}, o.server...) // connections are for the crowd
	if work {
		args = append(args, fmt.Sprintf("--gate.ticket.pow_bits=%d", o.realBits))
	}
	p, err := openPlace(ctx, o.dir, o.binary, o.cluster, args...)
	if err != nil {
		return nil, err
	}
	defer p.close()
	for i, s := range group {
		result, err := o.play(ctx, p, s, uint64(i))
		if err != nil {
			return played, fmt.Errorf("%s: %w", s.Name, err)
		}
		fmt.Fprintf(os.Stderr, "%s: scripts took %.1f %%, with %.1f %% of the uids; load %s\n", s.Name, result.ScriptShare, result.ScriptUIDShare, machine.Load())
		played = append(played, result)
	}
	return played, nil
}
