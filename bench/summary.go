package bench

import (
	"bytes"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"hongbao/audit"
)

// WriteSummary writes the report for people to read.
func (r *Report) WriteSummary(w io.Writer) error {
	var b bytes.Buffer
	r.writeSetup(&b)
	r.writeLoad(&b)
	r.writeStatuses(&b)
	r.writeVerdict(&b)
	_, err := b.WriteTo(w)
	return err
}

func (r *Report) writeSetup(b *bytes.Buffer) {
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, fact := range r.Setup {
		fmt.Fprintf(table, "%s\t%s\n", fact.Name, fact.Value)
	}
	table.Flush()
	fmt.Fprintf(b, "\n%s requests answered in %s: %s/s", thousands(r.Answered), seconds(r.TookSeconds), thousands(uint64(r.Rate)))
	if r.Stopped {
		b.WriteString(" (interrupted)")
	}
	if r.NotSent > 0 {
		fmt.Fprintf(b, "\n%s requests could not be sent in time: the rate was more than could be served", thousands(r.NotSent))
	}
	b.WriteString("\n\n")
}

func (r *Report) writeLoad(b *bytes.Buffer) {
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "latency\tcount\tmean\tp50\tp90\tp99\tp99.9\tmax\t")
	row := func(name string, count uint64, l Latency) {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", name, thousands(count), ms(l.Mean), ms(l.P50), ms(l.P90), ms(l.P99), ms(l.P999), ms(l.Max))
	}
	for _, o := range r.Operations {
		row(string(o.Operation), o.Count, o.Latency)
	}
	row("all", r.Answered, r.Latency)
	table.Flush()
	b.WriteByte('\n')
}

func (r *Report) writeStatuses(b *bytes.Buffer) {
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, s := range r.Statuses {
		fmt.Fprintf(table, "%s\t%s\t%.2f %%\t\n", s.Status, thousands(s.Count), 100*float64(s.Count)/float64(r.Answered))
	}
	table.Flush()
	b.WriteByte('\n')
}

func (r *Report) writeVerdict(b *bytes.Buffer) {
	for _, line := range r.verified() {
		fmt.Fprintln(b, line)
	}
	for _, problem := range r.Problems {
		fmt.Fprintln(b, "could not be verified:", problem)
	}
	for _, d := range r.Differences {
		fmt.Fprintln(b, "DIFFERENCE", d)
	}
	if more := r.DifferencesTotal - uint64(len(r.Differences)); more > 0 {
		fmt.Fprintf(b, "and %s more differences\n", thousands(more))
	}
	if r.OK() {
		fmt.Fprintln(b, "\nOK: nobody was told anything that is not so")
	} else {
		fmt.Fprintf(b, "\nNOT OK: %s\n", r.verdict())
	}
}

// verified says what was compared with what.
func (r *Report) verified() []string {
	lines := []string{
		fmt.Sprintf("told       %s wins (%s again), %s openings (%s again), %s wallets", thousands(r.Told.Wins), thousands(r.Told.Replays),
			thousands(r.Told.Openings), thousands(r.Told.Reopenings), thousands(r.Told.Wallets)),
		fmt.Sprintf("wallets    %s compared", thousands(r.Compared.Wallets)),
	}
	if r.Told.SignUps > 0 {
		lines = append(lines, fmt.Sprintf("sign-ups   %s", thousands(r.Told.SignUps)))
	}
	if r.Unknown > 0 {
		lines = append(lines, fmt.Sprintf("unknown    %s outcomes could not be learnt", thousands(r.Unknown)))
	}
	if r.Audit == nil {
		return append(lines, "journal    not compared: there is no admin token")
	}
	lines = append(lines, fmt.Sprintf("journal    %s events compared", thousands(r.Compared.JournalEntries)))
	for _, campaign := range r.Compared.Campaigns {
		lines = append(lines, "           "+campaign)
	}
	return append(lines, "audit      "+auditText(r.Audit))
}

// verdict is what is wrong, in a few words.
func (r *Report) verdict() string {
	switch {
	case r.DifferencesTotal > 0:
		return thousands(r.DifferencesTotal) + " differences"
	case len(r.Problems) > 0:
		return "not everything could be verified"
	case r.Audit != nil && !r.Audit.OK:
		return "the server's own audit fails"
	}
	return "nothing differs"
}

func auditText(report *audit.Report) string {
	text := "passes:"
	if !report.OK {
		text = "FAILS:"
	}
	for _, check := range report.Checks {
		text += " " + check.Name
		if !check.OK {
			text += " (" + check.Detail + ")"
		}
	}
	return text
}

// ms writes milliseconds as a duration.
func ms(milliseconds float64) string {
	return shortDuration(time.Duration(milliseconds * float64(time.Millisecond)))
}

func seconds(s float64) string { return fmt.Sprintf("%.1f s", s) }
