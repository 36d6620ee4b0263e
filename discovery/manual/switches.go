package manual

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"mcp-gw/discovery"
)

// maxSwitches bounds what is switched off, backends and tools together.
const maxSwitches = 20_000

// Switchboard keeps what people switched off: backends, whoever wants them, and tools
// of any. It has a file of its own, so that what a label wants stays the label's.
type Switchboard struct {
	*store[board]
	owner *owner[board]
}

// NewSwitchboard reads the switches in the file at path at once, so that nothing that
// is switched off is connected even for a moment, and hands them to sink. The file
// need not exist; it is made when something is first switched off. While nobody can
// tell what it switches off, everything is.
func NewSwitchboard(path string, log *slog.Logger, sink discovery.Switcher) *Switchboard {
	s := newStore(path, log, format[board]{
		name: "switches file", parse: parseBoard, bytes: board.bytes, problems: func(board) []string { return nil },
		standing: func(last board) (so, mend string) {
			switch n := last.count(); {
			case last.unknown:
				return "every backend is switched off, because nobody can tell which of them and of their tools should be", "Mend it, or remove it: then nothing is switched off."
			case n > 0:
				return fmt.Sprintf("what it had switched off stays so (%d)", n), replaced("switch something", path)
			}
			return "nothing is switched off, as before", replaced("switch something", path)
		},
		shrink: "switch something on first",
	})
	o := &owner[board]{store: s, doc: board{unknown: true}, put: func(b board) { sink.Switch(b.switches()) }}
	o.load()
	o.put(o.doc)
	return &Switchboard{s, o}
}

// Run keeps the file until ctx ends. It may be called once.
func (s *Switchboard) Run(ctx context.Context) error {
	sweep(s.path, time.Now())
	s.owner.run(ctx)
	return nil
}

// Backend saves whether a backend is switched on, and reports whether it was
// otherwise before. It waits for Run to do it.
func (s *Switchboard) Backend(ctx context.Context, name string, on bool) (bool, error) {
	return s.turn(ctx, func(b board) int { return b.backend(name, on) })
}

// Tools saves whether tools are switched on, by backend and by its own names of them,
// all at once, and answers how many were otherwise before. It waits for Run to do it.
func (s *Switchboard) Tools(ctx context.Context, tools map[string][]string, on bool) (int, error) {
	changed := 0
	_, err := s.turn(ctx, func(b board) int {
		changed = 0
		for backend, names := range tools {
			for _, name := range names {
				changed += b.tool(backend, name, on)
			}
		}
		return changed
	})
	if err != nil {
		return 0, err
	}
	return changed, nil
}

func (s *Switchboard) turn(ctx context.Context, change func(board) int) (changed bool, err error) {
	err = s.request(ctx, func(old board) (board, error) {
		if old.unknown {
			return old, invalid("", "%s cannot be used, so that every backend is off: mend it, or remove it", s.path)
		}
		b := old.clone()
		if changed = change(b) > 0; !changed {
			return old, errUnchanged
		}
		if n := b.count(); n > maxSwitches {
			return old, invalid("", "%d backends and tools would be switched off, and there may be %d: leave tools out with labels", n, maxSwitches)
		}
		return b, nil
	})
	return changed && err == nil, err
}

// board is switches.json: what is switched off, and all else that stands in it, in
// its order.
type board struct {
	fields   []field // of the top level; the values of our own are in the maps
	backends map[string]bool
	tools    map[string]map[string]bool
	// unknown: the file could not be understood yet.
	unknown bool
}

const (
	offBackendsField = "disabledBackends"
	offToolsField    = "disabledTools"
)

// parseBoard reads the file. One wrong entry makes all of it wrong: what cannot be
// read may be what somebody wants to be off.
func parseBoard(data []byte) (board, error) {
	b := board{backends: map[string]bool{}, tools: map[string]map[string]bool{}}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(data)) == 0 {
		return b, nil
	}
	whole, err := wholeJSON(data)
	if err != nil {
		return board{}, err
	}
	if b.fields, err = object(whole); err != nil {
		return board{}, fmt.Errorf("it must be an object with the fields %q and %q: %w", offBackendsField, offToolsField, err)
	}
	seen := map[string]bool{}
	for _, f := range b.fields {
		if f.name != offBackendsField && f.name != offToolsField {
			continue
		}
		if seen[f.name] {
			return board{}, fmt.Errorf("it has the field %q twice", f.name)
		}
		seen[f.name] = true
		if f.name == offBackendsField {
			var names []string
			if json.Unmarshal(f.value, &names) != nil {
				return board{}, fmt.Errorf("the field %q must be an array of backends' names", f.name)
			}
			for _, name := range names {
				b.backend(name, false)
			}
			continue
		}
		var tools map[string][]string
		if json.Unmarshal(f.value, &tools) != nil {
			return board{}, fmt.Errorf("the field %q must be an object with an array of tools' names for each backend", f.name)
		}
		for backend, names := range tools {
			for _, name := range names {
				b.tool(backend, name, false)
			}
		}
	}
	if n := b.count(); n > maxSwitches {
		return board{}, fmt.Errorf("it switches %d backends and tools off, and may %d", n, maxSwitches)
	}
	return b, nil
}

// wholeJSON is the one JSON value in data; its error names the line.
func wholeJSON(data []byte) (json.RawMessage, error) {
	var whole json.RawMessage
	err := json.Unmarshal(data, &whole)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		before := data[:min(int(syntax.Offset), len(data))]
		return nil, fmt.Errorf("line %d: %w", 1+bytes.Count(before, []byte("\n")), err)
	}
	return whole, err
}

// backend throws a backend's switch, and answers 1 when it was otherwise before.
func (b board) backend(name string, on bool) int {
	if b.backends[name] != on {
		return 0
	}
	if on {
		delete(b.backends, name)
	} else {
		b.backends[name] = true
	}
	return 1
}

// tool throws a tool's switch, likewise.
func (b board) tool(backend, name string, on bool) int {
	off := b.tools[backend]
	switch {
	case off[name] != on:
		return 0
	case !on && off == nil:
		b.tools[backend] = map[string]bool{name: true}
	case !on:
		off[name] = true
	case len(off) == 1:
		delete(b.tools, backend)
	default:
		delete(off, name)
	}
	return 1
}

func (b board) count() int {
	n := len(b.backends)
	for _, off := range b.tools {
		n += len(off)
	}
	return n
}

func (b board) clone() board {
	c := board{fields: b.fields, backends: map[string]bool{}, tools: map[string]map[string]bool{}}
	maps.Copy(c.backends, b.backends)
	for backend, off := range b.tools {
		c.tools[backend] = maps.Clone(off)
	}
	return c
}

// switches are what others get: a copy.
func (b board) switches() discovery.Switches {
	if b.unknown {
		return discovery.Switches{All: true}
	}
	c := b.clone()
	return discovery.Switches{Backends: c.backends, Tools: c.tools}
}

// bytes renders the board for people: indented, sorted, its other fields in order.
func (b board) bytes() []byte {
	tools := make(map[string][]string, len(b.tools))
	for backend, off := range b.tools {
		tools[backend] = slices.Sorted(maps.Keys(off))
	}
	fields := set(slices.Clone(b.fields), offBackendsField, append([]string{}, slices.Sorted(maps.Keys(b.backends))...))
	fields = set(fields, offToolsField, tools)
	return indented(fields)
}
