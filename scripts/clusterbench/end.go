package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"

	"hongbao/scripts/machine"
)

var endLine = regexp.MustCompile(`\d+ of \d+ envelopes .*`)

// measureEnd sells a campaign of a million envelopes over 16 shards to the last one. The test fails when one is left over
// or the sum is another than the budget; here only its times are of interest.
func measureEnd(ctx context.Context, o options, out io.Writer) error {
	s, err := startServices(ctx, o.dir)
	if err != nil {
		return err
	}
	defer s.stop()
	for round := range o.rounds {
		command := exec.CommandContext(ctx, "go", "test", "./cluster", "-run", "^TestSellsOutExactly$", "-count", "1", "-v", "-timeout", "10m")
		command.Env = append(s.environment(), "HONGBAO_LONG=1")
		text, err := output(command)
		if err != nil {
			return err
		}
		line := endLine.FindString(text)
		if line == "" {
			return fmt.Errorf("the test printed something else: %s", text)
		}
		fmt.Fprintf(out, "- %s\n", line)
		fmt.Fprintf(os.Stderr, "round %d/%d; load %s\n", round+1, o.rounds, machine.Load())
	}
	return nil
}
