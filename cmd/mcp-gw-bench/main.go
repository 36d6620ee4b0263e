// Command mcp-gw-bench measures the gateway against what is possible on the
// machine it runs on. Everything talks over loopback; no figure means anything
// but in comparison with the others of the same run.
//
// Its subcommand run, the default, needs nothing but a clone: it builds the
// gateway, starts a fleet of very fast MCP servers and a bare reverse proxy,
// and loads all of them in turn. discovery measures how long a container takes
// to become a tool. The other subcommands are the parts, for measuring by hand;
// the README beside this file tells how, and how to read the numbers.
//
// Nothing in here is shared with the gateway: a yardstick made of what it
// measures would shrink along with it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

type commands struct {
	Run       runCommand       `cmd:"" default:"withargs" help:"Measure the gateway beside the yardsticks (the default)."`
	Discovery discoveryCommand `cmd:"" help:"Measure how long a started or killed container takes to change the tool list."`
	Load      loadCommand      `cmd:"" help:"Drive one MCP endpoint and check every answer."`
	Backend   backendCommand   `cmd:"" help:"Serve a fleet of fast MCP servers."`
	Floor     floorCommand     `cmd:"" help:"Serve a bare httputil.ReverseProxy, the practical floor."`
	Rawfloor  rawFloorCommand  `cmd:"" help:"Serve the least that a namespacing gateway can do."`
}

// Exit codes.
const (
	exitWrong       = 1   // an answer was wrong, something failed, or with --check a promise was not kept
	exitUsage       = 2   // called wrongly
	exitInterrupted = 130 // by a signal, after cleaning up
)

// terminal is where a command writes: results to out, progress to log.
type terminal struct {
	out io.Writer
	log *slog.Logger
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without its globals. It returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	exit := -1
	parser, err := kong.New(&commands{}, kong.Name("mcp-gw-bench"), kong.UsageOnError(),
		kong.Description("Measures mcp-gw against what is possible on this machine."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(terminal{stdout, slog.New(slog.NewTextHandler(stderr, nil))}))
	if err != nil {
		panic(err) // the commands above are described wrongly
	}
	command, err := parser.Parse(args)
	if exit >= 0 { // help was asked for, and given
		return exit
	}
	if err != nil {
		fmt.Fprintf(stderr, "mcp-gw-bench: %v\n", err)
		return exitUsage
	}
	err = command.Run()
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "mcp-gw-bench: interrupted")
		return exitInterrupted
	default:
		fmt.Fprintf(stderr, "mcp-gw-bench: %v\n", err)
		return exitWrong
	}
}
