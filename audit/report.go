package audit

import (
	"fmt"

	"hongbao"
)

// Report is the outcome of an audit.
type Report struct {
	OK        bool     `json:"ok"`
	Checks    []Check  `json:"checks"`
	Head      string   `json:"head"`   // of the journal when the audit began
	Events    uint64   `json:"events"` // audited
	Players   uint64   `json:"players"`
	Campaigns []Totals `json:"campaigns"` // by id
}

// Check is one thing that was looked at: "chain", "head", "order", "G1" to "G8", "books".
type Check struct {
	Name     string `json:"name"`
	OK       bool   `json:"ok"`
	Detail   string `json:"detail"` // the first difference, with its place; or what is to be known of a check that passed
	Failures uint64 `json:"failures,omitempty"`
	// Differences are the first ones found, each with position, campaign, envelope and uid where it has them.
	Differences []string `json:"differences,omitempty"`
}

// Totals are a campaign's books: budget = not taken + held + opened + refunded.
type Totals struct {
	Campaign uint32        `json:"campaign_id"`
	Name     string        `json:"name"`
	Revision uint32        `json:"revision"`
	Sealed   bool          `json:"sealed"`
	Budget   hongbao.Tally `json:"budget"` // in force
	NotTaken hongbao.Tally `json:"not_taken"`
	Held     hongbao.Tally `json:"held"`
	Opened   hongbao.Tally `json:"opened"`
	Refunded hongbao.Tally `json:"refunded"`
}

// check numbers the checks in the order of the report.
type check int

const (
	checkChain check = iota
	checkHead
	checkOrder
	checkG1
	checkG2
	checkG3
	checkG4
	checkG5
	checkG6
	checkG7
	checkG8
	checkBooks
	checks int = iota
)

var checkNames = [checks]string{"chain", "head", "order", "G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "books"}

// findings collects differences: the first of each check in words, the others in numbers.
type findings struct {
	most        int
	failures    [checks]uint64
	differences [checks][]string
}

// note counts a difference, and keeps the text if there is room.
func (f *findings) note(c check, text string) {
	f.failures[c]++
	if len(f.differences[c]) < f.most {
		f.differences[c] = append(f.differences[c], text)
	}
}

// result is a check as the report has it; detail is for one that passed.
func (f *findings) result(c check, detail string) Check {
	r := Check{Name: checkNames[c], OK: f.failures[c] == 0, Detail: detail, Failures: f.failures[c], Differences: f.differences[c]}
	if !r.OK {
		r.Detail = r.Differences[0]
	}
	return r
}

// fail counts a difference of the event at hand and names its place.
func (a *auditor) fail(c check, format string, args ...any) {
	if len(a.differences[c]) == a.most {
		a.failures[c]++
		return
	}
	e := a.event
	place := fmt.Sprintf("position %s, %s", a.position, e.Kind)
	if e.Campaign != 0 {
		place += fmt.Sprintf(", campaign %d", e.Campaign)
	}
	switch e.Kind {
	case hongbao.EnvelopeWon, hongbao.EnvelopeOpened, hongbao.EnvelopeRefunded:
		place += fmt.Sprintf(", envelope %d, uid %d", e.Envelope, e.UID)
	case hongbao.PlayerSignedUp:
		place += fmt.Sprintf(", uid %d", e.UID)
	}
	a.note(c, place+": "+fmt.Sprintf(format, args...))
}

func (a *auditor) report(head string) Report {
	r := Report{OK: true, Head: head, Events: a.events, Players: a.players.all.count}
	for c := range check(checks) {
		if c == checkHead && a.options.Head == "" || c == checkBooks && !a.compared && a.failures[c] == 0 {
			continue // not asked for, or not reached
		}
		result := a.result(c, a.remark(c))
		r.OK = r.OK && result.OK
		r.Checks = append(r.Checks, result)
	}
	for _, c := range a.campaigns {
		if c != nil {
			r.Campaigns = append(r.Campaigns, c.totals())
		}
	}
	return r
}

// remark is what is to be known of a check that passed.
func (a *auditor) remark(c check) string {
	switch c {
	case checkG4:
		return "not to be seen in a journal: it takes what players were told, which bench compares"
	case checkG8:
		if n := a.unseeded(); n > 0 {
			return fmt.Sprintf("amounts and draws of %d campaigns wait for their seal, which reveals the seed", n)
		}
	}
	return ""
}

func (a *auditor) unseeded() (n int) {
	for _, c := range a.campaigns {
		if c != nil && c.seed == nil {
			n++
		}
	}
	return n
}

func (c *campaign) totals() Totals {
	rules := c.Rules()
	budget := hongbao.Tally{Count: rules.Budget.Count, TotalFen: rules.Budget.TotalFen}
	return Totals{
		Campaign: c.ID, Name: rules.Name, Revision: c.Revision(), Sealed: c.Seal != nil,
		Budget: budget, NotTaken: less(budget, c.taken), Held: less(less(c.taken, c.opened), c.refunded),
		Opened: c.opened, Refunded: c.refunded,
	}
}

func less(a, b hongbao.Tally) hongbao.Tally {
	return hongbao.Tally{Count: a.Count - b.Count, TotalFen: a.TotalFen - b.TotalFen}
}
