package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"mcp-gw/discovery"
	"mcp-gw/discovery/docker/compose"
)

// lintCommand is `mcp-gw lint`: what the gateway would say of a compose file, before
// anything is started.
func lintCommand() command {
	var asJSON bool
	return command{
		name: "lint", takes: "FILE…", help: "read compose files (- is standard input), without an engine, and say what the gateway would not understand; exit 0 when all is well, 1 with problems, 2 when a file cannot be read",
		flags: func(f *flag.FlagSet) {
			f.BoolVar(&asJSON, "json", false, "print findings as JSON: {ok, findings: [{file, line, service, severity, code, message, fix}], errors}")
		},
		run: func(_ context.Context, cfg config, t terminal) error { return lint(cfg, t, asJSON) },
	}
}

func lint(cfg config, t terminal, asJSON bool) error {
	files := t.args
	if len(files) == 0 {
		files = []string{"compose.yaml"}
	}
	found, unread := []compose.Finding{}, []string{}
	for _, file := range files {
		data, err := readFile(file)
		var more []compose.Finding
		if err == nil {
			more, err = compose.Lint(file, data, compose.Options{Network: cfg.DockerNetwork})
		}
		if err != nil {
			unread = append(unread, fmt.Sprintf("%s: %v", file, err))
			continue
		}
		found = append(found, more...)
	}
	errs, warnings := 0, 0
	for _, f := range found {
		switch f.Severity {
		case discovery.SeverityError:
			errs++
		case discovery.SeverityWarning:
			warnings++
		}
	}
	if asJSON {
		enc := json.NewEncoder(t.out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(struct {
			OK       bool              `json:"ok"`
			Findings []compose.Finding `json:"findings"`
			Errors   []string          `json:"errors"`
		}{errs+len(unread) == 0, found, unread}); err != nil {
			return err
		}
	} else {
		printLint(t.out, found, !cfg.NoColor && isTerminal(t.out))
		for _, u := range unread {
			fmt.Fprintln(t.out, printable(u))
		}
		if len(found) > 0 {
			fmt.Fprintln(t.out)
		}
		fmt.Fprintf(t.out, "%s, %s in %s.\n", plural(errs, "error"), plural(warnings, "warning"), plural(len(files), "file"))
	}
	switch {
	case len(unread) > 0:
		return exit(2)
	case errs > 0:
		return exit(1)
	}
	return nil
}

func readFile(file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(io.LimitReader(os.Stdin, compose.MaxFile+1))
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, compose.MaxFile+1))
}

func printLint(w io.Writer, found []compose.Finding, colour bool) {
	colours := map[discovery.Severity]string{discovery.SeverityError: "31", discovery.SeverityWarning: "33", discovery.SeverityInfo: "2"}
	for _, f := range found {
		severity := string(f.Severity)
		if colour {
			severity = "\x1b[" + colours[f.Severity] + "m" + severity + "\x1b[0m"
		}
		fmt.Fprintf(w, "%s:%d: %s %s: %s\n", printable(f.File), f.Line, severity, f.Code, printable(f.Message))
		if f.Fix != "" {
			fmt.Fprintf(w, "        fix: %s\n", printable(f.Fix))
		}
	}
}
