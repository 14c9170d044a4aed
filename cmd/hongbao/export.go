package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"

	"hongbao"
	"hongbao/adminapi"
	"hongbao/audit"
)

// ExportCommand writes the journal out. Each line has its position, from which the next export can go on.
type ExportCommand struct {
	serverFlags
	From     string `placeholder:"POSITION" help:"Begin after this position, the last that an export before had."`
	Campaign uint32 `placeholder:"ID" help:"Only the events of this campaign."`
	Format   string `default:"ndjson" enum:"ndjson,csv" help:"ndjson, with everything, or csv, with the envelopes' columns (${default})."`
}

// Run writes to standard output, up to what is durable when it gets there.
func (e *ExportCommand) Run(c *commandLine) (err error) {
	ctx, cancel := c.untilSignal()
	defer cancel()
	found, client, err := e.find(ctx, c)
	if err != nil {
		return err
	}
	if found != nil {
		defer func() { err = errors.Join(err, found.Close()) }()
	}
	last := hongbao.Position(e.From)
	out := bufio.NewWriterSize(c.stdout, 64<<10)
	write := writeLines
	if e.Format == "csv" {
		write = adminapi.WriteJournalCSV
	}
	err = write(out, noting(&last, entries(ctx, found, client, e.Campaign, last)))
	if err = errors.Join(err, out.Flush()); err != nil && last != "" {
		return fmt.Errorf("%w (go on with --from %s)", err, last)
	}
	return err
}

// noting keeps the position of the last entry that was written out.
func noting(last *hongbao.Position, entries iter.Seq2[hongbao.Entry, error]) iter.Seq2[hongbao.Entry, error] {
	return func(yield func(hongbao.Entry, error) bool) {
		for entry, err := range entries {
			if !yield(entry, err) {
				return
			}
			if err == nil {
				*last = entry.Position
			}
		}
	}
}

func writeLines(w io.Writer, entries iter.Seq2[hongbao.Entry, error]) error {
	for entry, err := range entries {
		if err != nil {
			return err
		}
		if err := audit.WriteLine(w, entry); err != nil {
			return err
		}
	}
	return nil
}
