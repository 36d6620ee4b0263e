package catalog

// Kind is one kind of thing that MCP lists.
type Kind uint8

// The kinds, in the order in which people name them. Kinds is how many there are.
const (
	Tools Kind = iota
	Prompts
	Resources
	Templates
	Kinds
)

// kinds says of each kind what it is called in a result of its list, what one of
// it is called in a sentence, and which member tells one from another.
var kinds = [Kinds]struct{ list, one, id string }{
	Tools:     {"tools", "tool", "name"},
	Prompts:   {"prompts", "prompt", "name"},
	Resources: {"resources", "resource", "uri"},
	Templates: {"resourceTemplates", "resource template", "uriTemplate"},
}

// String answers the member of a list's result that holds the items.
func (k Kind) String() string {
	if k >= Kinds {
		return "unknown"
	}
	return kinds[k].list
}

// uris tells that the items are told apart by a URI or a template of one, which
// clients see as they are, where tools and prompts have names.
func (k Kind) uris() bool { return k == Resources || k == Templates }
