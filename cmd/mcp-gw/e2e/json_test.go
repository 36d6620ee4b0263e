package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

// member is one member of a JSON object, with where it stands in the text.
type member struct {
	key      string
	value    []byte
	from, to int // from the key's quote to behind the value
}

// members splits the text of an object, in order and with duplicates. Nothing is
// decoded but the keys.
func members(object []byte) ([]member, error) {
	dec := json.NewDecoder(bytes.NewReader(object))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, fmt.Errorf("not an object (%v): %.200s", err, object)
	}
	var list []member
	for dec.More() {
		from := int(dec.InputOffset())
		from += bytes.IndexByte(object[from:], '"')
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, err
		}
		list = append(list, member{key.(string), value, from, int(dec.InputOffset())})
	}
	return list, nil
}

// get returns the text at path, or nil where it leads nowhere.
func get(text []byte, path ...string) []byte {
	for _, key := range path {
		list, err := members(text)
		if err != nil {
			return nil
		}
		i := slices.IndexFunc(list, func(m member) bool { return m.key == key })
		if i < 0 {
			return nil
		}
		text = list[i].value
	}
	return text
}

// str returns the string at path, "" where there is none.
func str(text []byte, path ...string) string {
	var s string
	_ = json.Unmarshal(get(text, path...), &s)
	return s
}

// elements splits the text of an array.
func elements(t *testing.T, array []byte) [][]byte {
	t.Helper()
	var raw []json.RawMessage
	if err := json.Unmarshal(array, &raw); err != nil {
		t.Fatalf("not an array (%v): %.200s", err, array)
	}
	list := make([][]byte, len(raw))
	for i, r := range raw {
		list[i] = r
	}
	return list
}

// without cuts the members with these keys out of an object's text and leaves
// every other byte in place.
func without(object []byte, keys ...string) []byte {
	list, err := members(object)
	if err != nil {
		return object
	}
	for i := len(list) - 1; i >= 0; i-- {
		if !slices.Contains(keys, list[i].key) {
			continue
		}
		from, to := list[i].from, list[i].to
		if i > 0 {
			from = list[i-1].to
		} else if i+1 < len(list) {
			to = list[i+1].from
		}
		object = slices.Concat(object[:from], object[to:])
		if rest, err := members(object); err == nil {
			list = rest
		}
	}
	return object
}

// replace puts value in the place of the member's at key and leaves every other
// byte in place.
func replace(object []byte, key, value string) []byte {
	list, err := members(object)
	if err != nil {
		return object
	}
	i := slices.IndexFunc(list, func(m member) bool { return m.key == key })
	if i < 0 {
		return object
	}
	return slices.Concat(object[:list[i].to-len(list[i].value)], []byte(value), object[list[i].to:])
}

func TestJSONHelpersKeepEveryOtherByte(t *testing.T) {
	const text = `{ "a":1e400 , "b" : {"c":"}\""},"a":2, "d":[ ] }`
	for _, c := range []struct{ what, got, want string }{
		{"get", string(get([]byte(text), "b", "c")), `"}\""`},
		{"get the first of two", string(get([]byte(text), "a")), `1e400`},
		{"get nothing", string(get([]byte(text), "b", "x")), ``},
		{"replace", string(replace([]byte(text), "b", `0`)), `{ "a":1e400 , "b" : 0,"a":2, "d":[ ] }`},
		{"cut the middle", string(without([]byte(text), "b")), `{ "a":1e400,"a":2, "d":[ ] }`},
		{"cut the first and its twin", string(without([]byte(text), "a")), `{ "b" : {"c":"}\""}, "d":[ ] }`},
		{"cut the last", string(without([]byte(text), "d")), `{ "a":1e400 , "b" : {"c":"}\""},"a":2 }`},
		{"cut the only one", string(without([]byte(`{"x":1}`), "x")), `{}`},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %s, want %s", c.what, c.got, c.want)
		}
	}
}
