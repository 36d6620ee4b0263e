package catalog

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// What a tool costs is what the definition itself says: compact JSON of three members,
// a quarter of its bytes, rounded up.
func TestTokens(t *testing.T) {
	for name, raw := range map[string]string{
		"plain":        `{"name":"t","description":"says hello","inputSchema":{"type":"object"}}`,
		"white space":  "{\n \"name\": \"t\",\n \"description\": \"a  b\\\" c\", \"inputSchema\": {\n \"type\" : \"object\", \"properties\": {\"a b\": {\"type\": [\"string\", \"null\"], \"pattern\": \"\\\\\\\" \"}}}}",
		"escapes":      `{"name":"t","description":"\u00e9\u4e2d\n<b>","inputSchema":{"type":"object"}}`,
		"undescribed":  `{"name":"t","inputSchema":{"type":"object"}}`,
		"annotated":    `{"name":"t","title":"x","annotations":{"readOnlyHint":true},"outputSchema":{"type":"object"},"inputSchema":{"type":"object"}}`,
		"long as life": `{"name":"t","description":"` + strings.Repeat("y", 100_000) + `","inputSchema":{"type":"object"}}`,
	} {
		item, err := Parse(Tools, []byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		var tool struct {
			Description *string         `json:"description"`
			InputSchema json.RawMessage `json:"inputSchema"`
		}
		if err := json.Unmarshal([]byte(raw), &tool); err != nil {
			t.Fatal(err)
		}
		var shown bytes.Buffer
		enc := json.NewEncoder(&shown)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(struct {
			Name        string          `json:"name"`
			Description *string         `json:"description,omitempty"`
			InputSchema json.RawMessage `json:"input_schema"`
		}{"b__t", tool.Description, tool.InputSchema}); err != nil {
			t.Fatal(err)
		}
		want := (shown.Len() - 1 + 3) / 4
		got := Entry{Exposed: "b__t", Backend: "b", Item: item}.Tokens("")
		if got.Sum() != want || got.Name < 1 || got.Schema < 1 || (got.Description > 0) != (tool.Description != nil) {
			t.Errorf("%s: %+v, the sum should be %d", name, got, want)
		}
	}
}
