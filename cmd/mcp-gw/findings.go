package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// state is how good a finding is.
type state string

const (
	stateOK   state = "ok"
	stateInfo state = "info" // neither good nor bad
	stateWarn state = "warn"
	stateFail state = "fail"
)

// finding is one line of what was found. Its JSON is stable.
type finding struct {
	// Area is engine, socket, network, self, gateway, container or backend.
	Area string `json:"area"`
	// Subject is whom it is about, where there are several.
	Subject string `json:"subject,omitempty"`
	State   state  `json:"state"`
	// Code is a stable word; of a container, its verdict.
	Code string `json:"code,omitempty"`
	Text string `json:"text"`
	// Fix is what to type or to change.
	Fix  string   `json:"fix,omitempty"`
	More []string `json:"more,omitempty"`
}

type findings struct {
	list []finding
	// blind: the engine could not be asked, so that what is not found may be there.
	blind bool
}

func (fs *findings) add(f finding) { fs.list = append(fs.list, f) }

func (fs *findings) count(s state) int {
	n := 0
	for _, f := range fs.list {
		if f.State == s {
			n++
		}
	}
	return n
}

// tell prints findings and answers the exit code that they ask for.
func tell(t terminal, cfg config, fs findings, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(t.out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		list := fs.list
		if list == nil {
			list = []finding{}
		}
		if err := enc.Encode(struct {
			OK       bool      `json:"ok"`
			Findings []finding `json:"findings"`
		}{fs.count(stateFail) == 0, list}); err != nil {
			return err
		}
	} else {
		fs.print(t.out, !cfg.NoColor && isTerminal(t.out))
	}
	switch {
	case fs.blind:
		return exit(2)
	case fs.count(stateFail) > 0:
		return exit(1)
	}
	return nil
}

// marks are words, which every terminal and every reader of a log has.
var marks = map[state]string{stateOK: "  ok", stateInfo: "   -", stateWarn: "warn", stateFail: "FAIL"}

var colours = map[state]string{stateOK: "32", stateInfo: "2", stateWarn: "33", stateFail: "31"}

func (fs *findings) print(w io.Writer, colour bool) {
	width := 0
	for _, f := range fs.list {
		width = max(width, len(f.title()))
	}
	width = min(width, 32)
	for _, f := range fs.list {
		mark := marks[f.State]
		if colour {
			mark = "\x1b[" + colours[f.State] + "m" + mark + "\x1b[0m"
		}
		text := f.Text
		if f.State == stateFail && f.Area == "container" {
			text = f.Code + ": " + text
		}
		fmt.Fprintf(w, "%s  %-*s  %s\n", mark, width, printable(f.title()), printable(text))
		indent := strings.Repeat(" ", 8)
		if f.Fix != "" {
			fmt.Fprintf(w, "%sfix: %s\n", indent, printable(f.Fix))
		}
		for _, m := range f.More {
			fmt.Fprintf(w, "%s%s\n", indent, printable(m))
		}
	}
	switch fails, warns := fs.count(stateFail), fs.count(stateWarn); {
	case fs.blind:
		fmt.Fprintln(w, "\nThe engine could not be looked at.")
	case fails+warns == 0:
		fmt.Fprintln(w, "\nAll is well.")
	default:
		fmt.Fprintf(w, "\n%s, %s.\n", plural(fails, "problem"), plural(warns, "warning"))
	}
}

func (f finding) title() string {
	if f.Subject != "" {
		return f.Subject
	}
	return f.Area
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// printable keeps what containers and servers call themselves from steering the
// terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
