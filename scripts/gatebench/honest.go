package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"hongbao/gate"
)

// honest is a person with a phone: one request at a time, about one a second, what was refused for being too many is tried
// again when the server says so.
type honest struct {
	ground   *ground
	random   *rand.Rand
	uid      uint64
	who      string // header
	from     string // header
	ticket   string // header; empty: none
	wire     *wire
	envelope uint64 // won and not opened yet
	limit    bool   // reached
	taps     int
}

const (
	thinkMean   = time.Second
	honestTries = 3
	answerWait  = 2 * time.Second // a person does not wait longer
)

// try is one answer, or its absence, to an honest player.
type try struct {
	due   time.Duration // from the start of the run
	took  time.Duration
	label string
	ok    bool // an answer, be it "missed"; not "come again" and not silence
}

// attempt is what a player wanted, with all tries.
type attempt []try

func (g *ground) gatherHonest() (people []*honest, err error) {
	const firstUID = 1_000_000
	for i := range g.options.honest {
		uid := uint64(firstUID + i)
		p := &honest{
			ground: g, random: rand.New(rand.NewPCG(g.options.seed, uint64(i))), uid: uid,
			who: g.identity(uid), from: addressHeader(1<<20 + i/g.options.perAddress),
		}
		if p.wire, err = dial(g.player); err != nil {
			return nil, err
		}
		people = append(people, p)
	}
	if g.setting.ticket {
		err = fetchTickets(people)
	}
	return people, err
}

// fetchTickets is what the page did in the countdown, before any flood.
func fetchTickets(people []*honest) error {
	const atOnce = 16
	var workers sync.WaitGroup
	failed := make(chan error, atOnce)
	for n := range atOnce {
		workers.Go(func() {
			for i := n; i < len(people); i += atOnce {
				if err := people[i].fetchTicket(); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	workers.Wait()
	close(failed)
	return errors.Join(<-failed)
}

func (p *honest) fetchTicket() error {
	for range 20 {
		a, err := p.wire.ask(request("POST", ticketPath(p.ground.campaign), "", p.who, p.from), answerWait)
		switch {
		case err != nil:
			return err
		case a.Ticket != "" && a.Work.Bits > 0:
			p.ticket = "Hongbao-Ticket: " + a.Ticket + "." + gate.SolveWork(a.Work.Salt, a.Work.Bits)
			return nil
		case a.Ticket != "":
			p.ticket = "Hongbao-Ticket: " + a.Ticket
			return nil
		}
		time.Sleep(max(a.RetryAfter, 100*time.Millisecond))
	}
	return fmt.Errorf("player %d gets no ticket", p.uid)
}

// play plays until the end; done hears of everything.
func (p *honest) play(done func(attempt)) {
	defer func() {
		if p.wire != nil {
			p.wire.close()
		}
	}()
	time.Sleep(time.Duration(p.random.Int64N(int64(thinkMean))))
	for time.Now().Before(p.ground.end()) {
		done(p.act())
		time.Sleep(time.Duration((0.5 + p.random.Float64()) * float64(thinkMean)))
	}
}

// act is what a person does next: open what was won, now and then look into the wallet, else tap.
func (p *honest) act() attempt {
	p.taps++
	switch {
	case p.envelope != 0:
		a := p.ask(request("POST", fmt.Sprintf("/v1/envelopes/%d/open", p.envelope), "", p.who, p.from))
		if a[len(a)-1].ok {
			p.envelope = 0
		}
		return a
	case p.limit || p.taps%8 == 0:
		return p.ask(request("GET", "/v1/wallet?limit=20", "", p.who, p.from))
	}
	key := fmt.Sprintf("Idempotency-Key: %d-%d", p.uid, p.taps)
	return p.ask(request("POST", snatchPath(p.ground.campaign), "", p.who, p.from, p.ticket, key))
}

// ask tries until there is an answer, three times at most, as far apart as the server asks for.
func (p *honest) ask(request []byte) (tries attempt) {
	for n := range honestTries {
		due := time.Now()
		a, err := p.exchange(request)
		t := try{due: due.Sub(p.ground.start), took: time.Since(due)}
		if err != nil {
			t.label = failure(err)
		} else {
			t.label, t.ok = a.label(), a.HTTP != 429 && a.HTTP != 503 && a.HTTP != 504
			p.learn(&a)
		}
		tries = append(tries, t)
		if t.ok || n == honestTries-1 {
			break
		}
		time.Sleep(max(a.RetryAfter, 200*time.Millisecond))
	}
	return tries
}

func (p *honest) learn(a *answer) {
	switch {
	case a.Status == "won":
		p.envelope = a.Envelope
	case strings.HasSuffix(string(a.Status), "limit_reached"):
		p.limit = true
	}
}

// exchange asks on the connection that is there, or on a new one.
func (p *honest) exchange(request []byte) (a answer, err error) {
	if p.wire == nil {
		if p.wire, err = dial(p.ground.player); err != nil {
			p.wire = nil
			return a, err
		}
	}
	if a, err = p.wire.ask(request, answerWait); err != nil {
		p.wire.close()
		p.wire = nil
	}
	return a, err
}
