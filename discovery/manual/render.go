package manual

import (
	"bytes"
	"encoding/json"
	"slices"

	"mcp-gw/discovery"
)

// set returns the fields with a value under name, once.
func set[T string | bool | discovery.Transport | map[string]string | []string | map[string][]string | TLS](fields []field, name string, value T) []field {
	out := make([]field, 0, len(fields)+1)
	done := false
	for _, f := range fields {
		if f.name == name {
			if done {
				continue
			}
			f.value, done = encode(value), true
		}
		out = append(out, f)
	}
	if !done {
		out = append(out, field{name, encode(value)})
	}
	return out
}

// setOrDrop returns the fields with a value under name, or without the name.
func setOrDrop[T map[string]string | []string | TLS](fields []field, name string, value T, wanted bool) []field {
	if wanted {
		return set(fields, name, value)
	}
	return slices.DeleteFunc(fields, func(f field) bool { return f.name == name })
}

// bytes renders the document for people: indented, its own fields in order.
func (d document) bytes() []byte {
	raws := make([][]byte, len(d.entries))
	for i, e := range d.entries {
		raws[i] = e.raw
	}
	list := slices.Concat([]byte("["), bytes.Join(raws, []byte(",")), []byte("]"))
	fields := slices.Clone(d.fields)
	if i := slices.IndexFunc(fields, func(f field) bool { return f.name == backendsField }); i >= 0 {
		fields[i].value = list
	} else {
		fields = append(fields, field{backendsField, list})
	}
	return indented(fields)
}

func indented(fields []field) []byte {
	var out bytes.Buffer
	if err := json.Indent(&out, writeObject(fields), "", "  "); err != nil {
		panic("manual: a document of valid parts is not valid: " + err.Error())
	}
	out.WriteByte('\n')
	return out.Bytes()
}

func writeObject(fields []field) []byte {
	out := []byte("{")
	for i, f := range fields {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, encode(f.name)...)
		out = append(out, ':')
		out = append(out, f.value...)
	}
	return append(out, '}')
}

// encode writes a value of a type that always has a JSON form.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("manual: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
