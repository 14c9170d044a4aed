package audit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hongbao"
	"hongbao/audit"
	"hongbao/embedded"
)

// TestEnginePassesUnderACrowd: a server's journal and books are in order at every moment of a rush, and at rest.
func TestEnginePassesUnderACrowd(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	files := vfs.NewMem()
	var now atomic.Int64
	now.Store(1_800_000_000_000)
	clock := func() hongbao.Time { return hongbao.Time(now.Load()) }
	engine, err := embedded.Open(embedded.Options{
		Dir: "data", FS: files, Calendar: hongbao.NewCalendar(zone), Now: clock, Logger: slog.New(slog.DiscardHandler),
		Broken: func(err error) { t.Error(err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	c := &crowd{t: t, engine: engine, now: &now}
	for _, spec := range []string{
		`{"name":"rain","kind":"rain","opens_at":"+0s","lasts":"10m","open_for":"1m","chance":0.5,"wins_max":3,"budget":{"total_fen":50000,"count":500}}`,
		`{"name":"bomb","kind":"bomb","opens_at":"+1s","lasts":"10m","open_for":"1m","budget":{"total_fen":50000,"count":500}}`,
		`{"name":"slow","kind":"rain","opens_at":"+1s","lasts":"5m","open_for":"1m","pace":"linear","wins_max":0,"budget":{"total_fen":9000,"count":300}}`,
	} {
		c.create(spec)
	}
	seed := rand.Uint64()
	t.Log("crowd with seed", seed)
	c.play(seed)
	head := engine.Head()
	c.audit(engine, "")
	for range 20 { // over closing and expiry
		now.Add(int64(40 * second))
		c.tend()
		c.play(seed + uint64(now.Load()))
	}
	if err := engine.Close(); err != nil {
		t.Fatal(err)
	}
	reader, err := embedded.OpenReader(files, "data")
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	report := c.audit(reader, head)
	if at := report.Campaigns[1]; at.Opened.Count == 0 || at.Refunded.Count == 0 {
		t.Errorf("nothing was opened, or nothing refunded: %+v", at)
	}
}

// crowd plays against an engine.
type crowd struct {
	t      *testing.T
	engine *embedded.Engine
	now    *atomic.Int64
}

func (c *crowd) clock() hongbao.Time { return hongbao.Time(c.now.Load()) }

func (c *crowd) create(spec string) {
	parsed, err := hongbao.ParseSpec([]byte(spec))
	if err != nil {
		c.t.Fatal(err)
	}
	rules, err := parsed.Rules(c.clock())
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.engine.Put(c.t.Context(), hongbao.Change{At: c.clock(), Actor: "anna", Create: &rules}); err != nil {
		c.t.Fatal(err)
	}
}

// play lets eight players at once do a hundred things each, while the rain's budget is revised and the engine audited.
func (c *crowd) play(seed uint64) {
	var tasks sync.WaitGroup
	for i := range uint64(8) {
		tasks.Go(func() { c.player(rand.New(rand.NewPCG(seed, i))) })
	}
	tasks.Go(c.revise)
	tasks.Go(func() { c.audit(c.engine, "") })
	tasks.Wait()
}

func (c *crowd) player(random *rand.Rand) {
	for range 100 {
		c.now.Add(random.Int64N(5))
		uid, campaign := random.Uint64N(200), uint32(1+random.IntN(3))
		var err error
		switch random.IntN(4) {
		case 0:
			_, err = c.engine.SignUp(c.t.Context(), hongbao.SignUpRequest{Campaign: 2, UIDs: []uint64{uid}, Now: c.clock()})
		case 1:
			c.openOne(uid &^ 1) // half of them never do
		default:
			_, err = c.engine.Snatch(c.t.Context(), hongbao.SnatchRequest{Campaign: campaign, UID: uid, Key: fmt.Sprint(random.Uint64()), Now: c.clock()})
		}
		if err != nil && !errors.Is(err, hongbao.ErrCampaignOver) {
			c.t.Error(err)
		}
	}
}

// openOne opens the newest envelope that the player holds.
func (c *crowd) openOne(uid uint64) {
	w, err := c.engine.Wallet(c.t.Context(), hongbao.WalletRequest{UID: uid, Limit: 10})
	if err != nil {
		c.t.Error(err)
	}
	for _, e := range w.Envelopes {
		if e.State == hongbao.StateHeld {
			if _, err := c.engine.Open(c.t.Context(), hongbao.OpenRequest{UID: uid, Envelope: e.ID, Now: c.clock()}); err != nil {
				c.t.Error(err)
			}
			return
		}
	}
}

// revise gives the rain a little more, until it has closed.
func (c *crowd) revise() {
	budget := c.engine.Campaigns()[0].Rules().Budget
	total, count := budget.TotalFen+1000, budget.Count+10
	patch := hongbao.Patch{Budget: &hongbao.BudgetPatch{TotalFen: &total, Count: &count}}
	c.engine.Put(c.t.Context(), hongbao.Change{At: c.clock(), Actor: "anna", Campaign: 1, Revise: &patch})
}

func (c *crowd) tend() {
	for _, campaign := range c.engine.Campaigns() {
		if _, err := c.engine.Put(c.t.Context(), hongbao.Change{At: c.clock(), Actor: "clock", Campaign: campaign.ID, Close: true}); err != nil {
			c.t.Error(err)
		}
	}
	if _, err := c.engine.Refund(c.t.Context(), c.clock(), 1000); err != nil {
		c.t.Error(err)
	}
}

// folder is what engine and reader have in common for an audit.
type folder interface {
	audit.Source
	Books(context.Context) (*embedded.Books, error)
	Secret() hongbao.Secret
}

func (c *crowd) audit(f folder, head string) audit.Report {
	c.t.Helper()
	books, err := f.Books(c.t.Context())
	if err != nil {
		c.t.Error(err)
		return audit.Report{}
	}
	defer books.Close()
	secret := f.Secret()
	report, err := audit.Run(c.t.Context(), f, audit.Options{Books: books, Head: head, Secret: &secret})
	if err != nil || !report.OK {
		c.t.Errorf("%v: %+v", err, report.Checks)
	}
	return report
}
