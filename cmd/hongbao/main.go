package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // zones must be there on machines that have none

	"github.com/alecthomas/kong"

	"hongbao"
)

// settingsGroup holds the flags that are settings, and says in the help where else they can be set.
const (
	settingsGroup      = "settings"
	settingsGroupTitle = "Settings; in the environment --player.listen is HONGBAO_PLAYER__LISTEN, in the file listen below player:"
)

// commandLine is what can be typed.
type commandLine struct {
	ConfigFile string `name:"config" env:"HONGBAO_CONFIG" placeholder:"FILE" help:"Config file (YAML)."`
	JSON       bool   `help:"Answer and log in JSON."`
	Config     `embed:"" group:"settings"`

	Serve     ServeCommand     `cmd:"" help:"Serve players and administrators."`
	Worker    WorkerCommand    `cmd:"" help:"Do the cluster's work in the background: journal, books, clock."`
	Reconcile ReconcileCommand `cmd:"" help:"Make shards that lost something anew from the books (cluster)."`
	Audit     AuditCommand     `cmd:"" help:"Check the guarantees against the whole journal."`
	Export    ExportCommand    `cmd:"" help:"Write the journal out."`
	Verify    VerifyCommand    `cmd:"" help:"Recompute a closed campaign from its revealed seed, or check a receipt."`
	Bench     BenchCommand     `cmd:"" help:"Play a crowd against a running server, and check every answer."`
	Backup    BackupCommand    `cmd:"" help:"Copy the data folder of a running server."`
	Token     TokenCommand     `cmd:"" help:"Mint a player's JWT for trying things out."`
	Version   VersionCommand   `cmd:"" help:"Tell what this binary was built from."`

	stdout io.Writer
	stderr io.Writer
}

func main() {
	c := &commandLine{stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(c.run(os.Args[1:]))
}

// run parses and runs, and returns the exit code.
func (c *commandLine) run(args []string) int {
	command, err := c.parse(args)
	if err == nil {
		err = command.Run(c)
	}
	if err == nil {
		return exitOK
	}
	if c.JSON {
		newLogger(c.stderr, true).Error("failed", "error", err)
	} else {
		fmt.Fprintln(c.stderr, "hongbao:", err)
	}
	return exitCode(err)
}

// untilSignal is a context that ends with the first signal to stop; a second one ends the process at once.
func (c *commandLine) untilSignal() (context.Context, context.CancelFunc) {
	ctx, restore := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, restore)
	return ctx, restore
}

// The exit codes of every command.
const (
	exitOK     = 0
	exitFailed = 1 // it failed, or found a difference
	exitUsage  = 2 // bad usage or configuration
)

// usageError is bad usage or configuration, found before anything was done.
type usageError struct{ error }

// Error leaves out the flag that kong puts before an error that begins with the key already: it may be set elsewhere.
func (e usageError) Error() string {
	text := e.error.Error()
	flag, rest, _ := strings.Cut(text, ": ")
	if key, isFlag := strings.CutPrefix(flag, "--"); isFlag && strings.HasPrefix(rest, key) {
		return rest
	}
	return text
}

func exitCode(err error) int {
	var usage usageError
	if errors.As(err, &usage) || errors.Is(err, hongbao.ErrInvalid) {
		return exitUsage
	}
	return exitFailed
}

// parse reads the arguments, and the settings from wherever they are.
func (c *commandLine) parse(args []string) (*kong.Context, error) {
	parser, err := kong.New(c,
		kong.Name("hongbao"),
		kong.Description("A red-packet campaign server: never a fen over, never a win lost, never a lie to a player."),
		kong.ExplicitGroups([]kong.Group{{Key: settingsGroup, Title: settingsGroupTitle}}),
		kong.Vars{"weaknesses": weaknesses()},
		kong.Writers(c.stdout, c.stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return nil, err
	}
	command, err := parser.Parse(args)
	if err == nil {
		err = c.Config.validate()
	}
	if err != nil {
		return nil, usageError{err}
	}
	return command, nil
}

// BeforeResolve lays the settings of file and environment below the flags; kong calls it.
func (c *commandLine) BeforeResolve(parser *kong.Kong, command *kong.Context) error {
	settings, err := loadSettings(keysOf(parser.Model), configFile(command), os.Environ())
	if err != nil {
		return err
	}
	command.AddResolver(settings)
	return nil
}

// configFile is the file that --config or its variable names.
func configFile(command *kong.Context) string {
	for _, flag := range command.Model.Flags {
		if flag.Name == "config" {
			return command.FlagValue(flag).(string)
		}
	}
	return ""
}
