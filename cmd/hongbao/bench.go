package main

import (
	"errors"
	"io"
	"time"

	"hongbao/bench"
)

// BenchCommand plays a crowd against a running server, checks every answer, and compares in the end.
type BenchCommand struct {
	serverFlags
	URL string `placeholder:"URL" help:"The server's player port (that of player.listen)."`

	Scenario string `default:"rain" help:"rain or bomb (${default})."`
	API      string `default:"v1" help:"v1 or camp (${default})."`
	Campaign string `placeholder:"ID" help:"Campaign to play (one of its own; without an admin token the current one)."`
	Players  int    `default:"1000" help:"How many players (${default})."`
	FirstUID uint64 `placeholder:"UID" help:"They are this uid, the next one, and so on (0); nobody else may play them meanwhile."`

	Rate        float64       `placeholder:"N" help:"Open model: requests due a second (1000; for a bomb all at once)."`
	Poisson     bool          `help:"Open model: at exponential intervals instead of equal ones."`
	Closed      int           `placeholder:"N" help:"Closed model: that many workers, one request after the other."`
	Duration    time.Duration `default:"10s" help:"How long (${default}); it ends sooner when the campaign closes."`
	Connections int           `placeholder:"N" help:"Most requests under way (64; in the closed model as many as workers)."`
	Timeout     time.Duration `default:"10s" help:"For each answer (${default})."`

	OpenShare    float64 `default:"0.2" help:"Share of requests that open an envelope (${default})."`
	WalletShare  float64 `default:"0.1" help:"Share of requests that read a wallet (${default})."`
	RetryUnknown bool    `default:"true" negatable:"" help:"Ask again, at the end, for what stayed unknown."`
	Seed         uint64  `placeholder:"N" help:"Of all random choices (a random one, which the report tells)."`
	Report       string  `type:"path" placeholder:"FILE" help:"Write an HTML report."`
}

// Run prints the report; any difference is a failure. The first signal ends the load, and what was told is compared.
func (b *BenchCommand) Run(c *commandLine) error {
	ctx, cancel := c.untilSignal()
	defer cancel()
	report, err := bench.Run(ctx, b.options(c))
	if err != nil {
		return err
	}
	var failed error
	if err := c.print(report, func(w io.Writer) { failed = report.WriteSummary(w) }); err != nil || failed != nil {
		return errors.Join(err, failed)
	}
	if !report.OK() {
		return errDifference
	}
	return nil
}

// options are the flags; without an admin token the bench plays what there is and compares with wallets alone.
func (b *BenchCommand) options(c *commandLine) bench.Options {
	token, _ := b.token(c.Data)
	url := b.URL
	if url == "" {
		url = urlOf(c.Player.Listen)
	}
	return bench.Options{
		PlayerURL: url, AdminURL: b.adminURL(c), AdminToken: token,
		Scenario: b.Scenario, API: b.API, Campaign: b.Campaign, Players: b.Players, FirstUID: b.FirstUID,
		Rate: b.Rate, Poisson: b.Poisson, Closed: b.Closed, Duration: b.Duration, Connections: b.Connections, Timeout: b.Timeout,
		OpenShare: b.OpenShare, WalletShare: b.WalletShare, RetryUnknown: b.RetryUnknown, Seed: b.Seed,
		Report: b.Report, Progress: c.stderr,
	}
}
