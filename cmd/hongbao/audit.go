package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"text/tabwriter"
	"time"

	"hongbao"
	"hongbao/audit"
)

// AuditCommand checks the guarantees against the whole journal.
type AuditCommand struct {
	serverFlags
	Head string        `placeholder:"HEAD" help:"A head noted before (log, stats), which the journal must still have."`
	Wait time.Duration `default:"60s" placeholder:"TIME" help:"With engine: cluster: how long what is final may take to reach the books (${default}; a server that is asked waits as long)."`
}

// errDifference ends a command that has printed what it found.
var errDifference = errors.New("a difference was found")

// Run prints what was checked; any difference is a failure.
func (a *AuditCommand) Run(c *commandLine) error {
	ctx, cancel := c.untilSignal()
	defer cancel()
	report, err := a.report(ctx, c)
	if err != nil {
		return err
	}
	if err := c.print(report, func(w io.Writer) { writeAudit(w, &report) }); err != nil {
		return err
	}
	if !report.OK {
		return errDifference
	}
	return nil
}

func (a *AuditCommand) report(ctx context.Context, c *commandLine) (report audit.Report, err error) {
	found, client, err := a.find(ctx, c)
	if err != nil {
		return report, err
	}
	if client != nil {
		err := client.ask(ctx, http.MethodPost, "/admin/v1/audit", map[string]string{"head": a.Head}, &report)
		return report, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	return found.audit(ctx, a.Head, a.Wait)
}

func writeAudit(w io.Writer, report *audit.Report) {
	writeChecks(w, report.Checks)
	for _, t := range report.Campaigns {
		writeTotals(w, &t)
	}
	fmt.Fprintf(w, "\n%d events, %d players, head %s\n", report.Events, report.Players, report.Head)
}

// writeChecks writes a line a check, and below one that failed its differences.
func writeChecks(w io.Writer, checks []audit.Check) {
	for _, check := range checks {
		verdict := "ok"
		if !check.OK {
			verdict = fmt.Sprintf("%d FAILED", check.Failures)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", check.Name, verdict, check.Detail)
		for _, difference := range check.Differences {
			fmt.Fprintf(w, "\t\t%s\n", difference)
		}
	}
}

func writeTotals(w io.Writer, t *audit.Totals) {
	fmt.Fprintf(w, "\n%s (campaign %d, revision %d)\tenvelopes\tfen\n", t.Name, t.Campaign, t.Revision)
	for _, row := range []struct {
		name  string
		tally hongbao.Tally
	}{{"budget", t.Budget}, {"not taken", t.NotTaken}, {"held", t.Held}, {"opened", t.Opened}, {"refunded", t.Refunded}} {
		fmt.Fprintf(w, "  %s\t%d\t%d\n", row.name, row.tally.Count, row.tally.TotalFen)
	}
}

// print writes an answer: in JSON, or as the table that human writes, with tabs between its columns.
func (c *commandLine) print(answer any, human func(w io.Writer)) error {
	if c.JSON {
		encoder := json.NewEncoder(c.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(answer)
	}
	table := tabwriter.NewWriter(c.stdout, 0, 8, 2, ' ', 0)
	human(table)
	return table.Flush()
}
