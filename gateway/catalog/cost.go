package catalog

import "mcp-gw/gateway/wire"

// Cost is how much of a tool a model is shown besides its name, in bytes of compact
// JSON.
type Cost struct{ Description, Schema int }

// bytesPerToken is what models' tokenizers make of JSON and English, about: between
// those that count the most and the fewest tokens.
const bytesPerToken = 4

// Tokens are what the parts of a tool cost a model, about. Their sum is what the tool
// does.
type Tokens struct {
	Name        int `json:"name"`
	Description int `json:"description"`
	Schema      int `json:"schema"`
}

// Sum is what the tool costs.
func (t Tokens) Sum() int { return t.Name + t.Description + t.Schema }

// Tokens answers what a tool costs a model that is shown
// {"name":…,"description":…,"input_schema":…} under the exposed name. prefix is what
// stands before the description.
func (e Entry) Tokens(prefix string) Tokens {
	name := len(`{"name":`) + len(quote(e.Exposed))
	description := 0
	if e.Cost.Description > 0 {
		description = len(`,"description":`) + e.Cost.Description + len(prefix)
	}
	schema := len(`,"input_schema":`) + e.Cost.Schema + len(`}`)
	up := func(bytes int) int { return (bytes + bytesPerToken - 1) / bytesPerToken }
	t := Tokens{Name: up(name)}
	t.Description = up(name+description) - t.Name
	t.Schema = up(name+description+schema) - t.Name - t.Description
	return t
}

// cost reads the cost of a tool's object, which is valid JSON.
func cost(raw []byte) (c Cost) {
	if text, ok := wire.Unquote(wire.Member(raw, "description")); ok {
		c.Description = len(quote(text))
	}
	c.Schema = compact(wire.Member(raw, "inputSchema"))
	return c
}

// compact is how many bytes valid JSON has without the white space between its parts.
func compact(raw []byte) (n int) {
	inString := false
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case inString && c == '\\':
			n++
			i++ // what follows is no end
		case c == '"':
			inString = !inString
		case !inString && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			continue
		}
		n++
	}
	return n
}
