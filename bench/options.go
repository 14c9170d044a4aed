package bench

import (
	"io"
	"math"
	"math/rand/v2"
	"time"

	"hongbao"
)

// The scenarios.
const (
	ScenarioRain = "rain" // players tap for minutes; some open what they won and look into their wallets
	ScenarioBomb = "bomb" // players sign up, and all fire at opens_at; then some open what they won
)

// Options say what to play, and against which server.
type Options struct {
	PlayerURL  string // default http://127.0.0.1:8080
	AdminURL   string // default http://127.0.0.1:8081
	AdminToken string // empty: no campaign of its own, no comparison with the journal, no audit

	Scenario string // ScenarioRain (default) or ScenarioBomb
	API      string // V1 (default) or Camp
	Campaign string // id; empty: one of its own where there is a token, or else the current one

	Players  int    // default 1000
	FirstUID uint64 // they are FirstUID, FirstUID+1 …; nobody else may play them meanwhile

	Rate        float64       // open model: requests due a second; default 1000, and for a bomb all at once
	Poisson     bool          // open model: at exponential intervals instead of equal ones
	Closed      int           // closed model: that many workers, one request after the other; 0: open model
	Duration    time.Duration // default 10s; it ends sooner when the campaign closes
	Connections int           // most requests under way (default 64; in the closed model Closed)
	Timeout     time.Duration // for each answer (default 10s)

	OpenShare    float64 // share of requests that open an envelope; of a bomb's winners, who opens it
	WalletShare  float64 // share of requests that read a wallet; of a bomb's players, who reads it
	RetryUnknown bool    // ask again, at the end, for what stayed unknown
	Seed         uint64  // of all random choices; 0: a random one

	Report   string    // path of the HTML report; empty: none
	Progress io.Writer // progress lines; nil: none. One line that is redrawn if it is a terminal. Never in colour.
}

// complete fills in the defaults and checks everything.
func (o *Options) complete() error {
	orDefault(&o.PlayerURL, "http://127.0.0.1:8080")
	orDefault(&o.AdminURL, "http://127.0.0.1:8081")
	orDefault(&o.Scenario, ScenarioRain)
	orDefault(&o.API, V1)
	orDefault(&o.Players, 1000)
	orDefault(&o.Duration, 10*time.Second)
	orDefault(&o.Connections, max(o.Closed, 64))
	orDefault(&o.Timeout, 10*time.Second)
	orDefault(&o.Seed, rand.Uint64())
	if o.Scenario == ScenarioRain && o.Closed == 0 {
		orDefault(&o.Rate, 1000)
	}
	return o.check()
}

func orDefault[T comparable](field *T, otherwise T) {
	var zero T
	if *field == zero {
		*field = otherwise
	}
}

func (o *Options) check() error {
	const playersMax, connectionsMax, rateMax, durationMax = 10_000_000, 50_000, 10_000_000, 24 * time.Hour
	switch {
	case o.Scenario != ScenarioRain && o.Scenario != ScenarioBomb:
		return hongbao.Invalid("scenario", o.Scenario, "rain or bomb")
	case o.API == Camp && o.Scenario == ScenarioBomb:
		return hongbao.Invalid("api", o.API, "v1 for a bomb: the camp API has no sign-up")
	case o.Players < 1 || o.Players > playersMax:
		return hongbao.Invalid("players", o.Players, "from 1 to 10000000")
	case o.FirstUID > hongbao.UIDMax-uint64(o.Players)+1:
		return hongbao.Invalid("first-uid", o.FirstUID, "so small that the last player's uid is at most 2^53-1")
	case math.IsNaN(o.Rate) || o.Rate < 0 || o.Rate > rateMax:
		return hongbao.Invalid("rate", o.Rate, "above 0 and at most 10000000")
	case o.Rate > 0 && o.Closed > 0:
		return hongbao.Invalid("closed", o.Closed, "left out when a rate is given: the open model has the rate, the closed one the workers")
	case o.Closed < 0 || o.Closed > connectionsMax:
		return hongbao.Invalid("closed", o.Closed, "from 1 to 50000 workers")
	case o.Connections < 1 || o.Connections > connectionsMax:
		return hongbao.Invalid("connections", o.Connections, "from 1 to 50000")
	case o.Duration < time.Millisecond || o.Duration > durationMax:
		return hongbao.Invalid("duration", o.Duration, "from 1ms to 24h")
	case o.Timeout < time.Millisecond || o.Timeout > timeoutMax:
		return hongbao.Invalid("timeout", o.Timeout, "from 1ms to 1m")
	}
	return o.checkShares()
}

func (o *Options) checkShares() error {
	switch {
	case !(o.OpenShare >= 0 && o.OpenShare <= 1):
		return hongbao.Invalid("open-share", o.OpenShare, "from 0 to 1")
	case !(o.WalletShare >= 0 && o.WalletShare <= 1):
		return hongbao.Invalid("wallet-share", o.WalletShare, "from 0 to 1")
	case o.Scenario == ScenarioRain && o.OpenShare+o.WalletShare > 1:
		return hongbao.Invalid("open-share", o.OpenShare, "at most 1 together with wallet-share")
	}
	return nil
}
