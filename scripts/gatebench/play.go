package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"hongbao"
	"hongbao/gate"
)

// stage is where a crowd plays one campaign.
type stage struct {
	options  *fairOptions
	scenario scenario
	campaign uint32
	bell     time.Time
	end      time.Time // when nobody waits any longer
}

// answerMax is how long after the last second an answer may take.
const answerMax = 10 * time.Second

// play lets a crowd play a campaign of its own, and finds out who won.
func (o *fairOptions) play(ctx context.Context, p *place, s scenario, n uint64) (*fairResult, error) {
	random := rand.New(rand.NewPCG(o.seed, n))
	const uidsApart = 1_000_000
	crowd := o.gather(s, random, (n+1)*uidsApart)
	st := &stage{options: o, scenario: s, bell: wholeMS(time.Now().Add(o.countdown))}
	st.end = st.bell.Add(max(2*o.fairStart, crowd.last()) + answerMax)
	var err error
	if st.campaign, err = p.create(ctx, o.spec(s, st.bell, n)); err != nil {
		return nil, err
	}
	if err := st.connect(p, crowd); err != nil {
		return nil, err
	}
	if left := time.Until(st.bell); left < o.countdown*2/3 {
		return nil, fmt.Errorf("the crowd was connected only %s before the bell: give it a longer -countdown", left.Round(time.Millisecond))
	}
	st.fire(crowd, random)
	return o.judge(ctx, p, st, crowd)
}

// wholeMS cuts a time to the milliseconds that the server knows.
func wholeMS(t time.Time) time.Time {
	return t.Add(-time.Duration(t.Nanosecond() % int(time.Millisecond)))
}

func (o *fairOptions) spec(s scenario, bell time.Time, n uint64) hongbao.Spec {
	winsMax := 1
	spec := hongbao.Spec{
		Name: fmt.Sprintf("fair-%d-%d", n, time.Now().UnixNano()), Kind: hongbao.Rain,
		OpensAt: hongbao.AtTime(hongbao.TimeOf(bell)), Lasts: hongbao.Duration(10 * time.Minute),
		Budget:  hongbao.BudgetSpec{TotalFen: 100 * int64(o.envelopes), Count: uint64(o.envelopes)},
		WinsMax: &winsMax, Ticket: s.Ticket,
	}
	if s.FairStart {
		spec.FairStart = hongbao.Duration(o.fairStart)
	}
	return spec
}

// connect gives each shot its connection: in a lot, each waits on its own. Each asks for the campaign, as the page does: the
// server does not wait as long for the first request of a connection as for the next.
func (st *stage) connect(p *place, crowd *crowd) error {
	shots := crowd.all()
	const atOnce = 32
	var dialers sync.WaitGroup
	failed := make(chan error, atOnce)
	for d := range atOnce {
		dialers.Go(func() {
			for i := d; i < len(shots); i += atOnce {
				if err := shots[i].connect(p.nodes[shots[i].node].player, st.campaign); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	dialers.Wait()
	close(failed)
	return errors.Join(<-failed)
}

func (s *shot) connect(address string, campaign uint32) (err error) {
	if s.wire, err = dial(address); err == nil {
		_, err = s.wire.ask(request("GET", fmt.Sprintf("/v1/campaigns/%d", campaign), ""), answerMax)
	}
	return err
}

// fire sends everything when it is due, and waits for the answers.
func (st *stage) fire(crowd *crowd, random *rand.Rand) {
	var waiting sync.WaitGroup
	defer waiting.Wait()
	for _, person := range crowd.people {
		waiting.Go(func() { st.shoot(person, st.prepare(person)) })
	}
	for _, h := range crowd.scripts {
		if st.scenario.Ticket && !st.scenario.Prepared {
			own := rand.New(rand.NewPCG(random.Uint64(), 0))
			waiting.Go(func() { st.comeUnprepared(h, own) })
			continue
		}
		for _, shot := range h.shots {
			waiting.Go(func() { st.shoot(shot, st.prepare(shot)) })
		}
	}
}

// prepare fetches a ticket in the countdown, where one is needed. Its work is really done, with the bits that the server
// asks for; how long it takes in the model is in the shot's due time.
func (st *stage) prepare(s *shot) (ticket string) {
	if !st.scenario.Ticket {
		return ""
	}
	time.Sleep(time.Until(st.bell.Add(s.fetchAt)))
	return st.fetch(s)
}

// fetch returns the ticket with its nonce; empty where there is none.
func (st *stage) fetch(s *shot) (ticket string) {
	a, err := s.wire.ask(request("POST", ticketPath(st.campaign), "", playerHeader(s.uid)), time.Until(st.end))
	if err != nil || a.Ticket == "" {
		return ""
	}
	if a.Work.Bits == 0 {
		return a.Ticket
	}
	return a.Ticket + "." + gate.SolveWork(a.Work.Salt, a.Work.Bits)
}

// comeUnprepared is a script's host that wakes up at the bell: one uid after the other, it fetches a ticket, works for as
// long as the model says, and fires.
func (st *stage) comeUnprepared(h host, random *rand.Rand) {
	var fired sync.WaitGroup
	defer fired.Wait()
	time.Sleep(time.Until(st.bell.Add(scriptLatency)))
	for _, shot := range h.shots {
		began := time.Since(st.bell)
		ticket := st.fetch(shot)
		// A server that answers late costs a script time as well.
		ready := max(began+work(random, st.scenario.Bits, st.options.scriptRate), time.Since(st.bell))
		shot.due = ready + scriptLatency
		time.Sleep(time.Until(st.bell.Add(ready)))
		fired.Go(func() { st.shoot(shot, ticket) })
	}
}

// shoot sends a shot when it is due and reads what comes of it.
func (st *stage) shoot(s *shot, ticket string) {
	header := ""
	if ticket != "" {
		header = "Hongbao-Ticket: " + ticket
	}
	snatch := request("POST", snatchPath(st.campaign), "", playerHeader(s.uid), header)
	time.Sleep(time.Until(st.bell.Add(s.due)))
	s.sent = time.Since(st.bell)
	a, err := s.wire.ask(snatch, time.Until(st.end))
	s.answered = time.Since(st.bell)
	s.wire.close()
	if err != nil {
		s.label = failure(err)
		return
	}
	s.told, s.label, s.envelope = true, a.label(), a.Envelope
}
