package catalog

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestParseTool(t *testing.T) {
	const schema = `"inputSchema":{"type":"object"}`
	tests := []struct{ name, in, want string }{ // want: the tool's name, or "!" and a part of the error
		{"least", `{"name":"a",` + schema + `}`, "a"},
		{"space around", " \n{\"name\":\"a\"," + schema + "}\n", "a"},
		{"escaped", `{"n\u0061me":"\u0061\"b",` + schema + `}`, `a"b`},
		{"all members", `{"name":"a","title":"t","description":"d",` + schema + `,"outputSchema":{},"annotations":{},"execution":{},"icons":[],"_meta":{},"new":null}`, "a"},
		{"not JSON inside a schema", `{"name":"a","inputSchema":{"type":"object",}}`, "!not valid JSON"},
		{"not UTF-8", "{\"name\":\"a\",\"description\":\"\xff\"," + schema + "}", "!not UTF-8"},
		{"no object", `["name"]`, "!object was expected"},
		{"no name", `{` + schema + `}`, `!no "name"`},
		{"empty name", `{"name":"",` + schema + `}`, `!no "name"`},
		{"number as name", `{"name":1,` + schema + `}`, `!"name" is 1, must be a string`},
		{"two names", `{"name":"a",` + schema + `,"name":"other__b"}`, `!"name" twice`},
		{"a name that Go would read", `{"name":"a",` + schema + `,"Name":"other__b"}`, `!"Name"`},
		{"null as title", `{"name":"a","title":null,` + schema + `}`, `!"title" is null, must be a string`},
		{"string as annotations", `{"name":"a","annotations":"x",` + schema + `}`, `!must be an object`},
		{"no schema", `{"name":"a"}`, `!"inputSchema" must be`},
		{"schema without type", `{"name":"a","inputSchema":{}}`, `!"type": "object"`},
		{"schema of another type", `{"name":"a","inputSchema":{"type":"string"}}`, `!"type": "object"`},
		{"schema true", `{"name":"a","inputSchema":true}`, `!"inputSchema" is true, must be an object`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse(Tools, []byte(tt.in))
			if part, fails := strings.CutPrefix(tt.want, "!"); fails {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("got %+v, %v, want an error with %s", got, err, part)
				}
				return
			}
			if err != nil || got.Name != tt.want || string(got.Raw) != strings.TrimSpace(tt.in) {
				t.Errorf("got %+v, %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestParse(t *testing.T) {
	long := "a:" + strings.Repeat("x", MaxID)
	tests := []struct {
		kind     Kind
		in, want string // want: the name, or "!" and a part of the error
	}{
		{Prompts, `{"name":"a"}`, "a"},
		{Prompts, ` {"name":"a","title":"t","description":"d","arguments":[{"name":"x","title":"t","description":"d","required":true},{"name":"y","required":false,"new":{}}],"icons":[{"src":"data:,","mimeType":"m","sizes":["any"],"theme":"dark"}],"_meta":{},"new":[]} `, "a"},
		{Prompts, `{"name":"a","arguments":[]}`, "a"},
		{Prompts, `{"name":""}`, `!prompt has no "name"`},
		{Prompts, `{"title":"a"}`, `!prompt has no "name"`},
		{Prompts, `{"name":{}}`, `!prompt's "name" is {}, must be a string`},
		{Prompts, `{"name":"a","NAME":"b"}`, `!"NAME", which some readers take for "name"`},
		{Prompts, `{"name":"a","\u006eame":"b"}`, `!"name" twice`},
		{Prompts, `{"name":"a","arguments":{}}`, `!"arguments" is {}, must be an array`},
		{Prompts, `{"name":"a","arguments":["x"]}`, `!"arguments" has the element "x", must be an object`},
		{Prompts, `{"name":"a","arguments":[{"name":"x"},{"description":"d"}]}`, `!element of the prompt's "arguments" has no "name"`},
		{Prompts, `{"name":"a","arguments":[{"name":1}]}`, `!element of the prompt's "arguments"'s "name" is 1, must be a string`},
		{Prompts, `{"name":"a","arguments":[{"name":"x","required":"yes"}]}`, `!"required" is "yes", must be a boolean`},
		{Prompts, `{"name":"a","arguments":[{"name":"x","name":"y"}]}`, `!"name" twice`},
		{Prompts, `{"name":"a","icons":[{}]}`, `!element of the prompt's "icons" has no "src"`},
		{Prompts, `{"name":"a","_meta":null}`, `!"_meta" is null, must be an object`},
		{Prompts, `{"name":"` + long + `"}`, `!prompt's "name" has 8194 bytes, more than 8192`},

		{Resources, `{"uri":"file:///a b","name":""}`, "file:///a b"},
		{Resources, `{"uri":"a:\/\/\u00e9","name":"n","title":"t","description":"d","mimeType":"m","size":-0.5e3,"annotations":{},"icons":[],"_meta":{}}`, "a://é"},
		{Resources, `{"uri":"` + long[:MaxID] + `","name":"n"}`, long[:MaxID]},
		{Resources, `{"uri":"` + long + `","name":"n"}`, `!resource's "uri" has 8194 bytes`},
		{Resources, `{"name":"n"}`, `!resource has no "uri"`},
		{Resources, `{"uri":"","name":"n"}`, `!resource has no "uri"`},
		{Resources, `{"uri":"a:b"}`, `!resource has no "name"`},
		{Resources, `{"uri":"a:b","name":"n","Uri":"c:d"}`, `!"Uri", which some readers take for "uri"`},
		{Resources, `{"uri":"a:b","name":"n","uri":"c:d"}`, `!"uri" twice`},
		{Resources, `{"uri":"notes/1","name":"n"}`, `!resource's "uri" is "notes/1", must be an absolute URI`},
		{Resources, `{"uri":"my_notes://1","name":"n"}`, `!must be an absolute URI`},
		{Resources, `{"uri":"a:b","name":"n","size":"1"}`, `!"size" is "1", must be a number`},
		{Resources, `{"uri":"a:b","name":"n","size":null}`, `!"size" is null, must be a number`},
		{Resources, `{"uri":"a:b","name":"n","mimeType":null}`, `!"mimeType" is null, must be a string`},
		{Resources, `{"uri":"a:b","name":"n","annotations":[]}`, `!"annotations" is [], must be an object`},
		{Resources, `{"uri":"a:b","name":"n"`, "!resource is not valid JSON"},
		{Resources, "{\"uri\":\"a:\xff\",\"name\":\"n\"}", "!resource is not UTF-8"},
		{Resources, `"a:b"`, "!an object was expected"},

		{Templates, `{"uriTemplate":"a:{b}","name":"n","title":"t","description":"d","mimeType":"m","annotations":{},"icons":[],"_meta":{}}`, "a:{b}"},
		{Templates, `{"uriTemplate":"{+uri}","name":"n"}`, "{+uri}"},
		{Templates, `{"uriTemplate":"a:{","name":"n"}`, "a:{"},
		{Templates, `{"uri":"a:b","name":"n"}`, `!resource template has no "uriTemplate"`},
		{Templates, `{"uriTemplate":"a:{b}"}`, `!resource template has no "name"`},
		{Templates, `{"uriTemplate":"a:{b}","name":"n","uritemplate":"c:{d}"}`, `!some readers take for "uriTemplate"`},
		{Templates, `{"uriTemplate":"a:{b}","name":"n","icons":[{"src":"a:b","sizes":"any"}]}`, `!"sizes" is "any", must be an array`},
	}
	for _, tt := range tests {
		got, err := Parse(tt.kind, []byte(tt.in))
		if part, fails := strings.CutPrefix(tt.want, "!"); fails {
			if err == nil || !strings.Contains(err.Error(), part) || len(err.Error()) > 300 {
				t.Errorf("Parse(%v, %.200s) = %+v, %v, want an error with %s", tt.kind, tt.in, got, err, part)
			}
			continue
		}
		if err != nil || got.Name != tt.want || string(got.Raw) != strings.TrimSpace(tt.in) {
			t.Errorf("Parse(%v, %.200s) = %+v, %v, want %.200s", tt.kind, tt.in, got, err, tt.want)
		}
	}
	for k := range Kinds {
		if len(shapes[k]) > maxShapes {
			t.Errorf("%v have %d shapes", k, len(shapes[k]))
		}
	}
}

func TestKindString(t *testing.T) {
	for k, want := range map[Kind]string{Tools: "tools", Prompts: "prompts", Resources: "resources", Templates: "resourceTemplates", Kinds: "unknown"} {
		if got := k.String(); got != want {
			t.Errorf("Kind(%d) is %s, want %s", k, got, want)
		}
	}
}

// FuzzParse: what passes can stand in a list, and its name is its own.
func FuzzParse(f *testing.F) {
	f.Add(uint8(0), []byte(`{"name":"a","inputSchema":{"type":"object"}}`))
	f.Add(uint8(1), []byte(`{"name":"a","arguments":[{"name":"x"}],"icons":[{"src":"y"}]}`))
	f.Add(uint8(2), []byte(`{"uri":"a:\u00e9","name":"n","size":1}`))
	f.Add(uint8(3), []byte(` {"uriTemplate":"a:{b}","name":"n"}`))
	f.Fuzz(func(t *testing.T, kind uint8, raw []byte) {
		k := Kind(kind) % Kinds
		item, err := Parse(k, raw)
		if err != nil {
			return
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(item.Raw, &members); err != nil {
			t.Fatalf("%s: %v", item.Raw, err)
		}
		var name string
		if err := json.Unmarshal(members[kinds[k].id], &name); err != nil || name != item.Name {
			t.Fatalf("%s is called %q, want %q, %v", item.Raw, item.Name, name, err)
		}
		s := Build([]Source{offers("a", k, item), offers("b", k, item)}, Options{})
		page, _, err := s.Page(k, "", true)
		var listed []map[string]any
		if err2 := json.Unmarshal([]byte("["+string(page)+"]"), &listed); err != nil || err2 != nil || len(listed) != 2 {
			t.Fatalf("list %s: %v, %v", page, err, err2)
		}
		for i, e := range s.Entries(k) {
			if listed[i][kinds[k].id] != e.Exposed || e.Exposed == e.Name {
				t.Fatalf("%q is listed as %v, want %q", e.Name, listed[i], e.Exposed)
			}
		}
	})
}
