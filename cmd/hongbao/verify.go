package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"hongbao"
	"hongbao/audit"
)

// VerifyCommand recomputes a closed campaign from the seed that its seal revealed, or checks a receipt.
type VerifyCommand struct {
	serverFlags
	Campaign   uint32             `xor:"what" required:"" placeholder:"ID" help:"The closed campaign to recompute."`
	Export     string             `placeholder:"FILE" type:"existingfile" help:"Recompute from this export (ndjson): anyone can who has one."`
	Commitment string             `placeholder:"HEX" help:"The commitment noted before the campaign opened (that of the journal)."`
	Receipt    hongbao.Receipt    `xor:"what" required:"" placeholder:"TEXT" help:"The receipt to check; reads the secret in the data folder, or in MySQL."`
	Envelope   hongbao.EnvelopeID `placeholder:"ID" help:"The receipt's envelope."`
	UID        uint64             `and:"win" placeholder:"UID" help:"With --at: the winner, so that the journal is not asked."`
	At         string             `and:"win" placeholder:"TIME" help:"When it was won, as the wallet tells it."`
}

// Run prints what was verified; any difference is a failure.
func (v *VerifyCommand) Run(c *commandLine) error {
	ctx, cancel := c.untilSignal()
	defer cancel()
	if v.Receipt != "" {
		return v.checkReceipt(ctx, c)
	}
	var report audit.VerifyReport
	err := v.journal(ctx, c, v.Campaign, func(entries iter.Seq2[hongbao.Entry, error]) (err error) {
		report, err = audit.Verify(entries, audit.VerifyOptions{Campaign: v.Campaign, Commitment: v.Commitment})
		return err
	})
	if err != nil {
		return err
	}
	if err := c.print(report, func(w io.Writer) { writeVerified(w, &report) }); err != nil {
		return err
	}
	if !report.OK {
		return errDifference
	}
	return nil
}

// journal hands the events of a campaign to use, from the export, the books or the server.
func (v *VerifyCommand) journal(ctx context.Context, c *commandLine, campaign uint32, use func(iter.Seq2[hongbao.Entry, error]) error) (err error) {
	if v.Export != "" {
		file, err := os.Open(v.Export)
		if err != nil {
			return err
		}
		defer file.Close()
		return use(audit.ReadLines(file))
	}
	found, client, err := v.find(ctx, c)
	if err != nil {
		return err
	}
	if found != nil {
		defer func() { err = errors.Join(err, found.Close()) }()
	}
	return use(entries(ctx, found, client, campaign, ""))
}

func writeVerified(w io.Writer, report *audit.VerifyReport) {
	writeChecks(w, report.Checks)
	writeTotals(w, &report.Totals)
	fmt.Fprintf(w, "\ncommitment %s\nseed       %s\n", report.Commitment, report.Seed)
}

// checkReceipt checks a receipt for the win that the flags tell, or else that the journal tells of the envelope.
func (v *VerifyCommand) checkReceipt(ctx context.Context, c *commandLine) error {
	secret, err := readSecret(ctx, &c.Config)
	if err != nil {
		return err
	}
	check := v.checkTold
	if v.At == "" {
		check = func(key hongbao.ReceiptKey) (hongbao.Event, error) { return v.checkJournaled(ctx, c, key) }
	}
	win, err := check(secret.ReceiptKey())
	if err != nil {
		return err
	}
	return c.print(win, func(w io.Writer) {
		fmt.Fprintf(w, "ok\tenvelope %d of campaign %d, won by uid %d at %s\n", win.Envelope, win.Campaign, win.UID, win.At)
	})
}

func (v *VerifyCommand) checkTold(key hongbao.ReceiptKey) (win hongbao.Event, err error) {
	win = hongbao.Event{Kind: hongbao.EnvelopeWon, Campaign: v.Envelope.Campaign(), Envelope: v.Envelope, UID: v.UID}
	if win.At, err = hongbao.ParseTime(v.At); err != nil {
		return win, below("--at", err)
	}
	if !key.Verify(v.Receipt, win.Campaign, uint64(win.Envelope), win.UID, win.At) {
		return win, fmt.Errorf("%w: this is not the receipt of that win", errDifference)
	}
	return win, nil
}

func (v *VerifyCommand) checkJournaled(ctx context.Context, c *commandLine, key hongbao.ReceiptKey) (win hongbao.Event, err error) {
	err = v.journal(ctx, c, v.Envelope.Campaign(), func(entries iter.Seq2[hongbao.Entry, error]) (err error) {
		win, err = audit.CheckReceipt(entries, key, v.Envelope, v.Receipt)
		return err
	})
	if errors.Is(err, hongbao.ErrInvalid) {
		err = fmt.Errorf("%w: %v", errDifference, err) // the receipt is wrong, not the command
	}
	return win, err
}
