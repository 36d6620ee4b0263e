package manual

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"mcp-gw/discovery"
)

// maxBackends bounds how many backends of the file are served.
const maxBackends = 1000

// document is backends.json: what we know of it, and all else that stands in it,
// in its order. It is changed by making another one.
type document struct {
	fields  []field // of the top level; the value of "backends" is in entries
	entries []entry
}

type field struct {
	name  string
	value json.RawMessage
}

// entry is one backend of the file. A wrong one is kept as it is.
type entry struct {
	raw    json.RawMessage
	fields []field // nil when raw is no object
	reg    Registration
	err    error // why reg is not served
}

const backendsField = "backends"

// parse reads the file. An error means that all of it cannot be understood;
// what is wrong with single entries is in them.
func parse(data []byte) (document, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // some editors begin with it
	if len(bytes.TrimSpace(data)) == 0 {
		return document{}, nil
	}
	whole, err := wholeJSON(data)
	if err != nil {
		return document{}, err
	}
	fields, err := object(whole)
	if err != nil {
		return document{}, fmt.Errorf(`it must be an object with the field "backends": %w`, err)
	}
	d := document{fields: fields}
	seen := false
	for _, f := range fields {
		if f.name != backendsField {
			continue
		}
		if seen {
			return document{}, errors.New(`it has the field "backends" twice`)
		}
		seen = true
		var raws []json.RawMessage
		if err := json.Unmarshal(f.value, &raws); err != nil {
			return document{}, errors.New(`the field "backends" must be an array`)
		}
		for _, raw := range raws {
			d.entries = append(d.entries, parseEntry(raw))
		}
	}
	d.judge()
	return d, nil
}

// object splits a JSON object into its fields, in order.
func object(raw json.RawMessage) ([]field, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		return nil, errors.New("it is no object")
	}
	fields := []field{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, _ := key.(string)
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, err
		}
		fields = append(fields, field{name, value})
	}
	if _, err := dec.Token(); err != nil && err != io.EOF {
		return nil, err
	}
	return fields, nil
}

func parseEntry(raw json.RawMessage) entry {
	e := entry{raw: raw, reg: Registration{Enabled: true}}
	fields, err := object(raw)
	if err != nil {
		e.err = err
		return e
	}
	e.fields = fields
	for _, f := range fields {
		var err error
		switch f.name {
		case "name":
			err = decode(f, &e.reg.Name, "a string")
		case "url":
			err = decode(f, &e.reg.URL, "a string")
		case "transport":
			err = decode(f, &e.reg.Transport, "a string")
		case "enabled":
			err = decode(f, &e.reg.Enabled, "true or false")
		case "headers":
			e.reg.Headers = nil
			err = decode(f, &e.reg.Headers, "an object whose values are strings")
		case "groups":
			e.reg.Groups = nil
			err = decode(f, &e.reg.Groups, "an array of strings")
		case "tls":
			var t TLS
			err = decode(f, &t, "an object with verify (true or false), serverName and ca (strings)")
			e.reg.TLS = t.Settings()
		}
		if err != nil && e.err == nil {
			e.err = err
		}
	}
	if e.err == nil {
		e.err = e.reg.Validate()
	}
	return e
}

func decode[T any](f field, into *T, want string) error {
	if json.Unmarshal(f.value, into) != nil {
		return invalid(f.name, "%s must be %s", f.name, want)
	}
	return nil
}

// judge finds what is wrong only among the others: a name used twice, one
// backend too many.
func (d *document) judge() {
	seen := map[string]bool{}
	for i := range d.entries {
		e := &d.entries[i]
		switch {
		case e.err != nil:
		case seen[e.reg.Name]:
			e.err = invalid("name", "the name %q is used by an earlier one", e.reg.Name)
		case len(seen) == maxBackends:
			e.err = fmt.Errorf("there are more than %d", maxBackends)
		default:
			seen[e.reg.Name] = true
		}
	}
}

// registrations are the valid entries, in the order of the file.
func (d document) registrations() []Registration {
	var regs []Registration
	for _, e := range d.entries {
		if e.err == nil {
			regs = append(regs, e.reg)
		}
	}
	return regs
}

// maxProblems bounds how many wrong entries are named.
const maxProblems = 20

// problems names the wrong entries.
func (d document) problems() []string {
	var out []string
	for i, e := range d.entries {
		if e.err == nil {
			continue
		}
		if len(out) == maxProblems {
			return append(out, "and more")
		}
		name := ""
		if e.reg.Name != "" {
			name = fmt.Sprintf(" (%.40q)", e.reg.Name)
		}
		out = append(out, fmt.Sprintf("backends[%d]%s is not served: %v", i, name, e.err))
	}
	return out
}

// with returns the document with r in the place of what has its name, else at
// the end. Fields that we do not know stay where they were.
func (d document) with(r Registration) document {
	named := func(e entry) bool { return e.reg.Name == r.Name }
	at := slices.IndexFunc(d.entries, func(e entry) bool { return named(e) && e.err == nil })
	if at < 0 {
		at = slices.IndexFunc(d.entries, named)
	}
	if at < 0 {
		d.entries = append(slices.Clip(d.entries), entry{}.updated(r))
		return d
	}
	entries := make([]entry, 0, len(d.entries))
	for i, e := range d.entries {
		switch {
		case i == at:
			entries = append(entries, e.updated(r))
		case !named(e):
			entries = append(entries, e)
		}
	}
	d.entries = entries
	return d
}

// without returns the document without all entries of that name.
func (d document) without(name string) document {
	d.entries = slices.DeleteFunc(slices.Clone(d.entries), func(e entry) bool { return e.reg.Name == name })
	return d
}

func (d document) has(name string) bool {
	return slices.ContainsFunc(d.entries, func(e entry) bool { return e.reg.Name == name })
}

func (e entry) updated(r Registration) entry {
	e.reg, e.err = r, nil
	e.fields = set(e.fields, "name", r.Name)
	e.fields = set(e.fields, "url", r.URL)
	e.fields = set(e.fields, "transport", r.Transport)
	e.fields = set(e.fields, "enabled", r.Enabled)
	e.fields = setOrDrop(e.fields, "headers", r.Headers, len(r.Headers) > 0)
	e.fields = setOrDrop(e.fields, "groups", r.Groups, len(r.Groups) > 0)
	e.fields = setOrDrop(e.fields, "tls", writtenTLS(r.TLS), r.TLS != discovery.TLS{})
	e.raw = writeObject(e.fields)
	return e
}
