package main

import (
	"math"
	"math/rand/v2"
	"time"
)

// shot is one snatch of somebody. Times are from the bell.
type shot struct {
	uid      uint64
	script   bool
	node     int
	fetchAt  time.Duration // when it asks for its ticket, where it needs one; in the countdown
	tapped   time.Duration // when the person taps
	latency  time.Duration // each way
	due      time.Duration // when it is to reach the server
	wire     *wire
	sent     time.Duration
	answered time.Duration // when the server's answer was read
	label    string
	envelope uint64
	told     bool // an answer came, be it a refusal
}

// host is a script's machine: what it fires.
type host struct{ shots []*shot }

// crowd is everybody who plays a campaign.
type crowd struct {
	people  []*shot
	scripts []host
}

const (
	reactionMin, reactionMax = 150 * time.Millisecond, 600 * time.Millisecond
	latencyMin, latencyMax   = 50 * time.Millisecond, 300 * time.Millisecond
	scriptLatency            = time.Millisecond
	countdown                = 60 * time.Second // in which tickets are fetched, as the model has it
)

// gather makes a crowd whose uids nobody else has.
func (o *fairOptions) gather(s scenario, random *rand.Rand, firstUID uint64) *crowd {
	c := &crowd{}
	nodes := 1
	if o.cluster {
		nodes = 2
	}
	for i := range o.people {
		c.people = append(c.people, o.person(s, random, firstUID+uint64(i), i%nodes))
	}
	uid := firstUID + uint64(o.people)
	for range o.scripts {
		h := host{}
		shots := o.requests
		if s.ManyUIDs {
			shots = o.uids
		}
		for n := range shots {
			h.shots = append(h.shots, &shot{uid: uid, script: true, node: n % nodes, latency: scriptLatency, due: o.scriptDue(s, n, shots)})
			if s.ManyUIDs {
				uid++
			}
		}
		if !s.ManyUIDs {
			uid++
		}
		c.scripts = append(c.scripts, h)
	}
	if s.Ticket && s.Prepared {
		c.prepareScripts(random, o.countdown)
	}
	return c
}

// person taps some time after the bell, or when the phone has done its work if that is later.
func (o *fairOptions) person(s scenario, random *rand.Rand, uid uint64, node int) *shot {
	p := &shot{uid: uid, node: node, latency: between(random, latencyMin, latencyMax), tapped: o.react(random)}
	if s.Ticket {
		fetched := -time.Duration(random.Int64N(int64(countdown)))
		p.fetchAt = compress(fetched, o.countdown)
		ready := fetched + 2*p.latency + work(random, s.Bits, o.phoneRate)
		p.tapped = max(p.tapped, ready)
	}
	p.due = p.tapped + p.latency
	return p
}

func (o *fairOptions) react(random *rand.Rand) time.Duration {
	if o.reaction == "uniform" {
		return between(random, reactionMin, reactionMax)
	}
	const median, sigma = 280 * time.Millisecond, 0.35
	for {
		if d := time.Duration(float64(median) * math.Exp(sigma*random.NormFloat64())); d >= reactionMin && d <= reactionMax {
			return d
		}
	}
}

// scriptDue is when the n-th request of a script is to reach the server.
func (o *fairOptions) scriptDue(s scenario, n, of int) time.Duration {
	if !s.AtTheEnd {
		return scriptLatency + time.Duration(n)*o.scriptSpacing
	}
	// Half of them around the end of the lot, half around the end of the second after it.
	end, half := o.fairStart, of/2
	if n >= half {
		end, n = 2*o.fairStart, n-half
	}
	return end + time.Duration(n-half/2)*o.scriptSpacing
}

// prepareScripts lets scripts fetch their tickets in the countdown; whatever work is asked for is done by the bell.
func (c *crowd) prepareScripts(random *rand.Rand, realCountdown time.Duration) {
	for _, h := range c.scripts {
		for _, shot := range h.shots {
			shot.fetchAt = compress(-time.Duration(random.Int64N(int64(countdown))), realCountdown)
		}
	}
}

// compress maps the model's countdown into the real one, of which the crowd needs a part to connect.
func compress(at, real time.Duration) time.Duration {
	const last = 500 * time.Millisecond // before the bell, so that the answer is there
	usable := real*2/3 - last
	return -last - time.Duration(float64(-at)/float64(countdown)*float64(usable))
}

// work is how long a solver takes: the tries until the first success are distributed exponentially around 2^bits.
func work(random *rand.Rand, bits int, rate float64) time.Duration {
	if bits == 0 {
		return 0
	}
	return time.Duration(random.ExpFloat64() * math.Exp2(float64(bits)) / rate * float64(time.Second))
}

func between(random *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(random.Int64N(int64(high-low)))
}

// all are everybody's shots.
func (c *crowd) all() (shots []*shot) {
	shots = append(shots, c.people...)
	for _, h := range c.scripts {
		shots = append(shots, h.shots...)
	}
	return shots
}

// last is when the last person sends.
func (c *crowd) last() (last time.Duration) {
	for _, person := range c.people {
		last = max(last, person.due)
	}
	return last
}
