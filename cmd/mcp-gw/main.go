// Command mcp-gw connects MCP clients to the MCP servers that run in
// containers: label a container, and its tools are listed at /mcp.
//
// This package wires the rooms together and holds nothing of its own: what
// should be connected is decided in discovery, how to speak MCP in gateway, what
// people see in dashboard.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// version is set by the linker: -X main.version=1.2.3.
var version = "dev"

// A command runs until it is done or ctx ends. Its error is printed as it is.
type command struct {
	name, help string
	// takes says what follows the command, for the help text; "" = settings alone.
	takes string
	// flags adds those of the command's own to the settings; nil = none.
	flags func(*flag.FlagSet)
	run   func(ctx context.Context, cfg config, t terminal) error
}

// terminal is where a command writes: results to out, the log to err; and what was
// typed after it.
type terminal struct {
	out, err io.Writer
	args     []string
}

// exit is the error of a command that has said everything and asks for this exit
// code.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// commands, in the order of the help text. The first is the default.
func commands() []command {
	return []command{
		{name: "serve", help: "run the gateway (the default)", run: serve},
		doctorCommand(),
		lintCommand(),
		{name: "docker-proxy", help: "let the gateway, and nothing else, see what it needs of the engine's socket", run: dockerProxy},
		{name: "shim", takes: "-- COMMAND [ARGUMENT…]", help: "start an MCP server that speaks stdio, and serve it over HTTP; exit 127 when there is no such command, and as it does when it cannot be kept running", run: runShim},
		{name: "healthcheck", help: "ask the gateway on this machine whether it is alive; exit 0 when it is", run: healthcheck},
		{name: "version", help: "print the version", run: printVersion},
	}
}

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// run is main without its globals. It returns the exit code: 0 done, 1 failed,
// 2 called wrongly.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	cmds := commands()
	cmd := cmds[0]
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		if args[0] == "help" {
			writeHelp(stdout, cmds)
			return 0
		}
		found := false
		for _, c := range cmds {
			if c.name == args[0] {
				cmd, found = c, true
			}
		}
		if !found {
			fmt.Fprintf(stderr, "mcp-gw: unknown command %q; 'mcp-gw help' lists all\n", args[0])
			return 2
		}
		args = args[1:]
	}
	cfg, rest, err := loadCommand(cmd, args, environ)
	switch {
	case errors.Is(err, flag.ErrHelp):
		writeHelp(stdout, cmds)
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "mcp-gw: the configuration is wrong:\n  %s\n", strings.ReplaceAll(err.Error(), "\n", "\n  "))
		return 2
	}
	err = cmd.run(ctx, cfg, terminal{stdout, stderr, rest})
	var code exit
	switch {
	case errors.As(err, &code):
		return int(code)
	case err != nil:
		fmt.Fprintf(stderr, "mcp-gw %s: %v\n", cmd.name, err)
		return 1
	}
	return 0
}

func printVersion(_ context.Context, _ config, t terminal) error {
	_, err := fmt.Fprintln(t.out, "mcp-gw", version)
	return err
}

func writeHelp(w io.Writer, cmds []command) {
	fmt.Fprint(w, "mcp-gw connects MCP clients to the MCP servers that run in containers.\n\nUsage: mcp-gw [command] [settings]\n\nCommands:\n")
	for _, c := range cmds {
		fmt.Fprintf(w, "  %s\n      %s\n", strings.TrimRight(c.name+" "+c.takes, " "), c.help)
		if c.flags != nil {
			own := flag.NewFlagSet(c.name, flag.ContinueOnError)
			c.flags(own)
			own.VisitAll(func(f *flag.Flag) { fmt.Fprintf(w, "      --%s: %s\n", f.Name, f.Usage) })
		}
	}
	fmt.Fprint(w, "\nSettings, each an environment variable, nearly all a flag too, which wins:\n")
	for _, s := range settings() {
		names := s.env
		if s.flag != "" {
			names = "--" + s.flag + ", " + names
		}
		fmt.Fprintf(w, "\n  %s (default %s)\n      %s\n", names, orNone(s.def), s.help)
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
