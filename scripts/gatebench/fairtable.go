package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// writeFair leaves the table, the figures and the pictures.
func (r results) writeFair(o fairOptions, played []*fairResult) error {
	table := o.table(played)
	fmt.Print(table)
	if err := r.write("fair.md", []byte(table)); err != nil {
		return err
	}
	if err := r.writeJSON("fair.json", played); err != nil {
		return err
	}
	if err := r.write("shares.svg", drawShares(played)); err != nil {
		return err
	}
	for _, pair := range pairs(played) {
		if err := r.write(pair.file, pair.draw()); err != nil {
			return err
		}
	}
	return nil
}

func (o *fairOptions) table(played []*fairResult) string {
	var b strings.Builder
	engine := "One server with the embedded engine."
	if o.cluster {
		engine = "Two nodes with the cluster engine; every second person, and every second request of a script, goes to the second node."
	}
	fmt.Fprintf(&b, "%s %s people, %d scripts, %s envelopes, one a uid. People react %d to %d ms after the bell (%s) and their requests take "+
		"%d to %d ms each way; a script's take 1 ms. A script has one uid and fires %d requests %s apart, or has %d uids and sends one request for each.\n\n",
		engine, thousands(o.people), o.scripts, thousands(o.envelopes), reactionMin.Milliseconds(), reactionMax.Milliseconds(), o.reaction,
		latencyMin.Milliseconds(), latencyMax.Milliseconds(), o.requests, o.scriptSpacing, o.uids)
	b.WriteString("| scenario | scripts' share of the envelopes | of the uids | at most | people who won | first win | sold out | people's answer p50 | p99 | late phones | errors | generator late p99 |\n")
	b.WriteString("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range played {
		fmt.Fprintf(&b, "| %s | **%.1f %%** | %.1f %% | %.0f %% | %s | %.0f ms | %s | %.0f ms | %.0f ms | %s | %s | %.1f ms |\n",
			r.Scenario.Name, r.ScriptShare, r.ScriptUIDShare, r.atMost(), thousands(r.PeopleWins), r.FirstWinMS, soldOut(r), r.P50MS, r.P99MS,
			thousands(r.Late), thousands(r.Errors), r.SentLateMS)
	}
	o.workNote(&b, played)
	orderTable(&b, played)
	answerTable(&b, played)
	return b.String()
}

// atMost is the share that scripts would have if each of their uids won.
func (r *fairResult) atMost() float64 {
	return 100 * min(float64(r.ScriptUIDs)/float64(r.Envelopes), 1)
}

func soldOut(r *fairResult) string {
	if r.SoldOutMS == 0 {
		return fmt.Sprintf("no: %s left", thousands(r.Envelopes-r.PeopleWins-r.ScriptWins))
	}
	return fmt.Sprintf("%.0f ms", r.SoldOutMS)
}

// workNote says what is real about the work and what is modelled.
func (o *fairOptions) workNote(b *strings.Builder, played []*fairResult) {
	if !slices.ContainsFunc(played, func(r *fairResult) bool { return r.Scenario.Ticket }) {
		return
	}
	fmt.Fprintf(b, "\nTickets are fetched and sent back for real; the countdown of 60 s is compressed into %s. Where bits are named, the server really "+
		"asks for and verifies %d bits of work, which the generator really does; **how long the work takes is modelled**: tries for the named bits are "+
		"drawn at random (2^bits on average), a phone does %s a second, a script's host %s on one core, one uid after the other. People fetch "+
		"their ticket at a random time of the countdown; a phone that is not done by the time its owner would tap sends later (\"late phones\"). "+
		"Scripts that prepare do all their work within the countdown.\n", o.countdown, o.realBits, thousands(int(o.phoneRate)), thousands(int(o.scriptRate)))
}

// orderTable shows that winning follows the lot.
func orderTable(b *strings.Builder, played []*fairResult) {
	if !slices.ContainsFunc(played, func(r *fairResult) bool { return r.Order != nil }) {
		return
	}
	b.WriteString("\nThe lot, recomputed from the revealed seed:\n\n| scenario | uids in the lot | winners among them | with the lowest lots | rank correlation of lot and order of winning |\n|---|--:|--:|--:|--:|\n")
	for _, r := range played {
		if r.Order != nil {
			fmt.Fprintf(b, "| %s | %s | %s | %.1f %% | %.4f |\n", r.Scenario.Name, thousands(r.Order.InLot), thousands(r.Order.LotWinners), r.Order.LowestShare, r.Order.Correlation)
		}
	}
}

func answerTable(b *strings.Builder, played []*fairResult) {
	b.WriteString("\n| scenario | people were answered | scripts were answered |\n|---|---|---|\n")
	for _, r := range played {
		fmt.Fprintf(b, "| %s | %s | %s |\n", r.Scenario.Name, counts(r.PeopleAnswers), counts(r.ScriptAnswers))
	}
}

// counts lists how often each came, the most frequent first.
func counts(of map[string]int) string {
	names := slices.SortedFunc(maps.Keys(of), func(a, b string) int {
		if of[a] != of[b] {
			return of[b] - of[a]
		}
		return strings.Compare(a, b)
	})
	var list []string
	for _, name := range names {
		list = append(list, fmt.Sprintf("%s %s", thousands(of[name]), strings.ReplaceAll(name, "_", " ")))
	}
	return strings.Join(list, ", ")
}
