package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"time"

	"hongbao/audit"
)

const (
	settleMax = 30 * time.Second // how long unknown outcomes are asked for
	verifyMax = 10 * time.Minute // and how long reading wallets and journal, and the audit, may take
)

// Run plays a crowd against a server and reports. When ctx ends, it stops playing and verifies and reports all the
// same. An error means that there was nothing to play, or that the report could not be written; differences are in the
// report.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	r, err := newRun(o)
	if err != nil {
		return nil, err
	}
	defer r.close()
	if err := r.prepare(ctx); err != nil {
		return nil, errors.Join(err, r.clear(context.WithoutCancel(ctx)))
	}
	r.play(ctx)
	r.verify(context.WithoutCancel(ctx))
	report := r.report()
	return report, report.writeFile(o.Report)
}

// run is one run of a crowd.
type run struct {
	Options
	client   *Client
	admin    *Admin // nil without a token
	witness  Witness
	players  players
	campaign *Campaign
	made     bool // the campaign is this run's own

	timeline *timeline
	started  time.Time
	took     time.Duration // of the load, without verification
	stopped  bool          // before its time

	compared Compared
	audit    *audit.Report
	problems []string // what kept something from being verified
}

func newRun(o Options) (*run, error) {
	r := &run{Options: o, players: newPlayers(&o)}
	var err error
	r.client, err = NewClient(ClientOptions{URL: o.PlayerURL, API: o.API, Connections: o.Connections, Timeout: o.Timeout})
	if err != nil {
		return nil, err
	}
	if o.AdminToken != "" {
		r.admin, err = NewAdmin(o.AdminURL, o.AdminToken)
	}
	return r, err
}

func (r *run) close() {
	r.client.Close()
	if r.admin != nil {
		r.admin.Close()
	}
}

// play sends the load, from when the campaign opens until the duration is over or the campaign closes.
func (r *run) play(ctx context.Context) {
	r.fetchTickets(ctx)
	sleep(ctx, time.Until(r.campaign.opening()))
	r.started = time.Now()
	end := r.started.Add(r.Duration)
	if closing := r.campaign.closing(); closing.Before(end) {
		end = closing
	}
	r.timeline = newTimeline(r.started, end.Sub(r.started))
	stop := r.showProgress()
	if r.Scenario == ScenarioBomb {
		r.playBomb(ctx, end)
	} else {
		crowd := &rain{
			witness: r.witness, players: r.players, campaign: r.campaign.ID, openShare: r.OpenShare, walletShare: r.WalletShare,
		}
		r.send(ctx, crowd, end, 0)
	}
	r.took = time.Since(r.started)
	r.stopped = ctx.Err() != nil
	stop()
}

// send is the load as the options want it.
func (r *run) send(ctx context.Context, crowd crowd, end time.Time, limit int) {
	l := &load{crowd: crowd, timeline: r.timeline, seed: r.Seed, workers: r.Connections}
	if r.Closed > 0 {
		l.workers = r.Closed
		l.closed(ctx, end)
		return
	}
	nap, done := newNap()
	defer done()
	a := &arrivals{start: r.started, rate: r.Rate, nap: nap}
	if r.Rate == 0 {
		a.rate = math.Inf(1)
	}
	if r.Poisson {
		a.random = rand.New(rand.NewPCG(r.Seed, math.MaxUint64))
	}
	l.open(ctx, a, end, limit)
}

// playBomb lets all fire, and then those who won open and look.
func (r *run) playBomb(ctx context.Context, end time.Time) {
	crowd := &bomb{witness: r.witness, players: r.players, campaign: r.campaign.ID}
	limit := 0
	if r.Rate == 0 && r.Closed == 0 {
		limit = r.Players
	}
	r.send(ctx, crowd, end, limit)
	random := rand.New(rand.NewPCG(r.Seed, math.MaxUint64-1))
	each(ctx, some(random, crowd.won, r.OpenShare), func(h held) {
		asked := time.Now()
		r.timeline.answered(OpOpen, r.witness.Open(h.uid, h.envelope).Result, asked, time.Now())
	})
	each(ctx, some(random, crowd.won, r.WalletShare), func(h held) {
		asked := time.Now()
		r.timeline.answered(OpWallet, r.witness.Wallet(h.uid, walletLimit).Result, asked, time.Now())
	})
}

// some picks a share of the items.
func some[T any](random *rand.Rand, items []T, share float64) (picked []T) {
	for _, item := range items {
		if random.Float64() < share {
			picked = append(picked, item)
		}
	}
	return picked
}

// verify learns what stayed unknown, ends a campaign of this run's own, and compares.
func (r *run) verify(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, verifyMax)
	defer cancel()
	if r.RetryUnknown {
		settling, cancel := context.WithTimeout(ctx, settleMax)
		r.witness.Settle(settling)
		cancel()
	}
	r.note(r.clear(ctx))
	compared, err := r.witness.Told.Compare(ctx, r.client, r.admin)
	r.compared = compared
	r.note(err)
	if r.admin == nil {
		return
	}
	verdict, err := r.admin.Audit(ctx)
	if err != nil {
		r.note(fmt.Errorf("the audit: %w", err))
		return
	}
	r.audit = &verdict
}

// clear ends a campaign that this run made and that is not over yet.
func (r *run) clear(ctx context.Context) error {
	if !r.made {
		return nil
	}
	err := r.admin.Cancel(ctx, r.campaign.ID)
	var refused *RefusedError
	if errors.As(err, &refused) && refused.Code == "campaign_over" {
		return nil
	}
	return err
}

func (r *run) note(err error) {
	if err != nil {
		r.problems = append(r.problems, err.Error())
	}
}

// writeFile writes the HTML report, where one is wanted.
func (r *Report) writeFile(path string) error {
	if path == "" {
		return nil
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(r.WriteHTML(file), file.Close())
}
