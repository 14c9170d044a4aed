package live

import (
	"strings"
	"testing"

	"hongbao"
)

const (
	opens  = hongbao.Time(1_800_000_000_000)
	second = hongbao.Time(1000)
	minute = 60 * second
)

// campaignOf is a campaign of ten envelopes, open for ten minutes, as changes have left it.
func campaignOf(changes ...func(*hongbao.Rules)) *hongbao.Campaign {
	rules := hongbao.Rules{
		Name: "rain", Kind: hongbao.Rain, OpensAt: opens, ClosesAt: opens + 10*minute,
		Budget: hongbao.Budget{TotalFen: 1000, Count: 10},
	}
	c := &hongbao.Campaign{ID: 3, Revisions: []hongbao.Revision{{Number: 1, Rules: rules}}}
	for i, change := range changes {
		change(&rules)
		c.Revisions = append(c.Revisions, hongbao.Revision{Number: uint32(i + 2), Rules: rules})
	}
	return c
}

func sealed(c *hongbao.Campaign, cancelled bool) *hongbao.Campaign {
	c.Seal = &hongbao.Seal{Cancelled: cancelled}
	return c
}

func pause(r *hongbao.Rules)   { r.Paused = true }
func resume(r *hongbao.Rules)  { r.Paused = false }
func nothing(*hongbao.Rules)   {}
func raise(r *hongbao.Rules)   { r.Budget.Count = 20 }
func enrich(r *hongbao.Rules)  { r.Budget.TotalFen = 2000 }
func delayed(r *hongbao.Rules) { r.OpensAt += minute }
func hasten(r *hongbao.Rules)  { r.OpensAt -= minute / 2 }
func extend(r *hongbao.Rules)  { r.ClosesAt += minute }
func pauseAnd(f func(*hongbao.Rules)) func(*hongbao.Rules) {
	return func(r *hongbao.Rules) { pause(r); f(r) }
}

// Which events are due follows from the campaign, the time, what is taken and what has been told, and from nothing else.
func TestWhatIsDue(t *testing.T) {
	const before, during = opens - 10*minute, opens + minute
	for _, row := range []struct {
		name     string
		campaign *hongbao.Campaign
		revision uint32 // told
		told     told
		now      hongbao.Time
		taken    uint64
		jumped   bool
		want     string // in order
	}{
		{"a new campaign is told of", campaignOf(), 0, 0, before, 0, false, "created"},
		{"only once", campaignOf(), 1, 0, before, 0, false, ""},
		{"a new campaign that is open already is told of first", campaignOf(), 0, 0, during, 0, false, "created open"},
		{"a new campaign in its last minute", campaignOf(), 0, 0, opens - 1, 0, false, "created countdown"},

		{"a minute and a millisecond before it opens nothing is due", campaignOf(), 1, 0, opens - minute - 1, 0, false, ""},
		{"a minute before it opens it counts down", campaignOf(), 1, 0, opens - minute, 0, false, "countdown"},
		{"it counts down once", campaignOf(), 1, toldCountdown, opens - 1, 0, false, ""},
		{"no countdown is told once it is open", campaignOf(), 1, 0, opens, 0, false, "open"},
		{"it opens once", campaignOf(), 1, toldOpen, during, 0, false, ""},
		{"opening is not told once it has closed", campaignOf(), 1, toldCountdown, opens + 10*minute, 0, false, ""},
		{"in its last millisecond opening is still told", campaignOf(), 1, 0, opens + 10*minute - 1, 0, false, "open"},

		{"it sells out with the last envelope", campaignOf(), 1, toldOpen, during, 10, false, "sold_out"},
		{"not with the last but one", campaignOf(), 1, toldOpen, during, 9, false, ""},
		{"it opens before it sells out", campaignOf(), 1, 0, during, 10, false, "open sold_out"},
		{"it sells out once", campaignOf(), 1, toldOpen | toldSoldOut, during, 10, false, ""},
		{"what is closed does not sell out", campaignOf(), 1, toldOpen, opens + 10*minute, 10, false, ""},
		{"what was raised is not sold out", campaignOf(raise), 1, toldOpen | toldSoldOut, during, 10, false, "revised"},
		{"what was raised sells out again", campaignOf(raise), 1, toldOpen | toldSoldOut, during, 20, false, "revised sold_out"},
		{"more money for as many envelopes sells nothing out again", campaignOf(enrich), 1, toldOpen | toldSoldOut, during, 10, false, "revised"},

		{"pausing", campaignOf(pause), 1, 0, before, 0, false, "paused"},
		{"pausing and resuming", campaignOf(pause, resume), 1, 0, before, 0, false, "paused resumed"},
		{"resuming after that was told", campaignOf(pause, resume), 2, 0, before, 0, false, "resumed"},
		{"a revision of something else while it is paused", campaignOf(pause, extend), 2, 0, before, 0, false, "revised"},
		{"both come of one", campaignOf(pauseAnd(extend)), 1, 0, before, 0, false, "revised paused"},
		{"of which one has been told", campaignOf(pauseAnd(extend)), 1, toldRevised, before, 0, false, "paused"},
		{"and the revision after it", campaignOf(pauseAnd(extend), resume), 1, toldRevised, before, 0, false, "paused resumed"},
		{"a revision that changes nothing", campaignOf(nothing), 1, 0, before, 0, false, ""},
		{"and the one after it", campaignOf(nothing, extend), 1, 0, before, 0, false, "revised"},
		{"each of several", campaignOf(extend, raise, pause), 1, 0, before, 0, false, "revised revised paused"},
		{"another process has told of a revision that this one has yet to see", campaignOf(), 2, 0, during, 10, false, ""},

		{"a later opening counts down again", campaignOf(delayed), 1, toldCountdown, opens, 0, false, "revised countdown"},
		{"an earlier one does not", campaignOf(hasten), 1, toldCountdown, opens - minute/2 - 1, 0, false, "revised"},

		{"closed by the clock waits for the seal", campaignOf(), 1, toldOpen, opens + 11*minute, 0, false, ""},
		{"the seal", sealed(campaignOf(), false), 1, toldOpen, opens + 11*minute, 0, false, "closed"},
		{"cancelling", sealed(campaignOf(), true), 1, toldOpen, during, 0, false, "cancelled"},
		{"all that happened before a seal comes before it", sealed(campaignOf(extend, pause), false), 0, 0, opens + 11*minute, 10, false, "created revised paused closed"},
		{"cancelled before it opened", sealed(campaignOf(), true), 1, 0, opens - 1, 0, false, "cancelled"},

		{"with a clock that jumped nothing opens", campaignOf(), 1, 0, during, 10, true, ""},
		{"or counts down", campaignOf(), 1, 0, opens - 1, 0, true, ""},
		{"what people do is told all the same", sealed(campaignOf(pause), true), 0, 0, during, 0, true, "created paused cancelled"},
	} {
		t.Run(row.name, func(t *testing.T) {
			at := track{3, row.revision, row.told}
			s := situation{row.campaign, func() bool { return row.taken >= row.campaign.Rules().Budget.Count }, row.now, !row.jumped}
			var got []string
			for m, ok := at.next(s); ok; m, ok = at.next(s) {
				got = append(got, m.event)
				if at = m.after; m.over {
					break
				}
				if len(got) > 10 {
					t.Fatalf("there is no end: %s", got)
				}
			}
			if strings.Join(got, " ") != row.want {
				t.Errorf("due are %q, want %q", got, row.want)
			}
		})
	}
}

