package upstream

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"mcp-gw/gateway/catalog"
)

// What stands around the items is kept where it can stand around other items, and
// means the same to every reader.
func TestFrame(t *testing.T) {
	large := strings.Repeat("x", maxFrame)
	for name, test := range map[string]struct {
		result     string
		head, tail string // both empty: no frame
	}{
		"nothing else":         {`{"tools":[]}`, `{"tools":[`, `]}`},
		"all else":             {`{"x":1e400,"tools":[{"name":"a"}],"_meta":{"y":[]}}`, `{"x":1e400,"tools":[`, `],"_meta":{"y":[]}}`},
		"whitespace":           {"{ \"tools\"\t:\r\n[ {} \n] , \"x\" : 1 }", "{ \"tools\"\t:\r\n[", `] , "x" : 1 }`},
		"an escaped name":      {`{"\u0074ools":[7]}`, `{"\u0074ools":[`, `]}`},
		"brackets in strings":  {`{"a":"]","tools":["]"],"b":"["}`, `{"a":"]","tools":[`, `],"b":"["}`},
		"the name as a value":  {`{"a":"tools","b":{"tools":[1]},"tools":[]}`, `{"a":"tools","b":{"tools":[1]},"tools":[`, `]}`},
		"twice":                {`{"tools":[1],"tools":[2]}`, "", ""},
		"twice, escaped":       {`{"tools":[1],"\u0074ools":[2]}`, "", ""},
		"another twice":        {`{"x":1,"tools":[],"x":2}`, "", ""},
		"a lookalike":          {`{"Tools":[1],"tools":[2]}`, "", ""},
		"a lookalike cursor":   {`{"tools":[2],"NextCursor":"a"}`, "", ""},
		"a kelvin lookalike":   {`{"tools":[2],"tool\u017f":[1]}`, "", ""},
		"too large":            {`{"tools":[],"x":"` + large + `"}`, "", ""},
		"large items":          {`{"tools":["` + large + `"]}`, `{"tools":[`, `]}`},
		"a bad number":         {`{"x":{"y":01},"tools":[]}`, "", ""},
		"a bad value":          {`{"x":[1 2],"tools":[]}`, "", ""},
		"a bad literal behind": {`{"tools":[],"x":{"y":nul}}`, "", ""},
		"mismatched brackets":  {`{"tools":[],"x":[}}`, "", ""},
		"a control character":  {"{\"x\":\"\n\",\"tools\":[]}", "", ""},
		"a bad escape":         {`{"x":"\q","tools":[]}`, "", ""},
		"no UTF-8":             {"{\"x\":\"\xff\",\"tools\":[]}", "", ""},
		"no list":              {`{"x":[]}`, "", ""},
		"not an array":         {`{"tools":{}}`, "", ""},
		"a number":             {`{"tools":1}`, "", ""},
		"unterminated":         {`{"tools":[]`, "", ""},
		"no object":            {`[]`, "", ""},
		"empty":                {``, "", ""},
	} {
		f := frameOf([]byte(test.result), catalog.Tools)
		if f.Head != test.head || f.Tail != test.tail {
			t.Errorf("%s: %.100q, %.100q; want %q, %q", name, f.Head, f.Tail, test.head, test.tail)
		}
	}
}

// Of a list in pages there is no frame, nor of one that promises more.
func TestFrameOfPages(t *testing.T) {
	for name, test := range map[string]struct {
		behind string
		frame  bool
	}{
		"one piece":     {`,"x":1`, true},
		"a last cursor": {`,"nextCursor":null`, false},
		"a cursor":      {`,"nextCursor":"2"`, false},
		"two cursors":   {`,"nextCursor":null,"nextCursor":"2"`, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := fullBackend(t)
			b.handle("prompts/list", func(w http.ResponseWriter, q *question) {
				behind := test.behind
				if strings.Contains(q.body, "cursor") {
					behind = ""
				}
				reply(w, q, `{"prompts":[]`+behind+`}`)
			})
			s := awaitReady(t, start(t, at(b.URL), quick()))
			if f := s.Hints[catalog.Prompts].Frame; (f.Head != "") != test.frame || test.frame && f.Tail != `],"x":1}` {
				t.Errorf("frame %+v", f)
			}
		})
	}
}

// Whatever a backend sends, a frame is valid JSON around any items.
func FuzzFrame(f *testing.F) {
	for _, seed := range []string{`{"tools":[]}`, `{"a":{"b":[1,"]"]},"tools":[{}] , "c":null}`, `{"tools":[],"tools":[]}`, "{\"\\u0074ools\" : [ ] }", `{"x":01,"tools":[]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, result []byte) {
		frame := frameOf(result, catalog.Tools)
		if frame == (catalog.Frame{}) {
			return
		}
		for _, items := range []string{"", `{"name":"a"},{"name":"b"}`} {
			whole := []byte(frame.Head + items + frame.Tail)
			var read struct{ Tools []struct{ Name string } }
			if !json.Valid(whole) || !utf8.Valid(whole) || json.Unmarshal(whole, &read) != nil || len(read.Tools) != strings.Count(items, "name") {
				t.Errorf("%q makes %q", result, whole)
			}
		}
	})
}
