package manual

import (
	"encoding/json"
	"slices"
	"testing"
)

// FuzzDocument: whatever the file says, it is read without harm; what is served
// is valid; and a registration adds or replaces one backend and loses nothing.
func FuzzDocument(f *testing.F) {
	for _, s := range []string{
		"", "null", "{}", `{"backends":null}`, `{"backends":[null,1,"x",[],{}]}`,
		`{"a":1e999,"backends":[{"name":"a","url":"http://a","transport":"http","headers":{"X":"1"},"x":{"y":[]}},{"name":"a"}],"\ud800":"\u0000"}`,
		`{"backends":[{"name":"b","url":"https://b","transport":"http","groups":["x",1],"tls":{"verify":0}},{"name":"c","url":"https://c","transport":"http","groups":["x"],"tls":{"verify":false,"serverName":"s","ca":null}}]}`,
		"\xef\xbb\xbf{\"backends\":[{\"name\":\"n\",\"name\":\"a\",\"url\":\"http://\xff\",\"transport\":\"sse\",\"enabled\":false}]}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := parse(data)
		if err != nil {
			return
		}
		names := map[string]bool{}
		for _, r := range d.registrations() {
			if r.Validate() != nil || names[r.Name] {
				t.Fatalf("%q serves %+v", data, r)
			}
			names[r.Name] = true
		}
		add := Registration{Name: "a", URL: "http://new", Transport: "http", Enabled: true}
		again, err := parse(d.with(add).bytes())
		if err != nil {
			t.Fatalf("%q became unreadable: %v", data, err)
		}
		want := len(names)
		if !names["a"] {
			want++
		}
		regs := again.registrations()
		if !slices.ContainsFunc(regs, add.Equal) || len(regs) != want {
			t.Fatalf("%q with a serves %+v, want %d", data, regs, want)
		}
		if len(again.fields) != max(len(d.fields), 1) && d.fieldIndex() >= 0 {
			t.Fatalf("%q lost a field", data)
		}
		if text := again.bytes(); !json.Valid(text) || string(text) != string(mustParse(t, text).bytes()) {
			t.Fatalf("%q does not stay as it is: %s", data, text)
		}
		if mustParse(t, again.without("a").bytes()).has("a") {
			t.Fatalf("%q keeps what was removed", data)
		}
	})
}

func (d document) fieldIndex() int {
	return slices.IndexFunc(d.fields, func(f field) bool { return f.name == backendsField })
}

func mustParse(t *testing.T, data []byte) document {
	t.Helper()
	d, err := parse(data)
	if err != nil {
		t.Fatalf("%q: %v", data, err)
	}
	return d
}
