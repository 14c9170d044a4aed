package systemtest

import (
	"fmt"
	"strings"
	"testing"

	"hongbao"
	"hongbao/audit"
)

// honest are notes of two players, and the export that bears them out: 7 won 1 and 2 and opened 1, 8 won 3 and opened it.
func honest() (n *notes, lines []string) {
	n = newNotes()
	envelope := func(i uint64) hongbao.EnvelopeID { return hongbao.NewEnvelopeID(1, i) }
	for i, w := range []win{
		{uid: 7, envelope: envelope(1), amountFen: 10, key: "a", receipt: "r1"},
		{uid: 7, envelope: envelope(2), amountFen: 20, key: "b", receipt: "r2"},
		{uid: 8, envelope: envelope(3), amountFen: 30, key: "a", receipt: "r3"},
	} {
		w.sent, w.told = n.now(), n.now()
		n.won(w)
		lines = append(lines, fmt.Sprintf(`{"kind":"won","campaign_id":1,"envelope_id":%d,"uid":%d,"amount_fen":%d,"key":"%s"}`,
			w.envelope, w.uid, w.amountFen, w.key))
		if i != 1 {
			n.opened(w, w.amountFen, n.now())
			lines = append(lines, fmt.Sprintf(`{"kind":"opened","campaign_id":1,"envelope_id":%d,"uid":%d,"amount_fen":%d}`,
				w.envelope, w.uid, w.amountFen))
		}
	}
	return n, lines
}

// The comparison that ends every fault must be able to fail: each forgery of what was told or journaled is found.
func TestTheVerdictFindsAForgery(t *testing.T) {
	t.Parallel()
	replace := func(lines []string, old, new string) []string {
		text := strings.Join(lines, "\n")
		if !strings.Contains(text, old) {
			t.Fatalf("the export has no %s", old)
		}
		return strings.Split(strings.Replace(text, old, new, 1), "\n")
	}
	first := win{uid: 7, envelope: hongbao.NewEnvelopeID(1, 1), amountFen: 10, key: "a", receipt: "r1"}
	alter := func(change func(w *win)) win {
		w := first
		change(&w)
		return w
	}
	shown := func(n *notes, uid uint64, balance, amount int64, asOf bool, envelopes ...hongbao.EnvelopeID) {
		var w shownWallet
		parse(t, fmt.Sprintf(`{"balance_fen": %d, "envelopes": []}`, balance), &w)
		for _, id := range envelopes {
			var page shownWallet
			parse(t, fmt.Sprintf(`{"envelopes": [{"id": "%d", "status": "opened", "amount_fen": %d}]}`, uint64(id), amount), &page)
			w.Envelopes = append(w.Envelopes, page.Envelopes...)
		}
		n.saw(uid, w, asOf, n.of(uid))
	}
	for _, forgery := range []struct {
		name  string
		found string // empty: nothing
		forge func(n *notes, lines []string) []string
	}{
		{"nothing", "", func(_ *notes, lines []string) []string { return lines }},
		{"a win told twice alike", "", func(n *notes, lines []string) []string { n.won(first); return lines }},
		{"books that are behind and say so", "", func(n *notes, lines []string) []string { shown(n, 8, 0, 0, true); return lines }},
		{"a win that was never journaled", "not in the export", func(_ *notes, lines []string) []string { return lines[1:] }},
		{"an opening that was never journaled", "the opening of envelope", func(_ *notes, lines []string) []string { return append(lines[:1:1], lines[2:]...) }},
		{"another amount", "was told to player 7, 10 fen", func(_ *notes, lines []string) []string {
			return replace(lines, `"amount_fen":10,"key"`, `"amount_fen":11,"key"`)
		}},
		{"another player", "was told to player 7", func(_ *notes, lines []string) []string { return replace(lines, `"uid":7`, `"uid":9`) }},
		{"another key", "key b", func(_ *notes, lines []string) []string { return replace(lines, `"key":"b"`, `"key":"c"`) }},
		{"an envelope won twice", "G2", func(_ *notes, lines []string) []string { return append(lines, lines[0]) }},
		{"an envelope opened twice", "G5", func(_ *notes, lines []string) []string { return append(lines, lines[1]) }},
		{"an opening by another", "G5", func(_ *notes, lines []string) []string {
			return append(lines, strings.Replace(replace(lines[:1], `"won"`, `"opened"`)[0], `"uid":7`, `"uid":8`, 1))
		}},
		{"a key that won twice", "G7", func(_ *notes, lines []string) []string { return replace(lines, `"key":"b"`, `"key":"a"`) }},
		{"more than the budget", "G1", func(_ *notes, lines []string) []string {
			return append(lines, `{"kind":"won","campaign_id":1,"envelope_id":4294967300,"uid":9,"amount_fen":1,"key":"z"}`)
		}},
		{"more than the limit", "G3", func(_ *notes, lines []string) []string {
			return append(lines, `{"kind":"won","campaign_id":1,"envelope_id":4294967300,"uid":7,"amount_fen":0,"key":"z"}`)
		}},
		{"an envelope told to two", "was told to player 7 (key a) and to player 9", func(n *notes, lines []string) []string {
			n.won(alter(func(w *win) { w.uid = 9 }))
			return lines
		}},
		{"a retry that won another", "and then", func(n *notes, lines []string) []string {
			n.won(alter(func(w *win) { w.envelope++ }))
			return lines
		}},
		{"another receipt", "receipt", func(n *notes, lines []string) []string {
			n.won(alter(func(w *win) { w.receipt = "r9" }))
			return lines
		}},
		{"an opening of another amount", "opened with 11", func(n *notes, lines []string) []string {
			n.opened(first, 11, n.now())
			return lines
		}},
		{"a wallet without a win", "lacks envelope", func(n *notes, lines []string) []string { shown(n, 8, 0, 0, false); return lines }},
		{"a wallet with another's", "it was told to player 7", func(n *notes, lines []string) []string {
			shown(n, 9, 10, 10, false, first.envelope)
			return lines
		}},
		{"a balance that is no sum", "and shows 30", func(n *notes, lines []string) []string {
			shown(n, 8, 31, 30, false, hongbao.NewEnvelopeID(1, 3))
			return lines
		}},
	} {
		n, lines := honest()
		x := readExport(strings.Join(forgery.forge(n, lines), "\n"), 1)
		found, lost := n.compare(x, budget{hongbao.Tally{Count: 3, TotalFen: 60}, 2})
		for _, l := range lost {
			found = append(found, l.what+" is not in the export")
		}
		if text := strings.Join(found, "\n"); !strings.Contains(text, forgery.found) || (forgery.found == "") != (text == "") {
			t.Errorf("%s: found %q, want %q", forgery.name, text, forgery.found)
		}
	}
}

