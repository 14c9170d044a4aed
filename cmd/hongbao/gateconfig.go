package main

import (
	"strconv"
	"time"

	"hongbao"
	"hongbao/gate"
)

// GateConfig is what lets requests in. An administrator may turn the rates while the server runs.
type GateConfig struct {
	Global   RateConfig       `embed:"" prefix:"global."`
	Player   PlayerRateConfig `embed:"" prefix:"player."`
	Address  RateConfig       `embed:"" prefix:"address."`
	InFlight string           `name:"in_flight" default:"adaptive" placeholder:"N" help:"Requests in the engine at once: adaptive, off or a number (${default})."`
	Ticket   TicketConfig     `embed:"" prefix:"ticket."`
	Risk     RiskConfig       `embed:"" prefix:"risk."`
}

// RateConfig is a bucket that is off by default.
type RateConfig struct {
	Rate  float64 `default:"0" placeholder:"N" help:"Requests a second, of this process; 0: no limit (${default})."`
	Burst int     `placeholder:"N" help:"Requests at once (twice the rate)."`
}

// PlayerRateConfig is the bucket of each player.
type PlayerRateConfig struct {
	Rate  float64 `default:"20" placeholder:"N" help:"Requests a second of one player, of this process; 0: no limit (${default})."`
	Burst int     `placeholder:"N" help:"Requests at once (twice the rate)."`
}

// TicketConfig is how tickets are made, for campaigns that ask for them.
type TicketConfig struct {
	Keys     []string      `placeholder:"KEY" help:"Secrets of at least 16 characters: the first signs, all are accepted (one made by the server, the same on all nodes)."`
	Lifetime time.Duration `default:"60s" placeholder:"TIME" help:"How long a ticket is good (${default})."`
	PowBits  int           `name:"pow_bits" default:"0" placeholder:"N" help:"Zero bits of the work that a ticket asks of its player, 0 to 30 (${default}: none)."`
}

// RiskConfig is the hook that is asked about requests.
type RiskConfig struct {
	URL       string        `placeholder:"URL" help:"Where the risk of a request is asked for (nowhere)."`
	Timeout   time.Duration `default:"50ms" placeholder:"TIME" help:"How long an answer may take (${default})."`
	DenyAbove float64       `name:"deny_above" default:"0.9" placeholder:"SCORE" help:"Scores above it are denied (${default})."`
	FailOpen  bool          `name:"fail_open" default:"true" negatable:"" help:"Let requests through while the hook can't tell (${default})."`
	Keys      []string      `placeholder:"KEY" help:"Standard Webhooks secrets (whsec_…) that requests to the hook are signed with."`
}

// options are the settings as the gate takes them; what needs a service is the caller's to add.
func (c *GateConfig) options() (o gate.Options, err error) {
	o = gate.Options{
		Global: gate.Rate(c.Global), Player: gate.Rate(c.Player), Address: gate.Rate(c.Address),
		Ticket: gate.TicketOptions{Lifetime: c.Ticket.Lifetime, PowBits: c.Ticket.PowBits},
		Risk:   gate.RiskOptions{URL: c.Risk.URL, Timeout: c.Risk.Timeout, DenyAbove: c.Risk.DenyAbove, FailClosed: !c.Risk.FailOpen},
	}
	for _, key := range c.Ticket.Keys {
		o.Ticket.Keys = append(o.Ticket.Keys, []byte(key))
	}
	for i, text := range c.Risk.Keys {
		key, err := hongbao.ParseSigningKey(text)
		if err != nil {
			return o, hongbao.Invalid("gate.risk.keys", "(key "+strconv.Itoa(i+1)+")", "whsec_ and the base64 of 24 to 64 bytes")
		}
		o.Risk.Keys = append(o.Risk.Keys, key)
	}
	o.InFlight, err = c.inFlight()
	return o, err
}

// validate checks the settings that are there.
func (c *GateConfig) validate() error {
	options, err := c.options()
	if err != nil {
		return err
	}
	return options.Check()
}

func (c *GateConfig) inFlight() (int, error) {
	const most = 1_000_000
	switch c.InFlight {
	case "adaptive":
		return 0, nil
	case "off":
		return -1, nil
	}
	n, err := strconv.Atoi(c.InFlight)
	if err != nil || n < 1 || n > most {
		return 0, hongbao.Invalid("gate.in_flight", c.InFlight, "adaptive, off, or a number from 1 to 1000000")
	}
	return n, nil
}
