package catalog

import (
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
			got, err := ParseTool([]byte(tt.in))
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