// Of what a shard lost, only its tail may be lost.
func TestTheVerdictFindsALossBeforeTheTail(t *testing.T) {
	t.Parallel()
	const shards = 1
	for _, row := range []struct {
		name string
		lost int // line of the export
		bad  bool
	}{{"the last win", 3, false}, {"one before it", 0, true}} {
		n, lines := honest()
		at := n.now()
		x := readExport(strings.Join(append(lines[:row.lost:row.lost], lines[row.lost+1:]...), "\n"), 1)
		_, lost := n.compare(x, budget{hongbao.Tally{Count: 3, TotalFen: 60}, 2})
		if found := n.beforeKept(lost, x, at, shards); (len(found) > 0) != row.bad {
			t.Errorf("%s is lost: found %q", row.name, found)
		}
	}
}

// What an audit must say is wanted word by word.
func TestTheVerdictReadsTheAudit(t *testing.T) {
	t.Parallel()
	report := func(change func(*audit.Report)) *audit.Report {
		r := &audit.Report{OK: true}
		for _, name := range auditWants {
			r.Checks = append(r.Checks, audit.Check{Name: name, OK: true})
		}
		change(r)
		return r
	}
	last := len(auditWants) - 1
	poison := map[string]bool{"shard 0, offset 3": true}
	poisoned := func(text string) func(r *audit.Report) {
		return func(r *audit.Report) { r.Checks[last-1] = audit.Check{Name: "kafka", OK: true, Detail: text} }
	}
	for _, row := range []struct {
		name   string
		report *audit.Report
		code   int
		poison map[string]bool
		good   bool
	}{
		{"all is well", report(func(*audit.Report) {}), 0, nil, true},
		{"it exits with 1", report(func(*audit.Report) {}), 1, nil, false},
		{"a check failed", report(func(r *audit.Report) { r.OK, r.Checks[3].OK = false, false }), 1, nil, false},
		{"a check failed, and it exits with 0", report(func(r *audit.Report) { r.Checks[3].OK = false }), 0, nil, false},
		{"a check is missing", report(func(r *audit.Report) { r.Checks = r.Checks[1:] }), 0, nil, false},
		{"Redis moved on", report(func(r *audit.Report) { r.Checks[last].Detail = "not compared" }), 0, nil, false},
		{"our poison is found", report(poisoned("shard 0, offset 3 is none of the journal's (noise)")), 0, poison, true},
		{"poison elsewhere is found", report(poisoned("shard 0, offset 4 is none of the journal's (noise)")), 0, poison, false},
		{"our poison is not found", report(func(*audit.Report) {}), 0, poison, false},
	} {
		if problems := judgeAudit(row.report, row.code, row.poison); (len(problems) == 0) != row.good {
			t.Errorf("%s: %q", row.name, problems)
		}
	}
}