// An event tells the rules of its revision, whatever has been revised since.
func TestAnEventTellsTheRulesOfItsTime(t *testing.T) {
	c := sealed(campaignOf(pause, extend), true)
	s := situation{c, func() bool { return false }, opens - 5*minute, true}
	at, notices := track{campaign: 3}, []notice(nil)
	for m, ok := at.next(s); ok && len(notices) < 4; m, ok = at.next(s) {
		notices = append(notices, newNotice(m.campaign, hongbao.Progress{}, s.now))
		at = m.after
	}
	want := []notice{
		{Phase: hongbao.PhaseScheduled, ClosesAt: opens + 10*minute, Revision: 1},
		{Phase: hongbao.PhaseScheduled, ClosesAt: opens + 10*minute, Revision: 2, Paused: true},
		{Phase: hongbao.PhaseScheduled, ClosesAt: opens + 11*minute, Revision: 3, Paused: true},
		{Phase: hongbao.PhaseSettled, ClosesAt: opens + 11*minute, Revision: 3, Paused: true, Cancelled: true},
	}
	for i := range want {
		w := &want[i]
		w.Campaign, w.ServerTime, w.Name, w.Kind, w.OpensAt, w.Left = 3, s.now, "rain", hongbao.Rain, opens, 100
		if i >= len(notices) || notices[i] != *w {
			t.Fatalf("told are %+v\nwant %+v", notices, want)
		}
	}
}

func TestTheStateOfAsManyCampaignsAsMayBeFitsIntoARecord(t *testing.T) {
	a := &Announcer{}
	for i := range uint32(tracksMax) {
		a.tracks = append(a.tracks, track{hongbao.CampaignMax - i, 1 << 20, 15})
	}
	rules := strings.Repeat("n", 64)
	record := Record{ID: 1 << 62, Event: Countdown, State: a.state(), Data: encode(notice{Name: rules, ServerTime: opens, OpensAt: opens, ClosesAt: opens})}
	if size := len(encode(record)); size > 256<<10-1000 {
		t.Errorf("a record has %d bytes", size)
	}
}
