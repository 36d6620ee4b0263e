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
	run        func(ctx context.Context, cfg config, t terminal) error
}

// terminal is where a command writes: results to out, the log to err.
type terminal struct{ out, err io.Writer }

// commands, in the order of the help text. The first is the default.
func commands() []command {
	return []command{
		{"serve", "run the gateway (the default)", serve},
		{"healthcheck", "ask the gateway on this machine whether it is alive; exit 0 when it is", healthcheck},
		{"version", "print the version", printVersion},
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
	cfg, err := loadConfig(args, environ)
	switch {
	case errors.Is(err, flag.ErrHelp):
		writeHelp(stdout, cmds)
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "mcp-gw: the configuration is wrong:\n  %s\n", strings.ReplaceAll(err.Error(), "\n", "\n  "))
		return 2
	}
	if err := cmd.run(ctx, cfg, terminal{stdout, stderr}); err != nil {
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
	fmt.Fprint(w, "mcp-gw connects MCP clients to the MCP servers that run in containers.\n\nUsage: mcp-gw [command] [flags]\n\nCommands:\n")
	for _, c := range cmds {
		fmt.Fprintf(w, "  %-12s %s\n", c.name, c.help)
	}
	fmt.Fprint(w, "\nSettings, each a flag or an environment variable; the flag wins:\n")
	for _, s := range settings() {
		fmt.Fprintf(w, "\n  --%s, %s (default %s)\n      %s\n", s.flag, s.env, orNone(s.def), s.help)
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
